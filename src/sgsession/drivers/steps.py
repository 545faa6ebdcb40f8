"""What both drivers do between two requests: step a plan under the graph's lock, and make one call."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ..entity import minimize
from ..plans.plan import Request
from ..pool import ShotgunPool
from ..transport.collector import collector_paused

__all__ = ["Finished", "Lock", "Yielded", "call", "end", "step"]

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
            return client.call("_sgsession_find_rows", *request.args, decode=decode, **request.kwargs)
        if request.method == "find" and request.kwargs.get("page"):
            return client.call("_sgsession_find_page", *request.args, **request.kwargs)
        return client.call(request.method, *request.args, **request.kwargs)
    return getattr(client, request.method)(*minimize(request.args), **minimize(request.kwargs))
