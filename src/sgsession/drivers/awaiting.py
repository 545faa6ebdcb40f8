"""Await a plan: its requests run in threads, its steps in the event loop's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from ..plans.plan import Plan, Request
from ..pool import ShotgunPool
from .steps import Finished, call, step, while_answers_wait
from .threads import Threads

__all__ = ["call_in_thread", "run"]

T = TypeVar("T")


async def run(
    plan: Plan[T], threads: Threads, client: Callable[[], Any], lock: AbstractContextManager[Any]
) -> T:
    """Drive a plan to its end and return its value. What a request raises is raised in the plan.

    When the awaiting task is cancelled the plan ends as before its last yield; a call that is under way
    runs to its end in its thread, where it returns its connection, and its result is dropped.
    """
    state = step(plan, lock)
    while not isinstance(state, Finished):
        with while_answers_wait(state):
            try:
                results = await _results(threads, client, state)
            except BaseException as problem:
                state = step(plan, lock, problem=problem)
            else:
                state = step(plan, lock, results)
    return state.value  # type: ignore[no-any-return]


async def call_in_thread(threads: Threads, client: Callable[[], Any], request: Request) -> Any:
    """One request by itself, for methods that are passed on to the client."""
    return (await _results(threads, client, [request]))[0]


async def _results(threads: Threads, client: Callable[[], Any], requests: list[Request]) -> list[Any]:
    found = client()
    if isinstance(found, ShotgunPool):
        calls = [asyncio.wrap_future(future) for future in threads.submit(found, requests)]
        try:
            return list(await asyncio.gather(*calls))
        except BaseException:
            # The others are waited for by nobody now; their failures are of no interest any more.
            for other in calls:
                other.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise
    # Not known to bear several calls at once: one after the other, beside the event loop.
    return [await asyncio.to_thread(call, found, request) for request in requests]
