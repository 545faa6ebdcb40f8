"""A hierarchy is one read for each page of 500, whatever the tasks hang on and whatever `parent_fields` says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from sgsession import Entity, Session
from sgsession.site import LocalSite
from sgsession.site.transfer import bulk

FIRST, COUNT = 20_001, 1_400
EPISODE = 71
# What a task may hang on: shots with and without a sequence, assets, sequences, an episode, the project, nothing.
PLACES: dict[str, list[tuple[str, int] | None]] = {
    "shots": [("Shot", id) for id in range(234, 245)],
    "shots without a sequence": [("Shot", 245)],
    "assets": [("Asset", id) for id in range(301, 311)],
    "sequences": [("Sequence", 150), ("Sequence", 151)],
    "an episode": [("Episode", EPISODE)],
    "the project": [("Project", 123)],
    "nothing": [None],
}
SINGLE = [*PLACES, "all of them"]


@pytest.fixture(scope="module")
def show() -> Iterator[LocalSite]:
    """The small demo with 1,400 more tasks, which hang on all these places in turn."""
    with LocalSite(demo="small") as site:
        client = site.connect(in_process=True)
        sequences = [("Sequence", row["id"]) for row in client.find("Sequence", [], limit=2)]
        places: list[tuple[str, int] | None] = [
            place for name in PLACES for place in (sequences if name == "sequences" else PLACES[name])
        ]

        def task(number: int) -> dict[str, Any]:
            links = {
                "entity": places[number % len(places)],
                "step": ("Step", 346),
                "project": ("Project", 123),
            }
            raw = {name: {"type": to[0], "id": to[1]} for name, to in links.items() if to is not None}
            return {"id": FIRST + number, "content": f"Take {number}", **raw}

        store = site.engine.store
        with store.writing() as connection:
            episode = {"id": EPISODE, "code": "E1", "project": {"type": "Project", "id": 123}}
            bulk.load(
                connection, store.tables, store.schema, "Episode", [episode], now=datetime(2025, 9, 1, 9)
            )
            rows = [task(number) for number in range(COUNT)]
            bulk.load(connection, store.tables, store.schema, "Task", rows, now=datetime(2025, 9, 1, 9))
        # One of the sequences that tasks hang on belongs to the episode, and so do others.
        for _, sequence in sequences[:1] + [("", row["id"]) for row in client.find("Sequence", [])[2:]]:
            client.update("Sequence", sequence, {"episode": {"type": "Episode", "id": EPISODE}})
        yield site


def kind_of(row: dict[str, Any]) -> str:
    """The kind of place that a task hangs on."""
    entity = row["entity"]
    if entity is None:
        return "nothing"
    if entity["type"] == "Shot":
        return "shots without a sequence" if entity["id"] == 245 else "shots"
    return {"Episode": "an episode", "Project": "the project", "Asset": "assets"}.get(
        entity["type"], "sequences"
    )


def _rows(show: LocalSite) -> dict[tuple[str, int], dict[str, Any]]:
    """All that the site has, with its links upward, by the official client."""
    client = show.connect(in_process=True)
    links = ["entity", "sg_sequence", "episode", "project"]
    return {
        (kind, row["id"]): row
        for kind in ("Task", "Shot", "Asset", "Sequence", "Episode", "Project")
        for row in client.find(kind, [["id", "greater_than", 0]], links)
    }


def above(
    rows: dict[tuple[str, int], dict[str, Any]], parents: dict[str, str | None], start: Any
) -> set[Any]:
    """The keys of some entities and of all that is above them, by the rows of the official client."""
    found: set[Any] = set()
    waiting = list(start)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            link = parents.get(key[0], "project")
            parent = link and (rows[key].get(link) or rows[key].get("project"))
            if parent:
                waiting.append((parent["type"], parent["id"]))
    return found


PARENTS: dict[str, dict[str, str | None]] = {
    "as they are": {},
    "shots straight below their project": {"Shot": "project"},
    "tasks straight below their project": {"Task": "project"},
    "sequences in episodes": {"Sequence": "episode"},
}
# What `important_links` says besides: nothing, all, or less than by default.
LINKS: dict[str, dict[str, dict[str, list[str]]]] = {
    "as they are": {},
    "episodes named": {"Sequence": {"project": ["Project"], "episode": ["Episode"]}},
    "none of shots": {"Shot": {}},
    "none at all": {kind: {} for kind in Session.important_links},
}
# What a session may know of the tasks already.
KNOWN = {
    "ids": None,
    "links": ["entity"],
    "names": ["content", "entity", "entity.Shot.code", "entity.Asset.code"],
}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("parents", PARENTS)
def test_one_read_whatever_is_said_and_known(show: LocalSite, parents: str, links: str, known: str) -> None:
    """Sixty tasks of all kinds, of which some things are known: one read has all that is above them."""
    with Session(show.connect(connect=False)) as session:
        session.parent_fields = {**session.parent_fields, **PARENTS[parents]}
        session.important_links = {**session.important_links, **LINKS[links]}
        rows = _rows(show)
        keys = [("Task", FIRST + number) for number in range(60)]
        tasks: list[Entity] = session.merge([{"type": kind, "id": id} for kind, id in keys])
        if KNOWN[known] is not None:
            found = [["id", "in", [id for _, id in keys]]]
            session.find("Task", found, KNOWN[known], add_default_fields=False)
        show.reset_requests()
        everything = session.fetch_hierarchy(tasks)
        reads = [request for request in show.requests if request.method == "read"]
        assert {entity.key for entity in everything} == above(rows, dict(session.parent_fields), keys)
        assert len(reads) == 1, [request.params["type"] for request in reads]
        show.reset_requests()
        session.fetch_hierarchy(tasks)
        session.fetch_core(everything)
        assert not show.requests


# Studios with types of their own, and what is said of them.
CUSTOM: dict[str, tuple[dict[str, str | None], dict[str, Any] | None]] = {
    "notes": ({"Note": "note_links"}, None),
    "scenes": ({"Shot": "sg_scene", "Scene": "sg_location", "Location": "project"}, None),
    "eleven of them": (
        {
            "CustomEntity01": "sg_x",
            "CustomEntity02": "sg_y",
            "CustomEntity03": "project",
            "CustomEntity04": "project",
            "Delivery": "sg_delivery_to",
            "Episode": "sg_season",
            "Level": "episode",
            "Note": "note_links",
            "Playlist": "project",
            "Scene": "sg_level",
            "Sequence": "sg_scene",
        },
        None,
    ),
    "49 of them": ({f"CustomEntity{number:02}": f"sg_link_{number}" for number in range(1, 50)}, None),
    "49, and nothing named": (
        {f"CustomEntity{number:02}": f"sg_link_{number}" for number in range(1, 50)},
        {},
    ),
    "each on any": (
        {f"CustomEntity{number:02}": "entity" for number in range(1, 11)},
        {
            f"CustomEntity{number:02}": {"entity": [f"CustomEntity{number:02}" for number in range(1, 11)]}
            for number in range(1, 11)
        },
    ),
}


@pytest.mark.parametrize("custom", CUSTOM)
def test_no_read_asks_for_thousands_of_fields(custom: str) -> None:
    """Whatever stands above what: one read asks for 30 types in all chains, the nearest, and what matters of them."""
    session = Session(False)
    parents, links = CUSTOM[custom]
    session.parent_fields = {**session.parent_fields, **parents}
    session.important_links = session.important_links if links is None else links
    # Where ten types are named as important, each read of one of them asks for the fields of ten anyway.
    most = 700 if custom == "each on any" else 210
    counts = {kind: len(session.importance.hierarchy_fields(kind)) for kind in session.parent_fields}
    assert not {kind: count for kind, count in counts.items() if count > most}


def test_a_chain_goes_as_far_as_the_names_of_its_links_say() -> None:
    """Where nobody names types: a link that is called after a type leads to it alone, another to any, but once."""
    session = Session(False)
    session.important_links = {}
    assert session.importance.parent_types("Shot") == (["Sequence"], [])
    assert session.importance.parent_types("Version") == (
        [],
        ["Asset", "Episode", "Project", "PublishEvent", "Sequence", "Shot"],
    )
    fields = session.importance.hierarchy_fields("PublishEvent")
    assert "sg_link.Task.entity" in fields  # any, and then no more: what a task hangs on is not known yet
    assert not [field for field in fields if field.startswith("sg_link.Task.entity.")]
    assert "sg_link.Shot.sg_sequence.Sequence.project.Project.name" in fields


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([], ["Sequence"]),
        (["Sequence"], ["Sequence"]),
        (["Episode"], ["Episode"]),
        (["Sequence", "Episode"], ["Sequence", "Episode"]),
        (["Episode", "Asset"], ["Episode", "Asset", "Sequence"]),
    ],
    ids=str,
)
def test_what_is_named_is_never_less_sure(named: list[str], said: list[str]) -> None:
    """The link that is called after a type leads to it, or to what is named: nothing else is tried."""
    session = Session(False)
    session.important_links = {"Shot": {"sg_sequence": named}}
    assert session.importance.parent_types("Shot") == (said, [])


@pytest.mark.parametrize(
    "parents", [{"Version": "sg_task"}, {"PublishedFile": "version", "Version": "sg_task"}]
)
def test_what_hangs_on_a_type_by_the_name_of_its_link_is_not_above_it(parents: dict[str, str | None]) -> None:
    """A version that hangs on its task by `sg_task` is not tried as what the task hangs on."""
    session = Session(False)
    before = session.importance.hierarchy_fields("Task")
    session.parent_fields = {**session.parent_fields, **parents}
    assert session.importance.hierarchy_fields("Task") == before


@pytest.mark.parametrize("count", [4, 6, 8])
def test_many_types_on_shots_leave_room_for_what_tasks_hang_on(count: int) -> None:
    """Chains of types that are said come first; before their third step come those that may be nearest."""
    session = Session(False)
    on_shots = [f"CustomEntity{number:02}" for number in range(1, count + 1)]
    session.parent_fields = {
        **session.parent_fields,
        **dict.fromkeys(on_shots, "sg_shot"),
        "Sequence": "episode",
    }
    links = {**session.important_links["Task"], "entity": ["Asset", "Shot", *on_shots]}
    session.important_links = {**session.important_links, "Task": links}
    fields = session.importance.hierarchy_fields("Task")
    assert {"entity.Sequence.code", "entity.Episode.code", "entity.CustomEntity01.sg_shot.Shot.code"} <= {
        *fields
    }
    assert "entity.Shot.sg_sequence.Sequence.episode.Episode.code" in fields
    assert len(fields) < 200


@pytest.mark.parametrize("parents", PARENTS)
@pytest.mark.parametrize("count", [1, 300, 1_000])
@pytest.mark.parametrize("mix", SINGLE)
def test_one_read_for_each_page(show: LocalSite, mix: str, count: int, parents: str) -> None:
    """Bare tasks of any mix: one read for each 500, exactly what is above them, and nothing to ask for afterwards."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    rows = _rows(show)
    fitting = [key for key, row in rows.items() if key[0] == "Task" and mix in ("all of them", kind_of(row))]
    chosen = random.Random(seed).sample(fitting, min(count, len(fitting)))
    with Session(show.connect(connect=False)) as session:
        session.parent_fields = {**session.parent_fields, **PARENTS[parents]}
        tasks: list[Entity] = session.merge([{"type": kind, "id": id} for kind, id in chosen])
        show.reset_requests()
        everything = session.fetch_hierarchy(tasks)
        reads = [request for request in show.requests if request.method == "read"]
        assert {entity.key for entity in everything} == above(rows, dict(session.parent_fields), chosen)
        assert len(everything) == len({id(entity) for entity in everything})
        assert len(reads) == -(-len(chosen) // 500), [request.params["type"] for request in reads]
        show.reset_requests()
        assert len(session.fetch_hierarchy(tasks)) == len(everything)
        session.fetch_core(everything)
        assert not show.requests
