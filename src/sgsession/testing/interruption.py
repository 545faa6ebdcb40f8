"""Ctrl-C at the worst moments: exceptions thrown into running code, at one point, at each, or at a random time.

    for outcome in every_interruption(lambda: pool.find("Shot", []), modules=("sgsession",)):
        assert pool.leased == 0, outcome

An exception that is thrown in never gets out of the function that it was meant for, however late it comes.
"""

from __future__ import annotations

import ctypes
import dis
import gc
import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

__all__ = [
    "Interruption",
    "eager_collection",
    "every_interruption",
    "interrupt_after",
    "interrupt_at",
    "switch_interval",
]


@dataclass(frozen=True, slots=True)
class Interruption:
    """What became of a function: whether and where it was interrupted, and what it returned or raised."""

    interrupted: bool
    where: str = ""
    value: Any = None
    error: BaseException | None = None


def interrupt_at(
    step: int,
    function: Callable[[], Any],
    *,
    exception: type[BaseException] = KeyboardInterrupt,
    modules: tuple[str, ...] = (),
) -> Interruption:
    """Run `function` in this thread and raise `exception` at its `step`-th point, counted from 1.

    A point is where the interpreter itself lets a signal in: at the begin of a Python function, after a call,
    and where a loop goes round. With `modules` only points in these modules and packages count. The same step
    is the same point as long as the function does the same. A function with fewer points is not interrupted.
    Another tracer, a debugger or coverage, sees nothing of the function.
    """
    tracer = _Tracer(step, exception, modules)
    former = sys.gettrace()
    value, error = None, None
    # Python 3.12 traces opcodes only from the first sys.settrace() on that comes after somebody asked for them.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(tracer.called)
    try:
        value = function()
    except BaseException as raised:
        error = raised
    finally:
        sys.settrace(former)
    return _outcome(tracer.where != "", tracer.where, value, error)


def every_interruption(
    function: Callable[[], Any],
    *,
    exception: type[BaseException] = KeyboardInterrupt,
    modules: tuple[str, ...] = (),
) -> Iterator[Interruption]:
    """Run `function` again and again, interrupted at its first point, at its second, and so on.

    Ends after a run that had no such point left, which is given as well: it was not interrupted.
    """
    for step in itertools.count(1):
        outcome = interrupt_at(step, function, exception=exception, modules=modules)
        yield outcome
        if not outcome.interrupted:
            return


def interrupt_after(
    seconds: float, function: Callable[[], Any], *, exception: type[BaseException] = KeyboardInterrupt
) -> Interruption:
    """Run `function` in this thread and throw `exception` into it so many `seconds` later, if it still runs.

    In the main thread a timer's signal does it, as Ctrl-C would: what waits for a lock or a socket is woken.
    In other threads, and on Windows, it is thrown when the function comes back from such a wait. One that
    comes while a finalizer runs gets lost there, as the interpreter would have it.
    """
    by_signal = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    region = _SignalRegion(exception) if by_signal else _ThreadRegion(exception)
    value, error = None, None
    try:
        try:
            region.open(seconds)
            value = function()
        finally:
            region.close()
    except BaseException as raised:
        error = raised
    # Again, as the exception may have come while it was being closed; there is no second one.
    region.close()
    return _outcome(region.fired, "", value, error)


@contextmanager
def switch_interval(seconds: float = 1e-5) -> Iterator[None]:
    """Let threads take turns so often, in seconds, instead of every 5 ms: races come out."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(former)


@contextmanager
def eager_collection() -> Iterator[None]:
    """Collect young garbage at almost every allocation: finalizers run in the middle of anything."""
    former = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        yield
    finally:
        gc.set_threshold(*former)


def _outcome(interrupted: bool, where: str, value: Any, error: BaseException | None) -> Interruption:
    if error is not None and not interrupted and not isinstance(error, Exception):
        # A true Ctrl-C, or the end of the test.
        raise error
    return Interruption(interrupted, where, value, error)


class _Tracer:
    """Counts the points that a function passes, and raises at one of them."""

    def __init__(self, step: int, exception: type[BaseException], modules: tuple[str, ...]) -> None:
        self.where = ""
        self._left = step
        self._exception = exception
        self._modules = modules

    def called(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any] | None:
        """Told by the interpreter of each function that begins."""
        if self.where or not self._counts(frame.f_globals.get("__name__") or ""):
            return None
        # First of all: Python 3.13 passes over the opcodes of a frame that has no tracer of its own yet.
        frame.f_trace = self._passed
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self._passed

    def _passed(self, frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        if event == "opcode" and not self.where and frame.f_lasti in _points(frame.f_code):
            self._left -= 1
            if self._left == 0:
                self.where = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"
                # What a tracer raises goes on from the point that it was told of.
                raise self._exception
        return self._passed

    def _counts(self, module: str) -> bool:
        return not self._modules or any(
            module == each or module.startswith(f"{each}.") for each in self._modules
        )


@lru_cache(maxsize=4096)
def _points(code: CodeType) -> frozenset[int]:
    """Offsets of the instructions before which the interpreter looks for signals."""
    instructions = list(dis.get_instructions(code))
    points = {instructions[0].offset} if instructions[0].opname != "RESUME" else set()
    for instruction, after in itertools.pairwise(instructions):
        name = instruction.opname
        if name == "RESUME" or (name.startswith("CALL") and "INTRINSIC" not in name):
            points.add(after.offset)
        elif "JUMP" in name and "NO_INTERRUPT" not in name and instruction.argval <= instruction.offset:
            points.add(instruction.argval)
    return frozenset(points)


class _SignalRegion:
    """Lets a timer's signal raise in the main thread, while it is open."""

    def __init__(self, exception: type[BaseException]) -> None:
        self.fired = False
        self._exception = exception
        self._is_open = False
        self._restore: list[Callable[[], Any]] = []

    def open(self, seconds: float) -> None:
        """Start the timer."""
        former = signal.signal(signal.SIGALRM, self._rung)
        began = time.monotonic()
        left, again = signal.setitimer(signal.ITIMER_REAL, 0)

        def restore() -> None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)
            if left:
                # Somebody else's timer, a time limit of the test perhaps, goes on as if nothing had been.
                rest = max(left - (time.monotonic() - began), 1e-3)
                signal.setitimer(signal.ITIMER_REAL, rest, again)

        self._restore.append(restore)
        self._is_open = True
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))

    def close(self) -> None:
        """Let nothing be raised from now on."""
        self._is_open = False
        while self._restore:
            self._restore.pop()()

    def _rung(self, number: int, frame: FrameType | None) -> None:
        if self._is_open:
            self._is_open = False
            self.fired = True
            raise self._exception


class _ThreadRegion:
    """Lets another thread raise in the one that it was made in, while it is open."""

    def __init__(self, exception: type[BaseException]) -> None:
        self.fired = False
        self._exception = exception
        self._target = threading.get_ident()
        # Locks alone, for they are not written in Python: nothing of them can be interrupted half-way.
        self._guard = threading.Lock()
        self._ended = threading.Lock()
        self._is_open = False
        self._thread: threading.Thread | None = None

    def open(self, seconds: float) -> None:
        """Start the clock."""
        self._ended.acquire()
        thread = threading.Thread(
            target=self._wait, args=(seconds,), name="sgsession-interruption", daemon=True
        )
        thread.start()
        self._thread = thread
        self._is_open = True

    def close(self) -> None:
        """Let nothing be raised from now on; what is on its way is raised in here."""
        with self._guard:
            self._is_open = False
        for _ in range(100):
            # A loop that goes round is where the interpreter lets an exception in.
            pass
        if self._thread is not None:
            if self._ended.locked():
                self._ended.release()
            self._thread.join()
            self._thread = None

    def _wait(self, seconds: float) -> None:
        if self._ended.acquire(timeout=seconds):
            return
        with self._guard:
            if self._is_open:
                self._is_open = False
                self.fired = True
                throw = ctypes.pythonapi.PyThreadState_SetAsyncExc
                throw(ctypes.c_ulong(self._target), ctypes.py_object(self._exception))
