"""Run a plan in the caller's thread, its independent requests side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from ..plans.plan import Plan, Request
from ..pool import ShotgunPool
from .steps import Finished, call, step, while_answers_wait

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Threads for requests, started when a plan first has more than one at once."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._starting = threading.Lock()

    def run(self, plan: Plan[T], client: Callable[[], Any], lock: AbstractContextManager[Any]) -> T:
        """Drive a plan to its end and return its value. What a request raises is raised in the plan."""
        state = step(plan, lock)
        while not isinstance(state, Finished):
            with while_answers_wait(state):
                try:
                    results = self.results(client(), state)
                except BaseException as problem:
                    state = step(plan, lock, problem=problem)
                else:
                    state = step(plan, lock, results)
        return state.value  # type: ignore[no-any-return]

    def results(self, client: Any, requests: list[Request]) -> list[Any]:
        """The results of independent requests, in their order; the first failure is raised when all ended."""
        # Only the pool is known to bear several calls at once; a mock gets them one after the other.
        if len(requests) < 2 or not isinstance(client, ShotgunPool):
            return [call(client, request) for request in requests]
        others = self.submit(client, requests[1:])
        try:
            first = call(client, requests[0])
        finally:
            problems = [future.exception() for future in others]
        for problem in problems:
            if problem is not None:
                raise problem
        return [first, *(future.result() for future in others)]

    def submit(self, client: ShotgunPool, requests: list[Request]) -> list[Future[Any]]:
        """Start requests in threads."""
        # Imported here: it costs start-up time that a script of single requests need not pay.
        from concurrent.futures import Future

        futures: list[Future[Any]] = []
        for request in requests:
            try:
                # Under the lock, or close() could take the executor away in between.
                with self._starting:
                    if self._executor is None:
                        # Here: at the interpreter's end, even this import is refused.
                        from concurrent.futures import ThreadPoolExecutor

                        self._executor = ThreadPoolExecutor(client.max_connections, "sgsession")
                    futures.append(self._executor.submit(call, client, request))
            except RuntimeError:
                # At the interpreter's end no thread can be started any more; one after the other still works.
                futures.append(_called(client, request, Future()))
        return futures

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


def _called(client: ShotgunPool, request: Request, future: Future[Any]) -> Future[Any]:
    """A future that is done: the request is made here and now."""
    try:
        future.set_result(call(client, request))
    except Exception as problem:
        future.set_exception(problem)
    return future
