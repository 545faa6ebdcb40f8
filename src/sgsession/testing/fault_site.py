"""A site that misbehaves on demand, at any point of a request's life, and counts what it executed.

    with FaultSite() as site:
        site.inject("after_execute", Fin(), method="create")
        client = site.connect()
        ...                                    # what the client under test does about it
        assert site.executions["sh010"] == 1

The engine under it is that of a `LocalSite`, so what was executed lies in its rows, and every control over what
leaves is the site's own: it writes to raw sockets. What can go wrong, and where, is in `faults.py`.
"""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import threading
import time
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgsession.site.local_site import LocalSite
from sgsession.site.web.arrivals import Arrival
from sgsession.site.web.http import answered, application
from sgsession.site.web.server import listening_socket

from .asgi_calls import CallersThread, asked
from .certificates import Certified, certificate
from .fault_connection import Connection
from .fault_orders import Order, Orders, Plan
from .faults import Action, Given, Point
from .received import Received, Tokens, form_fields, written_tokens
from .request_reading import Head

if TYPE_CHECKING:
    import shotgun_api3
    from typing_extensions import Self

__all__ = ["FaultSite"]

# The first bytes of an error envelope (site/web/http.py), which travels with status 200.
_REFUSED = b'{"exception":true'

# How long closing waits for calls that are under way.
_GRACE = 10.0

_LARGEST_UPLOAD = 2**31


class FaultSite:
    """A site on a loopback port whose connections and answers break where, when and how they are told to.

    `tls=True` serves https with a certificate made for this site, whose authority is in the file `ca_certs`;
    "expired", "wrong_host" and "untrusted" make a certificate that a client has to refuse. This needs the
    package `trustme`. `tokens` names what an executed request is counted under in `executions`; unless told
    otherwise that is the `code` or `name` that it wrote (received.py). The other arguments, such as
    `demo` and `direct_uploads`, are those of `LocalSite`.

    Raises:
        ModuleNotFoundError: TLS was asked for, and `trustme` is not installed.
    """

    def __init__(
        self, *, tls: bool | Certified = False, tokens: Tokens = written_tokens, **arguments: Any
    ) -> None:
        self.ca_certs: Path | None = None
        self.context: ssl.SSLContext | None = None
        self.closing = threading.Event()
        self._process = os.getpid()
        self._tokens = tokens
        self._orders = Orders()
        self._lock = threading.Lock()
        self._open: dict[int, Connection] = {}
        self._threads: set[threading.Thread] = set()
        self._forget()
        # Closed in the opposite order: first the connections, then the engine.
        with ExitStack() as opened:
            if tls:
                folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sgsession-tls-")))
                made = certificate(folder, "good" if tls is True else tls)
                self.context, self.ca_certs = made.context, made.ca_certs
            self.site = opened.enter_context(LocalSite(serve=False, **arguments))
            self._listener = listening_socket("127.0.0.1", 0)
            opened.callback(self._listener.close)
            self._address: tuple[str, int] = self._listener.getsockname()
            self.host, self.port = self._address
            self.url = f"{self._scheme}://{self.host}:{self.port}"
            # What the engine hands out addresses of, uploads among them, is to come here as well.
            self.site.url = self.site.engine.origin = self.url
            self._application = application(
                self.site.engine, self._no_order, CallersThread(), "127.0.0.1", _LARGEST_UPLOAD
            )
            self._accepting = threading.Thread(target=self._accept, name="sgsession-fault-site", daemon=True)
            self._accepting.start()
            opened.callback(self._stop)
            self._opened = opened.pop_all()
        _SITES.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closing.is_set() else f"{self.open_connections} connections"
        return f"<{type(self).__name__} {self.url} {state}>"

    # What is to go wrong

    def inject(
        self,
        point: Point,
        action: Action,
        *,
        method: str | Iterable[str] | None = None,
        path: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Order:
        """Let `action` happen at `point` of the next request; the order can be cancelled, and used by `with`.

        `method` picks requests of a remote method or of several ("read"), of an upload's form ("upload_file"),
        or by their HTTP verb ("PUT", "GET"); `path` picks them by a pattern ("/storage/*"). Of those, the `nth`
        is the first that is struck (2 is the second page of a long read, or the second attempt), and `times`
        are, or all with None. At "accept" and "tls" connections are counted instead.

        Raises:
            ValueError: that action cannot happen at that point, or there is no such point.
        """
        return self._orders.add(Order([(point, action)], method=method, path=path, nth=nth, times=times))

    def storm(
        self,
        faults: Sequence[tuple[Point, Action]],
        *,
        rate: float,
        seed: int,
        method: str | Iterable[str] | None = None,
        path: str | None = None,
        times: int | None = None,
    ) -> Order:
        """Strike requests at random: a share of `rate`, above 0 to 1, each by one of `faults`.

        The same `seed` strikes the same places in the order of arrival with the same faults. Faults at "accept"
        and "tls" strike the same share of connections. `times` limits the strikes.
        """
        order = Order(faults, method=method, path=path, times=times, rate=rate, seed=seed)
        return self._orders.add(order)

    def calm(self) -> None:
        """Forget all that is still to go wrong."""
        self._orders.clear()

    # What came and what became of it

    @property
    def open_connections(self) -> int:
        """How many connections are open now; none once the site is closed."""
        with self._lock:
            return len(self._open)

    @property
    def threads(self) -> int:
        """How many threads the site keeps now; none once it is closed."""
        with self._lock:
            return sum(thread.is_alive() for thread in (*self._threads, self._accepting))

    def received(self, method: str | None = None) -> list[Received]:
        """The requests that came, of one method or of all, in order: at most the last 100,000."""
        with self._lock:
            return [each for each in self.requests if method in (None, each.method)]

    def forget(self) -> None:
        """Start counting anew; what is ordered stays."""
        with self._lock:
            self._forget()

    def start_over(self, demo: str | None = None) -> None:
        """Become a fresh site at the same address: new rows and key, nothing counted, nothing to go wrong.

        Connections stay open.
        """
        self.calm()
        self.site.start_over(demo)
        self.site.engine.origin = self.url
        self.forget()

    # Its clients, and its end

    def connect(self, *, in_process: bool = False, **arguments: Any) -> shotgun_api3.Shotgun:
        """A plain `shotgun_api3.Shotgun` on this site; `arguments` go to it.

        With `in_process` it reaches the engine past the sockets: nothing goes wrong and nothing is counted, so it
        tells what the rows are in truth.
        """
        if self.ca_certs is not None and not in_process:
            arguments.setdefault("ca_certs", str(self.ca_certs))
        return self.site.connect(in_process=in_process, **arguments)

    def drop_connections(self) -> None:
        """End all connections that are open now, as when a server is restarted."""
        for connection in self._connections():
            connection.cut()

    def close(self) -> None:
        """End all connections, wait for calls under way, and remove the data. Closing twice does nothing.

        Raises:
            RuntimeError: a call under way did not end within ten seconds.
        """
        # A forked process that unwinds must not take its parent's site down.
        if os.getpid() == self._process:
            self.closing.set()
            self._opened.close()

    # What its connections ask of it (fault_connection.Served)

    def plan(self, request: Received | None) -> Plan:
        """What is to happen to a request, or to a new connection."""
        return self._orders.plan(request)

    def arrived(self, connection: int, verb: str, path: str, method: str) -> Received:
        """Note a request."""
        with self._lock:
            self._numbers += 1
            request = Received(self._numbers, connection, verb, path, method, time.monotonic())
            self.requests.append(request)
        return request

    def execute(self, request: Received, head: Head, body: bytes) -> Given:
        """Carry a request out, and count it if that succeeded."""
        arguments: list[Any] = []
        if head.verb == "POST" and head.path.endswith("/api3/json"):

            def arrived(payload: Any) -> Arrival:
                arguments.append(_arguments(payload))
                return self._no_order(payload)

            answer, _ = answered(self.site.engine, arrived, body, self.url)
            given = Given(answer.body, answer.status, (("Content-Type", answer.media_type),))
            succeeded = not answer.body.startswith(_REFUSED)
        else:
            status, headers, content = asked(self._application, head, body, self._scheme, self._address)
            given = Given(content, status, headers)
            is_form = head.verb == "POST"
            if is_form:
                arguments.append(form_fields(head.headers.get("content-type", ""), body))
            # A form is refused by a text under status 200.
            succeeded = status < 300 and not (is_form and not content.startswith(b"1"))
        if succeeded:
            request.tokens = tuple(self._tokens(request.method, arguments[0] if arguments else None))
            with self._lock:
                request.executed = True
                self.executions.update(request.tokens)
                self.executed_methods[request.method] += 1
                self._answers.append((request.method, body, given.body))
        return given

    def other(self, request: Received, body: bytes) -> bytes:
        """The latest answer to a different question, of the same method if there is one."""
        with self._lock:
            others = [each for each in reversed(self._answers) if each[1] != body]
        others.sort(key=lambda each: each[0] != request.method)
        return others[0][2] if others else Given().body

    def struck(self, point: Point, action: Action, request: Received | None) -> None:
        """Note a fault that happens now."""
        with self._lock:
            self.faults[point, type(action).__name__] += 1
            if request is not None:
                request.faults.append((point, action))

    # Inside

    @property
    def _scheme(self) -> str:
        return "http" if self.context is None else "https"

    def _forget(self) -> None:
        self.requests: deque[Received] = deque(maxlen=100_000)
        self.executions: Counter[str] = Counter()
        self.executed_methods: Counter[str] = Counter()
        self.faults: Counter[tuple[Point, str]] = Counter()
        # The latest questions with their answers, for an answer to be swapped with.
        self._answers: deque[tuple[str, bytes, bytes]] = deque(maxlen=32)
        self._numbers = 0

    def _no_order(self, payload: Any) -> Arrival:
        # The embedded site has orders of its own for requests; here there are none.
        return Arrival(self.closing, 0.0)

    def _connections(self) -> list[Connection]:
        with self._lock:
            return list(self._open.values())

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                # No descriptor is left for it; some may be free in a moment.
                if self.closing.wait(0.01):
                    return
                continue
            if self.closing.is_set():
                accepted.close()
                return
            number += 1
            connection = Connection(self, accepted, number)
            thread = threading.Thread(
                target=self._serve, args=(connection,), name=f"sgsession-fault-site-{number}", daemon=True
            )
            with self._lock:
                self._open[number] = connection
                if len(self._threads) > 2 * len(self._open) + 16:
                    self._threads = {each for each in self._threads if each.is_alive()}
                self._threads.add(thread)
                thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                del self._open[connection.number]

    def _stop(self) -> None:
        # Connecting is what wakes a thread that accepts, on every platform.
        with suppress(OSError):
            socket.create_connection(self._address, timeout=1).close()
        self._accepting.join()
        self.drop_connections()
        end = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        if self.threads:
            raise RuntimeError(f"{self.threads} calls did not end within {_GRACE:g} seconds")

    def _abandon(self) -> None:
        """Let go of all sockets: called in a process that was forked, where no thread serves them."""
        # Else that process would keep connections open that its parent has closed.
        self._listener.close()
        for connection in list(self._open.values()):
            connection.abandon()


def _arguments(payload: Any) -> Any:
    params = payload.get("params") if isinstance(payload, dict) else None
    return params[1] if isinstance(params, list) and len(params) > 1 else None


_SITES: weakref.WeakSet[FaultSite] = weakref.WeakSet()


def _abandon_all() -> None:
    for site in list(_SITES):
        site._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
