"""How things end: cancelled tasks, pools closed under calls, interpreters that leave."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sgsession import AsyncSession, ShotgunPool, SiteUnavailable
from sgsession.errors import PoolClosedError
from sgsession.site import LocalSite
from sgsession.transport.calling.options import TransportOptions

PROJECT = {"type": "Project", "id": 123}


@pytest.mark.parametrize("lost", [False, True])
def test_a_cancelled_task_leaves_nothing_lent(
    own_site: LocalSite, caplog: pytest.LogCaptureFixture, lost: bool
) -> None:
    """Cancelled while its create is under way: the connection comes back, and a doubt is in the log."""
    caplog.set_level(logging.WARNING, "sgsession.transport")

    async def work() -> Any:
        async with AsyncSession(own_site.connect(connect=False)) as session:
            await session.find_one("Shot", [])
            if lost:
                own_site.fail_next("create", dropped=True, after=True)
            with own_site.hold("create") as held:
                task = asyncio.create_task(session.create("Shot", code="left", project=PROJECT))
                await asyncio.to_thread(held.wait)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                held.release()
            pool: Any = session.shotgun
            for _ in range(500):
                if not pool.stats()["lent"]:
                    break
                await asyncio.sleep(0.01)
            assert pool.stats()["lent"] == 0
            return await session.find("Shot", [["code", "is", "left"]])

    assert len(asyncio.run(work())) == 1
    assert ("unknown whether create Shot" in caplog.text) == lost


def test_two_event_loops_share_a_session(own_site: LocalSite) -> None:
    """A session belongs to no loop: one after the other, and two at once, are served right."""
    session = AsyncSession(own_site.connect(connect=False))

    def find(number: int) -> int:
        async def work() -> int:
            found = [await session.find_one("Shot", [["id", "is", number]]) for _ in range(5)]
            assert {each["id"] for each in found} == {number}
            return number

        return asyncio.run(work())

    assert find(234) == 234
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(find, range(234, 242))) == [*range(234, 242)]
    session.close()
    session.close()
    with pytest.raises(PoolClosedError):
        find(234)


def test_closing_ends_the_pauses_of_calls(own_site: LocalSite) -> None:
    """A call that waits to be repeated when the pool is closed fails at once: it is not sent into a closed pool."""
    options = TransportOptions(backoff_base=30, backoff_cap=30)
    pool = ShotgunPool(own_site.connect(connect=False), options=options)
    pool.connect()
    own_site.reset_requests()
    own_site.fail_next("read", status=502, times=10)
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(pool.find_one, "Shot", [])
        while not own_site.requests:
            time.sleep(0.01)
        time.sleep(0.05)
        began = time.monotonic()
        pool.close()
        pool.close()
        with pytest.raises((SiteUnavailable, PoolClosedError)):
            reading.result(10)
    assert time.monotonic() - began < 5
    assert pool.stats()["lent"] == 0


def run(code: str, site: LocalSite, *, ends_within: float = 30.0) -> str:
    """What a program of its own prints, with all warnings on; it has to end by itself, and well."""
    program = (
        f"from sgsession import *\nurl, name, key = {site.url!r}, {site.script_name!r}, {site.api_key!r}\n"
        f"{textwrap.dedent(code)}"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "always::ResourceWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=ends_within,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ResourceWarning" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def test_an_interpreter_ends_with_an_open_pool(own_site: LocalSite) -> None:
    """Nobody closed anything: no hang, no thread, no unclosed socket."""
    code = """
    import threading
    pool = ShotgunPool(url, name, key)
    session = Session(ShotgunPool(url, name, key))
    pool.find_one("Shot", [])
    session.find("Shot", [])
    session.fetch_hierarchy(session.find("Task", []))
    print("done")
    """
    assert run(code, own_site) == "done\n"


def test_an_interpreter_ends_while_calls_are_under_way(own_site: LocalSite) -> None:
    """Threads that are busy, daemons and others, and one that died with a lease: it ends when they do."""
    code = """
    import threading
    pool = ShotgunPool(url, name, key, max_connections=3)
    pool.connect()
    threading.Thread(target=lambda: print(pool.find_one("Shot", [])["id"] > 0)).start()
    threading.Thread(target=lambda: [pool.find("Task", []) for _ in range(10**6)], daemon=True).start()
    held = pool.lease()
    thread = threading.Thread(target=held.__enter__)
    thread.start()
    thread.join()
    """
    own_site.latency = 0.2
    assert run(code, own_site) == "True\n"


def test_exit_handlers_may_use_the_pool(own_site: LocalSite) -> None:
    """At the interpreter's end the main thread is called dead; its leases are its own all the same."""
    code = """
    import atexit
    pool = ShotgunPool(url, name, key, max_connections=2)

    def last():
        with pool.lease() as client:
            print(pool.find_one("Shot", [])["id"] == client.find_one("Shot", [])["id"])

    atexit.register(last)
    """
    assert run(code, own_site) == "True\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_keeps_no_connection_of_its_parent(own_site: LocalSite) -> None:
    """Else what the parent closes would stay open; the parent goes on using its own."""
    with ShotgunPool(own_site.connect(connect=False)) as pool:
        first = pool.find_one("Shot", [])
        number = pool._leases.idle[0]._line._socket.fileno()
        child = os.fork()
        if child == 0:
            try:
                os.fstat(number)
            except OSError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert pool.find_one("Shot", []) == first


def test_a_pool_has_no_threads(own_site: LocalSite) -> None:
    """Calls run in their callers' threads: there is none to be left behind."""
    before = {*threading.enumerate()}
    with ShotgunPool(own_site.connect(connect=False)) as pool:
        pool.find_one("Shot", [])
        new = {*threading.enumerate()} - before
    assert not [each.name for each in new if not each.name.startswith("sgsession-site")]
