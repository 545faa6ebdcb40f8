"""The pool's book-keeping against a model, many threads and interrupts at any point."""

from __future__ import annotations

import gc
import itertools
import random
import signal
import threading
import time
import traceback
import weakref
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sgsession import ShotgunPool
from sgsession.errors import PoolClosedError, PoolTimeoutError
from sgsession.leases import Lease, Leases
from sgsession.site import LocalSite
from sgsession.testing.interruption import every_interruption, interrupt_after, interrupt_at, switch_interval
from sgsession.transport.line.bell import Bell


class Connection:
    """A connection that knows who uses it, and that traps whoever uses it beside another."""

    def __init__(self) -> None:
        self.user: int | None = None
        self.closed = False

    def use(self) -> None:
        """Be used for a moment."""
        me = threading.get_ident()
        assert self.user is None, "used by two threads"
        assert not self.closed, "used after it was closed"
        self.user = me
        assert self.user == me
        self.user = None

    def close(self) -> None:
        """End."""
        self.closed = True


class LeasesAgainstAModel(RuleBasedStateMachine):
    """Everything that can become of a lease, and four numbers that say what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 3
        self.renew()

    # The reference: `held` are the leases that live, `idle` counts what is kept.

    @rule()
    def renew(self) -> None:
        """What a forked child does: all is new, and what was lent before is of no account."""
        self.alive: weakref.WeakSet[Connection] = weakref.WeakSet()
        self.leases = Leases(self._made, lambda: self.limit)
        self.held: list[Lease] = []
        self.idle = 0
        self.closed = False

    def _made(self) -> Connection:
        connection = Connection()
        self.alive.add(connection)
        return connection

    def _taken(self) -> None:
        self.idle = max(0, self.idle - 1)

    @rule(timeout=st.sampled_from([0.0, -1.0, 0.002]))
    def take(self, timeout: float) -> None:
        """A lease, or at once the right refusal."""
        if self.closed:
            with pytest.raises(PoolClosedError):
                self.leases.take(timeout)
        elif len(self.held) >= self.limit:
            with pytest.raises(PoolTimeoutError, match=f"All {self.limit} "):
                self.leases.take(timeout)
        else:
            self.held.append(self.leases.take(timeout))
            self._taken()
            self.held[-1].client.use()

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 9), intact=st.booleans())
    def give_back(self, which: int, intact: bool) -> None:
        """Intact ones are kept, as many as may be used; broken ones are closed."""
        lease = self.held.pop(which % len(self.held))
        client = lease.client
        self.leases.give_back(lease, intact=intact)
        kept = intact and not self.closed and self.idle < self.limit
        self.idle += kept
        assert client.closed or (intact and not self.closed)
        assert (client in self.leases.idle) == kept

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 9))
    def lose(self, which: int) -> None:
        """An interrupt, an abandoned generator: the lease is gone, and with it its connection."""
        gone = weakref.ref(self.held.pop(which % len(self.held)).client)
        assert gone() is None

    @precondition(lambda self: not self.closed and len(self.held) < self.limit)
    @rule()
    def kill(self) -> None:
        """A thread ends with a lease that somebody still knows of."""
        found: list[Lease] = []
        thread = threading.Thread(target=lambda: found.append(self.leases.take(1)))
        thread.start()
        thread.join()
        self._taken()
        client = found[0].client
        assert self.leases.counts()[0] == len(self.held)
        assert client.closed
        # Whoever still has it and gives it back, in whatever state, changes nothing.
        self.leases.give_back(found[0], intact=True)

    @rule(limit=st.integers(1, 4))
    def change_the_limit(self, limit: int) -> None:
        """A site that suffers gets fewer connections, and more when it is well."""
        self.limit = limit

    @rule()
    def close(self) -> None:
        """No lease any more; the idle ones are the caller's."""
        idle = self.leases.close()
        assert len(idle) == (0 if self.closed else self.idle)
        self.idle, self.closed = 0, True

    @invariant()
    def counts_are_right(self) -> None:
        """What is lent, idle and waiting; nothing is shared, nothing that is closed is kept, nothing is forgotten."""
        assert self.leases.counts() == (len(self.held), self.idle, 0)
        lent = [lease.client for lease in self.held]
        known = [*lent, *self.leases.idle]
        assert len({id(each) for each in known}) == len(known)
        assert not any(each.closed for each in known)


TestLeasesAgainstAModel = LeasesAgainstAModel.TestCase
TestLeasesAgainstAModel.settings = settings(max_examples=200, stateful_step_count=50)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_leases_against_a_model_for_long() -> None:
    """G-11: 5,000 runs of 100 steps."""
    run_state_machine_as_test(
        LeasesAgainstAModel, settings=settings(max_examples=5000, stateful_step_count=100)
    )


def leases_of(limit: int) -> Leases:
    """With connections that trap whoever shares them."""
    return Leases(Connection, lambda: limit)


def test_first_come_first_served() -> None:
    """Twenty threads that wait get their leases in the order in which they came, over and over."""
    for _ in range(5):
        leases = leases_of(1)
        first = leases.take(1)
        served: list[int] = []

        def take(number: int, leases: Leases = leases, served: list[int] = served) -> None:
            lease = leases.take(30)
            served.append(number)
            leases.give_back(lease, intact=True)

        threads = []
        for number in range(20):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while leases.counts()[2] <= number:
                time.sleep(0.0005)
        leases.give_back(first, intact=True)
        for thread in threads:
            thread.join()
        assert served == [*range(20)]


def test_nobody_overtakes_who_waits() -> None:
    """A caller that comes when a connection is free, and somebody waits for it, has to wait behind."""
    leases = leases_of(1)
    held = leases.take(1)
    got = threading.Event()
    done = threading.Event()

    def wait() -> None:
        lease = leases.take(30)
        got.set()
        done.wait(30)
        leases.give_back(lease, intact=True)

    thread = threading.Thread(target=wait)
    thread.start()
    while not leases.counts()[2]:
        time.sleep(0.001)
    leases.give_back(held, intact=True)
    with pytest.raises(PoolTimeoutError):
        leases.take(0.05)
    assert got.is_set()
    done.set()
    thread.join()


def test_who_gives_up_swallows_no_wake_up(monkeypatch: pytest.MonkeyPatch, dice: random.Random) -> None:
    """Waiters that run out of time as a connection comes back leave it to the next, at once."""
    # Else a waiter that nobody woke looks by itself.
    monkeypatch.setattr("sgsession.leases._LOOK_EVERY", 60.0)
    for _ in range(30):
        leases = leases_of(1)
        held = leases.take(1)
        served: list[bool] = []

        def hasty(leases: Leases = leases) -> None:
            with suppress(PoolTimeoutError):
                leases.give_back(leases.take(0.01), intact=True)

        def patient(leases: Leases = leases, served: list[bool] = served) -> None:
            lease = leases.take(20)
            served.append(True)
            leases.give_back(lease, intact=True)

        threads = [threading.Thread(target=hasty) for _ in range(4)] + [threading.Thread(target=patient)]
        for thread in threads:
            thread.start()
        time.sleep(0.008 + dice.random() * 0.004)
        leases.give_back(held, intact=True)
        for thread in threads:
            thread.join()
        assert served
        assert leases.counts() == (0, 1, 0)


def test_a_limit_that_rises_is_noticed() -> None:
    """A waiter gets a lease within a second of there being room, though nothing was given back."""
    limit = 1
    leases = Leases(Connection, lambda: limit)
    leases_held = [leases.take(1)]
    thread = threading.Thread(target=lambda: leases_held.append(leases.take(30)))
    thread.start()
    while not leases.counts()[2]:
        time.sleep(0.001)
    limit = 2
    thread.join(1)
    assert len(leases_held) == 2


def test_a_dead_thread_frees_its_slot_for_who_waits() -> None:
    """A waiter gets the slot of a thread that died soon; the connection is another one."""
    leases = leases_of(1)
    found: list[Lease] = []
    die = threading.Event()

    def take_and_die() -> None:
        found.append(leases.take(1))
        die.wait(30)

    thread = threading.Thread(target=take_and_die)
    thread.start()
    while not found:
        time.sleep(0.001)
    client = found[0].client
    threading.Timer(0.05, die.set).start()
    began = time.monotonic()
    lease = leases.take(30)
    assert time.monotonic() - began < 5
    assert client.closed
    assert lease.client is not client
    thread.join()


def test_what_is_told_of_the_lost_is_told_outside_of_the_lock(caplog: pytest.LogCaptureFixture) -> None:
    """A log handler that uses the pool does not hang; each lost connection is told once, with its thread."""
    import logging

    leases = leases_of(2)
    seen: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(f"{record.getMessage()} {leases.counts()[0]}")

    handler = Handler()
    logging.getLogger("sgsession.pool").addHandler(handler)
    try:
        kept: list[Lease] = []
        thread = threading.Thread(target=lambda: kept.append(leases.take(1)), name="careless")
        thread.start()
        thread.join()
        lost = leases.take(1)
        del lost
        gc.collect()
        for _ in range(3):
            leases.counts()
    finally:
        logging.getLogger("sgsession.pool").removeHandler(handler)
    assert len(seen) == 2
    assert "careless" in "".join(seen)


LONGER = (pytest.mark.long, pytest.mark.timeout(1800))


@pytest.mark.parametrize("rounds", [1000, pytest.param(10_000, marks=LONGER)])
def test_many_threads_few_connections(rounds: int) -> None:
    """G-04: 64 threads on 8 connections: never two users of one, and none is lost."""
    made: list[Connection] = []

    def make() -> Connection:
        made.append(Connection())
        return made[-1]

    leases = Leases(make, lambda: 8)
    problems: list[BaseException] = []
    before = threading.active_count()

    def work(number: int) -> None:
        try:
            for each in range(rounds):
                lease = leases.take(60)
                lease.client.use()
                leases.give_back(lease, intact=(each + number) % 50 > 0)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(64)]
    with switch_interval(1e-5):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not problems, problems[0]
    lent, idle, waiting = leases.counts()
    assert (lent, waiting) == (0, 0)
    assert idle <= 8
    assert sum(not each.closed for each in made) == idle
    assert threading.active_count() == before


def _use(leases: Leases) -> None:
    lease = None
    try:
        lease = leases.take(5)
        lease.client.use()
        leases.give_back(lease, intact=True)
    except BaseException:
        if lease is not None:
            leases.give_back(lease, intact=False)
        raise


OWN = ("sgsession.leases", "sgsession.transport.line.bell", __name__)


@pytest.mark.uncovered
def test_interrupted_at_each_point() -> None:
    """Ctrl-C at each single point of taking and giving back: the slot is free at once, whoever keeps the traceback."""
    leases = leases_of(1)
    points = 0
    for outcome in every_interruption(lambda: _use(leases), modules=OWN):
        points += 1
        lent, idle, waiting = leases.counts()
        assert (lent, waiting) == (0, 0), outcome
        assert idle <= 1, outcome
        _use(leases)
    assert points > 40


@pytest.mark.uncovered
def test_interrupted_at_each_point_while_it_waits() -> None:
    """Ctrl-C at each single point of a wait and of what wakes it: nobody is left in the line, and others get on."""
    leases = leases_of(1)
    held = leases.take(5)
    points = 0
    for outcome in every_interruption(lambda: leases.take(0.005), modules=(*OWN, "threading")):
        points += 1
        assert leases.counts() == (1, 0, 0), outcome
        assert isinstance(outcome.error, KeyboardInterrupt if outcome.interrupted else PoolTimeoutError)
        leases.give_back(held, intact=True)
        held = leases.take(0)
    assert points > 40


@pytest.mark.uncovered
def test_interrupted_at_each_point_while_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at each single point of giving back and waking: who waits gets the lease all the same."""
    monkeypatch.setattr("sgsession.leases._LOOK_EVERY", 0.01)
    leases = leases_of(1)
    held: list[Lease] = []

    def give_back() -> None:
        try:
            leases.give_back(held[0], intact=True)
        except BaseException:
            leases.give_back(held[0], intact=False)
            raise

    for step in itertools.count(1):
        held[:] = [leases.take(5)]
        thread = threading.Thread(target=_use, args=(leases,), daemon=True)
        thread.start()
        while not leases.counts()[2]:
            time.sleep(0.0001)
        outcome = interrupt_at(step, give_back, modules=(*OWN[:-1], "threading"))
        thread.join(5)
        assert not thread.is_alive(), outcome
        assert leases.counts()[0::2] == (0, 0), outcome
        if not outcome.interrupted:
            break
    assert step > 20


@pytest.mark.uncovered
def test_who_lives_is_not_taken_for_dead() -> None:
    """An interrupt while it is asked who is still there costs no other thread its connection."""
    leases = leases_of(2)
    taken, done = threading.Event(), threading.Event()
    held: list[Lease] = []

    def hold() -> None:
        held.append(leases.take(5))
        taken.set()
        done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(30)
    try:
        for outcome in every_interruption(leases.counts, modules=(*OWN, "threading")):
            assert leases.counts()[0] == 1, outcome
        assert not held[0].client.closed
    finally:
        done.set()
        thread.join()


@pytest.mark.uncovered
def test_a_bell_survives_interrupts() -> None:
    """Rung twice it ends one wait; interrupted anywhere, the next ring and the next wait are as ever."""
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0.001)
    for action in (bell.ring, lambda: bell.wait(0)):
        for outcome in every_interruption(action, modules=("sgsession.transport.line.bell", "contextlib")):
            bell.wait(0)
            bell.ring()
            assert bell.wait(0), outcome


@pytest.mark.uncovered
def test_interrupted_at_random_moments(dice: random.Random) -> None:
    """G-05: 2,000 times a timer's Ctrl-C in taking and giving back: nothing is lost, though tracebacks are kept."""
    leases = leases_of(2)
    kept: list[BaseException] = []

    def work() -> None:
        for _ in range(200):
            _use(leases)

    # What other tests left would be finalized in there, and an interrupt inside a finalizer goes nowhere.
    gc.collect()
    interrupted = 0
    while interrupted < 2000:
        outcome = interrupt_after(dice.random() * 0.001, work)
        interrupted += outcome.interrupted
        if outcome.error is not None:
            assert isinstance(outcome.error, KeyboardInterrupt), outcome
            kept[:] = [*kept[-50:], outcome.error]
        lent, idle, waiting = leases.counts()
        assert (lent, waiting) == (0, 0), outcome
        assert idle <= 2


@pytest.mark.uncovered
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this platform")
def test_signal_handlers_may_use_what_they_interrupt() -> None:
    """A handler that takes a lease in the middle of taking one gets it, and hinders nobody."""
    leases = leases_of(2)
    rung = 0
    under_way = False

    def handle(*_: Any) -> None:
        nonlocal rung, under_way
        # One at a time: handlers that interrupt each other would need more leases than there are.
        if not under_way:
            under_way = True
            _use(leases)
            leases.counts()
            under_way = False
            rung += 1

    former = signal.signal(signal.SIGALRM, handle)
    # Over and over: up to Python 3.12 a signal may go unnoticed until the next one comes.
    waiting = signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        while rung < 1000:
            _use(leases)
            leases.counts()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        signal.setitimer(signal.ITIMER_REAL, *waiting)
    assert leases.counts()[0::2] == (0, 0)


# An interrupt inside a finalizer goes nowhere; a socket that it kept from being closed is then closed by Python.
@pytest.mark.uncovered
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")
@pytest.mark.parametrize("times", [1000, pytest.param(10_000, marks=LONGER)])
def test_interrupted_at_any_moment_over_a_site(own_site: LocalSite, dice: random.Random, times: int) -> None:
    """G-05: Ctrl-C, over and over, in the middle of reads over HTTP: nothing stays lent, the next read is right."""
    with ShotgunPool(own_site.connect(connect=False), max_connections=2, lease_timeout=5) as pool:
        expected = pool.find_one("Shot", [["id", "is", 234]], ["code"])

        def read() -> Any:
            return pool.find_one("Shot", [["id", "is", 234]], ["code"])

        interrupted = 0
        for _ in range(times):
            outcome = interrupt_after(dice.random() * 0.004, read)
            interrupted += outcome.error is not None
            if outcome.error is None:
                assert outcome.value == expected
            else:
                assert isinstance(outcome.error, KeyboardInterrupt), outcome
            del outcome
        gc.collect()
        assert pool.stats()["lent"] == 0
        assert pool.stats()["idle"] <= 2
        assert read() == expected
    assert interrupted > times / 10


# An interrupt inside a finalizer goes nowhere; a socket that it kept from being closed is then closed by Python.
@pytest.mark.uncovered
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed.*socket:ResourceWarning")
def test_exceptions_thrown_into_threads(own_site: LocalSite, dice: random.Random) -> None:
    """Exceptions that one thread throws into others at any bytecode leave no lease behind."""
    times = [dice.random() * 0.01 for _ in range(200)]
    with ShotgunPool(own_site.connect(connect=False), max_connections=3, lease_timeout=10) as pool:
        problems: list[Any] = []

        def work(mine: list[float]) -> None:
            for seconds in mine:
                outcome = interrupt_after(seconds, lambda: pool.find_one("Shot", [["id", "is", 234]]))
                if outcome.error is None:
                    right = outcome.value["id"] == 234
                else:
                    right = isinstance(outcome.error, KeyboardInterrupt)
                if not right:
                    problems.append((outcome.value, "".join(traceback.format_exception(outcome.error))))

        threads = [threading.Thread(target=work, args=(times[number::6],)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gc.collect()
        assert not problems, problems[0][1]
        assert pool.stats()["lent"] == 0
        assert pool.find_one("Shot", [["id", "is", 234]])["id"] == 234
