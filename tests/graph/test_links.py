"""Links and their far side, after any sequence of changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sgsession import Entity, Session
from sgsession.errors import SyntaxProblem
from sgsession.graph.links import LinkList, mend
from sgsession.testing.interruption import interrupt_at

from ..strategies import LINK_FIELDS, LIST_FIELDS, link_values, list_values, raw_links, rows, scalars
from .views import assert_sound


@pytest.fixture
def session() -> Session:
    """A session without a site."""
    return Session(False)


class Links(RuleBasedStateMachine):
    """Whatever happens to a session's links, its back-references are exactly their other side."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(False)

    def entity(self, key: dict[str, Any]) -> Any:
        return self.session.merge(key)

    @rule(raw=st.lists(rows, max_size=3), over=st.none() | st.booleans(), age=st.none() | st.integers(0, 9))
    def merge(self, raw: list[dict[str, Any]], over: bool | None, age: int | None) -> None:
        self.session.merge(raw, over=over, created_at=age)

    @rule(
        key=raw_links,
        field=st.sampled_from(LINK_FIELDS + LIST_FIELDS),
        value=link_values | list_values | scalars,
    )
    def set_raw(self, key: dict[str, Any], field: str, value: Any) -> None:
        self.entity(key)[field] = value

    @rule(key=raw_links, field=st.sampled_from(LIST_FIELDS), values=list_values)
    def set_entities(self, key: dict[str, Any], field: str, values: list[dict[str, Any]]) -> None:
        self.entity(key).update({field: [self.entity(value) for value in values]})

    @rule(key=raw_links, field=st.sampled_from(LIST_FIELDS), value=raw_links)
    def extend_and_set_again(self, key: dict[str, Any], field: str, value: dict[str, Any]) -> None:
        entity = self.entity(key)
        if isinstance(entity.get(field), list):
            entity[field] += [value]

    @rule(key=raw_links, field=st.sampled_from(LIST_FIELDS), value=raw_links, again=st.booleans())
    def append_in_place(self, key: dict[str, Any], field: str, value: dict[str, Any], again: bool) -> None:
        entity = self.entity(key)
        if isinstance(entity.get(field), list):
            if again:
                entity[field] += [self.entity(value)]
            else:
                entity[field].append(self.entity(value))
                entity[field] = entity[field]

    @rule(key=raw_links, field=st.sampled_from(LINK_FIELDS), values=st.lists(raw_links, max_size=3))
    def set_a_tuple(self, key: dict[str, Any], field: str, values: list[dict[str, Any]]) -> None:
        self.entity(key)[field] = tuple(self.entity(value) for value in values)

    @rule(one=raw_links, other=raw_links, field=st.sampled_from(LIST_FIELDS))
    def take_over(self, one: dict[str, Any], other: dict[str, Any], field: str) -> None:
        entity = self.entity(other)
        if field in dict(entity):
            self.entity(one)[field] = entity[field]

    @rule(key=raw_links, field=st.sampled_from(LINK_FIELDS), value=link_values)
    def set_default(self, key: dict[str, Any], field: str, value: Any) -> None:
        self.entity(key).setdefault(field, value)

    @rule(key=raw_links, link=st.sampled_from(LINK_FIELDS), to=raw_links, code=scalars)
    def merge_deep(self, key: dict[str, Any], link: str, to: dict[str, Any], code: Any) -> None:
        kind = to["type"]
        self.session.merge({**key, link: to, f"{link}.{kind}.entity": key, f"{link}.{kind}.code": code})

    @rule(key=raw_links, link=st.sampled_from(LINK_FIELDS), to=raw_links)
    def merge_deep_id_alone(self, key: dict[str, Any], link: str, to: dict[str, Any]) -> None:
        self.session.merge({**key, f"{link}.{to['type']}.id": to["id"]})

    @rule(key=raw_links, field=st.sampled_from(LINK_FIELDS + LIST_FIELDS))
    def delete_field(self, key: dict[str, Any], field: str) -> None:
        self.entity(key).pop(field, None)

    @rule(key=raw_links)
    def clear(self, key: dict[str, Any]) -> None:
        self.entity(key).clear()

    @precondition(lambda self: len(self.session.graph.identity))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        known = list(self.session.graph.identity)
        chosen = data.draw(st.lists(st.sampled_from(range(len(known))), max_size=2, unique=True))
        self.session.forget([known[place] for place in chosen])

    @invariant()
    def back_references_are_the_links_turned_round(self) -> None:
        assert_sound(self.session)


Links.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestLinks = Links.TestCase


def test_back_references_keep_the_order_in_which_links_were_seen(session: Session) -> None:
    """They are a sequence: indexable, sliceable, with a length, and `in` for entities and raw dicts."""
    tasks = session.merge(
        [{"type": "Task", "id": number, "entity": {"type": "Shot", "id": 1}} for number in (3, 1, 2)]
    )
    found = tasks[0]["entity"].backrefs[("Task", "entity")]
    assert list(found) == tasks
    assert (found[0], found[-1], found[:2], len(found)) == (tasks[0], tasks[2], tuple(tasks[:2]), 3)
    assert tasks[1] in found
    assert {"type": "Task", "id": 1} in found
    assert {"type": "Task", "id": 9} not in found
    assert "Task" not in found


def test_nothing_links_here_from_an_unknown_field(session: Session) -> None:
    """A pair from which nothing links gives an empty sequence, and is no key."""
    shot = session.merge({"type": "Shot", "id": 1})
    assert list(shot.backrefs[("Task", "entity")]) == []
    assert ("Task", "entity") not in shot.backrefs
    assert shot.backrefs.get(("Task", "entity")) is None
    assert len(shot.backrefs) == 0


def test_iterating_takes_a_snapshot(session: Session) -> None:
    """What links here may change while one walks over it."""
    session.merge(
        [{"type": "Task", "id": number, "entity": {"type": "Shot", "id": 1}} for number in range(1, 6)]
    )
    shot = session.merge({"type": "Shot", "id": 1})
    for task in shot.backrefs[("Task", "entity")]:
        task["entity"] = None
    assert len(shot.backrefs[("Task", "entity")]) == 0


def test_a_multi_entity_list_moves_back_references_by_the_difference(session: Session) -> None:
    """Who stays keeps the place, who leaves is gone, who comes is added."""

    def link(*numbers: int) -> list[dict[str, Any]]:
        return [{"type": "Asset", "id": number} for number in numbers]

    first = session.merge({"type": "Shot", "id": 1, "assets": link(1, 2)})
    session.merge({"type": "Shot", "id": 2, "assets": link(2)})
    session.merge({"type": "Shot", "id": 1, "assets": link(2, 3)})
    one, two, three = session.merge(link(1, 2, 3))
    assert list(one.backrefs[("Shot", "assets")]) == []
    assert [shot["id"] for shot in two.backrefs[("Shot", "assets")]] == [1, 2]
    assert list(three.backrefs[("Shot", "assets")]) == [first]


def test_a_list_that_names_one_entity_twice_is_one_back_reference(session: Session) -> None:
    """It is gone when the last mention is gone."""
    shot = session.merge({"type": "Shot", "id": 1, "assets": [{"type": "Asset", "id": 1}] * 2})
    asset = shot["assets"][0]
    assert list(asset.backrefs[("Shot", "assets")]) == [shot]
    shot["assets"] = [asset]
    assert list(asset.backrefs[("Shot", "assets")]) == [shot]
    shot["assets"] = []
    assert list(asset.backrefs[("Shot", "assets")]) == []


def test_a_list_extended_in_place_and_set_is_merged(session: Session) -> None:
    """`task[k] += [raw]` links: the raw dict becomes the entity, the far side knows."""
    task = session.merge({"type": "Task", "id": 1, "task_assignees": [{"type": "HumanUser", "id": 1}]})
    user = session.merge({"type": "HumanUser", "id": 2})
    task["task_assignees"] += [{"type": "HumanUser", "id": 2}]
    assert task["task_assignees"][1] is user
    assert list(user.backrefs[("Task", "task_assignees")]) == [task]


def test_a_list_shortened_in_place_and_set_is_merged(session: Session) -> None:
    """Who was taken out of the list is linked no more once it is set."""
    task = session.merge({"type": "Task", "id": 1, "task_assignees": [{"type": "HumanUser", "id": 1}]})
    users = task["task_assignees"]
    user = users.pop()
    task["task_assignees"] = users
    assert list(user.backrefs[("Task", "task_assignees")]) == []


def test_two_entities_never_share_one_list(session: Session) -> None:
    """Setting one entity's list on another copies it."""
    one = session.merge({"type": "Shot", "id": 1, "assets": [{"type": "Asset", "id": 1}]})
    other = session.merge({"type": "Shot", "id": 2})
    other["assets"] = one["assets"]
    one["assets"].clear()
    assert [asset["id"] for asset in other["assets"]] == [1]


def test_entities_may_link_to_themselves(session: Session) -> None:
    """A link to itself is both a link and a back-reference, and ends like any other."""
    asset = session.merge({"type": "Asset", "id": 1, "parents": [{"type": "Asset", "id": 1}]})
    assert list(asset.backrefs[("Asset", "parents")]) == [asset]
    asset["parents"] = []
    assert list(asset.backrefs[("Asset", "parents")]) == []


@pytest.mark.parametrize("before", [[], ["text"], None])
def test_links_that_are_added_in_place(session: Session, before: Any) -> None:
    """A list that held no links when it was merged gets its back-references with the first ones."""
    shot = session.merge({"type": "Shot", "id": 1, "assets": before})
    asset = session.merge({"type": "Asset", "id": 5})
    if before is None:
        shot["assets"] = []
    shot["assets"] += [asset]
    assert list(asset.backrefs[("Shot", "assets")]) == [shot]
    shot["assets"].remove(asset)
    session.merge({"type": "Shot", "id": 1, "assets": []})
    assert not asset.backrefs[("Shot", "assets")]


def test_back_references_that_were_looked_at_before_there_were_any(session: Session) -> None:
    """They follow, like those that were looked at later; until then the pair is not there."""
    shot = session.merge({"type": "Shot", "id": 1})
    tasks = shot.backrefs["Task", "entity"]
    assert list(tasks) == []
    assert ("Task", "entity") not in shot.backrefs
    assert list(shot.backrefs) == []
    task = session.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1}})
    assert list(tasks) == [task]
    session.forget(shot)
    assert not list(session.merge({"type": "Shot", "id": 1}).backrefs)


@pytest.mark.parametrize("odd", ["Task", "Task.entity", ("Task",), ("Task", "entity", "id"), ("Task", 5), 5])
def test_what_is_no_pair_has_no_back_references(session: Session, odd: Any) -> None:
    """Looked up by something else, they say how it is done, and nothing is kept of it; `get` and `in` find nothing."""
    shot = session.merge({"type": "Shot", "id": 1})
    with pytest.raises(SyntaxProblem, match=r"by type and field, backrefs\['Task', 'entity'\], not by"):
        shot.backrefs[odd]
    assert odd not in shot.backrefs
    assert shot.backrefs.get(odd, "-") == "-"
    assert not shot._backrefs


def test_what_an_interrupt_left_out_is_mended(session: Session) -> None:
    """Links without back-references get them, once; those that are there stay as they are."""
    shot, first, second = session.merge(
        [{"type": "Shot", "id": 1}, *({"type": "Asset", "id": id} for id in (1, 2))]
    )
    shot["lead"] = first
    dict.__setitem__(shot, "rival", second)
    dict.__setitem__(shot, "assets", LinkList([first, second]))
    for _ in range(2):
        mend(shot, session._lock)
        assert_sound(session)
    session.merge({"type": "Shot", "id": 1, "assets": [first], "lead": None}, over=True)
    assert_sound(session)


def test_a_list_that_is_mentioned_several_times(session: Session) -> None:
    """Each field has links of its own, whatever else holds the same list."""
    assets = [{"type": "Asset", "id": 5}]
    merged = session.merge(
        {
            "first": {"type": "Shot", "id": 1, "assets": assets},
            "assets": assets,
            "second": {"type": "Shot", "id": 2, "assets": assets},
        }
    )
    asset = merged["assets"][0]
    assert list(asset.backrefs[("Shot", "assets")]) == [merged["first"], merged["second"]]
    assert merged["first"]["assets"] is not merged["second"]["assets"]
    assert_sound(session)


def test_cycles_run_through_entities_dicts_and_lists(session: Session) -> None:
    """Raw data that holds itself is merged into a graph that does."""
    shot: dict[str, Any] = {"type": "Shot", "id": 1}
    task: dict[str, Any] = {"type": "Task", "id": 1, "entity": shot}
    box: dict[str, Any] = {"task": task}
    box["self"] = box
    ring: list[Any] = [box]
    ring.append(ring)
    shot["tasks"] = [task]
    shot["blob"] = box
    shot["ring"] = ring
    found = session.merge(shot)
    assert found["tasks"][0]["entity"] is found
    assert found["blob"]["self"] is found["blob"]
    assert found["blob"]["task"] is found["tasks"][0]
    assert found["ring"][1] is found["ring"]
    assert found["ring"][0] is found["blob"]
    assert found["blob"] is not box
    assert repr(found)
    assert_sound(session)


def test_back_references_compare_as_the_sequence_that_they_are(session: Session) -> None:
    """With lists, tuples and each other; with anything else they are unequal, and they have no hash."""
    tasks = session.merge(
        [{"type": "Task", "id": number, "entity": {"type": "Shot", "id": 1}} for number in (3, 1)]
    )
    found = tasks[0]["entity"].backrefs[("Task", "entity")]
    assert found == tasks
    assert found == tuple(tasks)
    assert found == tasks[0]["entity"].backrefs[("Task", "entity")]
    assert found != tasks[::-1]
    assert found != tasks[0]["entity"].backrefs[("Version", "entity")]
    assert found != set(tasks)
    with pytest.raises(TypeError, match="unhashable"):
        hash(found)


def test_one_raw_list_in_two_places_links_both(session: Session) -> None:
    """A list that a script built once and used twice makes back-references from each field that holds it."""
    assets = [{"type": "Asset", "id": 1}]
    one, other = session.merge(
        [{"type": "Shot", "id": 1, "assets": assets}, {"type": "Shot", "id": 2, "assets": assets}]
    )
    asset = session.merge(assets[0])
    assert list(asset.backrefs[("Shot", "assets")]) == [one, other]
    one["assets"] = []
    assert other["assets"] == [asset]
    assert list(asset.backrefs[("Shot", "assets")]) == [other]
    assert_sound(session)


REMOVALS: dict[str, Callable[[Session, Entity], Any]] = {
    "del": lambda session, task: task.__delitem__("reviewers"),
    "pop": lambda session, task: task.pop("reviewers"),
    "clear": lambda session, task: task.clear(),
    "forget": lambda session, task: session.forget(task),
    "set": lambda session, task: task.update(entity=None, reviewers=[task["entity"]]),
}


@pytest.mark.uncovered
@pytest.mark.parametrize("remove", REMOVALS.values(), ids=REMOVALS)
def test_removing_that_is_interrupted(remove: Callable[[Session, Entity], Any]) -> None:
    """Ctrl-C at each point of it: links and back-references fit, those that somebody holds as well."""
    for step in itertools.count(1):
        session = Session(False)
        shot = {"type": "Shot", "id": 1}
        task = session.merge(
            {"type": "Task", "id": 1, "entity": shot, "reviewers": [shot, {"type": "Shot", "id": 2}]}
        )
        session.merge({"type": "Note", "id": 9, "links": [task]})
        held = task["entity"].backrefs["Task", "reviewers"]
        assert list(held) == [task]
        outcome = interrupt_at(step, lambda: remove(session, task), modules=("sgsession",))  # noqa: B023 - called here
        assert_sound(session)
        assert [one in held for one in held] == [True] * len(held), outcome.where
        if not outcome.interrupted:
            break
    assert step > 20


@pytest.mark.uncovered
def test_a_link_that_is_interrupted_shows_where_somebody_has_looked() -> None:
    """Back-references that were iterated before do not stay as they were."""
    for step in itertools.count(1):
        session = Session(False)
        shot = session.merge({"type": "Shot", "id": 1})
        tasks = session.merge([{"type": "Task", "id": 1, "entity": shot}, {"type": "Task", "id": 2}])
        held = shot.backrefs["Task", "entity"]
        assert list(held) == tasks[:1]
        outcome = interrupt_at(step, lambda: tasks[1].update(entity=shot), modules=("sgsession.graph",))  # noqa: B023
        assert list(held) == [task for task in tasks if "entity" in task], outcome.where
        if not outcome.interrupted:
            break
    assert step > 20
