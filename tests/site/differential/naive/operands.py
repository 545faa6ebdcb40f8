"""Which operators a data type has (wire.md 4.1), and what their operands may be (3.1, 4.2)."""

from __future__ import annotations

import re
from typing import Any

from .model import INTEGERS, LISTS, NUMBERS, UNFILTERABLE
from .moments import UNITS
from .refusals import Refused

_EQUALITY = ["is", "is_not"]
_LISTING = ["in", "not_in"]
_TEXT = ["contains", "not_contains", "starts_with", "ends_with"]
_ORDER = ["greater_than", "less_than", "between"]
_SPANS = ["in_last", "in_next", "not_in_last", "not_in_next"]
_CALENDAR = ["in_calendar_day", "in_calendar_week", "in_calendar_month", "in_calendar_year"]
_LINKS = ["type_is", "type_is_not", "name_contains", "name_not_contains", "name_is"]

OPERATORS: dict[str, list[str]] = {
    "text": _EQUALITY + _LISTING + _TEXT,
    **dict.fromkeys(sorted(NUMBERS | {"footage"}), _EQUALITY + _LISTING + _ORDER),
    "checkbox": _EQUALITY,
    **dict.fromkeys(["date", "date_time"], _EQUALITY + _LISTING + _ORDER + _SPANS + _CALENDAR),
    **dict.fromkeys(["list", "status_list", "color", "entity_type", "uuid"], _EQUALITY + _LISTING),
    **dict.fromkeys(["entity", *sorted(LISTS)], _EQUALITY + _LISTING + _LINKS),
    "image": _EQUALITY,
}


def check(asked: str, field: str, data_type: str, relation: str, values: Any) -> None:
    """Refuse a condition on `field` ("Shot.code"), in a question about rows of `asked`, that cannot be asked."""
    if data_type in UNFILTERABLE:
        raise Refused(f"{field}'s '{data_type}' data type cannot be used in a filter")
    if relation not in OPERATORS[data_type]:
        raise Refused(f"{field}'s '{data_type}' data type doesn't support '{relation}' 'relation'")
    if relation in _LISTING:
        if not isinstance(values, list):
            values = [values]
        if not values:
            raise Refused(f"'{relation}' 'relation' expects at least a 1-element array")
    else:
        wanted = 2 if relation == "between" or relation in _SPANS else 1
        if not isinstance(values, list) or len(values) != wanted:
            raise Refused(f"'{relation}' 'relation' expects a {wanted}-element array")
    if relation in _SPANS:
        _check_span(*values)
    elif relation in _CALENDAR or relation in _LINKS:
        if values[0] is None and not relation.startswith("type_"):
            raise Refused("data type(s) but got NilClass: nil")
    else:
        for value in values:
            _check_operand(asked, data_type, relation, value)


def _check_span(count: Any, unit: Any) -> None:
    if not isinstance(count, int) or count < 1:
        raise Refused("expects at a positive Integer time unit")
    if unit not in UNITS:
        raise Refused(f"doesn't support the '{unit}' time unit")


def _check_operand(asked: str, data_type: str, relation: str, value: Any) -> None:
    if data_type == "text" and relation in _LISTING and value is None:
        raise Refused(f"Read failed for entity type [{asked}]")
    if data_type == "checkbox" and value is None:
        raise Refused("expected [String, FalseClass, TrueClass] data type(s) but got NilClass: nil")
    if data_type == "image" and value is not None:
        raise Refused("expects a nil value for 'image' data type")
    if data_type == "uuid":
        _check_uuid(value)
    if value is None:
        return
    if data_type in INTEGERS and isinstance(value, float):
        raise Refused(f"data type(s) but got Float: {value}")
    if data_type == "number" and isinstance(value, bool):
        raise Refused(f"data type(s) but got {'TrueClass' if value else 'FalseClass'}")
    if data_type == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Refused(f"Invalid date format: {value}")
    if data_type == "entity" or data_type in LISTS:
        _check_link(value)


def _check_uuid(value: Any) -> None:
    if value is None:
        raise Refused("")  # "`is null` error": which words is not recorded
    if value and not re.fullmatch(r"[0-9a-f]{32}", value.replace("-", "").lower()):
        raise Refused("invalid input syntax for type uuid")


def _check_link(value: Any) -> None:
    if isinstance(value, int):
        raise Refused(f"data type(s) but got Integer: {value}")
    if not isinstance(value.get("type"), str):
        raise Refused("invalid/missing entity hash string 'type'")
    if not isinstance(value.get("id"), int):
        raise Refused("invalid/missing entity hash integer 'id'")
