"""Waking a thread that waits, safe from interrupts."""

from __future__ import annotations

import threading
from contextlib import suppress

__all__ = ["Bell"]


class Bell:
    """Ends the wait of one thread each time that it is rung; an interrupt at any point leaves it in order.

    `threading.Event` and `Condition` are written in Python: an exception that comes just after they took their
    lock leaves it taken, and whoever comes next hangs. This one is a lock alone, which is written in C.
    """

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """End the wait of one thread, or the next wait; ringing twice is ringing once."""
        with suppress(RuntimeError):  # it rings already
            self._silence.release()

    def wait(self, seconds: float) -> bool:
        """Wait until it is rung, for so many seconds at most; whether it was."""
        return self._silence.acquire(timeout=max(seconds, 0.0))
