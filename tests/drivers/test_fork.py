"""A forked child: it starts again with what is known, whatever the parent's threads held."""

from __future__ import annotations

import os
import pickle
import select
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from sgsession import Session
from sgsession.pool import _close_all
from sgsession.site import LocalSite
from sgsession.transport import after_fork

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def _in_child(work: Callable[[], Any], meanwhile: Callable[[], Any] = lambda: None) -> Any:
    """What `work` returns in a forked child; a child that hangs is killed and fails the test.

    The parent does `meanwhile` before it waits for the child.
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Forking while threads run is what is tested here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            try:
                answer = pickle.dumps((True, work()))
            except BaseException:
                answer = pickle.dumps((False, traceback.format_exc()))
            os.write(writing, answer)
        finally:
            os._exit(0)
    os.close(writing)
    try:
        meanwhile()
        ready, _, _ = select.select([reading], [], [], 30)
        data = os.read(reading, 1 << 20) if ready else b""
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert data, "the child hangs"
    good, result = pickle.loads(data)
    assert good, result
    return result


def test_a_child_works_though_a_thread_of_the_parent_held_the_lock(
    session: Session, demo_site: LocalSite
) -> None:
    """It reads what was known, walks back-references, and asks the site on a connection of its own."""
    tasks = session.find("Task", [["entity", "is", {"type": "Shot", "id": 234}]])
    shot = tasks[0]["entity"]
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with session._lock, session.shotgun.lease():
            held.set()
            released.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:

        def work() -> Any:
            known = (
                shot["code"],
                len(shot.backrefs[("Task", "entity")]),
                [task["id"] for task in shot.backrefs[("Task", "entity")]],
            )
            session.merge({"type": "Shot", "id": 999, "code": "new"})
            found = session.find_one("Shot", [["id", "is", 235]])["code"]
            session.fetch(
                [session.merge({"type": "Shot", "id": 236}), session.merge({"type": "Asset", "id": 301})],
                "code",
            )
            return known, found, shot.as_dict()["code"], session.shotgun.stats()["lent"]

        known, found, copied, lent = _in_child(work)
    finally:
        released.set()
        thread.join()
    assert known == ("AA_001", len(tasks), [task["id"] for task in tasks])
    assert (found, copied, lent) == ("AA_002", "AA_001", 0)
    assert session.get("Shot", 999, fetch=False) is None


def test_parent_and_child_never_read_each_others_answers(session: Session) -> None:
    """Connections that were open at the fork stay the parent's: both go on asking, both get what they asked."""
    codes = {shot["id"]: shot["code"] for shot in session.find("Shot", [])}
    session.fetch(
        [session.merge({"type": kind, "id": 1}) for kind in ("Department", "Page", "PublishedFileType")],
        "id",
        force=True,
    )

    def ask() -> list[str]:
        return [
            session.find_one("Shot", [["id", "is", shot_id]])["code"] for shot_id in codes for _ in range(3)
        ]

    expected = [code for code in codes.values() for _ in range(3)]
    assert session.shotgun.stats()["idle"] > 1
    answers: list[Any] = []
    assert _in_child(ask, meanwhile=lambda: answers.append(ask())) == expected
    assert answers == [expected]


def test_a_child_forked_while_an_answer_was_under_way_is_not_bound_by_it(
    session: Session, demo_site: LocalSite
) -> None:
    """What the parent waits for is nothing to the child: no read is open there, writes are forgotten."""
    with demo_site.hold("read") as hold:
        thread = threading.Thread(target=lambda: session.find("Shot", [["id", "is", 234]]))
        thread.start()
        hold.wait()
        try:
            state = _in_child(
                lambda: (session.graph.under_way(), session.find_one("Shot", [["id", "is", 236]])["code"])
            )
        finally:
            hold.release()
            thread.join()
    assert state == ([], "AA_003")
    assert session.get("Shot", 234, fetch=False)["code"] == "AA_001"


def test_the_first_thing_in_a_child_frees_what_other_threads_held(session: Session) -> None:
    """What runs in the child, run here: locks that a thread holds bind nobody, and all that was known is known."""
    session.fetch(
        [session.merge({"type": "Shot", "id": 234}), session.merge({"type": "Task", "id": 456})], "id"
    )
    tasks = session.find("Task", [["entity", "is", {"type": "Shot", "id": 234}]])
    members = tasks[0]["entity"].backrefs[("Task", "entity")]
    idle = session.shotgun._leases.idle[:]
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with session._lock, session.shotgun.lease(), session.graph.reading():
            held.set()
            released.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        after_fork._in_child()
        assert (session.shotgun.stats()["lent"], session.shotgun.stats()["idle"]) == (0, 0)
        assert not session.graph.under_way()
        asked = ThreadPoolExecutor(1).submit(session.find_one, "Shot", [["id", "is", 235]])
        assert asked.result(10)["code"] == "AA_002"
        assert list(members) == tasks
        session.fetch(
            [session.merge({"type": kind, "id": 1}) for kind in ("Department", "Page")], "id", force=True
        )
        assert all(client not in idle for client in session.shotgun._leases.idle)
    finally:
        released.set()
        thread.join()


def test_connections_of_the_parent_are_not_closed_by_a_child(demo_site: LocalSite) -> None:
    """Closing says good-bye on the socket, which both share; only the process that opened it may."""
    client = demo_site.connect()
    _close_all([client], os.getpid() + 1)
    assert client._connection is not None
    _close_all([client], os.getpid())
    assert client._connection is None


def test_what_a_child_writes_stands_against_the_pages_that_it_asked_for_before(session: Session) -> None:
    """A child that goes on with an iterator asks for its pages again; they are older than what it writes then."""
    tasks = session.find_iter("Task", [], ["sg_status_list"], per_page=2, async_count=3, limit=6)
    page_1 = [next(tasks), next(tasks)]

    def work() -> tuple[Any, Any]:
        page_2 = next(tasks)
        session._threads.close()  # page 3 has come, and waits to be merged
        last = session.merge({"type": "Task", "id": page_2["id"] + 3})
        session.update(last, {"sg_status_list": "hld"})
        return len(list(tasks)), last["sg_status_list"]

    assert len(page_1) == 2
    assert _in_child(work) == (3, "hld")


@pytest.mark.parametrize("async_count", [1, 3])
def test_a_child_goes_on_with_an_iterator(session: Session, async_count: int) -> None:
    """What threads of the parent were asked for is asked for again; the lock that one of them held is another one."""
    wanted = [task["id"] for task in session.find("Task", [])]
    tasks = session.find_iter("Task", [], per_page=10, async_count=async_count)
    seen = [next(tasks)["id"] for _ in range(10)]
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with session._lock:
            held.set()
            released.wait(30)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold)
        assert held.wait(10)
        try:
            rest = _in_child(lambda: [task["id"] for task in tasks])
        finally:
            released.set()
    assert seen + rest == wanted
    assert seen + [task["id"] for task in tasks] == wanted


@pytest.mark.parametrize("end", ["throw", "close"])
def test_a_child_that_ends_an_iterator_waits_for_no_thread(
    session: Session, demo_site: LocalSite, end: str
) -> None:
    """The pages under way are the parent's, in threads that the child has not."""
    tasks: Any = session.find_iter("Task", [], per_page=10, async_count=3)

    def give_up() -> float:
        begin = time.monotonic()
        with suppress(ValueError):
            tasks.throw(ValueError()) if end == "throw" else tasks.close()
        return time.monotonic() - begin

    next(tasks)
    with demo_site.hold("read"):
        for _ in range(10):
            next(tasks)  # begins further pages, which the site holds back
        assert _in_child(give_up) < 0.5
