"""The page of one row: its picture, fields and links, what points at it, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..call import Call
from ..database.rows import Reference, known, storable_id
from ..queries.counting import rows_by_type
from ..queries.fetching import rows
from ..schema.schema_map import EntityType
from . import addresses, snippets
from .history import history, history_of_retired
from .linked import backlinks, panels, told_by_others
from .menus import menu_of
from .missing import MissingError, unknown_type
from .values import Cell, Cells, Link, hue

__all__ = ["detail_page"]

# Said elsewhere on the page, or of no use to anybody who looks.
_ELSEWHERE = frozenset({
    "id", "cached_display_name", "image", "filmstrip_image", "image_blur_hash", "tag_list", "project", "open_notes",
    "open_notes_count", "step_0",
})  # fmt: skip
_STATUSES = ("sg_status_list", "sg_status")
# The fields that matter most, in this order; the others follow by their names.
_FIRST = (
    "description", "sg_description", "content", "entity", "sg_sequence", "episode", "step", "task_assignees", "user",
    "start_date", "due_date", "duration", "sg_asset_type", "assets", "shots", "sequences",
)  # fmt: skip
_LAST = ("created_by", "created_at", "updated_by", "updated_at")


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of the row: what it is called on pages and in scripts, and its value."""

    label: str
    name: str
    kind: str
    cell: Cell


def detail_page(call: Call, kind: str, text: str) -> dict[str, Any]:
    """What the page of a row shows; MissingError where there is none."""
    entity_type = call.schema.type(kind)
    if entity_type is None:
        raise unknown_type(call, kind)
    row_id = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    row = Reference(kind, row_id)
    cells = Cells(call)
    counts = rows_by_type(call)
    # What has a place of its own on the page is not told twice, nor read twice.
    own = told_by_others(call, kind, counts)
    listed = [each.name for each in entity_type.fields.values() if each.is_listed and each.name not in own]
    found = rows(call, kind, [row_id], [*listed, "cached_display_name"]) if storable_id(row_id) else []
    if not found:
        table = (f"All of type {entity_type.display_name}", addresses.table(kind))
        raise MissingError(f"There is no {entity_type.display_name} with the id {text[:20]}.", table)
    values = found[0]
    record = known(call.connection, call.tables, [row]).get(row)
    name = {"type": kind, "id": row_id, "name": values.get("cached_display_name")}
    project = record.project_id if record is not None else None
    pointing, made = backlinks(call, cells, name, counts)
    retired = record is not None and record.retired
    changes, events = (history_of_retired(call, cells, name), 0) if retired else history(call, cells, name)
    filled, empty = _fields(cells, entity_type, values)
    return {
        "type": entity_type,
        "id": row_id,
        "link": cells.link(name),
        "hue": hue(kind, row_id),
        "retired": retired,
        "picture": cells.picture(values.get("image")),
        "statuses": _statuses(cells, entity_type, values),
        "menu": menu_of(call, project, kind),
        "above": _above(cells, values),
        "table": addresses.table(kind, project=None if kind == "Project" else project),
        "filled": filled,
        "empty": empty,
        "panels": panels(call, cells, name, counts),
        "backlinks": pointing,
        "made": made,
        "changes": changes,
        "events": events,
        "events_href": addresses.table("EventLogEntry", [("entity", "is", f"{kind}:{row_id}")]),
        "code": snippets.entity(kind, row_id),
    }


def _fields(
    cells: Cells, entity_type: EntityType, values: Mapping[str, Any]
) -> tuple[list[Shown], list[Shown]]:
    """The fields that have a value, and those that have none."""
    filled: list[Shown] = []
    empty: list[Shown] = []
    for field in sorted(entity_type.fields.values(), key=lambda each: _place(each.name, each.display_name)):
        if field.name in _ELSEWHERE or field.name not in values:
            continue
        cell = cells.of(field, values[field.name])
        shown = Shown(field.display_name, field.name, field.data_type, cell)
        # An unset checkbox is as good as empty: every row has a dozen of them.
        (empty if cell.kind == "empty" or values[field.name] is False else filled).append(shown)
    return filled, empty


def _place(name: str, label: str) -> tuple[int, str]:
    if name in _FIRST:
        return _FIRST.index(name), ""
    return len(_FIRST) + (1 + _LAST.index(name) if name in _LAST else 0), label.lower()


def _statuses(cells: Cells, entity_type: EntityType, values: Mapping[str, Any]) -> list[Cell]:
    fields = [entity_type.fields[name] for name in _STATUSES if values.get(name)]
    return [cells.of(field, values[field.name]) for field in fields]


def _above(cells: Cells, values: Mapping[str, Any]) -> list[Link]:
    """What a row is part of, the outermost first: the crumbs that lead back up."""
    parents = [values.get(name) for name in ("episode", "sg_sequence", "entity")]
    return [cells.link(each) for each in parents if isinstance(each, Mapping) and "id" in each]
