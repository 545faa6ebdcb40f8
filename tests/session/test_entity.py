"""1.3 sgsession.Entity. Pickling has a file of its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from sgsession import Entity, EntityNotFoundError, FieldNotLoadedError, Session, SessionError, minimize
from sgsession.site import LocalSite

from .conftest import Costs


@pytest.fixture
def task(offline: Session) -> Entity:
    """A task of a shot of a project, without a site."""
    project = {"type": "Project", "id": 3, "name": "Demo"}
    shot = {"type": "Shot", "id": 2, "code": "AA", "project": project}
    return offline.merge({"type": "Task", "id": 1, "content": "Anim", "entity": shot, "project": project})  # type: ignore[no-any-return]


# 1.3.1 Entity Management


def test_the_constructor(offline: Session) -> None:
    """`Entity(type, id, session)` makes an entity of the session; a second one of the same key is refused."""
    shot = Entity("Shot", 7, offline)
    assert shot.session is offline
    assert dict(shot) == {"type": "Shot", "id": 7}
    assert offline.merge({"type": "Shot", "id": 7, "code": "A"}) is shot
    with pytest.raises(ValueError, match="Shot:7"):
        Entity("Shot", 7, offline)


def test_minimal(task: Entity) -> None:
    """`minimal` is a plain dict of type and id, a new one each time."""
    assert task.minimal == {"type": "Task", "id": 1}
    assert type(task.minimal) is dict
    task.minimal["id"] = 99
    assert task["id"] == 1


def test_as_dict(task: Entity) -> None:
    """The first mention of an entity has all its fields, later ones type and id; all are plain dicts."""
    result = task.as_dict()
    first, later = result["entity"]["project"], result["project"]
    if "name" not in first:
        first, later = later, first
    assert first == {"type": "Project", "id": 3, "name": "Demo"}
    assert later == {"type": "Project", "id": 3}
    assert (result["content"], result["entity"]["code"]) == ("Anim", "AA")
    assert type(result) is type(result["entity"]) is type(first) is dict


def test_as_dict_merges_into_an_equal_graph(session: Session, costs: Costs) -> None:
    """Serialised as JSON and merged into another session, everything is there again, links both ways."""
    tasks = session.find("Task", [["entity", "is", {"type": "Shot", "id": 234}]])
    session.fetch_hierarchy(tasks)
    shot = tasks[0]["entity"]
    session.fetch([shot], ["tasks", "assets"])
    with costs(0):
        text = json.dumps(shot.as_dict(), default=str)
        other = Session(False)
        again = other.merge(json.loads(text))
        assert json.dumps(again.as_dict(), default=str) == text
        assert again["tasks"][0]["entity"] is again
        assert again in again["sg_sequence"].backrefs[("Shot", "sg_sequence")]


def test_as_dict_of_cycles_and_chains(offline: Session) -> None:
    """Entities that link to each other end in type and id; ten thousand in a row are no recursion."""
    offline.merge(
        {"type": "Asset", "id": 1, "parent": {"type": "Asset", "id": 2, "parent": {"type": "Asset", "id": 1}}}
    )
    result = offline.merge({"type": "Asset", "id": 1}).as_dict()
    assert result["parent"]["parent"] == {"type": "Asset", "id": 1}
    offline.merge(
        [{"type": "Shot", "id": id, "next": {"type": "Shot", "id": id + 1}} for id in range(10_000)]
    )
    shown = offline.merge({"type": "Shot", "id": 0}).as_dict()
    for _ in range(10_000):
        shown = shown["next"]
    assert shown == {"type": "Shot", "id": 10_000}


def test_as_dict_copies_plain_values(offline: Session) -> None:
    """Lists and dicts of the result may be changed without the session noticing."""
    shot = offline.merge({"type": "Shot", "id": 1, "tags": ["a"], "plain": {"x": [1]}})
    result = shot.as_dict()
    result["tags"].append("b")
    result["plain"]["x"].append(2)
    assert (shot["tags"], shot["plain"]) == (["a"], {"x": [1]})


def test_pprint(task: Entity, printed: Callable[[], str]) -> None:
    """Fields in order, links indented, a second mention shortened."""
    task.pprint()
    assert printed() == (
        "Task:1 at 0x; {\n"
        "  content = 'Anim'\n"
        "  entity = Shot:2 at 0x; {\n"
        "    code = 'AA'\n"
        "    project = Project:3 at 0x; {\n"
        "      name = 'Demo'\n"
        "    }\n"
        "  }\n"
        "  project = Project:3 at 0x; ...\n"
        "}\n"
    )


def test_pprint_at_a_depth(task: Entity, printed: Callable[[], str]) -> None:
    """`depth` indents every line by so many levels."""
    task.pprint()
    flat = printed().splitlines()
    task.pprint(depth=2)
    assert printed().splitlines() == ["    " + line for line in flat]


def test_pprint_with_backrefs(task: Entity, printed: Callable[[], str]) -> None:
    """Back-references are left out unless they are asked for: all, some levels, or by type and field."""
    shot = task["entity"]
    shot.pprint()
    assert "Task:1" not in printed()
    for backrefs in (True, 1, [("Task", "entity")]):
        shot.pprint(backrefs)
        assert "Task:1 at 0x; {" in printed()
    shot.pprint([("Version", "entity")])
    assert "Task:1" not in printed()


def test_pprint_shows_lists_of_links(offline: Session, printed: Callable[[], str]) -> None:
    """Each member of a multi-entity field has its place; plain lists print as they are."""
    shot = offline.merge(
        {"type": "Shot", "id": 1, "assets": [{"type": "Asset", "id": 2, "code": "Mira"}], "tags": ["a"]}
    )
    shot.pprint()
    text = printed()
    assert "Asset:2 at 0x; {" in text
    assert "code = 'Mira'" in text
    assert "tags = ['a']" in text


def test_pprint_of_a_cycle(offline: Session, printed: Callable[[], str]) -> None:
    """What links to itself is printed once."""
    shot = offline.merge({"type": "Shot", "id": 1})
    shot["self"] = shot
    shot.pprint(backrefs=True)
    assert printed().count("{") == 1


def test_exists(session: Session, costs: Costs) -> None:
    """True or False when it is known, None when it is not and nobody asks."""
    there, gone = session.merge([{"type": "Shot", "id": 234}, {"type": "Shot", "id": 99_999}])
    with costs(0):
        assert there.exists(check=False) is None
    with costs(2):
        assert (there.exists(), gone.exists()) == (True, False)
    with costs(0):
        assert (there.exists(), gone.exists()) == (True, False)
        assert there.exists(check=False) is True


def test_exists_by_force(own_site: LocalSite, session: Session, shotgun: Any, costs: Costs) -> None:
    """`force` always asks."""
    shot = session.get("Shot", 234)
    shotgun.delete("Shot", 234)
    with costs(0):
        assert shot.exists() is True
    with costs(1):
        assert shot.exists(force=True) is False


# 1.3.2 Retrieving Data


def test_get(task: Entity) -> None:
    """One field gives its value, a list or tuple a tuple of values, and what is not known the default."""
    assert task.get("content") == "Anim"
    assert task.get(["content", "id"]) == ("Anim", 1)
    assert task.get(("content", "due_date"), "?") == ("Anim", "?")
    assert task.get("due_date") is None
    assert task.get("due_date", default=3) == 3
    assert task.get("entity.Shot.code") == "AA"
    assert task.get([]) == ()


def test_get_of_a_known_null(offline: Session) -> None:
    """A field that is known to be empty is None, whatever the default."""
    assert offline.merge({"type": "Shot", "id": 1, "code": None}).get("code", "default") is None


def test_get_costs_nothing(session: Session, costs: Costs) -> None:
    """`get` never asks the site."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(0):
        assert shot.get("code", "not fetched") == "not fetched"


def test_fetch(session: Session, costs: Costs) -> None:
    """One field gives its value, several a tuple; asked once, then known."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1):
        assert shot.fetch("code") == "AA_001"
    with costs(1):
        assert shot.fetch(["code", "sg_cut_in"]) == ("AA_001", 1001)
    with costs(0):
        assert shot.fetch(("sg_cut_in", "code")) == (1001, "AA_001")


@pytest.mark.parametrize(
    "form", [list, tuple, dict.fromkeys, lambda fields: dict.fromkeys(fields).keys(), iter]
)
def test_fields_in_any_collection(session: Session, costs: Costs, form: Callable[[list[str]], Any]) -> None:
    """Whatever holds the names of fields, `fetch` and `get` give a tuple of their values."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1):
        assert shot.fetch(form(["sg_cut_in", "code"])) == (1001, "AA_001")
    with costs(0):
        assert shot.get(form(["sg_cut_in", "code"])) == (1001, "AA_001")


def test_a_set_of_fields(session: Session, costs: Costs) -> None:
    """A set is a collection of fields too, of however many."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1):
        assert shot.fetch({"code"}) == ("AA_001",)
        assert shot.get(frozenset({"code"})) == ("AA_001",)


def test_braces_in_fetch(session: Session, costs: Costs) -> None:
    """A text with braces stands for several fields: their values come as a tuple."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1):
        assert shot.fetch("sg_cut_{in,out}") == (1001, 1096)


def test_fetch_a_deep_field(session: Session, costs: Costs) -> None:
    """Deep fields give their values, wherever they landed."""
    task = session.merge({"type": "Task", "id": 456})
    with costs(1):
        assert task.fetch("entity.Shot.sg_sequence.Sequence.code") == "AA"
    assert task["entity"]["sg_sequence"]["code"] == "AA"


def test_fetch_with_a_default(session: Session, costs: Costs) -> None:
    """The default stands in for a field that the site does not have, not for one that is empty."""
    shot = session.merge({"type": "Shot", "id": 245})
    with costs(1):
        assert shot.fetch(["sg_no_such_field", "sg_sequence"], default=7) == (7, None)
    with costs(0):
        assert shot.fetch("sg_no_such_field", 8) == 8


def test_fetch_by_force(own_site: LocalSite, session: Session, shotgun: Any, costs: Costs) -> None:
    """`force` asks again."""
    shot = session.get("Shot", 234)
    shotgun.update("Shot", 234, {"code": "new"})
    with costs(1):
        assert shot.fetch("code", force=True) == "new"


def test_fetch_of_a_missing_row(session: Session, costs: Costs) -> None:
    """An entity that is not on the site raises, also with a default: that is for fields."""
    with costs(1), pytest.raises(EntityNotFoundError, match="Shot:99999"):
        session.merge({"type": "Shot", "id": 99_999}).fetch("code", default=None)


def test_the_shortcuts(session: Session, costs: Costs) -> None:
    """`fetch_core`, `fetch_backrefs` and `fetch_heirarchy` of an entity do as the session's do."""
    shot = session.merge({"type": "Shot", "id": 234})
    with costs(1):
        shot.fetch_core()
    with costs(1):
        shot.fetch_backrefs("Task", "entity")
    with costs(at_most=1):
        assert [each["type"] for each in shot.fetch_heirarchy()] == ["Shot", "Sequence", "Project"]
    assert len(shot.backrefs[("Task", "entity")]) == 3


@pytest.mark.smoke
def test_a_field_that_was_not_fetched(session: Session, costs: Costs) -> None:
    """It is a `KeyError` that says which call would load it."""
    shot = session.get("Shot", 234)
    with costs(0), pytest.raises(FieldNotLoadedError) as problem:
        shot["sg_cut_in"]
    assert isinstance(problem.value, KeyError)
    assert "Shot:234" in str(problem.value)
    assert "fetch('sg_cut_in')" in str(problem.value)


# Setting fields


def test_setting_a_field_merges_it(offline: Session) -> None:
    """A raw link becomes the session's entity, with its back-reference; so by `setdefault` and `update`."""
    task = offline.merge({"type": "Task", "id": 1})
    shot = offline.merge({"type": "Shot", "id": 2})
    task["entity"] = {"type": "Shot", "id": 2, "code": "A"}
    assert task["entity"] is shot
    assert shot["code"] == "A"
    assert task.setdefault("sg_shot", {"type": "Shot", "id": 2}) is shot
    task.update({"shots": [{"type": "Shot", "id": 2}]}, content="Anim")
    assert task["shots"] == [shot]
    assert set(shot.backrefs) == {("Task", "entity"), ("Task", "sg_shot"), ("Task", "shots")}


def test_setting_a_field_moves_links(task: Entity) -> None:
    """Setting, deleting and popping a link take its back-reference along."""
    shot = task["entity"]
    task["entity"] = {"type": "Shot", "id": 9}
    assert task not in shot.backrefs[("Task", "entity")]
    other = task.pop("entity")
    assert task not in other.backrefs[("Task", "entity")]
    assert "entity" not in task
    task["entity"] = shot
    del task["entity"]
    assert task not in shot.backrefs[("Task", "entity")]


def test_setdefault_keeps_what_is_known(task: Entity) -> None:
    """As with any dict, a known value stays, also None."""
    assert task.setdefault("content", "other") == "Anim"
    task["due_date"] = None
    assert task.setdefault("due_date", "2025-01-01") is None


def test_setting_a_deep_field(task: Entity) -> None:
    """A deep path sets the field of the linked entity."""
    task["entity.Shot.code"] = "BB"
    assert task["entity"]["code"] == "BB"
    assert "entity.Shot.code" not in list(task)


@pytest.mark.parametrize(("field", "value"), [("type", "Shot"), ("id", 7)])
def test_type_and_id_cannot_be_changed(task: Entity, field: str, value: Any) -> None:
    """They are the identity: setting, deleting and popping them is refused."""
    with pytest.raises(ValueError, match=field):
        task[field] = value
    with pytest.raises(ValueError, match=field):
        del task[field]
    with pytest.raises((ValueError, TypeError)):
        task.pop(field)
    with pytest.raises(TypeError):
        task.popitem()
    task[field] = task[field]
    assert task.key == ("Task", 1)


# Equality, hash, copies


def test_equality_of_entities(offline: Session) -> None:
    """Entities are equal when they are the same type and id of the same session."""
    shot, other = offline.merge([{"type": "Shot", "id": 1}, {"type": "Shot", "id": 2}])
    foreign = Session(False).merge({"type": "Shot", "id": 1})
    assert shot == shot.session.merge({"type": "Shot", "id": 1})
    assert shot != other
    assert shot != foreign
    assert shot.is_same_entity(foreign)
    assert shot.is_same_entity({"type": "Shot", "id": 1, "code": "x"})
    assert not shot.is_same_entity(other)


def test_equality_with_a_plain_dict(task: Entity) -> None:
    """The same keys, equal scalars, and links of the same type and id make them equal."""
    plain = {"type": "Task", "id": 1, "content": "Anim"}
    plain["entity"] = {"type": "Shot", "id": 2, "name": "whatever a client put beside"}
    assert task != plain
    plain["project"] = {"type": "Project", "id": 3}
    assert task == plain
    assert plain == task
    assert task != {**plain, "content": "Roto"}
    assert task != {**plain, "entity": {"type": "Shot", "id": 9}}
    assert task != {**plain, "entity": None}
    assert task != {**plain, "more": 1}
    assert task != "Task"
    assert task is not None


def test_equality_never_recurses(offline: Session) -> None:
    """Entities that hold each other compare like any others, with each other and with dicts."""
    one, two = offline.merge([{"type": "Shot", "id": 1}, {"type": "Shot", "id": 2}])
    one["other"], two["other"] = two, one
    assert one != two
    assert one == {"type": "Shot", "id": 1, "other": {"type": "Shot", "id": 2}}
    raw: dict[str, Any] = {"type": "Shot", "id": 1}
    raw["other"] = {"type": "Shot", "id": 2, "other": raw}
    assert one == raw


def test_hash(offline: Session) -> None:
    """Entities are members of sets and keys of dicts, by type and id, whatever they hold."""
    shot = offline.merge({"type": "Shot", "id": 1})
    before = hash(shot)
    shot["tags"] = [["not hashable"]]
    assert hash(shot) == before
    assert shot in {shot}
    assert {shot: "x"}[offline.merge({"type": "Shot", "id": 1})] == "x"


def test_copy(task: Entity) -> None:
    """A copy is a plain dict of the same fields, with the session's linked entities."""
    for copied in (task.copy(), copy.copy(task), dict(task), {**task}):
        assert type(copied) is dict
        assert copied == task
        assert copied["entity"] is task["entity"]
    copied["content"] = "Roto"
    assert task["content"] == "Anim"


def test_deepcopy_is_refused(task: Entity) -> None:
    """It would copy everything that is linked: the error names `as_dict()`, also from within a list."""
    for value in (task, [task], {"x": task}):
        with pytest.raises(Exception, match=r"as_dict\(\)"):
            copy.deepcopy(value)


def test_an_entity_is_a_dict(task: Entity) -> None:
    """Iteration, length, items, `in`, `json.dumps` and `**` work as of any dict."""
    assert list(task) == [*task.keys()]
    assert set(task) == {"type", "id", "content", "entity", "project"}
    assert len(task) == 5
    assert dict(task.items()) == dict(**task)
    assert "content" in task
    assert "due_date" not in task
    assert json.loads(json.dumps(task))["entity"]["code"] == "AA"


def test_names_and_addresses(session: Session, site: LocalSite, costs: Costs) -> None:
    """`name` is the display name as far as it is known, `url` the page on the site; neither asks."""
    task = session.get("Task", 456)
    bare = session.merge({"type": "Shot", "id": 240})
    with costs(0):
        assert (task.name, task["entity"].name, task["project"].name) == (
            "Matchmove",
            "AA_001",
            "Demo Project",
        )
        assert bare.name is None
        assert task.url == f"{site.url}/detail/Task/456" == session.get_url(task)


def test_repr(task: Entity) -> None:
    """The repr says type, id and name, and never the whole graph."""
    assert "Task:1" in repr(task)
    assert "Anim" in repr(task)
    assert len(repr(task)) < 60


def test_minimize(task: Entity) -> None:
    """`minimize` gives a copy of any structure in which entities are their type and id; Attachments keep their keys."""
    attachment = task.session.merge({"type": "Attachment", "id": 8, "url": "https://x/y", "name": "y"})
    data = {"a": task, "list": [task, 3], "tuple": (task,), "file": attachment}
    assert minimize(data) == {
        "a": {"type": "Task", "id": 1},
        "list": [{"type": "Task", "id": 1}, 3],
        "tuple": ({"type": "Task", "id": 1},),
        "file": {"type": "Attachment", "id": 8, "url": "https://x/y", "name": "y"},
    }
    assert data["a"] is task


def test_updating_in_place_merges(task: Entity) -> None:
    """`|=` is `update`: raw links become the session's entities, and the same object stays in the name."""
    same = task
    same |= {"content": "Roto", "entity": {"type": "Shot", "id": 5}}
    assert same is task
    assert task["content"] == "Roto"
    assert task["entity"] is task.session.merge({"type": "Shot", "id": 5})
    assert task in task["entity"].backrefs[("Task", "entity")]


def test_a_deep_name_is_the_display_name(session: Session, costs: Costs) -> None:
    """As the last step of a path `name` is what the site shows, under whatever field the type keeps it."""
    task = session.merge(
        {
            "type": "Task",
            "id": 1,
            "entity": {"type": "Shot", "id": 9, "code": "AA"},
            "sg_unnamed": {"type": "Shot", "id": 10},
            "sg_file": {"type": "PublishedFile", "id": 1, "code": "AA_anim"},
        }
    )
    with costs(0):
        assert "name" not in task["entity"]
        assert task["entity.Shot.name"] == "AA"
        assert "sg_unnamed.Shot.name" not in task
        # A PublishedFile has another field of that name, which nobody has read yet.
        assert "sg_file.PublishedFile.name" not in task


def test_the_name_of_a_type_that_composes_it(offline: Session) -> None:
    """A Note is shown by a name made of several fields: only what a link brought is its name."""
    shot = offline.merge({"type": "Shot", "id": 1, "notes": [{"type": "Note", "id": 1, "name": "Re: sky"}]})
    assert shot["notes"][0].name == "Re: sky"
    assert offline.merge({"type": "Note", "id": 2, "code": "not shown", "subject": "sky"}).name is None


def test_an_address_needs_an_entity_and_a_site(session: Session, offline: Session) -> None:
    """What names no entity has no page, and without a site no entity has one: each refusal says so."""
    with pytest.raises(ValueError, match="names no entity"):
        session.get_url({"type": "Shot"})
    with pytest.raises(SessionError, match="without a site"):
        offline.merge({"type": "Shot", "id": 1}).url  # noqa: B018


@pytest.mark.parametrize(("kind", "number"), [("Shot", "7"), ("Shot", True), (None, 7), ("Shot", None)])
def test_what_names_no_entity_constructs_none(offline: Session, kind: Any, number: Any) -> None:
    """A `TypeError` that shows both; the session stays as it was."""
    with pytest.raises(TypeError, match="a text as type and an integer as id"):
        Entity(kind, number, offline)
    assert len(offline.graph.identity) == 0


def test_looking_never_raises(task: Entity) -> None:
    """What is no path, or no field at all, is not there: `get` gives the default and `in` is false."""
    for wrong in ("entity.Shot", "entity.", ".", "entity..code"):
        assert task.get(wrong, "?") == "?"
        assert wrong not in task
    for wrong in (None, 7):
        assert task.get(wrong, "?") == "?"
        assert wrong not in task


def test_popping_what_is_not_there(task: Entity) -> None:
    """A `KeyError` that names entity and field; with a default the default. A field that is there goes."""
    with pytest.raises(FieldNotLoadedError, match="Task:1 holds no field 'due_date'"):
        task.pop("due_date")
    with pytest.raises(FieldNotLoadedError, match="Task:1 holds no field 'due_date'"):
        del task["due_date"]
    assert task.pop("due_date", None) is None
    assert task.pop("content") == "Anim"
    assert "content" not in task


def test_the_address_of_a_client_that_says_none(task: Entity) -> None:
    """A client without a `base_url` has no pages: the refusal says so."""
    session = Session(object())
    with pytest.raises(SessionError, match="does not say where its site is"):
        session.get_url({"type": "Shot", "id": 7})
