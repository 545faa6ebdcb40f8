"""Cancellation at each await, one after the other and always the same: no luck, and no plugin, is needed.

async def test():
    async for outcome in every_cancellation(lambda: pool.find("Shot", [])):
        assert pool.leased == 0, outcome

asyncio.run(test())
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any

__all__ = ["Cancellation", "cancel_at", "every_cancellation"]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What became of an awaitable: whether it was cancelled and at which step, and what it gave or raised.

    `steps` counts the times that it waited. One that was cancelled and has a value took no notice.
    """

    cancelled: bool
    step: int
    steps: int
    value: Any = None
    error: BaseException | None = None


async def cancel_at(step: int, awaitable: Awaitable[Any], *, ready: bool = False) -> Cancellation:
    """Await `awaitable` in a task of its own, which is cancelled when it waits for the `step`-th time, from 1.

    With `ready` the cancellation comes a moment later: when what is waited for is there, and the task has not
    gone on yet. That is when results get lost. An awaitable that waits less often is not cancelled.
    """
    steps = _Steps(awaitable, step, ready=ready)
    task = asyncio.ensure_future(_awaited(steps))
    value: Any = None
    error: BaseException | None = None
    try:
        value = await task
    except asyncio.CancelledError as raised:
        if not steps.cancelled:
            # Somebody else means the caller, and the task with it.
            raise
        error = raised
    except Exception as raised:
        error = raised
    return Cancellation(steps.cancelled, step, steps.count, value, error)


async def every_cancellation(
    make: Callable[[], Awaitable[Any]], *, ready: bool = False
) -> AsyncIterator[Cancellation]:
    """Await what `make` gives again and again, cancelled at its first wait, at its second, and so on.

    Ends after a run that waited less often, which is given as well: it was not cancelled. `ready` is that of
    `cancel_at`.
    """
    for step in itertools.count(1):
        outcome = await cancel_at(step, make(), ready=ready)
        yield outcome
        if not outcome.cancelled:
            return


class _Steps:
    """Awaits something and counts how often it waits; cancels the task around it at one of these."""

    def __init__(self, awaitable: Awaitable[Any], step: int, *, ready: bool) -> None:
        self._awaitable = awaitable
        self._step = step
        self._ready = ready
        self.count = 0
        self.cancelled = False

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        inner = self._awaitable.__await__()
        thrown: BaseException | None = None
        while True:
            try:
                waited_for = inner.throw(thrown) if thrown is not None else next(inner)
            except StopIteration as done:
                return done.value
            self.count += 1
            if self.count == self._step:
                self._cancel(task, waited_for)
            try:
                yield waited_for
            except BaseException as raised:
                thrown = raised
            else:
                thrown = None

    def _cancel(self, task: asyncio.Task[Any], waited_for: Any) -> None:
        def cancel(_: Any = None) -> None:
            self.cancelled = True
            task.cancel()

        # A bare yield, as of sleep(0), waits for nothing that could get ready.
        if self._ready and waited_for is not None:
            # Before the task itself asks to be told: so this is called first.
            waited_for.add_done_callback(cancel)
        else:
            cancel()


async def _awaited(steps: _Steps) -> Any:
    return await steps
