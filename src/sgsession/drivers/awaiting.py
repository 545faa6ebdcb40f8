"""Await a plan: its requests run in threads, its steps in the event loop's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

from ..plans.plan import HandedOut, Plan, Request, Stream
from ..pool import ShotgunPool
from ..transport.collector import collector_paused
from .steps import Finished, Lock, Yielded, call, end, step
from .threads import LONG_WAIT, Threads
from .under_way import UnderWay

__all__ = ["call_in_thread", "run", "stream"]

T = TypeVar("T")
Client = Callable[[], Awaitable[Any]]
"""Gives the client, and connects before where that is still to be done."""


async def run(plan: Plan[T], threads: Threads, client: Client, lock: Lock) -> T:
    """Drive a plan to its end and return its value. What a request raises is raised in the plan.

    When the awaiting task is cancelled the plan ends as before its last yield; a call that is under way
    runs to its end in its thread, where it returns its connection, and its result is dropped. One that is not sent yet
    stays so. In the same way end those pages that a find has asked for behind its last one.
    """
    begun = _Begun(threads)
    try:
        state = step(plan, lock)
        while not isinstance(state, Finished):
            state = await begun.go_on(plan, state, client, lock)
        return state.value  # type: ignore[no-any-return]
    finally:
        begun.pause.release()
        end(plan, lock)
        begun.leave()


async def stream(plan: Stream, threads: Threads, client: Client, lock: Lock) -> AsyncGenerator[Any, None]:
    """Drive a plan that hands out rows, and give these as they come; else as `run`."""
    begun = _Begun(threads)
    try:
        state = step(plan, lock)
        while not isinstance(state, Finished):
            if isinstance(state, HandedOut):
                begun.pause.release()
                for row in state.rows:
                    yield row
                state = step(plan, lock)
            else:
                state = await begun.go_on(plan, state, client, lock)
    finally:
        begun.pause.release()
        end(plan, lock)
        begun.leave()


async def call_in_thread(threads: Threads, client: Client, request: Request) -> Any:
    """One request by itself, for methods that are passed on to the client."""
    begun = _Begun(threads)
    try:
        return await begun.next_answer(await client(), [request])
    finally:
        begun.leave()


class _Begun:
    """The requests of one plan whose answers it has not had yet, in their order."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self.pause = _Pause()
        # In other threads, with what each of them rings; or not sent yet, to a client that may not bear several.
        self._requests: deque[tuple[UnderWay, asyncio.Queue[None]] | Request] = deque()

    async def go_on(
        self,
        plan: Generator[Yielded, Any, Any],
        requests: list[Request],
        client: Client,
        lock: Lock,
    ) -> Yielded | Finished:
        """Begin requests, and hand the plan the answer of the one that was begun first, or what went wrong."""
        try:
            answer = await self.next_answer(await client(), requests)
        except BaseException as problem:
            return step(plan, lock, problem=problem)
        # Let go of on return: the next page takes the memory that this one leaves, while the processor has it at hand.
        return step(plan, lock, answer)

    async def next_answer(self, client: Any, requests: list[Request]) -> Any:
        """Begin requests; the answer of the one that was begun first."""
        if isinstance(client, ShotgunPool):
            if len(self._requests) + len(requests) > 1:
                self.pause.hold()
            else:
                self.pause.release()
            for request in requests:
                bell: asyncio.Queue[None] = asyncio.Queue()
                self._requests.append((self._threads.begin(client, request, _ringing(bell)), bell))
        else:
            self._requests.extend(requests)
        first = self._requests[0]
        if isinstance(first, Request):
            self._requests.popleft()
            return await asyncio.to_thread(call, client, first)
        under_way, bell = first
        while under_way.outcome is None:
            await bell.get()
            under_way.decode()
        self._requests.popleft()
        return under_way.outcome.result()

    def leave(self) -> None:
        """Nobody waits for what is under way: it ends by itself."""
        for request in self._requests:
            if not isinstance(request, Request):
                request[0].leave()


def _ringing(bell: asyncio.Queue[None]) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def ring() -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody waits any more
            loop.call_soon_threadsafe(bell.put_nowait, None)

    return ring


class _Pause:
    """Keeps the collector paused from one page to the next, as that of threads does; a thread sees to its end.

    The loop cannot: it may be stopped while a page is under way, for good or until a host has time for it again.
    """

    def __init__(self) -> None:
        # What ends the pause, for whoever takes it out first, and what ends the thread.
        self._held: tuple[list[ExitStack], threading.Event] | None = None
        self._until = 0.0

    def hold(self) -> None:
        """Pause it until `release`, for as long as no page takes longer than a moment."""
        self._until = time.monotonic() + LONG_WAIT
        if self._held is None or self._held[1].is_set():
            stack = ExitStack()
            self._held = [stack], threading.Event()
            watch = threading.Thread(target=self._watch, args=self._held, name="sgsession-pause", daemon=True)
            try:
                stack.enter_context(collector_paused())
                watch.start()
            except BaseException as problem:
                self.release()
                if not isinstance(problem, RuntimeError):  # at the interpreter's end no thread can be started
                    raise

    def release(self) -> None:
        """Let it run again."""
        if self._held is not None:
            self._end(*self._held)

    def _watch(self, held: list[ExitStack], over: threading.Event) -> None:
        while not over.wait(max(0.0, self._until - time.monotonic())):
            if time.monotonic() >= self._until:
                break
        self._end(held, over)

    @staticmethod
    def _end(held: list[ExitStack], over: threading.Event) -> None:
        over.set()
        with suppress(IndexError):
            held.pop().close()
