"""Moments in the forms in which a client gives them, made comparable."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

__all__ = ["instant"]


def instant(value: Any) -> datetime | None:
    """The moment that `value` stands for, aware and in UTC, or None where it stands for none.

    Takes aware and naive datetimes (naive is UTC), dates (their midnight), seconds since 1970, and ISO
    text with or without a zone.
    """
    moment: datetime
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            moment = datetime.fromtimestamp(value, timezone.utc)
        except (OverflowError, OSError, ValueError):
            return None
    elif isinstance(value, str):
        text = value.strip().replace(" UTC", "+00:00")
        try:
            # Python 3.10 does not read the Z.
            moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
        except ValueError:
            return None
    else:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:  # at either end of the calendar, a zone may lead beyond it
        return None
