"""What people paste to name an entity."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sgsession import Entity, Session
from sgsession.errors import SyntaxProblem
from sgsession.syntax.references import PageReference, Reference, parse_reference

from ..strategies import reference_texts


@pytest.mark.parametrize(
    "text",
    [
        "Shot:7",
        "Shot_7",
        "Shot-7",
        "Shot 7",
        "shot:7",
        "  Shot:7\n",
        "Shot   7",
        '{"type": "Shot", "id": 7}',
        "https://studio.example.com/detail/Shot/7",
        "https://studio.example.com/detail/Shot/7/",
        "http://other.example:8080/detail/Shot/7?tab=tasks#x",
        "/detail/Shot/7",
        "https://studio.example.com/page/9#Shot_7_AA_001",
        "https://studio.example.com/page/9#Shot_7",
        "/page/9#Shot_7_x",
    ],
)
def test_every_form_names_the_same_shot(text: str) -> None:
    """Typed with any separator, in any case, as JSON, or as an address of any host."""
    assert parse_reference(text) == {"type": "Shot", "id": 7}


def test_fields_may_be_given_beside_it() -> None:
    """`?code=A` and further keys of JSON are fields; they never replace type and id."""
    assert parse_reference("Shot:7?code=A&sg_note=b%20c") == {
        "type": "Shot",
        "id": 7,
        "code": "A",
        "sg_note": "b c",
    }
    assert parse_reference("Shot:7?type=Asset&id=9") == {"type": "Shot", "id": 7}
    assert parse_reference('{"type": "Shot", "id": 7, "code": "A"}')["code"] == "A"  # type: ignore[index]


def test_a_bare_id_needs_exactly_one_type() -> None:
    """`7` is a Shot where only Shots are accepted, and refused where there is a choice or none."""
    assert parse_reference("7", ["Shot"]) == {"type": "Shot", "id": 7}
    for entity_types in (None, [], ["Shot", "Asset"]):
        with pytest.raises(SyntaxProblem, match="without a type"):
            parse_reference("7", entity_types)


def test_types_are_found_by_their_letters() -> None:
    """Where the types are known, `publishedfile:7` is a PublishedFile."""
    assert parse_reference("publishedfile:7", ["PublishedFile", "Shot"]) == {"type": "PublishedFile", "id": 7}


def test_another_type_than_the_accepted_is_refused() -> None:
    """The refusal names what was given and what is accepted."""
    with pytest.raises(SyntaxProblem, match=r"names a Asset; wanted is Shot or Task"):
        parse_reference("Asset:7", ["Task", "Shot"])


def test_a_page_without_an_entity_gives_the_page() -> None:
    """The address of a page alone is a PageReference of its id."""
    page = parse_reference("https://studio.example.com/page/1234")
    assert isinstance(page, PageReference)
    assert page == 1234


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "Shot", "Shot:", ":7", "Shot:x", "Shot:7x", "Shot:-7", "Shot:0", "Shot:2147483648",
        "Shot:" + "9" * 5000, "9" * 5000, "7", "{", "{}", '{"type": "Shot"}', '{"type": "Shot", "id": "7"}',
        '{"type": "Shot", "id": true}', '{"type": "Shot", "id": 7.0}', '{"type": 1, "id": 7}',
        '{"type": "", "id": 7}', "[1]", "https://studio.example.com/", "https://studio.example.com/detail/Shot",
        "https://[broken/detail/Shot/7", "ftp://studio.example.com/detail/Shot/7", "{" * 5000, '{"type":' * 3000,
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    """What names no entity is a SyntaxProblem, which is a ValueError."""
    with pytest.raises(SyntaxProblem):
        parse_reference(text)


@given(reference_texts, st.sampled_from([None, [], ["Shot"], ["Shot", "Asset"]]))
def test_any_text_names_an_entity_or_is_refused(text: str, entity_types: list[str] | None) -> None:
    """Nothing that is pasted raises anything but a ValueError."""
    try:
        found = parse_reference(text, entity_types)
    except ValueError:
        return
    if not isinstance(found, PageReference):
        assert isinstance(found, Reference)
        assert found["type"]
        assert 0 < found["id"] < 2**31


@given(reference_texts)
@example('{"type": "Shot", "id": 7, "updated_at": "0001-01-01T00:00:00+01:00"}')
@example('{"type": "Shot", "id": 7, "a.b": 1, "a..c": 2, "x.Y.z": {"type": "Shot", "id": 7}}')
def test_a_session_makes_an_entity_of_any_text_or_refuses(text: str) -> None:
    """`parse_user_input` gives an entity of the session or a ValueError, and costs no site."""
    session = Session(False)
    try:
        found = session.parse_user_input(text)
    except ValueError:
        return
    assert isinstance(found, Entity)
    assert session.merge(found.minimal) is found


@given(
    st.sampled_from(["Shot", "CustomEntity01"]),
    st.integers(1, 2**31 - 1),
    st.dictionaries(st.text(), st.text()),
)
def test_json_of_an_entity_names_it(entity_type: str, entity_id: int, fields: dict[str, Any]) -> None:
    """What `json.dumps` makes of a row is read back, with all its fields."""
    row = {**fields, "type": entity_type, "id": entity_id}
    assert parse_reference(json.dumps(row)) == row


@pytest.mark.parametrize("wrong", [None, 7, b"Shot:7", {"type": "Shot", "id": 7}], ids=repr)
def test_only_text_is_read(wrong: Any) -> None:
    """What nobody typed is refused as a SyntaxProblem, which shows it."""
    with pytest.raises(SyntaxProblem, match="is not a text"):
        parse_reference(wrong)
