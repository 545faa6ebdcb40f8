"""What keeps a pool from flooding a site that suffers: a budget, a breaker, and fewer connections."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable

from ..line.answers import Happening
from .options import TransportOptions

__all__ = ["Restraint"]

# Failures of the site, not of one request. A refused connection is none: it costs the site nothing to refuse,
# and a pool that stopped trying would see a restarted site seconds late.
_FAILURES = frozenset(
    {
        Happening.UNSENT,
        Happening.SILENT,
        Happening.BROKEN,
        Happening.MAINTENANCE,
        Happening.GATEWAY,
    }
)
_OVERLOAD = frozenset({Happening.THROTTLED, Happening.MAINTENANCE})
# A site that refuses a request is as well as one that grants it.
_WELL = frozenset({Happening.ANSWERED, Happening.REFUSED})
# Of a window with more requests than these, the last ones tell enough.
_REMEMBERED = 256
# Eight connections that are turned down at one moment say one thing, not eight.
_ONE_MOMENT = 1.0


class Restraint:
    """Shared by all connections of a pool; safe to use from many threads.

    Args:
        options: the numbers.
        most: how many connections may be in use when the site is well.
        clock: seconds that only go forward.
        chance: random numbers from 0 to 1.
    """

    def __init__(
        self,
        options: TransportOptions,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._options = options
        self._most = most
        self._clock = clock
        self._chance = chance
        # Re-entrant: the handler of a signal that comes while it is held may use the pool.
        self._lock = threading.RLock()
        self._budget = options.retry_budget
        self._in_a_row = 0
        self._failed_last = clock() - _ONE_MOMENT
        self._recent: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        self._open_until: float | None = None
        self._limit = most
        self._limit_changed = clock() - _ONE_MOMENT

    @property
    def limit(self) -> int:
        """How many connections may be in use now."""
        return self._limit

    @property
    def stopped(self) -> bool:
        """True while the breaker is open."""
        return self._open_until is not None

    def admit(self) -> float:
        """Begin a call: 0.0 when it may go on, else the seconds until the site is tried again."""
        with self._lock:
            self._budget = min(self._options.retry_budget, self._budget + self._options.retry_refill)
            if self._open_until is None:
                return 0.0
            now = self._clock()
            if now < self._open_until:
                return self._open_until - now
            # This call is the probe. Whatever becomes of its thread, the next probe has its time.
            self._open_until = now + self._pause()
            return 0.0

    def spend(self) -> bool:
        """Take a repetition out of the budget; False when there is none, or the site is left alone."""
        with self._lock:
            if self._budget < 1 or self._open_until is not None:
                return False
            self._budget -= 1
            return True

    def note(self, happening: Happening, began: float | None = None) -> None:
        """Learn from the way a request went, which began at that moment of the clock."""
        with self._lock:
            now = self._clock()
            if happening in _OVERLOAD and now - self._limit_changed >= _ONE_MOMENT:
                self._limit, self._limit_changed = max(1, self._limit // 2), now
            if happening in _FAILURES:
                # What was under way when another request failed fails of the same event: a server that restarts
                # drops all connections at once, and it is one outage however many there are.
                same = (
                    began is not None and began < self._failed_last and now - self._failed_last < _ONE_MOMENT
                )
                if not same:
                    self._failed_last = now
                    self._failed(now)
            elif happening in _WELL:
                self._succeeded(now)

    def _failed(self, now: float) -> None:
        self._in_a_row += 1
        self._recent.append((now, False))
        if self._open_until is not None or self._in_a_row >= self._options.breaker_failures:
            self._open_until = now + self._pause()
            return
        seen = [good for when, good in self._recent if now - when <= self._options.breaker_window]
        share = seen.count(False) / len(seen)
        if len(seen) >= self._options.breaker_least and share >= self._options.breaker_share:
            self._open_until = now + self._pause()

    def _succeeded(self, now: float) -> None:
        self._in_a_row = 0
        if self._open_until is not None:
            # The outage is over, and with it what was learned in it.
            self._open_until = None
            self._recent.clear()
            self._limit, self._limit_changed = self._most, now
        self._recent.append((now, True))
        if self._limit < self._most and now - self._limit_changed >= self._options.recover_every:
            self._limit, self._limit_changed = self._limit + 1, now

    def _pause(self) -> float:
        shortest, longest = self._options.breaker_pause
        return shortest + self._chance() * (longest - shortest)
