"""One session, many threads."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from typing import Any

import pytest
import shotgun_api3

from sgsession import Session
from sgsession.site import LocalSite

from .conftest import soon

THREADS, MERGES, ENTITIES = 8, 5_000, 200


def _together(*works: Callable[[], None]) -> None:
    """Run all at once; raise what the first of them raised."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        start.wait()
        work()

    with ThreadPoolExecutor(len(works)) as executor:
        for future in [executor.submit(run, work) for work in works]:
            future.result()


def _merging(session: Session, thread: int) -> Callable[[], None]:
    def work() -> None:
        for number in range(thread, MERGES, THREADS):
            shot = 1 + number % ENTITIES
            session.merge(
                {
                    "type": "Task",
                    "id": 1 + number // ENTITIES,
                    "entity": {"type": "Shot", "id": shot, f"sg_{number}": number},
                    "links": [
                        {"type": "Shot", "id": shot},
                        {"type": "Shot", "id": 1 + (number * 7) % ENTITIES},
                    ],
                }
            )

    return work


@pytest.mark.usefixtures("restless")
def test_merging_from_eight_threads_loses_nothing() -> None:
    """5,000 merges on 200 shared entities: one object for each key, every field there, links sound."""
    session = Session(False)
    _together(*(_merging(session, thread) for thread in range(THREADS)))
    for number in range(MERGES):
        assert session.merge({"type": "Shot", "id": 1 + number % ENTITIES})[f"sg_{number}"] == number
    keys = [entity.key for entity in session.graph.identity]
    assert len(keys) == len(set(keys)) == ENTITIES + MERGES // ENTITIES
    for task in session.graph.identity:
        if task["type"] == "Task":
            assert session.graph.identity.get(task["entity"].key) is task["entity"]
            assert task in task["entity"].backrefs[("Task", "entity")]
            assert all(task in shot.backrefs[("Task", "links")] for shot in task["links"])
    for shot in session.graph.identity:
        if shot["type"] == "Shot":
            assert all(task["entity"] is shot for task in shot.backrefs[("Task", "entity")])
            assert all(shot in task["links"] for task in shot.backrefs[("Task", "links")])


@pytest.mark.usefixtures("restless")
def test_looking_meanwhile_never_fails() -> None:
    """Back-references, as_dict, pprint, get, repr, copies, comparison and pickling, while others merge."""
    session = Session(False)
    shots = session.merge([{"type": "Shot", "id": 1 + number} for number in range(ENTITIES)])
    merged = threading.Event()

    def look(at: Callable[[Any], object]) -> Callable[[], None]:
        def work() -> None:
            while not merged.is_set():
                for shot in shots:
                    at(shot)
                    if merged.is_set():
                        break

        return work

    def merge() -> None:
        try:
            _together(*(_merging(session, thread) for thread in range(2)))
        finally:
            merged.set()

    printed = io.StringIO()
    with redirect_stdout(printed):
        _together(
            merge,
            look(lambda shot: [list(shot.backrefs[pair]) for pair in shot.backrefs]),
            look(lambda shot: (shot.as_dict(), repr(shot), shot.copy())),
            look(lambda shot: shot.pprint(backrefs=1)),
            look(lambda shot: (shot == {**shot}, shot != shot.minimal, shot.get(["code", "sg_1"]))),
            look(lambda shot: pickle.loads(pickle.dumps(shot))),
        )
    assert "Shot:1 at 0x" in printed.getvalue()


@pytest.mark.usefixtures("restless")
def test_eight_threads_build_one_entity_each_once() -> None:
    """Threads that merge the same new entity at the same time get the same object."""
    session = Session(False)
    for number in range(1, 60):
        found: list[Any] = []
        _together(*[lambda: found.append(session.merge({"type": "Shot", "id": number}))] * 4)  # noqa: B023
        assert len({id(entity) for entity in found}) == 1


@pytest.mark.usefixtures("restless")
def test_every_answer_belongs_to_its_question(session: Session, demo_site: LocalSite) -> None:
    """Eight threads that find through one session: no answer is mixed up, no entity is doubled."""
    shots = session.find("Shot", [], ["sg_cut_order"])
    codes = {shot["id"]: shot["code"] for shot in shots}

    def ask(thread: int) -> Callable[[], None]:
        def work() -> None:
            for turn in range(12):
                shot_id = list(codes)[(thread * 5 + turn) % len(codes)]
                found = session.find("Shot", [["id", "is", shot_id]])
                assert [(shot["id"], shot["code"]) for shot in found] == [(shot_id, codes[shot_id])]
                assert found[0] is session.get("Shot", shot_id, fetch=False)
                tasks = session.find("Task", [["entity", "is", found[0]]], ["sg_status_list"])
                assert all(task["entity"] is found[0] for task in tasks)
                assert session.summarize("Shot", [["id", "is", shot_id]], [{"field": "id", "type": "count"}])[
                    "summaries"
                ] == {"id": 1}

        return work

    _together(*(ask(thread) for thread in range(THREADS)))
    counts = session.shotgun.stats()
    assert counts["lent"] == 0
    assert counts["idle"] <= counts["max_connections"] == 8


def test_one_failing_request_of_several_is_raised(session: Session, demo_site: LocalSite) -> None:
    """A type that the site does not have, between two that it has: the fault is raised, the pool is whole."""
    entities = session.merge(
        [{"type": "Shot", "id": 234}, {"type": "NoSuchType", "id": 1}, {"type": "Task", "id": 456}]
    )
    for again in range(3):
        with pytest.raises(shotgun_api3.Fault):
            session.fetch(entities, ["code", "description"], force=again > 0)
        assert soon(lambda: session.shotgun.stats()["lent"] == 0)
        assert not session.graph.under_way()
    assert session.find_one("Shot", [["id", "is", 234]])["code"] == "AA_001"
    assert session.fetch(entities[2], "content") is None
    assert entities[2]["content"] == "Matchmove"


def test_the_first_request_may_be_the_one_that_fails(session: Session) -> None:
    """Also then the connections of the others come back."""
    entities = session.merge(
        [{"type": "NoSuchType", "id": 1}, {"type": "Shot", "id": 234}, {"type": "Task", "id": 456}]
    )
    with pytest.raises(shotgun_api3.Fault):
        session.fetch(entities, "code")
    assert soon(lambda: session.shotgun.stats()["lent"] == 0)
    assert session.find_one("Task", [["id", "is", 456]])["content"] == "Matchmove"


def test_a_site_that_goes_away_leaves_the_pool_empty_and_the_session_readable() -> None:
    """Requests side by side fail together; nothing stays lent, and what was known stays known."""
    with LocalSite(demo="small") as site:
        client = site.connect(connect=False)
        client.config.max_rpc_attempts = 1
        session = Session(client)
        shot, task = session.get("Shot", 234), session.get("Task", 456)
    with pytest.raises(Exception, match=r".") as caught:
        session.fetch([shot, task], "description")
    assert not isinstance(caught.value, AssertionError)
    assert soon(lambda: session.shotgun.stats()["lent"] == 0)
    assert not session.graph.under_way()
    assert shot["code"] == "AA_001"
    session.close()


def test_a_closed_session_refuses_and_stays_readable(session: Session) -> None:
    """Closing twice does nothing more; requests are refused, what is known is not."""
    shot = session.get("Shot", 234)
    session.close()
    session.close()
    assert shot["code"] == "AA_001"
    with pytest.raises(shotgun_api3.ShotgunError, match="closed"):
        session.find("Shot", [])


def test_where_no_thread_can_be_started_requests_go_one_after_the_other(session: Session) -> None:
    """A fetch of several types is answered all the same, and refused where one of them is."""
    session._threads._executor = ended = ThreadPoolExecutor(1)
    ended.shutdown()
    shot, task, nothing = session.merge(
        [{"type": "Shot", "id": 234}, {"type": "Task", "id": 456}, {"type": "NoSuchType", "id": 1}]
    )
    session.fetch([shot, task], ["code", "content"])
    assert (shot["code"], task["content"]) == ("AA_001", "Matchmove")
    with pytest.raises(shotgun_api3.Fault):
        session.fetch([shot, nothing], "description")
    assert session.shotgun.stats()["lent"] == 0


_AT_EXIT = """
import atexit, sys
from shotgun_api3 import Shotgun
from sgsession import Session

session = Session(Shotgun(*sys.argv[1:4], connect=False))
shot, task = session.merge([{"type": "Shot", "id": 234}, {"type": "Task", "id": 456}])
if sys.argv[4] == "again":
    session.fetch([shot, task], "id", force=True)

@atexit.register
def last():
    session.fetch([shot, task], ["code", "content"])
    print(shot["code"], task["content"])
"""


@pytest.mark.parametrize(
    "turn",
    [
        "again",
        "first",
    ],
)
def test_a_script_may_fetch_as_the_last_thing_it_does(demo_site: LocalSite, turn: str) -> None:
    """At the interpreter's end no thread can be started; what an exit handler asks for is answered."""
    done = subprocess.run(
        [sys.executable, "-c", _AT_EXIT, demo_site.url, demo_site.script_name, demo_site.api_key, turn],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "AA_001 Matchmove\n", "")
