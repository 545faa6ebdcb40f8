"""kill -9 at any moment: what was acknowledged is there, what was not is whole or absent."""

from __future__ import annotations

import http.client
import json
import os
import random
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Connection

from sgsession.site import LocalSite
from sgsession.site.database.store import Store
from sgsession.site.database.tables import Tables
from sgsession.site.schema.standard import standard_schema

from .served import Launcher, Served, tell

WRITERS = 3
ASSETS = 3


@dataclass
class Written:
    """What one writer knows of its shots."""

    codes: dict[str, int] = field(default_factory=dict)
    described: dict[int, str] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    # Codes of the create whose answer did not come: all of them are there, or none.
    unsure: set[str] = field(default_factory=set)


class Writer(threading.Thread):
    """Creates, updates, deletes and batches in one go until the site is gone."""

    def __init__(self, served: Served, name: str, project: int, assets: list[int]) -> None:
        super().__init__(name=name)
        self.served = served
        self.connection = http.client.HTTPConnection(served.address, timeout=20)
        self.project = {"type": "Project", "id": project}
        self.assets = [{"type": "Asset", "id": each} for each in assets]
        self.written = Written()

    def run(self) -> None:
        try:
            for number in range(10**6):
                self._write(f"{self.name}_{number}", number)
        except (OSError, http.client.HTTPException):
            pass  # killed
        finally:
            self.connection.close()

    def _write(self, code: str, number: int) -> None:
        written = self.written
        written.unsure = {code}
        made = self._ask("create", self._shot(code))["id"]
        written.codes[code] = made
        written.unsure = set()
        told = {"field_name": "description", "value": code}
        self._ask("update", {"type": "Shot", "id": made, "fields": [told]})
        written.described[made] = code
        if number % 3 == 0:
            self._ask("delete", {"type": "Shot", "id": made})
            written.deleted.add(made)
        if number % 2 == 0:
            pair = [f"{code}_a", f"{code}_b"]
            written.unsure = set(pair)
            rows = self._ask("batch", [{"request_type": "create", **self._shot(each)} for each in pair])
            written.codes.update(zip(pair, (row["id"] for row in rows), strict=True))
            written.unsure = set()

    def _shot(self, code: str) -> dict[str, Any]:
        values = {"code": code, "project": self.project, "assets": self.assets}
        fields = [{"field_name": name, "value": value} for name, value in values.items()]
        return {"type": "Shot", "fields": fields, "return_fields": ["id"]}

    def _ask(self, method: str, params: Any) -> Any:
        body = json.dumps({"method_name": method, "params": [self.served.credentials, params]})
        self.connection.request("POST", "/api3/json", body, {"Content-Type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        assert "results" in answer, answer
        return answer["results"]


def prepared(database: Path) -> tuple[int, list[int]]:
    """A site's file with a project and some assets, made without a server."""
    with LocalSite(database, serve=False) as site, closing(site.connect(in_process=True)) as client:
        project = client.create("Project", {"name": "Film"})
        made = [client.create("Asset", {"code": f"A{n}", "project": project})["id"] for n in range(ASSETS)]
        return project["id"], made


def check(connection: Connection, tables: Tables, writer: Writer) -> int:
    """Hold what is stored of a writer's shots to what it knows; how many are there without an answer."""
    shot, record, written = tables.of("Shot"), tables.record, writer.written
    rows = connection.execute(
        sqlalchemy.select(
            shot.c.id, shot.c.code, shot.c.description, shot.c.retired,
            record.c.name, record.c.retired.label("record_retired"), record.c.project_id,
        )
        .join(record, sqlalchemy.and_(record.c.type == "Shot", record.c.id == shot.c.id), isouter=True)
        .where(shot.c.code.startswith(f"{writer.name}_", autoescape=True))
    ).all()  # fmt: skip
    stored = {row.code: row.id for row in rows}
    assert len(stored) == len(rows)
    assert stored.items() >= written.codes.items()
    more = stored.keys() - written.codes.keys()
    assert more in (set(), written.unsure)
    links = linked(connection, tables, list(stored.values()))
    events = logged(connection, tables, list(stored.values()))
    for row in rows:
        assert row.name == row.code
        assert row.project_id == writer.project["id"]
        assert row.record_retired == row.retired
        assert links[row.id] == {each["id"] for each in writer.assets}
        assert row.retired or row.id not in written.deleted
        assert row.description == written.described.get(row.id, row.description)
        said = events[row.id]
        assert said["Shotgun_Shot_New", None] == 1
        assert said["Shotgun_Shot_Change", "assets"] == 1
        assert said["Shotgun_Shot_Change", "description"] == (row.description is not None)
        assert said["Shotgun_Shot_Retirement", None] == row.retired
    last = connection.scalar(
        sqlalchemy.select(tables.counter.c.last_id).where(tables.counter.c.type == "Shot")
    )
    assert (last or 0) >= max(stored.values(), default=0)
    return len(more)


def linked(connection: Connection, tables: Tables, ids: list[int]) -> dict[int, set[int]]:
    """The assets of each shot, as the table of links has them."""
    links = tables.links("Shot", "assets")
    pairs = connection.execute(
        sqlalchemy.select(links.owner_id, links.element_id).where(links.owner_id.in_(ids))
    )
    found: dict[int, set[int]] = {each: set() for each in ids}
    for owner, element in pairs:
        found[owner].add(element)
    return found


def logged(connection: Connection, tables: Tables, ids: list[int]) -> dict[int, Counter[Any]]:
    """How often each event of each shot was logged."""
    log = tables.of("EventLogEntry")
    events = connection.execute(
        sqlalchemy.select(log.c.entity__id, log.c.event_type, log.c.attribute_name).where(
            log.c.entity__type == "Shot", log.c.entity__id.in_(ids)
        )
    )
    found: dict[int, Counter[Any]] = {each: Counter() for each in ids}
    for entity, *event in events:
        found[entity][tuple(event)] += 1
    return found


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the sites are forked")
@pytest.mark.timeout(3600)
@pytest.mark.sqlite("the file of a process that was killed")
@pytest.mark.parametrize("cycles", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_killed_at_any_moment(cycles: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Acknowledged writes are there; others are whole or absent: row, record, links and events agree."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    database = tmp_path / "studio.sqlite"
    project, assets = prepared(database)
    launcher = Launcher(tmp_path / "log")
    acknowledged = unanswered = 0
    began = time.perf_counter()
    for cycle in range(cycles):
        served = launcher.serve(database=str(database))
        writers = [Writer(served, f"{cycle}-{n}", project, assets) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.0, 0.2))
        served.kill()
        for writer in writers:
            writer.join(20)
        with closing(Store(database, standard_schema())) as store, store.reading() as connection:
            for writer in writers:
                acknowledged += len(writer.written.codes)
                unanswered += check(connection, store.tables, writer)
    spent = time.perf_counter() - began
    launcher.close()
    with closing(sqlite3.connect(database)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)], seed
    tell(
        capsys,
        f"seed {seed}: {cycles} kills in {spent:.1f} s; {acknowledged} shots acknowledged and there, "
        f"{unanswered} more without an answer, each whole",
    )
    assert acknowledged > cycles / 4
