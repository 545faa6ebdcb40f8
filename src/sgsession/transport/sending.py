"""How the requests of one pooled client travel: on which connection, to where, in which time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from .calling.attempts import Attempts
from .calling.calls import Call
from .line.addresses import Address
from .line.answers import Answer
from .line.exchange import Line
from .line.proxies import proxy_of_environment

__all__ = ["Sender"]


class Sender:
    """The connections of one pooled client, and what was last sent on them. One thread at a time uses it."""

    # The client's own loops, where a version has more of them than we know, do not repeat anything.
    MAX_ATTEMPTS = 1

    config: Any
    _attempts: Attempts
    _line: Line
    _storage_line: Line
    # The last write of the call under way, and what it was sent on.
    _written: tuple[Call, Line] | None = None
    # Seconds that the next request's caller has waited already.
    _waited = 0.0

    def prepare(self, attempts: Attempts) -> None:
        """Start without a connection; done instead of a constructor, which may ask the site."""
        self._attempts = attempts
        self._line = Line()
        self._storage_line = Line()
        self._connection = None

    def has_waited(self, seconds: float) -> None:
        """Take this off the time of the next request: its caller waited so long for this client."""
        self._waited = seconds

    def tell_of_interrupt(self, interrupt: BaseException) -> None:
        """Raise what an interrupt is to leave as, where the call under way may have done what nobody is told of."""
        if self._written is None or isinstance(interrupt, Exception):
            return
        call, line = self._written
        if line.sent or call.in_doubt:
            self._attempts.tell_of_interrupt(call, interrupt)

    def _close_connection(self) -> None:
        self._line.close()
        self._storage_line.close()

    def _carry_out(
        self,
        call: Call,
        attempt: Callable[[float], tuple[Answer, Any]],
        line: Line,
        address: Address,
        size: int = 0,
    ) -> Any:
        call.waited, self._waited = self._waited, 0.0
        return self._attempts.carry_out(call, attempt, line, where=address.shown, size=size)

    def _exchange(
        self,
        line: Line,
        address: Address,
        verb: str,
        path: str,
        headers: dict[str, Any],
        body: Any,
        length: int,
        deadline: float,
        call: Call,
    ) -> Answer:
        options = self._attempts.options
        if not call.is_read:
            self._written = call, line
        return line.exchange(
            address,
            verb,
            path,
            headers,
            body,
            length=length,
            deadline=deadline,
            timeouts=(options.connect_timeout, self._silence()),
            longest_idle=options.idle_reuse_reads if call.is_read else options.idle_reuse_writes,
            longest_life=options.longest_life,
            largest_answer=options.largest_answer,
        )

    def _silence(self) -> float:
        """Seconds that a silence may last; what the user set on the client wins."""
        return float(self.config.timeout_secs or self._attempts.options.inactivity_timeout)

    def _address(
        self, scheme: str | None = None, server: str | None = None, *, uploading: bool = False
    ) -> Address:
        config = self.config
        scheme = scheme or config.scheme
        server = server or config.server
        if server.count(":") > 1 and "[" not in server:
            # Of an IPv6 address the client drops the brackets, without which its port is part of it.
            server = urlsplit(self.base_url).netloc.rpartition("@")[2]  # type: ignore[attr-defined]
        host = urlsplit(f"//{server}")
        proxy = (config.proxy_server, config.proxy_port) if config.proxy_server else None
        authorization = Address.credentials(config.proxy_user, config.proxy_pass)
        if proxy is None and uploading:
            proxy, authorization = proxy_of_environment(scheme, server)
        return Address(
            scheme=scheme,
            host=host.hostname or "",
            port=host.port or (443 if scheme == "https" else 80),
            proxy=proxy,
            proxy_authorization=authorization,
            # A private name of the client's class; the constructor worked out which bundle to trust.
            certificates=getattr(self, "_Shotgun__ca_certs", None),
        )
