"""1.1.4 Caching, Merging, and Backrefs, and `Session.merge` of 1.2.1."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sgsession import Entity, Schema, Session
from sgsession.site import LocalSite

from .conftest import Costs

EARLY, LATE = "2020-01-01T10:00:00Z", "2020-01-02T10:00:00Z"


def shot(**fields: Any) -> dict[str, Any]:
    """A raw Shot, always the same one."""
    return {"type": "Shot", "id": 1, **fields}


# What a find brings


@pytest.mark.smoke
def test_later_fields_reach_earlier_entities(session: Session, costs: Costs) -> None:
    """A field that a second find fetches is there on the entity of the first."""
    with costs(1):
        a = session.find_one("Task", [("content", "is", "Matchmove")])
    assert "sg_status_list" not in a
    with costs(1):
        session.find_one("Task", [("content", "is", "Matchmove")], ["sg_status_list"])
    assert a["sg_status_list"] == "fin"


@pytest.mark.smoke
def test_deep_fields_land_on_the_linked_entity(session: Session, costs: Costs) -> None:
    """`entity.Shot.code` is the code of `x['entity']`, and still answers under its own path."""
    with costs(1):
        x = session.find_one("Task", [], ["entity.Shot.sg_cut_in"])
        assert x["entity"]["sg_cut_in"] == 1001
        assert x["entity.Shot.sg_cut_in"] == 1001
        assert "entity.Shot.sg_cut_in" in x


@pytest.mark.smoke
def test_links_populate_backrefs(session: Session, costs: Costs) -> None:
    """The far side of a link knows from where it is linked."""
    with costs(1):
        task = session.find_one("Task", [], ["entity"])
        assert task in task["entity"].backrefs[("Task", "entity")]


def test_backrefs_hold_all_that_link_here_in_order(session: Session, costs: Costs) -> None:
    """Back-references are a sequence in the order in which they were seen, each once."""
    with costs(2):
        for _ in range(2):
            tasks = session.find("Task", [["entity", "is", {"type": "Shot", "id": 234}]])
    refs = tasks[0]["entity"].backrefs[("Task", "entity")]
    assert list(refs) == tasks
    assert (refs[0], refs[-1], len(refs)) == (tasks[0], tasks[-1], 3)


def test_multi_entity_links_populate_backrefs(session: Session, costs: Costs) -> None:
    """Each member of a list of links knows the list's owner."""
    with costs(1):
        found = session.find_one("Shot", [["id", "is", 234]], ["assets"])
    assert [asset.key for asset in found["assets"]] == [("Asset", 301), ("Asset", 302)]
    assert all(found in asset.backrefs[("Shot", "assets")] for asset in found["assets"])


def test_answers_win_over_what_is_known(session: Session, costs: Costs) -> None:
    """What a find brings replaces what was merged before, however new that claims to be."""
    known = session.merge(
        {"type": "Shot", "id": 234, "code": "mistaken", "updated_at": "2999-01-01T00:00:00Z"}
    )
    with costs(1):
        session.find_one("Shot", [["id", "is", 234]], ["code"])
    assert known["code"] == "AA_001"


def test_merge_false_leaves_the_session_alone(session: Session, costs: Costs) -> None:
    """`find(merge=False)` gives the client's rows: plain dicts, and nothing is remembered."""
    with costs(1):
        [row] = session.find("Shot", [["id", "is", 234]], ["code"], merge=False)
    assert type(row) is dict
    assert row["code"] == "AA_001"
    assert session.get("Shot", 234, fetch=False) is None


# What merge returns


def test_merging_costs_no_request(session: Session, costs: Costs) -> None:
    """Merging is local, also on a session with a site."""
    with costs(0):
        assert session.merge(shot(code="A")) is session.get("Shot", 1)


def test_merge_returns_the_entity(offline: Session) -> None:
    """A raw entity becomes the session's entity, the same one each time, with all that was merged."""
    first = offline.merge(shot(code="A"))
    second = offline.merge(shot(sg_cut_in=1001))
    assert isinstance(first, Entity)
    assert first is second
    assert dict(first) == shot(code="A", sg_cut_in=1001)


def test_merge_returns_a_copy_of_what_is_around(offline: Session) -> None:
    """Lists, tuples and dicts come back as new ones of the same kind, with entities inside."""
    data = {"list": [shot()], "tuple": (shot(), 3), "dict": {"deep": [{"x": shot()}]}, "text": "x"}
    before = repr(data)
    merged = offline.merge(data)
    entity = offline.get("Shot", 1, fetch=False)
    assert merged == {
        "list": [entity],
        "tuple": (entity, 3),
        "dict": {"deep": [{"x": entity}]},
        "text": "x",
    }
    assert merged["list"][0] is merged["tuple"][0] is merged["dict"]["deep"][0]["x"] is entity
    assert merged["list"] is not data["list"]
    assert repr(data) == before
    assert type(data["list"][0]) is dict


@pytest.mark.parametrize(
    "lookalike",
    [
        {"type": "Shot"},
        {"id": 1},
        {"type": "Shot", "id": "1"},
        {"type": "Shot", "id": None},
        {"type": "Shot", "id": True},
        {"type": None, "id": 1},
        {"type": 3, "id": 1},
    ],
    ids=str,
)
def test_what_only_resembles_an_entity_stays_a_dict(offline: Session, lookalike: dict[str, Any]) -> None:
    """An entity has a text as its type and an integer as its id."""
    merged = offline.merge([lookalike])
    assert merged == [lookalike]
    assert type(merged[0]) is dict


@pytest.mark.parametrize("value", [None, 3, 1.5, "text", b"bytes", datetime(2020, 1, 1), frozenset({1})])
def test_other_values_come_back_unchanged(offline: Session, value: Any) -> None:
    """What holds no entity is returned as it is."""
    assert offline.merge(value) is value


def test_nested_entities_are_linked(offline: Session) -> None:
    """Raw entities in fields become links to the session's entities."""
    task = offline.merge(
        {"type": "Task", "id": 9, "entity": shot(code="A", project={"type": "Project", "id": 3})}
    )
    assert task["entity"] is offline.merge(shot())
    assert task["entity"]["project"] in {offline.merge({"type": "Project", "id": 3})}


def test_an_entity_merges_to_itself(offline: Session) -> None:
    """Merging an entity of the session, alone or in a structure, gives that entity."""
    entity = offline.merge(shot(code="A"))
    assert offline.merge(entity) is entity
    assert offline.merge({"x": [entity]})["x"][0] is entity


def test_an_entity_of_another_session_is_refused(offline: Session) -> None:
    """Its `as_dict()` may be merged, the entity may not: it would tie two sessions together."""
    foreign = Session(False).merge(shot(code="A"))
    with pytest.raises(ValueError, match="another session"):
        offline.merge([foreign])
    assert offline.merge(foreign.as_dict())["code"] == "A"


# Which value wins


def test_the_newer_row_wins(offline: Session) -> None:
    """Without `over`, `updated_at` decides."""
    entity = offline.merge(shot(code="old", updated_at=EARLY))
    offline.merge(shot(code="new", updated_at=LATE))
    assert (entity["code"], entity["updated_at"]) == ("new", LATE)


@pytest.mark.parametrize("age", [EARLY, LATE], ids=["older", "equal"])
def test_an_older_or_equal_row_fills_gaps(offline: Session, age: str) -> None:
    """What is not newer than what is known adds fields and changes none."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    offline.merge(shot(code="other", description="gap", updated_at=age))
    assert dict(entity) == shot(code="known", description="gap", updated_at=LATE)


def test_a_row_without_an_age_was_read_now(offline: Session) -> None:
    """A new row that does not say how old it is wins."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    offline.merge(shot(code="now"))
    assert entity["code"] == "now"


def test_over_true_takes_the_new_data(offline: Session) -> None:
    """`over=True`: the new values win, however old they are."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    offline.merge(shot(code="older", updated_at=EARLY), over=True)
    assert (entity["code"], entity["updated_at"]) == ("older", EARLY)


def test_over_false_keeps_the_old_data(offline: Session) -> None:
    """`over=False`: known values stay, however new the others are; gaps are filled."""
    entity = offline.merge(shot(code="known", updated_at=EARLY))
    offline.merge(shot(code="newer", description="gap", updated_at=LATE), over=False)
    assert dict(entity) == shot(code="known", description="gap", updated_at=EARLY)


@pytest.mark.parametrize(("over", "code"), [(True, "new"), (False, "known")])
def test_over_holds_for_what_is_nested(offline: Session, over: bool, code: str) -> None:
    """`over` decides for every entity in the data, at any depth."""
    entity = offline.merge(shot(code="known", updated_at=LATE if over else EARLY))
    new = shot(code="new", updated_at=EARLY if over else LATE)
    offline.merge([{"type": "Task", "id": 9, "entity": new}], over=over)
    assert entity["code"] == code


ZONE = timezone(timedelta(hours=2))
FORMS: list[tuple[Any, Any]] = [
    ("2020-01-01T10:00:00Z", "2020-01-01T10:00:01Z"),
    ("2020-01-01T12:00:00+02:00", "2020-01-01T10:00:01Z"),
    ("2020-01-01 10:00:00", datetime(2020, 1, 1, 12, 0, 1, tzinfo=ZONE)),
    (datetime(2020, 1, 1, 10), "2020-01-01T10:00:01Z"),
    (datetime(2020, 1, 1, 12, tzinfo=ZONE), datetime(2020, 1, 1, 10, 0, 1)),
    (1577872800, "2020-01-01T10:00:01Z"),
    ("2020-01-01T10:00:00Z", 1577872800.5),
    ("2020-01-01T10:00:00.250Z", datetime(2020, 1, 1, 10, 0, 0, 500000, tzinfo=timezone.utc)),
]


@pytest.mark.parametrize(("early", "late"), FORMS)
def test_ages_compare_in_any_form(early: Any, late: Any) -> None:
    """Texts, seconds, naive (UTC) and aware datetimes are compared as the moments that they are."""
    for known, new, winner in [(early, late, "new"), (late, early, "known")]:
        session = Session(False)
        entity = session.merge(shot(code="known", updated_at=known))
        session.merge(shot(code="new", updated_at=new))
        assert entity["code"] == winner


@pytest.mark.parametrize(
    "form", [str, datetime.fromisoformat, lambda text: datetime.fromisoformat(text).timestamp()]
)
def test_created_at_is_the_age_of_rows_without_one(offline: Session, form: Callable[[str], Any]) -> None:
    """Data that was kept for a while, `created_at` then, does not undo what is newer."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    offline.merge(shot(code="kept", description="gap"), created_at=form("2020-01-01T10:00:00+00:00"))
    assert (entity["code"], entity["description"]) == ("known", "gap")
    offline.merge(shot(code="kept"), created_at=form("2020-01-03T10:00:00+00:00"))
    assert entity["code"] == "kept"


def test_updated_at_comes_before_created_at(offline: Session) -> None:
    """A row's own age counts, whenever the data was made."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    offline.merge(shot(code="old", updated_at=EARLY), created_at="2020-02-01T00:00:00Z")
    assert entity["code"] == "known"


def test_created_at_is_remembered(offline: Session) -> None:
    """Rows without `updated_at` are compared by the `created_at` that they were merged with."""
    entity = offline.merge(shot(code="newer"), created_at=LATE)
    offline.merge(shot(code="older"), created_at=EARLY)
    assert entity["code"] == "newer"


def test_created_at_that_is_no_moment_is_refused(offline: Session) -> None:
    """A mistaken `created_at` is not taken for a missing one."""
    with pytest.raises(ValueError, match="created_at"):
        offline.merge(shot(code="A"), created_at="yesterday")


def test_a_nested_row_is_as_old_as_the_row_around_it(offline: Session) -> None:
    """A linked row without an age of its own has that of the row that holds it."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    task = {"type": "Task", "id": 9, "updated_at": EARLY, "entity": shot(code="nested", description="gap")}
    offline.merge(task)
    assert (entity["code"], entity["description"]) == ("known", "gap")


def test_a_nested_rows_own_age_counts(offline: Session) -> None:
    """A linked row that is newer than the known one wins, also out of an old row."""
    entity = offline.merge(shot(code="known", updated_at=EARLY))
    offline.merge({"type": "Task", "id": 9, "updated_at": EARLY, "entity": shot(code="own", updated_at=LATE)})
    assert entity["code"] == "own"


def test_deep_values_are_as_old_as_their_row(offline: Session) -> None:
    """A deep value out of an older row does not replace what the linked entity has."""
    entity = offline.merge(shot(code="known", updated_at=LATE))
    offline.merge(
        {"type": "Task", "id": 9, "updated_at": EARLY, "entity": shot(), "entity.Shot.code": "deep"}
    )
    assert entity["code"] == "known"


def test_an_older_link_does_not_move(offline: Session) -> None:
    """Where the older row loses, its link and the back-reference of it do not count either."""
    task = offline.merge({"type": "Task", "id": 9, "updated_at": LATE, "entity": shot()})
    offline.merge({"type": "Task", "id": 9, "updated_at": EARLY, "entity": {"type": "Shot", "id": 2}})
    other = offline.merge({"type": "Shot", "id": 2})
    assert task["entity"]["id"] == 1
    assert task not in other.backrefs[("Task", "entity")]


# Names of the schema


@pytest.fixture
def aliased() -> Session:
    """A session whose studio has names of its own."""
    schema = Schema(
        type_aliases={"Publish": "PublishedFile"}, field_aliases={"Shot": {"status": "sg_status_list"}}
    )
    return Session(False, schema)


def test_merge_resolves_aliases(aliased: Session) -> None:
    """`$status` is merged under the site's name, `$Publish` as the site's type."""
    assert dict(aliased.merge(shot(**{"$status": "fin"}))) == shot(sg_status_list="fin")
    assert aliased.merge({"type": "$Publish", "id": 7}).key == ("PublishedFile", 7)


def test_resolve_false_takes_names_as_they_are(aliased: Session) -> None:
    """Data from elsewhere, whose names may begin with a dollar, is merged literally."""
    assert dict(aliased.merge(shot(**{"$status": "fin"}), resolve=False)) == shot(**{"$status": "fin"})
    assert aliased.merge({"type": "$Publish", "id": 7}, resolve=False)["type"] == "$Publish"


# Cycles and depth


def test_cycles_through_entities(offline: Session) -> None:
    """Two raw entities that hold each other become two entities that do."""
    raw: dict[str, Any] = shot()
    raw["tasks"] = [{"type": "Task", "id": 9, "entity": raw}]
    entity = offline.merge(raw)
    [task] = entity["tasks"]
    assert task["entity"] is entity
    assert entity in task.backrefs[("Shot", "tasks")]


def test_cycles_through_plain_dicts_and_lists(offline: Session) -> None:
    """The copy of a structure that holds itself holds itself."""
    data: dict[str, Any] = {"entity": shot()}
    data["self"] = data
    data["list"] = [data]
    data["list"].append(data["list"])
    merged = offline.merge(data)
    assert merged["self"] is merged
    assert merged is not data
    assert merged["list"][0] is merged
    assert merged["list"][1] is merged["list"]


def test_a_cycle_through_a_tuple(offline: Session) -> None:
    """A tuple may hold a dict that holds the tuple."""
    inner: dict[str, Any] = {"entity": shot()}
    inner["around"] = (inner, 3)
    merged = offline.merge(inner)
    assert merged["around"][0] is merged
    assert merged["around"][1] == 3


@pytest.mark.parametrize(
    "wrap",
    [lambda inner: [inner], lambda inner: {"x": inner}, lambda inner: (inner,)],
    ids=["list", "dict", "tuple"],
)
def test_depth_is_no_limit(offline: Session, wrap: Callable[[Any], Any]) -> None:
    """Five thousand lists, dicts or tuples inside each other are merged."""
    data: Any = shot(code="A")
    for _ in range(5_000):
        data = wrap(data)
    merged = offline.merge(data)
    for _ in range(5_000):
        merged = merged["x"] if isinstance(merged, dict) else merged[0]
    assert merged is offline.get("Shot", 1, fetch=False)


def test_a_long_chain_of_entities(offline: Session) -> None:
    """Five thousand entities, each in a field of the one before, are merged and linked."""
    data: dict[str, Any] = {"type": "Asset", "id": 5_000}
    for number in range(4_999, 0, -1):
        data = {"type": "Asset", "id": number, "parent": data}
    entity = offline.merge(data)
    for _ in range(4_999):
        entity = entity["parent"]
    assert entity["id"] == 5_000


# Deep values


def test_a_deep_value_joins_its_link(offline: Session) -> None:
    """Whichever comes first in the row, the link or its deep value."""
    row = {"type": "Task", "id": 9, "entity.Shot.code": "A", "entity": shot()}
    assert offline.merge(row)["entity"]["code"] == "A"


def test_a_deeper_value_goes_all_the_way(offline: Session) -> None:
    """Two hops deep, the value lands on the second linked entity."""
    sequence = {"type": "Sequence", "id": 4}
    row = {"type": "Task", "id": 9, "entity": shot(), "entity.Shot.sg_sequence": sequence}
    row["entity.Shot.sg_sequence.Sequence.code"] = "AA"
    task = offline.merge(row)
    assert task["entity"]["sg_sequence"]["code"] == "AA"
    assert task["entity.Shot.sg_sequence.Sequence.code"] == "AA"


def test_a_deep_value_of_the_wrong_type_is_ignored(offline: Session) -> None:
    """A site gives null for `entity.Asset.code` on a Shot; the Shot's code stays, and no Asset appears."""
    row = {"type": "Task", "id": 9, "entity": shot(code="A"), "entity.Asset.code": None}
    task = offline.merge(row)
    assert task["entity"]["code"] == "A"
    assert task["entity.Asset.code"] is None


def test_a_null_link_is_none(offline: Session) -> None:
    """A null link makes the link None, and what lies behind it None too."""
    task = offline.merge({"type": "Task", "id": 9, "entity": None, "entity.Shot.code": None})
    assert task["entity"] is None
    assert task["entity.Shot.code"] is None


def test_a_deep_value_without_its_link(offline: Session) -> None:
    """A deep value whose link is not known is readable under its path, and no key."""
    task = offline.merge({"type": "Task", "id": 9, "entity.Shot.code": "A"})
    assert task["entity.Shot.code"] == "A"
    assert list(task) == ["type", "id"]


def test_deep_keys_do_not_show(session: Session, costs: Costs) -> None:
    """`keys()`, `**` and `json.dumps` show the entity's own fields only."""
    with costs(1):
        task = session.find_one("Task", [["id", "is", 456]], ["entity.Shot.code"])
    assert not [key for key in task if "." in key]
    assert not [key for key in dict(**task) if "." in key]
    assert "entity.Shot.code" not in json.dumps(task, default=str)


# Links that change


def test_back_references_follow_a_link(offline: Session) -> None:
    """When a link changes, the back-reference moves."""
    task = offline.merge({"type": "Task", "id": 9, "entity": shot()})
    old = task["entity"]
    offline.merge({"type": "Task", "id": 9, "entity": {"type": "Shot", "id": 2}})
    assert task not in old.backrefs[("Task", "entity")]
    assert task in task["entity"].backrefs[("Task", "entity")]


@pytest.mark.parametrize("gone", [None, [], "text"])
def test_back_references_go_with_their_link(offline: Session, gone: Any) -> None:
    """When a link is emptied, the back-reference is removed."""
    task = offline.merge({"type": "Task", "id": 9, "entity": shot()})
    old = task["entity"]
    offline.merge({"type": "Task", "id": 9, "entity": gone})
    assert list(old.backrefs[("Task", "entity")]) == []


def test_a_list_is_replaced_and_moved_by_the_difference(offline: Session) -> None:
    """A merged list replaces the known one; only what left or joined it changes its back-references."""

    def assets(*ids: int) -> list[dict[str, Any]]:
        return [{"type": "Asset", "id": id} for id in ids]

    first = offline.merge(shot(assets=assets(1, 2, 3)))
    later = offline.merge({"type": "Shot", "id": 2, "assets": assets(2)})
    known = {id: offline.merge({"type": "Asset", "id": id}) for id in range(1, 5)}
    offline.merge(shot(assets=assets(4, 2)))
    assert first["assets"] == [known[4], known[2]]
    holders = {id: list(asset.backrefs[("Shot", "assets")]) for id, asset in known.items()}
    assert holders == {1: [], 2: [first, later], 3: [], 4: [first]}


def test_a_list_that_names_one_twice(offline: Session) -> None:
    """An entity that leaves one of its two places in a list is still linked."""
    asset = {"type": "Asset", "id": 1}
    entity = offline.merge(shot(assets=[asset, dict(asset)]))
    offline.merge(shot(assets=[asset]))
    assert list(entity["assets"][0].backrefs[("Shot", "assets")]) == [entity]


def test_one_field_links_lists_and_single_ones_alike(offline: Session) -> None:
    """The same entity in two fields has a back-reference for each."""
    person = {"type": "HumanUser", "id": 5}
    task = offline.merge({"type": "Task", "id": 9, "task_assignees": [person], "created_by": person})
    assert set(task["created_by"].backrefs) == {("Task", "task_assignees"), ("Task", "created_by")}


def test_a_pair_without_back_references_is_empty(offline: Session) -> None:
    """Asking for back-references of which none is known gives an empty sequence, not an error."""
    entity = offline.merge(shot())
    assert list(entity.backrefs[("Task", "entity")]) == []
    assert ("Task", "entity") not in entity.backrefs


# Display names


def test_the_name_of_a_link_is_kept_as_name(offline: Session) -> None:
    """The display name that comes with a link reads as `name` where the type has no such field."""
    task = offline.merge({"type": "Task", "id": 9, "entity": shot(name="AA_001")})
    assert task["entity"]["name"] == "AA_001"
    assert task["entity"].name == "AA_001"
    assert task["entity.Shot.name"] == "AA_001"


def test_the_name_of_a_link_is_not_the_field_name(offline: Session) -> None:
    """A PublishedFile has a field `name` that is not its display name: a link does not touch it."""
    link = {"type": "PublishedFile", "id": 7, "name": "AA_001_v001.ma"}
    published = offline.merge({"type": "Version", "id": 6, "published_files": [link]})["published_files"][0]
    assert "name" not in published
    assert published.name == "AA_001_v001.ma"
    offline.merge([{"type": "PublishedFile", "id": 7, "name": "AA_001"}])
    assert published["name"] == "AA_001"


def test_both_names_of_a_published_file(session: Session, costs: Costs) -> None:
    """From a site: the field `name` by its fetch, the display name by a link, and neither for the other."""
    with costs(2):
        version = session.find_one("Version", [["id", "is", 601]], ["published_files"])
        [published] = version["published_files"]
        assert published.name == "AA_001_Matchmove_v001.ma"
        assert published.fetch("name") == "AA_001_Matchmove"
    assert published.name == "AA_001_Matchmove_v001.ma"


def test_a_given_schema_knows_where_name_is_another_field(shotgun: Any) -> None:
    """Given the site's schema, `name` of a link is kept aside wherever the type has another such field."""
    told = Session(False, shotgun.schema_read())
    link = {"type": "PublishedFile", "id": 7, "name": "x.ma"}
    project = {"type": "Project", "id": 3, "name": "Demo"}
    version = told.merge({"type": "Version", "id": 6, "published_files": [link], "project": project})
    assert "name" not in version["published_files"][0]
    assert version["project"]["name"] == "Demo"


def test_a_status_is_called_by_its_name(own_site: LocalSite, session: Session) -> None:
    """Its `name` is a field, and no copy of its code (wire.md 6.3)."""
    status = session.create("Status", {"code": "xyz", "name": "Xylophone"})
    assert (status["code"], status["name"], status.name) == ("xyz", "Xylophone", "Xylophone")


UNRELATED: dict[str, dict[str, Any]] = {
    "Booking": {"vacation": True},
    "HumanUser": {"sg_status_list": "act"},
    "Note": {"sg_status_list": "clsd"},
    "Shot": {"sg_status_list": "ip"},
}


@pytest.mark.parametrize(
    ("entity_type", "filters", "derived", "written"),
    [
        ("Shot", [["id", "is", 234]], "cached_display_name", {"code": "NEW"}),
        ("HumanUser", [], "name", {"firstname": "Zed"}),
        ("HumanUser", [], "firstname", {"name": "Zed Lee"}),
        ("HumanUser", [], "cached_display_name", {"lastname": "Zed"}),
        ("HumanUser", [], "cached_display_name", {"login": "zed"}),
        ("Note", [], "cached_display_name", {"subject": "new"}),
        ("Booking", [], "cached_display_name", {"note": "new"}),
    ],
)
def test_names_that_are_made_of_what_was_written_are_asked_for_again(
    own_site: LocalSite,
    session: Session,
    costs: Costs,
    entity_type: str,
    filters: list[Any],
    derived: str,
    written: dict[str, str],
) -> None:
    """The site makes them anew; nobody here knows how. Another write asks for nothing."""
    project = {"type": "Project", "id": 123}
    if entity_type == "Note":
        session.create("Note", {"subject": "old", "content": "text", "project": project})
    if entity_type == "Booking":
        session.create("Booking", {"note": "old", "project": project})
    if "login" in written:
        session.create("HumanUser", {"login": "one"})
        filters = [["login", "is", "one"]]
    entity = session.find_one(entity_type, filters, [derived])
    before = entity[derived]
    with costs(1):
        session.update(entity, written)
    with costs(1):
        assert entity.fetch(derived) != before
    with costs(1):
        session.update(entity, UNRELATED[entity_type])
        entity.fetch(derived)


def test_the_name_that_a_link_brought_is_asked_for_again(
    own_site: LocalSite, session: Session, costs: Costs
) -> None:
    """Of what is called by several fields: a reply's note after its subject was written."""
    project = session.merge({"type": "Project", "id": 123})
    note = session.create("Note", {"subject": "old", "content": "text", "project": project})
    reply = session.create("Reply", {"content": "c", "entity": note})
    session.fetch(reply, "entity.Note.name", force=True)
    before = reply["entity.Note.name"]
    session.update(note, {"subject": "new"})
    with costs(1):
        assert reply.fetch("entity.Note.name") == before.replace("old", "new") != before


@pytest.mark.parametrize(
    ("entity_type", "id", "written"), [("HumanUser", 11, "firstname"), ("Shot", 234, "code")]
)
def test_an_answer_on_its_way_brings_no_old_name_back(
    own_site: LocalSite, session: Session, entity_type: str, id: int, written: str
) -> None:
    """What a write has made unknown stays so until it is asked for again."""
    entity = session.get(entity_type, id, ["cached_display_name"])
    with ThreadPoolExecutor(1) as threads, own_site.hold("read") as held:
        reading = threads.submit(session.find, entity_type, [["id", "is", id]], ["cached_display_name"])
        held.wait()
        session.update(entity, {written: "Quentin"})
        held.release()
        reading.result(10)
    assert "cached_display_name" not in entity
    assert "Quentin" in entity.fetch("cached_display_name")


def test_what_is_new_has_no_old_names(own_site: LocalSite, session: Session) -> None:
    """A find that was asked for before a create, and answered after it, brings what the new one is called."""
    project = session.merge({"type": "Project", "id": 123})
    with session.graph.reading() as moment:
        shot = session.create("Shot", {"code": "NEW_010", "project": project})
        row = {"type": "Shot", "id": shot["id"], "cached_display_name": "NEW_010"}
        session.graph.merge_answer([row], moment, True)
    assert shot["cached_display_name"] == "NEW_010"


def test_what_is_forgotten_was_not_written(own_site: LocalSite, session: Session) -> None:
    """A find under way brings what it asked for, though that was written and forgotten in the meantime."""
    shot = session.get("Shot", 234)
    with session.graph.reading() as moment:
        session.update(shot, {"code": "NEW"})
        session.forget(shot)
        [found] = session.graph.merge_answer([{"type": "Shot", "id": 234, "code": "AA_001"}], moment, True)
    assert found["code"] == "AA_001"
