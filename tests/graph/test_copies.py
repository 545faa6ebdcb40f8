"""Plain copies of the graph, and entities that are handed to others."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession import Entity, Session
from sgsession.errors import SessionError

from ..strategies import aged_rows, flat_rows, rows
from .views import back_references, known


def _reachable(session: Session, start: Entity) -> dict[Any, Any]:
    """What is known of what an entity is linked to, the way `known` shows it."""
    everything = known(session)
    reached: list[tuple[str, int]] = [start.key]
    for key in reached:
        for value in everything[key].values():
            for target in value if isinstance(value, list) else [value]:
                if isinstance(target, tuple) and target in everything and target not in reached:
                    reached.append(target)
    return {key: everything[key] for key in reached}


@given(st.lists(rows, min_size=1, max_size=4))
def test_as_dict_merges_into_an_equal_graph(raw: list[dict[str, Any]]) -> None:
    """All that an entity is linked to arrives in a new session, and links the same."""
    session, other = Session(False), Session(False)
    for entity in session.merge(raw):
        copied = other.merge(entity.as_dict())
        assert _reachable(other, copied) == _reachable(session, entity)


@given(aged_rows(flat_rows))
def test_as_dict_merges_into_its_own_session_without_a_change(raw: list[dict[str, Any]]) -> None:
    """What a session already knows brings nothing new, by age or by force."""
    session = Session(False)
    entities = session.merge(raw)
    before, links = known(session), back_references(session)
    for over in (None, True, False):
        for entity in entities:
            session.merge(entity.as_dict(), over=over)
    assert known(session) == before
    assert back_references(session) == links


def test_a_first_mention_is_whole_and_later_ones_are_minimal() -> None:
    """Each entity's fields are there once, in plain dicts of the caller's own."""
    session = Session(False)
    shot = {"type": "Shot", "id": 1, "code": "AA"}
    task = session.merge(
        {"type": "Task", "id": 1, "entity": shot, "links": [shot, {"type": "Task", "id": 1}]}
    )
    found = task.as_dict()
    bare = {"type": "Shot", "id": 1}
    assert found == {"type": "Task", "id": 1, "entity": shot, "links": [bare, {"type": "Task", "id": 1}]}
    assert type(found["entity"]) is dict
    json.dumps(found)
    found["entity"]["code"] = "changed"
    assert task["entity"]["code"] == "AA"


def test_as_dict_ends_where_dicts_and_lists_hold_themselves() -> None:
    """A ring of plain containers is copied as a ring."""
    session = Session(False)
    ring: dict[str, Any] = {"list": []}
    ring["list"].append(ring)
    shot = session.merge({"type": "Shot", "id": 1, "ring": ring})
    copied = shot.as_dict()
    assert copied["ring"]["list"][0] is copied["ring"]
    assert Session(False).merge(copied)["ring"]["list"][0]["list"]


def test_a_shallow_copy_is_a_plain_dict_and_a_deep_one_is_refused() -> None:
    """`copy()` keeps the session's entities as links; deepcopy raises and names as_dict()."""
    shot = Session(False).merge({"type": "Shot", "id": 1, "sg_sequence": {"type": "Sequence", "id": 1}})
    for copied in (shot.copy(), copy.copy(shot)):
        assert type(copied) is dict
        assert copied["sg_sequence"] is shot["sg_sequence"]
    with pytest.raises(SessionError, match="as_dict"):
        copy.deepcopy([shot])


def test_what_is_shown_has_no_deep_keys() -> None:
    """keys(), json and ** show what is on the entity itself, also for deep values without a link."""
    task = Session(False).merge({"type": "Task", "id": 1, "entity.Shot.code": "AA"})
    assert task["entity.Shot.code"] == "AA"
    assert set(task) == set(task.keys()) == {"type", "id"}
    assert json.loads(json.dumps(task)) == {"type": "Task", "id": 1}
