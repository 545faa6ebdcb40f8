"""Random operands: mostly what some row holds, in another writing, or next to it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from ..naive.model import INTEGERS, LISTS, TYPES
from ..naive.moments import UNITS, moment
from ..naive.production import Production
from . import values
from .paths import Found


def operands(chance: random.Random, production: Production, found: Found, relation: str) -> Any:
    """The `values` of a condition."""
    kind = found.field.data_type
    if relation in ("in_last", "in_next", "not_in_last", "not_in_next"):
        return [chance.choice([1, 1, 2, 2, 3, 3, 30]), chance.choice(UNITS)]
    if relation.startswith("in_calendar"):
        return [chance.choice([0, 0, 0, 0, 1, 1, -1, -1, 2, -13])]
    if relation in ("in", "not_in"):
        given = [operand(chance, production, found) for _ in range(chance.choice([1, 1, 2, 3, 5]))]
        if chance.random() < 0.15 and kind not in ("text", "uuid"):
            given.append(None)
        return given
    if relation == "between":
        pair = [operand(chance, production, found), operand(chance, production, found)]
        if kind in ("date", "date_time") and chance.random() < 0.05:
            pair[chance.randrange(2)] = None
        return pair
    if relation in ("type_is", "type_is_not"):
        return [chance.choice([*found.field.targets, *found.field.targets, "Tag", None])]
    if relation.startswith("name_"):
        return [_name(chance, production, found)]
    if relation in ("is", "is_not"):
        if kind == "image" or (chance.random() < 0.2 and kind not in ("checkbox", "uuid")):
            return [None]
        return [operand(chance, production, found)]
    return [operand(chance, production, found)]


def operand(chance: random.Random, production: Production, found: Found) -> Any:
    """One operand that is not null."""
    kind = found.field.data_type
    if kind == "entity" or kind in LISTS:
        return _link(chance, production, found)
    stored = [
        value
        for row in production.rows[found.entity_type]
        if (value := production.value(found.entity_type, row, found.name)) is not None
    ]
    value = (
        chance.choice(stored) if stored and chance.random() < 0.7 else _fresh(chance, found, production.now)
    )
    return _varied(chance, kind, value)


def _fresh(chance: random.Random, found: Found, now: datetime) -> Any:
    for _ in range(50):
        value = values.scalar(chance, found.field, now)
        if value is not None:
            return value
    raise AssertionError(f"no value for {found}")


def _varied(chance: random.Random, kind: str, value: Any) -> Any:
    if kind == "text":
        return _other_writing(chance, value)
    if kind in INTEGERS:
        value += chance.choice([0, 0, 0, 1, -1])
        return str(value) if kind in ("number", "duration") and chance.random() < 0.1 else value
    if kind == "float":
        return value + chance.choice([0, 0, 1e-9, -1e-9])
    if kind == "date_time":
        return _other_zone(chance, value)
    if kind in ("list", "status_list"):
        return chance.choice([value, value, value.upper(), value.lower(), "bogus"])
    if kind == "color":
        return chance.choice([value, "Green", "Black"])
    if kind == "entity_type":
        return chance.choice([value, value, value.lower(), "Bogus"])
    if kind == "uuid":
        return chance.choice([value, value.upper(), value.replace("-", ""), ""])
    return value


def _other_writing(chance: random.Random, text: str) -> str:
    text = chance.choice([text, text, text.upper(), text.lower(), text.swapcase(), text.casefold()])
    if chance.random() < 0.3:
        start = chance.randrange(len(text) + 1)
        text = text[start : start + chance.choice([1, 1, 2, 3])]
    # Whether blanks round an operand count is not recorded.
    return text.strip()


def _other_zone(chance: random.Random, value: str) -> str:
    read = moment(value)
    return chance.choice(
        [
            value,
            value,
            f"{(read + timedelta(hours=2)).isoformat()}+02:00",
            f"{(read - timedelta(hours=9, minutes=30)).isoformat()}-09:30",
            read.isoformat(),
            f"{read.isoformat()}.250Z",
            read.date().isoformat(),
        ]
    )


def _link(chance: random.Random, production: Production, found: Found) -> Any:
    # Mostly what the field may link, some of it retired; else another type, or an id that never was.
    target = chance.choice(found.field.targets) if chance.random() < 0.93 else chance.choice(list(TYPES))
    rows = production.rows[target]
    number = chance.choice(rows)["id"] if rows and chance.random() < 0.93 else 9999
    link = {"type": target, "id": number}
    return {**link, "name": "whatever"} if chance.random() < 0.2 else link


def _name(chance: random.Random, production: Production, found: Found) -> str:
    names = [
        production.name({"type": target, "id": row["id"]})
        for target in found.field.targets
        for row in production.rows[target]
        if not row["retired"]
    ]
    return _other_writing(chance, chance.choice(names) if names else "a")
