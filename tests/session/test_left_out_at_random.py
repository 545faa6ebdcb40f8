"""Fields that come and go on a site, in any order of reads: a session never says less than it was told."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest

from sgsession import Session
from sgsession.site import LocalSite

LINKS = {
    "Asset": [("project", "Project")],
    "Project": [],
    "PublishedFile": [("entity", "Shot"), ("version", "Version"), ("task", "Task")],
    "Sequence": [("project", "Project")],
    "Shot": [("sg_sequence", "Sequence"), ("sg_boss", "Sequence"), ("project", "Project")],
    "Step": [("project", "Project")],  # a link that the type does not have
    "Task": [("entity", "Shot"), ("entity", "Asset"), ("step", "Step"), ("project", "Project")],
    "Version": [("entity", "Shot"), ("sg_task", "Task"), ("project", "Project")],
}
# Fields that the site does not have at first (as the link `sg_boss`), beside some that it has, and names, which mean
# two things.
FIELDS = {kind: [*["sg_new"] * 5, "sg_other", "name", "code", "sg_uploaded_movie"] for kind in LINKS}


def a_path(dice: random.Random, kind: str, depth: int = 0) -> str:
    """A field of a type, or a deep path of up to four steps."""
    if depth < 3 and LINKS[kind] and dice.random() < 0.5:
        link, linked_type = dice.choice(LINKS[kind])
        return f"{link}.{linked_type}.{a_path(dice, linked_type, depth + 1)}"
    return dice.choice(FIELDS[kind])


def steps_of(kind: str, path: str) -> list[tuple[str, str]]:
    """The fields that a path goes through, each with the type that has it; the last is the one that it ends in."""
    parts = [kind, *path.split(".")]
    return [*zip(parts[::2], parts[1::2], strict=True)]


class Studio:
    """A site on which a colleague creates fields, and what a session was told of them."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.colleague = site.connect(in_process=True)
        self.ids = {kind: [row["id"] for row in self.colleague.find(kind, [])] for kind in LINKS}
        self.there = {(kind, field) for kind in LINKS for field in self.colleague.schema_field_read(kind)}
        # Of what is there at first nobody has to be told.
        self.told = set(self.there)

    def create_a_field(self, dice: random.Random, kind: str) -> None:
        """Some rows have values in it."""
        if kind == "Shot" and (kind, "sg_boss") not in self.there:
            self.colleague.schema_field_create(kind, "entity", "Boss", {"valid_types": ["Sequence"]})
            for row_id in dice.sample(self.ids[kind], 8):
                boss = {"type": "Sequence", "id": dice.choice(self.ids["Sequence"])}
                self.colleague.update(kind, row_id, {"sg_boss": boss})
            self.there.add((kind, "sg_boss"))
        if (kind, "sg_new") in self.there:
            return
        self.colleague.schema_field_create(kind, "text", "New")
        for row_id in dice.sample(self.ids[kind], min(3, len(self.ids[kind]))):
            self.colleague.update(kind, row_id, {"sg_new": f"of {row_id}"})
        self.there.add((kind, "sg_new"))

    def reads_since(self, count: int) -> list[Any]:
        """The reads after so many requests; what they were told is noted."""
        reads = [request for request in self.site.requests[count:] if request.method == "read"]
        for read in reads:
            for path in read.params["return_fields"]:
                steps = steps_of(read.params["type"], path)
                if self.there.issuperset(steps):
                    self.told.add(steps[-1])
        return reads

    def truth(self, kind: str, row_id: int, path: str) -> Any:
        """What the official client says; a dash where the site leaves it out. Names behind a link are its own."""
        row = self.colleague.find_one(kind, [["id", "is", row_id]], [path])
        if path in row or not path.endswith(".name"):
            return row.get(path, "-")
        way, linked_type, _ = path.rsplit(".", 2)
        link = self.colleague.find_one(kind, [["id", "is", row_id]], [way]).get(way, "-")
        return link["name"] if isinstance(link, dict) and link["type"] == linked_type else link and "-"


def bare(value: Any) -> Any:
    """Links and attachments by type and id."""
    return (value["type"], value["id"]) if isinstance(value, dict) and "id" in value else value


@pytest.mark.parametrize("run", range(4))
def test_nothing_that_was_told_is_denied(dice: random.Random, run: int) -> None:
    """What `fetch` gives is what the site has, or nothing where nobody said yet that it has it; then it is silent."""
    with LocalSite(demo="small", serve=False) as site:
        studio = Studio(site)
        session = Session(site.connect(in_process=True))
        for _ in range(100):
            action = dice.choice(
                ["fetch"] * 6 + ["find", "find_one", "get", "create", "create", "forget", "pickle"]
            )
            kind = dice.choice([*LINKS])
            path = a_path(dice, kind)
            ids = dice.sample(studio.ids[kind], min(3, len(studio.ids[kind])))
            count = len(site.requests)
            if action == "fetch":
                entities = session.merge([{"type": kind, "id": row_id} for row_id in ids])
                # Again, since what one of them was told may be asked of the others then.
                for _ in range(3):
                    session.fetch(entities, path)
                    studio.reads_since(count)
                count = len(site.requests)
                session.fetch(entities, path)
                assert not studio.reads_since(count), path
                for entity in entities:
                    given, truth = entity.get(path, "-"), studio.truth(kind, entity["id"], path)
                    if given == "-" and not studio.told.issuperset(steps_of(kind, path)):
                        continue
                    if truth == "-" and (given is None or path == "name"):
                        continue  # a link to nothing has no fields that a site lacks, and names come with links
                    assert bare(given) == bare(truth), (kind, entity["id"], path)
                continue  # what the colleague read was told to nobody else
            if action == "find":
                session.find(kind, [["id", "in", ids]], [path], add_default_fields=dice.random() < 0.5)
            elif action == "find_one":
                session.find_one(kind, [["id", "is", ids[0]]], [path])
            elif action == "get":
                session.get(kind, ids, [path])
            elif action == "create":
                studio.create_a_field(dice, kind)
            elif action == "forget":
                session.forget([entity for entity in session.graph.identity if dice.random() < 0.2])
            else:
                session = pickle.loads(pickle.dumps(session))
                session.shotgun = site.connect(in_process=True)
            studio.reads_since(count)
