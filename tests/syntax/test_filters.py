"""Filters: one-line texts, and what is refused before it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession.errors import SyntaxProblem
from sgsession.syntax.filter_text import OPERATORS, parse_filter
from sgsession.syntax.filters import check_filters, map_paths

from ..strategies import filter_texts

json_values = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("code=AA_010", ["code", "is", "AA_010"]),
        ("code = AA 010", ["code", "is", "AA 010"]),
        ("code!=x", ["code", "is_not", "x"]),
        ("id>5", ["id", "greater_than", 5]),
        ("id<-5", ["id", "less_than", -5]),
        ("sg_cut>1.5", ["sg_cut", "greater_than", 1.5]),
        ("code~=AA", ["code", "contains", "AA"]),
        ("code!~=AA", ["code", "not_contains", "AA"]),
        ("entity.Shot.code=A=B", ["entity.Shot.code", "is", "A=B"]),
        ("code=007", ["code", "is", "007"]),
        ('code="7"', ["code", "is", "7"]),
        ("code='null'", ["code", "is", "null"]),
        ("entity=null", ["entity", "is", None]),
        ("sg_flag=true", ["sg_flag", "is", True]),
        ("entity is Shot:860", ["entity", "is", {"type": "Shot", "id": 860}]),
        ("sg_status_list in ip,fin", ["sg_status_list", "in", ["ip", "fin"]]),
        ("id in 1, 2,3", ["id", "in", [1, 2, 3]]),
        ('code in ["a,b", "c"]', ["code", "in", ["a,b", "c"]]),
        ("due_date in_last 3,DAY", ["due_date", "in_last", [3, "DAY"]]),
        ("entity type_is Shot", ["entity", "type_is", "Shot"]),
        ("sg_flag=True", ["sg_flag", "is", True]),
        ("sg_flag is False", ["sg_flag", "is", False]),
        ('code="half', ["code", "is", '"half']),
        ("code={AA", ["code", "is", "{AA"]),
        ('["code", "is", "x"]', ["code", "is", "x"]),
        (
            '{"filter_operator": "any", "filters": [["id", "is", 1]]}',
            {"filter_operator": "any", "filters": [["id", "is", 1]]},
        ),
    ],
)
def test_a_line_of_text_is_a_condition(text: str, condition: Any) -> None:
    """Signs, words and JSON stand for what the client takes; values are read as what they look like."""
    assert parse_filter(text) == condition


@pytest.mark.parametrize("operator", sorted(OPERATORS))
def test_every_operator_may_be_written_as_a_word(operator: str) -> None:
    """`FIELD OPERATOR VALUE` takes each operator of the site."""
    found = parse_filter(f"some_field {operator} 3")
    assert found[:2] == ["some_field", operator]  # type: ignore[index]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "code",
        "code is",
        "code likes x",
        "=x",
        "[",
        "{}",
        "[1, 2, 3]",
        '["code", "is"]',
        '{"filters": []}',
        "[" * 5000,
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    """Anything else is a SyntaxProblem."""
    with pytest.raises(SyntaxProblem):
        parse_filter(text)


@given(filter_texts)
def test_any_text_is_a_good_filter_or_is_refused(text: str) -> None:
    """What comes out can be sent as filters; nothing but a ValueError is raised."""
    try:
        found = parse_filter(text)
    except ValueError:
        return
    check_filters([found])


@given(st.sampled_from(sorted(OPERATORS)), json_values)
def test_json_of_a_condition_is_read_back(operator: str, value: Any) -> None:
    """A condition written as JSON is that condition."""
    condition = ["code", operator, value]
    assert parse_filter(json.dumps(condition)) == condition


@pytest.mark.parametrize(
    "filters",
    [
        [],
        (),
        [["code", "is", "x"]],
        [("id", "in", 1, 2, 3)],
        (("id", "is", None),),
        [{"filter_operator": "any", "filters": [["id", "is", 1], {"filter_operator": "all", "filters": []}]}],
        {"logical_operator": "and", "conditions": []},
    ],
)
def test_the_client_s_filters_pass(filters: Any) -> None:
    """Lists and tuples of conditions and groups, and what is ready for the wire."""
    check_filters(filters)


def _nested(depth: int) -> list[Any]:
    filters: list[Any] = []
    for _ in range(depth):
        filters = [{"filter_operator": "all", "filters": filters}]
    return filters


@pytest.mark.parametrize(
    "filters",
    [
        None,
        "code is x",
        {"code": "x"},
        ["code", "is", "x"],
        [["code", "is"]],
        [["code"]],
        [[1, "is", "x"]],
        [["code", None, "x"]],
        [["id", "in", []]],
        [{"filters": []}],
        [{"filter_operator": "none", "filters": []}],
        [{"filter_operator": "any"}],
        [{"filter_operator": "any", "filters": [["code"]]}],
        [None],
        {"logical_operator": "all", "conditions": []},
        {"logical_operator": "and"},
        {"logical_operator": "and", "conditions": [{"path": "code", "values": ["x"]}]},
        _nested(200),
    ],
)
def test_filters_that_a_site_would_refuse_are_refused_before(filters: Any) -> None:
    """A forgotten bracket, operator or group key is a SyntaxProblem."""
    with pytest.raises(SyntaxProblem):
        check_filters(filters)


def test_paths_are_renamed_wherever_they_stand_and_nothing_else() -> None:
    """Renaming copies: conditions, groups and wire conditions, with values untouched."""
    filters = [["a", "is", "a"], {"filter_operator": "any", "filters": [["b", "in", 1, 2]]}]
    assert map_paths(filters, str.upper) == [
        ["A", "is", "a"],
        {"filter_operator": "any", "filters": [["B", "in", 1, 2]]},
    ]
    assert filters[0] == ["a", "is", "a"]
    wire = {"logical_operator": "and", "conditions": [{"path": "a", "relation": "is", "values": ["a"]}]}
    assert map_paths(wire, str.upper)["conditions"][0]["path"] == "A"
    assert wire["conditions"][0]["path"] == "a"  # type: ignore[index]


def test_a_doubled_sign_is_refused() -> None:
    """`code==x` is a habit, not a search for "=x"; quoted, it may be one."""
    for text in ("code==x", "code ==== x", "code!==x", "id>=5"):
        with pytest.raises(SyntaxProblem, match="write one ="):
            parse_filter(text)
    assert parse_filter('code="=x"') == ["code", "is", "=x"]
