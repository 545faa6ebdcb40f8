"""The texts that are instants, read as the official client reads them, without what that costs it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import shotgun_api3

__all__ = ["reader_of_moments"]

_PATTERN = shotgun_api3.Shotgun._DATE_TIME_PATTERN
_UTC = shotgun_api3.sg_timezone.utc
_LOCAL = shotgun_api3.sg_timezone.local


def reader_of_moments(to_local: bool) -> Callable[[str], Any]:
    """A function from a text of 20 characters to its datetime, or to the text itself where it is none.

    Args:
        to_local: give aware datetimes in the local zone, as the client does by default; naive ones in UTC
            otherwise.
    """
    # The client's zone asks the C library twice for each instant. It knows two offsets, and changes between
    # them at quarters of an hour at the finest.
    offsets: dict[tuple[str, int], datetime.timedelta] = {}

    def moment(text: str) -> Any:
        # The client looks for the pattern and parses this one form of it; all else stays a text.
        if text[4] + text[7] + text[10] + text[13] + text[16] + text[19] != "--T::Z" or not _PATTERN.match(
            text
        ):
            return text
        year, month, day = int(text[0:4]), int(text[5:7]), int(text[8:10])
        try:
            naive = datetime.datetime(  # noqa: DTZ001 - the client's are naive until the zone is known
                year, month, day, int(text[11:13]), int(text[14:16]), int(text[17:19])
            )
        except ValueError:
            return text
        if not to_local:
            return naive
        quarter = (text[:13], naive.minute // 15)
        offset = offsets.get(quarter)
        try:
            if offset is None:
                start = naive.replace(minute=quarter[1] * 15, second=0)
                local = start.replace(tzinfo=_UTC).astimezone(_LOCAL)
                if len(offsets) > 10_000:
                    offsets.clear()
                offset = offsets[quarter] = local.replace(tzinfo=None) - start
            return (naive + offset).replace(tzinfo=_LOCAL)
        except (OverflowError, ValueError):
            # At the ends of the calendar: let the client's own way say what it says.
            return naive.replace(tzinfo=_UTC).astimezone(_LOCAL)

    return moment
