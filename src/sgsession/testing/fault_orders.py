"""Which requests a FaultSite spoils, and how: orders, asked once for each connection and each request."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from .faults import POINTS, Action, Point
from .received import Received

__all__ = ["Order", "Orders", "Plan"]

Plan = Mapping[Point, Action]
"""What happens at which points of one connection's or request's life."""

# These points come before anything is known of a request.
_OF_CONNECTIONS: frozenset[Point] = frozenset({"accept", "tls"})

_NOTHING: Plan = {}


class Order:
    """One order for faults. Its `hits` say how often it has struck; `cancel()` ends it.

    Used as a context manager it ends with the block.
    """

    def __init__(
        self,
        faults: Sequence[tuple[Point, Action]],
        *,
        method: str | Iterable[str] | None = None,
        path: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        rate: float = 1.0,
        seed: int = 0,
    ) -> None:
        for point, action in faults:
            _check(point, action, has_method=method is not None or path is not None)
        if not faults:
            raise ValueError("an order names at least one fault")
        if nth < 1 or (times is not None and times < 1) or not 0 < rate <= 1:
            raise ValueError("nth and times count from 1, and a rate lies above 0 and not above 1")
        self.faults = tuple(faults)
        self.methods = None if method is None else frozenset([method] if isinstance(method, str) else method)
        self.path = path
        self.nth = nth
        self.times = times
        self.rate = rate
        self.seed = seed
        self.hits = 0
        # Connections and requests are counted apart, for they come in an order of their own.
        self._matched = {True: 0, False: 0}
        self._active = True
        self._counting = threading.Lock()

    def __enter__(self) -> Order:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()

    def __repr__(self) -> str:
        state = f"{self.hits} hits" if self._active else f"{self.hits} hits, over"
        return f"<Order {' | '.join(f'{point} {action}' for point, action in self.faults)}: {state}>"

    def cancel(self) -> None:
        """Strike no more."""
        self._active = False

    def strike(self, request: Received | None) -> tuple[Point, Action] | None:
        """What this order has for a request, or for a new connection if that is None."""
        faults = [each for each in self.faults if (each[0] in _OF_CONNECTIONS) == (request is None)]
        if not faults or not self._active or not self._matches(request):
            return None
        with self._counting:
            self._matched[request is None] += 1
            number = self._matched[request is None]
            if number < self.nth or (self.times is not None and self.hits >= self.times):
                return None
            # Drawn by the number of the request alone, so that the draws of a seed are the same in any run.
            draw = random.Random(f"{self.seed}/{request is None}/{number}")
            if self.rate < 1 and draw.random() >= self.rate:
                return None
            self.hits += 1
            return draw.choice(faults)

    def _matches(self, request: Received | None) -> bool:
        if request is None:
            return True
        if self.methods is not None and request.method not in self.methods:
            return False
        return self.path is None or fnmatchcase(request.path, self.path)


class Orders:
    """All that is ordered at a site. Of two orders for one point of one request, the older one is followed."""

    def __init__(self) -> None:
        self._orders: tuple[Order, ...] = ()

    def add(self, order: Order) -> Order:
        """Follow this order as well, from the next connection or request on."""
        self._orders = (*self._orders, order)
        return order

    def clear(self) -> None:
        """Forget all orders."""
        for order in self._orders:
            order.cancel()
        self._orders = ()

    def plan(self, request: Received | None) -> Plan:
        """What happens to a request, or to a new connection if that is None."""
        if not self._orders:
            return _NOTHING
        plan: dict[Point, Action] = {}
        for order in self._orders:
            struck = order.strike(request)
            if struck is not None:
                plan.setdefault(*struck)
        return plan


def _check(point: Point, action: Action, *, has_method: bool) -> None:
    if point not in POINTS:
        raise ValueError(f"{point!r} is no point of a request's life; there are {', '.join(POINTS)}")
    if not isinstance(action, Action):
        raise TypeError(f"{action!r} is no action; those are in sgsession.testing.faults")
    if point not in action.points:
        where = ", ".join(each for each in POINTS if each in action.points)
        raise ValueError(f"{type(action).__name__} cannot happen at {point!r}; it can at {where}")
    if point in _OF_CONNECTIONS and has_method:
        raise ValueError(f"at {point!r} nothing is known of a request yet: leave out method and path")
