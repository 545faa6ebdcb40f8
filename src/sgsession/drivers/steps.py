"""What both drivers do between two requests: step a plan under the graph's lock, and make one call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..entity import minimize
from ..plans.plan import Plan, Request
from ..pool import ShotgunPool
from ..transport.collector import collector_paused

__all__ = ["Finished", "call", "step"]


class Finished:
    """A plan has come to its end, with this value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def step(
    plan: Plan[Any],
    lock: AbstractContextManager[Any],
    answer: Any = None,
    problem: BaseException | None = None,
) -> list[Request] | Finished:
    """Hand an answer, or what went wrong, to a plan; return the requests that it begins next, or its end.

    The lock is held while the plan works on the graph, and never while an answer is waited for.
    """
    with lock, collector_paused():
        try:
            if problem is not None:
                return plan.throw(problem)
            return plan.send(answer)
        except StopIteration as end:
            return Finished(end.value)


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
