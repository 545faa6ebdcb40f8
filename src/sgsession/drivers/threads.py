"""Run a plan in the caller's thread, its independent requests side by side."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from ..plans.plan import Plan, Request
from ..pool import ShotgunPool
from ..transport.collector import collector_paused
from .steps import Finished, call, step

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from .under_way import Outcome, UnderWay

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Threads for requests, started when a plan first has more than one at once."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._starting = threading.Lock()

    def run(self, plan: Plan[T], client: Callable[[], Any], lock: AbstractContextManager[Any]) -> T:
        """Drive a plan to its end and return its value. What a request raises is raised in the plan.

        However it ends, no request of it is under way afterwards.
        """
        begun, pause = _Begun(self), ExitStack()
        try:
            state = step(plan, lock)
            while not isinstance(state, Finished):
                if len(state) > 1:
                    # From the decoding of rows to their merging, no collection would find garbage among them. With
                    # others in between, each would look at all that is known for the sake of one page.
                    pause.close()
                    pause.enter_context(collector_paused())
                try:
                    answer = begun.next_answer(client(), state)
                except BaseException as problem:
                    state = step(plan, lock, problem=problem)
                else:
                    state = step(plan, lock, answer)
                # The next page takes the memory that this one leaves, while the processor has it at hand.
                answer = None
            return state.value  # type: ignore[no-any-return]
        finally:
            begun.end()
            pause.close()

    def begin(
        self, client: ShotgunPool, request: Request, tell: Callable[[bytes | Outcome], None]
    ) -> UnderWay:
        """Start a request in another thread."""
        from .under_way import UnderWay

        under_way = UnderWay(tell)
        try:
            # Under the lock, or close() could take the executor away in between.
            with self._starting:
                if self._executor is None:
                    # Here: it costs start-up time that a script of single requests need not pay, and at the
                    # interpreter's end even this import is refused.
                    from concurrent.futures import ThreadPoolExecutor

                    self._executor = ThreadPoolExecutor(client.max_connections, "sgsession")
                self._executor.submit(under_way.make, client, request)
        except RuntimeError:
            # At the interpreter's end no thread can be started any more; one after the other still works.
            under_way.leave()
            under_way.make(client, request)
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
        # In another thread, with where it tells of itself; or not sent yet, to a client that may not bear several.
        self._requests: deque[tuple[UnderWay, Any] | Request] = deque()

    def __bool__(self) -> bool:
        return bool(self._requests)

    def next_answer(self, client: Any, requests: list[Request]) -> Any:
        """Begin requests; the answer of the one that was begun first."""
        if not isinstance(client, ShotgunPool):
            self._requests.extend(requests)
            return call(client, self._requests.popleft())  # type: ignore[arg-type]
        own = None
        if not self._requests:
            own, *requests = requests
        if requests:
            from queue import SimpleQueue  # here: a script of single requests needs none
        for request in requests:
            arrived: SimpleQueue[bytes | Outcome] = SimpleQueue()
            self._requests.append((self._threads.begin(client, request, arrived.put), arrived))
        if own is not None:
            return call(client, own)
        outcome = _outcome(*self._requests[0])
        self._requests.popleft()
        return outcome.result()

    def end(self) -> None:
        """Wait for what nobody wants any more."""
        requests = [request for request in self._requests if not isinstance(request, Request)]
        for under_way, _ in requests:
            under_way.leave()
        for under_way, arrived in requests:
            _outcome(under_way, arrived)


def _outcome(under_way: UnderWay, arrived: Any) -> Outcome:
    while (outcome := under_way.take(arrived.get())) is None:
        pass
    return outcome
