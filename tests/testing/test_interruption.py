"""Interruptions, forks and cancellations of tests: they come where they should, and nowhere else."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sgsession.testing.cancellation import Cancellation, cancel_at, every_cancellation
from sgsession.testing.forking import ForkedError, ForkTimeoutError, in_forks
from sgsession.testing.interruption import (
    eager_collection,
    every_interruption,
    interrupt_after,
    interrupt_at,
    switch_interval,
)

# Coverage's tracer takes a lock of its own: an exception inside it would leave that locked for ever.
pytestmark = pytest.mark.uncovered

HERE = (__name__,)


class Slots:
    """A counter of leases in the way of a pool, right or wrong."""

    def __init__(self) -> None:
        self.leased = 0

    def take(self) -> None:
        self.leased += 1

    def give(self) -> None:
        self.leased -= 1


def careless(slots: Slots) -> str:
    """Loses a slot when it is interrupted at work."""
    slots.take()
    result = work()
    slots.give()
    return result


def careful(slots: Slots) -> str:
    """Gives its slot back however work ends. Taking and giving are not protected from interruptions themselves."""
    slots.take()
    try:
        return work()
    finally:
        slots.give()


def work() -> str:
    return "".join(str(number) for number in range(3))


# At each point


def test_every_point_of_a_function_is_interrupted_once() -> None:
    """In order, each at its own place, and last a run that is not interrupted."""
    *interrupted, last = every_interruption(work, modules=HERE)
    assert len(interrupted) > 5
    assert all(each.interrupted and isinstance(each.error, KeyboardInterrupt) for each in interrupted)
    assert all(each.where.startswith(f"{__file__}:") for each in interrupted)
    assert {each.where.rpartition(" ")[2] for each in interrupted} >= {"work", "<genexpr>"}
    assert (last.interrupted, last.where, last.value, last.error) == (False, "", "012", None)


def test_the_same_step_is_the_same_point() -> None:
    """Twice the same run, and the first that a process makes is as complete as those after it."""
    code = (
        "from sgsession.testing.interruption import every_interruption\n"
        "def work():\n"
        "    return ''.join(str(number) for number in range(3))\n"
        "runs = [[each.where for each in every_interruption(work)] for _ in range(3)]\n"
        "assert runs[0] == runs[1] == runs[2], runs\n"
        "print(len(runs[0]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 5


def test_what_a_careless_function_loses_is_found() -> None:
    """And a careful one loses only where it is between taking and trying."""
    lost: dict[Callable[[Slots], str], int] = {}
    for function in (careless, careful):
        slots: list[Slots] = []

        def run(function: Callable[[Slots], str] = function, slots: list[Slots] = slots) -> str:
            slots.append(Slots())
            return function(slots[-1])

        assert list(every_interruption(run, modules=HERE))[-1].value == "012"
        lost[function] = sum(each.leased > 0 for each in slots)
    assert lost[careless] > 5
    assert lost[careful] < lost[careless] / 2


def test_only_the_points_of_some_modules_count() -> None:
    """What a function does elsewhere is left alone."""

    def resolve() -> str:
        return os.path.join(os.path.abspath("a"), "b")

    everywhere = list(every_interruption(resolve))
    inside = list(every_interruption(resolve, modules=("posixpath",)))
    assert 1 < len(inside) < len(everywhere)
    assert all("posixpath" in each.where for each in inside[:-1])


def test_a_function_may_answer_an_interruption_in_its_own_way() -> None:
    """What it raises or returns instead is told."""

    def translating() -> str:
        try:
            return work()
        except KeyboardInterrupt as interrupt:
            raise RuntimeError("not known whether it happened") from interrupt

    outcomes = list(every_interruption(translating, modules=HERE))
    assert {type(each.error) for each in outcomes} == {KeyboardInterrupt, RuntimeError, type(None)}
    assert isinstance(interrupt_at(3, work, exception=SystemExit).error, SystemExit)


def test_other_tracers_are_put_back() -> None:
    """A debugger goes on after the function."""

    def tracer(*arguments: Any) -> None:
        return None

    former = sys.gettrace()
    sys.settrace(tracer)
    try:
        interrupt_at(2, work)
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(former)


def test_what_was_not_thrown_in_gets_out() -> None:
    """A true Ctrl-C, or the end of the test; an error of the function is told."""

    def end() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        interrupt_at(10_000, end)
    with pytest.raises(SystemExit):
        interrupt_after(60, end)
    assert isinstance(interrupt_at(10_000, lambda: 1 / 0).error, ZeroDivisionError)


# At a random time


def busy(seconds: float) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        work()
    return "done"


def test_a_function_is_interrupted_after_a_time() -> None:
    """In the main thread and in another one; if it has ended by then, it is left alone."""

    def both() -> None:
        began = time.monotonic()
        outcome = interrupt_after(0.05, lambda: busy(10))
        assert outcome.interrupted
        assert isinstance(outcome.error, KeyboardInterrupt)
        assert 0.05 <= time.monotonic() - began < 5
        outcome = interrupt_after(5, lambda: busy(0.01))
        assert (outcome.interrupted, outcome.value, outcome.error) == (False, "done", None)
        assert time.monotonic() - began < 5

    both()
    threads = threading.active_count()
    in_a_thread(both)
    assert threading.active_count() == threads


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this platform")
def test_the_main_thread_is_woken_from_a_wait() -> None:
    """As by Ctrl-C: from a socket and from a lock."""
    left, right = socket.socketpair()
    lock = threading.Lock()
    lock.acquire()
    with left, right:
        for wait in (lambda: left.recv(1), lock.acquire):
            began = time.monotonic()
            assert interrupt_after(0.05, wait).interrupted
            assert time.monotonic() - began < 5


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this platform")
def test_a_timer_of_somebody_else_goes_on() -> None:
    """A time limit of the test is not lengthened for ever, and its handler is in place again."""
    rung: list[int] = []
    former = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    waiting = signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        interrupt_after(0.01, lambda: busy(10))
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.2
        busy(0.3)
        assert rung == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, former)
        signal.setitimer(signal.ITIMER_REAL, *waiting)


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_an_interruption_never_comes_too_late(in_main_thread: bool) -> None:
    """However the moment falls beside the end of the function, nothing is raised outside, and all is told."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    counted: Counter[bool] = Counter()

    def many() -> None:
        for _ in range(400):
            outcome = interrupt_after(chance.uniform(0, 0.0006), lambda: busy(0.0003))
            assert outcome.interrupted == isinstance(outcome.error, KeyboardInterrupt) or outcome.value
            counted[outcome.interrupted] += 1

    # Not while garbage is collected: what is raised in there gets lost with a warning.
    gc.disable()
    try:
        with switch_interval():
            many() if in_main_thread else in_a_thread(many)
    finally:
        gc.enable()
    assert counted[True] > 20, f"seed {seed}"
    assert sum(counted.values()) == 400, f"seed {seed}"


def in_a_thread(function: Callable[[], None]) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


# Threads and garbage


def test_threads_take_turns_more_often() -> None:
    """For the length of a block."""
    former = sys.getswitchinterval()
    with switch_interval(2e-5):
        assert sys.getswitchinterval() == pytest.approx(2e-5)
    assert sys.getswitchinterval() == former


def test_garbage_is_collected_at_once() -> None:
    """Finalizers of cycles run while something else goes on."""
    former = gc.get_threshold()
    gone: list[int] = []

    class Node:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            gone.append(1)

    with eager_collection():
        for _ in range(50):
            Node()
    assert len(gone) > 10
    assert gc.get_threshold() == former


# Forks


def test_children_tell_what_they_return() -> None:
    """All at once, in order, each with its number; nothing is left of them."""

    def child(number: int) -> tuple[int, int, float, float]:
        began = time.monotonic()
        time.sleep(0.3)
        return number, os.getpid(), began, time.monotonic()

    told = in_forks(child, 4)
    assert [number for number, *_ in told] == [0, 1, 2, 3]
    pids = {pid for _, pid, _, _ in told}
    assert len(pids | {os.getpid()}) == 5
    assert max(began for *_, began, _ in told) < min(ended for *_, ended in told)
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)


def test_a_large_result_comes_whole() -> None:
    """More than a pipe holds."""
    assert in_forks(lambda number: b"x" * 3_000_000, 2) == [b"x" * 3_000_000] * 2


def test_children_that_fail_are_told() -> None:
    """What they raised, or that they died; the others are gone as well."""

    def fails(number: int) -> None:
        if number == 1:
            raise LookupError("nothing there")

    with pytest.raises(ForkedError, match=r"child 1 raised:(.|\n)*LookupError: nothing there"):
        in_forks(fails, 3)
    with pytest.raises(ForkedError, match="without a word"):
        in_forks(lambda number: os._exit(3))
    with pytest.raises(ForkedError, match="pickle"):
        in_forks(lambda number: lambda: 1)


def test_a_child_that_hangs_is_killed() -> None:
    """After the time that it was given, and no descriptor stays open."""
    descriptors = len(os.listdir("/proc/self/fd"))
    began = time.monotonic()
    with pytest.raises(ForkTimeoutError, match=r"did not end within 0\.2 seconds"):
        in_forks(lambda number: time.sleep(60 * number), 2, timeout=0.2)
    assert time.monotonic() - began < 5
    assert len(os.listdir("/proc/self/fd")) == descriptors


# Cancellations


class Pool:
    """A pool of one connection, right or wrong."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(1)

    async def careless(self) -> str:
        await self.free.acquire()
        await asyncio.sleep(0)
        result = await self.ask()
        self.free.release()
        return result

    async def careful(self) -> str:
        async with self.free:
            await asyncio.sleep(0)
            return await self.ask()

    async def ask(self) -> str:
        for _ in range(3):
            await asyncio.sleep(0.001)
        return "answer"


@pytest.mark.parametrize("ready", [False, True])
def test_every_await_is_cancelled_once(ready: bool) -> None:
    """In order; the last run is not cancelled, and has the value."""

    async def run() -> list[Cancellation]:
        pool = Pool()
        return [outcome async for outcome in every_cancellation(pool.careful, ready=ready)]

    *cancelled, last = asyncio.run(run())
    assert [each.step for each in cancelled] == [1, 2, 3, 4]
    assert all(each.cancelled and isinstance(each.error, asyncio.CancelledError) for each in cancelled)
    assert [each.steps for each in cancelled] == [1, 2, 3, 4]
    assert (last.cancelled, last.steps, last.value, last.error) == (False, 4, "answer", None)


@pytest.mark.parametrize("ready", [False, True])
def test_what_a_careless_coroutine_loses_is_found(ready: bool) -> None:
    """Wherever it was cancelled at work; a careful one loses nothing."""

    async def lost(name: str) -> list[bool]:
        found = []
        step = 0
        while True:
            step += 1
            pool = Pool()
            outcome = await cancel_at(step, getattr(pool, name)(), ready=ready)
            if not outcome.cancelled:
                return found
            found.append(pool.free.locked())

    assert asyncio.run(lost("careless")) == [True] * 4
    assert asyncio.run(lost("careful")) == [False] * 4


def test_a_result_that_was_ready_can_be_lost() -> None:
    """`ready` cancels when what is waited for is there: who takes it from there has lost it."""

    async def run(ready: bool) -> tuple[bool, bool]:
        loop = asyncio.get_running_loop()
        lease = loop.create_future()
        loop.call_later(0.01, lambda: lease.cancelled() or lease.set_result("lease"))
        outcome = await cancel_at(1, lease, ready=ready)
        assert isinstance(outcome.error, asyncio.CancelledError)
        return lease.cancelled(), lease.done()

    assert asyncio.run(run(ready=False)) == (True, True)
    assert asyncio.run(run(ready=True)) == (False, True)


def test_contenders_go_on_beside_a_cancelled_one() -> None:
    """Others in the same loop are not cancelled, and get their turn."""

    async def run() -> int:
        pool = Pool()
        others = [asyncio.ensure_future(pool.careful()) for _ in range(20)]
        async for _ in every_cancellation(pool.careful):
            pass
        return (await asyncio.gather(*others)).count("answer")

    assert asyncio.run(run()) == 20


def test_an_awaitable_may_refuse_or_translate_a_cancellation() -> None:
    """What it gives or raises instead is told."""

    async def stubborn() -> str:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            return "no"
        return "yes"

    async def translating() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            raise RuntimeError("unknown") from error

    async def run() -> tuple[Cancellation, Cancellation]:
        return await cancel_at(1, stubborn()), await cancel_at(1, translating())

    first, second = asyncio.run(run())
    assert (first.cancelled, first.value) == (True, "no")
    assert (second.cancelled, type(second.error)) == (True, RuntimeError)


def test_a_cancellation_of_the_caller_is_the_callers() -> None:
    """It is raised, and the awaitable is cancelled with it."""
    ended: list[str] = []

    async def waiting() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            ended.append("yes")

    async def run() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(cancel_at(99, waiting()), 0.05)

    asyncio.run(run())
    assert ended == ["yes"]
