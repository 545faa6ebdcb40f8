"""1.1.5 Important Fields and 1.2.3 Importance Controls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from sgsession import Session

from .conftest import Costs


@pytest.mark.smoke
def test_one_simple_query_returns_the_related_data(
    session: Session, costs: Costs, printed: Callable[[], str]
) -> None:
    """One `find_one` without fields brings the shot, step and project; `pprint` lays them out as documented."""
    with costs(1):
        x = session.find_one("Task", [])
        x.pprint()
    assert printed() == (
        "Task:456 at 0x; {\n"
        "  content = 'Matchmove'\n"
        "  entity = Shot:234 at 0x; {\n"
        "    code = 'AA_001'\n"
        "    name = 'AA_001'\n"
        "    project = Project:123 at 0x; {\n"
        "      name = 'Demo Project'\n"
        "      updated_at = 2025-09-01 09:00:00+00:00\n"
        "    }\n"
        "    sg_sequence = Sequence:201 at 0x; {\n"
        "      name = 'AA'\n"
        "    }\n"
        "    updated_at = 2025-09-01 09:00:00+00:00\n"
        "  }\n"
        "  project = Project:123 at 0x; ...\n"
        "  step = Step:345 at 0x; {\n"
        "    code = 'Matchmove'\n"
        "    entity_type = 'Shot'\n"
        "    name = 'Matchmove'\n"
        "    short_name = 'Matchmove'\n"
        "    updated_at = 2025-09-01 09:00:00+00:00\n"
        "  }\n"
        "  updated_at = 2025-09-01 09:00:00+00:00\n"
        "}\n"
    )


def test_pprint_of_the_documented_data(offline: Session, printed: Callable[[], str]) -> None:
    """The page's own example, merged by hand, prints as on the page, to the letter."""
    project = {"type": "Project", "id": 123, "name": "Demo Project"}
    shot = {"type": "Shot", "id": 234, "code": "AA_001", "name": "AA_001", "project": project}
    step = {"type": "Step", "id": 345, "code": "Matchmove", "entity_type": "Shot", "name": "Matchmove"}
    step["short_name"] = "Matchmove"
    task = {
        "type": "Task",
        "id": 456,
        "entity": shot,
        "project": project,
        "sg_status_list": "fin",
        "step": step,
    }
    offline.merge(task).pprint()
    assert printed() == (
        "Task:456 at 0x; {\n"
        "  entity = Shot:234 at 0x; {\n"
        "    code = 'AA_001'\n"
        "    name = 'AA_001'\n"
        "    project = Project:123 at 0x; {\n"
        "      name = 'Demo Project'\n"
        "    }\n"
        "  }\n"
        "  project = Project:123 at 0x; ...\n"
        "  sg_status_list = 'fin'\n"
        "  step = Step:345 at 0x; {\n"
        "    code = 'Matchmove'\n"
        "    entity_type = 'Shot'\n"
        "    name = 'Matchmove'\n"
        "    short_name = 'Matchmove'\n"
        "  }\n"
        "}\n"
    )


def test_the_documented_defaults() -> None:
    """The class attributes say what is important, followed and above, as documented."""
    assert Session.important_fields_for_all == ["updated_at"]
    assert Session.important_fields["Project"] == ["name"]
    assert Session.important_fields["Step"] == ["code", "short_name", "entity_type"]
    assert Session.important_fields["Task"] == ["step", "content"]
    assert Session.important_links["PublishEvent"] == {"project": ["Project"], "sg_link": ["Task"]}
    assert Session.important_links["Task"]["entity"] == ["Asset", "Shot"]
    assert Session.parent_fields == {
        "Asset": "project",
        "Episode": "project",
        "Project": None,
        "PublishEvent": "sg_link",
        "PublishedFile": "entity",
        "Sequence": "project",
        "Shot": "sg_sequence",
        "Task": "entity",
        "Version": "entity",
    }


@pytest.mark.parametrize("entity_type", ["Asset", "Sequence", "Shot", "Task", "Version", "PublishedFile"])
def test_important_fields_always_come_along(session: Session, costs: Costs, entity_type: str) -> None:
    """A find of one other field brings each important field and link of the type as well, in one request."""
    with costs(1):
        entity = session.find_one(entity_type, [], ["created_at"])
    links = session.important_links[entity_type]
    wanted = [*session.important_fields_for_all, *session.important_fields[entity_type], *links, "created_at"]
    assert [field for field in wanted if field not in entity] == []


@pytest.mark.parametrize("find", ["find", "find_one", "find_iter", "get"])
def test_every_way_to_read_brings_them(session: Session, costs: Costs, find: str) -> None:
    """The shot's code of a task comes with each kind of read."""
    ways = {
        "find": lambda: session.find("Task", [["id", "is", 456]])[0],
        "find_one": lambda: session.find_one("Task", [["id", "is", 456]]),
        "find_iter": lambda: next(session.find_iter("Task", [["id", "is", 456]])),
        "get": lambda: session.get("Task", 456),
    }
    with costs(1):
        task = ways[find]()
        assert task["entity.Shot.code"] == "AA_001"
        assert task["project"]["name"] == "Demo Project"


def test_add_default_fields_false_asks_for_none(session: Session, costs: Costs) -> None:
    """Only the fields that were named are asked for."""
    with costs(1) as requests:
        session.find("Task", [], ["content"], add_default_fields=False)
    [request] = requests
    assert request.params["return_fields"] == ["content"]


def test_a_type_without_entries_has_those_for_all(session: Session, costs: Costs) -> None:
    """A type that nobody listed still brings `updated_at`."""
    with costs(1):
        note = session.find_one("Note", [])
    assert "updated_at" in note


def test_a_subclass_has_its_own(new_session: Callable[..., Session], costs: Costs) -> None:
    """Class attributes of a subclass replace the defaults for its sessions, and for those alone."""

    class StudioSession(Session):
        important_fields_for_all = ["created_at"]
        important_fields = {**Session.important_fields, "Shot": ["sg_cut_in"]}
        important_links = {}

    with costs(2) as requests:
        shot = new_session(StudioSession).find_one("Shot", [])
        new_session().find_one("Shot", [])
    assert set(shot) == {"type", "id", "created_at", "sg_cut_in"}
    assert "code" in requests[1].params["return_fields"]


def test_an_instance_has_its_own(new_session: Callable[..., Session], costs: Costs) -> None:
    """What is set on one session counts for it from then on."""
    session, other = new_session(), new_session()
    session.important_fields = {**session.important_fields, "Shot": ["code", "sg_cut_in"]}
    with costs(2):
        assert "sg_cut_in" in session.find_one("Shot", [])
        assert "sg_cut_in" not in other.find_one("Shot", [])


def test_important_links_bring_the_fields_of_what_they_hold(session: Session, costs: Costs) -> None:
    """A link listed as important brings the important fields of its types, deep."""
    session.important_links = {"Version": {"sg_task": ["Task"]}}
    with costs(1):
        version = session.find_one("Version", [["id", "is", 601]])
    assert version["sg_task"]["content"] == "Matchmove"
    assert version["sg_task"]["step"]["id"] == 345
    assert "project" not in version


def test_parent_fields_say_what_is_above(session: Session, costs: Costs) -> None:
    """A studio that counts a version under its task says so, and climbs that way."""
    session.parent_fields = {**session.parent_fields, "Version": "sg_task", "Task": None}
    with costs(1):
        version = session.get("Version", 601)
    with costs(at_most=1):
        above = session.fetch_hierarchy([version])
    assert above == [version, version["sg_task"]]


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("important_fields_for_all", "updated_at", "important_fields_for_all is a list of names"),
        (
            "important_fields",
            {"Task": "content"},
            "important_fields['Task'] is a list of names; it is 'content'",
        ),
        ("important_links", {"Task": ["entity"]}, "important_links['Task'] says for each link"),
        (
            "important_links",
            {"Task": {"entity": "Shot"}},
            "important_links['Task']['entity'] is a list of names",
        ),
        (
            "important_links",
            {"Task": {"entity": None}},
            "important_links['Task']['entity'] is a list of names",
        ),
        ("important_fields", {"Task": [5]}, "important_fields['Task'] is a list of names; it holds 5"),
        (
            "important_fields",
            {"Task": iter(["content"])},
            "important_fields['Task'] is a list of names; it is",
        ),
        ("important_fields_for_all", [None], "important_fields_for_all is a list of names; it holds None"),
        (
            "important_links",
            {"Task": {5: ["Shot"]}},
            "important_links['Task'] is a list of names; it holds 5",
        ),
        (
            "important_links",
            {"Task": {"entity": [["Shot"]]}},
            "important_links['Task']['entity'] is a list of names; it holds ['Shot']",
        ),
        (
            "parent_fields",
            {5: "entity", "Task": "entity"},
            "parent_fields says for each type which link leads up; 5",
        ),
        ("parent_fields", {"Task": ["entity"]}, "parent_fields['Task'] is the name of one link"),
        ("parent_fields", {"Task": ""}, "parent_fields['Task'] is the name of one link"),
    ],
)
def test_what_a_studio_got_wrong_is_named(
    session: Session, costs: Costs, attribute: str, value: Any, said: str
) -> None:
    """A text where a list belongs would be asked for letter by letter: it is told before anything is asked."""
    task = session.merge({"type": "Task", "id": 456})
    setattr(session, attribute, value)
    with costs(0), pytest.raises(ValueError, match=re.escape(said)):
        session.fetch_hierarchy(task)
