"""Run a plan in the caller's thread, its independent requests side by side."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..plans.plan import HandedOut, Plan, Request, Stream
from ..pool import ShotgunPool
from ..transport.collector import collector_paused
from .steps import Finished, Lock, Yielded, call, end, step

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from queue import SimpleQueue

    from .under_way import UnderWay

__all__ = ["Threads"]

T = TypeVar("T")

# Seconds. When the next page takes longer, the collector may run: a process must not be without it for as long as some
# site hangs. And for so long a page that nobody wants any more is waited for.
LONG_WAIT = 1.0


class Threads:
    """Threads for requests, started when a plan first has more than one at once."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._starting = threading.Lock()

    def run(self, plan: Plan[T], client: Callable[[], Any], lock: Lock) -> T:
        """Drive a plan to its end and return its value. What a request raises is raised in the plan.

        What it has begun and does not want any more is waited for, but for a moment only: a page behind the last one
        may be slow. After Ctrl-C nothing is. It ends by itself, and what is not sent yet stays so.
        """
        begun = _Begun(self)
        patience = LONG_WAIT
        with begun.pause:
            try:
                state = step(plan, lock)
                while not isinstance(state, Finished):
                    state = begun.go_on(plan, state, client, lock)
                return state.value  # type: ignore[no-any-return]
            except BaseException as problem:
                patience = LONG_WAIT if isinstance(problem, Exception) else 0.0
                raise
            finally:
                begun.pause.release()  # twice, since an interrupt may come at any point
                end(plan, lock)
                begun.leave(patience)

    def stream(self, plan: Stream, client: Callable[[], Any], lock: Lock) -> Iterator[Any]:
        """Drive a plan that hands out rows, and give these as they come; else as `run`."""
        begun = _Begun(self)
        patience = LONG_WAIT
        try:
            state = step(plan, lock)
            while not isinstance(state, Finished):
                if isinstance(state, HandedOut):
                    begun.pause.release()
                    yield from state.rows
                    state = step(plan, lock)
                else:
                    state = begun.go_on(plan, state, client, lock)
        except GeneratorExit:
            # No lock is taken and nothing waited for: the garbage collector may do this, in the middle of anything.
            plan.close()
            patience = 0.0
            raise
        except BaseException as problem:
            patience = LONG_WAIT if isinstance(problem, Exception) else 0.0
            end(plan, lock)
            raise
        finally:
            begun.pause.release()
            begun.leave(patience)

    def begin(self, client: ShotgunPool, request: Request, tell: Callable[[], None]) -> UnderWay:
        """Start a request in another thread, which is told of by `tell`."""
        from .under_way import UnderWay

        under_way = UnderWay(client, request, tell)
        try:
            # Under the lock, or close() could take the executor away in between.
            with self._starting:
                if self._executor is None:
                    # Here: it costs start-up time that a script of single requests need not pay, and at the
                    # interpreter's end even this import is refused.
                    from concurrent.futures import ThreadPoolExecutor

                    self._executor = ThreadPoolExecutor(client.max_connections, "sgsession")
                self._executor.submit(under_way.make)
        except RuntimeError:
            # At the interpreter's end no thread can be started any more; one after the other still works.
            under_way.make_here()
        return under_way

    def renew(self) -> None:
        """Forget the threads, which a forked child does not have."""
        self._executor = None
        self._starting = threading.Lock()

    def close(self) -> None:
        """Let the threads end; requests under way are waited for."""
        with self._starting:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()


class _Begun:
    """The requests of one plan whose answers it has not had yet, in their order."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._process = os.getpid()
        self.pause = _Pause()
        # In other threads, with what each of them rings; or not sent yet, to a client that may not bear several.
        self._requests: deque[tuple[UnderWay, SimpleQueue[None]] | Request] = deque()

    def go_on(
        self,
        plan: Generator[Yielded, Any, Any],
        requests: list[Request],
        client: Callable[[], Any],
        lock: Lock,
    ) -> Yielded | Finished:
        """Begin requests, and hand the plan the answer of the one that was begun first, or what went wrong."""
        try:
            answer = self.next_answer(client(), requests)
        except BaseException as problem:
            return step(plan, lock, problem=problem)
        # Let go of on return: the next page takes the memory that this one leaves, while the processor has it at hand.
        return step(plan, lock, answer)

    def next_answer(self, client: Any, requests: list[Request]) -> Any:
        """Begin requests; the answer of the one that was begun first."""
        if self._process != os.getpid():
            # A forked child has none of the threads: what they were asked for is asked for again.
            self._process = os.getpid()
            requests = [
                each if isinstance(each, Request) else each[0].request for each in self._requests
            ] + requests
            self._requests.clear()
        if not isinstance(client, ShotgunPool):
            self._requests.extend(requests)
        elif len(requests) == 1 and not self._requests:
            self.pause.release()  # nothing waits to be merged, and nobody says how long this takes
            return call(client, requests[0])
        elif requests:
            from queue import SimpleQueue  # here: a script of single requests needs none

            self.pause.hold()
            for request in requests:
                bell: SimpleQueue[None] = SimpleQueue()
                self._requests.append((self._threads.begin(client, request, partial(bell.put, None)), bell))
        first = self._requests[0]
        if isinstance(first, Request):
            self._requests.popleft()
            return call(client, first)
        from queue import Empty

        under_way, bell = first
        while under_way.outcome is None:
            try:
                bell.get(timeout=LONG_WAIT)
            except Empty:
                self.pause.release()
                bell.get()
            under_way.decode()
        self._requests.popleft()
        return under_way.outcome.result()

    def leave(self, patience: float) -> None:
        """Nobody wants any more what is under way; wait so many seconds at most for it to end.

        Whoever counts requests, or looks at what is lent, then finds none that belong to what is over.
        """
        if self._process != os.getpid():
            return  # a forked child has none of the threads, and what they held when it was made stays locked there
        begun = [each for each in self._requests if not isinstance(each, Request)]
        for under_way, _ in begun:
            under_way.leave()
        if not begun or not patience:
            return
        from queue import Empty

        until = time.monotonic() + patience
        with suppress(Empty):
            for under_way, bell in begun:
                while under_way.outcome is None:
                    bell.get(timeout=max(0.0, until - time.monotonic()))


class _Pause:
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

    def __enter__(self) -> _Pause:
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()
