"""The tree that people browse a project by, and the paths of its nodes (wire.md 2.12).

Below a project come its types, below a type the values of the field that groups it, then rows, then their
Tasks::

    /Project/4
    /Project/4/Shot
    /Project/4/Shot/sg_sequence/Sequence/2
    /Project/4/Shot/sg_sequence/Sequence/2/id/7
    /Project/4/Shot/sg_sequence/Sequence/2/id/7/Task/id/31
    /Project/4/Shot/sg_sequence/__none__
    /Project/4/Asset/sg_asset_type/Prop/id/3
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from ..call import Call
from ..database.rows import Reference
from ..faults import SiteFault, ruby
from ..schema.schema_map import Field, SchemaMap

# What most people look for comes first, even where a project has none; then whatever else has tasks.
ALWAYS_SHOWN = ("Asset", "Shot")
_GROUPED_BY = {"Asset": "sg_asset_type", "Shot": "sg_sequence"}
_NONE = "__none__"
_PATH = re.compile(
    r"/(?:Project/(?P<project>\d{1,10})"
    r"(?:/(?P<type>[A-Z]\w*)"
    r"(?:/(?P<field>sg_\w+)/(?:(?P<link>[A-Z]\w*)/(?P<link_id>\d{1,10})|(?P<value>[^/]+)))?"
    r"(?:/id/(?P<row>\d{1,10})(?:/Task/id/(?P<task>\d{1,10}))?)?)?)?/?",
    re.ASCII,
)

Group = Reference | str | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: to the root, a project, a type in it, a group, a row, or a Task of the row."""

    project: int | None = None
    entity_type: str = ""
    grouped: bool = False
    group: Group = None
    row: int | None = None
    task: int | None = None

    @property
    def path(self) -> str:
        """The path that leads here."""
        return "/" + "/".join(self._segments())

    @property
    def way(self) -> list[Place]:
        """The places from the project to this one."""
        way = [Place(self.project)] if self.project is not None else []
        if self.entity_type:
            way.append(replace(way[-1], entity_type=self.entity_type))
        if self.grouped:
            way.append(replace(way[-1], grouped=True, group=self.group))
        if self.row is not None:
            way.append(replace(way[-1], row=self.row))
        if self.task is not None:
            way.append(self)
        return way

    def _segments(self) -> Iterator[str]:
        if self.project is not None:
            yield from ("Project", str(self.project))
        if self.entity_type:
            yield self.entity_type
        if self.grouped:
            yield _GROUPED_BY[self.entity_type]
            if isinstance(self.group, Reference):
                yield from (self.group.type, str(self.group.id))
            else:
                yield _NONE if self.group is None else quote(self.group, safe="")
        if self.row is not None:
            yield from ("id", str(self.row))
        if self.task is not None:
            yield from ("Task", "id", str(self.task))


def browsable_types(schema: SchemaMap) -> list[str]:
    """The types that stand in the tree of a project: those of its rows that tasks are made for."""
    link = schema.field("Task", "entity")
    found = [each for each in (link.valid_types if link else ()) if schema.field(each, "project") is not None]
    # A stable sort: the others stay in the order of the field.
    return sorted(
        found, key=lambda each: ALWAYS_SHOWN.index(each) if each in ALWAYS_SHOWN else len(ALWAYS_SHOWN)
    )


def grouping(schema: SchemaMap, entity_type: str) -> Field | None:
    """The field whose values group the rows of a type, if any does."""
    field = schema.field(entity_type, _GROUPED_BY.get(entity_type, ""))
    return field if field is not None and field.data_type in ("entity", "list") else None


def place_at(call: Call, path: object) -> Place:
    """Where a path leads, whether anything stands there or not; a fault for what is no path of the tree."""
    found = _PATH.fullmatch(path) if isinstance(path, str) else None
    place = None if found is None else _place(call.schema, found)
    if place is None:
        raise SiteFault(f"API {call.method}() invalid path: {ruby(path)}")
    return place


def _place(schema: SchemaMap, found: re.Match[str]) -> Place | None:
    project, row, task = (
        None if found[each] is None else int(found[each]) for each in ("project", "row", "task")
    )
    entity_type, field_name = found["type"] or "", found["field"]
    place = Place(project, entity_type, row=row, task=task)
    if not entity_type:
        return place
    if entity_type not in browsable_types(schema):
        return None
    field = grouping(schema, entity_type)
    if field is None or field_name != field.name:
        # The rows of a grouped type are found in their groups only.
        return place if field_name is None and (field is None or row is None) else None
    if found["value"] == _NONE:
        return replace(place, grouped=True)
    if field.data_type == "list":
        value = unquote(found["value"] or "\0")
        # No row holds a NUL, and not every database takes one in a comparison.
        return None if "\0" in value else replace(place, grouped=True, group=value)
    if found["link"] is None or schema.type(found["link"]) is None:
        return None
    return replace(place, grouped=True, group=Reference(found["link"], int(found["link_id"])))
