"""The collector is out of the way while rows are read, and as the user had it afterwards, whatever happens."""

from __future__ import annotations

import gc
import itertools
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from sgsession import Session
from sgsession.site import LocalSite
from sgsession.testing.interruption import interrupt_at, switch_interval
from sgsession.transport import collector
from sgsession.transport.collector import collector_paused

# Coverage's tracer takes a lock of its own: an exception inside it would leave that locked for ever.
pytestmark = pytest.mark.uncovered


@pytest.fixture(params=[True, False], ids=["on", "off"])
def setting(request: pytest.FixtureRequest) -> Iterator[bool]:
    """What the user has set: the collector on, or off."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


def test_it_is_paused_and_comes_back(setting: bool) -> None:
    """Blocks may nest, and end in errors; the last one brings back what the user had."""
    with collector_paused():
        assert not gc.isenabled()
        with pytest.raises(ZeroDivisionError), collector_paused():
            raise ZeroDivisionError
        assert not gc.isenabled()
    assert gc.isenabled() is setting


def test_what_the_user_sets_between_blocks_is_kept() -> None:
    """Each first block looks anew."""
    for wanted in (gc.enable, gc.disable, gc.enable):
        wanted()
        expected = gc.isenabled()
        with collector_paused():
            pass
        assert gc.isenabled() is expected


def test_blocks_that_overlap_in_threads(setting: bool) -> None:
    """The first to begin is not the last to end: it is paused until the last one has ended."""
    begun, may_end = threading.Event(), threading.Event()

    def other() -> None:
        with collector_paused():
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=other)
    with collector_paused():
        thread.start()
        assert begun.wait(10)
    assert not gc.isenabled()
    may_end.set()
    thread.join()
    assert gc.isenabled() is setting


def test_blocks_that_overlap_for_long(setting: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is always a block, the collector still has its turn: from the end of one to the next begin."""
    monkeypatch.setattr(collector, "_LONGEST", 0.0)
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() is setting
        with collector_paused():
            assert not gc.isenabled()
    assert gc.isenabled() is setting


def test_what_the_user_sets_meanwhile_is_kept(setting: bool) -> None:
    """Who turns it on while another thread reads has it on afterwards, though a third one begins to read then."""
    with collector_paused():
        gc.enable()
        with collector_paused():
            assert not gc.isenabled()
    assert gc.isenabled()
    with collector_paused():
        gc.enable()
    assert gc.isenabled()


def test_what_the_user_turns_off_between_long_blocks_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it had its turn although somebody still reads, the user may turn it off."""
    monkeypatch.setattr(collector, "_LONGEST", 0.0)
    before = gc.isenabled()
    gc.enable()
    try:
        with collector_paused():
            with collector_paused():
                pass
            gc.disable()
            with collector_paused():
                pass
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()


def test_eight_threads(setting: bool) -> None:
    """In no block of any thread is it ever on."""
    start = threading.Barrier(8)

    def work(_: int) -> bool:
        start.wait(10)
        seen = False
        for _turn in range(100):
            with collector_paused():
                seen = seen or gc.isenabled()
        return seen

    with switch_interval(1e-5), ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(work, range(8)))
    assert gc.isenabled() is setting


def test_interrupted_at_each_point(setting: bool) -> None:
    """Ctrl-C at each single point: the user's setting holds again as soon as the traceback is gone."""

    def work() -> None:
        with collector_paused():
            len([])

    for step in itertools.count(1):
        outcome = interrupt_at(step, work)
        where, interrupted = outcome.where, outcome.interrupted
        # With the exception goes its traceback, and with that the block.
        del outcome
        gc.collect()
        assert gc.isenabled() is setting, where
        with collector_paused():
            assert not gc.isenabled(), where
        assert gc.isenabled() is setting, where
        if not interrupted:
            break
    assert step > 10


def test_a_find_pauses_it(own_site: LocalSite, setting: bool) -> None:
    """Rows are merged without it; afterwards it is as it was."""
    seen = []

    class Watched(dict):  # type: ignore[type-arg]
        def __setitem__(self, key: object, value: object) -> None:
            seen.append(gc.isenabled())
            super().__setitem__(key, value)

    with Session(own_site.connect(connect=False)) as session:
        session.graph.identity._types = Watched()
        session.find("Shot", [])
    assert seen
    assert not any(seen)
    assert gc.isenabled() is setting


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_was_forked_in_another_thread_s_block() -> None:
    """The block ends in the parent only; the child has its collector, and can pause it."""
    begun, may_end = threading.Event(), threading.Event()

    def other() -> None:
        with collector_paused():
            begun.set()
            may_end.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert begun.wait(10)
    child = os.fork()
    if child == 0:
        on = gc.isenabled()
        with collector_paused():
            paused = not gc.isenabled()
        os._exit(0 if on and paused and gc.isenabled() else 1)
    assert not gc.isenabled()
    may_end.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert gc.isenabled()
