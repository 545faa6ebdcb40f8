"""The calendar that Task dates are counted on: which days are worked, and how far so many of them reach."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil

from ..call import Call
from .work_day_rules import WorkDay, exceptions, of_the_week

# wire.md 5.1: the site's preference defaults to eight hours.
HOURS_PER_DAY = 8.0
# Farther than a century of working days, each week is taken to have five: no schedule plans holidays so far off,
# and a duration of 32 bits would have the site step through ten thousand years, day by day.
_FAR = 26_000


class WorkCalendar:
    """The working days of one project or one person, of the whole studio if neither is named."""

    def __init__(self, call: Call, project: int | None = None, person: int | None = None) -> None:
        self._call = call
        self._project = project
        self._person = person
        self._said: dict[date, WorkDay] | None = None

    def works(self, day: date) -> bool:
        """Whether the day is worked."""
        if self._said is None:
            # All at once: a walk over a year must not ask the database for each of its days.
            self._said = exceptions(self._call, self._project, self._person)
        return _is_worked(day, self._said)

    def nearest(self, day: date, step: int = 1) -> date:
        """The day itself if it is worked, else the next one that is (the last one before it for step -1)."""
        return self._walk(day, 1, step)

    def shifted(self, day: date, days: int) -> date:
        """The working day so many working days later, or earlier for a negative number."""
        if days == 0:
            return day
        step = 1 if days > 0 else -1
        return self._walk(_next(day, step), abs(days), step)

    def end_of(self, start: date, minutes: int) -> date:
        """The day on which work of so many minutes ends that begins on `start`."""
        days = _days(minutes)
        return self._walk(start, days, 1) if days else start

    def start_of(self, due: date, minutes: int) -> date:
        """The day on which work of so many minutes begins that ends on `due`."""
        days = _days(minutes)
        return self._walk(due, days, -1) if days else due

    def minutes(self, start: date, due: date) -> int:
        """The working time from `start` to `due`, both included; none where `due` comes first."""
        weeks, rest = divmod((due - start).days + 1, 7)
        if weeks * 5 < _FAR:
            weeks, rest = 0, weeks * 7 + rest
        days = weeks * 5 + sum(self.works(due - timedelta(days=each)) for each in range(rest))
        return int(days * HOURS_PER_DAY * 60)

    def _walk(self, day: date, count: int, step: int) -> date:
        """The `count`-th working day from `day` on, which may be the first of them itself."""
        if count > _FAR:
            weeks, count = divmod(count - 1, 5)
            day, count = _next(day, step * weeks * 7), count + 1
        while True:
            if self.works(day):
                count -= 1
            following = _next(day, step)
            # The calendar ends somewhere, and a schedule may have no working day at all.
            if count <= 0 or following == day:
                return day
            day = following


def _is_worked(day: date, said: Mapping[date, WorkDay]) -> bool:
    return (said.get(day) or of_the_week(day)).working


def _days(minutes: int) -> int:
    return ceil(max(minutes, 0) / (HOURS_PER_DAY * 60))


def _next(day: date, days: int) -> date:
    """The day so many days on, held to the first and last day there is."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min
