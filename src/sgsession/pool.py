"""ShotgunPool: one client for many threads, made of as many connections as are needed at once."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from .entity import minimize
from .errors import AmbiguousWrite, PartialWrite
from .leases import Lease, Leases
from .transport import client as clients
from .transport.after_fork import renew_after_fork
from .transport.calling.attempts import Attempts
from .transport.calling.options import TransportOptions
from .transport.line.secrets import hide_address, hide_arguments

__all__ = ["ShotgunPool", "TransportOptions"]

log = logging.getLogger("sgsession.pool")


class ShotgunPool:
    """A client that many threads may use at once: it lends each call a connection of its own.

    Use it as you would a `shotgun_api3.Shotgun`: what is not written out here is passed on to a pooled
    client, and methods may be taken along (`find = pool.find`). Entities in arguments, at any depth, are
    sent as their type and id. All clients share the prototype's `config`: a setting changed there is
    changed for all.

    Args:
        prototype: the client that the pooled ones are like; it never opens a connection itself. Or the
            address of a site, and then all other arguments go to the client's constructor.
        max_connections: how many calls may be under way at once.
        lease_timeout: how many seconds a call waits for a connection.
        options: how long requests may take, and what is repeated; the defaults of `TransportOptions`.

    Raises:
        ConfigurationError: the address or the arguments are wrong.
    """

    def __init__(
        self,
        prototype: Any,
        *args: Any,
        max_connections: int = 8,
        lease_timeout: float = 60.0,
        options: TransportOptions | None = None,
        **kwargs: Any,
    ) -> None:
        if max_connections < 1:
            raise ValueError(f"A pool needs at least one connection, not {max_connections}.")
        prototype, kwargs = hide_address(prototype), hide_arguments(kwargs)
        is_client = clients.is_official_client(prototype)
        self._prototype = prototype if is_client else clients.make_prototype(prototype, *args, **kwargs)
        clients.check_client(self._prototype)
        self.hands_over_rows = clients.hands_over_rows(self._prototype)
        """Whether `call("_sgsession_find_rows", …)` is the client's `find`, but for rows that are not decoded yet."""
        self.max_connections = max_connections
        self.lease_timeout = lease_timeout
        self.options = options or TransportOptions()
        self._start()
        renew_after_fork(self)

    @classmethod
    def wrap(cls, shotgun: Any) -> Any:
        """A pool of clients like `shotgun` where it is an official one; anything else unchanged."""
        return cls(shotgun) if clients.is_official_client(shotgun) else shotgun

    def renew(self) -> None:
        """Start again, without connections and with locks of its own; a forked child does this by itself."""
        closed = self._leases.closed
        # The parent's connections: as long as a child keeps its copies they are not closed, whatever the parent does.
        self._leases.idle.clear()
        self._at_end.detach()
        self._start()
        self._leases.closed = closed

    def _start(self) -> None:
        self._process = os.getpid()
        # Re-entrant: the handler of a signal that comes meanwhile may use the pool.
        self._learning = threading.RLock()
        self._vain = 0
        self._attempts = Attempts(self.options, self.max_connections)
        self._leases = Leases(self._new_client, lambda: self._attempts.restraint.limit)
        # A pool that nobody closed closes its connections when it is collected, or at the interpreter's end.
        # The finalizer knows the list, not the pool: it would keep the pool alive.
        self._at_end = weakref.finalize(self, _close_all, self._leases.idle, self._process)

    def _new_client(self) -> Any:
        return clients.pooled_client(self._prototype, self._attempts)

    # Leases

    def lease(self) -> AbstractContextManager[Any]:
        """Lend a client for the length of a `with` block; nothing else uses it meanwhile.

        Callers get one in the order in which they came. However the block ends, by an interrupt or with its
        thread, the connection is returned, or closed where an answer may still be on its way.

        Raises:
            PoolTimeoutError: all were lent for `lease_timeout` seconds.
            PoolClosedError: the pool was closed.
        """
        return _Lending(self)

    def _learn(self, client: Any, began: float) -> None:
        """Ask once, for all, what the site can do, in the time of a call that began at that moment."""
        if clients.knows_capabilities(self._prototype):
            return
        vain = self._vain
        with self._learning:
            # Whoever waited for an attempt that was in vain does not queue for the next one: each would wait
            # for all deadlines before its own.
            if not clients.knows_capabilities(self._prototype) and self._vain == vain:
                try:
                    client.has_waited(time.monotonic() - began)
                    clients.learn_capabilities(client, self._prototype)
                except BaseException:
                    self._vain += 1
                    raise
                log.debug("info: the site's capabilities are known")
        if not clients.knows_capabilities(self._prototype):
            client.has_waited(time.monotonic() - began)
            clients.learn_capabilities(client, self._prototype)
        clients.follow_prototype(client, self._prototype)

    def close(self) -> None:
        """Close all connections, those that are lent when they come back. A second time does nothing.

        Calls under way end as they would have, but are not repeated any more. The connection that the
        prototype's constructor may have opened is closed too; the prototype opens another if somebody goes
        on using it.
        """
        idle = self._leases.close()
        self._attempts.close()
        _close_all([*idle, self._prototype], os.getpid())

    def __enter__(self) -> ShotgunPool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(
            "A ShotgunPool cannot be pickled: it has connections and knows a key. Hand over the name of the "
            "site, and connect(name) in the other process."
        )

    def stats(self) -> dict[str, Any]:
        """What the pool is doing at this moment.

        Returns:
            `lent`, `idle` and `waiting`, counts of connections and callers; `max_connections`; `limit`, how
            many may be lent while the site asks for less; `stopped`, True while the site is left alone.
        """
        lent, idle, waiting = self._leases.counts()
        restraint = self._attempts.restraint
        return {
            "lent": lent,
            "idle": idle,
            "waiting": waiting,
            "max_connections": self.max_connections,
            "limit": restraint.limit,
            "stopped": restraint.stopped,
        }

    def __repr__(self) -> str:
        if "_leases" not in vars(self):
            return "<ShotgunPool that was not made>"
        address = clients.without_credentials(self.base_url)
        if self._leases.closed:
            return f"<ShotgunPool {address} closed>"
        counts = self.stats()
        return (
            f"<ShotgunPool {address} {counts['lent']} lent, {counts['idle']} idle of {self.max_connections}"
            f"{', site left alone' if counts['stopped'] else ''}>"
        )

    # Calls

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of the client on a connection of its own, with entities sent as type and id."""
        args, kwargs = minimize(args), minimize(kwargs)
        started = time.perf_counter()
        client = None
        lending = _Lending(self)
        try:
            with lending as client:
                result = getattr(client, method)(*args, **kwargs)
        except BaseException as problem:
            lending.end()  # an interrupt may have come when the block was about to do so
            # Also between the site's answer and here: a row was made, and its id is lost with the interrupt.
            try:
                if client is not None:
                    client.tell_of_interrupt(problem)
            except AmbiguousWrite as told:
                told.belongs_to(self)
                raise
            raise
        if log.isEnabledFor(logging.DEBUG):
            # The type and what came back; never data, filters or credentials.
            subject = args[0] if args and isinstance(args[0], str) else ""
            size = f"{len(result)} rows" if isinstance(result, list) else type(result).__name__
            log.debug(
                "%s %s: %s in %.0f ms",
                "find" if method.startswith("_sgsession_find_") else method,
                subject,
                size,
                (time.perf_counter() - started) * 1000,
            )
        return result

    def __getattr__(self, name: str) -> Any:
        # Before the prototype is there (copy and pickle look for their hooks first), there is nothing to proxy.
        if name.startswith("__") or "_prototype" not in vars(self):
            raise AttributeError(name)
        if not callable(getattr(type(self._prototype), name, None)):
            return getattr(self._prototype, name)
        if name in clients.LOCAL_METHODS:
            return getattr(self._prototype, name)

        def proxied(*args: Any, **kwargs: Any) -> Any:
            return self.call(name, *args, **kwargs)

        proxied.__name__ = proxied.__qualname__ = name
        proxied.__doc__ = getattr(type(self._prototype), name).__doc__
        return proxied

    @property
    def base_url(self) -> str:
        """The address of the site."""
        return str(self._prototype.base_url)

    @property
    def config(self) -> Any:
        """The settings, one object for the prototype and all pooled clients."""
        return self._prototype.config

    @property
    def server_caps(self) -> Any:
        """What the site can do; one request, the first time."""
        with self.lease():
            return self._prototype.server_caps

    @property
    def server_info(self) -> Any:
        """What the site says of itself; one request, the first time."""
        return self.server_caps.server_info

    def connect(self) -> None:
        """Make sure that the site answers; one request, the first time."""
        assert self.server_caps

    def find(
        self,
        entity_type: str,
        filters: Any,
        fields: Sequence[str] | None = None,
        order: Any = None,
        filter_operator: str | None = None,
        limit: int = 0,
        retired_only: bool = False,
        page: int = 0,
        include_archived_projects: bool = True,
        additional_filter_presets: Any = None,
    ) -> list[dict[str, Any]]:
        """The raw rows that match, as the client gives them; one request for each page of rows."""
        options = (order, filter_operator, limit, retired_only, page, include_archived_projects)
        return self.call("find", entity_type, filters, fields, *options, additional_filter_presets)  # type: ignore[no-any-return]

    def find_one(
        self,
        entity_type: str,
        filters: Any,
        fields: Sequence[str] | None = None,
        order: Any = None,
        filter_operator: str | None = None,
        retired_only: bool = False,
        include_archived_projects: bool = True,
        additional_filter_presets: Any = None,
    ) -> dict[str, Any] | None:
        """The first raw row that matches, or None; one request."""
        options = (order, filter_operator, retired_only, include_archived_projects, additional_filter_presets)
        return self.call("find_one", entity_type, filters, fields, *options)  # type: ignore[no-any-return]

    def create(
        self, entity_type: str, data: dict[str, Any], return_fields: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Create a row and return it raw; one request, more with thumbnails."""
        return self.call("create", entity_type, data, return_fields)  # type: ignore[no-any-return]

    def update(
        self, entity_type: str, entity_id: int, data: dict[str, Any], multi_entity_update_modes: Any = None
    ) -> dict[str, Any]:
        """Write fields of a row and return them raw; one request, more with thumbnails."""
        return self.call("update", entity_type, entity_id, data, multi_entity_update_modes)  # type: ignore[no-any-return]

    def delete(self, entity_type: str, entity_id: int) -> bool:
        """Retire a row; False when it was retired already. One request."""
        return self.call("delete", entity_type, entity_id)  # type: ignore[no-any-return]

    def revive(self, entity_type: str, entity_id: int) -> bool:
        """Bring a retired row back; False when it was not retired. One request."""
        return self.call("revive", entity_type, entity_id)  # type: ignore[no-any-return]

    def batch(self, requests: Sequence[dict[str, Any]]) -> list[Any]:
        """Do several writes in one transaction; one request."""
        return self.call("batch", requests)  # type: ignore[no-any-return]

    def summarize(
        self,
        entity_type: str,
        filters: Any,
        summary_fields: Sequence[dict[str, str]],
        filter_operator: str | None = None,
        grouping: Any = None,
        include_archived_projects: bool = True,
    ) -> dict[str, Any]:
        """Sums, counts and the like of the rows that match; one request."""
        options = (filter_operator, grouping, include_archived_projects)
        return self.call("summarize", entity_type, filters, summary_fields, *options)  # type: ignore[no-any-return]


class _Lending:
    """The `with` block of a lease. Not a generator, whose block an interrupt could leave before it has begun."""

    _lease: Lease | None = None

    def __init__(self, pool: ShotgunPool) -> None:
        self._pool = pool

    def __enter__(self) -> Any:
        pool = self._pool
        if pool._process != os.getpid():
            pool.renew()  # forked in a way that Python was not told of
        self._leases = pool._leases
        try:
            began = time.monotonic()
            lease = self._lease = self._leases.take(min(pool.lease_timeout, pool.options.deadline))
            clients.follow_prototype(lease.client, pool._prototype)
            pool._learn(lease.client, began)
            lease.client.has_waited(time.monotonic() - began)
        except BaseException as problem:
            self.__exit__(type(problem), problem, None)
            raise
        return lease.client

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        intact = problem is None
        if isinstance(problem, (AmbiguousWrite, PartialWrite)):
            problem.belongs_to(self._pool)
        elif isinstance(problem, clients.Fault):
            intact = True  # a whole answer, which says no
        self.end(intact=intact)

    def end(self, *, intact: bool = False) -> None:
        """Give the lease back, if there is one; done again after an interrupt, it does what is left to do."""
        lease = self._lease
        if lease is None:
            return
        # A child that was forked inside the block has leases of its own, and the connection is its parent's.
        if self._pool._leases is self._leases:
            self._leases.give_back(lease, intact=intact)
        elif lease.client is not None:
            lease.client.close()
            lease.client = None
        self._lease = None


def _close_all(clients_to_close: list[Any], process: int) -> None:
    # A forked child has copies of the parent's connections, and must not say good-bye on them.
    if os.getpid() == process:
        while clients_to_close:
            clients_to_close.pop().close()
