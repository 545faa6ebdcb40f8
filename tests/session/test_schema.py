"""Schema: names that a studio gives, names that the site does not have, and both before any request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shotgun_api3

from sgsession import Schema, Session, UnknownNameError
from sgsession.site import LocalSite

from .conftest import Costs


@pytest.fixture(scope="module")
def fields(demo_site: LocalSite) -> dict[str, Any]:
    """What `schema_read()` of the demo returns."""
    client = demo_site.connect()
    found: dict[str, Any] = client.schema_read()
    client.close()
    return found


@pytest.fixture
def strict(new_session: Callable[..., Session], fields: dict[str, Any]) -> Session:
    """A session that was given its site's schema and the studio's names."""
    schema = Schema(
        fields,
        type_aliases={"Publish": "PublishedFile"},
        field_aliases={
            "Shot": {"status": "sg_status_list", "cut": "sg_cut_in"},
            "Task": {"on": "entity"},
            "PublishedFile": {"number": "version_number"},
        },
    )
    return new_session(Session, schema)


def test_a_schema_answers_without_a_site(fields: dict[str, Any]) -> None:
    """Types, fields, data types and link targets, as `schema_read()` gave them."""
    schema = Schema(fields)
    assert {"Task", "Shot", "Project"} <= set(schema.types)
    assert "code" in schema.fields("Shot")
    assert schema.data_type("Task", "entity") == "entity"
    assert schema.data_type("Shot", "assets") == "multi_entity"
    assert schema.link_types("Task", "step") == ("Step",)
    assert schema.data_type("Shot", "sg_nope") is None


def test_an_empty_schema_knows_and_refuses_nothing(session: Session, costs: Costs) -> None:
    """Without a schema no name is refused by the session: the site decides."""
    assert Schema().types == []
    with costs(1), pytest.raises(shotgun_api3.Fault):
        session.find("Shit", [])


def test_a_session_takes_the_schema_as_it_was_read(
    new_session: Callable[..., Session], fields: dict[str, Any], costs: Costs
) -> None:
    """`Session(client, schema_read())` will do."""
    session = new_session(Session, fields)
    assert "Shot" in session.schema.types
    with costs(0), pytest.raises(UnknownNameError):
        session.find("Shit", [])


WRONG: dict[str, tuple[Callable[[Session], Any], str]] = {
    "type": (lambda s: s.find("Shott", []), "Shot"),
    "type-one": (lambda s: s.find_one("task", []), "Task"),
    "type-get": (lambda s: s.get("Taks", 456), "Task"),
    "type-create": (lambda s: s.create("Sequense", code="x"), "Sequence"),
    "type-summarize": (lambda s: s.summarize("Shott", [], []), "Shot"),
    "field": (lambda s: s.find("Shot", [], ["sg_cut_inn"]), "sg_cut_in"),
    "deep-field": (lambda s: s.find("Task", [], ["entity.Shot.codee"]), "code"),
    "deep-type": (lambda s: s.find("Task", [], ["entity.Shott.code"]), "Shot"),
    "filter": (lambda s: s.find("Shot", [["coda", "is", "x"]]), "code"),
    "nested-filter": (
        lambda s: s.find("Shot", [{"filter_operator": "any", "filters": [["coda", "is", "x"]]}]),
        "code",
    ),
    "deep-filter": (lambda s: s.find("Task", [["entity.Shot.coda", "is", "x"]]), "code"),
    "order": (lambda s: s.find("Shot", [], [], [{"field_name": "coda", "direction": "asc"}]), "code"),
    "data": (lambda s: s.create("Shot", coda="x"), "code"),
    "update": (lambda s: s.update("Shot", 234, coda="x"), "code"),
    "batch": (
        lambda s: s.batch([{"request_type": "create", "entity_type": "Shot", "data": {"coda": 1}}]),
        "code",
    ),
    "fetch": (lambda s: s.fetch([s.merge({"type": "Shot", "id": 234})], ["coda"]), "code"),
    "fetch-deep": (lambda s: s.fetch([s.merge({"type": "Task", "id": 456})], ["entity.Shot.coda"]), "code"),
    "backrefs": (
        lambda s: s.fetch_backrefs([s.merge({"type": "Shot", "id": 1})], "Task", "entitty"),
        "entity",
    ),
    "return-fields": (lambda s: s.create("Shot", {"code": "x"}, ["sg_cut_inn"]), "sg_cut_in"),
    "find-iter": (lambda s: next(s.find_iter("Shot", [], ["sg_cut_inn"])), "sg_cut_in"),
    "get-fields": (lambda s: s.get("Shot", 234, ["sg_cut_inn"]), "sg_cut_in"),
}


@pytest.mark.parametrize("case", WRONG)
def test_unknown_names_are_refused_before_any_request(strict: Session, costs: Costs, case: str) -> None:
    """With a schema, a name that the site does not have is a `ValueError` that names the nearest; 0 requests."""
    call, nearest = WRONG[case]
    with costs(0), pytest.raises(UnknownNameError) as problem:
        call(strict)
    assert isinstance(problem.value, ValueError)
    assert f"Did you mean {nearest}" in str(problem.value) or f" or {nearest}" in str(problem.value)


def test_a_name_like_no_other(strict: Session) -> None:
    """Where nothing is near, nothing is suggested."""
    with pytest.raises(UnknownNameError, match="no field 'zzzzzzzz'") as problem:
        strict.find("Shot", [], ["zzzzzzzz"])
    assert "Did you mean" not in str(problem.value)


def test_known_names_pass(strict: Session, costs: Costs) -> None:
    """Fields, deep fields, `name` as a deep leaf, reverse walks, id and type are no mistakes."""
    with costs(2):
        task = strict.find_one(
            "Task", [["entity.Shot.sg_sequence.Sequence.code", "is", "AA"]], ["entity.Shot.name"]
        )
        shot = strict.find_one(
            "Shot", [["id", "is", 234], ["$FROM$Task.entity.content", "is", "Matchmove"]], ["id"]
        )
    assert task["entity"] is shot


@pytest.mark.parametrize("wrong", [None, 7, ["Shot"]])
def test_a_type_is_named_by_a_text(session: Session, costs: Costs, wrong: Any) -> None:
    """Anything else is refused by what was written, with a schema or without one; 0 requests."""
    with costs(0), pytest.raises(UnknownNameError, match="named by a text"):
        session.find(wrong, [])


def test_a_schema_is_printed_as_its_size(fields: dict[str, Any]) -> None:
    """Its repr does not spill thousands of fields."""
    assert repr(Schema(fields)) == f"<Schema of {len(fields)} types>"


# Aliases


def test_aliases_in_reads(strict: Session, costs: Costs) -> None:
    """`$name` may stand for types and fields in filters, fields, orders and deep paths; the site gets its own names."""
    order = [{"field_name": "$cut", "direction": "asc"}]
    with costs(2) as requests:
        shot = strict.find_one("Shot", [["$status", "is", "fin"], ["id", "is", 234]], ["$cut"], order)
        published = strict.find_one("$Publish", [["$number", "is", 1]], ["task.Task.$on"])
    assert shot["sg_cut_in"] == 1001
    assert published["type"] == "PublishedFile"
    assert published["task"]["entity"] is shot
    assert "$" not in str([request.params for request in requests])


def test_aliases_in_braces_and_fetch(strict: Session, costs: Costs) -> None:
    """They expand, and are fetched and known under the site's names."""
    shot = strict.get("Shot", 234)
    with costs(1):
        strict.fetch([shot], ["{$cut,$status}"])
    assert (shot["sg_cut_in"], shot["sg_status_list"]) == (1001, "fin")
    with costs(0):
        strict.fetch([shot], ["$cut", "sg_status_list"])


def test_aliases_in_writes(own_site: LocalSite, strict: Session, shotgun: Any, costs: Costs) -> None:
    """Data may be written under them: create, update and batch."""
    with costs(3):
        shot = strict.create("Shot", {"code": "x", "$status": "ip"}, project={"type": "Project", "id": 123})
        strict.update(shot, {"$cut": 7})
        update = {
            "request_type": "update",
            "entity_type": "Shot",
            "entity_id": shot["id"],
            "data": {"$cut": 8},
        }
        strict.batch([update])
    row = shotgun.find_one("Shot", [["id", "is", shot["id"]]], ["sg_status_list", "sg_cut_in"])
    assert (row["sg_status_list"], row["sg_cut_in"]) == ("ip", 8)


def test_aliases_of_an_entitys_own_methods(strict: Session, costs: Costs) -> None:
    """`entity.fetch` returns what it fetched, however it was named."""
    shot = strict.get("Shot", 234)
    with costs(1):
        assert shot.fetch("$cut") == 1001
        assert shot.fetch(["$cut", "code"]) == (1001, "AA_001")


@pytest.mark.parametrize(
    "call", [lambda s: s.find("$Publisch", []), lambda s: s.find("Shot", [], ["$statsu"])]
)
def test_an_unknown_alias(strict: Session, costs: Costs, call: Callable[[Session], Any]) -> None:
    """A mistyped alias is refused with the nearest one, before any request."""
    with costs(0), pytest.raises(UnknownNameError, match=r"Did you mean \$"):
        call(strict)


def test_looking_at_an_entity_by_alias(strict: Session, costs: Costs) -> None:
    """`in`, `[]` and `get` take aliases, deep ones too; what is no alias is not there, and no error."""
    task = strict.find_one("Task", [["id", "is", 456]], ["entity.Shot.$cut"])
    with costs(0):
        assert task["$on"]["$cut"] == task["$on.Shot.$cut"] == 1001
        assert task.get(["$on.Shot.$cut", "$due"], "?") == (1001, "?")
        assert "$on" in task
        assert "$due" not in task
        with pytest.raises(KeyError, match=r"\$due"):
            task["$due"]


def test_typed_references_are_held_to_the_schema(strict: Session, costs: Costs) -> None:
    """A type that the site does not have is refused as user input too; letters are taken in any case."""
    with costs(0):
        assert strict.parse_user_input("publishedfile:701").key == ("PublishedFile", 701)
        with pytest.raises(ValueError, match="Shott"):
            strict.parse_user_input("Shott:7")


def test_a_dollar_that_is_no_alias_is_part_of_the_path(strict: Session, costs: Costs) -> None:
    """Looking for a reverse walk, `$FROM$`, beside aliases finds what is known under it, and nothing else."""
    with costs(0):
        shot = strict.merge({"type": "Shot", "id": 234})
        assert shot.get("$FROM$Task.entity.content", "?") == "?"
        assert "$FROM$Task" not in shot


def test_aliases_and_braces_in_what_is_important(strict: Session, costs: Costs) -> None:
    """They stand for fields there as everywhere: nothing is asked for under such a name, and nothing twice."""
    strict.important_fields = {"Shot": ["$status", "{code,description}"], "Task": ["content"]}
    strict.important_links = {"Task": {"$on": ["Shot"]}}
    strict.parent_fields = {"Task": "$on", "Shot": "sg_sequence", "Sequence": "project"}
    with costs(1):
        task = strict.find_one("Task", [["id", "is", 456]])
        shot = task["entity"]
        assert {"sg_status_list", "code", "description"} <= shot.keys()
        task.fetch_core()
        shot.fetch_core()
    with costs(1):
        assert shot in strict.fetch_hierarchy(task)
    with costs(0):
        strict.fetch_hierarchy(task)
        strict.fetch_core([task, shot])


def test_an_alias_that_is_important_for_all_and_that_a_type_lacks(strict: Session, costs: Costs) -> None:
    """It is left out there, as a field would be; in what is important of that type it is refused."""
    strict.important_fields_for_all = ["{$status,updated_at}"]
    with costs(2):
        shot, project = strict.find_one("Shot", []), strict.find_one("Project", [])
    assert {"sg_status_list", "updated_at"} <= shot.keys()
    assert "updated_at" in project
    with costs(1) as requests:
        strict.get("Shot", 235, ["description"])
    assert not any("$" in field for field in requests[0].params["return_fields"])
    strict.important_fields = {"Project": ["$status"]}
    with costs(0), pytest.raises(UnknownNameError, match="status"):
        strict.find_one("Project", [])


def test_type_and_id_have_aliases_that_are_not_removed(new_session: Callable[..., Session]) -> None:
    """What names an entity stays, however it is written."""
    session = new_session(Session, Schema(field_aliases={"Shot": {"number": "id"}}))
    shot = session.merge({"type": "Shot", "id": 234})
    for remove in (shot.pop, shot.__delitem__):
        with pytest.raises(ValueError, match="The id of an entity cannot be removed"):
            remove("$number")
    assert shot.key == ("Shot", 234)


def test_removing_by_alias(strict: Session) -> None:
    """What an alias has set, it removes; what is no alias is not there."""
    shot = strict.merge({"type": "Shot", "id": 234})
    shot["$status"] = "ip"
    del shot["$status"]
    assert "sg_status_list" not in shot
    strict.merge({"type": "Shot", "id": 234, "$status": "as written"}, resolve=False)
    shot["sg_status_list"] = "ip"
    shot.clear()
    assert dict(shot) == {"type": "Shot", "id": 234}
    shot["$status"] = "fin"
    assert shot.pop("$status") == "fin"
    assert shot.pop("$status", "?") == shot.pop("$nope", "?") == "?"
    with pytest.raises(KeyError, match=r"holds no field '\$nope'"):
        del shot["$nope"]
