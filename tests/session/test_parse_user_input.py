"""`Session.parse_user_input`: what people type or paste to name an entity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sgsession import Session

from .conftest import Costs

SEVEN = ("Shot", 7)


@pytest.mark.parametrize(
    "text",
    [
        "Shot:7",
        "Shot_7",
        "Shot-7",
        "Shot 7",
        "shot:7",
        "shot 7",
        "  Shot:7\n",
        '{"type": "Shot", "id": 7}',
        ' {"id": 7, "type": "Shot", "code": "A"} ',
        "https://studio.example.com/detail/Shot/7",
        "http://other.example.org/detail/Shot/7/",
        "https://studio.example.com/page/9#Shot_7_x",
        "https://studio.example.com/page/9#Shot_7",
        "https://studio.example.com/page/9#Shot_7_AA%20001",
    ],
)
def test_forms_that_name_an_entity(offline: Session, text: str) -> None:
    """All forms, of any host, give the session's entity, without a request."""
    entity = offline.parse_user_input(text)
    assert entity.key == SEVEN
    assert entity is offline.merge({"type": "Shot", "id": 7})


def test_fields_beside_the_id(offline: Session) -> None:
    """Fields after a question mark, or beside the id in JSON, are merged."""
    shot = offline.parse_user_input("Shot:7?code=AA_001&description=one+two")
    assert (shot["code"], shot["description"]) == ("AA_001", "one two")
    offline.parse_user_input('{"type": "Shot", "id": 7, "sg_cut_in": 1001}')
    assert shot["sg_cut_in"] == 1001


def test_a_bare_id_with_one_type(offline: Session) -> None:
    """A number alone is an id where exactly one type is wanted."""
    assert offline.parse_user_input("7", ["Shot"]).key == SEVEN
    assert offline.parse_user_input(" 7 ", ("Shot",)).key == SEVEN
    for types in (None, [], ["Shot", "Task"]):
        with pytest.raises(ValueError, match="7"):
            offline.parse_user_input("7", types)


def test_only_the_wanted_types(offline: Session) -> None:
    """An entity of another type is refused, and the text says which are wanted."""
    assert offline.parse_user_input("Shot:7", ["Task", "Shot"]).key == SEVEN
    with pytest.raises(ValueError, match="Asset or Task"):
        offline.parse_user_input("Shot:7", ["Task", "Asset"])
    with pytest.raises(ValueError, match="Task"):
        offline.parse_user_input("https://studio.example.com/detail/Shot/7", ["Task"])


def test_types_of_several_words(offline: Session) -> None:
    """The letters of a wanted type find it, however they were typed."""
    assert offline.parse_user_input("publishedfile:7", ["PublishedFile"]).key == ("PublishedFile", 7)
    assert offline.parse_user_input("PublishedFile_7").key == ("PublishedFile", 7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Shot",
        "Shot:",
        ":7",
        "Shot:x",
        "Shot:-7",
        "Shot:7.5",
        "Shot:0",
        "Shot:7 or so",
        "Shot:99999999999",
        "Shot:" + "9" * 5_000,
        "Shot:\N{ARABIC-INDIC DIGIT SEVEN}",
        "AA_001",
        "-7",
        '{"type": "Shot"}',
        '{"type": "Shot", "id": "7"}',
        '{"type": "Shot", "id": true}',
        '{"type": "Shot", "id": 7.0}',
        '{"type": "Shot", "id": 7',
        '{"type": 7, "id": 7}',
        "[1, 2]",
        "https://studio.example.com/",
        "https://studio.example.com/detail/Shot",
        "https://studio.example.com/detail/Shot/7/edit",
        "https://studio.example.com/page/9",
        "https://[broken/detail/Shot/7",
        "ftp://studio.example.com/detail/Shot/7",
        "{" * 5_000,
        '{"x":' * 5_000,
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_everything_else_is_refused(offline: Session, text: str) -> None:
    """What names no entity is a `ValueError`, and the session learns nothing."""
    with pytest.raises(ValueError) as problem:
        offline.parse_user_input(text)
    assert str(problem.value)
    assert "0 entities" in repr(offline)


def test_parsing_costs_no_request(session: Session, costs: Costs) -> None:
    """Text is read locally, also the address of the session's own site."""
    with costs(0):
        shot = session.merge({"type": "Shot", "id": 234})
        assert session.parse_user_input(session.get_url(shot)) is shot


@pytest.mark.parametrize("wanted", [None, ["Project"]])
def test_the_project_of_a_page(session: Session, costs: Costs, wanted: Any) -> None:
    """A page on which no entity is open stands for its project where that is asked for: one request."""
    address = "https://studio.example.com/page/1"
    with costs(1):
        project = session.parse_user_input(address, wanted, fetch_project_from_page=True)
    assert project.key == ("Project", 123)
    with costs(0), pytest.raises(ValueError, match="page"):
        session.parse_user_input(address)


def test_the_project_of_a_page_is_held_to_the_types(session: Session) -> None:
    """A project is refused like any other entity where only other types are wanted."""
    with pytest.raises(ValueError, match="Shot"):
        session.parse_user_input("https://x.example.com/page/1", ["Shot"], fetch_project_from_page=True)


def test_a_page_that_does_not_exist(session: Session, costs: Costs) -> None:
    """A page without a project, or none at all, is a `ValueError`."""
    with costs(1), pytest.raises(ValueError, match="page"):
        session.parse_user_input("https://x.example.com/page/99", fetch_project_from_page=True)


def test_what_is_open_on_a_page_costs_nothing(new_session: Callable[..., Session], costs: Costs) -> None:
    """The entity in the address is taken, and the page not asked for."""
    with costs(0):
        text = "https://x.example.com/page/1#Shot_234_AA"
        assert new_session().parse_user_input(text, fetch_project_from_page=True).key == ("Shot", 234)
