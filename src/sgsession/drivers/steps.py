"""What both drivers do between two requests: step a plan under the graph's lock, and make one call."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..entity import minimize
from ..plans.plan import Plan, Request
from ..pool import ShotgunPool
from ..transport.collector import collector_paused

__all__ = ["Finished", "call", "step", "while_answers_wait"]


class Finished:
    """A plan has come to its end, with this value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def step(
    plan: Plan[Any],
    lock: AbstractContextManager[Any],
    results: list[Any] | None = None,
    problem: BaseException | None = None,
) -> list[Request] | Finished:
    """Hand results, or what went wrong, to a plan; return its next requests, or its end.

    The lock is held while the plan works on the graph, and never while a request is under way.
    """
    with lock, collector_paused():
        try:
            if problem is not None:
                return plan.throw(problem)
            return next(plan) if results is None else plan.send(results)
        except StopIteration as end:
            return Finished(end.value)


def while_answers_wait(requests: list[Request]) -> AbstractContextManager[None]:
    """The collector's pause from several requests to the step that takes their answers.

    The rows of the first ones wait for the others, and no collection would find garbage among them.
    """
    return collector_paused() if len(requests) > 1 else nullcontext()


def call(client: Any, request: Request) -> Any:
    """Make one request through the pool, or through whatever else the session was given."""
    if isinstance(client, ShotgunPool):
        # The rows of a plan are decoded where they are merged, in one pass.
        method = "find_rows" if request.method == "find" and client.hands_over_rows else request.method
        return client.call(method, *request.args, **request.kwargs)
    return getattr(client, request.method)(*minimize(request.args), **minimize(request.kwargs))
