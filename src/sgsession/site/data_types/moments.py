"""Dates and instants: ISO text that sorts as time does, and the ranges counted from now."""

from __future__ import annotations

import calendar
import re
from abc import abstractmethod
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy.sql.elements import ColumnElement

from sgsession.site.database.portable import BYTEWISE_TEXT
from sgsession.site.faults import ruby

from .base import EQUALITY, MEMBERSHIP, ORDERING, Scalar, Source
from .refusals import Given

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field

_UNITS = ("HOUR", "DAY", "WEEK", "MONTH", "YEAR")
_SPANS = ("in_last", "in_next", "not_in_last", "not_in_next")
_BUCKETS = ("in_calendar_day", "in_calendar_week", "in_calendar_month", "in_calendar_year")
_EXPECTED = ("String", "NilClass")
# Columns hold UTC without naming it, so these moments name no zone either.
_FIRST = datetime(1, 1, 1)  # noqa: DTZ001
_LAST = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"\s*([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?"
    r"\s*(Z|z|UTC|[-+][0-9]{2}(?::?[0-9]{2})?)?)?\s*"
)


class _Moment(Scalar):
    """What dates and instants share: the operators, and how a span or a calendar bucket is counted."""

    sql_type = BYTEWISE_TEXT
    operators = (*EQUALITY, *MEMBERSHIP, *ORDERING, *_SPANS, *_BUCKETS)

    @abstractmethod
    def text(self, moment: datetime) -> str:
        """The moment as this type stores it."""

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        if operator in _SPANS:
            _check_span(operator, values, given)
            return values
        if operator in _BUCKETS:
            if isinstance(values[0], bool) or not isinstance(values[0], int):
                raise given.wrong_class(("Integer",), values[0])
            return values
        return super().operands(field, operator, values, given)

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        column = source.column(field.name)
        if operator in _SPANS:
            amount, unit = operands
            earlier, later = _moved(source.now, -amount, unit), _moved(source.now, amount, unit)
            ends = (earlier, source.now) if operator == "in_last" else (source.now, later)
            return column.between(self.text(ends[0]), self.text(ends[1]))
        if operator in _BUCKETS:
            first, last = _bucket(source.now, operator.removeprefix("in_calendar_").upper(), operands[0])
            return column.between(self.text(first), self.text(last))
        return super().matches(field, source, operator, operands)


class Date(_Moment):
    """A calendar day, `YYYY-MM-DD`."""

    name = "date"

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise given.wrong_class(_EXPECTED, value)
        try:
            if _DATE.fullmatch(value):
                return date.fromisoformat(value).isoformat()
        except ValueError:
            pass  # a well-formed day that no calendar has
        raise given.invalid(f"Invalid date format: {value}. Correct format is: 2011-01-21")

    def text(self, moment: datetime) -> str:
        return moment.date().isoformat()


class DateTime(_Moment):
    """An instant in UTC, to the second."""

    name = "date_time"

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise given.wrong_class(_EXPECTED, value)
        instant = _instant(value)
        if instant is None:
            raise given.invalid(
                f"Invalid date time format: {value}. Correct format is 2011-01-21T13:26:09Z (UTC), "
                "2011-01-21T13:26:09-07:00 (UTC Offset) or any ISO8601 compatible string."
            )
        return self.text(instant)

    def text(self, moment: datetime) -> str:
        return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _instant(text: str) -> datetime | None:
    """The instant in UTC; without an offset the text is UTC, a date alone is its midnight."""
    parts = _INSTANT.fullmatch(text)
    if parts is None:
        return None
    numbers = [int(part or 0) for part in parts.groups()[:6]]
    try:
        zone = _zone(parts[7])
        return datetime(*numbers[:6], tzinfo=zone).astimezone(timezone.utc)  # type: ignore[arg-type,misc]
    except (ValueError, OverflowError):
        return None


def _zone(offset: str | None) -> timezone:
    if offset is None or offset in ("Z", "z", "UTC"):
        return timezone.utc
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _check_span(operator: str, values: list[Any], given: Given) -> None:
    amount, unit = values
    if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
        words = f"'{operator}' 'relation' expects at a positive Integer time unit: {ruby(amount)}"
        raise given.invalid(words)
    if unit not in _UNITS:
        shown = unit if isinstance(unit, str) else ruby(unit)
        raise given.invalid(
            f"'{operator}' 'relation' doesn't support the '{shown}' time unit. "
            f"Valid time units: {ruby(list(_UNITS))}"
        )


def _moved(moment: datetime, amount: int, unit: str) -> datetime:
    """The moment so many units away, held to the first and last moment there is."""
    try:
        if unit == "HOUR":
            return moment + timedelta(hours=amount)
        if unit == "DAY":
            return moment + timedelta(days=amount)
        if unit == "WEEK":
            return moment + timedelta(weeks=amount)
        return _months_away(moment, amount * (12 if unit == "YEAR" else 1))
    except (OverflowError, ValueError):
        return _FIRST if amount < 0 else _LAST


def _months_away(moment: datetime, amount: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + amount, 12)
    # A month that has no such day ends on its last one: one month after 31 January is 28 February.
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def _bucket(now: datetime, unit: str, offset: int) -> tuple[datetime, datetime]:
    """The first and the last second of the UTC calendar day, week, month or year that is `offset` away."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "WEEK":
        # Weeks begin on Sunday, as the site's default preferences have it (wire.md 4.2 leaves it free).
        midnight -= timedelta(days=midnight.isoweekday() % 7)
    elif unit != "DAY":
        midnight = midnight.replace(day=1, month=1 if unit == "YEAR" else midnight.month)
    first = _moved(midnight, offset, unit)
    following = _moved(midnight, offset + 1, unit)
    return first, following if following in (_FIRST, _LAST) else following - timedelta(seconds=1)
