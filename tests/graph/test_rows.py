"""Merging in one pass: the rows as they were sent give what the decoded rows give, merged one value at a time."""

from __future__ import annotations

import copy
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession import Session
from sgsession.graph.wire import WireRows, WireValues
from sgsession.testing.interruption import interrupt_at
from sgsession.transport.calling.moments import reader_of_moments

from .views import back_references, known, links_turned_round, plain

TYPES = ("Task", "Shot", "Sequence", "Version")
KEYS = [
    "content",
    "entity",
    "entity.Shot.code",
    "entity.Shot.id",
    "entity.Shot.sg_sequence",
    "entity.Shot.sg_sequence.Sequence.code",
    "entity.Shot.tags",
    "entity.Task.content",
    "sg_sequence",
    "sg_sequence.Sequence.code",
    "tags",
    "updated_at",
    "url",
]

texts = st.sampled_from(
    [
        "",
        "AA",
        "a &lt; b",
        "2026-11-23T20:08:20Z",
        "2026-11-23 20:08:20Z",
        "2026-02-30T00:00:00Z",
        "x" * 20,
        "ß",
    ]
)
ids = st.integers(1, 3)
bare = st.fixed_dictionaries({"type": st.sampled_from(TYPES), "id": ids})
# A page is of one moment: two links of it do not say two things of one entity.
NAMES = ["AA", "a &lt; b", "2026-11-23T20:08:20Z", None]
named = bare.map(lambda link: {**link, "name": NAMES[(len(link["type"]) + link["id"]) % 4]})
odd = st.builds(
    lambda link, more: {**link, **more},
    named,
    st.sampled_from(
        [{"valid": "valid"}, {"extra": "AB"}, {"template_task_id": 5}, {"other": {"type": "Shot", "id": 2}}]
    ),
)
no_link = st.sampled_from(
    [
        {"name": "a", "type": "b"},
        {
            "link_type": "local",
            "local_path_linux": "/a",
            "name": "2026-11-23T20:08:20Z",
            "type": "Attachment",
        },
        {"type": "Shot", "id": "1", "name": "x"},
        {"type": 5, "id": 1, "name": "x"},
        {"x": [{"type": "Shot", "id": 1}]},
    ]
)
links = st.none() | named | bare | odd | no_link
lists = st.lists(named, max_size=3) | st.lists(links | texts, max_size=3)
values = st.none() | texts | st.integers(-3, 3) | st.booleans() | st.floats(-2, 2) | links | lists


@st.composite
def pages(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of one shape, mostly, as a page has them."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=8))
    truth: dict[tuple[Any, ...], Any] = {}

    def said(key: str, entity_type: Any, entity_id: Any) -> Any:
        link, _, rest = key.partition(".")
        value = truth.get((entity_type, entity_id, link))
        if (entity_type, entity_id, link) not in truth:
            value = truth[entity_type, entity_id, link] = draw(values)
        if not rest:
            return value
        linked_type, _, rest = rest.partition(".")
        if not isinstance(value, dict) or value.get("type") != linked_type:
            return None
        return value["id"] if rest == "id" else said(rest, linked_type, value.get("id"))

    found = []
    for _ in range(draw(st.integers(0, 4))):
        row: dict[str, Any] = {"type": draw(st.sampled_from(TYPES)), "id": draw(ids)}
        found.append({**row, **{key: said(key, row["type"], row["id"]) for key in keys}})
    return found


def in_one_pass(rows: list[dict[str, Any]]) -> WireRows:
    """The rows as a connection hands them over."""
    return WireRows(copy.deepcopy(rows), WireValues(reader_of_moments(True), "local_path_linux"), False)


def merged(answers: list[list[dict[str, Any]]], one_pass: bool) -> tuple[Session, list[list[Any]]]:
    """A session that was given these answers in turn, and what each gave."""
    session = Session(False)
    found = []
    for rows in answers:
        answer: Any = in_one_pass(rows) if one_pass else in_one_pass(rows).decoded()
        with session.graph.reading() as moment:
            found.append([entity.key for entity in session.graph.merge_answer(answer, moment, True)])
    return session, found


@given(st.lists(pages(), min_size=1, max_size=3))
def test_one_pass_gives_what_merging_gives(answers: list[list[dict[str, Any]]]) -> None:
    """The same entities in the same order, with the same fields, links, back-references and existence."""
    quick, found = merged(answers, one_pass=True)
    slow, expected = merged(answers, one_pass=False)
    assert found == expected
    assert known(quick) == known(slow)
    assert back_references(quick) == back_references(slow)
    assert {e.key: e._exists for e in quick.graph.identity} == {e.key: e._exists for e in slow.graph.identity}
    assert {e.key: plain(e._aside or {}) for e in quick.graph.identity} == {
        e.key: plain(e._aside or {}) for e in slow.graph.identity
    }
    assert back_references(quick) == links_turned_round(quick)


def test_equal_values_are_one_object() -> None:
    """Texts, instants and links that are equal are shared between the rows of all pages."""
    row = {
        "type": "Task",
        "content": "Comp and more",
        "updated_at": "2026-11-23T20:08:20Z",
        "step": {"type": "Step", "id": 4, "name": "Comp"},
    }
    rows = [json.loads(json.dumps({**row, "id": id})) for id in (1, 2)]
    session = Session(False)
    values = WireValues(reader_of_moments(True), None)
    with session.graph.reading() as moment:
        [first] = session.graph.merge_answer(WireRows(rows[:1], values, True), moment, True)
        [second] = session.graph.merge_answer(WireRows(rows[1:], values, False), moment, True)
    for field in ("content", "updated_at", "step"):
        assert first[field] is second[field]
    assert [key for key in first if key not in ("type", "id")] == ["content", "updated_at", "step"]
    assert all(one is other for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("one_pass", [True, False])
def test_what_waited_for_its_link_is_older_than_what_comes_with_it(one_pass: bool) -> None:
    """A deep value that came before its link does not replace the one that the link's row has."""
    early = {"type": "Task", "id": 2, "entity.Shot.code": None}
    late = {"type": "Task", "id": 2, "entity.Shot.id": 1, "entity.Shot.code": "AA"}
    session, _ = merged([[early], [late]], one_pass)
    assert known(session)["Shot", 1]["code"] == "AA"


@pytest.mark.parametrize("over", [None, True, False])
@pytest.mark.parametrize("way", ["inside", "beside", "set"])
def test_what_waited_for_its_link_fills_gaps_only(way: str, over: bool | None) -> None:
    """Wherever the linked entity's own row comes from: in the link, in the same answer, or by hand."""
    session = Session(False)
    task = session.merge(
        {"type": "Task", "id": 2, "entity.Shot.code": "old", "entity.Shot.description": "kept"}
    )
    shot = {"type": "Shot", "id": 1, "code": "new"}
    if way == "inside":
        session.merge({"type": "Task", "id": 2, "entity": shot}, over=over)
    elif way == "beside":
        session.merge([{"type": "Task", "id": 2, "entity": {"type": "Shot", "id": 1}}, shot], over=over)
    else:
        task["entity"] = shot
    assert (task["entity"]["code"], task["entity"]["description"]) == ("new", "kept")


@pytest.mark.parametrize("one_pass", [True, False])
def test_what_waited_for_a_link_further_up(one_pass: bool) -> None:
    """A deep value of the linked entity, which a page brings the link for, lands; a newer one of the page wins."""
    session = Session(False)
    session.merge(
        {"type": "Shot", "id": 1, "sg_sequence.Sequence.code": "old", "sg_sequence.Sequence.text": "kept"}
    )
    page = in_one_pass(
        [
            {
                "type": "Task",
                "id": 1,
                "entity": {"type": "Shot", "id": 1, "name": "AA"},
                "entity.Shot.sg_sequence": {"type": "Sequence", "id": 5, "name": "S"},
                "entity.Shot.sg_sequence.Sequence.code": "new",
            }
        ]
    )
    with session.graph.reading() as moment:
        session.graph.merge_answer(page if one_pass else page.decoded(), moment, True)
    sequence = session.get("Shot", 1)["sg_sequence"]
    assert (sequence["code"], sequence["text"], sequence["name"]) == ("new", "kept", "S")


@pytest.mark.parametrize("one_pass", [True, False])
def test_a_display_name_may_be_anything(one_pass: bool) -> None:
    """Where somebody has kept a list as the name of what a page links to, the page's name replaces it."""
    session = Session(False)
    asset, shot = session.merge([{"type": "Asset", "id": 5}, {"type": "Shot", "id": 1}])
    shot["name"] = [asset]
    page = in_one_pass([{"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1, "name": "AA"}}])
    with session.graph.reading() as moment:
        session.graph.merge_answer(page if one_pass else page.decoded(), moment, True)
    assert shot["name"] == "AA"
    assert back_references(session) == links_turned_round(session)


def test_plans_of_many_shapes_are_forgotten() -> None:
    """Who asks for other fields each time does not fill the memory."""
    session = Session(False)
    for number in range(1_100):
        with session.graph.reading() as moment:
            page = in_one_pass([{"type": "Shot", "id": 1, f"field_{number}": 1}])
            session.graph.merge_answer(page, moment, True)
    assert len(session.graph.row_plans) <= 1_000


@pytest.mark.parametrize("one_pass", [True, False])
def test_a_tuple_of_links_gives_way(one_pass: bool) -> None:
    """Somebody has set one where a page has a link, or none: back-references follow, those of later rows too."""
    session = Session(False)
    shot, task = session.merge([{"type": "Shot", "id": 1}, {"type": "Task", "id": 2}])
    task["entity"] = task["tags"] = (shot,)
    links = [{"type": "Shot", "id": id, "name": "AA"} for id in (1, 2, 1)]
    page = in_one_pass(
        [{"type": "Task", "id": id, "entity": link, "tags": None} for id, link in enumerate(links, 1)]
    )
    with session.graph.reading() as moment:
        session.graph.merge_answer(page if one_pass else page.decoded(), moment, True)
    assert sorted(entity["id"] for entity in shot.backrefs["Task", "entity"]) == [1, 3]
    assert back_references(session) == links_turned_round(session)


@pytest.mark.parametrize("odd_id", [True, 1.0])
def test_what_is_like_an_id_is_none(odd_id: Any) -> None:
    """A link whose id equals that of another one, but is no integer, leads nowhere."""
    rows = [
        {"type": "Task", "id": id, "entity": {"type": "Shot", "id": link, "name": "AA"}}
        for id, link in ((1, 1), (2, odd_id))
    ]
    (quick, _), (slow, _) = merged([rows], True), merged([rows], False)
    assert known(quick) == known(slow)
    assert type(quick.get("Task", 2)["entity"]) is dict


@pytest.mark.uncovered
@pytest.mark.parametrize("one_pass", [True, False])
def test_interrupted_at_each_point(one_pass: bool) -> None:
    """Ctrl-C while a page is merged, over nothing and over other links: no link without its back-reference."""

    def page(shift: int) -> Any:
        def link(kind: str, id: int) -> dict[str, Any]:
            return {"type": kind, "id": id, "name": "AA"}

        rows = [
            {
                "type": "Task",
                "id": id,
                "entity": link("Shot", id % 2 + shift),
                "tags": [link("Tag", id + shift), link("Tag", 9)],
                "entity.Shot.sg_sequence": link("Sequence", 1 + shift),
            }
            for id in (1, 3)
        ]
        return in_one_pass(rows) if one_pass else in_one_pass(rows).decoded()

    def merge(shift: int) -> None:
        with session.graph.reading() as moment:
            session.graph.merge_answer(page(shift), moment, True)

    points = 0
    for known_before in (False, True):
        for step in itertools.count(1):
            session = Session(False)
            if known_before:
                merge(1)
            outcome = interrupt_at(step, lambda: merge(2), modules=("sgsession.graph",))
            points += outcome.interrupted
            where, interrupted = outcome.where, outcome.interrupted
            del outcome
            assert back_references(session) == links_turned_round(session), where
            merge(2)
            assert back_references(session) == links_turned_round(session), where
            if not interrupted:
                break
    assert points > 100


def test_what_comes_before_a_row_that_is_none_is_whole() -> None:
    """Where a page cannot be merged, nothing of the rows before is left half filled."""
    session = Session(False)
    meta = {"type": "attribute_change", "old": {"deep": [1]}}
    page = in_one_pass(
        [{"type": "EventLogEntry", "id": 1, "meta": meta}, {"type": "EventLogEntry", "meta": meta}]
    )
    with session.graph.reading() as moment, pytest.raises(KeyError):
        session.graph.merge_answer(page, moment, True)
    assert session.merge({"type": "EventLogEntry", "id": 1})["meta"] == meta


@pytest.mark.parametrize("field", ["updated_at", "code"])
def test_what_was_written_meanwhile_stays(field: str) -> None:
    """A row that was on its way while this session wrote does not bring the old value back."""
    session = Session(False)
    shot = session.merge({"type": "Shot", "id": 1, "code": "old", "updated_at": None})
    with session.graph.reading() as moment:
        shot[field] = "new"
        answer = in_one_pass([{"type": "Shot", "id": 1, "code": "older", "updated_at": "older", "x": 1}])
        session.graph.merge_answer(answer, moment, True)
    assert shot[field] == "new"
    assert shot["x"] == 1


def test_an_odd_row_between_others_leaves_their_back_references_whole() -> None:
    """A link that moves away, in a row that is merged in the other way, does not hide those that come after it."""

    def task(id: int, shot: int, **more: Any) -> dict[str, Any]:
        return {"type": "Task", "id": id, "entity": {"type": "Shot", "id": shot, "name": "AA"}, **more}

    moving = {"type": "Task", "id": 2, "step.Step.code": "Anim"}
    session, _ = merged([[task(2, 1)], [moving], [task(1, 1), task(2, 2), task(3, 1)]], one_pass=True)
    assert back_references(session) == links_turned_round(session)
    assert len(session.merge({"type": "Shot", "id": 1}).backrefs[("Task", "entity")]) == 2
