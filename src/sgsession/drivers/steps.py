"""What both drivers do between two requests: step a plan under the graph's lock, and make one call."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

from ..entity import minimize
from ..plans.plan import Request
from ..pool import ShotgunPool
from ..transport.collector import collector_paused

__all__ = ["LONG_WAIT", "Finished", "Lock", "Pause", "Yielded", "call", "end", "step"]

Yielded = TypeVar("Yielded")
Lock = Callable[[], AbstractContextManager[Any]]
"""Gives the lock of the graph as it is at the moment: a fork renews it, also while somebody iterates."""


class Finished:
    """A plan has come to its end, with this value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def step(
    plan: Generator[Yielded, Any, Any],
    lock: Lock,
    answer: Any = None,
    problem: BaseException | None = None,
) -> Yielded | Finished:
    """Hand an answer, or what went wrong, to a plan; return what it yields next, or its end.

    The lock is held while the plan works on the graph, and never while an answer is waited for.
    """
    with lock(), collector_paused():
        try:
            if problem is not None:
                return plan.throw(problem)
            return plan.send(answer)
        except StopIteration as end:
            return Finished(end.value)
        finally:
            del problem  # or it would hold this frame, which holds it, and all that the frames around know


def end(plan: Generator[Any, Any, Any], lock: Lock) -> None:
    """End a plan that was interrupted outside of it: the graph is not to wait for its answers.

    Whoever keeps the traceback, as a shell does, would keep it waiting.
    """
    with lock():
        plan.close()


class Pause:
    """Keeps the collector paused from one page to the next, but not while a site lets us wait.

    From the decoding of rows to their merging it would find no garbage among them; and each time that it ran between
    two pages, it would look at all that is known for the sake of one.
    """

    def __init__(self) -> None:
        self._held: ExitStack | None = None

    def hold(self) -> None:
        """Pause it, where it is not paused by this yet."""
        if self._held is None:
            self._held = ExitStack()
            self._held.enter_context(collector_paused())

    def release(self) -> None:
        """Let it run again."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def __enter__(self) -> Pause:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()


# Seconds. When the next page takes longer, the collector may run: a process must not be without it for as long as some
# site hangs. And for so long a page that nobody wants any more is waited for.
LONG_WAIT = 1.0


def call(client: Any, request: Request, decode: Callable[[bytes], Any] | None = None) -> Any:
    """Make one request through the pool, or through whatever else the session was given.

    Args:
        client: of the session.
        request: what to call.
        decode: reads the JSON of found rows.
    """
    if isinstance(client, ShotgunPool):
        if request.method == "find" and client.hands_over_rows:
            # The values of a plan's rows are read where they are merged, in one pass.
            return client.call("find_rows", *request.args, decode=decode, **request.kwargs)
        return client.call(request.method, *request.args, **request.kwargs)
    return getattr(client, request.method)(*minimize(request.args), **minimize(request.kwargs))
