"""Filters as people write them in a shell: one line of text for each condition."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import SyntaxProblem
from .filters import check_filters
from .references import Reference, parse_reference

__all__ = ["OPERATORS", "parse_filter"]

# wire.md 4.1, with what the client's documentation lists beside it.
OPERATORS = frozenset(
    [
        "is",
        "is_not",
        "in",
        "not_in",
        "contains",
        "not_contains",
        "starts_with",
        "ends_with",
        "greater_than",
        "less_than",
        "between",
        "not_between",
        "in_last",
        "not_in_last",
        "in_next",
        "not_in_next",
        "in_calendar_day",
        "in_calendar_week",
        "in_calendar_month",
        "in_calendar_year",
        "type_is",
        "type_is_not",
        "name_contains",
        "name_not_contains",
        "name_is",
        "name_starts_with",
        "name_ends_with",
        "name_id",
    ]
)

_SIGNS = {
    "=": "is",
    "!=": "is_not",
    ">": "greater_than",
    "<": "less_than",
    "~=": "contains",
    "!~=": "not_contains",
}
_SIGNED = re.compile(r"\s*([$\w.{},]+)\s*(!~=|~=|!=|=|>|<)\s*(.*)\Z", re.DOTALL)
_WORDED = re.compile(r"\s*([$\w.]+)\s+([a-z_]+)(?:\s+(.*))?\Z", re.DOTALL)
_SEVERAL = frozenset(
    ["in", "not_in", "between", "not_between", "in_last", "not_in_last", "in_next", "not_in_next"]
)


def parse_filter(text: str) -> list[Any] | dict[str, Any]:
    """The condition that a line of text stands for.

    Takes `code=AA_010`, `code!=x`, `id>5`, `code~=AA` (contains), `FIELD OPERATOR VALUE` with any operator
    of the site (`sg_status_list in ip,fin`, `entity is Shot:860`, `due_date in_last 3,DAY`), and JSON of
    a condition or a group. Values are read as null, true, false, numbers, `Type:id` and JSON where they
    look like it, and as text otherwise; quotes make text of anything.

    Raises:
        SyntaxProblem: it is none of these.
    """
    if text.lstrip().startswith(("[", "{")):
        try:
            condition: Any = json.loads(text)
            check_filters([condition])
        except (ValueError, RecursionError) as problem:
            raise SyntaxProblem(f"{text!r} is not a filter in JSON: {problem}") from None
        return condition  # type: ignore[no-any-return]
    worded = _WORDED.match(text)
    if worded and worded[2] in OPERATORS:
        path, operator, rest = worded[1], worded[2], worded[3]
    else:
        signed = _SIGNED.match(text)
        if not signed:
            raise SyntaxProblem(
                f"{text!r} is not a filter: write FIELD=VALUE or 'FIELD OPERATOR VALUE', "
                f"for example code=AA_010 or 'sg_status_list in ip,fin'."
            )
        path, operator, rest = signed[1], _SIGNS[signed[2]], signed[3]
        if rest.startswith("="):
            # Out of habit, `==`: taken as it stands it would look for "=AA_010", and find nothing.
            raise SyntaxProblem(
                f"{text!r}: write one =, for example {path}=AA_010; quotes make text of a value."
            )
    if rest is None:
        raise SyntaxProblem(f"{text!r}: the operator {operator} needs a value.")
    if operator in _SEVERAL:
        values = (
            [_value(part) for part in rest.split(",")] if not rest.lstrip().startswith("[") else _value(rest)
        )
        return [path, operator, values]
    return [path, operator, _value(rest)]


def _value(text: str) -> Any:
    text = text.strip()
    if text in ("null", "none", "None"):
        return None
    if text in ("True", "False"):
        return text == "True"
    if re.match(r"[A-Z][A-Za-z0-9]*:\d+\Z", text):
        reference = parse_reference(text)
        assert isinstance(reference, Reference)
        return {"type": reference["type"], "id": reference["id"]}
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    if (
        text[:1] in ('"', "[", "{")
        or text in ("true", "false")
        or re.match(r"-?(0|[1-9]\d*)(\.\d+)?\Z", text)
    ):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
