"""The front page: the projects of the site, and all of its entity types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..call import Call
from ..queries.counting import rows_by_project
from ..queries.reading import read
from . import addresses
from .menus import Entry, entries
from .values import Cell, Cells, Link, hue

__all__ = ["front_page"]

_MOST_PROJECTS = 500
_COUNTED = ("Sequence", "Shot", "Asset", "Task", "Version", "Note")


@dataclass(frozen=True, slots=True)
class Card:
    """A project: its picture, what it is, and how much there is of what."""

    link: Link
    hue: int
    picture: str
    status: Cell
    description: str
    kind: str
    archived: bool
    counts: list[Entry]


def front_page(call: Call) -> dict[str, Any]:
    """What the front page shows."""
    cells = Cells(call)
    fields = ["name", "image", "sg_status", "sg_type", "sg_description", "archived"]
    answer = read(
        call,
        {
            "type": "Project",
            "filters": {"logical_operator": "and", "conditions": []},
            "return_fields": fields,
            "sorts": [{"field_name": "name", "direction": "asc"}],
            "paging": {"entities_per_page": _MOST_PROJECTS, "current_page": 1},
            "return_paging_info": True,
        },
    )
    counts = rows_by_project(call)
    cards = [_card(call, cells, row, counts.get(row["id"], Counter())) for row in answer["entities"]]
    return {
        "cards": [card for card in cards if not card.archived],
        "archived": [card for card in cards if card.archived],
        "more": answer["paging_info"]["entity_count"] - len(cards),
        "all_projects": addresses.table("Project"),
        "entries": entries(call, dict(sum(counts.values(), Counter())), None),
    }


def _card(call: Call, cells: Cells, row: Mapping[str, Any], counts: Counter[str]) -> Card:
    status = call.schema.field("Project", "sg_status")
    return Card(
        cells.link(row),
        hue("Project", row["id"]),
        cells.picture(row.get("image")),
        cells.of(status, row.get("sg_status")) if status is not None else Cell("empty"),
        row.get("sg_description") or "",
        row.get("sg_type") or "",
        bool(row.get("archived")),
        entries(call, {kind: counts[kind] for kind in _COUNTED if counts[kind]}, row["id"]),
    )
