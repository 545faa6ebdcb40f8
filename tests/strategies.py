"""Random rows, links and texts, for the property tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

# Few types and ids, so that rows meet.
TYPES = ("Shot", "Asset", "Task", "Version")
LINK_FIELDS = ("entity", "sg_task")
LIST_FIELDS = ("assets", "links")
TEXT_FIELDS = ("code", "description", "sg_status_list")

_START = datetime(2024, 1, 1, tzinfo=timezone.utc)

raw_links = st.builds(lambda kind, id: {"type": kind, "id": id}, st.sampled_from(TYPES), st.integers(1, 4))
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4)
link_values = st.none() | raw_links
list_values = st.lists(raw_links, max_size=4)


def _fields(link: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return {
        **dict.fromkeys(TEXT_FIELDS, scalars),
        **dict.fromkeys(LINK_FIELDS, st.none() | link),
        **dict.fromkeys(LIST_FIELDS, st.lists(link, max_size=4)),
    }


def _row_of(link: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.fixed_dictionaries({}, optional=_fields(link))
    return st.builds(lambda key, values: {**key, **values}, raw_links, fields)


flat_rows = _row_of(raw_links)
"""Rows whose links are bare."""

rows = st.recursive(raw_links, _row_of, max_leaves=8).filter(lambda row: len(row) > 2)
"""Rows whose links may be rows themselves."""

dense_rows = st.builds(
    lambda key, values: {**key, **values}, raw_links, st.fixed_dictionaries(_fields(raw_links))
)
"""Rows that all have the same fields."""


def moment_forms(minutes: int) -> list[Any]:
    """One moment in every form in which clients give one: so many minutes after a fixed one."""
    moment = _START + timedelta(minutes=minutes)
    return [
        moment,
        moment.replace(tzinfo=None),
        moment.astimezone(timezone(timedelta(hours=9))),
        moment.isoformat(),
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        moment.timestamp(),
    ]


@st.composite
def aged_rows(draw: st.DrawFn, of: st.SearchStrategy[dict[str, Any]] = dense_rows) -> list[dict[str, Any]]:
    """Rows with distinct ages, each in any form."""
    found = draw(st.lists(of, min_size=1, max_size=6))
    ages = draw(st.permutations(range(len(found))))
    return [
        {**row, "updated_at": draw(st.sampled_from(moment_forms(age)))}
        for row, age in zip(found, ages, strict=True)
    ]


def _branches(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    choice = st.lists(inner, max_size=2).map("".join)
    return st.lists(choice, min_size=2, max_size=3).map(lambda choices: "{" + ",".join(choices) + "}")


_letters = st.text("abc.", min_size=1, max_size=2)

flat_braces = st.lists(_letters | _branches(_letters), max_size=4).map("".join)
"""Texts with brace groups that are not nested."""

nested_braces = st.lists(st.recursive(_letters, _branches, max_leaves=6), max_size=2).map("".join)
"""Texts with brace groups that may be nested."""


def _spoilt(forms: list[str]) -> st.SearchStrategy[str]:
    """Texts that are nearly right: pieces of right ones, in any order."""
    return st.lists(st.sampled_from(forms) | st.text(max_size=3), max_size=6).map("".join)


reference_texts = st.text(max_size=30) | _spoilt(
    [
        "Shot", "shot", "7", "2147483648", "0", ":", "_", "-", " ", "?", "code=A", "&", "{", "}", '"type"',
        '"id"', ": ", ", ", "null", "true", "1e3", "https://", "x.example", "/detail/", "/page/", "#", "[",
        "%", "updated_at=", "0001-01-01T00:00:00+01:00", "\u0667", "9" * 5000,
        '{"type": "Shot", "id": 7, ', '"updated_at": "0001-01-01T00:00:00+01:00"}',
        '{"type": "", "id": 7}', '{"type": "Shot", "id": 7, "updated_at": NaN}',
    ]
)  # fmt: skip
"""What people might paste: nearly references."""

filter_texts = st.text(max_size=30) | _spoilt(
    [
        "code", "id", "=", "!=", "~=", ">", " ", "in", "is", "between", ",", "5", "1.5", "null", "Shot:7",
        "Shot:99999999999", '"', "'", "[", "]", "{", "}", '["code", "is", "x"]', "due_date", "in_last",
        "3,DAY", '{"filter_operator": "any", "filters": []}', "[" * 3000, "9" * 5000,
    ]
)  # fmt: skip
"""What people might type: nearly filters."""
