"""One object for each type and id of a session."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession import Entity, Session

from ..strategies import rows
from .views import assert_sound


@pytest.fixture
def session() -> Session:
    """A session without a site."""
    return Session(False)


def test_two_mentions_are_one_object(session: Session) -> None:
    """Wherever a type and id is mentioned, alone or as a link, the same object stands."""
    shot = session.merge({"type": "Shot", "id": 1})
    task, again = session.merge(
        [{"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1}}, {"type": "Shot", "id": 1}]
    )
    assert task["entity"] is shot is again
    assert isinstance(shot, Entity)
    assert isinstance(shot, dict)


def test_type_and_id_both_count(session: Session) -> None:
    """Another type or another id is another entity."""
    found = session.merge([{"type": kind, "id": number} for kind in ("Shot", "Asset") for number in (1, 2)])
    assert len({id(entity) for entity in found}) == 4


@pytest.mark.parametrize(
    "raw",
    [
        {"type": "Shot"},
        {"id": 1},
        {"type": "Shot", "id": "1"},
        {"type": "Shot", "id": True},
        {"type": None, "id": 1},
    ],
)
def test_what_names_no_entity_stays_a_dict(session: Session, raw: dict[str, object]) -> None:
    """A dict without a text as type and an integer as id is only copied."""
    found = session.merge(raw)
    assert type(found) is dict
    assert found == raw
    assert found is not raw


def test_a_known_entity_cannot_be_constructed(session: Session) -> None:
    """`Entity(type, id, session)` makes a new one a part of the session, and refuses a second one."""
    shot = Entity("Shot", 1, session)
    assert session.merge({"type": "Shot", "id": 1}) is shot
    with pytest.raises(ValueError, match="already has Shot:1"):
        Entity("Shot", 1, session)


def test_an_entity_of_another_session_is_refused(session: Session) -> None:
    """Merging, setting and asking with a stranger is a ValueError, and changes nothing."""
    stranger = Session(False).merge({"type": "Shot", "id": 1})
    task = session.merge({"type": "Task", "id": 1})
    for attempt in (
        lambda: session.merge([stranger]),
        lambda: session.merge({"type": "Task", "id": 1, "entity": stranger}),
        lambda: task.__setitem__("entity", stranger),
        lambda: task.update(links=[stranger]),
        lambda: session.fetch([stranger], "code"),
        lambda: session.forget(stranger),
    ):
        with pytest.raises(ValueError, match="another session"):
            attempt()
    assert session.graph.identity.get(("Shot", 1)) is None
    assert_sound(session)


def test_a_refused_merge_leaves_a_sound_graph(session: Session) -> None:
    """Where a stranger is found deep inside, links and back-references still agree."""
    stranger = Session(False).merge({"type": "Shot", "id": 1})
    row = {
        "type": "Task",
        "id": 1,
        "code": "A",
        "entity": {"type": "Asset", "id": 1, "links": [{"type": "Shot", "id": 2}, stranger]},
    }
    with pytest.raises(ValueError, match="another session"):
        session.merge([row, {"type": "Shot", "id": 3, "code": "B", "entity": {"type": "Asset", "id": 1}}])
    assert_sound(session)


def test_forgetting_makes_room_for_a_new_object(session: Session) -> None:
    """The next mention makes another object, and no link leads to the old one."""
    task = session.merge(
        {
            "type": "Task",
            "id": 1,
            "entity": {"type": "Shot", "id": 1},
            "links": [{"type": "Shot", "id": 1}, {"type": "Shot", "id": 2}],
        }
    )
    shot = task["entity"]
    session.forget(shot)
    assert "entity" not in dict(task)
    assert "links" not in task  # without one of its members, a list would be a wrong answer
    assert session.merge({"type": "Shot", "id": 1}) is not shot
    assert_sound(session)


def test_a_forgotten_entity_is_no_part_of_the_session(session: Session) -> None:
    """Linking to it is refused, or finds the session's own: never two objects for one key."""
    task = session.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1}})
    forgotten = task["entity"]
    session.forget(forgotten)
    for attempt in (
        lambda: task.__setitem__("entity", forgotten),
        lambda: session.merge({"type": "Task", "id": 1, "links": [forgotten]}),
        lambda: session.merge([forgotten]),
    ):
        try:
            attempt()
        except ValueError:
            continue
        assert session.merge({"type": "Shot", "id": 1}) is not forgotten
    assert_sound(session)


def test_setting_a_field_of_a_forgotten_entity_does_not_reach_the_session(session: Session) -> None:
    """What the session has is linked from nothing that it does not have."""
    shot = session.merge({"type": "Shot", "id": 1})
    sequence = session.merge({"type": "Sequence", "id": 1})
    session.forget(shot)
    with contextlib.suppress(ValueError):
        shot["sg_sequence"] = sequence
    assert not sequence.backrefs
    assert_sound(session)


@given(st.lists(rows, min_size=1, max_size=4))
def test_merging_again_gives_the_same_objects(raw: list[dict[str, object]]) -> None:
    """Two merges of one answer give the same objects in the same places."""
    session = Session(False)
    first, second = session.merge(raw), session.merge(raw)
    assert [id(entity) for entity in first] == [id(entity) for entity in second]
    assert_sound(session)


def test_dropping_what_was_dropped_leaves_its_successor(session: Session) -> None:
    """The map is of objects, not of keys: who is no longer in it takes nobody else out."""
    identity = session.graph.identity
    old = session.merge({"type": "Shot", "id": 1})
    identity.discard(old)
    new = session.merge({"type": "Shot", "id": 1})
    identity.discard(old)
    assert identity.get(("Shot", 1)) is new
    assert len(identity) == 1


def test_forgetting_voids_tuples_too(session: Session) -> None:
    """A tuple of links that was merged by hand is not known any more, as a list is not."""
    task = session.merge(
        {"type": "Task", "id": 1, "links": ({"type": "Shot", "id": 1}, {"type": "Shot", "id": 2})}
    )
    session.forget(task["links"][0])
    assert "links" not in task
    assert_sound(session)
