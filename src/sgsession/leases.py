"""Who has a connection and who waits for one: bounded, first come first served, and nothing is ever lost.

A slot is not a number that has to be counted down: it is taken for as long as its `Lease` exists. An interrupt at
any point, a thread that died, a generator that nobody ended can lose a lease, but not a slot: with the lease
the slot is free again, and its connection closed.
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

__all__ = ["Lease", "Leases"]

log = logging.getLogger("sgsession.pool")

# A waiter that was not woken looks by itself: whoever was to wake it may have been interrupted, and leases
# of dead threads tell nobody.
_LOOK_EVERY = 0.5


class Lease:
    """A connection in somebody's hands."""

    # Here as well, since a lease is collected that was interrupted while it was made.
    client: Any = None
    returned = False

    def __init__(self, lost: deque[str] | None = None) -> None:
        self._lost = lost
        self.thread = threading.current_thread()

    @property
    def lost(self) -> bool:
        """True when the thread that took it has died with it."""
        # At the interpreter's end the main thread is called dead while its exit handlers run.
        return not self.thread.is_alive() and self.thread is not threading.main_thread()

    def __del__(self) -> None:
        # Collected at any moment, under the lock perhaps: whoever comes next writes the log.
        if self.client is not None and not self.returned and self._lost is not None:
            self._lost.append(self.thread.name)


class Leases:
    """The connections of a pool. Safe to use from many threads.

    Args:
        make: makes a connection that is not open yet.
        limit: how many may be lent at this moment.
    """

    def __init__(self, make: Callable[[], Any], limit: Callable[[], int]) -> None:
        self._make = make
        self._limit = limit
        # A plain lock: the interpreter takes and releases it with nothing in between where an interrupt fits.
        self._lock = threading.Lock()
        self._lent: list[weakref.ref[Lease]] = []
        # Newest last: the connection that was used last is the one that is most likely still open.
        self.idle: list[Any] = []
        self._waiting: deque[weakref.ref[_Waiter]] = deque()
        self._lost: deque[str] = deque()
        self._dead: deque[Any] = deque()
        self.closed = False

    def counts(self) -> tuple[int, int, int]:
        """How many are lent, how many idle, how many threads wait."""
        with self._lock:
            self._forget_the_lost()
            waiting = sum(not _is_gone(waiter()) for waiter in self._waiting)
            found = len(self._lent), len(self.idle), waiting
        self._bury()
        return found

    def take(self, timeout: float) -> Lease:
        """A lease, at once or within so many seconds, in the order in which the callers came.

        Raises:
            PoolTimeoutError: all stayed lent.
            PoolClosedError: the pool was closed.
        """
        lease = Lease(self._lost)
        waiter: _Waiter | None = None
        deadline = time.monotonic() + timeout
        try:
            while not self._taken(lease, waiter):
                if waiter is None:
                    waiter = _Waiter()
                    with self._lock:
                        self._waiting.append(weakref.ref(waiter))
                    continue  # a connection may have come back before anybody could see this waiter
                left = deadline - time.monotonic()
                if left <= 0:
                    raise PoolTimeoutError(
                        f"All {self._limit()} connections were in use for {timeout:g} s; raise max_connections "
                        f"or lease_timeout, or look for calls that hang."
                    )
                waiter.woken.wait(min(left, _LOOK_EVERY))
                waiter.woken.clear()
        except BaseException:
            # Else the traceback, which somebody may keep, would keep the slot.
            self.give_back(lease, intact=False)
            raise
        finally:
            if waiter is not None:
                # Whatever ended the wait, a wake-up that was meant for this thread goes on to the next.
                waiter.left = True
                self._wake()
            self._bury()
        return lease

    def give_back(self, lease: Lease, *, intact: bool) -> None:
        """End a lease; its connection is kept for the next one only if it is intact."""
        client = lease.client
        if client is None:
            return  # taken back already, from a thread that has died since
        try:
            if not intact or self.closed:
                client.close()
                intact = False
        finally:
            with self._lock:
                lease.returned = True
                lease.client = None
                self._lent = [held for held in self._lent if held() is not lease]
                if intact and not self.closed and len(self.idle) < self._limit():
                    self.idle.append(client)
            self._wake()

    def close(self) -> list[Any]:
        """Lend nothing any more; returns the idle connections, which are the caller's to close."""
        with self._lock:
            self.closed = True
            idle = self.idle.copy()
            self.idle.clear()
        for waiter in list(self._waiting):
            _wake_up(waiter())
        return idle

    def _taken(self, lease: Lease, waiter: _Waiter | None) -> bool:
        with self._lock:
            if self.closed:
                raise PoolClosedError("This pool was closed; make a new one.")
            self._forget_the_lost()
            free = self._limit() - len(self._lent)
            if free <= self._before(waiter):
                return False
            # In this order: interrupted after any of these, the lease is lost and with it nothing else.
            self._lent.append(weakref.ref(lease))
            lease.client = self.idle.pop() if self.idle else self._make()
            return True

    def _before(self, waiter: _Waiter | None) -> int:
        """How many came earlier and still wait."""
        count = 0
        while self._waiting and _is_gone(self._waiting[0]()):
            self._waiting.popleft()
        for each in self._waiting:
            found = each()
            if found is waiter and waiter is not None:
                break
            count += not _is_gone(found)
        return count

    def _forget_the_lost(self) -> None:
        kept = []
        for held in self._lent:
            lease = held()
            if lease is None:
                continue
            if lease.lost:
                client, lease.client = lease.client, None
                if client is not None:
                    self._lost.append(lease.thread.name)
                    self._dead.append(client)
                continue
            kept.append(held)
        self._lent = kept

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
        with self._lock:
            free = self._limit() - len(self._lent)
            for each in self._waiting:
                waiter = each()
                if free <= 0:
                    break
                if not _is_gone(waiter):
                    _wake_up(waiter)
                    free -= 1


class _Waiter:
    """A thread that waits its turn."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.left = False


def _is_gone(waiter: _Waiter | None) -> bool:
    return waiter is None or waiter.left


def _wake_up(waiter: _Waiter | None) -> None:
    if waiter is not None:
        waiter.woken.set()
