"""What the address of a table asks for: project, conditions, columns, order and page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..schema.schema_map import EntityType, Field
from . import addresses
from .conditions import Written

__all__ = ["PAGE_SIZES", "Asked", "asked", "usual_columns"]

PAGE_SIZES = (25, 50, 100, 500)
_USUAL_SIZE = 50
_LARGEST_PAGE = 10**9

# The columns of a table unless the address names others: those of these that the type has, its name first.
_USUAL = (
    "step", "sg_status_list", "sg_status", "sg_asset_type", "sg_sequence", "episode", "entity", "event_type",
    "attribute_name", "sg_task", "task_assignees", "user", "addressings_to", "note_links", "published_file_type",
    "version_number", "login", "email", "department", "this_file", "start_date", "due_date", "duration",
    "sg_cut_in", "sg_cut_out", "sg_cut_duration", "users", "versions", "sg_type", "entity_type", "description",
    "list_order", "created_at", "created_by",
)  # fmt: skip
_MOST_USUAL = 8
_NEWEST_FIRST = frozenset({"EventLogEntry"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A table as its address asks for it; immutable, for each link on the page is a variation of it."""

    entity_type: str
    project: int | None = None
    conditions: tuple[Written, ...] = ()
    any_of: bool = False
    columns: tuple[str, ...] = ()  # none: the usual ones
    sort: str = ""
    page: int = 1
    per_page: int = _USUAL_SIZE
    retired: bool = False

    def address(self, **changes: Any) -> str:
        """The address of this table with some of it changed; on its first page, unless that is what changes."""
        table = replace(self, **{"page": 1, **changes})
        told = (
            ("match", "any" if table.any_of else ""),
            *(("c", column) for column in table.columns),
            ("sort", table.sort),
            ("per_page", str(table.per_page) if table.per_page != _USUAL_SIZE else ""),
            ("retired", "1" if table.retired else ""),
            ("page", str(table.page) if table.page > 1 else ""),
        )
        return addresses.table(
            table.entity_type,
            [(each.path, each.operator, each.value) for each in table.conditions],
            project=table.project,
            more=[(name, value) for name, value in told if value],
        )

    def without(self, written: Written) -> str:
        """The address of this table without one of its conditions."""
        return self.address(conditions=tuple(each for each in self.conditions if each is not written))

    def sorts(self) -> list[dict[str, str]]:
        """The order as a request holds it."""
        order = self.sort or ("-id" if self.entity_type in _NEWEST_FIRST else "")
        return [
            {
                "field_name": each.strip().removeprefix("-"),
                "direction": "desc" if each.strip().startswith("-") else "asc",
            }
            for each in order.split(",")
            if each.strip().removeprefix("-")
        ]


def asked(entity_type: EntityType, query: Sequence[tuple[str, str]]) -> tuple[Asked, list[str]]:
    """What a query string asks for, and in words what in it cannot be meant."""
    problems: list[str] = []

    def number(name: str, usual: int, highest: int) -> int:
        text = next((value for key, value in reversed(query) if key == name and value), str(usual))
        if text.isascii() and text.isdigit() and len(text) < 12 and 0 < int(text) <= highest:
            return int(text)
        problems.append(f"{name}={text[:40]!r} is no number from 1 to {highest}.")
        return usual

    given = dict(query)
    table = Asked(
        entity_type.name,
        project=number("project", 0, 2**31 - 1) if given.get("project") else None,
        conditions=tuple(_conditions(query)),
        any_of=given.get("match") == "any",
        columns=tuple(dict.fromkeys(_parts(query, "c"))),
        sort=given.get("sort", ""),
        page=number("page", 1, _LARGEST_PAGE),
        per_page=number("per_page", _USUAL_SIZE, PAGE_SIZES[-1]),
        retired=given.get("retired") == "1",
    )
    return table, problems


def usual_columns(entity_type: EntityType) -> tuple[str, ...]:
    """The columns of a type that somebody who looks around wants to see."""
    name = entity_type.identity or "cached_display_name"
    columns = [name, *(each for each in _USUAL if _is_shown(entity_type.fields.get(each)) and each != name)]
    picture = ["image"] if "image" in entity_type.fields and entity_type.name != "EventLogEntry" else []
    return (*picture, *columns[:_MOST_USUAL])


def _is_shown(field: Field | None) -> bool:
    return field is not None and field.is_listed


def _conditions(query: Sequence[tuple[str, str]]) -> Iterable[Written]:
    """The conditions: the first `f`, `op` and `v` belong together, then the second ones."""
    paths, operators, values = ([value for key, value in query if key == name] for name in ("f", "op", "v"))
    for index, path in enumerate(paths):
        if path.strip():
            operator = operators[index] if index < len(operators) and operators[index] else "is"
            yield Written(path.strip(), operator, values[index] if index < len(values) else "")


def _parts(query: Sequence[tuple[str, str]], name: str) -> Iterable[str]:
    for key, value in query:
        if key == name:
            yield from filter(None, (part.strip() for part in value.split(",")))
