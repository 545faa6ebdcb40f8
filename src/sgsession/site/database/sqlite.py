"""A site's database in an SQLite file.

"In memory" is a file in a private temporary folder: a shared-cache or single-connection SQLite database
would lose the isolation between the threads of the server.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, create_mock_engine, event
from sqlalchemy.exc import DBAPIError

from ..schema.schema_map import SchemaMap
from .opening import Database, SiteDatabaseError, Template
from .tables import tables_of

__all__ = ["SqliteDatabase", "private_database"]

# Written into the header of each file, so that another program's database is never taken for a site.
_APPLICATION_ID = 0x53475331
_FORMAT = 1
_HEADER = b"SQLite format 3\x00"

# How long a transaction waits for another process that has the same file open, in milliseconds.
_BUSY_TIMEOUT = 10_000

# One fresh database per schema map, as bytes: the DDL of sixty tables runs once per process.
_templates: dict[SchemaMap, bytes] = {}
_templates_lock = threading.Lock()


class SqliteDatabase(Database):
    """A file, made with the tables of the schema where it is missing."""

    reads_at_once = True

    def __init__(self, path: Path, schema: SchemaMap, *, private: bool = False, content: bytes | None = None):
        self.path, self.name, self.is_private = path, str(path), private
        self._schema = schema
        self.is_complete = not path.exists() or path.stat().st_size == 0
        if self.is_complete:
            _write(path, schema, content)
        else:
            _check_file(path)
        self.writer = _engine(path, writes=True, durable=not private)
        self.reader = _engine(path, writes=False, durable=not private)

    def claim(self, connection: Connection) -> None:
        """Nothing: a file is looked at before it is opened, for that alone may change it."""

    def refusal(self, error: DBAPIError) -> SiteDatabaseError:
        return SiteDatabaseError(f"{self.name} cannot be used: {error.orig}")

    def freeze(self) -> Template:
        if not self.is_private:
            return super().freeze()
        super().close()
        # Closed: all of it is in the one file.
        content = Path(self.name).read_bytes()
        self.close()
        return lambda: private_database(self._schema, content)

    def close(self) -> None:
        # The writer goes last: the last connection to close moves the log into the file.
        super().close()
        if self.is_private:
            shutil.rmtree(Path(self.name).parent, ignore_errors=True)


def private_database(schema: SchemaMap, content: bytes | None = None) -> SqliteDatabase:
    """A database of one's own, in a folder that closing it removes."""
    folder = tempfile.mkdtemp(prefix="sgsession-site-")
    try:
        return SqliteDatabase(Path(folder) / "site.sqlite", schema, private=True, content=content)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _engine(path: Path, *, writes: bool, durable: bool) -> Engine:
    # Readers come from server threads: a few are kept open, a burst opens more instead of waiting.
    sizes = {"pool_size": 1, "max_overflow": 0} if writes else {"pool_size": 8, "max_overflow": 64}
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"check_same_thread": False}, **sizes)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own BEGIN comes late (before the first write): a read would see no snapshot.
        connection.isolation_level = None
        for pragma in _pragmas(writes, durable):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE: a writer that starts as a reader may fail half way when another process writes first.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _pragmas(writes: bool, durable: bool) -> Iterator[str]:
    # Another process may hold the file for a moment (a second site, a backup): wait instead of failing.
    yield f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}"
    # 16 MB of pages for each connection, of which a busy site has a dozen; what is hot is mapped below, once.
    yield "PRAGMA cache_size = -4096"
    # Sorting and grouping never touch the disk.
    yield "PRAGMA temp_store = MEMORY"
    # Reads through the page cache of the system instead of copies of their own.
    yield "PRAGMA mmap_size = 268435456"
    if not writes:
        # A read that tried to write would be a defect of the site; the database refuses it.
        yield "PRAGMA query_only = ON"
        return
    # A user's file survives a power cut; the private one does not outlive the process anyway.
    yield f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}"
    # Readers go on in their snapshot while the writer commits; only the writer moves the log into the file.
    yield "PRAGMA journal_mode = WAL"
    yield "PRAGMA wal_autocheckpoint = 1000"


def _write(path: Path, schema: SchemaMap, content: bytes | None) -> None:
    with _templates_lock:
        content = content or _templates.get(schema)
        if content is None:
            _create_tables(path, schema)
            _templates[schema] = path.read_bytes()
            return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise SiteDatabaseError(f"{path} cannot be written: {error.strerror}") from None


def _create_tables(path: Path, schema: SchemaMap) -> None:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Nothing is lost if this is cut short: the file is then empty, and made anew.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN")

            def execute(statement: Any, *_: Any, **__: Any) -> None:
                connection.execute(str(statement.compile(dialect=made.dialect)))

            made = create_mock_engine("sqlite://", execute)
            tables_of(schema).metadata.create_all(made, checkfirst=False)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.execute("COMMIT")
            # The mode stays with the file. Set now, while nobody reads: a reader would lock the change out.
            connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as error:
        raise SiteDatabaseError(f"{path} cannot be made: {error}") from None


def _check_file(path: Path) -> None:
    """Refuse a file that is not the database of a site, before anything is written to it."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise SiteDatabaseError(f"{path} cannot be read: {error.strerror}") from None
    if len(header) < 100 or not header.startswith(_HEADER):
        raise SiteDatabaseError(f"{path} is not a database of a site: it is not an SQLite file")
    # Offsets of the SQLite file format: user_version at 60, application_id at 68.
    if int.from_bytes(header[68:72], "big") != _APPLICATION_ID:
        raise SiteDatabaseError(f"{path} is not a database of a site: another program made it")
    found = int.from_bytes(header[60:64], "big")
    if found != _FORMAT:
        raise SiteDatabaseError(
            f"{path} has format {found}; this version of sgsession reads format {_FORMAT}"
        )
