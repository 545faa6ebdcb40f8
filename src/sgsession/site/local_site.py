"""A whole site on this machine, for tests, demos and work without a network."""

from __future__ import annotations

import ipaddress
import secrets
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import building
from . import demo as demos
from .building import Built
from .database.store import Store
from .engine import Engine
from .furnishing import SCRIPT_NAME, furnish, template
from .people import accounts
from .people.key_file import key_in
from .schema import standard
from .transfer.whole_sites import dump_store, load_store, read_schema, take_schema
from .web.arrivals import Arrivals, Request
from .web.faulting import Answer, Failure
from .web.holding import Hold
from .web.http import answered, application
from .web.in_process import in_process_client
from .web.server import PortInUseError, ServerThread, listening_socket
from .web.small_reads import SmallReads

if TYPE_CHECKING:
    import shotgun_api3
    from typing_extensions import Self

__all__ = ["LocalSite", "PortInUseError", "Request", "serve"]

# The address of a site without a server; names under .invalid never resolve (RFC 2606).
_NOWHERE = "http://in-process.invalid"

# Requests that run at once; SQLite readers do not block each other, and a held one needs no thread.
_WORKERS = 16

# M_ARENA_MAX in malloc.h of glibc.
_POOLS_OF_MEMORY = -8


class LocalSite:
    """A site that answers the official client over HTTP from the moment it is constructed.

    Without a `database` it keeps its data in a private temporary file that `close()` removes. With one, a
    path, the data stays, and so does the script's key: in the file `key_file`, which is made where it is
    missing, and lies beside the database file unless told otherwise. Else the key is new each time.
    `demo` fills a site that has no project yet: "small" with one show, "large" with 100,000 tasks;
    `progress` is then told now and again which share of it is done, from 0 to 1.
    Files that are uploaded, of at most `max_upload` bytes each, lie beside the database file or in the folder
    `files`; a database that a server keeps needs one, or they go when the site is closed. With
    `direct_uploads` clients send them by signed addresses instead of forms.
    A session that a client asks for lives `session_lifetime` seconds.
    `schema` is the `schema_read()` of a real site, or a JSON file of it: its types and fields are here as well.
    With `serve=False` there is no server, and only clients of `connect(in_process=True)` reach it.
    """

    script_name: str
    api_key: str
    url: str
    engine: Engine

    def __init__(
        self,
        database: str | Path | None = None,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        demo: str | None = None,
        latency: float = 0.0,
        allow_remote: bool = False,
        serve: bool = True,
        files: str | Path | None = None,
        key_file: str | Path | None = None,
        direct_uploads: bool = False,
        max_upload: int = 2**31,
        session_lifetime: float = 24 * 3600.0,
        schema: Mapping[str, Any] | str | Path | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        _check_demo(demo)
        _check_host(host, allow_remote)
        self._schema = None if schema is None else read_schema(schema)
        self.script_name = SCRIPT_NAME
        self.url = _NOWHERE
        self._arrivals = Arrivals(latency)
        # Closed in the opposite order: first the server, then the calls under way, then the data.
        with ExitStack() as opened:
            listener = listening_socket(host, port) if serve else None
            if listener is not None:
                opened.callback(listener.close)
            base = standard.standard_schema()
            store = Store(database, base, None if database else template(base, demo), files)
            opened.callback(store.close)
            # Once the database could be opened: a wrong path must not leave a key behind.
            self.api_key = _key(store, key_file)
            furnish(store, self.script_name, self.api_key, demo, progress)
            take_schema(store, self._schema)
            self.engine = Engine(store, direct_uploads=direct_uploads)
            self.session_lifetime = session_lifetime
            if listener is not None:
                workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="sgsession-site")
                opened.callback(workers.shutdown)
                arrived = self._arrivals.arrived
                web = application(self.engine, arrived, workers, host, max_upload)
                server = ServerThread(web, listener, SmallReads(self.engine, self._arrivals, host).answer)
                opened.callback(server.close)
                self.url = self.engine.origin = _url(host, listener.getsockname()[1])
                server.start()
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._arrivals.closing.is_set() else "serving"
        return f"<{type(self).__name__} {self.url} {state}>"

    def connect(self, *, in_process: bool = False, **arguments: Any) -> shotgun_api3.Shotgun:
        """A plain `shotgun_api3.Shotgun`, signed in as the site's script; `arguments` go to it.

        With `in_process` its requests do not pass a socket, and the caller's thread answers them; all else is
        the same. Uploads and downloads need a server.
        """
        from shotgun_api3 import Shotgun

        if not arguments.keys() & {"script_name", "api_key", "login", "password", "session_token"}:
            arguments.update(script_name=self.script_name, api_key=self.api_key)
        if in_process:
            return in_process_client(self.url, self._answered, arguments)
        return Shotgun(self.url, **arguments)

    @property
    def session_lifetime(self) -> float:
        """How many seconds a session lives that is handed out from now on; set it at any time."""
        return self.engine.session_lifetime

    @session_lifetime.setter
    def session_lifetime(self, seconds: float) -> None:
        self.engine.session_lifetime = seconds

    def set_password(self, login: str, password: str) -> None:
        """Let a person sign in with this password; nobody has one until it is set here or over the API."""
        accounts.set_password(self.engine.store, login, password)

    def require_one_time_code(self, login: str, code: str | None) -> None:
        """Ask a person for this code beside the password, as with 2FA; None stops asking."""
        accounts.require_one_time_code(self.engine.store, login, code)

    def set_permission_group(self, login: str, group: str) -> None:
        """Make a person an "admin", "manager", "artist" or "vendor"; only an admin may do all."""
        accounts.set_permission_group(self.engine.store, login, group)

    def new_script_key(self, name: str) -> str:
        """A key for a further script, an `ApiUser` of that `firstname`; any key it had is void."""
        return accounts.new_script_key(self.engine.store, name)

    @property
    def latency(self) -> float:
        """How many seconds later each answer leaves; set it at any time."""
        return self._arrivals.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._arrivals.latency = seconds

    @property
    def requests(self) -> list[Request]:
        """Every remote call since the last reset, `info` included, in the order of arrival."""
        return list(self._arrivals.requests)

    def reset_requests(self) -> None:
        """Forget the calls so far."""
        self._arrivals.requests.clear()

    def hold(self, method: str = "read") -> AbstractContextManager[Hold]:
        """Hold back the answer to the next request of `method`, until released or the block ends.

        The request itself is executed at once, and other requests flow meanwhile.
        """
        return self._arrivals.hold(method)

    def fail_next(
        self,
        method: str = "read",
        *,
        status: int | None = None,
        fault: str | None = None,
        html: bool = False,
        truncated: bool = False,
        dropped: bool = False,
        after: bool = False,
        times: int = 1,
    ) -> None:
        """Let the next request of `method` fail, in one of these ways.

        `status=502` gives that HTTP status with an error page, `fault="words"` a JSON error envelope,
        `html=True` a page instead of JSON, `truncated=True` the first half of the true answer, and
        `dropped=True` ends the connection without a byte. With `after=True` the request was executed all the
        same, as after a broken line; otherwise it was not. `times=2` lets the next two fail.
        """
        self._arrivals.fail(Failure(method, status, fault, html, truncated, dropped, after, times))

    def start_over(self, demo: str | None = None) -> None:
        """Become a fresh site at the same address: new rows, a new key, nothing logged or ordered.

        Clients made before are turned away by their old key. Only for a site without a database of its own.
        """
        _check_demo(demo)
        self.engine.store.start_over(template(self.engine.store.base, demo))
        self._arrivals.start_over()
        self.api_key = secrets.token_hex(20)
        furnish(self.engine.store, self.script_name, self.api_key, demo)
        take_schema(self.engine.store, self._schema)

    def project(self, name: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """The Project of that name, made if missing; what lies below it is made from there (building.py)."""
        return building.project(self._ask, name, {**(fields or {}), **more})

    def person(self, name: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """The person of that name, made if missing."""
        return building.person(self._ask, name, {**(fields or {}), **more})

    def dump(self, file: str | Path | IO[str], *, events: bool = True) -> None:
        """Write the schema edits and all rows as JSON lines; no passwords, keys and uploaded files."""
        dump_store(self.engine.store, file, events=events)

    def load(self, file: str | Path | IO[str], *, progress: Callable[[float], None] | None = None) -> None:
        """Add what a dump holds, replacing rows of the same type and id; all of it, or nothing.

        `progress` is told now and again which share of the file at a path was read, from 0 to 1.
        """
        load_store(self.engine.store, file, progress)
        # A script of the dump may have taken the place of this site's own.
        furnish(self.engine.store, self.script_name, self.api_key, None)

    def close(self) -> None:
        """Stop serving and, without a database of its own, remove the data. Closing twice does nothing."""
        self._arrivals.close()
        self._opened.close()

    def _ask(self, method: str, arguments: dict[str, Any]) -> Any:
        credentials = {"script_name": self.script_name, "script_key": self.api_key}
        return building.asking(self.engine.answer, credentials)(method, arguments)

    def _answered(self, body: bytes) -> Answer:
        answer, arrival = answered(self.engine, self._arrivals.arrived, body)
        if arrival is not None:
            arrival.wait_to_leave()
        return answer


def serve(
    database: str | Path | None = None,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    demo: str | None = None,
    latency: float = 0.0,
    allow_remote: bool = False,
    files: str | Path | None = None,
    key_file: str | Path | None = None,
    direct_uploads: bool = False,
    max_upload: int = 2**31,
    session_lifetime: float = 24 * 3600.0,
    schema: Mapping[str, Any] | str | Path | None = None,
    progress: Callable[[float], None] | None = None,
    announce: Callable[[LocalSite], None],
) -> None:
    """Serve a site until interrupted or terminated; `announce` is handed the site once it answers.

    The other arguments are those of LocalSite.
    """
    give_memory_back = _share_memory()
    with LocalSite(
        database,
        port=port,
        host=host,
        demo=demo,
        latency=latency,
        allow_remote=allow_remote,
        files=files,
        key_file=key_file,
        direct_uploads=direct_uploads,
        max_upload=max_upload,
        session_lifetime=session_lifetime,
        schema=schema,
        progress=progress,
    ) as site:
        # Otherwise a terminated site would leave its private folder behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # Short sleeps: on Windows a wait without end would not notice Ctrl-C.
        with suppress(KeyboardInterrupt):
            announce(site)
            while True:
                time.sleep(0.5)
                if site.requests:
                    # Nobody reads the log of a site that is served for weeks; it must not fill the memory, nor
                    # may what the largest request of these weeks took.
                    site.reset_requests()
                    give_memory_back()


def _share_memory() -> Callable[[], object]:
    """Let all threads of this process take their memory from two pools; gives what returns the free part of it.

    Each thread would otherwise have a pool of its own, and keep in it what its largest request took.
    """
    if sys.platform == "linux":
        import ctypes

        # Another C library than glibc does not have this, and does not need it.
        with suppress(AttributeError, OSError):
            library = ctypes.CDLL(None)
            library.mallopt(_POOLS_OF_MEMORY, 2)
            give_back = library.malloc_trim
            return lambda: give_back(0)
    return lambda: None


def _key(store: Store, key_file: str | Path | None) -> str:
    path = store.key_file if key_file is None else Path(key_file).expanduser()
    return secrets.token_hex(20) if path is None else key_in(path)


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
