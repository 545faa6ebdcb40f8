"""The demo productions: real-looking, whole, and the same everywhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite
from sgsession.site.demo import large, small
from sgsession.site.demo.rows import Rows
from sgsession.site.schema.standard import standard_schema

Connect = Callable[..., shotgun_api3.Shotgun]


def rows_of(production: Any) -> dict[str, Rows]:
    """The rows of a production by type."""
    found: dict[str, Rows] = {}
    for entity_type, rows in production():
        found.setdefault(entity_type, []).extend(rows)
    return found


SMALL = rows_of(small.production)


def links_in(value: Any) -> list[tuple[str, int]]:
    """Every link that a field value holds."""
    if isinstance(value, list):
        return [link for each in value for link in links_in(each)]
    return [(value["type"], value["id"])] if isinstance(value, dict) else []


def test_the_small_demo_opens_with_the_documented_task(demo_site: LocalSite, connect: Connect) -> None:
    """The first task is the one of the documentation: Matchmove on AA_001 of the Demo Project."""
    fields = ["content", "entity", "project", "sg_status_list", "step", "step.Step.short_name"]
    task = connect(demo_site).find_one("Task", [], fields)
    assert task == {
        "type": "Task",
        "id": 456,
        "content": "Matchmove",
        "entity": {"type": "Shot", "id": 234, "name": "AA_001"},
        "project": {"type": "Project", "id": 123, "name": "Demo Project"},
        "sg_status_list": "fin",
        "step": {"type": "Step", "id": 345, "name": "Matchmove"},
        "step.Step.short_name": "Matchmove",
    }


def test_the_small_demo_is_a_whole_show(demo_site: LocalSite, connect: Connect) -> None:
    """Each kind of row that a show is made of is there, and is read through the client."""
    client = connect(demo_site)
    counts = {name: len(client.find(name, [])) for name in SMALL}
    assert counts == {name: len(rows) for name, rows in SMALL.items()}
    assert counts["Project"] == 2
    assert counts["Shot"] == 14
    assert 45 <= counts["Task"] <= 60
    assert client.find("Shot", [["sg_sequence", "is", None]], ["code"])[0]["code"] == "TEASER_001"
    playlist = client.find_one("Playlist", [], ["versions"])
    assert {each["type"] for each in playlist["versions"]} == {"Version"}
    assert len(client.find("Version", [["playlists", "is", playlist]])) == len(playlist["versions"]) > 0


def test_small_links_point_at_rows_of_the_demo() -> None:
    """No link of the small demo dangles."""
    known = {(name, row["id"]) for name, rows in SMALL.items() for row in rows}
    values = [value for rows in SMALL.values() for row in rows for value in row.values()]
    assert {link for value in values for link in links_in(value)} <= known


@pytest.mark.parametrize("production", [small.production, large.production])
def test_demos_use_fields_that_the_schema_has(production: Any) -> None:
    """Every key of every row is a field of its type, and ids do not repeat."""
    schema = standard_schema()
    for entity_type, rows in rows_of(production).items():
        known = {*schema.types[entity_type].fields}
        assert {key for row in rows for key in row} <= known, entity_type
        assert max(Counter(row["id"] for row in rows).values()) == 1, entity_type


def test_the_small_demo_is_the_same_everywhere() -> None:
    """The rows have one fingerprint, on every machine and Python."""
    text = json.dumps(SMALL, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "9b19729d574758d9"


def test_the_large_demo_has_a_hundred_thousand_tasks() -> None:
    """The large demo spreads 100,000 tasks over shots and assets of five projects."""
    tasks = [row for name, rows in large.production() if name == "Task" for row in rows]
    assert len(tasks) == 100_000
    assert Counter(task["entity"]["type"] for task in tasks) == {"Shot": 80_000, "Asset": 20_000}
    assert Counter(task["project"]["id"] for task in tasks) == dict.fromkeys(range(1, 6), 20_000)
    assert {task["sg_status_list"] for task in tasks} == {"fin", "ip", "rdy", "wtg"}


def test_demos_write_no_events(demo_site: LocalSite, connect: Connect) -> None:
    """A demo is there from the beginning; its making is not in the log."""
    assert connect(demo_site).find("EventLogEntry", []) == []
