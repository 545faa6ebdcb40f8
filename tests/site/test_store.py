"""The database of a site: snapshots, one writer, files that are refused."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import exc, func, select

from sgsession.errors import SessionError
from sgsession.site.database.store import SiteDatabaseError, Store
from sgsession.site.schema.standard import standard_schema

from .direct_calls import Direct

SCHEMA = standard_schema()


def insert_tag(store, connection, row_id):
    connection.execute(store.tables.of("Tag").insert(), {"id": row_id, "retired": False, "name": "x"})


def count_tags(store, connection):
    return connection.execute(select(func.count()).select_from(store.tables.of("Tag"))).scalar()


@pytest.fixture
def store():
    store = Store(None, SCHEMA)
    yield store
    store.close()


def test_a_read_sees_one_snapshot(store):
    """What is committed while a read goes on does not reach it."""
    with store.reading() as reading:
        assert count_tags(store, reading) == 0
        with store.writing() as writing:
            insert_tag(store, writing, 1)
        assert count_tags(store, reading) == 0
    with store.reading() as reading:
        assert count_tags(store, reading) == 1


def test_a_failed_write_leaves_nothing(store):
    """Any exception rolls the whole transaction back."""

    def fail():
        with store.writing() as writing:
            insert_tag(store, writing, 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.reading() as reading:
        assert count_tags(store, reading) == 0


def test_a_reader_cannot_write(store):
    """The connections of readers refuse to change anything."""
    with pytest.raises(exc.DBAPIError), store.reading() as reading:
        insert_tag(store, reading, 1)


def test_writers_take_turns(store):
    """Writes from many threads all happen, one after the other."""

    def write(row_id):
        with store.writing() as connection:
            insert_tag(store, connection, row_id)

    threads = [threading.Thread(target=write, args=(row_id,)) for row_id in range(1, 21)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as reading:
        assert count_tags(store, reading) == 20


def test_many_reads_at_once(store):
    """More reads than the pool keeps open still get a connection each."""
    barrier = threading.Barrier(20, timeout=20)
    seen = []

    def read():
        with store.reading() as connection:
            barrier.wait()
            seen.append(count_tags(store, connection))

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [0] * 20


@pytest.mark.sqlite("where the file is")
def test_a_private_store_leaves_no_file():
    """Without a path the rows live in a folder that closing removes; closing twice is harmless."""
    store = Store(None, SCHEMA)
    with store.reading() as connection:
        path = Path(connection.exec_driver_sql("PRAGMA database_list").fetchone()[2])
    assert path.exists()
    store.close()
    store.close()
    assert not path.parent.exists()
    with pytest.raises(SiteDatabaseError, match="closed"), store.reading():
        pass


def test_a_restart_finds_its_rows(tmp_path):
    """A site on a file has its rows, ids and events again after a restart."""
    first = Direct(tmp_path / "site.db")
    shot = first.make("Shot", code="sh1")
    first.store.close()
    second = Store(tmp_path / "site.db", SCHEMA)
    with second.reading() as connection:
        table = second.tables.of("Shot")
        assert connection.execute(select(table.c.code).where(table.c.id == shot["id"])).scalar() == "sh1"
    second.close()


def test_a_file_gains_the_types_switched_on_later(tmp_path):
    """A file made without a custom type works with it afterwards."""
    Store(tmp_path / "site.db", SCHEMA).close()
    larger = Store(tmp_path / "site.db", standard_schema(("CustomEntity07",)))
    with larger.reading() as connection:
        table = larger.tables.of("CustomEntity07")
        assert connection.execute(select(func.count()).select_from(table)).scalar() == 0
    larger.close()


def test_a_file_of_another_kind_is_refused(tmp_path):
    """A file that is no site's database is named in the error and left as it is."""
    text = tmp_path / "notes.txt"
    text.write_text("hello " * 100)
    with pytest.raises(SiteDatabaseError, match=r"notes\.txt.*not an SQLite file"):
        Store(text, SCHEMA)
    assert text.read_text() == "hello " * 100

    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (x)")
    connection.close()
    with pytest.raises(SiteDatabaseError, match=r"other\.db.*another program"):
        Store(other, SCHEMA)


def test_places_that_cannot_hold_a_database_are_refused(tmp_path):
    """A folder, a missing folder and an unknown URL give the same kind of error."""
    for place in (tmp_path, tmp_path / "missing" / "site.db", "nosuchdatabase://host/name"):
        with pytest.raises(SessionError, match=r"site\.db|nosuchdatabase|" + tmp_path.name):
            Store(place, SCHEMA)


def test_a_damaged_database_is_refused(tmp_path):
    """A site's file whose pages were overwritten is refused by name."""
    path = tmp_path / "site.db"
    Store(path, SCHEMA).close()
    content = bytearray(path.read_bytes())
    content[100:8000] = b"\xff" * 7900
    path.write_bytes(content)
    with pytest.raises(SiteDatabaseError, match=r"site\.db cannot be used"):
        Store(path, SCHEMA)


def test_a_file_of_a_later_format_is_refused(tmp_path):
    """A file that a later version wrote is refused, not misread."""
    path = tmp_path / "site.db"
    Store(path, SCHEMA).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with pytest.raises(SiteDatabaseError, match="format 99"):
        Store(path, SCHEMA)


@pytest.mark.sqlite("how its file is made")
def test_the_tables_are_made_once(monkeypatch):
    """The second store of a process copies the first one's empty tables instead of making them."""
    Store(None, SCHEMA).close()

    def made_again(*_):
        raise AssertionError

    monkeypatch.setattr("sgsession.site.database.sqlite._create_tables", made_again)
    store = Store(None, SCHEMA)
    with store.reading() as connection:
        assert count_tags(store, connection) == 0
    store.close()
