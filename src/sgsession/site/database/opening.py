"""What a store asks of a database, whichever kind it is, and the address that says which."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from ...errors import SessionError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.exc import DBAPIError

__all__ = ["Database", "SiteDatabaseError", "Template", "address"]

_KINDS = ("sqlite", "postgresql")


class SiteDatabaseError(SessionError):
    """The database that was named cannot serve as the store of a site."""


class Database(ABC):
    """An open database: connections that read a snapshot each, and one at a time that writes."""

    name: str  # what messages call it; never with a password
    path: Path | None = None  # the file that it is, if it is one
    is_private = False  # one that closing removes
    reads_at_once = False  # nobody who reads waits for a writer, or for another program
    is_shared = False  # other processes may edit its schema
    is_complete = False  # all tables of the schema are known to be there
    reader: Engine
    writer: Engine

    @abstractmethod
    def claim(self, connection: Connection) -> None:
        """Refuse what is no site's, and mark what is empty as a site's, before a table is looked at."""

    @abstractmethod
    def refusal(self, error: DBAPIError) -> SiteDatabaseError:
        """What to tell of a database that cannot be opened."""

    def freeze(self) -> Template:
        """Close a private database for good, and give what makes others that hold the same."""
        raise SiteDatabaseError(f"{self.name} stays; only private databases serve as templates")

    def close(self) -> None:
        """Close all connections, and remove what is private."""
        self.reader.dispose()
        self.writer.dispose()


# Makes a private database that holds what another one held.
Template = Callable[[], Database]


def address(database: str | Path) -> URL:
    """A path or the URL of a database as SQLAlchemy has it; SiteDatabaseError where it is neither."""
    if isinstance(database, Path) or "://" not in database:
        return URL.create("sqlite", database=str(Path(database).expanduser()))
    try:
        url = make_url(database)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        # The words of these errors may quote the URL, and with it the password.
        raise SiteDatabaseError(f"{_shown(database)!r} is neither a path nor the URL of a database") from None
    if url.get_backend_name() not in _KINDS:
        raise SiteDatabaseError(f"{_shown(database)!r}: a site lies in SQLite or PostgreSQL")
    if "@" in (url.host or ""):
        raise SiteDatabaseError(
            f"{_shown(database)!r}: an @ in a user name or a password must be written as %40"
        )
    return url


def _shown(database: str) -> str:
    """The URL without what stands before its last @ and in its options: passwords are there."""
    return re.sub(r"//.*@", "//", database, flags=re.DOTALL).partition("?")[0]
