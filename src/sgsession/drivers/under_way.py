"""Requests that other threads make, side by side, while one thread decodes and merges the answers in their order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from ..plans.plan import Request
from ..transport.calling.envelope import decoded
from .steps import call

__all__ = ["Outcome", "UnderWay"]

# Seconds that an answer waits for the thread that merges before its own thread decodes it: that one may be busy
# with something else, or interrupted at any point, and nobody may wait for ever.
_PATIENCE = 0.5


class Outcome:
    """How a request ended."""

    __slots__ = ("_problem", "_result")

    def __init__(self, result: Any, problem: BaseException | None = None) -> None:
        self._result = result
        self._problem = problem

    def result(self) -> Any:
        """What the client returned; or raises what it raised."""
        if self._problem is not None:
            raise self._problem
        return self._result


class UnderWay:
    """A request that another thread makes.

    The bytes of its answer go to the thread that merges, which decodes them when it is their turn, and then merges
    while all that it has just made is at hand: where each thread decodes for itself, what it made has left the
    processor's caches by the time that it is merged, and the threads fight for the interpreter. A third of the cost
    of a row was that.

    Args:
        tell: hands bytes to decode, and in the end the `Outcome`, to the thread that merges.
    """

    def __init__(self, tell: Callable[[bytes | Outcome], None]) -> None:
        self._tell = tell
        self._decoded: SimpleQueue[tuple[bytes, Outcome]] = SimpleQueue()
        self._left = False

    # In the thread that makes it

    def make(self, client: Any, request: Request) -> None:
        """Make the request and tell of its outcome."""
        try:
            self._tell(Outcome(call(client, request, self._decode)))
        except BaseException as problem:
            self._tell(Outcome(None, problem))

    def _decode(self, body: bytes) -> Any:
        if not self._left:
            self._tell(body)
            with suppress(Empty):
                while True:
                    answered, outcome = self._decoded.get(timeout=_PATIENCE)
                    if answered is body:
                        return outcome.result()
                    if not answered:
                        break  # nobody will take it
                    # It was for an attempt that did not wait so long.
        return decoded(body)

    # In the thread that merges

    def take(self, told: bytes | Outcome) -> Outcome | None:
        """Decode bytes; the outcome where it is one."""
        if isinstance(told, Outcome):
            return told
        try:
            outcome = Outcome(decoded(told))
        except Exception as problem:
            outcome = Outcome(None, problem)
        self._decoded.put((told, outcome))
        return None

    def leave(self) -> None:
        """Nobody will take the answer: the other thread is not to wait."""
        self._left = True
        self._decoded.put((b"", Outcome(None)))
