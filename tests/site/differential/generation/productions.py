"""Random productions: few rows of each type, much alike, with links of every kind and some rows retired."""

from __future__ import annotations

import random
from typing import Any

from ..naive.model import LISTS, TYPES
from ..naive.production import Link, Production, Row
from .values import CLOCKS, scalar, text

# Links lead to rows of types that stand earlier, or to the same type.
SIZES = {
    "Tag": 4, "Department": 3, "HumanUser": 5, "Group": 3, "Step": 4, "LocalStorage": 3, "Project": 4,
    "Sequence": 5, "Asset": 7, "Shot": 12, "Task": 14, "Version": 12, "PublishedFile": 8, "Note": 9, "Playlist": 4,
    "TimeLog": 7,
}  # fmt: skip
FIRST_ID = 101
_NEVER_EMPTY = {"code", "name", "subject", "login", "short_name"}


def random_production(chance: random.Random) -> Production:
    """A production, and a clock that stands near one of the borders of time."""
    production = Production(now=chance.choice(CLOCKS))
    for entity_type, size in SIZES.items():
        for number in range(chance.randint(max(1, size - 3), size)):
            row = {"id": FIRST_ID + number, "retired": False}
            production.rows[entity_type].append(row)
            _fill(chance, production, entity_type, row)
    # Only now, so that links to retired rows are among the rest.
    for entity_type, rows in production.rows.items():
        for row in rows:
            row["retired"] = _may_retire(entity_type, row) and chance.random() < 0.12
    return production


def _may_retire(entity_type: str, row: Row) -> bool:
    # Whether a retired project hides its rows is not recorded: archived ones stay.
    return not (entity_type == "Project" and row.get("archived"))


def _fill(chance: random.Random, production: Production, entity_type: str, row: Row) -> None:
    for name, field in TYPES[entity_type].items():
        if name == "id" or field.other_end is not None:
            continue
        if field.data_type == "entity":
            value: Any = _link(chance, production, field.targets) if chance.random() < 0.8 else None
        elif field.data_type in LISTS:
            value = _links(chance, production, entity_type, row, field.targets)
        elif name in _NEVER_EMPTY:
            value = text(chance)
        else:
            value = scalar(chance, field, production.now)
        row[name] = value
    _keep_rules(chance, production, entity_type, row)


def _keep_rules(chance: random.Random, production: Production, entity_type: str, row: Row) -> None:
    """What a real site would never hold: two projects of one name, a task without a colour, and the like."""
    number = row["id"]
    if entity_type == "Project":
        row["name"] = f"{row['name']}{number}"
        row["code"] = None if chance.random() < 0.3 else f"{text(chance)}{number}"
        row["archived"] = chance.random() < 0.3
        row["is_template"] = chance.random() < 0.2
    elif entity_type == "HumanUser":
        row["login"] = f"{row['login']}{number}"
    elif entity_type == "LocalStorage":
        row["code"] = f"{row['code']}{number}"
    elif entity_type == "Task":
        row["color"] = row["color"] or "pipeline_step"
    elif entity_type == "TimeLog":
        row["description"] = row["description"] or "New Time Log"
    if "project" in TYPES[entity_type] and row.get("project") is None:
        row["project"] = _link(chance, production, ("Project",))


def _link(chance: random.Random, production: Production, targets: tuple[str, ...]) -> Link | None:
    target = chance.choice(targets)
    rows = production.rows[target]
    return {"type": target, "id": chance.choice(rows)["id"]} if rows else None


def _links(
    chance: random.Random, production: Production, entity_type: str, row: Row, targets: tuple[str, ...]
) -> list[Link]:
    found: list[Link] = []
    for _ in range(chance.choice([0, 0, 1, 1, 2, 3])):
        link = _link(chance, production, targets)
        # Rows of the same type link earlier ones only: tasks that wait for each other would be a loop.
        if link is not None and link not in found and link != {"type": entity_type, "id": row["id"]}:
            found.append(link)
    return found
