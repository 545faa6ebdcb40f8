"""What each operator says of a value: one function for each, from wire.md 4.2.

Each answers for one stored value and the operands. Only the operators that assert are here: a negation holds
where its assertion does not, nulls included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .model import INTEGERS, LISTS
from .moments import in_calendar, moment, shifted
from .production import Link, Production

NEGATIONS = {
    "is_not": "is",
    "not_in": "in",
    "not_contains": "contains",
    "not_in_last": "in_last",
    "not_in_next": "in_next",
    "type_is_not": "type_is",
    "name_not_contains": "name_contains",
}
LEGACY_COLORS = {
    "Blue": "2,149,216", "Orange": "253,141,3", "Pink": "254,125,179", "Red": "253,1,0", "Green": "29,215,46",
    "Purple": "183,0,188", "Grey": "129,129,129", "Black": "45,45,45",
}  # fmt: skip


def comparable(data_type: str, value: Any) -> Any:
    """A value or an operand in the form in which two of them are compared."""
    if value is None:
        return None
    if data_type in ("text", "list", "status_list"):
        return value.casefold() or None  # `is ""` is the same as `is null`
    if data_type in INTEGERS:
        return int(value)
    if data_type == "float":
        return round(float(value), 6)
    if data_type == "currency":
        return float(value)
    if data_type == "date_time":
        return moment(value)
    if data_type == "footage":
        feet, frames = value.split("-")
        return int(feet), int(frames)
    if data_type == "color":
        return LEGACY_COLORS.get(value, value)
    if data_type == "uuid":
        return value.replace("-", "").lower() or None
    if data_type == "entity":
        return value["type"], value["id"]
    return value  # checkbox, date, entity_type


def is_(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    if data_type in LISTS:
        links = {comparable("entity", link) for link in value}
        return not links if operands[0] is None else comparable("entity", operands[0]) in links
    if data_type == "image":
        return value is None
    return bool(comparable(data_type, value) == comparable(data_type, operands[0]))


def in_(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    if data_type in LISTS:
        given = [each for each in operands if each is not None]
        if any(is_(production, data_type, value, [each]) for each in given):
            return True
        return None in operands and not value
    if data_type == "text":
        operands = [each for each in operands if each != ""]  # `in [""]` matches nothing
    return any(is_(production, data_type, value, [each]) for each in operands)


def contains(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    return value is not None and operands[0].casefold() in value.casefold()


def starts_with(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    return value is not None and value.casefold().startswith(operands[0].casefold())


def ends_with(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    return value is not None and value.casefold().endswith(operands[0].casefold())


def greater_than(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    return value is not None and bool(comparable(data_type, value) > comparable(data_type, operands[0]))


def less_than(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    return value is not None and bool(comparable(data_type, value) < comparable(data_type, operands[0]))


def between(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    if value is None or None in operands:
        return False
    low, high = sorted(comparable(data_type, each) for each in operands)
    return bool(low <= comparable(data_type, value) <= high)


def in_last(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    count, unit = operands
    return _between_now_and(shifted(production.now, -count, unit), production, data_type, value)


def in_next(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    count, unit = operands
    return _between_now_and(shifted(production.now, count, unit), production, data_type, value)


def _between_now_and(end: Any, production: Production, data_type: str, value: Any) -> bool:
    if value is None:
        return False
    low, high = sorted((production.now, end))
    if data_type == "date":  # today included
        return bool(low.date() <= moment(value).date() <= high.date())
    return bool(low <= moment(value) <= high)


def calendar_operator(unit: str) -> Callable[[Production, str, Any, list[Any]], bool]:
    def in_calendar_unit(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
        if value is None:
            return False
        return in_calendar(moment(value).date(), unit, operands[0], production.now.date())

    return in_calendar_unit


def type_is(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    links = _links(data_type, value)
    return not links if operands[0] is None else any(link["type"] == operands[0] for link in links)


def name_is(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    wanted = operands[0].casefold()
    return any(production.name(link).casefold() == wanted for link in _links(data_type, value))


def name_contains(production: Production, data_type: str, value: Any, operands: list[Any]) -> bool:
    part = operands[0].casefold()
    return any(part in production.name(link).casefold() for link in _links(data_type, value))


def _links(data_type: str, value: Any) -> list[Link]:
    if data_type == "entity":
        return [] if value is None else [value]
    return list(value)


ASSERTIONS: dict[str, Callable[[Production, str, Any, list[Any]], bool]] = {
    "is": is_,
    "in": in_,
    "contains": contains,
    "starts_with": starts_with,
    "ends_with": ends_with,
    "greater_than": greater_than,
    "less_than": less_than,
    "between": between,
    "in_last": in_last,
    "in_next": in_next,
    "in_calendar_day": calendar_operator("day"),
    "in_calendar_week": calendar_operator("week"),
    "in_calendar_month": calendar_operator("month"),
    "in_calendar_year": calendar_operator("year"),
    "type_is": type_is,
    "name_is": name_is,
    "name_contains": name_contains,
}
