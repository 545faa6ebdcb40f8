"""`summarize`: every kind of summary, every grouping, and how they are refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgsession.site.faults import SiteFault

from .specimens import Site, link, stored

PROJECT = link("Project", 1)
PRODUCTION: list[tuple[str, list[dict[str, Any]]]] = [
    ("Project", [{"id": 1, "name": "Demo"}, {"id": 2, "name": "Old", "archived": True}]),
    ("Shot", [{"id": 1, "code": "b", "project": PROJECT}, {"id": 2, "code": "A", "project": PROJECT},
              {"id": 3, "code": "gone", "project": link("Project", 2)}]),
    ("Asset", [{"id": 1, "code": "b", "project": PROJECT}]),
    ("Specimen", [
        {"id": 1, "number": 5, "float": 1.5, "date": "2024-05-15", "date_time": "2024-05-15T23:00:00Z",
         "checkbox": True, "status_list": "fin", "entity": link("Shot", 1), "text": "beta",
         "multi_entity": [link("Shot", 1)], "percent": 50},
        {"id": 2, "number": 15, "float": 2.5, "date": "2024-05-14", "checkbox": True, "status_list": "fin",
         "entity": link("Shot", 2), "text": "Alpha", "url": {"url": "https://a"}},
        {"id": 3, "number": -5, "date": "2023-12-31", "status_list": "wtg", "entity": link("Shot", 1),
         "text": "BETA"},
        {"id": 4, "number": 123_456, "date": "2030-01-01", "entity": link("Asset", 1)},
        {"id": 5, "entity": link("Shot", 3)},
    ]),
]  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with stored(*PRODUCTION) as site:
        site.retire("Shot", 3)
        yield site


def wanted(field: str, kind: str, **more: Any) -> list[dict[str, Any]]:
    return [{"field": field, "type": kind, **more}]


SUMMARIES = [
    ("id", "count", 5),
    ("id", "record_count", 5),
    ("number", "record_count", 5),
    ("number", "count", 4),
    ("text", "count", 3),
    ("entity", "count", 4),
    ("multi_entity", "count", 1),
    ("url", "count", 1),
    ("checkbox", "count", 5),
    ("number", "sum", 123_471),
    ("number", "maximum", 123_456),
    ("number", "minimum", -5),
    ("float", "average", 2.0),
    ("float", "sum", 4.0),
    ("date", "earliest", "2023-12-31"),
    ("date", "latest", "2030-01-01"),
    ("date", "maximum", "2030-01-01"),
    ("date_time", "minimum", "2024-05-15T23:00:00Z"),
    ("checkbox", "checked", 2),
    ("checkbox", "unchecked", 3),
    ("checkbox", "percentage", 40),
    ("percent", "percentage", 20),
    ("status_list", "status_list", "ip"),
    ("status_list", "status_percentage", 40),
    ("status_list", "status_percentage_as_float", 0.4),
    ("entity.Shot.code", "count", 3),
]


@pytest.mark.parametrize(("field", "kind", "expected"), SUMMARIES)
def test_a_summary_tells_about_all_rows(site: Site, field: str, kind: str, expected: Any) -> None:
    """Nulls do not count; links to retired rows are nulls."""
    results = site.summarize("Specimen", summaries=wanted(field, kind))
    assert results == {"summaries": {field: expected}, "groups": []}


@pytest.mark.parametrize(("field", "kind", "expected"), SUMMARIES)
def test_a_summary_of_no_rows_is_null(site: Site, field: str, kind: str, expected: Any) -> None:
    """But counts are 0."""
    results = site.summarize("Specimen", ("id", "is", 99), summaries=wanted(field, kind))
    assert results["summaries"] == {field: 0 if kind in ("count", "record_count") else None}


def test_one_status_in_common_is_the_status_of_all(site: Site) -> None:
    """Any mixture is `ip`; rows without a status do not disturb."""
    summary = wanted("status_list", "status_list")
    assert site.summarize("Specimen", ("id", "in", 1, 2, 4), summaries=summary)["summaries"] == {
        "status_list": "fin"
    }


def test_the_status_that_is_counted_can_be_chosen(site: Site) -> None:
    """`fin` unless a value is given."""
    summary = wanted("status_list", "status_percentage", value="WTG")
    assert site.summarize("Specimen", summaries=summary)["summaries"] == {"status_list": 20}


def test_of_two_summaries_on_one_field_the_later_wins(site: Site) -> None:
    """Results are keyed by field."""
    both = wanted("number", "sum") + wanted("id", "count") + wanted("number", "count")
    assert site.summarize("Specimen", summaries=both)["summaries"] == {"number": 4, "id": 5}


def groups(
    site: Site, field: str, kind: str, *nodes: Any, direction: str = "asc"
) -> list[tuple[str, Any, int]]:
    """(name, value, number of rows) of each group."""
    found = site.summarize("Specimen", *nodes, summaries=wanted("id", "count"),
                           grouping=wanted(field, kind, direction=direction))  # fmt: skip
    assert found["summaries"] == {"id": sum(group["summaries"]["id"] for group in found["groups"])}
    return [(each["group_name"], each["group_value"], each["summaries"]["id"]) for each in found["groups"]]


def linked(entity_type: str, row_id: int, name: str) -> dict[str, Any]:
    return {"type": entity_type, "id": row_id, "name": name, "valid": "valid"}


EMPTY = ("", None, 1)
GROUPINGS: list[tuple[str, str, list[tuple[str, Any, int]]]] = [
    ("text", "exact", [("", None, 2), ("Alpha", "Alpha", 1), ("BETA", "BETA", 1), ("beta", "beta", 1)]),
    ("text", "firstletter", [("", None, 2), ("A", "A", 1), ("B", "B", 2)]),
    ("status_list", "exact", [("", None, 2), ("fin", "fin", 2), ("wtg", "wtg", 1)]),
    ("checkbox", "exact", [("[ ]", False, 3), ("[X]", True, 2)]),
    ("entity", "exact", [EMPTY, ("A", linked("Shot", 2, "A"), 1), ("b", linked("Asset", 1, "b"), 1),
                         ("b", linked("Shot", 1, "b"), 2)]),
    ("entity", "entitytype", [EMPTY, ("Asset", "Asset", 1), ("Shot", "Shot", 3)]),
    ("entity", "firstletter", [EMPTY, ("A", "A", 1), ("B", "B", 3)]),
    ("entity.Shot.code", "exact", [("", None, 2), ("A", "A", 1), ("b", "b", 2)]),
    ("number", "exact", [EMPTY, ("-5", -5, 1), ("5", 5, 1), ("15", 15, 1), ("123456", 123_456, 1)]),
    ("number", "tens", [EMPTY, ("-10--1", -10, 1), ("0-9", 0, 1), ("10-19", 10, 1), ("123450-123459", 123_450, 1)]),
    ("number", "hundreds", [EMPTY, ("-100--1", -100, 1), ("0-99", 0, 2), ("123400-123499", 123_400, 1)]),
    ("number", "thousands", [EMPTY, ("-1000--1", -1000, 1), ("0-999", 0, 2), ("123000-123999", 123_000, 1)]),
    ("number", "tensofthousands",
     [EMPTY, ("-10000--1", -10_000, 1), ("0-9999", 0, 2), ("120000-129999", 120_000, 1)]),
    ("number", "hundredsofthousands",
     [EMPTY, ("-100000--1", -100_000, 1), ("0-99999", 0, 2), ("100000-199999", 100_000, 1)]),
    ("number", "millions", [EMPTY, ("-1000000--1", -1_000_000, 1), ("0-999999", 0, 3)]),
    ("float", "tens", [("", None, 3), ("0-9", 0, 2)]),
    ("date", "day", [EMPTY, ("2023-12-31", "2023-12-31", 1), ("2024-05-14", "2024-05-14", 1),
                     ("2024-05-15", "2024-05-15", 1), ("2030-01-01", "2030-01-01", 1)]),
    ("date_time", "oneday", [("", None, 4), ("2024-05-15", "2024-05-15", 1)]),
    ("date", "fivedays", [EMPTY, ("2023-12-31", "2023-12-31", 1), ("2024-05-14", "2024-05-14", 2),
                          ("2029-12-29", "2029-12-29", 1)]),
    ("date", "week", [EMPTY, ("2023-12-31", "2023-12-31", 1), ("2024-05-12", "2024-05-12", 2),
                      ("2029-12-30", "2029-12-30", 1)]),
    ("date", "month", [EMPTY, ("December 2023", "2023-12-01", 1), ("May 2024", "2024-05-01", 2),
                       ("January 2030", "2030-01-01", 1)]),
    ("date", "quarter", [EMPTY, ("Q4 2023", "2023-10-01", 1), ("Q2 2024", "2024-04-01", 2),
                         ("Q1 2030", "2030-01-01", 1)]),
    ("date", "year", [EMPTY, ("2023", "2023-01-01", 1), ("2024", "2024-01-01", 2), ("2030", "2030-01-01", 1)]),
    ("date", "clustered_date", [EMPTY, ("Last Year", "Last Year", 1), ("Yesterday", "Yesterday", 1),
                                ("Today", "Today", 1), ("Later", "Later", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("field", "kind", "expected"), GROUPINGS)
def test_rows_are_grouped(site: Site, field: str, kind: str, expected: list[tuple[str, Any, int]]) -> None:
    """Every kind of grouping, ascending, the empty group first; descending, it stays first."""
    assert groups(site, field, kind) == expected
    empty = [group for group in expected if group[1] is None]
    filled = [group for group in expected if group[1] is not None]
    assert groups(site, field, kind, direction="desc") == [*empty, *reversed(filled)]


def test_clusters_grow_with_their_distance_from_today() -> None:
    """Days, then weeks, months and years, in the order of time."""
    days = ["2010-01-01", "2023-06-01", "2024-01-01", "2024-04-01", "2024-05-01", "2024-05-06", "2024-05-12",
            "2024-05-14", "2024-05-15", "2024-05-16", "2024-05-18", "2024-05-19", "2024-05-31", "2024-06-30",
            "2024-12-31", "2025-12-31", "2026-01-01"]  # fmt: skip
    with stored(("Specimen", [{"id": n, "date": day} for n, day in enumerate(days, 1)])) as site:
        names = [name for name, _, _ in groups(site, "date", "clustered_date")]
    assert names[0] == "Earlier"
    assert names[-1] == "Later"
    assert set(names) == {
        "Earlier", "Last Year", "This Year", "Last Month", "This Month", "Last Week", "This Week", "Yesterday",
        "Today", "Tomorrow", "Next Week", "Next Month", "Next Year", "Later",
    }  # fmt: skip
    assert (
        names.index("Last Week") < names.index("Yesterday") < names.index("Today") < names.index("Next Week")
    )


def test_groups_nest_one_level_for_each_grouping(site: Site) -> None:
    """Each group holds groups of its own, and summaries at every level."""
    found = site.summarize(
        "Specimen",
        ("number", "is_not", None),
        summaries=wanted("number", "sum"),
        grouping=[
            {"field": "entity", "type": "entitytype"},
            {"field": "id", "type": "exact", "direction": "desc"},
        ],
    )
    assert found == {
        "summaries": {"number": 123_471},
        "groups": [
            {"group_name": "Asset", "group_value": "Asset", "summaries": {"number": 123_456}, "groups": [
                {"group_name": "4", "group_value": 4, "summaries": {"number": 123_456}}]},
            {"group_name": "Shot", "group_value": "Shot", "summaries": {"number": 15}, "groups": [
                {"group_name": "3", "group_value": 3, "summaries": {"number": -5}},
                {"group_name": "2", "group_value": 2, "summaries": {"number": 15}},
                {"group_name": "1", "group_value": 1, "summaries": {"number": 5}}]},
        ],
    }  # fmt: skip


def test_archived_projects_can_be_left_out_of_a_summary(site: Site) -> None:
    """Archived rows only, and the flag false: nothing is counted."""
    arguments = {"summaries": wanted("id", "count"), "include_archived_projects": False}
    assert site.summarize("Project", ("name", "is", "old"), **arguments)["summaries"] == {"id": 0}
    assert site.summarize("Project", ("name", "is", "demo"), **arguments)["summaries"] == {"id": 1}


REFUSED = [
    ({"summaries": None}, "invalid/missing array 'summaries'"),
    ({"summaries": ["id"]}, "invalid/missing string 'summaries' 'field'"),
    ({"summaries": wanted("bogus", "count")}, "Specimen.bogus doesn't exist"),
    ({"summaries": wanted("id", "bogus")}, "invalid/missing 'summaries' 'type' \"bogus\""),
    ({"summaries": [{"field": "id"}]}, "invalid/missing 'summaries' 'type' nil"),
    ({"summaries": wanted("text", "sum")}, "Summary type 'sum' is not allowed for field Specimen.text"),
    ({"summaries": wanted("summary", "count")}, "Summary type 'count' is not allowed for field Specimen.summary"),
    ({"summaries": wanted("multi_entity.Shot.code", "count")}, "Specimen.multi_entity.Shot.code doesn't exist"),
    ({"grouping": 5}, "invalid/missing array 'grouping'"),
    ({"grouping": wanted("id", "exact") * 21}, "invalid/missing array 'grouping'"),
    ({"grouping": [{}]}, "invalid/missing string 'grouping' 'field'"),
    ({"grouping": wanted("bogus", "exact")}, "Specimen.bogus doesn't exist"),
    ({"grouping": wanted("summary", "exact")}, "Grouping is not allowed for field Specimen.summary"),
    ({"grouping": wanted("image", "exact")}, "Grouping is not allowed for field Specimen.image"),
    ({"grouping": wanted("multi_entity", "exact")}, "Grouping is not allowed for field Specimen.multi_entity"),
    ({"grouping": wanted("text", "tens")}, "invalid/missing 'grouping' 'type' \"tens\""),
    ({"grouping": wanted("text", ["tens"])}, "invalid/missing 'grouping' 'type' [\"tens\"]"),
    ({"grouping": wanted("text", "exact", direction="up")}, "invalid/missing 'grouping' 'direction' \"up\""),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), REFUSED)
def test_a_malformed_summary_is_refused(site: Site, arguments: dict[str, Any], words: str) -> None:
    """With the prefix of this call."""
    with pytest.raises(SiteFault) as caught:
        site.summarize("Specimen", **{"summaries": wanted("id", "count"), **arguments})
    assert caught.value.message.startswith(f"API summarize() {words}")


def test_filters_of_a_summary_are_refused_under_its_name(site: Site) -> None:
    """`API summarize()`, not `API read()`."""
    with pytest.raises(SiteFault, match=r"^API summarize\(\) Specimen.bogus doesn't exist"):
        site.summarize("Specimen", ("bogus", "is", 1), summaries=wanted("id", "count"))
    with pytest.raises(SiteFault, match=r"^API summarize\(\) invalid/missing string entity 'type'"):
        site.summarize("Bogus", summaries=wanted("id", "count"))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([None, "a", "A", "b"]), st.one_of(st.none(), st.integers(-50, 50))))
)
def test_groups_agree_with_python(rows: list[tuple[str | None, int | None]]) -> None:
    """Sums, counts and extremes of any rows, in groups and as a whole."""
    specimens = [{"id": n, "text": text, "number": number} for n, (text, number) in enumerate(rows, 1)]
    expected: dict[str | None, list[int]] = defaultdict(list)
    for text, number in rows:
        expected[text] += [] if number is None else [number]
    for kind, measure in (("sum", sum), ("maximum", max), ("minimum", min), ("count", len)):
        with stored(("Specimen", specimens)) as site:
            found = site.summarize(
                "Specimen", summaries=wanted("number", kind), grouping=wanted("text", "exact")
            )
        told = {group["group_value"]: group["summaries"]["number"] for group in found["groups"]}
        empty = 0 if kind == "count" else None
        assert told == {text: measure(some) if some else empty for text, some in expected.items()}
