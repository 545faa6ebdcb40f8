"""The database of a site: one writer, many readers, every transaction explicit.

"In memory" is a file in a private temporary folder: a shared-cache or single-connection SQLite database
would lose the isolation between the threads of the server.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.schema import CreateIndex, CreateTable

from ...errors import SessionError
from ..schema.history import conform, remembered
from ..schema.schema_map import SchemaMap
from .stored_files import Files
from .tables import Tables, tables_of

# Written into the header of each file, so that another program's database is never taken for a site.
_APPLICATION_ID = 0x53475331
_FORMAT = 1
_HEADER = b"SQLite format 3\x00"

# How long a transaction waits for another process that has the same file open, in milliseconds.
_BUSY_TIMEOUT = 10_000

# One fresh database per schema map, as bytes: the DDL of sixty tables runs once per process.
_templates: dict[SchemaMap, bytes] = {}
_templates_lock = threading.Lock()


class SiteDatabaseError(SessionError):
    """The database that was named cannot serve as the store of a site."""


class Store:
    """The rows of one site. Safe to use from many threads."""

    def __init__(
        self,
        database: str | Path | None,
        schema: SchemaMap,
        template: bytes | None = None,
        files: str | Path | None = None,
    ) -> None:
        self.base = schema
        self._files_folder = None if files is None else Path(files).expanduser()
        self.tables = tables_of(schema)
        self._next_tables: Tables | None = None
        self._folder: str | None = None
        if database is None:
            self._folder = tempfile.mkdtemp(prefix="sgsession-site-")
            database = Path(self._folder) / "site.sqlite"
        self._url = _url(database)
        self._write_lock = threading.RLock()
        self._closed = False
        self.files = self._files_beside()
        self._reader: Engine | None = None
        self._writer: Engine | None = None
        try:
            self._open(template)
        except BaseException:
            self.close()
            raise

    @property
    def schema(self) -> SchemaMap:
        """The schema map in force. Take `tables` once instead where both are needed: an edit replaces them."""
        return self.tables.schema

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one snapshot of the rows; any number may be open at once."""
        if self._reader is None:
            raise SiteDatabaseError("the store of this site is closed")
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one connection that writes: commits at the end, rolls back on any exception."""
        with self._write_lock:
            if self._writer is None:
                raise SiteDatabaseError("the store of this site is closed")
            try:
                with self._writer.connect() as connection, connection.begin():
                    yield connection
                # Only what is committed may be read; whoever is reading keeps the tables it has.
                if self._next_tables is not None:
                    self._put_in_force(self._next_tables)
            finally:
                self._next_tables = None

    def swap_after_commit(self, tables: Tables) -> None:
        """Let these tables be in force when the write under way is committed; a failed one leaves the old."""
        self._next_tables = tables

    def _put_in_force(self, tables: Tables) -> None:
        self.tables = tables
        # Compiled statements hold on to the tables that they were made for: megabytes for each schema edit.
        for engine in (self._reader, self._writer):
            if engine is not None:
                engine.clear_compiled_cache()

    def close(self) -> None:
        """Close all connections and remove the private folder; closing twice is harmless."""
        with self._write_lock:  # lets a write in progress finish
            reader, self._reader = self._reader, None
            writer, self._writer = self._writer, None
            folder, self._folder = self._folder, None
        self.files.close()
        _discard(reader, writer, folder)

    def start_over(self, template: bytes | None) -> None:
        """Become a fresh store; reads under way end on the old rows. Only one without a database of its own can."""
        with self._write_lock:
            if self._folder is None:
                raise SiteDatabaseError("only a site without a database of its own can start over")
            old = self._reader, self._writer, self._folder
            self._folder = tempfile.mkdtemp(prefix="sgsession-site-")
            self._url = _url(Path(self._folder) / "site.sqlite")
            self._open(template)
        _discard(*old)

    def _open(self, template: bytes | None = None) -> None:
        self.files = self._files_beside()
        if self._url.get_backend_name() != "sqlite":
            self._open_server()
            return
        path = Path(self._url.database or "")
        fresh = not path.exists() or path.stat().st_size == 0
        if fresh:
            _write_template(path, self.base, template)
        else:
            _check_file(path)
        # Before the connections: no reader may look for a column that this database does not have yet.
        self.tables = tables_of(self.base)
        self._writer = _sqlite_engine(self._url, writes=True, durable=self._folder is None)
        self._reader = _sqlite_engine(self._url, writes=False, durable=self._folder is None)
        if fresh:
            return
        try:
            self._catch_up()
        except DatabaseError as error:
            raise SiteDatabaseError(f"{path} cannot be used: {error.orig}") from None

    def _catch_up(self) -> None:
        """Remember the schema edits made so far; a database of a smaller schema gains what was added since."""
        with self.writing() as connection:
            conform(connection, self.tables)
            tables = remembered(connection, self.tables)
            if tables is not self.tables:
                conform(connection, tables)
                self.swap_after_commit(tables)

    def _files_beside(self) -> Files:
        """The folder of uploaded files: as named, or beside the database, or private where a server keeps that."""
        if self._files_folder is not None:
            return Files(self._files_folder)
        if self._url.get_backend_name() != "sqlite":
            return Files(None)
        return Files(Path(f"{self._url.database}.files"), durable=self._folder is None)

    def _open_server(self) -> None:
        """Open a database that a server keeps, which has its own ways to let readers and writers pass."""
        try:
            self._writer = create_engine(self._url)
            # One snapshot for all the statements of a call, as on SQLite.
            self._reader = create_engine(self._url, isolation_level="REPEATABLE READ")
            self._catch_up()
        except ModuleNotFoundError as error:
            raise SiteDatabaseError(f"{self._url.drivername} needs the package {error.name}") from None
        except DatabaseError as error:
            raise SiteDatabaseError(f"{self._url!r} cannot be used: {error.orig}") from None


def _discard(reader: Engine | None, writer: Engine | None, folder: str | None) -> None:
    # The writer goes last: the last connection to close moves the log into the file.
    for engine in (reader, writer):
        if engine is not None:
            engine.dispose()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _url(database: str | Path) -> URL:
    if isinstance(database, Path) or "://" not in database:
        return URL.create("sqlite", database=str(Path(database).expanduser()))
    try:
        url = make_url(database)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise SiteDatabaseError(
            f"{database!r} is neither a path nor the URL of a database: {error}"
        ) from None
    return url


def _sqlite_engine(url: URL, *, writes: bool, durable: bool) -> Engine:
    # Readers come from server threads: a few are kept open, a burst opens more instead of waiting.
    sizes = {"pool_size": 1, "max_overflow": 0} if writes else {"pool_size": 8, "max_overflow": 64}
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
    yield "PRAGMA cache_size = -16384"
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


def _write_template(path: Path, schema: SchemaMap, template: bytes | None) -> None:
    with _templates_lock:
        template = template or _templates.get(schema)
        if template is None:
            _create_tables(path, schema)
            _templates[schema] = path.read_bytes()
            return
    try:
        path.write_bytes(template)
    except OSError as error:
        raise SiteDatabaseError(f"{path} cannot be written: {error.strerror}") from None


def _create_tables(path: Path, schema: SchemaMap) -> None:
    dialect = sqlite.dialect()
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Nothing is lost if this is cut short: the file is then empty, and made anew.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN")
            for table in tables_of(schema).metadata.tables.values():
                connection.execute(str(CreateTable(table).compile(dialect=dialect)))
                for index in table.indexes:
                    connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
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
