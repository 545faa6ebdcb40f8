"""Conditions as people type them into the filter bar: a field, an operator, and a value as text."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from sgsession.errors import SyntaxProblem
from sgsession.syntax.references import PageReference, parse_reference

from ..call import Call
from ..data_types import data_type
from ..faults import SiteFault
from ..queries.paths import resolve
from ..schema.schema_map import EntityType

__all__ = ["OPERATORS", "Written", "operators_of", "said", "unknown_field", "wire_condition"]

# Every operator of a site, the usual ones first.
OPERATORS = (
    "is", "is_not", "contains", "not_contains", "starts_with", "ends_with", "in", "not_in",
    "greater_than", "less_than", "between", "name_contains", "name_not_contains", "name_is", "name_id",
    "type_is", "type_is_not", "in_last", "not_in_last", "in_next", "not_in_next",
    "in_calendar_day", "in_calendar_week", "in_calendar_month", "in_calendar_year",
)  # fmt: skip

_SEVERAL = frozenset({"in", "not_in", "between"})
_SPANS = frozenset({"in_last", "not_in_last", "in_next", "not_in_next"})
_LINKED = frozenset({"is", "is_not", "in", "not_in"})
_LINKS = frozenset({"entity", "multi_entity", "addressing"})
_WHOLE = frozenset({"number", "percent", "duration", "timecode"})
_BROKEN = frozenset({"float", "currency"})
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SPAN = re.compile(r"([0-9]{1,9})[\s,]*([A-Za-z]+?)[sS]?\Z")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}(\.[0-9]{1,18})?\Z")


@dataclass(frozen=True, slots=True)
class Written:
    """One condition, as it stands in the address of the page."""

    path: str
    operator: str
    value: str


def wire_condition(call: Call, entity_type: EntityType, written: Written) -> dict[str, Any]:
    """The condition as a request holds it; SiteFault where the value cannot be what the field compares with."""
    path = resolve(call.schema, entity_type.name, written.path)
    if path is None:
        raise SiteFault(unknown_field(entity_type, written.path))
    values = _values(path.field.data_type, written.operator, written.value.strip())
    return {"path": written.path, "relation": written.operator, "values": values}


def operators_of(call: Call, entity_type: EntityType, path: str) -> tuple[str, ...]:
    """The operators that suit a field; all of them for a field that is not known yet."""
    found = resolve(call.schema, entity_type.name, path) if path else None
    return (found and data_type(found.field.data_type).operators) or OPERATORS


def unknown_field(entity_type: EntityType, path: str) -> str:
    """That a type has no such field, and which one may be meant."""
    names = list(entity_type.fields)
    # What people call `status` is `sg_status_list`.
    prefixed = [name for name in names if name.startswith(f"sg_{path}")]
    close = prefixed[:1] or difflib.get_close_matches(path[:100], names, 1, 0.6)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"{entity_type.name} has no field {path!r}.{hint}"


def said(fault: SiteFault) -> str:
    """The words of a refusal, without the method's name and the request that they quote."""
    words = fault.message.split("\n", 1)[0]
    return re.sub(r"^API \w+\(\) ", "", words).rstrip(":")


def _values(kind: str, operator: str, text: str) -> list[Any]:
    if operator in _SPANS:
        span = _SPAN.match(text)
        if span is None:
            raise SiteFault(f"{operator!r} takes a number and a unit, such as 3 DAY; {text!r} is neither.")
        return [int(span[1]), span[2].upper()]
    if operator in _SEVERAL:
        return [_value(kind, operator, part.strip()) for part in text.split(",")]
    if operator.startswith("in_calendar_"):
        return [_value("number", operator, text or "0")]
    return [_value(kind, operator, text)]


def _value(kind: str, operator: str, text: str) -> Any:
    if kind in _LINKS and operator in _LINKED and text:
        return _row(text)
    if not text:
        return "" if operator not in ("is", "is_not", "in", "not_in", "type_is", "type_is_not") else None
    if kind == "checkbox":
        return _FLAGS.get(text.lower(), text)
    if (kind in _WHOLE or operator == "name_id") and _INTEGER.match(text):
        return int(text)
    if kind in _BROKEN and _DECIMAL.match(text):
        return float(text)
    return text


def _row(text: str) -> dict[str, Any]:
    try:
        found = parse_reference(text)
    except SyntaxProblem:
        found = None
    if found is None or isinstance(found, PageReference):
        raise SiteFault(f"{text!r} names no row: write Type:id, such as Shot:860, or paste its address.")
    return {"type": found["type"], "id": found["id"]}
