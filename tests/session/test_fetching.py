"""1.2.2 Fetching Fields: `fetch`, `fetch_core`, `fetch_backrefs`. Hierarchies have a file of their own."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import pytest
import shotgun_api3

from sgsession import EntityNotFoundError, Session
from sgsession.site import LocalSite

from .conftest import Costs


@pytest.mark.smoke
def test_fetch_fills_in_fields(session: Session, costs: Costs) -> None:
    """The named fields are there afterwards; a second call costs nothing."""
    shots = session.find("Shot", [["project.Project.id", "is", 123]])
    with costs(1):
        session.fetch(shots, ["sg_cut_in", "description"])
    assert [shot["sg_cut_in"] for shot in shots] == [1001] * len(shots)
    with costs(0):
        session.fetch(shots, ["sg_cut_in", "description"])


def test_fetch_asks_only_for_who_lacks_it(session: Session, costs: Costs) -> None:
    """Entities that have the field already are left out of the request."""
    known = session.find_one("Shot", [["id", "is", 234]], ["sg_cut_in"])
    other = session.get("Shot", 235)
    with costs(1) as requests:
        session.fetch([known, other], ["sg_cut_in"])
    assert "234" not in str(requests[0].params["filters"])


def test_fetch_asks_only_for_what_lacks(session: Session, costs: Costs) -> None:
    """Of found shots, the named field alone, and `updated_at`: how old the row is that brings it."""
    shots = session.find("Shot", [])
    with costs(1) as requests:
        session.fetch(shots, ["sg_cut_in", "code", "project.Project.name"])
    assert sorted(requests[0].params["return_fields"]) == ["sg_cut_in", "updated_at"]
    with costs(1) as requests:
        session.fetch(shots, "sg_sequence.Sequence.description")
    assert sorted(requests[0].params["return_fields"]) == [
        "sg_sequence",
        "sg_sequence.Sequence.description",
        "updated_at",
    ]
    with costs(1) as requests:
        session.get("Shot", [234, 235], ["sg_cut_out", "code"])
    assert sorted(requests[0].params["return_fields"]) == ["sg_cut_out", "updated_at"]


def test_fetch_by_force_asks_for_the_named_fields_alone(session: Session, costs: Costs) -> None:
    """`force` is for what is named: what else is known is not asked for again."""
    shots = session.find("Shot", [], ["sg_cut_in"])
    with costs(1) as requests:
        session.fetch(shots, ["sg_cut_in"], force=True)
    assert sorted(requests[0].params["return_fields"]) == ["sg_cut_in", "updated_at"]


def test_important_fields_come_along_where_one_lacks_them(session: Session, costs: Costs) -> None:
    """A bare shot among found ones brings its core with the field that is fetched; then nothing lacks."""
    bare = session.merge({"type": "Shot", "id": 236})
    shots = session.find("Shot", [["id", "in", [234, 235]]])
    with costs(1) as requests:
        session.fetch([*shots, bare], "sg_cut_in")
    assert {"code", "sg_sequence", "sg_sequence.Sequence.code"} <= set(requests[0].params["return_fields"])
    with costs(0):
        session.fetch_core([bare])


def test_an_important_field_that_the_site_lacks_is_asked_for_once(session: Session, costs: Costs) -> None:
    """Which comes along with another one, and never again."""
    session.important_fields = {**session.important_fields, "Shot": ["code", "sg_mood"]}
    shot = session.merge({"type": "Shot", "id": 234})
    for field, along in (("sg_cut_in", True), ("sg_cut_out", False)):
        with costs(1) as requests:
            session.fetch([shot], field)
        assert ("sg_mood" in requests[0].params["return_fields"]) is along


def test_fetch_of_several_types(session: Session, costs: Costs) -> None:
    """One request for each type, however they are mixed."""
    rows = [("Task", 456), ("Shot", 234), ("Task", 457), ("Version", 601)]
    entities = session.merge([{"type": kind, "id": id} for kind, id in rows])
    with costs(3):
        session.fetch(entities, ["sg_status_list"])
    assert all("sg_status_list" in entity for entity in entities)


def test_types_are_asked_side_by_side(own_site: LocalSite, session: Session) -> None:
    """While the answer for one type is held back, the request for the other arrives."""
    entities = session.merge([{"type": "Task", "id": 456}, {"type": "Shot", "id": 234}])
    with ThreadPoolExecutor(1) as threads, own_site.hold("read") as first, own_site.hold("read") as second:
        fetching = threads.submit(session.fetch, entities, ["description"])
        first.wait()
        second.wait()
        first.release()
        second.release()
        fetching.result(10)


def test_fetch_brings_deep_fields(session: Session, costs: Costs) -> None:
    """Deep fields are fetched like others, and land on what is linked."""
    task = session.get("Task", 456)
    with costs(1):
        session.fetch([task], ["entity.Shot.sg_sequence.Sequence.description"])
    assert task["entity"]["sg_sequence"]["description"] == "Leaving the harbour"


@pytest.mark.parametrize(
    ("kind", "id", "path"),
    [
        ("Task", 456, "entity.Asset.sg_asset_type"),
        ("Task", 456, "entity.Asset.sg_status_list"),
        ("Shot", 245, "sg_sequence.Sequence.code"),
        ("Task", 489, "entity.Shot.sg_sequence.Sequence.code"),
        ("Shot", 234, "description"),
        ("Shot", 234, "sg_no_such_field"),
        ("Task", 456, "entity.Shot.sg_no_such_field"),
        ("Task", 456, "sg_no_such_link.Shot.code"),
        ("Shot", 245, "sg_sequence.Sequence.sg_no_such_field"),
        ("Shot", 234, "assets.Asset.code"),
    ],
    ids=lambda value: str(value),
)
def test_known_absent_is_known(session: Session, costs: Costs, kind: str, id: int, path: str) -> None:
    """A null, wrong-type or unknown path is asked for once, and not again."""
    entity = session.get(kind, id)
    with costs(at_most=1):
        session.fetch([entity], [path])
    with costs(0):
        session.fetch([entity], [path])
        entity.fetch(path)


def test_a_field_that_the_site_does_not_have(session: Session, costs: Costs) -> None:
    """It is no error to ask for it; it stays absent, and the default stands in."""
    shot = session.get("Shot", 234)
    with costs(1):
        assert shot.fetch("sg_no_such_field", default="none such") == "none such"
    assert "sg_no_such_field" not in shot
    with pytest.raises(KeyError, match="site has no field"):
        shot["sg_no_such_field"]


def test_fetch_again_by_force(own_site: LocalSite, session: Session, shotgun: Any, costs: Costs) -> None:
    """`force` asks although all is known, and the new value wins."""
    shot = session.get("Shot", 234)
    shotgun.update("Shot", 234, {"code": "AA_001b"})
    with costs(0):
        session.fetch([shot], ["code"])
    assert shot["code"] == "AA_001"
    with costs(1):
        session.fetch([shot], ["code"], force=True)
    assert shot["code"] == "AA_001b"


def test_a_row_that_is_not_there(session: Session, costs: Costs) -> None:
    """A fetch that misses rows names them in a `ValueError`, after the others were fetched."""
    there, gone = session.merge([{"type": "Shot", "id": 234}, {"type": "Shot", "id": 99_999}])
    with costs(1), pytest.raises(EntityNotFoundError, match="Shot:99999") as problem:
        session.fetch([there, gone], ["sg_cut_in"])
    assert isinstance(problem.value, ValueError)
    assert isinstance(problem.value, shotgun_api3.ShotgunError)
    assert problem.value.keys == (("Shot", 99_999),)
    assert there["sg_cut_in"] == 1001
    with costs(0):
        assert gone.exists() is False


def test_fields_may_come_from_a_generator(session: Session) -> None:
    """It is read once, for all types."""
    entities = session.merge([{"type": "Shot", "id": 234}, {"type": "Task", "id": 456}])
    session.fetch(entities, (field for field in ["sg_status_list"]))
    assert all("sg_status_list" in entity for entity in entities)


def test_fetch_of_nothing(session: Session, costs: Costs) -> None:
    """No entities or no fields, no request."""
    with costs(0):
        session.fetch([], ["code"])
        session.fetch([session.merge({"type": "Shot", "id": 234})], [])


def test_one_entity_and_one_field_will_do(session: Session, costs: Costs) -> None:
    """Neither has to be put into a list."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1):
        session.fetch(shot, "sg_cut_in")
    assert shot["sg_cut_in"] == 1001


@pytest.mark.parametrize(
    "fields", [[7], [None], [""], ["entity."], ["entity.Shot"], [".code"], ["entity..code"]]
)
def test_fields_that_cannot_be_are_refused(session: Session, costs: Costs, fields: list[Any]) -> None:
    """A path with a step missing is a `ValueError` that shows it; nothing is sent."""
    task = session.merge({"type": "Task", "id": 456})
    with costs(0), pytest.raises(ValueError) as problem:
        session.fetch([task], fields)
    assert repr(fields[0]) in str(problem.value)


def test_a_foreign_entity_is_refused(new_session: Callable[..., Session], costs: Costs) -> None:
    """An entity of another session is a `ValueError`, a raw dict a `TypeError`; nothing is sent."""
    session, other = new_session(), new_session()
    with costs(0):
        with pytest.raises(ValueError, match="another session"):
            session.fetch([other.merge({"type": "Shot", "id": 234})], ["code"])
        with pytest.raises(TypeError, match="not an entity"):
            session.fetch([{"type": "Shot", "id": 234}], ["code"])


def test_more_than_one_page_of_ids(session: Session, costs: Costs) -> None:
    """501 entities of a type take two requests."""
    tasks = session.merge([{"type": "Task", "id": id} for id in range(456, 957)])
    with costs(2), pytest.raises(EntityNotFoundError, match="and 435 more"):
        session.fetch(tasks, ["content"])


@pytest.mark.parametrize(
    "ask",
    [
        lambda session, tasks: session.fetch(tasks, "content"),
        lambda session, tasks: session.fetch_core(tasks),
        lambda session, tasks: session.filter_exists(tasks),
        lambda session, tasks: session.get("Task", [task["id"] for task in tasks], "content"),
        lambda session, tasks: session.fetch_hierarchy(tasks),
    ],
    ids=["fetch", "fetch_core", "filter_exists", "get", "fetch_hierarchy"],
)
def test_chunks_of_ids_are_asked_side_by_side(
    own_site: LocalSite, session: Session, costs: Costs, ask: Callable[[Session, Any], Any]
) -> None:
    """Of 1,001 entities the one that is known is not asked for; the others take two requests at once."""
    known = session.find("Task", [["id", "is", 456]])
    session.fetch_hierarchy(known)
    tasks = session.merge([{"type": "Task", "id": id} for id in range(456, 1457)])
    with (
        costs(2) as requests,
        ThreadPoolExecutor(1) as threads,
        own_site.hold("read") as first,
        own_site.hold("read") as second,
    ):
        asking = threads.submit(ask, session, tasks)
        first.wait()
        second.wait()
        first.release()
        second.release()
        # Most of them are not there.
        assert asking.exception(20) is None or isinstance(asking.exception(), EntityNotFoundError)
    asked = [request.params["filters"]["conditions"][0]["values"] for request in requests]
    assert sorted(map(len, asked)) == [500, 500]
    assert sorted(chain(*asked)) == list(range(457, 1457))
    assert all(len(str(request.params)) < 10_000 for request in requests)


# fetch_core


def test_fetch_core_brings_the_important_fields(session: Session, costs: Costs) -> None:
    """All important fields, and those of the links, by one request for each type; then by none."""
    task, shot = session.merge([{"type": "Task", "id": 456}, {"type": "Shot", "id": 236}])
    with costs(2):
        session.fetch_core([task, shot])
    assert {"content", "step", "project", "entity", "updated_at"} <= set(task)
    assert task["entity"]["code"] == "AA_001"
    assert task["step"]["short_name"] == "Matchmove"
    assert shot["sg_sequence"]["code"] == "AA"
    with costs(0):
        session.fetch_core([task, shot])


def test_fetch_does_not_bring_them(session: Session, costs: Costs) -> None:
    """After a `fetch` of one field, `fetch_core` still sees to it that the important ones are there."""
    task = session.merge({"type": "Task", "id": 456})
    session.fetch([task], ["sg_status_list"])
    with costs(at_most=1):
        session.fetch_core([task])
    assert task["entity"]["code"] == "AA_001"


def test_the_core_of_what_was_found_is_known(session: Session, costs: Costs) -> None:
    """A find brings the whole core, so that there is nothing left to fetch: for every type of the demo."""
    for kind in session.important_fields.keys() - {"PublishEvent"}:  # a custom type, which the demo has not
        found = session.find(kind, [])
        with costs(0):
            session.fetch_core(found)


# fetch_backrefs


def test_fetch_backrefs_finds_all_tasks_of_a_shot(session: Session, costs: Costs) -> None:
    """All tasks that refer to the shot are on its `backrefs` after one request."""
    shot = session.get("Shot", 234)
    with costs(1):
        session.fetch_backrefs([shot], "Task", "entity")
    tasks = shot.backrefs[("Task", "entity")]
    assert [task["content"] for task in tasks] == ["Matchmove", "Animation", "Compositing"]
    assert all(task["entity"] is shot for task in tasks)


def test_fetch_backrefs_of_many(session: Session, costs: Costs) -> None:
    """Any number of entities, also of different types, up to 500 in one request."""
    targets = [*session.find("Shot", []), *session.find("Asset", [])]
    with costs(1):
        session.fetch_backrefs(targets, "Task", "entity")
    assert sum(len(target.backrefs[("Task", "entity")]) for target in targets) == 56


def test_fetch_backrefs_of_lists(session: Session, costs: Costs) -> None:
    """Multi-entity fields lead back as well."""
    asset = session.merge({"type": "Asset", "id": 301})
    with costs(1):
        session.fetch_backrefs([asset], "Shot", "assets")
    holders = asset.backrefs[("Shot", "assets")]
    assert holders
    assert all(asset in shot["assets"] for shot in holders)


def test_fetch_backrefs_of_nothing(session: Session, costs: Costs) -> None:
    """No entities, no request; where nothing links here there is an empty sequence."""
    with costs(0):
        session.fetch_backrefs([], "Task", "entity")
    empty = session.merge({"type": "Shot", "id": 246})
    with costs(1):
        session.fetch_backrefs([empty], "Task", "entity")
    assert list(empty.backrefs[("Task", "entity")]) == []


def test_fetch_backrefs_of_a_field_that_is_none(session: Session, costs: Costs) -> None:
    """The site refuses a field that it does not have, in its own words."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1), pytest.raises(shotgun_api3.Fault, match="doesn't exist"):
        session.fetch_backrefs([shot], "Task", "sg_no_such_field")


# Threads


def test_threads_fetch_in_one_session(session: Session) -> None:
    """Many threads that fetch different fields of the same entities all find them there."""
    shots = session.find("Shot", [])
    fields = [
        "sg_cut_in",
        "sg_cut_out",
        "sg_cut_duration",
        "description",
        "created_at",
        "assets",
        "tasks",
        "notes",
    ]
    start = threading.Barrier(len(fields))

    def fetch(field: str) -> None:
        start.wait(10)
        session.fetch(shots, [field])

    with ThreadPoolExecutor(len(fields)) as threads:
        list(threads.map(fetch, fields))
    assert all(set(fields) <= set(shot) for shot in shots)


def test_the_error_of_a_missing_row_travels(session: Session, costs: Costs) -> None:
    """Raised in a farm job, it arrives with its text and the keys of what is missing."""
    gone = session.merge([{"type": "Task", "id": id} for id in (99_998, 99_999)])
    with costs(1), pytest.raises(EntityNotFoundError) as problem:
        session.fetch(gone, "content")
    again = pickle.loads(pickle.dumps(problem.value))
    assert type(again) is EntityNotFoundError
    assert str(again) == str(problem.value)
    assert again.keys == (("Task", 99_998), ("Task", 99_999))


def test_an_own_value_outlives_an_answer_without_it(session: Session, costs: Costs) -> None:
    """What a script keeps on an entity under a field that the site lacks stays when the site is asked for it."""
    shot = session.get("Shot", 234)
    shot["our_note"] = "kept"
    with costs(1):
        session.find("Shot", [["id", "in", [234, 235]]], ["our_note"])
    assert shot["our_note"] == "kept"
    assert "our_note" not in session.get("Shot", 235)


@pytest.mark.parametrize("field", ["{entity,project}", [], ["entity", "project"]], ids=str)
def test_back_references_come_from_one_field(session: Session, costs: Costs, field: Any) -> None:
    """Several fields, or none, are refused before anything is sent."""
    with costs(0), pytest.raises(ValueError, match="from one field"):
        session.fetch_backrefs(session.merge({"type": "Shot", "id": 234}), "Task", field)
