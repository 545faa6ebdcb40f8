"""Requests under way in other threads: who decodes their answers, and who does when nobody comes for them."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import pytest
import shotgun_api3

from sgsession import AsyncSession, Session, ShotgunPool
from sgsession.drivers import awaiting
from sgsession.drivers import under_way as module
from sgsession.drivers.under_way import UnderWay
from sgsession.plans.plan import Request
from sgsession.testing.interruption import every_interruption
from sgsession.transport.calling.envelope import decoded

from ..scripted_client import ScriptedClient, entities
from .conftest import soon

SHOT = {"type": "Shot", "id": 7}
FIND = Request("find", ("Shot", [["id", "is", 7]], ["id"]))
AT_ONCE = 4


@pytest.fixture
def client() -> ScriptedClient:
    """A client on a site that has one shot."""
    return ScriptedClient(lambda method, params: entities([SHOT]))


@pytest.fixture
def pool(client: ScriptedClient) -> Iterator[ShotgunPool]:
    """Its pool."""
    with ShotgunPool(client, max_connections=AT_ONCE) as made:
        yield made
        assert made.stats()["lent"] == 0


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which answers were decoded."""
    threads: list[str] = []

    def counting(body: bytes) -> Any:
        threads.append(threading.current_thread().name)
        return decoded(body)

    monkeypatch.setattr(module, "decoded", counting)
    return threads


def patience(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """How long answers wait for the thread that merges."""
    monkeypatch.setattr(module, "_PATIENCE", seconds)


class Begun:
    """A request that a thread of its own makes."""

    def __init__(self, client: Any, work: Callable[[UnderWay], Any] = UnderWay.make) -> None:
        self.bell: SimpleQueue[None] = SimpleQueue()
        self.under_way = UnderWay(client, FIND, lambda: self.bell.put(None))
        self.read: Any = None
        self._work = work
        self._thread = threading.Thread(target=self._run, name="maker", daemon=True)

    def _run(self) -> None:
        try:
            self.read = self._work(self.under_way)
        except Exception as problem:
            self.read = problem

    def start(self) -> Begun:
        """Let it begin."""
        self._thread.start()
        return self

    def rung(self) -> UnderWay:
        """The request, when it tells of something."""
        self.bell.get(timeout=10)
        return self.under_way

    def ended(self) -> Any:
        """What its thread has read."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.read


def result(under_way: UnderWay) -> Any:
    """How it ended."""
    assert under_way.outcome is not None
    return under_way.outcome.result()


def test_the_thread_that_merges_decodes(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    """Bytes wait until they are decoded; then comes the outcome."""
    patience(monkeypatch, 60)
    begun = Begun(pool).start()
    begun.rung()
    assert begun.under_way.outcome is None
    begun.under_way.decode()
    assert list(result(begun.rung())) == [SHOT]
    begun.ended()
    assert counted == ["MainThread"]


def test_nobody_waits_for_one_who_never_comes(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    """Where the thread that merges was interrupted or is busy, the request ends by itself; nothing is decoded twice."""
    patience(monkeypatch, 0.01)
    begun = Begun(pool).start()
    begun.ended()
    begun.under_way.decode()
    assert list(result(begun.under_way)) == [SHOT]
    assert counted == ["maker"]


def test_one_who_is_interrupted_while_decoding(pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who took the bytes and never gives anything back is waited for no longer than twice."""
    patience(monkeypatch, 0.01)
    begun = Begun(pool, lambda under_way: under_way._decode(b"{}")).start()
    begun.rung()._waiting.clear()
    assert begun.ended() == {}


@pytest.mark.parametrize("answered", [True, False])
def test_what_nobody_wants_any_more_ends_at_once(
    pool: ShotgunPool, client: ScriptedClient, monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """It does not wait to be decoded; and what is not sent yet stays so."""
    patience(monkeypatch, 60)
    begun = Begun(pool)
    if answered:
        begun.start().rung()
    begun.under_way.leave()
    if not answered:
        begun.start()
    begun.ended()
    assert begun.under_way.outcome is not None
    assert len(client.asked) == answered


def test_what_comes_too_late_is_not_taken_for_the_next(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that were decoded for an attempt which did not wait do not answer the next one."""
    patience(monkeypatch, 60)
    begun = Begun(pool, lambda under_way: under_way._decode(b'{"now": 2}'))
    begun.under_way._waiting = [b'{"late": 1}']
    begun.under_way.decode()
    begun.start().rung().decode()
    assert begun.ended() == {"now": 2}


def test_what_cannot_be_decoded_is_the_other_thread_s_to_judge(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch, counted: list[str]
) -> None:
    """Whoever decodes raises nothing: the thread that made the attempt gets the error, and decides what it means."""
    patience(monkeypatch, 60)
    begun = Begun(pool, lambda under_way: under_way._decode(b"{")).start()
    begun.rung().decode()
    assert isinstance(begun.ended(), ValueError)
    assert counted == ["MainThread"]


def test_a_request_is_made_once(pool: ShotgunPool, client: ScriptedClient) -> None:
    """Also where a thread could be started after all."""
    begun = Begun(pool)
    begun.under_way.make_here()
    begun.under_way.make()
    begun.under_way.make_here()
    assert len(client.asked) == 1


# Whole finds


def _pages(pages: int, before: Callable[[int], Any] = lambda number: None) -> ScriptedClient:
    def answering(method: str, params: dict[str, Any]) -> Any:
        number = params["paging"]["current_page"]
        before(number)
        return entities([{"type": "Shot", "id": number}], number < pages)

    return ScriptedClient(answering)


def test_more_requests_than_connections_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that hold all connections are the ones whose turn it is: nobody has to lose patience."""
    patience(monkeypatch, 60)
    client = ScriptedClient(
        lambda method, params: entities([{"type": "Shot", "id": id} for id in _ids(params)], False)
    )
    with ShotgunPool(client, max_connections=2) as pool, Session(pool) as session:
        began = time.monotonic()
        found = session.get("Shot", list(range(1, 6001)))
        assert [shot["id"] for shot in found] == list(range(1, 6001))
        assert time.monotonic() - began < 30


def _ids(params: Any) -> list[int]:
    [condition] = params["filters"]["conditions"]
    ids: list[int] = condition["values"]
    return ids


def test_a_slow_page_costs_no_decoding_twice(monkeypatch: pytest.MonkeyPatch, counted: list[str]) -> None:
    """Pages that lose patience behind a slow one are decoded by their own threads, each page once."""
    patience(monkeypatch, 0.1)
    client = _pages(AT_ONCE, lambda number: time.sleep(0.6) if number == 2 else None)
    with ShotgunPool(client, max_connections=AT_ONCE) as pool, Session(pool) as session:
        assert [shot["id"] for shot in session.find("Shot", [])] == list(range(1, AT_ONCE + 1))
    # Page 1 is decoded where any single request is.
    assert len(counted) == len(client.pages) - 1
    assert counted.count("MainThread") <= 2


@pytest.mark.uncovered
def test_interrupted_with_pages_under_way() -> None:
    """Ctrl-C at each point of the driver: the find ends, nothing stays lent, the next one is right."""
    with ShotgunPool(_pages(6), max_connections=AT_ONCE) as pool:
        session = Session(pool)
        session.find("Shot", [])
        points = 0
        for outcome in every_interruption(lambda: session.find("Shot", []), modules=("sgsession.drivers",)):
            points += outcome.interrupted
            where = outcome.where
            assert outcome.error is None or isinstance(outcome.error, KeyboardInterrupt), outcome
            # With the exception goes its traceback, and with that what it had interrupted.
            del outcome
            assert gc.isenabled(), where
            assert not session.graph.under_way(), where
        assert points > 50
        assert [shot["id"] for shot in session.find("Shot", [])] == list(range(1, 7))
        session.close()
        assert pool.stats()["lent"] == 0


def test_a_client_that_is_changed_meanwhile() -> None:
    """What is under way ends where it was begun; what begins then is asked of the new one."""
    first, second = _pages(9), _pages(9)
    with ShotgunPool(first, max_connections=AT_ONCE) as pool:
        session = Session(pool)
        first._answering = lambda method, params: _changing(session, second, params)
        assert [shot["id"] for shot in session.find("Shot", [])] == list(range(1, 10))
        assert not {*first.pages} & {*second.pages}
        assert {*range(1, 10)} <= {*first.pages, *second.pages}
        session.close()


def _changing(session: Session, other: ScriptedClient, params: Any) -> Any:
    number = params["paging"]["current_page"]
    if number == 5:
        session._shotgun = ShotgunPool(other, max_connections=AT_ONCE)
    return entities([{"type": "Shot", "id": number}], number < 9)


def test_a_failed_find_is_not_kept(client: ScriptedClient) -> None:
    """When its error is gone, so is all that the frames around it knew: nothing waits for the collector."""

    def refuse(number: int) -> None:
        if number == 3:
            raise shotgun_api3.Fault("no such page")

    with ShotgunPool(_pages(9, refuse), max_connections=AT_ONCE) as pool:
        session = Session(pool)
        gc.collect()
        gc.disable()
        try:
            with pytest.raises(shotgun_api3.Fault):
                session.find("Shot", [])
            assert soon(lambda: not any(isinstance(thing, UnderWay) for thing in gc.get_objects()))
        finally:
            gc.enable()
        session.close()


def test_the_collector_waits_while_pages_come_to_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second page on, but not while one takes long; afterwards it is on again, and nothing watches it."""
    monkeypatch.setattr(awaiting, "LONG_WAIT", 0.2)
    seen: dict[int, bool] = {}

    def before(number: int) -> None:
        seen[number] = soon(gc.isenabled) if number == 3 else gc.isenabled()

    async def main() -> None:
        with ShotgunPool(_pages(11, before), max_connections=AT_ONCE) as pool:
            session = AsyncSession(pool)
            assert len(await session.find("Shot", [])) == 11
            assert soon(gc.isenabled)
            await asyncio.to_thread(session.close)

    asyncio.run(main())
    assert seen[1] is seen[3] is True
    assert seen[11] is False
    assert soon(lambda: all(thread.name != "sgsession-pause" for thread in threading.enumerate()))


def test_a_loop_that_is_left_while_pages_are_under_way_keeps_no_collector_from_running() -> None:
    """A host that stops its loop for good, in the middle of a find: nobody would end a pause of the collector."""
    client = _pages(9, lambda number: time.sleep(0.05))
    loop = asyncio.new_event_loop()
    with ShotgunPool(client, max_connections=AT_ONCE) as pool:
        session = AsyncSession(pool)

        async def until_pages_are_side_by_side() -> None:
            while len(client.asked) < 4:
                await asyncio.sleep(0.01)

        left = loop.create_task(session.find("Shot", []))
        loop.run_until_complete(until_pages_are_side_by_side())
        assert soon(gc.isenabled)
        left.cancel()
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(left)
        loop.run_until_complete(asyncio.to_thread(session.close))
        loop.close()


def test_what_is_not_sent_when_its_task_is_cancelled_never_is() -> None:
    """A create that waits for a thread is not made after `wait_for` has given it up."""
    release = threading.Event()
    client = ScriptedClient(lambda method, params: release.wait(10) and entities([SHOT]))

    async def main() -> None:
        with ShotgunPool(client, max_connections=1) as pool:
            session = AsyncSession(pool)
            slow = asyncio.ensure_future(session.find("Shot", []))
            while not client.asked:
                await asyncio.sleep(0.01)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.create("Shot", code="never"), 0.05)
            release.set()
            assert len(await slow) == 1
            await session.find_one("Shot", [])
            await asyncio.to_thread(session.close)

    asyncio.run(main())
    assert [method for method, _ in client.asked] == ["read", "read"]


def test_a_page_that_fails_is_raised_in_async_too() -> None:
    """And the next find is right."""
    refusing = True

    def refuse(number: int) -> None:
        if refusing and number == 3:
            raise shotgun_api3.Fault("no such page")

    async def main() -> None:
        nonlocal refusing
        with ShotgunPool(_pages(9, refuse), max_connections=AT_ONCE) as pool:
            session = AsyncSession(pool)
            with pytest.raises(shotgun_api3.Fault, match="no such page"):
                await session.find("Shot", [])
            refusing = False
            assert [shot["id"] for shot in await session.find("Shot", [])] == list(range(1, 10))
            assert gc.isenabled()
            await asyncio.to_thread(session.close)

    asyncio.run(main())
