"""Who has a connection and who waits for one: bounded, first come first served, and nothing is ever lost.

A slot is not a number that has to be counted down: it is taken for as long as its `Lease` exists. An interrupt at
any point, a thread that died, a generator that nobody ended can lose a lease, but not a slot: with the lease
the slot is free again, and its connection closed.

Interrupts come between any two steps, and so do signal handlers and finalizers that use the pool themselves. So
each change is one step of the interpreter (of a dict or a list), and may be made twice.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .errors import PoolClosedError, PoolTimeoutError
from .transport.line.bell import Bell

__all__ = ["Lease", "Leases"]

log = logging.getLogger("sgsession.pool")

# A waiter that was not woken looks by itself: whoever was to wake it may have been interrupted, and leases
# of dead threads tell nobody.
_LOOK_EVERY = 0.5


class _Life(threading.local):
    """Something that each thread has, and that ends with it."""

    def __init__(self) -> None:
        self.sign = _Sign()


class _Sign:
    """Lives as long as its thread."""


_life = _Life()


class Lease:
    """A connection in somebody's hands, or the place of somebody who waits for one."""

    client: Any = None

    # No finalizer: an interrupt that came in there would be swallowed.

    def __init__(self) -> None:
        self.bell = Bell()
        self.thread = threading.current_thread().name
        # Not `Thread.is_alive`: interrupted half-way, it takes a living thread for dead from then on.
        self._life = weakref.ref(_life.sign)

    @property
    def lost(self) -> bool:
        """True when the thread that took it has died with it."""
        return self._life() is None


class Leases:
    """The connections of a pool. Safe to use from many threads.

    Args:
        make: makes a connection that is not open yet.
        limit: how many may be lent at this moment.
    """

    def __init__(self, make: Callable[[], Any], limit: Callable[[], int]) -> None:
        self._make = make
        self._limit = limit
        # Re-entrant: the handler of a signal that comes while it is held may use the pool. Taken and released by
        # the interpreter with nothing in between where an interrupt fits.
        self._lock = threading.RLock()
        # With the name of its thread; one that is gone was lost, for it was not given back.
        self._lent: dict[weakref.ref[Lease], str] = {}
        # Newest last: the connection that was used last is the one that is most likely still open.
        self.idle: list[Any] = []
        # In the order in which they came.
        self._waiting: dict[weakref.ref[Lease], None] = {}
        self._lost: deque[str] = deque()
        self._dead: deque[Any] = deque()
        self.closed = False

    def counts(self) -> tuple[int, int, int]:
        """How many are lent, how many idle, how many threads wait."""
        with self._lock:
            self._forget_the_lost()
            found = len(self._lent), len(self.idle), len(self._in_line())
        self._bury()
        return found

    def take(self, timeout: float) -> Lease:
        """A lease, at once or within so many seconds, in the order in which the callers came.

        Raises:
            PoolTimeoutError: all stayed lent.
            PoolClosedError: the pool was closed.
        """
        lease = Lease()
        try:
            self._wait_for(lease, timeout)
        except BaseException:
            # Else the traceback, which somebody may keep, would keep the slot. A wake-up that was meant for
            # this thread goes on to the next.
            self.give_back(lease, intact=False)
            raise
        return lease

    def give_back(self, lease: Lease, *, intact: bool) -> None:
        """End a lease; its connection is kept for the next one only if it is intact.

        A second time, or after an interrupt of the first, does what is left to do.
        """
        client = lease.client
        try:
            if client is not None and (not intact or self.closed):
                client.close()
                intact = False
        finally:
            with self._lock:
                # Without a client it was taken back already, from a thread that has died since.
                keep = intact and not self.closed and len(self.idle) < self._limit()
                self._lent.pop(weakref.ref(lease), None)
                # From here to the end no interrupt fits in: it is idle, or it is the lease's.
                client, lease.client = lease.client, None
                if keep and client is not None:
                    self.idle.append(client)
            self._wake()

    def close(self) -> list[Any]:
        """Lend nothing any more; returns the idle connections, which are the caller's to close."""
        with self._lock:
            self.closed = True
            idle = self.idle.copy()
            self.idle.clear()
            for waiter in self._in_line():
                waiter.bell.ring()
        return idle

    def _wait_for(self, lease: Lease, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        place = weakref.ref(lease)
        try:
            while not self._taken(lease, place):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise PoolTimeoutError(
                        f"All {self._limit()} connections were in use for {timeout:g} s; raise max_connections "
                        f"or lease_timeout, or look for calls that hang."
                    )
                lease.bell.wait(min(left, _LOOK_EVERY))
        finally:
            self._waiting.pop(place, None)
            self._bury()

    def _taken(self, lease: Lease, place: weakref.ref[Lease]) -> bool:
        with self._lock:
            if self.closed:
                raise PoolClosedError("This pool was closed; make a new one.")
            self._forget_the_lost()
            line = self._in_line()
            before = line.index(lease) if lease in line else len(line)
            if self._limit() - len(self._lent) <= before:
                self._waiting.setdefault(place)
                return False
            # In this order: interrupted after any of these, the lease is lost and with it nothing else.
            self._lent[place] = lease.thread
            self._waiting.pop(place, None)
            lease.client = self.idle.pop() if self.idle else self._make()
            return True

    def _in_line(self) -> list[Lease]:
        """Who waits, in order; those that were lost have left."""
        line = []
        for place in list(self._waiting):
            lease = place()
            if lease is None or lease.lost:
                self._waiting.pop(place, None)
            else:
                line.append(lease)
        return line

    def _forget_the_lost(self) -> None:
        for place, thread in list(self._lent.items()):
            lease = place()
            if lease is not None and lease.lost:
                if lease.client is not None:
                    self._dead.append(lease.client)
                lease.client = None
            if lease is None or lease.lost:
                self._lost.append(thread)
                self._lent.pop(place, None)

    def _bury(self) -> None:
        """Close what dead threads had, and tell of it: a studio's code may be called, so not under the lock."""
        while self._dead:
            with suppress(IndexError):  # another thread was faster
                self._dead.popleft().close()  # never lent again: an answer may be on its way
        while self._lost:
            with suppress(IndexError):
                name = self._lost.popleft()
                log.warning("thread %r ended with a connection that it never returned; it is closed", name)

    def _wake(self) -> None:
        """Wake as many of the first waiters as there are connections for."""
        if self._waiting:
            with self._lock:
                free = self._limit() - len(self._lent)
                for waiter in self._in_line()[: max(free, 0)]:
                    waiter.bell.ring()
