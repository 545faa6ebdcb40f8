"""1.2.1 Entity Control: `get`, `filter_exists`, and `forget`. `merge` has a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sgsession import Session
from sgsession.site import LocalSite

from .conftest import Costs


@pytest.mark.smoke
def test_get_by_type_and_id(session: Session, costs: Costs) -> None:
    """An entity is fetched once, with its important fields; afterwards it costs nothing."""
    with costs(1):
        shot = session.get("Shot", 234)
    assert shot["code"] == "AA_001"
    with costs(0):
        assert session.get("Shot", 234) is shot


def test_get_by_the_documented_names(session: Session, costs: Costs) -> None:
    """The parameters are called `type`, `id` and `fetch`, as documented."""
    with costs(1):
        assert session.get(type="Shot", id=234, fetch=True)["code"] == "AA_001"


@pytest.mark.parametrize("kind", [list, tuple])
def test_get_of_several_ids(session: Session, costs: Costs, kind: type) -> None:
    """A list gives a list and a tuple a tuple, in the order given, in one request."""
    ids = kind([236, 234, 235, 234])
    with costs(1):
        shots = session.get("Shot", ids)
    assert type(shots) is kind
    assert [shot["id"] for shot in shots] == list(ids)
    assert shots[1] is shots[3]


def test_get_asks_only_for_what_is_missing(session: Session, costs: Costs) -> None:
    """Ids that are known already are not asked for again."""
    session.get("Shot", [234, 235])
    with costs(1) as requests:
        session.get("Shot", [234, 235, 236])
    assert requests[0].params["filters"]["conditions"][0]["values"] in ([236], [[236]])


@pytest.mark.parametrize("empty", [[], ()])
def test_get_of_no_ids(session: Session, costs: Costs, empty: Any) -> None:
    """No ids, no request."""
    with costs(0):
        assert session.get("Shot", empty) == empty


def test_get_of_what_does_not_exist(session: Session, costs: Costs) -> None:
    """An id without a row is None in its place."""
    with costs(2):
        assert session.get("Shot", 99_999) is None
        assert session.get("Shot", (99_999, 234)) == (None, session.get("Shot", 234))


def test_get_of_what_is_retired(own_site: LocalSite, session: Session, shotgun: Any, costs: Costs) -> None:
    """A retired row does not exist for `get`."""
    shotgun.delete("Shot", 234)
    with costs(1):
        assert session.get("Shot", 234) is None


def test_get_without_fetching(session: Session, costs: Costs) -> None:
    """`fetch=False` gives what the session has, None for the rest, and never asks."""
    shot = session.get("Shot", 234)
    with costs(0):
        assert session.get("Shot", 234, fetch=False) is shot
        assert session.get("Shot", [234, 235], fetch=False) == [shot, None]


def test_get_with_fields(session: Session, costs: Costs) -> None:
    """Fields that are named are known afterwards; where they are known already, nothing is asked."""
    session.get("Shot", 234)
    with costs(1):
        shot = session.get("Shot", 234, ["sg_cut_in"])
    assert shot["sg_cut_in"] == 1001
    with costs(0):
        session.get("Shot", 234, ["sg_cut_in"])


@pytest.mark.parametrize("id", ["234", None, 2.5, True, [None], {"id": 234}])
def test_get_refuses_what_is_no_id(session: Session, costs: Costs, id: Any) -> None:
    """An id is an integer; anything else is a `ValueError` before anything is sent."""
    with costs(0), pytest.raises(ValueError, match="id is an integer"):
        session.get("Shot", id)


def test_get_of_many_ids(session: Session, costs: Costs) -> None:
    """1,200 ids take three requests of at most 500, side by side."""
    with costs(3):
        tasks = session.get("Task", list(range(456, 1656)))
    assert sum(task is not None for task in tasks) == 56


# filter_exists


def test_found_entities_exist(session: Session, costs: Costs) -> None:
    """Of what a find has just brought it is known that it exists; a set is returned."""
    shots = session.find("Shot", [])
    with costs(0):
        existing = session.filter_exists(shots)
    assert existing == set(shots)
    assert type(existing) is set


@pytest.mark.smoke
def test_what_does_not_exist_is_left_out(session: Session, costs: Costs) -> None:
    """Bare entities are asked about: one request for each type; the answer is remembered."""
    rows = [("Shot", 234), ("Shot", 99_999), ("Task", 456), ("Task", 99_999)]
    entities = session.merge([{"type": kind, "id": id} for kind, id in rows])
    with costs(2):
        existing = session.filter_exists(entities)
    assert {entity.key for entity in existing} == {("Shot", 234), ("Task", 456)}
    with costs(0):
        assert session.filter_exists(entities) == existing


def test_retired_entities_do_not_exist(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs
) -> None:
    """A colleague's retiring is noticed by those that were not known, and by `force` for the others."""
    found = session.get("Shot", 234)
    bare = session.merge({"type": "Shot", "id": 235})
    shotgun.batch([{"request_type": "delete", "entity_type": "Shot", "entity_id": id} for id in (234, 235)])
    with costs(1):
        assert session.filter_exists([found, bare]) == {found}
    with costs(1):
        assert session.filter_exists([found, bare], force=True) == set()


def test_without_checking_the_unsure_stay(session: Session, costs: Costs) -> None:
    """`check=False` asks nothing: what is not known to be gone is returned."""
    entities = session.merge([{"type": "Shot", "id": 234}, {"type": "Shot", "id": 99_999}])
    with costs(0):
        assert session.filter_exists(entities, check=False) == set(entities)
    session.filter_exists(entities)
    with costs(0):
        assert session.filter_exists(entities, check=False) == {entities[0]}


def test_any_iterable_of_entities(session: Session, costs: Costs) -> None:
    """A generator, a set, one entity, nothing: all are taken."""
    shot = session.get("Shot", 234)
    with costs(0):
        assert session.filter_exists(each for each in [shot]) == {shot}
        assert session.filter_exists({shot}) == {shot}
        assert session.filter_exists(shot) == {shot}
        assert session.filter_exists([]) == set()


@pytest.mark.parametrize("wrong", [[{"type": "Shot", "id": 1}], [7], "Shot", None, [None]])
def test_what_is_no_entity_is_refused(session: Session, costs: Costs, wrong: Any) -> None:
    """Raw dicts and the rest are a `TypeError`: they have no session."""
    with costs(0), pytest.raises(TypeError, match="not an entity"):
        session.filter_exists(wrong)


# forget


def test_forget_makes_room_for_a_new_object(session: Session, costs: Costs) -> None:
    """After `forget` the next answer makes another instance, and the old one is a stranger."""
    shot = session.get("Shot", 234)
    session.forget([shot])
    with costs(1):
        again = session.get("Shot", 234)
    assert again is not shot
    with pytest.raises(ValueError, match="forgotten"):
        session.fetch([shot], ["code"])


def test_forget_unties_links(offline: Session) -> None:
    """The links from and to a forgotten entity go with it; its values stay readable."""
    task = offline.merge({"type": "Task", "id": 9, "entity": {"type": "Shot", "id": 1, "code": "A"}})
    shot = task["entity"]
    project = offline.merge({"type": "Shot", "id": 1, "project": {"type": "Project", "id": 3}})["project"]
    offline.forget(shot)
    assert shot["code"] == "A"
    assert "entity" not in task
    assert list(project.backrefs[("Shot", "project")]) == []


def test_forget_costs_nothing(new_session: Callable[..., Session], costs: Costs) -> None:
    """Forgetting is local; forgetting another session's entity is refused."""
    session, other = new_session(), new_session()
    shot, foreign = session.get("Shot", 234), other.get("Shot", 234)
    with costs(0):
        session.forget(shot)
        with pytest.raises(ValueError, match="another session"):
            session.forget([foreign])
