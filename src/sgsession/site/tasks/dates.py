"""A Task's start, due date and duration: one triple over working days (wire.md 6.7).

Whichever is written, the others follow, in the order a real site takes them: milestone, duration, start, due.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from .splits import Segment, resized, segments, shifted, spelled
from .working_days import WorkCalendar

DATE_FIELDS = ("splits", "milestone", "duration", "start_date", "due_date")


class MilestoneConflict(ValueError):
    """A milestone was given a start and another due date."""


@dataclass(frozen=True, slots=True)
class TaskDates:
    """When a Task is worked on; each part may be missing."""

    start: date | None = None
    due: date | None = None
    minutes: int | None = None
    milestone: bool = False
    splits: tuple[Segment, ...] = ()

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> TaskDates:
        """The dates in the columns of a Task."""
        return cls(
            _day(columns["start_date"]),
            _day(columns["due_date"]),
            columns["duration"],
            bool(columns["milestone"]),
            segments(columns["splits"]),
        )

    def columns(self, calendar: WorkCalendar) -> dict[str, Any]:
        """The columns of a Task with these dates."""
        lengths = [calendar.minutes(each.start, each.end) for each in self.splits]
        return {
            "start_date": self.start and self.start.isoformat(),
            "due_date": self.due and self.due.isoformat(),
            "duration": self.minutes,
            "splits": json.dumps(spelled(self.splits)) if self.splits else None,
            "split_durations": json.dumps(lengths) if lengths else None,
        }

    def starting(self, start: date | None, calendar: WorkCalendar) -> TaskDates:
        """Started then: the duration stays and the due date moves."""
        if self.splits:
            # A split task is in its segments, so none of the three can be cleared beside them.
            return (
                self
                if start is None
                else self._split(shifted(self.splits, start - self.splits[0].start), calendar)
            )
        if start is not None and self.milestone:
            return replace(self, start=start, due=start)
        moved = replace(self, start=start)
        if start is None:
            return moved
        if self.minutes is not None:
            return replace(moved, due=calendar.end_of(start, self.minutes))
        return moved._measured(calendar)

    def ending(self, due: date | None, calendar: WorkCalendar) -> TaskDates:
        """Due then: the duration follows from it, or the start where none is set."""
        if self.splits:
            return (
                self
                if due is None
                else self._split(shifted(self.splits, due - self.splits[-1].end), calendar)
            )
        if due is not None and self.milestone:
            return replace(self, start=due, due=due)
        moved = replace(self, due=due)
        if due is not None and self.start is None and self.minutes is not None:
            return replace(moved, start=calendar.start_of(due, self.minutes))
        return moved._measured(calendar)

    def lasting(self, minutes: int | None, calendar: WorkCalendar) -> TaskDates:
        """Taking so long: the due date follows, or the start where only the due date is set."""
        if self.milestone:
            return self
        if self.splits:
            return self if minutes is None else self._split(resized(self.splits, minutes, calendar), calendar)
        measured = replace(self, minutes=minutes)
        if minutes is None:
            return measured
        if self.start is not None:
            return replace(measured, due=calendar.end_of(self.start, minutes))
        if self.due is not None:
            return replace(measured, start=calendar.start_of(self.due, minutes))
        return measured

    def moved(self, start: date, calendar: WorkCalendar) -> TaskDates:
        """The same work, begun on another day."""
        if self.start is None and self.minutes is None:
            return replace(self, due=start)
        return self.starting(start, calendar)

    def as_milestone(self, milestone: bool, calendar: WorkCalendar) -> TaskDates:
        """A milestone is one day without a duration; what no longer is one lasts that day."""
        if not milestone:
            return replace(self, milestone=False)._measured(calendar) if self.milestone else self
        day = self.due or self.start
        return TaskDates(start=day, due=day, minutes=0, milestone=True)

    def split_into(self, splits: tuple[Segment, ...], calendar: WorkCalendar) -> TaskDates:
        """Worked on in these segments, or in one piece where there are none."""
        return self._split(splits, calendar) if splits else replace(self, splits=())

    def _split(self, splits: tuple[Segment, ...], calendar: WorkCalendar) -> TaskDates:
        minutes = sum(calendar.minutes(each.start, each.end) for each in splits)
        return TaskDates(splits[0].start, splits[-1].end, minutes, self.milestone, splits)

    def _measured(self, calendar: WorkCalendar) -> TaskDates:
        if self.start is None or self.due is None:
            return self
        return replace(self, minutes=calendar.minutes(self.start, self.due))


def written_dates(
    before: TaskDates, columns: Mapping[str, Any], written: Collection[str], calendar: WorkCalendar
) -> TaskDates:
    """The dates once the written fields are taken in; `columns` hold the values they were written with."""
    given = TaskDates.of(columns)
    dates = before
    if "splits" in written:
        dates = dates.split_into(given.splits, calendar)
        if given.splits:
            # The segments say all there is: dates given beside them are ignored.
            return replace(dates, milestone=given.milestone)
    if "milestone" in written:
        dates = dates.as_milestone(given.milestone, calendar)
    both = {"start_date", "due_date"} <= set(written)
    if dates.milestone and both and given.start and given.due and given.start != given.due:
        raise MilestoneConflict
    if "duration" in written:
        dates = dates.lasting(given.minutes, calendar)
    if "start_date" in written:
        dates = dates.starting(given.start, calendar)
    if "due_date" in written:
        dates = dates.ending(given.due, calendar)
    return dates


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
