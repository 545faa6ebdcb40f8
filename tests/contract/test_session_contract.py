"""What a session does on any client: over HTTP with the official one, and on Mockgun as far as it goes.

What Mockgun cannot do, found by trying: it raises on a deep field whose type is not that of the link
(so no important deep fields through `entity`); its rows have no display names in links; it knows no
`additional_filter_presets`, no `include_archived_projects`, no `summarize`, no `in` for links of
several entities, and a batch ignores `return_fields`.
"""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3

from sgsession import Entity, Session

not_mockgun = pytest.mark.not_mockgun
WRONG_TYPE = not_mockgun(
    "raises on a deep field for another type than the link has, where a site answers null"
)


@pytest.fixture
def target_client(target: Any) -> Any:
    """The client behind the session's back."""
    return target.judge()


def test_find(session: Session, made: dict[str, Any]) -> None:
    """Entities of the session, linked, with deep values on what they are linked to."""
    shots = session.find(
        "Shot", [["sg_sequence", "is", made["sequence"]]], ["sg_cut_in", "sg_sequence.Sequence.code"]
    )
    assert [shot["code"] for shot in shots] == ["AA_010", "AA_020"]
    assert all(type(shot) is Entity and shot["sg_cut_in"] == 1001 for shot in shots)
    assert shots[0]["sg_sequence"] is shots[1]["sg_sequence"]
    assert shots[0]["sg_sequence"]["code"] == shots[0]["sg_sequence.Sequence.code"] == "AA"
    assert shots[0]["project"]["name"] == "Film"
    assert list(shots[0]["sg_sequence"].backrefs[("Shot", "sg_sequence")]) == shots


def test_find_with_entities_in_filters(session: Session, made: dict[str, Any]) -> None:
    """An entity of the session is a value like its raw dict."""
    sequence = session.merge(made["sequence"])
    assert len(session.find("Shot", [["sg_sequence", "is", sequence]])) == 2
    assert session.find("Shot", [["sg_sequence", "is_not", sequence]])[0]["code"] == "LONE"


def test_find_groups_orders_and_limits(session: Session) -> None:
    """Groups of filters, `any`, an order and a limit."""
    either = {"filter_operator": "any", "filters": [["code", "is", "LONE"], ["code", "is", "AA_010"]]}
    by_code = [{"field_name": "code", "direction": "desc"}]
    assert [shot["code"] for shot in session.find("Shot", [either], order=by_code)] == ["LONE", "AA_010"]
    assert len(session.find("Shot", either["filters"], filter_operator="any")) == 2  # type: ignore[arg-type]


@not_mockgun("takes a limit and gives all rows")
def test_find_with_a_limit(session: Session) -> None:
    """No more than the limit."""
    assert len(session.find("Shot", [], limit=2)) == 2
    assert len(list(session.find_iter("Shot", [], per_page=1, limit=2))) == 2


def test_find_iter(session: Session) -> None:
    """By id and by number, one page at a time or several: the shots that find gives, in its order, and an end."""
    by_code = [{"field_name": "code", "direction": "desc"}]
    found = session.find("Shot", [], order=by_code)
    assert list(session.find_iter("Shot", [], order=by_code, per_page=500)) == found
    assert list(session.find_iter("Shot", [], order=by_code, per_page=500, async_count=3)) == found
    assert sorted(shot["id"] for shot in session.find_iter("Shot", [])) == sorted(
        shot["id"] for shot in found
    )


def test_find_one_gives_the_same_object(session: Session, made: dict[str, Any]) -> None:
    """Found twice, it is one; not found, it is None."""
    one = session.find_one("Shot", [["code", "is", "AA_010"]])
    assert one is session.find_one("Shot", [["id", "is", made["AA_010"]["id"]]])
    assert one.minimal == made["AA_010"]
    assert session.find_one("Shot", [["code", "is", "none of this name"]]) is None


def test_raw_rows(session: Session) -> None:
    """merge=False gives what the client gives, and the session learns nothing."""
    rows = session.find("Shot", [["code", "is", "LONE"]], ["code"], merge=False, add_default_fields=False)
    assert [(type(row), row["code"]) for row in rows] == [(dict, "LONE")]
    assert len(session.graph.identity) == 0


@WRONG_TYPE
def test_find_tasks_of_shots_and_assets(session: Session) -> None:
    """The important deep fields of either type come along."""
    tasks = session.find("Task", [])
    assert [task["entity"]["code"] for task in tasks] == ["AA_010", "AA_020", "Mira"]
    assert tasks[2]["entity"]["sg_asset_type"] == "Character"


@not_mockgun("gives links without the display name")
def test_links_bring_their_display_names(session: Session) -> None:
    """What is linked has a name before anything of it was asked for."""
    [shot] = session.find("Shot", [["code", "is", "AA_010"]], ["sg_sequence"], add_default_fields=False)
    assert shot["sg_sequence"].name == "AA"


def test_get(session: Session, made: dict[str, Any]) -> None:
    """One, several in their order, None for what is not there; known ones without the site."""
    ids = [made[name]["id"] for name in ("lone", "AA_010")]
    assert session.get("Shot", ids[0])["code"] == "LONE"
    lone, missing, shot = session.get("Shot", (ids[0], 999_999, ids[1]))
    assert (lone["code"], missing, shot["code"]) == ("LONE", None, "AA_010")
    assert session.get("Shot", ids, fetch=False) == [lone, shot]


def test_create(session: Session, made: dict[str, Any], target_client: Any) -> None:
    """A new entity, with entities as values and its important fields; the site has it."""
    shot = session.create(
        "Shot", {"project": session.merge(made["project"])}, code="NEW", sg_sequence=made["sequence"]
    )
    assert (shot["code"], shot["project"].minimal) == ("NEW", made["project"])
    assert shot in session.merge(made["sequence"]).backrefs[("Shot", "sg_sequence")]
    assert target_client.find_one("Shot", [["id", "is", shot["id"]]], ["code"])["code"] == "NEW"
    assert session.find_one("Shot", [["code", "is", "NEW"]]) is shot


@pytest.mark.parametrize("form", ["type and id", "entity", "several"])
def test_update(session: Session, made: dict[str, Any], target_client: Any, form: str) -> None:
    """Every form writes to the site and to the session."""
    shot = session.find_one("Shot", [["code", "is", "LONE"]])
    arguments: dict[str, tuple[Any, ...]] = {
        "type and id": ("Shot", shot["id"], {"sg_cut_in": 5}),
        "entity": (shot, {"sg_cut_in": 5}),
        "several": ([shot, session.merge(made["AA_010"])], {"sg_cut_in": 5}),
    }
    found = session.update(*arguments[form])
    assert found is shot or found[0] is shot
    assert shot["sg_cut_in"] == 5
    assert target_client.find_one("Shot", [["id", "is", shot["id"]]], ["sg_cut_in"])["sg_cut_in"] == 5


def test_update_of_links(session: Session, made: dict[str, Any]) -> None:
    """Links and lists of links turn, and so do the back-references."""
    shot, asset = session.find_one("Shot", [["code", "is", "AA_010"]]), session.merge(made["asset"])
    session.update(shot, sg_sequence=None, assets=[asset])
    assert shot["sg_sequence"] is None
    assert shot["assets"] == [asset]
    assert shot not in session.merge(made["sequence"]).backrefs[("Shot", "sg_sequence")]
    assert shot in asset.backrefs[("Shot", "assets")]


def test_delete_and_revive(session: Session, made: dict[str, Any]) -> None:
    """The second time says False; the session keeps the entity and knows whether it exists."""
    shot = session.find_one("Shot", [["code", "is", "LONE"]])
    assert session.delete(shot) is True
    assert session.delete("Shot", shot["id"]) is False
    assert shot.exists() is False
    assert session.find("Shot", [["code", "is", "LONE"]]) == []
    assert session.find("Shot", [], retired_only=True) == [shot]
    assert session.revive(shot) is True
    assert session.revive(shot) is False
    assert shot.exists(force=True) is True


def test_batch(session: Session, made: dict[str, Any]) -> None:
    """A create, an update and a delete."""
    lone = made["lone"]["id"]
    new, shot, gone = session.batch(
        [
            {
                "request_type": "create",
                "entity_type": "Shot",
                "data": {"code": "N", "project": session.merge(made["project"])},
            },
            {"request_type": "update", "entity_type": "Shot", "entity_id": lone, "data": {"code": "L"}},
            {"request_type": "delete", "entity_type": "Shot", "entity_id": lone},
        ]
    )
    assert (new["code"], shot["code"], gone) == ("N", "L", True)
    assert shot.exists(check=False) is False


def test_filter_exists(session: Session, made: dict[str, Any]) -> None:
    """Those that are there, of several types."""
    session.delete("Shot", made["lone"]["id"])
    entities = session.merge([made["lone"], made["AA_010"], made["asset"], {"type": "Shot", "id": 999_999}])
    assert session.filter_exists(entities, force=True) == {entities[1], entities[2]}


def test_fetch(session: Session, made: dict[str, Any]) -> None:
    """Fields of several types at once; what is not on the site raises and names it."""
    shot, asset = session.merge([made["AA_010"], made["asset"]])
    session.fetch([shot, asset], "code")
    assert (shot["code"], asset["code"]) == ("AA_010", "Mira")
    assert shot.fetch(["sg_cut_in", "sg_sequence.Sequence.code"]) == (1001, "AA")
    with pytest.raises(ValueError, match="Shot:999999"):
        session.merge({"type": "Shot", "id": 999_999}).fetch("code")


def test_fetch_core(session: Session, made: dict[str, Any]) -> None:
    """The important fields of a shot and of what it is linked to."""
    shot = session.merge(made["AA_010"])
    shot.fetch_core()
    assert (shot["code"], shot["sg_sequence"]["code"], shot["project"]["name"]) == ("AA_010", "AA", "Film")


@not_mockgun("an `in` of links holds only where all of the links are the one")
def test_fetch_backrefs_of_several(session: Session, made: dict[str, Any]) -> None:
    """What hangs on each of them."""
    shots = session.merge([made["AA_010"], made["AA_020"]])
    session.fetch_backrefs(shots, "Task", "entity")
    assert [[task.minimal for task in shot.backrefs[("Task", "entity")]] for shot in shots] == [
        [made["task of AA_010"]],
        [made["task of AA_020"]],
    ]


def test_fetch_backrefs(session: Session, made: dict[str, Any]) -> None:
    """The shots of a sequence, all of which have one."""
    session.delete("Shot", made["lone"]["id"])
    sequence = session.merge(made["sequence"])
    sequence.fetch_backrefs("Shot", "sg_sequence")
    assert [shot["code"] for shot in sequence.backrefs[("Shot", "sg_sequence")]] == ["AA_010", "AA_020"]


def test_hierarchy_of_shots(session: Session, made: dict[str, Any]) -> None:
    """Everything above, each once; a shot without a sequence hangs on its project."""
    shots = session.merge([made["AA_010"], made["AA_020"], made["lone"]])
    above = session.fetch_hierarchy(shots)
    wanted = ["AA_010", "AA_020", "lone", "sequence", "project"]
    assert sorted(entity.key for entity in above) == sorted(
        (made[name]["type"], made[name]["id"]) for name in wanted
    )
    assert shots[2].parent().minimal == made["project"]
    assert shots[0].parent().minimal == made["sequence"]
    assert shots[0].project().minimal == made["project"]


@WRONG_TYPE
def test_hierarchy_of_tasks(session: Session, made: dict[str, Any]) -> None:
    """Tasks of shots and of assets, up to the project."""
    tasks = session.merge([made[f"task of {name}"] for name in ("AA_010", "AA_020", "asset")])
    above = session.fetch_hierarchy(tasks)
    assert len(above) == 3 + 2 + 1 + 1 + 1
    assert {entity["type"] for entity in above} == {"Task", "Shot", "Asset", "Sequence", "Project"}


@not_mockgun("has no summarize")
def test_summarize(session: Session) -> None:
    """The client's own answer."""
    assert session.summarize("Shot", [], [{"field": "id", "type": "count"}])["summaries"] == {"id": 3}


def test_refusals_are_the_client_s_own(session: Session) -> None:
    """A type that is not there raises the client's error, and the session goes on."""
    with pytest.raises(shotgun_api3.ShotgunError, match=r"(?i)nosuchtype"):
        session.find("NoSuchType", [], add_default_fields=False)
    assert session.find_one("Shot", [["code", "is", "LONE"]])["code"] == "LONE"


def test_what_is_not_written_out_is_passed_on(session: Session) -> None:
    """The client's other methods are the session's."""
    assert "Shot" in session.schema_entity_read()
