"""A site in PostgreSQL: what only a server can do, or refuse. All else is asked by `--site-database=postgresql`."""

from __future__ import annotations

import io
import random
import sys
import threading
import traceback
from contextlib import ExitStack, closing

import pytest
import shotgun_api3
from sqlalchemy import func, make_url, select, text

from sgsession.errors import SessionError
from sgsession.site import LocalSite
from sgsession.site.database.portable import among
from sgsession.site.database.store import SiteDatabaseError, Store
from sgsession.site.schema.standard import standard_schema

from .postgresql import GUARDED

SCHEMA = standard_schema()
SECRET = "s3cret-%40-w0rd"


def refused(database):
    """The words in which a database is refused; no part of what is raised may hold the password."""
    with pytest.raises(SiteDatabaseError) as caught:
        Store(database, SCHEMA)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in told
    assert "s3cret" not in told
    return str(caught.value)


def open_site(stack, url, tmp_path):
    """A site on the database, without a server, and a client of it."""
    site = stack.enter_context(LocalSite(url, serve=False, key_file=tmp_path / "key"))
    return site, stack.enter_context(closing(site.connect(in_process=True)))


def test_a_restart_finds_all(postgresql_url, tmp_path):
    """Rows, ids, events and fields made by an edit of the schema are there when the database is opened again."""
    with ExitStack() as stack:
        _, client = open_site(stack, postgresql_url, tmp_path)
        project = client.create("Project", {"name": "Film"})
        assert client.schema_field_create("Shot", "number", "Weight") == "sg_weight"
        shot = client.create("Shot", {"code": "sh1", "project": project, "sg_weight": 7})
        before = client.find("EventLogEntry", [], ["event_type", "meta"])
    with ExitStack() as stack:
        _, client = open_site(stack, postgresql_url, tmp_path)
        assert client.find("Shot", [["sg_weight", "greater_than", 6]], ["code"]) == [
            {"type": "Shot", "id": shot["id"], "code": "sh1"}
        ]
        assert client.find("EventLogEntry", [], ["event_type", "meta"]) == before
        assert client.create("Shot", {"code": "sh2", "project": project})["id"] == shot["id"] + 1


def test_an_address_without_a_driver_will_do(postgresql_url):
    """`postgresql://` alone means the driver that the extra installs."""
    url = make_url(postgresql_url).set(drivername="postgresql")
    store = Store(url.render_as_string(hide_password=False), SCHEMA)
    assert store.key_file is None
    store.close()


def test_a_database_of_another_kind_is_refused(postgresql, postgresql_url):
    """A database with tables of another program, or of a later version, is named and left as it is."""
    url = make_url(postgresql_url)
    shown = f"127.0.0.1:{url.port}/{url.database}"
    Store(postgresql_url, SCHEMA).close()
    postgresql.execute_in(url, "UPDATE sgsession_site SET format = 99")
    assert f"{shown} has format 99" in refused(postgresql_url)

    other = postgresql.new_database()
    postgresql.execute_in(other, "CREATE TABLE mine (x integer)")
    words = refused(other.render_as_string(hide_password=False))
    assert "another program" in words
    assert "createdb" in words
    left = postgresql.execute_in(other, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    assert left == 1

    ascii_only = postgresql.new_database(options="ENCODING SQL_ASCII")
    assert "--encoding=UTF8" in refused(ascii_only.render_as_string(hide_password=False))


def test_doors_that_stay_shut_say_what_to_do(postgresql, postgresql_url):
    """No server, no database, a wrong password, no right to make tables: each names the next step, and no secret."""
    url = make_url(postgresql_url)

    def at(**parts):
        return url.set(**parts).render_as_string(hide_password=False)

    secret = {"username": GUARDED, "password": "s3cret-@-w0rd"}
    assert "see that the server runs there" in refused(at(port=1, **secret))
    assert "createdb" in refused(at(database="nowhere", password="s3cret"))
    postgresql.execute(f"CREATE ROLE {GUARDED} LOGIN PASSWORD 'other'")
    try:
        assert "~/.pgpass" in refused(at(**secret))
        assert "~/.pgpass" in refused(f"{at(username=GUARDED)}?password=s3cret")
        assert "ALTER DATABASE" in refused(at(username=GUARDED, password="other"))
    finally:
        postgresql.execute(f"DROP ROLE {GUARDED}")


@pytest.mark.parametrize(
    "database",
    [
        "postgres://user:s3cret@host/name",
        "postgresql://user:s3cret@host:port/name",
        "postgresql://user:s3cret@more@host/name",
        "postgresql://user@host:x/name?password=s3cret",
        "mysql://user:s3cret@host/name",
    ],
)
def test_addresses_that_are_none(database):
    """A URL that cannot be used is refused without its password."""
    assert "host" in refused(database)


def test_a_missing_driver_is_named(monkeypatch):
    """Without psycopg the message says what to install."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    words = refused("postgresql+psycopg://user:s3cret@127.0.0.1:1/name")
    assert "needs the package psycopg: pip install 'sgsession[postgresql]'" in words


def test_followers_of_the_log_meet_every_id(postgresql_url, tmp_path):
    """While two sites write to one database, whoever reads the log never sees an id after a larger one."""
    with ExitStack() as stack:
        clients = [open_site(stack, postgresql_url, tmp_path)[1] for _ in range(2)]
        watching, _ = open_site(stack, postgresql_url, tmp_path)
        table = watching.engine.store.tables.of("EventLogEntry")
        project = clients[0].create("Project", {"name": "Film"})
        failures = []

        def write(client):
            try:
                for number in range(25):
                    client.create("Shot", {"code": f"{id(client)} {number}", "project": project})
            except BaseException as problem:
                failures.append(problem)

        writers = [threading.Thread(target=write, args=(client,)) for client in clients]
        for writer in writers:
            writer.start()
        polls = 0
        while any(writer.is_alive() for writer in writers):
            with watching.engine.store.reading() as connection:
                ids = connection.execute(select(table.c.id).order_by(table.c.id)).scalars().all()
            assert ids == list(range(1, len(ids) + 1))
            polls += 1
        assert not failures
        assert polls > 3
        assert len(clients[0].find("Shot", [])) == 50


def test_ten_thousand_ids_use_the_index(postgresql_url):
    """`in` with 10,000 ids is one bound value, and the index finds the rows."""
    with closing(Store(postgresql_url, SCHEMA)) as store:
        tag = store.tables.of("Tag")
        with store.writing() as connection:
            rows = [{"id": row_id, "retired": False, "name": f"tag {row_id}"} for row_id in range(1, 100_001)]
            connection.execute(tag.insert(), rows)
            connection.execute(text('ANALYZE "Tag"'))
        query = select(tag.c.id).where(among(tag.c.id, range(1, 20_001, 2)))
        compiled = query.compile(dialect=store._in_use().reader.dialect)
        assert len(compiled.params) == 1
        with store.reading() as connection:
            plan = connection.exec_driver_sql(
                f"EXPLAIN {compiled}", {name: list(value) for name, value in compiled.params.items()}
            )
            assert "Index" in "\n".join(plan.scalars())
            assert len(connection.execute(query).all()) == 10_000


def test_text_sorts_by_bytes_whatever_the_database_does(postgresql):
    """A database that sorts as people do gives the order of the other ones."""
    url = postgresql.new_database(options="LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'")
    codes = ["b", "_a", "Ä", "a b", "ab", "-z", "É", "~", "A", "10", "9", "z", "zebra", "Zz"]
    random.shuffle(codes)
    orders = []
    for database in (url.render_as_string(hide_password=False), None):
        with LocalSite(database, serve=False) as site, closing(site.connect(in_process=True)) as client:
            for code in codes:
                client.create("Tag", {"name": code})
            found = client.find("Tag", [], ["name"], order=[{"field_name": "name", "direction": "asc"}])
            orders.append([each["name"] for each in found])
            assert [
                each["name"] for each in client.find("Tag", [["name", "starts_with", "zE"]], ["name"])
            ] == ["zebra"]
    assert orders[0] == orders[1]
    postgresql.drop(url)


def test_long_texts_and_large_numbers(site, connect):
    """A name of any length is stored and found, and a filter may name a number that no column holds."""
    client = connect(site)
    # Random, so that no compression brings it under what an index of the database holds.
    name = "".join(random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))
    tag = client.create("Tag", {"name": name})
    assert client.find_one("Tag", [["name", "is", name.upper()]]) == {"type": "Tag", "id": tag["id"]}
    for number in (2**31, 2**40, 2**63 - 1, -(2**31) - 1, -(2**63)):
        assert client.find("Tag", [["id", "is", number]]) == []
        assert client.find("Tag", [["id", "in", [number, tag["id"]]]]) == [{"type": "Tag", "id": tag["id"]}]
        assert len(client.find("Tag", [["id", "less_than", number]])) == (number > 0)


def test_a_dump_moves_between_databases(postgresql_url):
    """What a site in SQLite dumps, one in PostgreSQL loads, and dumps again line by line."""
    with LocalSite(demo="small", serve=False) as first, LocalSite(postgresql_url, serve=False) as second:
        there, here = io.StringIO(), io.StringIO()
        first.dump(there)
        second.load(io.StringIO(there.getvalue()))
        second.dump(here)
    assert sorted(here.getvalue().splitlines()) == sorted(there.getvalue().splitlines())


def test_a_schema_edit_waits_for_who_reads(postgresql_url, tmp_path):
    """A field appears when the reads under way are over; they end on what they saw."""
    with ExitStack() as stack:
        site, client = open_site(stack, postgresql_url, tmp_path)
        shots = select(func.count()).select_from(site.engine.store.tables.of("Shot"))
        editor = threading.Thread(target=client.schema_field_create, args=("Shot", "text", "Mood"))
        with site.engine.store.reading() as connection:
            assert connection.execute(shots).scalar() == 0
            editor.start()
            editor.join(0.3)
            assert editor.is_alive()
            assert connection.execute(shots).scalar() == 0
        editor.join(20)
        assert not editor.is_alive()
        assert client.find("Shot", [["sg_mood", "is", None]]) == []


def test_a_server_that_restarts_is_met_again(postgresql, postgresql_url, tmp_path):
    """Connections that the server has cut are replaced, and no caller hears of it."""
    with ExitStack() as stack:
        _, client = open_site(stack, postgresql_url, tmp_path)
        client.create("Tag", {"name": "before"})
        assert len(client.find("Tag", [])) == 1
        name = make_url(postgresql_url).database
        cut = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
        assert postgresql.execute(cut) >= 1
        assert [each["name"] for each in client.find("Tag", [], ["name"])] == ["before"]
        assert client.create("Tag", {"name": "after"})["id"] == 2


def test_only_private_sites_start_over(postgresql_url):
    """A site with a database of its own keeps it."""
    with LocalSite(postgresql_url, serve=False) as site, pytest.raises(SessionError, match="of its own"):
        site.start_over()


def test_sites_on_one_database_hear_of_each_others_schema_edits(postgresql_url, tmp_path):
    """What one process does to the schema, the next call of another one finds done; both may go on editing."""
    with ExitStack() as stack:
        clients = [open_site(stack, postgresql_url, tmp_path)[1] for _ in range(2)]
        project = clients[0].create("Project", {"name": "Film"})
        assert clients[0].schema_field_create("Shot", "text", "Mood") == "sg_mood"
        shot = clients[1].create("Shot", {"code": "sh1", "project": project, "sg_mood": "grim"})
        for client in clients:
            assert client.find_one("Shot", [["sg_mood", "is", "grim"]], ["sg_mood"])["sg_mood"] == "grim"
        # The same words again: each is told that the name is taken, whoever took it.
        assert clients[1].schema_field_create("Shot", "number", "Mood") == "sg_mood_1"
        assert clients[0].schema_field_update("Shot", "sg_mood_1", {"name": "Temper"})
        assert clients[1].schema_field_read("Shot", "sg_mood_1")["sg_mood_1"]["name"]["value"] == "Temper"
        assert clients[0].schema_field_delete("Shot", "sg_mood")
        with pytest.raises(shotgun_api3.Fault, match="doesn't exist"):
            clients[1].find("Shot", [["sg_mood", "is", "grim"]])
        assert clients[1]._call_rpc("schema_field_revive", {"type": "Shot", "field_name": "sg_mood"})
        assert clients[0].find_one("Shot", [["id", "is", shot["id"]]], ["sg_mood"])["sg_mood"] == "grim"


def test_sums_of_the_longest_durations_fit(postgresql_url, tmp_path):
    """Time logs of nearly 2^31 minutes each are added up, when they are written and when a dump is loaded."""
    dumped = io.StringIO()
    with ExitStack() as stack:
        site, client = open_site(stack, postgresql_url, tmp_path)
        project = client.create("Project", {"name": "Film"})
        task = client.create("Task", {"content": "endless", "project": project, "est_in_mins": 1})
        for _ in range(2):
            client.create("TimeLog", {"entity": task, "duration": 2**31 - 1, "project": project})
        site.dump(dumped)
        with LocalSite(serve=False) as other, closing(other.connect(in_process=True)) as elsewhere:
            other.load(io.StringIO(dumped.getvalue()))
            site.load(io.StringIO(dumped.getvalue()))
            for each in (client, elsewhere):
                found = each.find_one(
                    "Task", [["id", "is", task["id"]]], ["time_logs_sum", "time_percent_of_est"]
                )
                assert found["time_logs_sum"] == 2**32 - 2
                assert found["time_percent_of_est"] == 100 * (2**32 - 2)
                total = each.summarize("TimeLog", [], [{"field": "duration", "type": "sum"}])
                assert total["summaries"] == {"duration": 2**32 - 2}
