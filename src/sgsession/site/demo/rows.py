"""What the demos are written with: links, and the working days that tasks are planned on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

__all__ = ["MINUTES_A_DAY", "Rows", "days_from", "link"]

Rows = list[dict[str, Any]]

MINUTES_A_DAY = 8 * 60

_FIRST_MONDAY = date(2025, 9, 1)


def link(entity_type: str, id: int) -> dict[str, Any]:
    """A link as clients write it."""
    return {"type": entity_type, "id": id}


def days_from(first: int, days: int) -> dict[str, Any]:
    """Start, due and duration of a task of so many working days from the `first` one of the show on."""
    return {
        "start_date": _working_day(first),
        "due_date": _working_day(first + days - 1),
        "duration": days * MINUTES_A_DAY,
    }


def _working_day(number: int) -> str:
    weeks, weekday = divmod(number, 5)
    return (_FIRST_MONDAY + timedelta(weeks=weeks, days=weekday)).isoformat()
