"""Moments: every form in which one comes, made comparable."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sgsession.syntax.instants import instant

from ..strategies import moment_forms

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize("form", moment_forms(90), ids=repr)
def test_every_form_is_the_same_moment(form: Any) -> None:
    """Aware, naive (UTC), text with and without a zone, seconds: all are one moment, aware and in UTC."""
    moment = instant(form)
    assert moment == datetime(2024, 1, 1, 1, 30, tzinfo=timezone.utc)
    assert moment is not None
    assert moment.tzinfo is timezone.utc


def test_a_date_is_its_midnight() -> None:
    """A date stands for the beginning of its day in UTC, as a date and as text."""
    assert instant(date(2024, 2, 3)) == instant("2024-02-03") == datetime(2024, 2, 3, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "value",
    [None, True, "", "yesterday", [], {}, float("nan"), float("inf"), 10**30, b"2024-01-01", "2024-13-01"],
)
def test_what_is_no_moment_is_none(value: Any) -> None:
    """Nonsense is no moment, and no error either: it comes out of rows."""
    assert instant(value) is None


@given(st.datetimes(timezones=st.none() | zones))
@example(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
@example(datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-1))))
def test_any_datetime_is_read_or_refused_quietly(value: datetime) -> None:
    """A datetime and its ISO text are the same moment; one outside the calendar in UTC is none."""
    moment = instant(value)
    assert moment is None or moment.tzinfo is timezone.utc
    assert instant(value.isoformat()) == moment


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_anything_else_gives_a_moment_or_nothing(value: Any) -> None:
    """No text and no number raises."""
    moment = instant(value)
    assert moment is None or moment.tzinfo is timezone.utc
