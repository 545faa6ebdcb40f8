"""How the rows of a summary are put into groups (wire.md 9.5)."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from ..schema.schema_map import Field

_QUANTITIES = frozenset({"number", "percent", "duration", "timecode", "float", "currency", "footage"})
_MOMENTS = frozenset({"date", "date_time"})
_WORDS = frozenset({"text", "list", "status_list", "entity_type", "color", "uuid", "system_task_type"})
_SIZES = {
    "tens": 10,
    "hundreds": 100,
    "thousands": 1_000,
    "tensofthousands": 10_000,
    "hundredsofthousands": 100_000,
    "millions": 1_000_000,
}


class Group(NamedTuple):
    """What one group is called, and its place among its neighbours."""

    order: tuple[Any, ...]
    name: str
    value: Any


NO_VALUE = Group((), "", None)


def is_groupable(field: Field) -> bool:
    """Whether rows can be grouped by the field at all."""
    return field.data_type in _QUANTITIES | _MOMENTS | _WORDS | {"entity", "checkbox"}


def grouping(name: str, field: Field, now: datetime) -> Callable[[Any], Group] | None:
    """What puts a wire value of the field into its group, or None where the grouping makes no sense."""
    if name == "exact":
        if field.data_type == "checkbox":
            return _checkbox
        return _entity if field.data_type == "entity" else _exact
    if name in _SIZES and field.data_type in _QUANTITIES - {"footage"}:
        return lambda value: _by_size(value, _SIZES[name])
    if name in _PERIODS and field.data_type in _MOMENTS:
        return lambda value: _PERIODS[name](date.fromisoformat(value[:10]))
    if name == "clustered_date" and field.data_type in _MOMENTS:
        return lambda value: _cluster(date.fromisoformat(value[:10]), now.date())
    if name == "entitytype" and field.data_type == "entity":
        return lambda value: Group((value["type"],), value["type"], value["type"])
    if name == "firstletter" and field.data_type in _WORDS | {"entity"}:
        return _first_letter
    return None


def _exact(value: Any) -> Group:
    text = value.casefold() if isinstance(value, str) else value
    return Group((text, str(value)), str(value), value)


def _checkbox(value: bool) -> Group:
    return Group((value,), "[X]" if value else "[ ]", value)


def _entity(value: Mapping[str, Any]) -> Group:
    name = value["name"] or ""
    return Group((name.casefold(), value["type"], value["id"]), name, {**value, "valid": "valid"})


def _by_size(value: float, size: int) -> Group:
    low = int(value // size) * size
    return Group((low,), f"{low}-{low + size - 1}", low)


def _first_letter(value: Any) -> Group:
    text = value["name"] or "" if isinstance(value, Mapping) else value
    letter = text[:1].upper()
    return Group((letter,), letter, letter) if letter else NO_VALUE


def _day(day: date) -> Group:
    return Group((day,), day.isoformat(), day.isoformat())


def _five_days(day: date) -> Group:
    first = date.fromordinal(max(1, day.toordinal() - day.toordinal() % 5))
    return _day(first)


def _sunday(day: date) -> date:
    # Weeks begin on Sunday, here as in filters.
    return date.fromordinal(max(1, day.toordinal() - day.isoweekday() % 7))


def _week(day: date) -> Group:
    return _day(_sunday(day))


def _month(day: date) -> Group:
    first = day.replace(day=1)
    return Group((first,), f"{calendar.month_name[day.month]} {day.year}", first.isoformat())


def _quarter(day: date) -> Group:
    quarter = (day.month - 1) // 3
    first = date(day.year, quarter * 3 + 1, 1)
    return Group((first,), f"Q{quarter + 1} {day.year}", first.isoformat())


def _year(day: date) -> Group:
    first = date(day.year, 1, 1)
    return Group((first,), str(day.year), first.isoformat())


_PERIODS: Mapping[str, Callable[[date], Group]] = {
    "day": _day,
    "oneday": _day,
    "fivedays": _five_days,
    "week": _week,
    "month": _month,
    "quarter": _quarter,
    "year": _year,
}


def _cluster(day: date, today: date) -> Group:
    """How far the day is from today, ever more roughly."""
    weeks = (_sunday(day) - _sunday(today)).days // 7
    months = (day.year - today.year) * 12 + day.month - today.month
    years = day.year - today.year
    near = {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}.get((day - today) // timedelta(days=1))
    side = (day > today) - (day < today)
    for fineness, (distance, word) in enumerate(((weeks, "Week"), (months, "Month"), (years, "Year")), 1):
        if near is not None:
            break
        if abs(distance) <= 1:
            near = f"{('Last', 'This', 'Next')[distance + 1]} {word}"
            # Of one size, the part before today comes before the part after it.
            return Group((side * fineness, distance, near), near, near)
    if near is not None:
        return Group((0, (day - today).days, near), near, near)
    name = "Later" if side > 0 else "Earlier"
    return Group((side * 4, 0, name), name, name)
