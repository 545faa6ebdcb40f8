"""Kept statements: requests of one shape share one, and whoever asks cannot tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgsession.site.faults import SiteFault

from .specimens import Site, link, stored
from .test_filters import LINKED

TEXTS = ["STRASSE", "straße", "100%_sure", "one", "", "nobody", " x "]
NUMBERS = [0, 7, -3, "7", 2**31, -(2**63), 2**70, 5]
VALUES: dict[str, list[Any]] = {
    "id": [1, 2, 3, 4, 5, "3", 2**40],
    "code": ["one", "two", "ONE", "four"],
    "text": TEXTS,
    "number": NUMBERS,
    "later": NUMBERS,
    "percent": [0, 20, 50],
    "float": [0, -2, 100, 1.5, 2**31],
    "currency": [2.5, 0],
    "duration": [120, 60],
    "date": ["2024-05-12", "2024-06-15", "", "1999-01-01"],
    "date_time": ["2024-05-12T11:59:59Z", "2024-06-15T12:00:00Z", "2024-06-15"],
    "list": ["beta", "Alpha", "ALPHA"],
    "status_list": ["ip", "wtg", "fin"],
    "checkbox": [True, False],
    "jsonb": [{"b": 2}, {"b": 1, "a": ["word"]}],
    "entity": [link("Shot", 1), link("Asset", 1), link("Shot", 9), link("Shot", 2**31 - 1), link("Nope", 1)],
    "multi_entity": [link("Asset", 1), link("Shot", 9)],
    "entity.Shot.code": ["sh_010", "sh_020"],
}
ORDERED = {"id", "number", "later", "percent", "float", "currency", "duration", "date", "date_time"}
CONDITIONS = [
    (path, relation)
    for path in VALUES
    for relation in ["is", "is_not", *(["greater_than", "less_than"] if path in ORDERED else [])]
]


@st.composite
def shapes(draw: st.DrawFn) -> tuple[str, list[dict[str, Any]]]:
    """A group of one to three conditions as several requests ask it: each with values of its own."""
    asked = draw(st.lists(st.sampled_from(CONDITIONS), max_size=3))
    groups = []
    for _ in range(draw(st.integers(2, 4))):
        nodes = [
            {"path": path, "relation": relation, "values": [draw(st.sampled_from([*VALUES[path], None]))]}
            for path, relation in asked
        ]
        groups.append({"logical_operator": "and", "conditions": nodes})
    return draw(st.sampled_from(["and", "or"])), groups


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with stored(*LINKED) as site:
        site.retire("Shot", 9)
        site.retire("Specimen", 3)
        yield site


@settings(max_examples=400)
@given(shapes(), st.sampled_from(["active", "retired"]), st.integers(1, 3), st.integers(1, 2))
def test_kept_statements_answer_as_those_built_anew(
    site: Site, asked: tuple[str, list[dict[str, Any]]], only: str, per_page: int, number: int
) -> None:
    """Whatever is compared with whatever: a request in one more pair of brackets has the same answer."""
    operator, groups = asked
    for group in groups:
        flat = {**group, "logical_operator": operator}
        # A group in a group is never kept.
        nested = {"logical_operator": "and", "conditions": [flat]}
        params = {"return_only": only, "paging": {"entities_per_page": per_page, "current_page": number}}
        kept = _answer(site, flat, params)
        assert kept == _answer(site, nested, params)


def test_other_values_share_the_statement(site: Site) -> None:
    """A value of the same kind builds nothing; null and numbers of another width are other shapes."""
    prepared = site.store.tables.prepared

    def built(value: Any) -> int:
        before = set(prepared)
        site.read("Specimen", {"logical_operator": "and", "conditions": [
            {"path": "number", "relation": "greater_than", "values": [value]},
            {"path": "entity", "relation": "is_not", "values": [link("Asset", 1)]},
        ]}, paging={"entities_per_page": 3, "current_page": 77})  # fmt: skip
        return len(set(prepared) - before)

    prepared.clear()
    assert [built(value) for value in (5, 6, "7", 2**40, 2**41, None)] == [1, 0, 0, 1, 0, 0]


def test_links_of_other_types_have_statements_of_their_own(site: Site) -> None:
    """The id of a link is a value; its type is not: shot 1 and asset 1 are different things."""
    assert [site.ids("Specimen", ("entity", "is", link(kind, 1))) for kind in ("Shot", "Asset", "Shot")] == [
        [2],
        [],
        [2],
    ]
    assert site.ids("Specimen", ("entity", "is", link("Asset", 1)), return_only="retired") == [3]


def test_few_statements_are_kept(site: Site) -> None:
    """Ever new shapes push out the old ones: a site does not grow with what it is asked."""
    prepared = site.store.tables.prepared
    relations = ["is", "is_not", "greater_than", "less_than"]
    for first in relations:
        for second in relations:
            for third in relations:
                for path in ("number", "later", "percent", "float", "duration"):
                    nodes = [
                        {"path": path, "relation": relation, "values": [1]}
                        for relation in (first, second, third)
                    ]
                    site.read("Specimen", {"logical_operator": "and", "conditions": nodes})
    assert len(prepared) <= 256


def _answer(site: Site, filters: dict[str, Any], params: dict[str, Any]) -> Any:
    """The ids and whether more come, or that it was refused: the words name the brackets."""
    try:
        found = site.read("Specimen", filters, return_paging_info_without_counts=True, **params)
    except SiteFault as fault:
        return fault.error_code
    return [row["id"] for row in found["entities"]], found["paging_info"]
