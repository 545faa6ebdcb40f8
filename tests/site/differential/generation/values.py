"""Random values of each data type, out of small pools, so that they meet each other and the borders."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from ..naive.model import Field
from ..naive.moments import UNITS, shifted

# Case variants, letters whose case changes their length, wildcards, and what sorts oddly.
TEXTS = [
    "a", "A", "ab", "AB", "aB", "b", "B", "ba", "z", "Z", "%", "_", "a%", "a_b", "100%", "\\", "a\\%", "'", '"',
    "ß", "SS", "ss", "straße", "STRASSE", "İ", "i̇", "I", "\u0131", "i", "é", "e\u0301", "É", "Σ", "ς", "\u03c3",
    "ﬁ", "fi", "ǅ", "ÿ", "Ÿ", "日本", "\U0001f600", "\uffff", "a b", "a\nb", "0", "10", "9", "null", "[a]", "^a$",
    "a.b", "\u212a", "k",
]  # fmt: skip
INTEGERS = [None, None, 0, 1, -1, 2, 7, 9, 10, 11, -10, 99, 100, -101, 1001, 99_999, 2**31 - 1, -(2**31)]
DECIMALS = [
    None, None, 0.0, 1.0, -1.0, 0.1, 0.2, 0.3, 1.5, 1.500001, 1.499999, -2.25, 13.3, 1e6, 1e-6, 123456.789,
]  # fmt: skip
PRICES = [None, None, 0.0, 0.5, 1.0, -1.25, 9.99, 10.0, 1000.0, 1e6]
LENGTHS = [None, "0-00", "1-00", "1-15", "2-08", "10-00", "9-15"]
COLORS = [None, "29,215,46", "45,45,45", "1,2,3", "255,255,255"]
# Noon in the week, month's end of a leap year, the last second of a year, a Sunday's first second, a Saturday's last.
CLOCKS = [
    datetime(2024, 5, 15, 12),
    datetime(2024, 2, 29, 9, 30),
    datetime(2023, 12, 31, 23, 59, 59),
    datetime(2024, 3, 31),
    datetime(2024, 6, 29, 23, 59, 59),
    datetime(2025, 1, 1),
]
_DAYS = [
    0, 0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, 13,
    28, 29, 30, 31, -28, -30, -31, 90, 365, 366, -365, -366, 800, -2000,
]  # fmt: skip
_SECONDS = [0, 1, -1, 3600, -3600, 3601, 43_200, 86_399, -43_201]


def day(chance: random.Random, now: datetime) -> str:
    """A day on or near a border around now; some are before 1970 (trap 42)."""
    if chance.random() < 0.05:
        return date(1968, 10, 13).isoformat()
    if chance.random() < 0.4:
        return (_end_of_span(chance, now) + timedelta(days=chance.choice([-1, 0, 0, 1]))).date().isoformat()
    return (now.date() + timedelta(days=chance.choice(_DAYS))).isoformat()


def moment(chance: random.Random, now: datetime) -> str:
    """A second on or near a border around now."""
    if chance.random() < 0.4:
        return f"{(_end_of_span(chance, now) + timedelta(seconds=chance.choice([-1, 0, 0, 1]))).isoformat()}Z"
    start = now if chance.random() < 0.5 else now.replace(hour=0, minute=0, second=0)
    found = start + timedelta(days=chance.choice(_DAYS), seconds=chance.choice(_SECONDS))
    return f"{found.isoformat()}Z"


def _end_of_span(chance: random.Random, now: datetime) -> datetime:
    """Where a span of `in_last` or `in_next` may end, or begin."""
    return shifted(now, chance.choice([0, 1, 1, 2, 3]) * chance.choice([1, -1]), chance.choice(UNITS))


def text(chance: random.Random) -> str:
    return chance.choice(TEXTS) + (chance.choice(TEXTS) if chance.random() < 0.2 else "")


def scalar(chance: random.Random, field: Field, now: datetime) -> Any:
    """A stored value of a field that holds no links, or None."""
    kind = field.data_type
    if kind == "checkbox":
        return chance.random() < 0.5
    if kind == "uuid":
        return str(_uuid(chance))
    if chance.random() < 0.2:
        return None
    if kind == "text":
        return text(chance)
    if kind == "duration":
        # Sums of them are fields, too (wire.md 6.7), and have 32 bits as well.
        return chance.choice(INTEGERS[:-2])
    if kind in ("number", "percent", "timecode"):
        return chance.choice(INTEGERS)
    if kind == "float":
        return chance.choice(DECIMALS)
    if kind == "currency":
        return chance.choice(PRICES)
    if kind == "footage":
        return chance.choice(LENGTHS)
    if kind == "date":
        return day(chance, now)
    if kind == "date_time":
        return moment(chance, now)
    if kind in ("list", "status_list"):
        return chance.choice(field.values)
    if kind == "color":
        return chance.choice(COLORS)
    if kind == "entity_type":
        return chance.choice(["Shot", "Asset", "Task"])
    return None  # image, url and what is computed


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
