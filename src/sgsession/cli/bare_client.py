"""The demo's job as it is written with the bare client: tasks, and all that stands above them.

Each of these asks for the fields that a session brings by itself, and keeps what it has read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..importance import FIELDS, FIELDS_FOR_ALL, LINKS, PARENTS, Importance

__all__ = ["DOTTED", "by_dots", "by_level", "one_by_one"]

Row = dict[str, Any]
Rows = dict[tuple[str, int], Row]

_IMPORTANCE = Importance(FIELDS_FOR_ALL, FIELDS, LINKS, PARENTS)


# What a session works out by itself: the important fields of each type above, as paths from the task.
DOTTED = _IMPORTANCE.hierarchy_fields("Task")


def by_dots(client: Any, filters: list[Any]) -> list[Row]:
    """One request: every field of every type above is spelt out as a dotted path from the task."""
    rows: list[Row] = client.find("Task", filters, list(DOTTED))
    return rows


def by_level(client: Any, filters: list[Any]) -> Rows:
    """One find for each type that a level leads to, by the ids that the level below has named."""
    known: Rows = {}
    level = _keep(known, client.find("Task", filters, _fields("Task")))
    while level:
        ids: dict[str, set[int]] = {}
        for link in _links(level):
            if (link["type"], link["id"]) not in known:
                ids.setdefault(link["type"], set()).add(link["id"])
        level = []
        for entity_type, wanted in ids.items():
            rows = client.find(entity_type, [["id", "in", sorted(wanted)]], _fields(entity_type))
            level += _keep(known, rows)
    _join(known)
    return known


def one_by_one(client: Any, filters: list[Any]) -> Rows:
    """One find_one for each entity above, each asked for once."""
    known: Rows = {}
    waiting = _keep(known, client.find("Task", filters, _fields("Task")))
    while waiting:
        for link in _links([waiting.pop()]):
            if (link["type"], link["id"]) not in known:
                found = client.find_one(link["type"], [["id", "is", link["id"]]], _fields(link["type"]))
                waiting += _keep(known, [found])
    _join(known)
    return known


def _fields(entity_type: str) -> list[str]:
    return _IMPORTANCE.own_fields(entity_type)


def _keep(known: Rows, rows: Iterable[Row]) -> list[Row]:
    kept = list(rows)
    known.update({(row["type"], row["id"]): row for row in kept})
    return kept


def _links(rows: Iterable[Row]) -> list[Row]:
    return [value for row in rows for value in row.values() if isinstance(value, dict)]


def _join(known: Rows) -> None:
    """Put the rows in the place of the links that name them."""
    for row in known.values():
        for field, value in row.items():
            if isinstance(value, dict):
                row[field] = known[value["type"], value["id"]]
