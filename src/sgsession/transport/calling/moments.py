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
_UNKNOWN: Any = object()


def reader_of_moments(to_local: bool) -> Callable[[str], Any]:
    """A function from a text of 20 characters to its datetime, or to the text itself where it is none.

    Args:
        to_local: give aware datetimes in the local zone, as the client does by default; naive ones in UTC
            otherwise.
    """
    # The client's zone asks the C library twice for each instant. It knows two offsets, and within most quarters
    # of an hour there is only one of them.
    offsets: dict[str, datetime.timedelta | None] = {}

    def moment(text: str) -> Any:
        # The form in which sites send instants. Some others pass for it: the client is asked.
        if not (
            text[10] == "T"
            and text[19] == "Z"
            and text[4] == text[7] == "-"
            and text[13] == text[16] == ":"
            and text[11:13] < "24"
        ):
            return _as_the_client(text, to_local)
        try:
            naive = datetime.datetime.fromisoformat(text[:19])
            if not to_local:
                return naive
            quarter = text[:13] + "abcd"[naive.minute // 15]
            offset = offsets.get(quarter, _UNKNOWN)
            if offset is _UNKNOWN:
                if len(offsets) > 10_000:
                    offsets.clear()
                offset = offsets[quarter] = _offset_of(
                    naive.replace(minute=naive.minute // 15 * 15, second=0)
                )
            if offset is None:
                return naive.replace(tzinfo=_UTC).astimezone(_LOCAL)
            return (naive + offset).replace(tzinfo=_LOCAL)
        except (ValueError, OverflowError):
            return _as_the_client(text, to_local)

    return moment


def _offset_of(start: datetime.datetime) -> datetime.timedelta | None:
    """What is added to instants of this quarter of an hour; None where the clocks change within it."""
    ends = (start, start.replace(minute=start.minute + 14, second=59))
    first, last = (end.replace(tzinfo=_UTC).astimezone(_LOCAL).replace(tzinfo=None) - end for end in ends)
    return first if first == last else None


def _as_the_client(text: str, to_local: bool) -> Any:
    """Small letters, digits that are not ASCII, days that do not exist, the calendar's ends: what the client does."""
    if not _PATTERN.match(text):
        return text
    try:
        naive = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - the zone is set below
    except ValueError:
        return text
    return naive.replace(tzinfo=_UTC).astimezone(_LOCAL) if to_local else naive
