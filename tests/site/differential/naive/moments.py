"""Days and moments: how they are read, and the spans and calendar periods around now (wire.md 4.2, 5.1)."""

from __future__ import annotations

import calendar
from datetime import date, datetime, timedelta, timezone

UNITS = ("HOUR", "DAY", "WEEK", "MONTH", "YEAR")


def moment(text: str) -> datetime:
    """An ISO moment of any offset in UTC; no zone means UTC, a date alone midnight, fractions are dropped."""
    read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if read.tzinfo is not None:
        read = read.astimezone(timezone.utc).replace(tzinfo=None)
    return read.replace(microsecond=0)


def shifted(start: datetime, count: int, unit: str) -> datetime:
    """`count` units later; a month or a year later is the same day, or the last one of its month."""
    if unit == "HOUR":
        return start + timedelta(hours=count)
    if unit == "DAY":
        return start + timedelta(days=count)
    if unit == "WEEK":
        return start + timedelta(weeks=count)
    months = start.year * 12 + start.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def week_start(day: date) -> date:
    """The Sunday on or before a day; that weeks begin on Sunday is a free choice."""
    return day - timedelta(days=(day.weekday() + 1) % 7)


def in_calendar(day: date, unit: str, offset: int, today: date) -> bool:
    """Whether a day is in the day, week, month or year that is `offset` after the current one."""
    if unit == "day":
        return day == today + timedelta(days=offset)
    if unit == "week":
        return week_start(day) == week_start(today) + timedelta(weeks=offset)
    if unit == "month":
        return day.year * 12 + day.month == today.year * 12 + today.month + offset
    return day.year == today.year + offset
