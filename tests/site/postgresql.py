"""A PostgreSQL server for a test run: started in a folder of its own, with databases that cost a copy."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from sqlalchemy import URL, CursorResult, NullPool, create_engine, make_url
from sqlalchemy.exc import OperationalError

from sgsession.site.database.opening import Template
from sgsession.site.database.postgresql import PostgresqlDatabase
from sgsession.site.database.store import Store
from sgsession.site.schema.schema_map import SchemaMap

# A user whose password the server asks for; all others are let in.
GUARDED = "guarded"

# Nothing here outlives the run, so nothing need be safe on disk.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
}
_START_WITHIN = 30.0


class CannotStartError(Exception):
    """Why no server can be started here."""


class Server:
    """A server that answers; `close` ends it if it was started here."""

    def __init__(self, url: URL, stop: Callable[[], None] = lambda: None) -> None:
        self.url = url
        self._stop = stop
        self._numbers = itertools.count(1)
        self._prefix = f"sgsession_{os.getpid()}_{time.time_ns() % 10**9}"
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self.later = ThreadPoolExecutor(2, thread_name_prefix="sgsession-postgresql")
        with self._engine.connect() as connection:
            # The older way, three times as quick where nothing need be safe; before 15 it was the only one.
            self._copies_files = (connection.dialect.server_version_info or (0,)) >= (15,)
        self._empty: dict[SchemaMap, Template] = {}
        self._lock = threading.Lock()
        self._made: set[str] = set()

    def new_database(self, like: str = "template0", options: str = "") -> URL:
        """The URL of a new database: an empty one, or a copy of one that nobody has open."""
        name = f"{self._prefix}_{next(self._numbers)}"
        if self._copies_files:
            options += " STRATEGY FILE_COPY"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}" {options}')
        self._made.add(name)
        return self.url.set(database=name)

    def drop(self, url: URL) -> None:
        """Remove a database, whoever has it open."""
        self._made.discard(str(url.database))
        self.execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')

    def execute(self, statement: str) -> Any:
        """What one statement gives that stands alone."""
        with self._engine.connect() as connection:
            return _only_value(connection.exec_driver_sql(statement))

    def execute_in(self, url: URL, statement: str) -> Any:
        """What one statement gives in that database."""
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            return _only_value(connection.exec_driver_sql(statement))

    def private_database(self, schema: SchemaMap) -> PostgresqlDatabase:
        """What a store without a database of its own opens, where it should lie in this server."""
        with self._lock:
            if schema not in self._empty:
                made = self.new_database()
                Store(made.render_as_string(hide_password=False), schema).close()
                self._empty[schema] = self.copies_of(made)
        return self._empty[schema]()

    def copies_of(self, url: URL) -> Callable[[], PostgresqlDatabase]:
        """What makes private databases that hold the same as this one, which nobody opens any more."""
        # The next copy is made while the test with this one runs.
        ready: SimpleQueue[Future[URL]] = SimpleQueue()

        def copied() -> PostgresqlDatabase:
            ready.put(self.later.submit(self.new_database, str(url.database)))
            if ready.qsize() == 1:
                ready.put(self.later.submit(self.new_database, str(url.database)))
            return _PrivateDatabase(self, ready.get().result())

        return copied

    def close(self) -> None:
        """Remove the databases that are left, and end the server."""
        self.later.shutdown()
        for name in list(self._made):
            self.drop(self.url.set(database=name))
        self._engine.dispose()
        self._stop()


class _PrivateDatabase(PostgresqlDatabase):
    """A copy that closing it drops."""

    is_private = is_complete = True

    def __init__(self, server: Server, url: URL) -> None:
        super().__init__(url)
        self._server, self._url = server, url

    def freeze(self) -> Template:
        super().close()
        return self._server.copies_of(self._url)

    def close(self) -> None:
        super().close()
        self._server.later.submit(self._server.drop, self._url)


def running(url: str) -> Server:
    """A server that runs anyway, and lets this user make databases."""
    return Server(make_url(url))


def started() -> Server:
    """A server of this test run's own."""
    binaries = _binaries()
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="sgsession-postgresql-", dir=_roomy_memory()))
    process: subprocess.Popen[bytes] | None = None

    def stop() -> None:
        if process is not None:
            process.send_signal(signal.SIGINT)  # "fast": open connections are cut
            process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

    try:
        # The server refuses to run as root; its user need only enter this folder.
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data = folder / "data"
        made = subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            user=user, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise CannotStartError(f"initdb: {made.stderr.strip()}")
        access = data / "pg_hba.conf"
        access.write_text(f"host all {GUARDED} 127.0.0.1/32 scram-sha-256\n{access.read_text()}")
        port = _free_port()
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, *settings],
                user=user, cwd=folder, stdout=log, stderr=log,
            )  # fmt: skip
        url = URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", port=port, database="postgres")
        _wait_for(url, process, folder / "log")
    except BaseException:
        stop()
        raise
    return Server(url, stop)


def _only_value(result: CursorResult[Any]) -> Any:
    return result.scalar() if result.returns_rows else None


def _binaries() -> Path:
    found = shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    # Debian keeps them off the PATH.
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    raise CannotStartError("PostgreSQL's initdb and postgres are not installed")


def _roomy_memory() -> str | None:
    """A place in memory where there is one: a database is a thousand files, and disks take a second to copy them."""
    memory = "/dev/shm"
    return memory if os.path.isdir(memory) and shutil.disk_usage(memory).free > 2**30 else None


def _user() -> str | None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise CannotStartError("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(url: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    engine = create_engine(url)
    until = time.monotonic() + _START_WITHIN
    while True:
        try:
            engine.connect().close()
        except OperationalError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise CannotStartError(f"the server did not start: {log.read_text()[-2000:]}") from error
            time.sleep(0.05)
        else:
            engine.dispose()
            return
