"""What a test has ordered for the requests to come: to be late, to be held back, to fail; and what came."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .faulting import Failure
from .holding import Hold

__all__ = ["Arrival", "Arrivals", "Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """One remote call as it reached the site, without the credentials that came with it."""

    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """What becomes of one request besides being answered."""

    closing: threading.Event
    latency: float
    failure: Failure | None = None
    hold: Hold | None = None

    async def leaving(self) -> None:
        """Awaited by the server when the answer is ready; ends when it may leave."""
        if self.hold is not None:
            await self.hold.held()
        loop = asyncio.get_running_loop()
        end = loop.time() + self.latency
        # In slices, so that closing a slow site is as quick as closing any other.
        while not self.closing.is_set() and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))

    def wait_to_leave(self) -> None:
        """The same for a caller in this process, who blocks."""
        if self.hold is not None:
            self.hold.wait_for_release()
        if self.latency:
            self.closing.wait(self.latency)


class Arrivals:
    """The log of a site's requests, and the book of what is ordered for the next ones."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.requests: list[Request] = []
        self.closing = threading.Event()
        self._holds: list[Hold] = []
        self._failures: list[Failure] = []
        self._holding = threading.Lock()

    def arrived(self, payload: Any) -> Arrival:
        """Note a decoded request, and say what was ordered for it."""
        request = _request(payload)
        if request is None:
            return Arrival(self.closing, self.latency)
        self.requests.append(request)
        return Arrival(self.closing, self.latency, self._failure(request.method), self._hold(request.method))

    def passes(self, payload: Any) -> bool:
        """Note a decoded request for which nothing was ordered; False, and nothing noted, where something was."""
        with self._holding:
            if self.latency or self._holds or self._failures:
                return False
            if (request := _request(payload)) is not None:
                self.requests.append(request)
            return True

    @contextmanager
    def hold(self, method: str) -> Iterator[Hold]:
        """Hold back the answer to the next request of `method`, until released or the block ends."""
        hold = Hold(method)
        with self._holding:
            self._holds.append(hold)
        try:
            yield hold
        finally:
            with self._holding:
                # Starting over drops all holds, also that of a block which is still open.
                if hold in self._holds:
                    self._holds.remove(hold)
            hold.release()

    def fail(self, failure: Failure) -> None:
        """Let the next requests fail; failures of one method happen in the order they were asked for."""
        with self._holding:
            self._failures.append(failure)

    def start_over(self) -> None:
        """Forget the requests and all that is ordered; held answers are let go."""
        self.latency = 0.0
        self.requests.clear()
        with self._holding:
            held, self._holds = self._holds, []
            self._failures = []
        for hold in held:
            hold.release()

    def close(self) -> None:
        """Let go of what is held or late: the site closes."""
        self.closing.set()
        with self._holding:
            for hold in self._holds:
                hold.release()

    def _failure(self, method: str) -> Failure | None:
        with self._holding:
            return next((each for each in self._failures if each.claims(method)), None)

    def _hold(self, method: str) -> Hold | None:
        with self._holding:
            for hold in self._holds:
                if hold.method == method and not hold.claimed:
                    hold.claimed = True
                    return hold
        return None


def _request(payload: Any) -> Request | None:
    """The call that a payload makes; None for what is none. Its first param, the credentials, is left out."""
    if not isinstance(payload, dict) or not isinstance(payload.get("method_name"), str):
        return None
    params = payload.get("params")
    arguments = params[1] if isinstance(params, list) and len(params) > 1 else None
    return Request(payload["method_name"], arguments)
