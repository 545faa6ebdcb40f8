"""1.1.7 Efficient Heirarchies, `fetch_heirarchy` of 1.2.2, and 1.3.3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from sgsession import Entity, EntityNotFoundError, Session
from sgsession.errors import SyntaxProblem
from sgsession.site import LocalSite
from sgsession.site.transfer import bulk

from .conftest import Costs

FIRST, MANY = 10_001, 1_000


def keys(entities: list[Entity]) -> list[tuple[str, int]]:
    """What a list holds, sorted."""
    return sorted(entity.key for entity in entities)


def truth(shotgun: Any, tasks: list[Entity]) -> list[tuple[str, int]]:
    """The tasks and everything above them, by the official client, hop by hop."""
    found: set[tuple[str, int]] = {task.key for task in tasks}
    waiting = list(found)
    while waiting:
        kind, row_id = waiting.pop()
        link = Session.parent_fields[kind]
        if link is None:
            continue
        row = shotgun.find_one(kind, [["id", "is", row_id]], [link, "project"])
        above = row[link] or row["project"]
        key = (above["type"], above["id"])
        if key not in found:
            found.add(key)
            waiting.append(key)
    return sorted(found)


@pytest.mark.smoke
def test_all_above_any_number_of_tasks(session: Session, shotgun: Any, costs: Costs) -> None:
    """Found tasks, their full hierarchy in at most 3 requests (here 1), and exactly what stands above them."""
    with costs(1):
        tasks = session.find("Task", [])
    with costs(1):
        everything = session.fetch_heirarchy(tasks)
    assert keys(everything) == truth(shotgun, tasks)


def test_what_is_known_of_a_hierarchy_is_not_asked_for(session: Session, costs: Costs) -> None:
    """Shots of which the names are known are asked for what stands above them, and not for their names once more."""
    shots = session.find("Shot", [], ["code", "description"], add_default_fields=False)
    with costs(1) as requests:
        session.fetch_hierarchy(shots)
    asked = set(requests[0].params["return_fields"])
    assert {"sg_sequence", "sg_sequence.Sequence.code", "sg_sequence.Sequence.project", "updated_at"} <= asked
    assert not asked & {"code", "description"}


def test_each_is_returned_once(session: Session, costs: Costs) -> None:
    """However many tasks share a shot, and though a task is handed in twice."""
    with costs(2):
        tasks = session.find("Task", [["entity", "is", {"type": "Shot", "id": 234}]])
        everything = session.fetch_heirarchy(tasks + tasks)
    expected = [
        ("Project", 123),
        ("Sequence", 201),
        ("Shot", 234),
        ("Task", 456),
        ("Task", 457),
        ("Task", 458),
    ]
    assert keys(everything) == expected


def test_all_are_linked_and_have_their_important_fields(session: Session, costs: Costs) -> None:
    """From a task one can walk up to the project by links, and down again by back-references."""
    with costs(2):
        [task] = session.find("Task", [["id", "is", 456]])
        everything = session.fetch_heirarchy([task])
    with costs(0):
        shot = task["entity"]
        sequence = shot["sg_sequence"]
        project = sequence["project"]
        assert everything == [task, shot, sequence, project]
        assert (shot["code"], sequence["code"], project["name"]) == ("AA_001", "AA", "Demo Project")
        assert task in shot.backrefs[("Task", "entity")]
        assert shot in sequence.backrefs[("Shot", "sg_sequence")]
        assert sequence in project.backrefs[("Sequence", "project")]
        session.fetch_core(everything)


def test_a_known_hierarchy_costs_nothing(session: Session, costs: Costs) -> None:
    """A second time everything is known, for each of the entities too."""
    tasks = session.find("Task", [])
    everything = session.fetch_heirarchy(tasks)
    with costs(0):
        assert keys(session.fetch_heirarchy(tasks)) == keys(everything)
        session.fetch_heirarchy(everything)
        tasks[0].fetch_heirarchy()


def test_a_shot_without_a_sequence_hangs_from_its_project(session: Session, costs: Costs) -> None:
    """An empty parent link falls back to `project`."""
    with costs(at_most=2):
        teaser = session.find_one("Shot", [["code", "is", "TEASER_001"]])
        everything = session.fetch_heirarchy([teaser])
        assert teaser.parent() is everything[-1]
    assert teaser["sg_sequence"] is None
    assert keys(everything) == [("Project", 123), ("Shot", 245)]


def test_bare_tasks(session: Session, shotgun: Any, costs: Costs) -> None:
    """Of tasks of which only the ids are known, one request brings everything above, assets and shots alike."""
    tasks = session.merge([{"type": "Task", "id": id} for id in range(456, 512)])
    with costs(1):
        everything = session.fetch_heirarchy(tasks)
    assert keys(everything) == truth(shotgun, tasks)


def test_several_types_at_once(session: Session, costs: Costs) -> None:
    """Versions, published files and tasks climb side by side: one request for each type."""
    rows = [
        {"type": kind, "id": id} for kind, id in [("Version", 601), ("PublishedFile", 701), ("Task", 456)]
    ]
    with costs(3):
        everything = session.fetch_heirarchy(session.merge(rows))
    above = [("Project", 123), ("Sequence", 201), ("Shot", 234)]
    assert keys(everything) == sorted([*above, ("PublishedFile", 701), ("Task", 456), ("Version", 601)])


def test_nothing_is_above_a_project(session: Session, costs: Costs) -> None:
    """A project is its own hierarchy, and of nothing there is nothing above."""
    with costs(1):
        project = session.get("Project", 123)
    assert session.importance.parent_types("Project") == ([], [])
    with costs(0):
        assert session.fetch_heirarchy([project]) == [project]
        assert session.fetch_heirarchy([]) == []


def test_an_important_deep_path_is_asked_for_whatever_is_known_above(session: Session, costs: Costs) -> None:
    """One that is important of a task, and not of a shot itself: the task is asked for it, though its shot is known."""
    session.important_fields = {**session.important_fields, "Task": ["content", "entity.Shot.description"]}
    for kind in ("Project", "Sequence", "Step"):
        session.find(kind, [])
    session.find("Shot", [], ["code", "project", "sg_sequence", "updated_at"], add_default_fields=False)
    fields = ["content", "entity", "project", "step", "updated_at"]
    [task] = session.find("Task", [["id", "is", 456]], fields, add_default_fields=False)
    with costs(1):
        session.fetch_hierarchy(task)
    with costs(0):
        assert task["entity.Shot.description"] == task["entity"]["description"]
        session.fetch_core(task)


def test_what_a_project_lacks_is_asked_of_the_project(session: Session, costs: Costs) -> None:
    """Once, and not through each task, shot and sequence that links to it."""
    everything = session.fetch_hierarchy(session.find("Task", []))
    for entity in everything:
        if entity["type"] == "Project":
            del entity["updated_at"]
    with costs(1) as requests:
        session.fetch_hierarchy(everything)
    assert [request.params["type"] for request in requests] == ["Project"]


def test_what_projects_lack_for_good_costs_one_read_more(session: Session, costs: Costs) -> None:
    """A field that is important for all, and that projects have not: nothing else is asked for it again."""
    session.important_fields_for_all = ["updated_at", "sg_status_list"]
    with costs(2) as requests:
        session.fetch_hierarchy(session.merge([{"type": "Task", "id": id} for id in range(456, 512)]))
    assert [request.params["type"] for request in requests] == ["Task", "Project"]


def test_a_project_is_the_top_unless_somebody_says_otherwise(session: Session, costs: Costs) -> None:
    """Also where `parent_fields` does not mention it."""
    session.parent_fields = {"Task": "entity", "Shot": "sg_sequence", "Sequence": "project"}
    with costs(1):
        found = session.fetch_hierarchy(session.merge({"type": "Task", "id": 456}))
    assert keys(found) == [("Project", 123), ("Sequence", 201), ("Shot", 234), ("Task", 456)]


@pytest.mark.parametrize("wrong", [["Task"], None, "entity"], ids=str)
@pytest.mark.parametrize("name", ["parent_fields", "important_fields", "important_links"])
def test_importance_that_is_no_dict_is_refused(session: Session, costs: Costs, name: str, wrong: Any) -> None:
    """Before anything is asked."""
    setattr(session, name, wrong)
    with (
        costs(0),
        pytest.raises(SyntaxProblem, match=rf"{name} says for each type .*; it is {re.escape(repr(wrong))}"),
    ):
        session.fetch_hierarchy(session.merge({"type": "Task", "id": 456}))


def test_both_spellings(session: Session, costs: Costs) -> None:
    """`fetch_heirarchy`, as documented in 2015, and `fetch_hierarchy` are one, on both classes."""
    task = session.get("Task", 456)
    with costs(1):
        everything = session.fetch_hierarchy([task])
    with costs(0):
        assert (
            everything == session.fetch_heirarchy([task]) == task.fetch_heirarchy() == task.fetch_hierarchy()
        )


def test_a_single_entity_will_do(session: Session, costs: Costs) -> None:
    """What takes a list of entities takes one."""
    with costs(1):
        assert len(session.fetch_heirarchy(session.merge({"type": "Task", "id": 456}))) == 4


def test_entities_of_another_session_are_refused(new_session: Callable[..., Session], costs: Costs) -> None:
    """A foreign entity is a `ValueError`, something else a `TypeError`; nothing is sent."""
    session = new_session()
    foreign = new_session().merge({"type": "Task", "id": 456})
    with costs(0):
        with pytest.raises(ValueError, match="another session"):
            session.fetch_heirarchy([foreign])
        with pytest.raises(TypeError):
            session.fetch_heirarchy([{"type": "Task", "id": 456}])


def test_a_task_that_is_not_there_is_named(session: Session, costs: Costs) -> None:
    """An entity without a row raises, and the others are fetched all the same."""
    there, gone = session.merge([{"type": "Task", "id": 456}, {"type": "Task", "id": 99_999}])
    with costs(1), pytest.raises(EntityNotFoundError, match="Task:99999"):
        session.fetch_heirarchy([there, gone])
    assert there["entity"]["sg_sequence"]["code"] == "AA"


def test_above_what_was_retired_is_what_is_known(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs
) -> None:
    """A shot that a colleague retired keeps its place as far as it is known, and is asked for once."""
    task = session.get("Task", 456)
    everything = keys(session.fetch_hierarchy(task))
    assert ("Sequence", 201) in everything
    shotgun.delete("Shot", 234)
    session.important_fields = {**session.important_fields, "Shot": ["code", "sg_cut_in"]}
    with costs(1):
        assert keys(session.fetch_hierarchy(task)) == everything
    with costs(0):
        assert keys(session.fetch_hierarchy(task)) == everything


def test_what_hangs_on_something_retired_belongs_to_its_project(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs
) -> None:
    """Of a retired shot of which nothing else is known, nothing but the task's own project is above."""
    task = session.merge({"type": "Task", "id": 456, "entity": {"type": "Shot", "id": 234}})
    shotgun.delete("Shot", 234)
    session.filter_exists(task["entity"])
    with costs(1):
        assert ("Project", 123) in keys(session.fetch_hierarchy(task))


def test_parents_that_run_in_a_circle(session: Session, costs: Costs) -> None:
    """Two shots that are each other's parents end the climb, each returned once."""
    session.parent_fields = {**session.parent_fields, "Shot": "sg_master"}
    first, second = {"type": "Shot", "id": 234}, {"type": "Shot", "id": 235}
    session.merge([{**first, "sg_master": second}, {**second, "sg_master": first}])
    with costs(at_most=2):
        everything = session.fetch_heirarchy([session.merge({"type": "Task", "id": 456})])
    assert keys(everything) == [("Shot", 234), ("Shot", 235), ("Task", 456)]


def test_a_type_that_is_its_own_parent(own_site: LocalSite, session: Session, costs: Costs) -> None:
    """Assets below assets: each read brings one more level, and the climb ends where there is no parent."""
    session.parent_fields = {**session.parent_fields, "Asset": "sg_inside"}
    session.important_links = {**session.important_links, "Asset": {"sg_inside": ["Asset"]}}
    session.merge([inside(301, 302), inside(302, 303)])
    asset = session.merge({"type": "Asset", "id": 303, "sg_inside": None})
    with costs(at_most=2):
        everything = session.fetch_heirarchy([session.merge({"type": "Asset", "id": 301})])
    assert keys(everything) == [("Asset", 301), ("Asset", 302), ("Asset", 303), ("Project", 123)]
    assert asset["project"]["name"] == "Demo Project"


def inside(asset_id: int, parent_id: int) -> dict[str, Any]:
    """An asset that is a part of another one."""
    return {"type": "Asset", "id": asset_id, "sg_inside": {"type": "Asset", "id": parent_id}}


# 1,000 tasks


@pytest.fixture(scope="module")
def long_show() -> Iterator[LocalSite]:
    """The small demo with 1,000 more tasks, twelve on each shot it has and the rest on its assets."""
    targets = [("Shot", id) for id in range(234, 246)] + [("Asset", id) for id in range(301, 311)]

    def task(number: int) -> dict[str, Any]:
        kind, row_id = targets[number % len(targets)]
        links = {"entity": (kind, row_id), "step": ("Step", 346), "project": ("Project", 123)}
        raw = {name: {"type": kind, "id": row_id} for name, (kind, row_id) in links.items()}
        return {"id": FIRST + number, "content": f"Take {number}", **raw}

    with LocalSite(demo="small") as site:
        store = site.engine.store
        with store.writing() as connection:
            rows = [task(number) for number in range(MANY)]
            now = datetime(2025, 9, 1, 9)
            bulk.load(connection, store.tables, store.schema, "Task", rows, now=now)
        yield site


@pytest.fixture
def many(long_show: LocalSite) -> Iterator[Session]:
    """A session that has read nothing of the long show."""
    with Session(long_show.connect(connect=False)) as session:
        yield session


@pytest.mark.parametrize("bare", [False, True], ids=["found", "bare"])
def test_a_thousand_tasks(long_show: LocalSite, many: Session, bare: bool) -> None:
    """The full hierarchy of 1,000 tasks takes one read for each page of 500, whether found or only named."""
    if bare:
        tasks = many.merge([{"type": "Task", "id": FIRST + number} for number in range(MANY)])
    else:
        tasks = many.find("Task", [["id", "greater_than", FIRST - 1]])
    long_show.reset_requests()
    everything = many.fetch_heirarchy(tasks)
    reads = [request for request in long_show.requests if request.method == "read"]
    assert len(reads) <= (2 if bare else 1)
    assert len(everything) == MANY + 12 + 10 + 3 + 1
    assert {entity["type"] for entity in everything} == {"Task", "Shot", "Asset", "Sequence", "Project"}


# Entity.parent and Entity.project


def test_parents_all_the_way_up(session: Session, costs: Costs) -> None:
    """A bare task asks for its shot, the shot for its sequence …; what is known costs nothing."""
    task = session.merge({"type": "Task", "id": 456})
    with costs(1):
        shot = task.parent()
        assert shot.key == ("Shot", 234)
        assert shot.parent().key == ("Sequence", 201)
    with costs(1):
        project = shot.parent().parent()
        assert project.key == ("Project", 123)
    with costs(0):
        assert project.parent() is None
        assert task.parent() is shot


def test_the_parent_of_what_is_not_there(session: Session, costs: Costs) -> None:
    """An entity without a row has no parent to be asked for: the error names it."""
    with costs(1), pytest.raises(EntityNotFoundError, match="Task:99999"):
        session.merge({"type": "Task", "id": 99_999}).parent()


@pytest.mark.parametrize(("kind", "row_id"), [("Task", 456), ("Shot", 245), ("Version", 601), ("Note", 901)])
def test_the_project_of_anything(session: Session, costs: Costs, kind: str, row_id: int) -> None:
    """A bare entity of any type asks for its project with one request, and then knows it."""
    entity = session.merge({"type": kind, "id": row_id})
    with costs(1):
        assert entity.project().key == ("Project", 123)
        assert entity.project()["name"] == "Demo Project"


def test_a_project_is_its_own(session: Session, costs: Costs) -> None:
    """The project of a project is that project; somebody's project is None where the type has none."""
    project, person = session.merge([{"type": "Project", "id": 123}, {"type": "HumanUser", "id": 11}])
    with costs(0):
        assert project.project() is project
    with costs(1):
        assert person.project() is None
        assert person.project() is None


def test_one_project_brings_those_of_the_neighbours(session: Session, costs: Costs) -> None:
    """What is loaded of the hierarchy around has its project fetched by the same call."""
    shot = {"type": "Shot", "id": 234}
    tasks = session.merge([{"type": "Task", "id": id, "entity": shot} for id in (456, 457, 458)])
    with costs(at_most=2):
        tasks[0].project()
    with costs(0):
        assert {each.project().key for each in [*tasks, tasks[0]["entity"]]} == {("Project", 123)}


def test_a_neighbour_whose_project_is_known_is_not_asked_for(session: Session, costs: Costs) -> None:
    """Only those that lack their project are in the request."""
    shot = {"type": "Shot", "id": 234, "project": {"type": "Project", "id": 123}}
    known = {"type": "Task", "id": 457, "entity": shot, "project": {"type": "Project", "id": 123}}
    task, _, _ = session.merge([{"type": "Task", "id": 456, "entity": shot}, known, inside(301, 302)])
    with costs(1) as requests:
        assert task.project().key == ("Project", 123)
    assert "457" not in str(requests[0].params)


def test_a_ring_of_parents_has_no_project(session: Session, costs: Costs) -> None:
    """Entities without a project that hang on each other: None, instead of a search without an end."""
    session.parent_fields = {**session.parent_fields, "HumanUser": "sg_boss"}
    ada, ben = ({"type": "HumanUser", "id": id} for id in (11, 12))
    person, _ = session.merge([{**ada, "sg_boss": ben}, {**ben, "sg_boss": ada}])
    with costs(at_most=2):
        assert person.project() is None
    with costs(0):
        assert person.project() is None


def test_the_project_of_what_has_none_itself(own_site: LocalSite, session: Session, costs: Costs) -> None:
    """A reply belongs to that of its note: one request for each of the two, the link asked for with the project."""
    session.parent_fields = {**session.parent_fields, "Reply": "entity"}
    project = session.merge({"type": "Project", "id": 123})
    note = session.create("Note", {"subject": "a", "content": "b", "project": project})
    reply = session.create("Reply", {"content": "c", "entity": note})
    session.forget([note, reply])
    with costs(2) as requests:
        assert session.merge({"type": "Reply", "id": reply["id"]}).project() == session.merge(project)
    assert [request.params["type"] for request in requests] == ["Reply", "Note"]
