"""1.2.4 Wrapped Methods, and what the session proxies."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import Any

import pytest
import shotgun_api3

from sgsession import Entity, Session, ShotgunPool
from sgsession.site import LocalSite

from .conftest import Costs

PROJECT = {"type": "Project", "id": 123}
SHOT = {"type": "Shot", "id": 234}


@pytest.mark.parametrize("owner", [Session, ShotgunPool])
@pytest.mark.parametrize("method", ["find", "find_one", "create", "update", "delete", "batch", "summarize"])
def test_the_clients_parameters_in_their_order(owner: type, method: str) -> None:
    """Every parameter of the client is there, under its name, in its place, with its default."""

    def positional(function: Any) -> list[inspect.Parameter]:
        return [each for each in inspect.signature(function).parameters.values() if each.kind == 1]

    client = positional(getattr(shotgun_api3.Shotgun, method))
    ours = positional(getattr(owner, method))
    assert [each.name for each in ours[: len(client)]] == [each.name for each in client]
    for theirs, mine in zip(client, ours, strict=False):
        assert theirs.default is inspect.Parameter.empty or mine.default == theirs.default, theirs.name


# find and find_one


def test_find_gives_what_the_client_gives(session: Session, shotgun: Any, costs: Costs) -> None:
    """The same rows in the same order with the same values, as entities; one request."""
    arguments = ("Shot", [["sg_cut_duration", "greater_than", 80]], ["code", "sg_cut_duration"])
    order = [{"field_name": "sg_cut_duration", "direction": "desc"}]
    raw = shotgun.find(*arguments, order)
    with costs(1):
        found = session.find(*arguments, order)
    assert [{key: shot[key] for key in ("type", "id", "code", "sg_cut_duration")} for shot in found] == raw
    assert all(isinstance(shot, Entity) for shot in found)


def test_find_takes_each_parameter(session: Session, shotgun: Any, costs: Costs) -> None:
    """Operator, limit, page and the rest reach the site."""
    filters = [["code", "is", "AA_001"], ["code", "is", "AA_002"]]
    with costs(4):
        assert len(session.find("Shot", filters, ["code"], None, "any")) == 2
        assert session.find("Shot", filters, filter_operator="all") == []
        page = session.find("Shot", [], [], [{"field_name": "code", "direction": "asc"}], limit=3, page=2)
        assert session.find("Shot", [], retired_only=True) == []
    assert [shot["code"] for shot in page] == ["AA_004", "BB_001", "BB_002"]


def test_entities_are_taken_as_values_of_filters(session: Session, costs: Costs) -> None:
    """A whole entity in a filter is sent as its type and id."""
    shot = session.get("Shot", 234)
    with costs(2) as requests:
        assert len(session.find("Task", [["entity", "is", shot]])) == 3
        nested = {"filter_operator": "any", "filters": [["entity", "in", [shot, SHOT]]]}
        assert len(session.find("Task", [nested])) == 3
    assert "AA_001" not in str([request.params["filters"] for request in requests])


def test_find_of_nothing(session: Session, costs: Costs) -> None:
    """What matches nothing is an empty list, or None."""
    with costs(2):
        assert session.find("Shot", [["code", "is", "ZZ"]]) == []
        assert session.find_one("Shot", [["code", "is", "ZZ"]]) is None


def test_find_one_in_an_order(session: Session, costs: Costs) -> None:
    """The first of an order is the one that is found."""
    with costs(1):
        shot = session.find_one("Shot", [], [], [{"field_name": "code", "direction": "desc"}])
    assert shot["code"] == "TEASER_001"


def test_arguments_are_left_as_they_were(session: Session) -> None:
    """Filters, fields and orders belong to the caller: the session changes none of them."""
    arguments = (
        [["code", "is", "AA_001"]],
        ["{code,sg_cut_in}"],
        [{"field_name": "code", "direction": "asc"}],
    )
    before = repr(arguments)
    session.find("Shot", *arguments)
    assert repr(arguments) == before


@pytest.mark.parametrize(
    "filters", ["code", 7, [["code", "is"]], [["code"]], [[None, "is", 1]], [None], {"x": 1}, None], ids=repr
)
def test_filters_that_cannot_be_are_refused(session: Session, costs: Costs, filters: Any) -> None:
    """Malformed filters are a `ValueError`; nothing is sent."""
    with costs(0), pytest.raises(ValueError):
        session.find("Shot", filters)


def test_what_the_site_refuses_is_the_clients_fault(session: Session, costs: Costs) -> None:
    """The site's own refusals come through unchanged, and the session goes on."""
    with costs(2):
        with pytest.raises(shotgun_api3.Fault, match="sg_nope doesn't exist"):
            session.find("Shot", [["sg_nope", "is", 1]])
        assert session.get("Shot", 234)["code"] == "AA_001"


# find_iter


def test_find_iter_goes_page_by_page(session: Session, costs: Costs) -> None:
    """All rows in order, one request for each page; the first page waits for no other."""
    with costs(1):
        tasks = session.find_iter("Task", [], per_page=20)
        first = next(tasks)
    with costs(2):
        everything = [first, *tasks]
    assert [task["id"] for task in everything] == list(range(456, 512))


@pytest.mark.parametrize("async_count", [1, 3])
@pytest.mark.parametrize("order", [None, [{"field_name": "content", "direction": "desc"}]])
def test_find_iter_gives_what_find_gives(session: Session, async_count: int, order: Any) -> None:
    """Whatever the order and however many pages at once, each row comes once."""
    found = session.find("Task", [["sg_status_list", "is", "fin"]], [], order)
    arguments = ("Task", [["sg_status_list", "is", "fin"]], [], order)
    assert list(session.find_iter(*arguments, per_page=7, async_count=async_count)) == found


@pytest.mark.parametrize(("limit", "count"), [(0, 0), (1, 1), (25, 25), (1000, 56), (None, 56)])
def test_find_iter_up_to_a_limit(session: Session, limit: int | None, count: int) -> None:
    """No more than the limit; None is no limit."""
    assert len(list(session.find_iter("Task", [], limit=limit, per_page=10))) == count


def test_find_iter_keeps_the_filters(session: Session) -> None:
    """Pages by id hold to the caller's filters, also to those that are joined by any."""
    filters = [["content", "is", "Matchmove"], ["content", "is", "Animation"]]
    tasks = list(session.find_iter("Task", filters, filter_operator="any", per_page=5))
    assert {task["content"] for task in tasks} == {"Matchmove", "Animation"}
    assert len(tasks) == 24


def test_rows_that_leave_meanwhile_hide_none(own_site: LocalSite, session: Session, shotgun: Any) -> None:
    """A row that is retired between two pages does not make another one be skipped."""
    tasks = session.find_iter("Task", [], per_page=10)
    seen = [next(tasks)["id"] for _ in range(10)]
    shotgun.delete("Task", 456)
    seen += [task["id"] for task in tasks]
    assert seen == list(range(456, 512))


def test_rows_that_move_meanwhile_come_once(own_site: LocalSite, session: Session, shotgun: Any) -> None:
    """A row that is created before the page one is at pushes another into the next page: it is not given twice."""
    order = [{"field_name": "code", "direction": "asc"}]
    shots = session.find_iter("Shot", [], order=order, per_page=5)
    seen = [next(shots)["code"] for _ in range(5)]
    shotgun.create("Shot", {"code": "AA_000", "project": PROJECT})
    seen += [shot["code"] for shot in shots]
    assert seen == sorted(set(seen))
    assert len(seen) == 14


def test_find_iter_takes_filters_in_the_form_of_the_wire(session: Session, costs: Costs) -> None:
    """The client's dict of conditions goes page by page as well."""
    condition = {"path": "content", "relation": "is", "values": ["Matchmove"]}
    filters = {"logical_operator": "and", "conditions": [condition]}
    wanted = session.find("Task", filters)
    with costs(3):
        assert list(session.find_iter("Task", filters, per_page=5)) == wanted
    assert len(wanted) == 12


@pytest.mark.parametrize(
    "options",
    [{"per_page": 0}, {"per_page": "5"}, {"async_count": 0}, {"limit": -1}, {"limit": "all"}],
    ids=str,
)
def test_pages_that_cannot_be_are_refused(session: Session, costs: Costs, options: dict[str, Any]) -> None:
    """Numbers that are none, before anything is sent."""
    with costs(0), pytest.raises(ValueError, match=r"is .*a number from"):
        list(session.find_iter("Shot", [], **options))


# summarize


def test_summarize_gives_what_the_client_gives(session: Session, shotgun: Any, costs: Costs) -> None:
    """Sums and groups come as they are; entities in filters are taken; one request."""
    arguments = ([{"field": "id", "type": "count"}], None, [{"field": "sg_status_list", "type": "exact"}])
    raw = shotgun.summarize("Task", [["entity", "is", SHOT]], *arguments)
    shot = session.merge(SHOT)
    with costs(1):
        assert session.summarize("Task", [["entity", "is", shot]], *arguments) == raw
    assert raw["summaries"] == {"id": 3}


# create


@pytest.mark.smoke
def test_create_returns_the_entity(own_site: LocalSite, session: Session, shotgun: Any, costs: Costs) -> None:
    """One request; the entity has what was written, its important fields, its links and back-references."""
    project = session.get("Project", 123)
    with costs(1):
        shot = session.create("Shot", {"code": "ZZ_001", "project": project}, ["sg_status_list"])
    assert {"updated_at", "sg_sequence", "sg_status_list"} <= set(shot)
    assert shot["project"] is project
    assert shot in project.backrefs[("Shot", "project")]
    assert shotgun.find_one("Shot", [["id", "is", shot["id"]]], ["code"])["code"] == "ZZ_001"
    with costs(0):
        assert session.get("Shot", shot["id"]) is shot
        assert shot.exists() is True


def test_create_by_keywords(own_site: LocalSite, session: Session, costs: Costs) -> None:
    """Fields may be given as keywords, with the data or without any."""
    with costs(2):
        first = session.create("Shot", code="ZZ_001", project=PROJECT)
        second = session.create("Shot", {"code": "ZZ_002"}, project=PROJECT)
    assert (first["code"], second["code"]) == ("ZZ_001", "ZZ_002")


# update


UPDATES = {
    "type-id-data": lambda session, shot: session.update("Shot", 234, {"description": "new"}),
    "by-name": lambda session, shot: session.update(
        entity_type="Shot", entity_id=234, data={"description": "new"}
    ),
    "type-id-keywords": lambda session, shot: session.update("Shot", 234, description="new"),
    "entity-data": lambda session, shot: session.update(shot, {"description": "new"}),
    "entity-data-by-name": lambda session, shot: session.update(shot, data={"description": "new"}),
    "entity-keywords": lambda session, shot: session.update(shot, description="new"),
    "entities": lambda session, shot: session.update([shot], {"description": "new"}),
    "entities-keywords": lambda session, shot: session.update([shot], description="new"),
}


@pytest.mark.parametrize("form", UPDATES)
def test_every_form_of_update(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs, form: str
) -> None:
    """Type and id, an entity, a list; data or keywords: one request, and site and entity have it."""
    shot = session.get("Shot", 234)
    with costs(1):
        result = UPDATES[form](session, shot)
    assert result == ([shot] if form.startswith("entities") else shot)
    assert shot["description"] == "new"
    assert shotgun.find_one("Shot", [["id", "is", 234]], ["description"])["description"] == "new"


def test_update_of_several_is_one_transaction(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs
) -> None:
    """Entities of several types are written by one request, all or none."""
    entities = [session.get("Shot", 234), session.get("Shot", 235), session.get("Task", 456)]
    with costs(1):
        assert session.update(entities, sg_status_list="hld") == entities
    assert [entity["sg_status_list"] for entity in entities] == ["hld"] * 3
    with pytest.raises(shotgun_api3.Fault):
        session.update(entities, sg_cut_in=7)
    assert shotgun.find_one("Shot", [["id", "is", 234]], ["sg_cut_in"])["sg_cut_in"] == 1001


def test_update_of_none(session: Session, costs: Costs) -> None:
    """No entities, no request."""
    with costs(0):
        assert session.update([], {"code": "x"}) == []


def test_update_moves_links(own_site: LocalSite, session: Session) -> None:
    """A link that is written moves the back-reference; entities are taken as values."""
    task, other = session.get("Task", 456), session.get("Shot", 235)
    old = task["entity"]
    session.update(task, entity=other)
    assert task["entity"] is other
    assert task not in old.backrefs[("Task", "entity")]
    assert task in other.backrefs[("Task", "entity")]


def test_update_adds_to_a_list(own_site: LocalSite, session: Session, shotgun: Any) -> None:
    """`multi_entity_update_modes` reaches the site, with data of one and of several entities."""
    shots = session.get("Shot", [234, 235])
    modes = {"assets": "add"}
    session.update("Shot", 234, {"assets": [{"type": "Asset", "id": 310}]}, modes)
    session.update(shots, {"assets": [{"type": "Asset", "id": 309}]}, multi_entity_update_modes=modes)
    rows = shotgun.find("Shot", [["id", "in", [234, 235]]], ["assets"])
    held = [{asset["id"] for asset in row["assets"]} for row in rows]
    assert held == [{301, 302, 309, 310}, {302, 303, 309}]
    session.fetch(shots, ["assets"], force=True)
    assert [{asset["id"] for asset in shot["assets"]} for shot in shots] == held


@pytest.mark.parametrize("id", [None, "234", True, {"code": "x"}])
def test_update_without_an_id_is_refused(session: Session, costs: Costs, id: Any) -> None:
    """A type alone does not say what to write to; nothing is sent."""
    with costs(0), pytest.raises(ValueError, match="id is an integer"):
        session.update("Shot", id, {"code": "x"})


@pytest.mark.parametrize("wrong", [{"type": "Shot", "id": 234}, [{"type": "Shot", "id": 234}], 234])
def test_update_of_what_is_no_entity_is_refused(session: Session, costs: Costs, wrong: Any) -> None:
    """A raw dict is no entity of the session: a `TypeError`, and nothing is sent."""
    with costs(0), pytest.raises(TypeError, match="not an entity"):
        session.update(wrong, {"code": "x"})


def test_an_answer_that_was_under_way_does_not_undo_a_write(own_site: LocalSite, session: Session) -> None:
    """A read that started before a write of this session brings no old value back."""
    shot = session.get("Shot", 234)
    with ThreadPoolExecutor(1) as threads, own_site.hold("read") as held:
        reading = threads.submit(session.find, "Shot", [["id", "is", 234]], ["description", "sg_cut_in"])
        held.wait()
        session.update(shot, description="written meanwhile")
        held.release()
        reading.result(10)
    assert shot["description"] == "written meanwhile"
    assert shot["sg_cut_in"] == 1001


# delete and revive


DELETES = {
    "type-id": lambda session, method: getattr(session, method)("Task", 456),
    "by-name": lambda session, method: getattr(session, method)(entity_type="Task", entity_id=456),
    "entity": lambda session, method: getattr(session, method)(session.get("Task", 456, fetch=False)),
}


@pytest.mark.parametrize("form", DELETES)
def test_delete_and_revive(own_site: LocalSite, session: Session, costs: Costs, form: str) -> None:
    """Both take a type and id or an entity, cost one request, and say whether they changed anything."""
    task = session.get("Task", 456)
    with costs(4):
        assert DELETES[form](session, "delete") is True
        assert DELETES[form](session, "delete") is False
        assert task.exists(check=False) is False
        assert DELETES[form](session, "revive") is True
        assert DELETES[form](session, "revive") is False
    assert task.exists(check=False) is True


def test_the_deleted_entity_stays_in_the_session(own_site: LocalSite, session: Session, costs: Costs) -> None:
    """The session does not forget it, and links from other entities stay intact."""
    task = session.get("Task", 456)
    shot = task["entity"]
    session.delete(shot)
    with costs(0):
        assert session.get("Shot", 234) is shot
        assert task["entity"] is shot
        assert shot["code"] == "AA_001"
        assert session.filter_exists([task, shot]) == {task}


def test_a_link_to_the_deleted_is_gone_when_read_again(own_site: LocalSite, session: Session) -> None:
    """Once the site is asked again, the link is null and the back-reference removed."""
    task = session.get("Task", 456)
    shot = task["entity"]
    session.delete("Shot", 234)
    session.fetch([task], ["entity"], force=True)
    assert task["entity"] is None
    assert task not in shot.backrefs[("Task", "entity")]


# batch


def test_batch(own_site: LocalSite, session: Session, costs: Costs) -> None:
    """Creates and updates give entities, deletes give bools, in their order; one request."""
    task, shot = session.get("Task", 456), session.get("Shot", 234)
    with costs(1):
        created, updated, deleted = session.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Task",
                    "data": {"content": "Roto", "entity": shot, "project": PROJECT},
                },
                {"request_type": "update", "entity_type": "Shot", "entity_id": 234, "data": {"code": "X"}},
                {"request_type": "delete", "entity_type": "Task", "entity_id": 456},
            ]
        )
    assert created["content"] == "Roto"
    assert created["entity"] is shot is updated
    assert created in shot.backrefs[("Task", "entity")]
    assert shot["code"] == "X"
    assert deleted is True
    assert task.exists(check=False) is False


def test_a_batch_happens_whole_or_not_at_all(
    own_site: LocalSite, session: Session, shotgun: Any, costs: Costs
) -> None:
    """Where the site refuses one, none is written, and the session learns nothing of them."""
    shot = session.get("Shot", 234)
    with costs(1), pytest.raises(shotgun_api3.Fault):
        session.batch(
            [
                {"request_type": "update", "entity_type": "Shot", "entity_id": 234, "data": {"code": "X"}},
                {"request_type": "update", "entity_type": "Shot", "entity_id": 99_999, "data": {"code": "X"}},
            ]
        )
    assert shot["code"] == "AA_001"
    assert shotgun.find_one("Shot", [["id", "is", 234]], ["code"])["code"] == "AA_001"


@pytest.mark.parametrize(
    "requests",
    [
        [{"request_type": "destroy", "entity_type": "Shot"}],
        [{"entity_type": "Shot", "data": {}}],
        [{"request_type": "create", "data": {}}],
        [{"request_type": "update", "entity_type": "Shot", "data": {}}],
        [{"request_type": "delete", "entity_type": "Shot"}],
        ["create"],
        "create",
    ],
)
def test_a_malformed_batch_is_refused(session: Session, costs: Costs, requests: Any) -> None:
    """What is no request is a `ValueError` before anything is sent."""
    with costs(0), pytest.raises(ValueError):
        session.batch(requests)


def test_an_empty_batch(session: Session, costs: Costs) -> None:
    """Nothing to do is nothing to send."""
    with costs(0):
        assert session.batch([]) == []


# Entities in arguments


def cyclic_shot(session: Session) -> Entity:
    """A shot that leads back to itself by its tasks, and by a plain dict and list as well."""
    shot: Entity = session.get("Shot", 234, ["tasks"])
    session.fetch(shot["tasks"], ["entity"])
    assert shot["tasks"][0]["entity"] is shot
    plain: dict[str, Any] = {"shot": shot}
    plain["self"] = [plain]
    shot["plain"] = plain
    return shot


def test_cyclic_entities_are_sent_as_type_and_id(own_site: LocalSite, session: Session, costs: Costs) -> None:
    """Whatever an entity is linked to, writes and reads with it as an argument work."""
    shot = cyclic_shot(session)
    with costs(5):
        task = session.create("Task", content="Roto", entity=shot, project=shot["project"])
        assert task in session.find("Task", [["entity", "is", shot]])
        session.update(task, notes=[], entity=shot)
        session.batch(
            [
                {
                    "request_type": "update",
                    "entity_type": "Task",
                    "entity_id": task["id"],
                    "data": {"entity": shot},
                }
            ]
        )
        session.summarize("Task", [["entity", "is", shot]], [{"field": "id", "type": "count"}])


def test_proxied_methods_take_entities(session: Session, costs: Costs) -> None:
    """What the session does not name works with entities as arguments too, cyclic ones included."""
    project = session.get("Project", 123)
    project["shots"] = [cyclic_shot(session)]
    with costs(2) as requests:
        assert "code" in session.schema_field_read("Shot", "code", project)
        assert "Shot" in session.schema_entity_read(project_entity=project)
    assert all(request.params["project"] == PROJECT for request in requests if "project" in request.params)


def test_values_of_every_kind_travel(own_site: LocalSite, session: Session, shotgun: Any) -> None:
    """Dates, moments, numbers, texts beyond ASCII and lists of links are written and read back."""
    moment = datetime(2025, 9, 12, 8, 30, tzinfo=timezone.utc)
    data = {"content": "Größe 東京 🎬", "start_date": "2025-09-15", "due_date": "2025-09-17"}
    data["task_assignees"] = [{"type": "HumanUser", "id": 11}]
    task = session.create("Task", {**data, "project": PROJECT})
    session.fetch([task], list(data), force=True)
    assert task["content"] == "Größe 東京 🎬"
    assert task["due_date"] == "2025-09-17"
    assert [person["id"] for person in task["task_assignees"]] == [11]
    assert shotgun.find_one("Task", [["created_at", "greater_than", moment], ["id", "is", task["id"]]])
