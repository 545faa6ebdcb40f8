"""The rows of a site: one writer, many readers, every transaction explicit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from ..schema.history import conform, number_of_edits, remembered
from ..schema.schema_map import SchemaMap
from . import sqlite
from .opening import Database, SiteDatabaseError, Template, address
from .postgresql import PostgresqlDatabase
from .sqlite import SqliteDatabase
from .stored_files import Files
from .tables import Tables, tables_of

__all__ = ["SiteDatabaseError", "Store"]

# What keeps the rows of stores that have no database of their own.
private_database: Callable[[SchemaMap], Database] = sqlite.private_database


class Store:
    """The rows of one site. Safe to use from many threads.

    Without a `database` they are private, gone when it is closed; a `template` says what they begin with.
    """

    def __init__(
        self,
        database: str | Path | None,
        schema: SchemaMap,
        template: Template | None = None,
        files: str | Path | None = None,
    ) -> None:
        self.base = schema
        self.tables = tables_of(schema)
        self._files_folder = None if files is None else Path(files).expanduser()
        self._next_tables: Tables | None = None
        self._edits = 0  # how many are in the tables; counted where other processes edit, too
        self._hearing = threading.RLock()
        self._write_lock = threading.RLock()
        self._database: Database | None = None
        if database is None:
            self._open(self._private(template))
        else:
            self._open(_opened(database, schema))

    @property
    def schema(self) -> SchemaMap:
        """The schema map in force. Take `tables` once instead where both are needed: an edit replaces them."""
        return self.tables.schema

    @property
    def reads_at_once(self) -> bool:
        """Whether reads wait for nobody, so that a small one may be run in a thread that must not wait."""
        return self._database is not None and self._database.reads_at_once

    @property
    def key_file(self) -> Path | None:
        """Where the key of the site's script is kept: beside a database file that stays; else nowhere."""
        database = self._database
        if database is None or database.is_private or database.path is None:
            return None
        return Path(f"{database.path}.key")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one snapshot of the rows; any number may be open at once."""
        database = self._in_use()
        with database.reader.connect() as connection, connection.begin():
            if database.is_shared:
                self._hear_of_edits(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one connection that writes: commits at the end, rolls back on any exception."""
        with self._transaction() as connection:
            if self._in_use().is_shared:
                self._hear_of_edits(connection)
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._write_lock:
            try:
                database = self._in_use()
                with database.writer.connect() as connection, connection.begin():
                    yield connection
                    edits = self._count_edits(connection, database)
                # Only what is committed may be read; whoever is reading keeps the tables it has.
                if self._next_tables is not None:
                    self._put_in_force(self._next_tables, edits)
            finally:
                self._next_tables = None

    def swap_after_commit(self, tables: Tables) -> None:
        """Let these tables be in force when the write under way is committed; a failed one leaves the old."""
        self._next_tables = tables

    def shed(self) -> None:
        """Let go of what is kept for the next request: connections nobody uses, and compiled statements."""
        database = self._database
        if database is not None:
            for engine in (database.reader, database.writer):
                engine.clear_compiled_cache()
                engine.dispose()

    def close(self) -> None:
        """Close all connections and remove what is private; closing twice is harmless."""
        database = self._let_go()
        if database is not None:
            database.close()

    def freeze(self) -> Template:
        """Close a store without a database of its own, and give what makes others of it."""
        database = self._let_go()
        if database is None:
            raise SiteDatabaseError("the store of this site is closed")
        return database.freeze()

    def start_over(self, template: Template | None) -> None:
        """Become a fresh store; reads under way end on the old rows. Only one without a database of its own can."""
        with self._write_lock:
            old, files = self._in_use(), self.files
            if not old.is_private:
                raise SiteDatabaseError("only a site without a database of its own can start over")
            self._open(self._private(template))
        files.close()
        old.close()

    def _private(self, template: Template | None) -> Database:
        return private_database(self.base) if template is None else template()

    def _open(self, database: Database) -> None:
        # Before the database: no reader may look for a column that it does not have yet.
        self.tables, self._edits = tables_of(self.base), 0
        self._database = database
        self.files = self._files_beside(database)
        if database.is_complete:
            return
        try:
            self._catch_up(database)
        except DBAPIError as error:
            self.close()
            raise database.refusal(error) from None
        except BaseException:
            self.close()
            raise

    def _catch_up(self, database: Database) -> None:
        """Remember the schema edits made so far; a database of a smaller schema gains what was added since."""
        with self._transaction() as connection:
            database.claim(connection)
            conform(connection, self.tables)
            tables = remembered(connection, self.tables)
            if tables is not self.tables:
                conform(connection, tables)
                self.swap_after_commit(tables)

    def _hear_of_edits(self, connection: Connection) -> None:
        """Take over what other processes did to the schema that this connection sees."""
        if number_of_edits(connection, self.tables) <= self._edits:
            return
        with self._hearing:
            edits = number_of_edits(connection, self.tables)
            if edits > self._edits:
                self._put_in_force(remembered(connection, self.tables, self._edits), edits)

    def _count_edits(self, connection: Connection, database: Database) -> int:
        if self._next_tables is None or not database.is_shared:
            return self._edits
        return number_of_edits(connection, self._next_tables)

    def _put_in_force(self, tables: Tables, edits: int) -> None:
        with self._hearing:
            # A reader may have heard of a later edit before the writer of this one came to its end.
            if edits >= self._edits:
                self.tables, self._edits = tables, edits
        # Compiled statements hold on to the tables that they were made for: megabytes for each schema edit.
        database = self._in_use()
        database.reader.clear_compiled_cache()
        database.writer.clear_compiled_cache()

    def _in_use(self) -> Database:
        database = self._database
        if database is None:
            raise SiteDatabaseError("the store of this site is closed")
        return database

    def _let_go(self) -> Database | None:
        with self._write_lock:  # lets a write in progress finish
            database, self._database = self._database, None
        self.files.close()
        return database

    def _files_beside(self, database: Database) -> Files:
        """The folder of uploaded files: as named, or beside the database, or private where a server keeps that."""
        if self._files_folder is not None:
            return Files(self._files_folder)
        if database.path is None:
            return Files(None)
        return Files(Path(f"{database.path}.files"), durable=not database.is_private)


def _opened(database: str | Path, schema: SchemaMap) -> Database:
    url = address(database)
    if url.get_backend_name() == "postgresql":
        return PostgresqlDatabase(url)
    return SqliteDatabase(Path(url.database or ""), schema)
