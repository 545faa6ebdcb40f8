"""What a page shows, as a line of Python for the official client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["entity", "find"]


def entity(entity_type: str, row_id: int) -> str:
    """The row as scripts name it."""
    return literal({"type": entity_type, "id": row_id})


def find(
    entity_type: str,
    conditions: Sequence[Sequence[Any]],
    any_of: Sequence[Sequence[Any]],
    fields: Sequence[str],
    options: Mapping[str, Any],
) -> str:
    """The call that gives a table: rows under all of the conditions, and under one of `any_of` if there are any."""
    filters: list[Any] = list(conditions)
    if any_of:
        filters.append({"filter_operator": "any", "filters": list(any_of)})
    lines = [literal(entity_type), _lines(filters), literal(list(fields))]
    lines.extend(f"{name}={literal(value)}" for name, value in options.items())
    inner = "".join(f"    {line},\n" for line in lines)
    return f"sg.find(\n{inner})"


def literal(value: Any) -> str:
    """The value as Python spells it, with the quotes that everybody uses."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, str):
        # Every escape of JSON means the same to Python.
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def _lines(filters: Sequence[Any]) -> str:
    if not filters:
        return "[]"
    return "[\n" + "".join(f"        {literal(each)},\n" for each in filters) + "    ]"
