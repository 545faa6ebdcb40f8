"""A whole site on this machine, for tests, demos and work without a network."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import signal
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import demo as demos
from . import standard
from .engine import Engine
from .furnishing import furnish
from .holding import Hold
from .http import application
from .server import PortInUseError, ServerThread, listening_socket
from .store import Store

if TYPE_CHECKING:
    import shotgun_api3
    from typing_extensions import Self

__all__ = ["LocalSite", "PortInUseError", "Request", "serve"]

SCRIPT_NAME = "sgsession"

# Requests that run at once; SQLite readers do not block each other, and a held one needs no thread.
_WORKERS = 16


@dataclass(frozen=True, slots=True)
class Request:
    """One remote call as it reached the site, without the credentials that came with it."""

    method: str
    params: Any


class LocalSite:
    """A site that answers the official client over HTTP from the moment it is constructed.

    Without a `database` it keeps its data in a private temporary file that `close()` removes. With one, a
    path, the data stays; the script then gets a new key each time, for only its digest is stored.
    `demo` fills a site that has no project yet: "small" with one show, "large" with 100,000 tasks.
    """

    script_name: str
    api_key: str
    url: str
    engine: Engine
    latency: float

    def __init__(
        self,
        database: str | Path | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        demo: str | None = None,
        latency: float = 0.0,
        allow_remote: bool = False,
    ) -> None:
        _check_demo(demo)
        _check_host(host, allow_remote)
        self.script_name = SCRIPT_NAME
        self.api_key = secrets.token_hex(20)
        self.latency = latency
        self._requests: list[Request] = []
        self._holds: list[Hold] = []
        self._holding = threading.Lock()
        self._closing = threading.Event()
        # Closed in the opposite order: first the server, then the calls under way, then the data.
        with ExitStack() as opened:
            listener = listening_socket(host, port)
            opened.callback(listener.close)
            store = Store(database, standard.standard_schema())
            opened.callback(store.close)
            furnish(store, self.script_name, self.api_key, demo)
            self.engine = Engine(store)
            workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="sgsession-site")
            opened.callback(workers.shutdown)
            server = ServerThread(application(self.engine, self._arrived, workers, host), listener)
            opened.callback(server.close)
            self.url = _url(host, listener.getsockname()[1])
            server.start()
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url} {'closed' if self._closing.is_set() else 'serving'}>"

    def connect(self, **arguments: Any) -> shotgun_api3.Shotgun:
        """A plain `shotgun_api3.Shotgun`, signed in as the site's script; `arguments` go to it."""
        from shotgun_api3 import Shotgun

        if not arguments.keys() & {"script_name", "api_key", "login", "password", "session_token"}:
            arguments.update(script_name=self.script_name, api_key=self.api_key)
        return Shotgun(self.url, **arguments)

    @property
    def requests(self) -> list[Request]:
        """Every remote call since the last reset, `info` included, in the order of arrival."""
        return list(self._requests)

    def reset_requests(self) -> None:
        """Forget the calls so far."""
        self._requests.clear()

    @contextmanager
    def hold(self, method: str = "read") -> Iterator[Hold]:
        """Hold back the answer to the next request of `method`, until released or the block ends.

        The request itself is executed at once, and other requests flow meanwhile.
        """
        hold = Hold(method)
        with self._holding:
            self._holds.append(hold)
        try:
            yield hold
        finally:
            with self._holding:
                self._holds.remove(hold)
            hold.release()

    def close(self) -> None:
        """Stop serving and, without a database of its own, remove the data. Closing twice does nothing."""
        self._closing.set()
        with self._holding:
            for hold in self._holds:
                hold.release()
        self._opened.close()

    def _arrived(self, payload: Any) -> Callable[[], Awaitable[None]]:
        latency = self.latency
        request = _request(payload)
        hold = None
        if request is not None:
            self._requests.append(request)
            hold = self._claim(request.method)

        async def leaving() -> None:
            if hold is not None:
                await hold.held()
            await self._delay(latency)

        return leaving

    async def _delay(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        # In slices, so that closing a slow site is as quick as closing any other.
        while not self._closing.is_set() and (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))

    def _claim(self, method: str) -> Hold | None:
        with self._holding:
            for hold in self._holds:
                if hold.method == method and not hold.claimed:
                    hold.claimed = True
                    return hold
        return None


def serve(
    database: str | Path | None = None,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    demo: str | None = None,
    latency: float = 0.0,
    allow_remote: bool = False,
    announce: Callable[[LocalSite], None],
) -> None:
    """Serve a site until interrupted or terminated; `announce` is handed the site once it answers."""
    with LocalSite(
        database, port=port, host=host, demo=demo, latency=latency, allow_remote=allow_remote
    ) as site:
        announce(site)
        # Otherwise a terminated site would leave its private folder behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Short sleeps: on Windows a wait without end would not notice Ctrl-C.
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(0.5)
                # Nobody reads the log of a site that is served for weeks; it must not fill the memory.
                site.reset_requests()


def _check_demo(demo: str | None) -> None:
    if demo is not None and demo not in demos.NAMES:
        raise ValueError(f"no demo is called {demo!r}; there are {', '.join(map(repr, demos.NAMES))}")


def _check_host(host: str, allow_remote: bool) -> None:
    if host == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if loopback:
        return
    if not allow_remote:
        raise ValueError(f"{host!r} can be reached from other machines; allow_remote=True permits that")
    warnings.warn(f"this site can be reached from other machines through {host!r}, unencrypted", stacklevel=3)


def _url(host: str, port: int) -> str:
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _request(payload: Any) -> Request | None:
    """The call that a payload makes; None for what is none. Its first param, the credentials, is left out."""
    if not isinstance(payload, dict) or not isinstance(payload.get("method_name"), str):
        return None
    params = payload.get("params")
    arguments = params[1] if isinstance(params, list) and len(params) > 1 else None
    return Request(payload["method_name"], arguments)
