"""The menu of a project, or of the whole site: its entity types, and how many rows there are of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..call import Call
from ..database.rows import Reference, known
from ..people.permissions import is_there
from ..queries.counting import rows_by_type
from . import addresses

__all__ = ["Entry", "entries", "menu_of"]

# The types that productions work with, in the order of the work; the others follow by their names.
_FIRST = (
    "Episode", "Sequence", "Shot", "Asset", "Task", "Version", "PublishedFile", "Note", "Playlist", "Delivery",
)  # fmt: skip
# What the site writes down by itself.
_LAST = frozenset({"EventLogEntry", "Attachment", "Page"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A type in a menu."""

    type: str
    name: str
    count: int
    href: str
    current: bool = False


def entries(call: Call, counts: dict[str, int], project: int | None, current: str = "") -> list[Entry]:
    """The types that have rows, and the current one even if it has none."""
    types = [
        each
        for name, each in call.schema.types.items()
        if (counts.get(name) or name == current)
        and not each.connection
        and (project is None or name != "Project")
    ]
    types.sort(key=lambda each: (_place(each.name), each.display_name))
    return [
        Entry(
            each.name,
            each.display_name,
            counts.get(each.name, 0),
            addresses.table(each.name, project=project),
            each.name == current,
        )
        for each in types
    ]


def menu_of(call: Call, project: int | None, current: str) -> dict[str, Any]:
    """The project that a page is in, if any, and the types to go to from there."""
    name = None
    if project is not None:
        row = Reference("Project", project)
        found = known(call.connection, call.tables, [row]).get(row)
        name = found.name if found is not None and is_there(call, found) else f"Project {project}"
    return {
        "project": project,
        "name": name,
        "entries": entries(call, dict(rows_by_type(call, project)), project, current),
    }


def _place(name: str) -> int:
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + (name in _LAST)
