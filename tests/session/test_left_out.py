"""What a site was asked for and does not have: known afterwards, and never more than that."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from sgsession import AsyncSession, Schema, Session, ShotgunPool
from sgsession.entity import Unknown, look_up
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
    session.graph.left_out.note("Shot", "description")
    with costs(1):
        shot.fetch("description", force=True)
    assert [*session.graph.left_out.by_end] == [("Shot", "sg_mood")]


@pytest.mark.parametrize("way", ["get", "find_one"])
def test_a_field_that_is_created_is_asked_for(
    own_site: LocalSite, session: Session, costs: Costs, way: str
) -> None:
    """What the site did not have a moment ago it may have now; reading a schema changes nothing."""
    for path in ("sg_mood", "sg_sequence.Sequence.sg_mood"):
        if way == "get":
            shot = session.get("Shot", 234, [path])
        else:
            shot = session.find_one("Shot", [["id", "is", 234]], [path])
    session.schema_field_read("Shot")
    with costs(0):
        assert shot.fetch("sg_mood", default="-") == "-"
    session.schema_field_create("Shot", "text", "Mood")
    session.schema_field_create("Sequence", "text", "Mood")
    assert shot.fetch(["sg_mood", "sg_sequence.Sequence.sg_mood"], default="-") == (None, None)


def test_a_field_that_is_created_asynchronously_is_asked_for(own_site: LocalSite) -> None:
    """Of an AsyncSession as well."""

    async def create() -> None:
        async with AsyncSession(own_site.connect(connect=False)) as session:
            shot = await session.get("Shot", 234, ["sg_mood"])
            await session.schema_field_create("Shot", "text", "Mood")
            await session.fetch(shot, "sg_mood")
            assert shot["sg_mood"] is None

    asyncio.run(create())


def test_an_answer_from_before_an_edit_says_nothing_of_the_fields_after_it(offline: Session) -> None:
    """A read that started before a field was created may end after it."""
    shot = offline.merge({"type": "Shot", "id": 1})
    graph = offline.graph
    with graph.reading() as before:
        graph.fields_edited()
        graph.note_left_out([{"type": "Shot", "id": 1}], [shot], ["sg_mood"], before)
    assert look_up(shot, "sg_mood") is Unknown.NOT_LOADED
    with graph.reading() as after:
        graph.note_left_out([{"type": "Shot", "id": 1}], [shot], ["sg_mood"], after)
    assert look_up(shot, "sg_mood") is Unknown.NOT_THERE


WAYS: dict[str, Callable[[Session], Any]] = {
    "find": lambda session: session.find("Shot", [["id", "is", 234]], ["sg_mood"]),
    "find_one": lambda session: session.find_one("Shot", [["id", "is", 234]], ["sg_mood"]),
    "create": lambda session: session.create(
        "Shot", code="new", project=session.find_one("Shot", [])["project"], return_fields=["sg_mood"]
    ),
    "update": lambda session: session.update("Shot", 234, {"sg_mood": "grim"}),
    "batch": lambda session: session.batch(
        [{"request_type": "update", "entity_type": "Shot", "entity_id": 234, "data": {"sg_mood": "grim"}}]
    ),
    "deep": lambda session: session.find("Task", [["id", "is", 457]], ["entity.Shot.sg_mood"]),
    "deep, where nothing is": lambda session: session.find(
        "Task", [["entity", "type_is", "Asset"]], ["entity.Shot.sg_mood"], limit=1
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_brings_a_field_shows_that_it_is_there(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs, way: str
) -> None:
    """A colleague creates a field that was left out; one answer with it, and it is asked for, by deep paths too."""
    shot = session.get("Shot", 235, ["sg_mood"])
    task = session.find_one("Task", [["entity", "is", shot]], ["entity.Shot.sg_mood"])
    assert (shot.get("sg_mood", "-"), task.get("entity.Shot.sg_mood", "-")) == ("-", "-")
    shotgun.schema_field_create("Shot", "text", "Mood")
    shotgun.update("Shot", 235, {"sg_mood": "calm"})
    WAYS[way](session)
    with costs(1):
        assert task.fetch("entity.Shot.sg_mood") == "calm"
        assert shot.fetch("sg_mood") == "calm"


def test_a_deep_url_is_not_tried_again_and_again(
    own_site: LocalSite, new_session: Callable[..., Session], shotgun: Any, costs: Costs
) -> None:
    """Urls that come by themselves say nothing of deep ones: such a path is tried once more, and that is all."""
    versions = shotgun.find("Version", [], limit=3)
    files = shotgun.find("PublishedFile", [], limit=3)
    for version, file in zip(versions, files, strict=True):
        shotgun.update("Version", version["id"], {"sg_uploaded_movie": MOVIE})
        shotgun.update("PublishedFile", file["id"], {"version": version})
    session = new_session()
    path = "version.Version.sg_uploaded_movie"
    first, *others = session.find(
        "PublishedFile", [["id", "in", [f["id"] for f in files]]], ["version", path]
    )
    with costs(0):
        assert others[1].fetch(path) is None
    first["version"].fetch("sg_uploaded_movie")
    with costs(1):
        assert others[1].fetch(path) is None
    others[0]["version"].fetch("sg_uploaded_movie")
    with costs(0):
        assert others[1].fetch(path) is None


BOSS = ("Shot", "entity", "Boss", {"valid_types": ["Sequence"]})


@pytest.mark.parametrize("way", ["find", "find_one", "update"])
@pytest.mark.parametrize("field", ["description", "name"])
def test_a_link_that_is_created_leads_on(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs, way: str, field: str
) -> None:
    """What was left out because its link was is asked for once the link has come, its display name included."""
    path, deeper = f"sg_boss.Sequence.{field}", f"entity.Shot.sg_boss.Sequence.{field}"
    shot = session.get("Shot", 234, [path])
    task = session.find_one("Task", [["entity", "is", shot]], [deeper])
    with costs(0):
        assert (shot.fetch(path, default="-"), task.fetch(deeper, default="-")) == ("-", "-")
    shotgun.schema_field_create(*BOSS)
    boss = {"type": "Sequence", "id": 204}
    shotgun.update("Sequence", 204, {"description": "grim"})
    if way == "update":
        session.update(shot, sg_boss=boss)
    else:
        shotgun.update("Shot", 234, {"sg_boss": boss})
        getattr(session, way)("Shot", [["id", "is", 234]], ["sg_boss"])
    wanted = {"description": "grim", "name": "DD"}[field]
    assert (shot.fetch(path), task.fetch(deeper)) == (wanted, wanted)
    session.forget(shot["sg_boss"])  # a name that nobody knows any more is asked for again
    assert (shot.fetch(path), task.fetch(deeper)) == (wanted, wanted)


def test_a_field_that_goes_and_comes_back_is_asked_for(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs
) -> None:
    """By deep paths, too, though it had come by itself before: it is no url that sites leave out."""
    path = "entity.Shot.sg_mood"
    task = session.find_one("Task", [["id", "is", 456]], [path])
    shotgun.schema_field_create("Shot", "text", "Mood")
    shotgun.update("Shot", task["entity"]["id"], {"sg_mood": "calm"})
    for _ in range(3):
        session.find("Shot", [["id", "is", 235]], ["sg_mood"])
        with costs(1):
            assert task.fetch(path) == "calm"
        assert not session.graph.left_out._there  # it is no url: it came by a deep path
        shotgun.schema_field_delete("Shot", "sg_mood")
        del task["entity"]["sg_mood"]
        session.find("Task", [["id", "is", 456]], [path])
        session.find("Shot", [["id", "is", 235]], ["sg_mood"])
        shotgun._call_rpc("schema_field_revive", {"type": "Shot", "field_name": "sg_mood"})


def test_an_older_answer_denies_nothing_that_a_newer_one_brought(offline: Session) -> None:
    """A page that was asked for before a colleague created a field, and comes after a find that has it."""
    graph = offline.graph
    second = offline.merge({"type": "Shot", "id": 2})
    with graph.reading() as older:
        with graph.reading() as newer:
            graph.merge_answer([{"type": "Shot", "id": 1, "sg_mood": "calm"}], newer, True)
        graph.note_left_out([{"type": "Shot", "id": 2}], [second], ["sg_mood"], older)
    assert look_up(second, "sg_mood") is Unknown.NOT_LOADED


def test_reads_that_cross_and_have_nothing_to_do_with_it_change_nothing(offline: Session) -> None:
    """A field that was left out is known to be, though a later read of something else has ended first."""
    graph = offline.graph
    shot = offline.merge({"type": "Shot", "id": 1})
    with graph.reading() as older:
        with graph.reading() as newer:
            graph.merge_answer([{"type": "Step", "id": 1, "code": "Comp"}], newer, True)
        graph.note_left_out([{"type": "Shot", "id": 1}], [shot], ["sg_mood"], older)
    assert look_up(shot, "sg_mood") is Unknown.NOT_THERE
    assert not graph._came


@pytest.mark.parametrize("find", ["find", "find_one"])
def test_the_name_of_a_link_says_nothing_of_a_field_called_so(
    session: Session, costs: Costs, find: str
) -> None:
    """Shots have no field `name`: links to them bring one again and again, and nobody asks for it anew."""
    shot = session.get("Shot", 245, ["name"])
    for task_id in (456, 459):
        getattr(session, find)("Task", [["id", "is", task_id]], ["entity"])
        with costs(0):
            assert shot.fetch("name", default="-") == "-"


def test_a_field_called_name_that_a_shot_lacks_says_nothing_of_its_display_name(
    session: Session, shotgun: Any, costs: Costs
) -> None:
    """Asked of the shot itself by `find_one`: behind a link, `name` is still to be asked for."""
    other = shotgun.find_one("Task", [["entity", "is", {"type": "Shot", "id": 235}]])
    session.find_one("Shot", [["id", "is", 235]], ["name"], add_default_fields=False)
    task = session.merge({**other, "entity": {"type": "Shot", "id": 235}})
    with costs(1):
        assert task.fetch("entity.Shot.name") == "AA_002"


def test_what_attachments_bring_along_is_no_field(offline: Session) -> None:
    """A url's keys are not fields of attachments: what these were asked for in vain stays known."""
    offline.graph.left_out.note("Attachment", "url")
    row = {"type": "Version", "id": 1, "sg_uploaded_movie": {**MOVIE, "type": "Attachment", "id": 7}}
    with offline.graph.reading() as moment:
        offline.graph.merge_answer([row], moment, True)
    assert offline.graph.left_out.of_type("Attachment", "url")


def test_a_link_that_is_set_meanwhile_has_a_name_to_be_asked_for(offline: Session) -> None:
    """An answer about the old link says nothing of the new one's display name."""
    task = offline.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1, "name": "one"}})
    with offline.graph.reading() as moment:
        task["entity"] = {"type": "Shot", "id": 2}
        row = {"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1, "name": "one"}}
        entities = offline.graph.merge_answer([row], moment, True)
        offline.graph.note_left_out([row], entities, ["entity.Shot.name"], moment)
    assert look_up(task, "entity.Shot.name") is Unknown.NOT_LOADED


@pytest.mark.parametrize("aliases", [None, {"Shot": {"c": "code"}}])
def test_a_row_is_a_row_with_aliases_too(aliases: Any) -> None:
    """The field `name` of a published file that was asked for by itself is no display name."""
    session = Session(False, Schema(field_aliases=aliases) if aliases else None)
    file = session.merge({"type": "PublishedFile", "id": 1, "name": "take"})
    assert file["name"] == "take"


def test_what_somebody_sets_says_nothing_of_the_site(session: Session, costs: Costs) -> None:
    """A tool's own keys on entities are asked for once, and not each time that one is set."""
    first, second = session.get("Shot", [234, 235], ["sg_mine"])
    for number in range(3):
        first["sg_mine"] = number
        with costs(0):
            assert second.fetch("sg_mine", default="-") == "-"


def test_rows_that_are_not_merged_say_what_is_there(
    own_site: LocalSite, session: Session, shotgun: Any
) -> None:
    """As those that are."""
    shot = session.get("Shot", 235, ["sg_mood"])
    shotgun.schema_field_create("Shot", "text", "Mood")
    assert "sg_mood" in session.find("Shot", [["id", "is", 234]], ["sg_mood"], merge=False)[0]
    assert shot.fetch("sg_mood", default="-") is None


def test_what_a_client_without_pages_left_out_on_the_way_is_known(costs: Costs, session: Session) -> None:
    """Of single entities as well: nothing comes through a link that was left out."""
    task = session.find_one("Task", [["id", "is", 456]], ["step.Step.project.Project.name"])
    for shot_id in (234, 235):
        session.find_one("Shot", [["id", "is", shot_id]], ["project.Project.name"])
        with costs(0):
            assert task.fetch("step.Step.project.Project.name", default="-") == "-"


def test_nothing_comes_through_a_link_that_a_type_lacks(session: Session, costs: Costs) -> None:
    """Steps have no project: that other projects have names, which come again and again, says nothing of theirs."""
    task = session.get("Task", 456, ["step.Step.project.Project.name"])
    for shot_id in (234, 235):
        session.find("Shot", [["id", "is", shot_id]], ["project.Project.name"])
        with costs(0):
            assert task.fetch("step.Step.project.Project.name", default="-") == "-"


def test_what_find_one_left_out_makes_nothing_odd(session: Session) -> None:
    """What is noted stands beside the graph: an entity that lacks a field is read as any other."""
    shot = session.find_one("Shot", [["id", "is", 234]], ["sg_mood"])
    assert look_up(shot, "sg_mood") is Unknown.NOT_THERE
    assert not shot._aside


@pytest.mark.parametrize("way", ["clear", "forget"])
def test_an_entity_that_is_forgotten_is_asked_about_anew(session: Session, way: str) -> None:
    """What a single one of a type was found to lack goes with all else that is known of it."""
    shot = session.find_one("Shot", [["id", "is", 234]], ["sg_mood"])
    if way == "clear":
        shot.clear()
    else:
        session.forget(shot)
        shot = session.merge({"type": "Shot", "id": 234})
    assert look_up(shot, "sg_mood") is Unknown.NOT_LOADED


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


@pytest.mark.parametrize("known", [(), ("name",)])
def test_a_display_name_is_asked_for_where_the_link_has_none(
    session: Session, shotgun: Any, costs: Costs, known: tuple[str, ...]
) -> None:
    """Also where the link is known without its name, and where shots themselves were asked for such a field."""
    session.find("Task", [["id", "is", 456]], ["entity.Shot.name"])
    for field in known:
        session.get("Shot", 234, [field])
    other = shotgun.find_one("Task", [["entity", "is", {"type": "Shot", "id": 235}]])
    task = session.merge({**other, "entity": {"type": "Shot", "id": 235}})
    with costs(1):
        assert task.fetch("entity.Shot.name") == "AA_002"
    with costs(0):
        task.fetch("entity.Shot.name")
