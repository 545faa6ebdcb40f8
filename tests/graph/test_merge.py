"""Which value wins, and that merging has no memory but the graph."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession import Session

from ..strategies import aged_rows, flat_rows, moment_forms, rows
from .views import assert_sound, back_references, known

SHOT = {"type": "Shot", "id": 1}


@pytest.fixture
def session() -> Session:
    """A session without a site."""
    return Session(False)


def _merged(batches: Any, **options: Any) -> Session:
    session = Session(False)
    for batch in batches:
        session.merge(batch, **options)
    return session


@given(rows, st.none() | st.booleans(), st.none() | st.integers(0, 9))
def test_merging_an_answer_again_changes_nothing(
    row: dict[str, Any], over: bool | None, age: int | None
) -> None:
    """Once or twice is the same, whatever wins."""
    once = _merged([row], over=over, created_at=age)
    twice = _merged([row, row], over=over, created_at=age)
    assert known(once) == known(twice)
    assert back_references(once) == back_references(twice)


@given(aged_rows(flat_rows), st.none() | st.booleans())
def test_merging_aged_rows_again_changes_nothing(batch: list[dict[str, Any]], over: bool | None) -> None:
    """Once or twice is the same for many rows with ages, too, also of one entity."""
    once, twice = _merged([batch], over=over), _merged([batch, batch], over=over)
    assert known(once) == known(twice)
    assert back_references(once) == back_references(twice)


@given(aged_rows(), st.randoms(use_true_random=False))
def test_the_order_of_rows_with_distinct_ages_does_not_matter(
    batch: list[dict[str, Any]], random: Any
) -> None:
    """Rows of the same fields: the newest is what is known, in whatever order and packets they came."""
    shuffled = batch[:]
    random.shuffle(shuffled)
    at_once, one_by_one = _merged([batch]), _merged(shuffled)
    assert known(at_once) == known(one_by_one)
    assert back_references(at_once) == back_references(one_by_one)
    assert_sound(one_by_one)


@given(aged_rows(flat_rows))
def test_two_rows_fill_each_others_gaps_in_either_order(batch: list[dict[str, Any]]) -> None:
    """Of two rows with different fields, the older fills what the newer does not say."""
    for one, other in itertools.pairwise(batch):
        assert known(_merged([one, other])) == known(_merged([other, one]))


@pytest.mark.parametrize(("newer", "older"), [*itertools.product(moment_forms(1), moment_forms(0))], ids=repr)
def test_ages_compare_in_whatever_form_they_come(session: Session, newer: Any, older: Any) -> None:
    """A row that is a minute older neither wins nor is lost, in any two forms."""
    session.merge({**SHOT, "code": "new", "updated_at": newer})
    shot = session.merge({**SHOT, "code": "old", "description": "gap", "updated_at": older})
    assert (shot["code"], shot["description"]) == ("new", "gap")
    session.merge({**SHOT, "code": "newest", "updated_at": newer}, over=True)
    assert shot["code"] == "newest"


def test_over_decides_alone(session: Session) -> None:
    """True: the new values win, however old. False: the old ones do, and gaps are filled."""
    shot = session.merge({**SHOT, "code": "a", "updated_at": 100})
    session.merge({**SHOT, "code": "b", "updated_at": 50}, over=True)
    assert shot["code"] == "b"
    session.merge({**SHOT, "code": "c", "description": "d", "updated_at": 500}, over=False)
    assert (shot["code"], shot["description"]) == ("b", "d")


def test_an_equal_age_fills_gaps_only(session: Session) -> None:
    """Of two rows of one age the first stays, and the second adds."""
    shot = session.merge({**SHOT, "code": "a", "updated_at": 100})
    session.merge({**SHOT, "code": "b", "description": "d", "updated_at": 100})
    assert (shot["code"], shot["description"]) == ("a", "d")


def test_a_row_without_any_age_was_read_now(session: Session) -> None:
    """It wins over what has an age, and over what has none."""
    shot = session.merge({**SHOT, "code": "a", "updated_at": 100})
    assert session.merge({**SHOT, "code": "b"})["code"] == "b"
    assert session.merge({**SHOT, "code": "c"})["code"] == "c"
    assert shot["updated_at"] == 100


def test_created_at_is_the_age_of_rows_that_say_none(session: Session) -> None:
    """It counts for later merges, too; a row's own `updated_at` goes before it."""
    session.merge({**SHOT, "code": "a"}, created_at=100)
    shot = session.merge({**SHOT, "code": "b"}, created_at=50)
    assert shot["code"] == "a"
    assert session.merge({**SHOT, "code": "c"}, created_at=150)["code"] == "c"
    assert session.merge({**SHOT, "code": "d", "updated_at": 20}, created_at=900)["code"] == "c"


def test_a_nested_row_is_as_old_as_the_row_around_it(session: Session) -> None:
    """What came inside an old answer does not win over what is newer."""
    session.merge({**SHOT, "code": "new", "updated_at": 100})
    task = session.merge(
        {"type": "Task", "id": 1, "updated_at": 50, "entity": {**SHOT, "code": "old", "description": "gap"}}
    )
    assert (task["entity"]["code"], task["entity"]["description"]) == ("new", "gap")
    session.merge({"type": "Task", "id": 2, "updated_at": 200, "entity": {**SHOT, "code": "newest"}})
    assert task["entity"]["code"] == "newest"


def test_a_deep_value_lands_on_the_linked_entity(session: Session) -> None:
    """With the link in the row, before it, or after it; and never as a key."""
    one = session.merge({"type": "Task", "id": 1, "entity": SHOT, "entity.Shot.code": "A"})
    assert one["entity"]["code"] == one["entity.Shot.code"] == "A"
    two = session.merge({"type": "Task", "id": 2, "entity.Asset.code": "B"})
    assert two["entity.Asset.code"] == "B"
    assert "entity.Asset.code" in two
    session.merge({"type": "Task", "id": 2, "entity": {"type": "Asset", "id": 2}})
    session.merge({"type": "Task", "id": 2, "entity.Asset.code": "C"})
    assert two["entity"]["code"] == "C"
    assert not any("." in field for field in [*one.keys(), *two.keys()])


def test_a_deep_value_for_the_wrong_type_or_a_null_link_says_nothing(session: Session) -> None:
    """The link counts: what a site answers beside it is None in any case."""
    task = session.merge(
        {
            "type": "Task",
            "id": 1,
            "entity": SHOT,
            "entity.Asset.code": None,
            "step": None,
            "step.Step.code": None,
        }
    )
    assert "code" not in task["entity"]
    assert task["entity.Asset.code"] is None
    assert task["step"] is None
    assert task["step.Step.code"] is None


def test_deep_values_that_come_one_by_one_wait_for_the_link_together(session: Session) -> None:
    """Each is known under its path until the link comes; then all are fields of the linked entity."""
    task = session.merge({"type": "Task", "id": 1, "entity.Shot.code": "A"})
    session.merge({"type": "Task", "id": 1, "entity.Shot.description": "B"})
    assert task.get(["entity.Shot.code", "entity.Shot.description"]) == ("A", "B")
    assert set(task) == {"type", "id"}


def test_deep_values_through_several_links_build_the_chain(session: Session) -> None:
    """Each step that brings its link is an entity of its own."""
    task = session.merge(
        {
            "type": "Task",
            "id": 1,
            "entity.Shot.sg_sequence.Sequence.code": "SQ",
            "entity.Shot.sg_sequence": {"type": "Sequence", "id": 5},
            "entity": SHOT,
        }
    )
    assert task["entity"]["sg_sequence"]["code"] == "SQ"
    assert list(task["entity"]["sg_sequence"].backrefs[("Shot", "sg_sequence")]) == [task["entity"]]


def test_the_display_name_of_a_link_is_no_field_of_its_own_where_the_type_has_one(session: Session) -> None:
    """A PublishedFile's `name` is a field that its links do not say."""
    version = session.merge(
        {
            "type": "Version",
            "id": 1,
            "published_files": [{"type": "PublishedFile", "id": 1, "name": "shown"}],
            "entity": {**SHOT, "name": "AA"},
        }
    )
    assert "name" not in version["published_files"][0]
    assert version["published_files"][0].name == "shown"
    assert version["entity"]["name"] == version["entity"].name == "AA"


@given(
    st.recursive(
        st.integers() | rows,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.tuples(inner, inner)
            | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
        ),
        max_leaves=6,
    )
)
def test_any_nesting_is_copied(data: Any) -> None:
    """The answer has the same shape; the original is not touched, and raw entities are the session's."""
    before = repr(data)
    session = Session(False)
    found = session.merge(data)
    assert repr(data) == before
    assert_same_shape(session, data, found)


def assert_same_shape(session: Session, raw: Any, found: Any) -> None:
    """Containers in the place of containers, entities in the place of raw ones."""
    if isinstance(raw, dict) and "type" in raw:
        assert session.merge({"type": raw["type"], "id": raw["id"]}) is found
    elif isinstance(raw, dict):
        assert type(found) is dict
        assert found is not raw
        assert list(found) == list(raw)
        for key, value in raw.items():
            assert_same_shape(session, value, found[key])
    elif isinstance(raw, (list, tuple)):
        assert type(found) is type(raw)
        assert len(found) == len(raw)
        for one, other in zip(raw, found, strict=True):
            assert_same_shape(session, one, other)
    else:
        assert found == raw


def test_a_deep_value_does_not_follow_a_link_to_another_type(session: Session) -> None:
    """What was told of a shot is not told of the asset that the link turns out to hold."""
    task = session.merge({"type": "Task", "id": 1, "entity.Shot.code": "AA"})
    session.merge({"type": "Task", "id": 1, "entity": {"type": "Asset", "id": 1}})
    assert "code" not in task["entity"]
    assert task["entity.Shot.code"] is None
    assert_sound(session)


@pytest.mark.parametrize(
    "early",
    [
        {"entity.Shot.sg_sequence": {"type": "Sequence", "id": 5}},
        {"entity.Shot.assets": [{"type": "Asset", "id": 1}]},
        {"entity.Shot.sg_sequence.Sequence.code": "SQ"},
    ],
    ids=["link", "list", "deeper"],
)
def test_deep_values_that_come_before_their_link_are_merged_by_it(
    session: Session, early: dict[str, Any]
) -> None:
    """Links in them become the session's entities with back-references, and a deep path is no key."""
    task = session.merge({"type": "Task", "id": 1, **early})
    session.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1}})
    assert not [key for key in task["entity"] if "." in key]
    assert_sound(session)


def test_a_deep_value_for_another_type_than_its_link_is_void() -> None:
    """What came before the link, for a type that the link turns out not to hold, says nothing of what it holds."""
    session = Session(False)
    task = session.merge({"type": "Task", "id": 1, "entity.Asset.code": "lamp"})
    assert task["entity.Asset.code"] == "lamp"
    session.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 2}})
    assert "code" not in task["entity"]
    assert task["entity.Asset.code"] is None


def test_a_deep_value_is_void_where_the_link_is_null() -> None:
    """What came before the link is gone once the link is known to hold nothing."""
    session = Session(False)
    task = session.merge({"type": "Task", "id": 1, "entity.Shot.code": "AA_001"})
    session.merge({"type": "Task", "id": 1, "entity": None})
    assert task["entity.Shot.code"] is None


NEWER, OLDER = "2026-05-02T00:00:00Z", "2026-05-01T00:00:00Z"
TASK = {"type": "Task", "id": 1}


@pytest.mark.parametrize("over", [None, True, False])
def test_the_id_behind_a_link_says_which_link_it_is(session: Session, over: bool | None) -> None:
    """`entity.Shot.id` without the link: the other deep values are of that shot, whatever is known or wins."""
    task = session.merge({**TASK, "updated_at": OLDER, "entity": {"type": "Shot", "id": 2}})
    moved = {**TASK, "updated_at": NEWER, "entity.Shot.id": 1, "entity.Shot.code": "AA_1"}
    session.merge(moved, over=over)
    assert session.merge({"type": "Shot", "id": 1})["code"] == "AA_1"
    assert "code" not in session.merge({"type": "Shot", "id": 2})
    assert task["entity"]["id"] == task["entity.Shot.id"] == (2 if over is False else 1)
    assert_sound(session)


def test_deep_values_of_an_older_row_are_not_those_of_a_newer_link(session: Session) -> None:
    """It was made when the task may have hung on another shot; one of the same age was not, and fills gaps."""
    task = session.merge({**TASK, "updated_at": NEWER, "entity": {"type": "Shot", "id": 2}})
    session.merge({**TASK, "updated_at": OLDER, "entity.Shot.code": "of another"})
    assert "code" not in task["entity"]
    session.merge({**TASK, "updated_at": NEWER, "entity.Shot.cut_in": 1})
    assert task["entity"]["cut_in"] == 1
    session.merge(
        {**TASK, "updated_at": OLDER, "entity": {"type": "Shot", "id": 3}, "entity.Shot.code": "three"}
    )
    assert task["entity"]["id"] == 2
    assert session.merge({"type": "Shot", "id": 3})["code"] == "three"


@pytest.mark.parametrize("over", [None, False])
def test_what_waits_for_its_link_is_the_newest(session: Session, over: bool | None) -> None:
    """Deep values without their link are older and newer as fields are."""
    task = session.merge({**TASK, "updated_at": NEWER, "entity.Shot.code": "new"})
    session.merge(
        {**TASK, "updated_at": OLDER, "entity.Shot.code": "old", "entity.Shot.cut_in": 1}, over=over
    )
    assert task.get(["entity.Shot.code", "entity.Shot.cut_in"]) == ("new", 1)
    session.merge({**TASK, "entity": {"type": "Shot", "id": 1}})
    assert task["entity"].get(["code", "cut_in"]) == ("new", 1)


def test_a_link_that_waits_for_its_link_is_an_entity(session: Session) -> None:
    """A deep link without the link before it; also one that is forgotten before that comes."""
    row = {**TASK, "entity.Shot.sg_sequence": {"type": "Sequence", "id": 3, "name": "AA"}}
    task = session.merge(row)
    sequence = session.merge({"type": "Sequence", "id": 3})
    assert task["entity.Shot.sg_sequence"] is sequence
    session.forget(sequence)
    session.merge({**TASK, "entity": {"type": "Shot", "id": 1}})
    assert task["entity"]["sg_sequence"] is session.merge({"type": "Sequence", "id": 3})
    assert_sound(session)


def test_what_looks_like_an_id_behind_a_link(session: Session) -> None:
    """A path with a step missing is kept as it is, and names no entity."""
    odd = {"..id": 1, ".Shot.id": 2, "entity..id": 3, "id.": 4}
    task = session.merge({**TASK, **odd})
    assert {path: dict.get(task, path) for path in odd} == odd
    assert len(session.graph.identity) == 1


@pytest.mark.parametrize(
    "link", [{"entity.Shot.id": 5}, {"entity": {"type": "Shot", "id": 5}}], ids=["id", "link"]
)
@pytest.mark.parametrize("ages", [{}, {"created_at": 2_000_000_000}], ids=["updated_at", "created_at"])
def test_what_comes_with_the_link_is_newer_than_what_waited_for_it(
    session: Session, link: dict[str, Any], ages: dict[str, Any]
) -> None:
    """Both speak of one field: the row that brings the link has the newer value."""
    old, new = ({}, {}) if ages else ({"updated_at": OLDER}, {"updated_at": NEWER})
    task = session.merge(
        {**TASK, **old, "entity.Shot.code": "OLD"}, created_at=1_000_000_000 if ages else None
    )
    session.merge({**TASK, **new, **link, "entity.Shot.code": "NEW"}, **ages)
    assert task["entity"]["code"] == task["entity.Shot.code"] == "NEW"


def test_a_value_without_end_waits_for_its_link(session: Session) -> None:
    """Cycles are fine there, too, and what is no dict or list stays what it is."""
    endless: dict[str, Any] = {"tags": {"one"}, "sequence": {"type": "Sequence", "id": 3}}
    endless["again"] = endless
    task = session.merge({**TASK, "entity.Shot.sg_data": endless})
    session.merge({**TASK, "entity": {"type": "Shot", "id": 1}})
    data = task["entity"]["sg_data"]
    assert data["again"] is data
    assert data["tags"] == {"one"}
    assert data["sequence"] is session.merge({"type": "Sequence", "id": 3})


def test_what_waits_for_its_link_and_was_forgotten_is_not_known(session: Session) -> None:
    """As a field that linked to it: there are never two objects for one entity."""
    waiting = {
        "entity.Shot.project": {"type": "Project", "id": 9},
        "entity.Shot.tags": [{"type": "Tag", "id": 1}],
    }
    task = session.merge({**TASK, **waiting})
    assert all(path in task for path in waiting)
    session.forget([task["entity.Shot.project"], *task["entity.Shot.tags"]])
    assert not any(path in task for path in waiting)


@pytest.mark.parametrize(
    "link",
    [
        {"entity.Shot.id": 5, "entity.Shot.code": "SECOND"},
        {"entity": {"type": "Shot", "id": 5}, "entity.Shot.code": "SECOND"},
    ],
    ids=["id", "link"],
)
@pytest.mark.parametrize("over", [None, False])
def test_what_waited_for_its_link_stays_where_the_row_that_brings_it_loses(
    session: Session, link: dict[str, Any], over: bool | None
) -> None:
    """An older row, and one that is not to win, brings the link and fills gaps."""
    task = session.merge({**TASK, "updated_at": NEWER, "entity.Shot.code": "FIRST"})
    session.merge({**TASK, "updated_at": OLDER, **link}, over=over)
    assert task["entity"]["code"] == "FIRST"
