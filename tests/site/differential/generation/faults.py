"""Conditions that a site refuses (wire.md 3.1, 4.2)."""

from __future__ import annotations

import random
from typing import Any

from ..naive.model import LISTS, TYPES

# For each data type: operators that it lacks or operands that it refuses.
_WRONG: dict[str, list[tuple[str, Any]]] = {
    "text": [("greater_than", ["a"]), ("in", [None]), ("in", []), ("is", []), ("is", ["a", "b"]),
             ("in_last", [1, "DAY"])],
    "number": [("is", [2.5]), ("contains", ["1"]), ("between", [1]), ("is", [True]), ("not_in", [])],
    "float": [("starts_with", ["1"]), ("between", [1.0, 2.0, 3.0])],
    "checkbox": [("in", [True]), ("is", [None]), ("greater_than", [True])],
    "date": [("is", ["2024-05-15T12:00:00Z"]), ("is", ["tomorrow"]), ("in_last", [0, "DAY"]), ("in_next", [-1, "DAY"]),
             ("in_last", [1, "day"]), ("in_last", [1]), ("contains", ["2024"])],
    "date_time": [("in_last", [2, "MINUTE"]), ("in_next", [1, "week"]), ("name_is", ["x"])],
    "list": [("contains", ["a"]), ("greater_than", ["a"])],
    "status_list": [("starts_with", ["a"]), ("type_is", ["Shot"])],
    "color": [("contains", ["1"])],
    "uuid": [("is", ["nonsense"]), ("is", [None])],
    "entity": [("is", [5]), ("is", [{"id": 5}]), ("is", [{"type": "Shot"}]), ("contains", ["a"]), ("name_is", [None]),
               ("name_contains", [None])],
    "multi_entity": [("greater_than", [5]), ("is", [{"type": "Shot"}]), ("name_not_contains", [None])],
    "image": [("is", ["x"]), ("in", [None])],
    "url": [("is", [None])],
    "serializable": [("is", [None])],
    "summary": [("greater_than", [0])],
    "password": [("is", ["x"])],
    "calculated": [("is", [None])],
    "pivot_column": [("is", [None])],
}  # fmt: skip


def faulty_condition(chance: random.Random, entity_type: str) -> dict[str, Any]:
    """One condition or group that is refused, whatever the rows."""
    kind = chance.random()
    if kind < 0.1:
        return chance.choice([
            {"logical_operator": "AND", "conditions": []},
            {"logical_operator": "xor", "conditions": []},
            {"conditions": []},
            {"logical_operator": "and"},
        ])  # fmt: skip
    if kind < 0.2:
        path = chance.choice(["bogus", "bogus.Shot.code", "project.Project.bogus", "project.Bogus.name"])
        if path.startswith("bogus") or "project" in TYPES[entity_type]:
            return {"path": path, "relation": "is", "values": ["x"]}
    field_names = [name for name, field in TYPES[entity_type].items() if field.data_type in _WRONG]
    path, data_type = "", ""
    name = chance.choice(field_names)
    path, data_type = name, TYPES[entity_type][name].data_type
    if data_type in {"entity", *LISTS} and chance.random() < 0.3:
        target = chance.choice(TYPES[entity_type][name].targets)
        deeper = [key for key, field in TYPES[target].items() if field.data_type in _WRONG]
        leaf = chance.choice(deeper)
        path, data_type = f"{name}.{target}.{leaf}", TYPES[target][leaf].data_type
    relation, values = chance.choice(_WRONG[data_type])
    return {"path": path, "relation": relation, "values": values}
