"""What a site was asked for and does not have: known afterwards, and never more than that."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from sgsession import Session, ShotgunPool
from sgsession.site import LocalSite

from ..scripted_client import ScriptedClient, entities
from .conftest import Costs

MOVIE = {"url": "http://studio.example/take.mov", "name": "take"}


def test_a_find_knows_what_it_did_not_get(session: Session, costs: Costs) -> None:
    """Important fields that the site lacks, on the type or on what it links to: a find asks, and a fetch not again."""
    session.important_fields = {**session.important_fields, "Step": ["code", "sg_mood"], "Task": ["sg_mood"]}
    tasks = session.find("Task", [])
    with costs(0):
        session.fetch_core(tasks)
        session.fetch(tasks, ["sg_mood", "step.Step.sg_mood"])
        assert tasks[0].fetch("step.Step.sg_mood", default="none") == "none"


def test_get_knows_it_too(session: Session, costs: Costs) -> None:
    """As does `get`, whose important fields come along."""
    session.important_fields = {**session.important_fields, "Shot": ["code", "sg_mood"]}
    shot = session.get("Shot", 234)
    with costs(0):
        shot.fetch_core()


def test_it_is_known_of_all_of_a_type(session: Session, costs: Costs) -> None:
    """A site leaves a field out of every row alike (wire.md 3.3): others of the type are not asked for it."""
    first, second = session.merge([{"type": "Shot", "id": id} for id in (234, 235)])
    with costs(1):
        session.fetch(first, "sg_mood")
    with costs(0):
        session.fetch(second, "sg_mood")
        assert "sg_mood" not in second


@pytest.mark.parametrize("way", ["fetch", "fetch_core"])
def test_a_deep_url_that_is_left_out_is_known_of_its_own_entity(
    own_site: LocalSite, new_session: Callable[..., Session], shotgun: Any, way: str
) -> None:
    """Sites leave deep urls out (wire.md 3.3): that says nothing of the entity that has the url."""
    shotgun.update("Version", 601, {"sg_uploaded_movie": MOVIE})
    shotgun.update("PublishedFile", 701, {"version": {"type": "Version", "id": 601}})
    session = new_session()
    session.important_links = {**session.important_links, "PublishedFile": {"version": ["Version"]}}
    session.important_fields = {**session.important_fields, "Version": ["code", "sg_uploaded_movie"]}
    file = session.merge({"type": "PublishedFile", "id": 701})
    if way == "fetch":
        assert file.fetch("version.Version.sg_uploaded_movie") is None
    else:
        file.fetch_core()
    version = file["version"]
    version.fetch_core()
    assert version["sg_uploaded_movie"]["url"] == MOVIE["url"]
    # What is known of the version is known from the file, too.
    assert file["version.Version.sg_uploaded_movie"]["url"] == MOVIE["url"]


def test_a_link_that_was_written_meanwhile_leads_to_what_is_not_known_yet() -> None:
    """A deep value that came for the old link says nothing of what the new one leads to."""

    def answering(method: str, params: dict[str, Any]) -> Any:
        values: dict[str, Any] = dict.fromkeys(params["return_fields"])
        if params["type"] == "Shot":
            return entities([{**values, "type": "Shot", "id": 2, "code": "two"}])
        task["entity"] = {"type": "Shot", "id": 2}
        old = {"type": "Shot", "id": 1, "name": "one"}
        return entities([{**values, "type": "Task", "id": 1, "entity": old, "entity.Shot.code": "one"}])

    with ShotgunPool(ScriptedClient(answering)) as pool:
        session = Session(pool)
        task = session.merge({"type": "Task", "id": 1})
        session.fetch(task, "entity.Shot.code")
        assert task["entity"]["id"] == 2
        assert task["entity"].fetch("code") == "two"
        session.close()


class Nameless:
    """A client whose links have no names, and which hides the name of projects."""

    rows = {
        ("Task", 1): {
            "content": "Animation",
            "entity": {"type": "Shot", "id": 1},
            "project": {"type": "Project", "id": 1},
            "step": None,
        },
        ("Shot", 1): {"code": "AA", "project": {"type": "Project", "id": 1}, "sg_sequence": None},
        ("Project", 1): {},
    }

    def __init__(self) -> None:
        self.asked = 0

    def find(self, kind: str, filters: Any, fields: list[str]) -> list[dict[str, Any]]:
        """Rows by their ids."""
        self.asked += 1
        assert self.asked < 10
        return [{"type": kind, "id": id, **self._row((kind, id), fields)} for id in filters[0][2]]

    def _row(self, key: tuple[str, int], fields: list[str]) -> dict[str, Any]:
        row = {}
        for path in fields:
            at, rest = key, path
            while "." in rest:
                link, kind, rest = rest.split(".", 2)
                target = self.rows[at].get(link) or {"type": None, "id": 0}
                at = (target["type"], target["id"]) if target["type"] == kind else ("", 0)
            if at == ("", 0):
                row[path] = None
            elif rest in self.rows.get(at, {}):
                row[path] = self.rows[at][rest]
        return row


def test_a_name_that_nobody_tells_is_asked_for_once() -> None:
    """As the last step of a deep path, too, where links bring no names; and a hierarchy ends."""
    client = Nameless()
    session = Session(client)
    task = session.merge({"type": "Task", "id": 1})
    for _ in range(2):
        session.fetch(task, "project.Project.name")
        assert client.asked == 1
    for _ in range(2):
        assert len(session.fetch_hierarchy(task)) == 3
        session.fetch_core(task)
        assert client.asked <= 3  # the project is asked for its own name, too


def test_what_a_client_knows_of_one_row_only_is_known_of_that() -> None:
    """Stubs in tests know one row better than another: what one lacks is asked of the other."""

    class Stub:
        def find(self, kind: str, filters: Any, fields: list[str]) -> list[dict[str, Any]]:
            return [{"type": kind, "id": id, **({"code": "B"} if id == 2 else {})} for id in filters[0][2]]

    session = Session(Stub())
    first, second = session.merge([{"type": "Shot", "id": 1}, {"type": "Shot", "id": 2}])
    assert (first.fetch("code", default="-"), second.fetch("code")) == ("-", "B")


def test_it_is_asked_for_again_by_force(session: Session, costs: Costs) -> None:
    """And when somebody edits fields through the session; a field that comes is there for all."""
    shot = session.get("Shot", 234, ["sg_mood"])
    with costs(1):
        shot.fetch("sg_mood", force=True)
    session.graph.left_out.add(("Shot", "description"))
    with costs(1):
        shot.fetch("description", force=True)
    assert ("Shot", "description") not in session.graph.left_out


def test_a_field_that_is_created_is_asked_for(own_site: LocalSite, session: Session) -> None:
    """What the site did not have a moment ago it may have now."""
    shot = session.get("Shot", 234, ["sg_mood"])
    assert "sg_mood" not in shot
    session.schema_field_create("Shot", "text", "Mood")
    assert shot.fetch("sg_mood", default="-") is None


def test_it_travels(session: Session) -> None:
    """A pickled session knows it as well."""
    shot = session.get("Shot", 234, ["sg_mood", "project.Project.sg_mood"])
    again = pickle.loads(pickle.dumps(shot))
    for path in ("sg_mood", "project.Project.sg_mood"):
        with pytest.raises(KeyError, match="the site has no field"):
            again[path]


def test_a_display_name_is_asked_for_where_the_link_is_not_known(session: Session, costs: Costs) -> None:
    """A site has no field `name` on shots; that one task was asked for it says nothing of another one's shot."""
    session.find("Task", [["id", "is", 456]], ["entity.Shot.name"])
    with costs(1):
        assert session.merge({"type": "Task", "id": 457}).fetch("entity.Shot.name") == "AA_001"
