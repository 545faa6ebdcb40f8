"""Await a plan: its requests run in threads, its steps in the event loop's."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any, TypeVar

from ..plans.plan import Plan, Request
from ..pool import ShotgunPool
from ..transport.collector import collector_paused
from .steps import Finished, call, step
from .threads import Threads
from .under_way import Outcome, UnderWay

__all__ = ["call_in_thread", "run"]

T = TypeVar("T")


async def run(
    plan: Plan[T], threads: Threads, client: Callable[[], Any], lock: AbstractContextManager[Any]
) -> T:
    """Drive a plan to its end and return its value. What a request raises is raised in the plan.

    When the awaiting task is cancelled the plan ends as before its last yield; a call that is under way
    runs to its end in its thread, where it returns its connection, and its result is dropped.
    """
    begun, pause = _Begun(threads), ExitStack()
    try:
        state = step(plan, lock)
        while not isinstance(state, Finished):
            if len(state) > 1:
                # From the decoding of rows to their merging, no collection would find garbage among them. With
                # others in between, each would look at all that is known for the sake of one page.
                pause.close()
                pause.enter_context(collector_paused())
            try:
                answer = await begun.next_answer(client(), state)
            except BaseException as problem:
                state = step(plan, lock, problem=problem)
            else:
                state = step(plan, lock, answer)
            # The next page takes the memory that this one leaves, while the processor has it at hand.
            answer = None
        await begun.end()
        return state.value  # type: ignore[no-any-return]
    finally:
        begun.leave()
        pause.close()


async def call_in_thread(threads: Threads, client: Callable[[], Any], request: Request) -> Any:
    """One request by itself, for methods that are passed on to the client."""
    begun = _Begun(threads)
    try:
        return await begun.next_answer(client(), [request])
    finally:
        begun.leave()


class _Begun:
    """The requests of one plan whose answers it has not had yet, in their order."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        # In another thread, with where it tells of itself; or not sent yet, to a client that may not bear several.
        self._requests: deque[tuple[UnderWay, asyncio.Queue[bytes | Outcome]] | Request] = deque()

    def __bool__(self) -> bool:
        return bool(self._requests)

    async def next_answer(self, client: Any, requests: list[Request]) -> Any:
        """Begin requests; the answer of the one that was begun first."""
        if not isinstance(client, ShotgunPool):
            self._requests.extend(requests)
            return await asyncio.to_thread(call, client, self._requests.popleft())  # type: ignore[arg-type]
        for request in requests:
            arrived: asyncio.Queue[bytes | Outcome] = asyncio.Queue()
            self._requests.append((self._threads.begin(client, request, _telling(arrived)), arrived))
        under_way, arrived = self._requests[0]  # type: ignore[misc]
        while (outcome := under_way.take(await arrived.get())) is None:
            pass
        self._requests.popleft()
        return outcome.result()

    async def end(self) -> None:
        """Wait for what nobody wants any more."""
        self.leave()
        while self._requests:
            under_way, arrived = self._requests.popleft()  # type: ignore[misc]
            while under_way.take(await arrived.get()) is None:
                pass

    def leave(self) -> None:
        """Nobody waits for what is under way: it ends by itself."""
        for request in self._requests:
            if not isinstance(request, Request):
                request[0].leave()


def _telling(arrived: asyncio.Queue[Any]) -> Callable[[Any], None]:
    loop = asyncio.get_running_loop()

    def tell(what: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(arrived.put_nowait, what)

    return tell
