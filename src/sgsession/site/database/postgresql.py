"""A site's database that a PostgreSQL server keeps. Several processes may have it open."""

from __future__ import annotations

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from .opening import Database, SiteDatabaseError

__all__ = ["PostgresqlDatabase"]

# Its presence tells the database of a site from any other; it says in which form the tables are.
_MARK = "sgsession_site"
_FORMAT = 1

# The writers of all processes take turns by this lock of the server: it is given up with the transaction, and
# not before the transaction is seen, so that whoever follows the event log by id meets every id in order.
_TURN = 0x53475331
# A writer waits so long for another one, or a schema edit for those who read its table.
_PATIENCE = "60s"

# Seconds until a server that does not answer at all is given up.
_CONNECT_TIMEOUT = 10

# What an error of the server says, and what to do about it.
_NEXT_STEPS = (
    ("does not exist", "make the database and its user: createuser, createdb --encoding=UTF8 --owner=USER"),
    ("password", "give user and password in the URL, or the password in PGPASSWORD or ~/.pgpass"),
    ("authentication", "give a user that the server lets in; its pg_hba.conf says whom"),
    ("permission denied", "let this user own the database: ALTER DATABASE name OWNER TO user"),
    ("connection", "see that the server runs there, and that host and port are right"),
)


class PostgresqlDatabase(Database):
    """A database that a server keeps, opened by its URL; nothing is asked of the server yet."""

    is_shared = True

    def __init__(self, url: URL) -> None:
        self.name = _name(url)
        if "+" not in url.drivername:
            url = url.set(drivername="postgresql+psycopg")
        try:
            # One snapshot for all the statements of a call, as on SQLite; and none that writes.
            self.reader = _engine(
                url, isolation_level="REPEATABLE READ", execution_options={"postgresql_readonly": True}
            )
            # Each statement sees what is committed: the writer before this one, then, for there is no other.
            self.writer = _engine(url, isolation_level="READ COMMITTED", pool_size=1, max_overflow=0)
        except ImportError as error:
            raise SiteDatabaseError(
                f"{self.name} needs the package {error.name or url.get_driver_name()}: "
                "pip install 'sgsession[postgresql]'"
            ) from None
        event.listen(self.writer, "begin", _take_turn)

    def claim(self, connection: Connection) -> None:
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise SiteDatabaseError(
                f"{self.name} keeps text as {encoding}; make a database with createdb --encoding=UTF8"
            )
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        present = set(connection.exec_driver_sql(tables).scalars())
        if _MARK in present:
            found = connection.exec_driver_sql(f"SELECT format FROM {_MARK}").scalar()
            if found != _FORMAT:
                raise SiteDatabaseError(
                    f"{self.name} has format {found}; this version of sgsession reads format {_FORMAT}"
                )
        elif present:
            raise SiteDatabaseError(
                f"{self.name} is not a database of a site: another program made its tables; "
                "make an empty database for the site with createdb"
            )
        else:
            connection.exec_driver_sql(f"CREATE TABLE {_MARK} (format integer NOT NULL)")
            connection.exec_driver_sql(f"INSERT INTO {_MARK} VALUES ({_FORMAT})")

    def refusal(self, error: DBAPIError) -> SiteDatabaseError:
        words = " ".join(str(error.orig).split())
        steps = (step for sign, step in _NEXT_STEPS if sign in words)
        return SiteDatabaseError(f"{self.name} cannot be used: {'; '.join([words, *steps][:2])}")


def _engine(url: URL, **options: object) -> Engine:
    # Whatever the server keeps text as, and whatever the environment says: it travels as UTF-8.
    how: dict[str, object] = {"client_encoding": "utf8"}
    if "connect_timeout" not in url.query:
        how["connect_timeout"] = _CONNECT_TIMEOUT
    # A server may be restarted under a site that is served for weeks: a dead connection is noticed and replaced.
    sizes = {"pool_size": 8, "max_overflow": 64, "pool_pre_ping": True}
    return create_engine(url, connect_args=how, **{**sizes, **options})


def _take_turn(connection: Connection) -> None:
    connection.exec_driver_sql(
        f"SET LOCAL lock_timeout = '{_PATIENCE}'; SELECT pg_advisory_xact_lock({_TURN})"
    )


def _name(url: URL) -> str:
    """The URL without the password and the options, which may hold one, too."""
    return url.set(password=None, query={}).render_as_string(hide_password=True)
