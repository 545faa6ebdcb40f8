"""The segments of a Task that is worked on with breaks: `splits` (wire.md 6.7)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from ..data_types.refusals import Given
from ..schema.schema_map import Field
from .working_days import WorkCalendar


class Segment(NamedTuple):
    """A run of days without a break, both ends included."""

    start: date
    end: date


def segments(text: str | None) -> tuple[Segment, ...]:
    """The stored segments."""
    found = json.loads(text) if text else []
    return tuple(Segment(*(date.fromisoformat(each[key]) for key in Segment._fields)) for each in found)


def spelled(splits: Iterable[Segment]) -> list[dict[str, str]]:
    """The segments as they travel and are stored."""
    return [{"start": each.start.isoformat(), "end": each.end.isoformat()} for each in splits]


def check_splits(field: Field, value: Any, method: str) -> None:
    """Refuse what is not a list of segments from old to new, with days between them."""
    given = Given.to_write(field, value, method)
    if not value:
        return
    last: Segment | None = None
    for number, each in enumerate(value if isinstance(value, list) else [None], start=1):
        segment = _segment(each)
        if segment is None or segment.end < segment.start:
            words = f'(task.rb) Split segment {number} is no {{"start": date, "end": date}} from old to new.'
            raise given.failed(words)
        if last is not None and segment.start - last.end <= timedelta(days=1):
            # The two blanks are the site's own (wire.md 1.5).
            near = "is only one calendar day away from " if segment.start > last.end else "is not after"
            raise given.failed(
                f"(task.rb) The start date in split segment {number} {near} the end date of the previous "
                "segment. There must be calendar days between split segments."
            )
        last = segment


def shifted(splits: tuple[Segment, ...], distance: timedelta) -> tuple[Segment, ...]:
    """All segments, so much later; where the calendar ends they stay where they are."""
    try:
        return tuple(Segment(each.start + distance, each.end + distance) for each in splits)
    except OverflowError:
        return splits


def resized(splits: tuple[Segment, ...], minutes: int, calendar: WorkCalendar) -> tuple[Segment, ...]:
    """Segments for so much work: the last one grows or shrinks, and what is left without work goes."""
    kept: list[Segment] = []
    for each in splits:
        own = calendar.minutes(each.start, each.end)
        if kept and minutes <= 0:
            return tuple(kept)
        kept.append(each if own < minutes else Segment(each.start, calendar.end_of(each.start, minutes)))
        minutes -= own
    if minutes > 0:
        last = kept[-1]
        own = calendar.minutes(last.start, last.end)
        kept[-1] = Segment(last.start, calendar.end_of(last.start, own + minutes))
    return tuple(kept)


def _segment(value: Any) -> Segment | None:
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in Segment._fields):
        return None
    try:
        segment = Segment(*(date.fromisoformat(value[key]) for key in Segment._fields))
    except ValueError:
        return None
    # Python 3.11 reads more forms of a date than the one that travels.
    return segment if spelled([segment])[0].items() <= value.items() else None
