"""Requests that other threads make, side by side, while one thread decodes and merges the answers in their order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from ..plans.plan import Request
from ..transport.calling.envelope import decoded
from .steps import call

__all__ = ["Outcome", "UnderWay"]

# Seconds that an answer waits for the thread that merges before its own thread decodes it: that one may be busy with
# something else, or was interrupted at any point; and the answer's connection is of use to others.
_PATIENCE = 0.2


class Outcome:
    """How something ended; asked once."""

    __slots__ = ("_problem", "_result")

    def __init__(self, result: Any, problem: BaseException | None = None) -> None:
        self._result = result
        self._problem = problem

    def result(self) -> Any:
        """What was returned; or raises what was raised."""
        problem, self._problem = self._problem, None
        if problem is None:
            return self._result
        try:
            raise problem
        finally:
            del problem  # or it would hold this frame, which holds it, and all that the frames around know


class UnderWay:
    """A request that another thread makes.

    The bytes of its answer wait for the thread that merges, which decodes them when it is their turn, and then merges
    while all that it has just made is at hand: where each thread decodes for itself, what it made has left the
    processor's caches by the time that it is merged, and the threads fight for the interpreter.

    Args:
        client: the pool.
        request: what is asked of it.
        tell: wakes the thread that merges: bytes wait to be decoded, or there is an outcome.
    """

    def __init__(self, client: Any, request: Request, tell: Callable[[], None]) -> None:
        self.outcome: Outcome | None = None
        """How it ended, before that is told: an interrupt may lose a call to wake up, but not this."""
        self._client = client
        self.request = request
        self._tell = tell
        self._beginning = threading.Lock()
        # The bytes that wait: whoever takes them out decodes them, so that nobody does so twice.
        self._waiting: list[bytes] = []
        self._decoded: SimpleQueue[tuple[list[bytes] | None, Outcome]] = SimpleQueue()
        self._left = False

    # In the thread that makes it

    def make(self) -> None:
        """Make the request; nothing is sent where nobody wants it any more."""
        if not self._beginning.acquire(blocking=False):
            return
        try:
            outcome = Outcome(None if self._left else call(self._client, self.request, self._decode))
        except BaseException as problem:
            outcome = Outcome(None, problem)
        self.outcome = outcome
        self._tell()

    def make_here(self) -> None:
        """Make the request in the thread that merges, where no other can be started."""
        if not self._beginning.acquire(blocking=False):
            return  # one could be after all
        try:
            self.outcome = Outcome(call(self._client, self.request))
        except Exception as problem:
            self.outcome = Outcome(None, problem)
        self._tell()

    def _decode(self, body: bytes) -> Any:
        if self._left:
            return decoded(body)
        self._waiting = waiting = [body]
        self._tell()
        taken = False
        while True:
            try:
                answered, outcome = self._decoded.get(timeout=_PATIENCE)
            except Empty:
                if waiting or taken:
                    waiting.clear()
                    break
                taken = True  # the other thread is at it; once more, since it may be interrupted before it is done
                continue
            if answered is waiting:
                return outcome.result()
            if answered is None:
                break
            # It was for an attempt that did not wait so long.
        return decoded(body)

    # In the thread that merges

    def decode(self) -> None:
        """Decode what waits, if anything does."""
        waiting = self._waiting
        try:
            body = waiting.pop()
        except IndexError:
            return  # its thread did not wait any longer, or this was told of already
        self._decoded.put((waiting, _read(body)))

    def leave(self) -> None:
        """Nobody will take the answer: what is not sent yet stays so, and the other thread is not to wait."""
        self._left = True
        self._decoded.put((None, Outcome(None)))


def _read(body: bytes) -> Outcome:
    try:
        return Outcome(decoded(body))
    except Exception as problem:
        return Outcome(None, problem.with_traceback(None))
