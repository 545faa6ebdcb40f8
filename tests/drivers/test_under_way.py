"""Requests under way in other threads: who decodes their answers, and who does when nobody comes for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import pytest

from sgsession import ShotgunPool
from sgsession.drivers import under_way as module
from sgsession.drivers.under_way import Outcome, UnderWay
from sgsession.plans.plan import Request

from ..scripted_client import ScriptedClient, entities

SHOT = {"type": "Shot", "id": 7}


@pytest.fixture
def pool() -> Iterator[ShotgunPool]:
    """A pool on a site that has one shot."""
    with ShotgunPool(ScriptedClient(lambda method, params: entities([SHOT]))) as made:
        yield made


class Made:
    """A request that a thread of its own makes."""

    def __init__(self, pool: ShotgunPool, method: str = "find") -> None:
        self.arrived: SimpleQueue[Any] = SimpleQueue()
        self.under_way = UnderWay(self.arrived.put)
        request = Request(method, ("Shot", [["id", "is", 7]], ["id"]))
        self.thread = threading.Thread(target=self.under_way.make, args=(pool, request))
        self.thread.start()

    def next(self) -> Any:
        """What it tells next."""
        return self.arrived.get(timeout=10)


def test_the_bytes_are_decoded_by_whoever_takes_them(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the bytes are told; once they were taken, the outcome."""
    monkeypatch.setattr(module, "_PATIENCE", 60.0)
    made = Made(pool)
    body = made.next()
    assert isinstance(body, bytes)
    assert made.arrived.empty()
    assert made.under_way.take(body) is None
    outcome = made.under_way.take(made.next())
    assert outcome is not None
    assert list(outcome.result()) == [SHOT]
    made.thread.join()


def test_nobody_waits_for_one_who_never_comes(pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the thread that merges was interrupted, the request ends by itself and gives back its lease."""
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    made = Made(pool)
    assert isinstance(made.next(), bytes)
    assert list(made.next().result()) == [SHOT]
    made.thread.join()
    assert pool.stats()["lent"] == 0


@pytest.mark.parametrize("when", ["while it waits", "before"])
def test_what_nobody_wants_any_more_ends_at_once(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """It does not wait to be decoded."""
    monkeypatch.setattr(module, "_PATIENCE", 60.0)
    arrived: SimpleQueue[Any] = SimpleQueue()
    under_way = UnderWay(arrived.put)
    if when == "before":
        under_way.leave()
    thread = threading.Thread(target=under_way.make, args=(pool, Request("find", ("Shot", [], ["id"]))))
    thread.start()
    if when != "before":
        assert isinstance(arrived.get(timeout=10), bytes)
        under_way.leave()
    outcome = arrived.get(timeout=10)
    assert isinstance(outcome, Outcome)
    thread.join()


def test_what_comes_too_late_is_not_taken_for_the_next(
    pool: ShotgunPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that were decoded for an attempt which did not wait do not answer the next one."""
    monkeypatch.setattr(module, "_PATIENCE", 60.0)
    arrived: SimpleQueue[Any] = SimpleQueue()
    under_way = UnderWay(arrived.put)
    assert under_way.take(b'{"late": 1}') is None
    read: list[Any] = []
    thread = threading.Thread(target=lambda: read.append(under_way._decode(b'{"now": 2}')))
    thread.start()
    assert under_way.take(arrived.get(timeout=10)) is None
    thread.join()
    assert read == [{"now": 2}]


def test_what_cannot_be_decoded_is_the_other_thread_s_to_judge(pool: ShotgunPool) -> None:
    """`take` raises nothing: the thread that made the attempt gets the error, and decides what becomes of it."""
    arrived: SimpleQueue[Any] = SimpleQueue()
    under_way = UnderWay(arrived.put)
    raised: list[BaseException] = []

    def decode() -> None:
        try:
            under_way._decode(b"{")
        except ValueError as problem:
            raised.append(problem)

    thread = threading.Thread(target=decode)
    thread.start()
    assert under_way.take(arrived.get(timeout=10)) is None
    thread.join()
    assert len(raised) == 1
