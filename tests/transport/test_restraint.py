"""What spares a suffering site, in virtual time: minutes of a farm's day pass in a second."""

from __future__ import annotations

import asyncio
import heapq
import random
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from shotgun_api3 import ShotgunError

from sgsession import AmbiguousWrite, SiteUnavailable
from sgsession.transport.calling.attempts import Attempts
from sgsession.transport.calling.calls import Call
from sgsession.transport.calling.options import TransportOptions
from sgsession.transport.calling.restraint import Restraint
from sgsession.transport.line.answers import Answer, ExchangeFailed, Happening
from sgsession.transport.line.exchange import Line

OPTIONS = TransportOptions()
WELL = Answer(200, "OK", {}, b"")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """As `time.sleep`."""
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()


@pytest.fixture
def restraint(clock: Clock) -> Restraint:
    """Of a pool of eight connections."""
    return Restraint(OPTIONS, 8, clock, lambda: 0.5)


class SimulatedPools:
    """Calls of many pools to one site, one after the other in virtual time; counts what reaches the site."""

    def __init__(self, pools: int, dice: random.Random, is_down: Any) -> None:
        self.clock = Clock()
        self.began = self.clock.now
        self.arrived: list[float] = []
        self.served: list[float] = []
        self._is_down = is_down
        self._events: list[tuple[float, int, Iterator[float]]] = []
        self._restraints = [Restraint(OPTIONS, 8, self.clock, dice.random) for _ in range(pools)]
        self._dice = dice

    def run(self, rate: float, seconds: float) -> int:
        """Let each pool make `rate` calls a second for so long; returns how many calls were offered."""
        offered = 0
        for restraint in self._restraints:
            at = self._dice.random() / rate
            while at < seconds:
                offered += 1
                heapq.heappush(self._events, (self.began + at, offered, self._call(restraint)))
                at += 1 / rate
        number = offered
        while self._events:
            self.clock.now, _, call = heapq.heappop(self._events)
            for pause in call:
                number += 1
                heapq.heappush(self._events, (self.clock.now + pause, number, call))
                break
        return offered

    def _call(self, restraint: Restraint) -> Iterator[float]:
        # The loop of Attempts.carry_out, cut at its pauses so that calls of all pools interleave.
        from sgsession.transport.calling.decisions import Effect, Verdict, decide

        if restraint.admit() > 0:
            return
        began = self.clock.now
        for attempt in range(1, 100):
            now = self.clock.now
            self.arrived.append(now - self.began)
            down = self._is_down(now - self.began)
            restraint.note(Happening.MAINTENANCE if down else Happening.ANSWERED)
            if not down:
                self.served.append(now - self.began)
                return
            decision = decide(
                Happening.MAINTENANCE,
                effect=Effect.READ,
                attempt=attempt,
                time_left=OPTIONS.deadline - (now - began),
                options=OPTIONS,
                chance=self._dice.random(),
            )
            if decision.verdict is not Verdict.REPEAT or not restraint.spend():
                return
            yield decision.pause


def test_an_outage_is_not_amplified(dice: random.Random) -> None:
    """G-10: a minute of nothing but 503 sees at most 1.2 times the calls, and then service is back in 10 s."""
    pools = SimulatedPools(1, dice, lambda at: at < 60)
    pools.run(20, 100)
    during = [at for at in pools.arrived if at < 60]
    assert len(during) <= 1.2 * 20 * 60
    after = [at for at in pools.served if 70 <= at < 100]
    assert len(after) >= 0.9 * 20 * 30


def test_without_a_breaker_the_budget_alone_bounds_the_amplification(
    clock: Clock, dice: random.Random
) -> None:
    """Each call earns a tenth of a repetition: 1,200 failing calls are sent at most 1,330 times."""
    options = TransportOptions(breaker_failures=10**9, breaker_least=10**9)
    attempts = Attempts(options, 8, clock=clock, chance=dice.random, sleep=clock.sleep)
    sent = 0

    def fail(_deadline: float) -> tuple[Answer, Any]:
        nonlocal sent
        sent += 1
        return Answer(503, "Service Unavailable", {}, b""), None

    for _ in range(1200):
        with pytest.raises(SiteUnavailable):
            attempts.carry_out(Call("read"), fail, Line(), where="there")
    assert 1200 < sent <= 1200 * 1.1 + options.retry_budget


def test_a_farm_does_not_come_back_as_one(dice: random.Random) -> None:
    """A thousand processes after a minute of outage: no second has more than twice the mean of requests."""
    pools = SimulatedPools(1000, dice, lambda at: at < 60)
    # Each process has a call in every two seconds, so that all breakers are open when the outage ends.
    pools.run(0.5, 100)
    counts = Counter(int(at) for at in pools.arrived if 60 <= at < 100)
    mean = sum(counts.values()) / 40
    assert max(counts.values()) <= 2 * mean, (max(counts.values()), mean)


def test_a_site_says_when_to_come_back(clock: Clock) -> None:
    """Retry-After is waited for, with the jitter on top; what asks for too much ends the call and is told."""
    attempts = Attempts(OPTIONS, 8, clock=clock, chance=lambda: 0.5, sleep=clock.sleep)
    asked = iter([Answer(429, "Too Many Requests", {"retry-after": "7"}, b""), WELL])
    before = clock.now
    attempts.carry_out(Call("create"), lambda _: (next(asked), None), Line(), where="there")
    assert clock.now - before == pytest.approx(7.25)
    late = Answer(429, "Too Many Requests", {"retry-after": "61"}, b"")
    with pytest.raises(SiteUnavailable) as problem:
        attempts.carry_out(Call("create"), lambda _: (late, None), Line(), where="there")
    assert problem.value.retry_after == 61
    assert problem.value.attempts == 1


@pytest.mark.parametrize("odd", ["", "soon", "-1", "nan", "inf", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_odd_wishes_are_ignored(clock: Clock, odd: str) -> None:
    """What is no number of seconds is no wish; the call goes on with its own pauses."""
    attempts = Attempts(OPTIONS, 8, clock=clock, chance=lambda: 0.5, sleep=clock.sleep)
    asked = iter([Answer(429, "Too Many Requests", {"retry-after": odd}, b""), WELL])
    attempts.carry_out(Call("create"), lambda _: (next(asked), None), Line(), where="there")
    assert clock.now - 1000.0 == pytest.approx(0.25)


def test_the_breaker_opens_and_lets_one_probe_through(clock: Clock, restraint: Restraint) -> None:
    """Ten failures in a row stop all calls for a while; then one goes through, alone, and a success opens all."""
    for _ in range(10):
        assert restraint.admit() == 0.0
        restraint.note(Happening.SILENT)
    assert restraint.stopped
    assert restraint.admit() == pytest.approx(7.0)
    assert not restraint.spend()
    clock.sleep(7.1)
    assert restraint.admit() == 0.0
    assert restraint.admit() > 0
    restraint.note(Happening.ANSWERED)
    assert not restraint.stopped
    assert [restraint.admit() for _ in range(20)] == [0.0] * 20


def test_one_outage_is_counted_once(clock: Clock, restraint: Restraint) -> None:
    """A restart drops forty requests that were under way: the site is asked on; ten restarts are ten failures."""
    for restart in range(1, 11):
        began = clock.now
        clock.sleep(0.2)
        for _ in range(40):
            restraint.note(Happening.SILENT, began)
            clock.sleep(0.01)
        assert restraint.stopped == (restart == 10)


def test_failures_that_follow_each_other_are_many(clock: Clock, restraint: Restraint) -> None:
    """What began after the last failure was known fails for itself, however fast; so does what fails later."""
    for _ in range(5):
        began = clock.now
        clock.sleep(0.01)
        restraint.note(Happening.GATEWAY, began)
    began = clock.now - 60
    for _ in range(5):
        assert not restraint.stopped
        clock.sleep(1.5)
        restraint.note(Happening.SILENT, began)
    assert restraint.stopped


def test_a_failed_probe_closes_again(clock: Clock, restraint: Restraint) -> None:
    """A site that still suffers is left alone for another pause."""
    for _ in range(10):
        restraint.note(Happening.GATEWAY)
    clock.sleep(7.1)
    assert restraint.admit() == 0.0
    restraint.note(Happening.SILENT)
    assert restraint.admit() == pytest.approx(7.0)


def test_a_probe_whose_thread_dies_is_followed_by_another(clock: Clock, restraint: Restraint) -> None:
    """Nobody has to come back from a probe for the next one to be sent."""
    for _ in range(10):
        restraint.note(Happening.SILENT)
    clock.sleep(7.1)
    assert restraint.admit() == 0.0  # and its thread dies
    assert restraint.admit() > 0
    clock.sleep(7.1)
    assert restraint.admit() == 0.0


def test_a_refusal_shows_that_a_site_is_well(clock: Clock, restraint: Restraint) -> None:
    """A site that answers a probe by 404 or 403 is there: the breaker closes, and rows of failures end."""
    for _ in range(10):
        restraint.note(Happening.SILENT)
    clock.sleep(7.1)
    assert restraint.admit() == 0.0
    restraint.note(Happening.REFUSED)
    assert not restraint.stopped
    for _ in range(3):
        for _ in range(6):
            restraint.note(Happening.SILENT)
        restraint.note(Happening.REFUSED)
        clock.sleep(31)
    assert not restraint.stopped


def test_a_half_broken_site_opens_the_breaker_too(clock: Clock, restraint: Restraint) -> None:
    """Half of twenty requests within thirty seconds is enough, though no ten failed in a row."""
    for number in range(19):
        restraint.note(Happening.SILENT if number % 2 else Happening.ANSWERED)
        clock.sleep(1)
    assert not restraint.stopped
    restraint.note(Happening.SILENT)
    assert restraint.stopped


def test_old_failures_are_forgotten(clock: Clock, restraint: Restraint) -> None:
    """What failed before the window does not count."""
    for number in range(200):
        restraint.note(Happening.SILENT if number % 2 else Happening.ANSWERED)
        clock.sleep(1.6)  # so that fewer than twenty lie in thirty seconds
    assert not restraint.stopped


@pytest.mark.parametrize("happening", [Happening.UNREACHABLE, Happening.UNTRUSTED, Happening.FAILED])
def test_what_costs_the_site_nothing_opens_no_breaker(restraint: Restraint, happening: Happening) -> None:
    """A refused connection is found out at once, and a restarted site is to be seen at once."""
    for _ in range(100):
        restraint.note(happening)
    assert not restraint.stopped


def test_fewer_connections_for_a_site_that_is_asked_too_much(clock: Clock, restraint: Restraint) -> None:
    """Each moment of 429 halves the connections, down to one; ten seconds of success bring back one."""
    assert restraint.limit == 8
    for _ in range(8):
        restraint.note(Happening.THROTTLED)  # eight connections at one moment, right at the start
    assert restraint.limit == 4
    limits = []
    for _ in range(4):
        clock.sleep(2)
        restraint.note(Happening.THROTTLED)
        limits.append(restraint.limit)
    assert limits == [2, 1, 1, 1]
    restraint.note(Happening.ANSWERED)
    assert restraint.limit == 1
    for expected in (2, 3, 4, 5, 6, 7, 8, 8):
        clock.sleep(10.1)
        restraint.note(Happening.ANSWERED)
        assert restraint.limit == expected


def test_the_budget_is_not_overdrawn_by_threads() -> None:
    """A hundred threads that want a repetition at once get ten of them, not eleven."""
    restraint = Restraint(OPTIONS, 8)
    start = threading.Barrier(100)
    spent = []

    def spend() -> None:
        start.wait(10)
        spent.append(restraint.spend())

    threads = [threading.Thread(target=spend) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spent.count(True) == 10


def test_farm_jobs_may_start_apart(clock: Clock) -> None:
    """The first call waits a part of the spread, the ones after it do not."""
    options = TransportOptions(startup_spread=10)
    attempts = Attempts(options, 8, clock=clock, chance=lambda: 0.5, sleep=clock.sleep)
    for _ in range(3):
        attempts.carry_out(Call("read"), lambda _: (WELL, None), Line(), where="there")
    assert clock.now == 1005.0


def test_a_call_has_one_deadline(clock: Clock) -> None:
    """However often it is repeated, a call ends when its time is over; the last pause is not begun."""
    options = TransportOptions(deadline=30, attempts=1000, retry_budget=1000, breaker_failures=10**9)
    attempts = Attempts(options, 8, clock=clock, chance=lambda: 1.0, sleep=clock.sleep)

    def fail(_deadline: float) -> tuple[Answer, Any]:
        clock.sleep(1)
        raise ExchangeFailed(Happening.SILENT, "nothing")

    with pytest.raises(SiteUnavailable):
        attempts.carry_out(Call("read"), fail, Line(), where="there")
    assert 10 < clock.now - 1000.0 <= 31


def test_what_ended_in_doubt_is_not_sent_by_a_loop_around_it(clock: Clock) -> None:
    """A client's or a studio's own loop that sends the same call again is told the same again."""
    attempts = Attempts(OPTIONS, 8, clock=clock, chance=lambda: 1.0, sleep=clock.sleep)
    call = Call("create")
    sent = 0

    def lose(_deadline: float) -> tuple[Answer, Any]:
        nonlocal sent
        sent += 1
        raise ExchangeFailed(Happening.SILENT, "nothing")

    for _ in range(3):
        with pytest.raises(AmbiguousWrite):
            attempts.carry_out(call, lose, Line(), where="there")
    assert sent == 1


@pytest.mark.parametrize("exception", [KeyboardInterrupt, MemoryError, RuntimeError])
def test_an_interrupt_after_sending_is_a_doubt(clock: Clock, exception: type[BaseException]) -> None:
    """Whatever ends a write once something of it left, it is told as a doubt, with the cause; a read lets it pass."""
    attempts = Attempts(OPTIONS, 8, clock=clock, sleep=clock.sleep)
    line = Line()

    def interrupted(_deadline: float) -> tuple[Answer, Any]:
        line.sent = True
        raise exception

    with pytest.raises(AmbiguousWrite) as problem:
        attempts.carry_out(Call("create"), interrupted, line, where="there")
    assert isinstance(problem.value.__cause__, exception)
    assert isinstance(problem.value, KeyboardInterrupt) == (exception is KeyboardInterrupt)
    with pytest.raises(exception):
        attempts.carry_out(Call("read"), interrupted, line, where="there")


@pytest.mark.parametrize("exception", [SystemExit, GeneratorExit, asyncio.CancelledError])
def test_what_ends_a_process_is_not_held_up(
    clock: Clock, exception: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """SIGTERM's SystemExit in a write passes every `except Exception`; the doubt is its cause, and is logged."""
    attempts = Attempts(OPTIONS, 8, clock=clock, sleep=clock.sleep)
    line = Line()

    def ending(_deadline: float) -> tuple[Answer, Any]:
        line.sent = True
        raise exception

    call = Call("create", {"type": "Shot"})
    with pytest.raises(exception) as problem:
        attempts.carry_out(call, ending, line, where="there")
    assert type(problem.value) is exception
    doubt = problem.value.__cause__
    assert isinstance(doubt, AmbiguousWrite)
    assert doubt.request_id == call.request_id
    assert call.request_id in caplog.text
    attempts.tell_of_interrupt(call, problem.value)
    assert problem.value.__cause__ is doubt


def test_an_interrupt_before_sending_is_itself(clock: Clock) -> None:
    """Where nothing left, an interrupt passes unchanged, also on a line that was used before."""
    attempts = Attempts(OPTIONS, 8, clock=clock, sleep=clock.sleep)
    line = Line()
    line.sent = True

    def interrupted(_deadline: float) -> tuple[Answer, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as problem:
        attempts.carry_out(Call("create"), interrupted, line, where="there")
    assert not isinstance(problem.value, ShotgunError)


def test_an_interrupt_in_the_pause_of_a_write_in_doubt_is_a_doubt(clock: Clock) -> None:
    """An update that may be repeated, and was interrupted before it could be, may still have been done."""

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    attempts = Attempts(
        TransportOptions(idempotent_writes=True), 8, clock=clock, chance=lambda: 1.0, sleep=interrupted
    )

    def lose(_deadline: float) -> tuple[Answer, Any]:
        raise ExchangeFailed(Happening.SILENT, "nothing")

    with pytest.raises(AmbiguousWrite):
        attempts.carry_out(Call("update"), lose, Line(), where="there")
