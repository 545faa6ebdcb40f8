"""Holding back one answer, so that a test decides what happens between a request and its answer."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

__all__ = ["Hold"]

_LONGEST_WAIT = 10.0


class Hold:
    """The next request of one method: executed at once, its answer held back until it is released."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.claimed = False
        self._executed = threading.Event()
        self._released: Future[None] = Future()
        # Releasing is said by the test, by the end of its block and by the closing site, on any thread.
        self._releasing = threading.Lock()

    def wait(self) -> None:
        """Block until the request has been executed and its answer is being held; TimeoutError after 10 s."""
        if not self._executed.wait(_LONGEST_WAIT):
            raise TimeoutError(f"no {self.method}() request came within {_LONGEST_WAIT:.0f} seconds")

    def release(self) -> None:
        """Let the answer go. Once released, releasing again does nothing."""
        with self._releasing:
            if not self._released.done():
                self._released.set_result(None)

    async def held(self) -> None:
        """Awaited by the server when the request has been executed; ends when it is released."""
        self._executed.set()
        # Shielded: a closing event loop cancels what waits, and must not cancel the Future of the test.
        await asyncio.shield(asyncio.wrap_future(self._released))

    def wait_for_release(self) -> None:
        """The same for a request of this process, whose caller blocks."""
        self._executed.set()
        self._released.result()
