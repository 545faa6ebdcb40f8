"""`sgsession get` and `sgsession tree`: one entity, and what is around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sgsession.site import LocalSite


@pytest.mark.parametrize(
    "words",
    [["Shot", "234"], ["Shot:234"], ["shot_234"], ["Shot 234"], ["https://x.example.com/detail/Shot/234"]],
)
def test_get_takes_every_way_to_name_an_entity(sgsession: Any, words: list[str]) -> None:
    """TYPE ID, TYPE:ID and a pasted address all name the entity; its fields are lines of name and value."""
    run = sgsession("get", *words, "code", "sg_sequence.Sequence.code")
    assert run.out == "type\tShot\nid\t234\ncode\tAA_001\nsg_sequence.Sequence.code\tAA\n"


def test_get_costs_one_read(sgsession: Any, demo_site: LocalSite) -> None:
    """One read and no schema, as long as no field turns out missing."""
    sgsession("get", "Shot:234")
    assert [request.method for request in demo_site.requests if request.method != "info"] == ["read"]


def test_get_json(sgsession: Any) -> None:
    """JSON keeps the types of the values; moments are ISO text."""
    values = json.loads(sgsession("get", "Shot:234", "sg_cut_in", "assets", "updated_at", "--json").out)
    assert values["sg_cut_in"] == 1001
    assert {"type": "Asset", "id": 301, "name": "Mira"} in values["assets"]
    assert values["updated_at"].startswith("2025-09-01T")


def test_get_all(sgsession: Any, demo_site: LocalSite) -> None:
    """--all shows every field that the schema lists and the site gives; one read of the schema more."""
    run = sgsession("get", "Shot:234", "--all")
    assert {"sg_cut_order", "description", "created_by"} <= {row[0] for row in run.rows}
    methods = [request.method for request in demo_site.requests if request.method != "info"]
    assert methods == ["schema_field_read", "read"]


def test_get_of_what_does_not_exist(sgsession: Any, demo_site: LocalSite) -> None:
    """An id that does not exist: status 1, and the line names it and the site."""
    assert sgsession("get", "Shot:99999") == (
        1,
        "",
        f"sgsession: Shot:99999 does not exist on {demo_site.url}, or is retired.\n",
    )


def test_get_of_an_unknown_field(sgsession: Any) -> None:
    """A field that the site does not have: status 2 and the nearest name."""
    assert sgsession("get", "Shot:234", "cod") == (
        2,
        "",
        "sgsession: Shot has no field 'cod'. Did you mean code?\n",
    )


def test_tree_shows_what_is_above_and_below(sgsession: Any, demo_site: LocalSite) -> None:
    """The project first, down to the entity, then what links to it; a request up and one for each kind down."""
    run = sgsession("tree", "Shot:234", "--backrefs", "Task.entity")
    assert run.out.splitlines() == [
        "Project:123  Demo Project",
        "  Sequence:201  AA",
        "    Shot:234  AA_001",
        "      Task.entity  3",
        "        Task:456  Matchmove",
        "        Task:457  Animation",
        "        Task:458  Compositing",
    ]
    assert [request.method for request in demo_site.requests if request.method != "info"] == ["read"] * 2


def test_tree_without_a_sequence(sgsession: Any) -> None:
    """A shot without a sequence stands directly below its project."""
    run = sgsession("tree", "Shot:245", "--depth", "0")
    assert run.out == "Project:123  Demo Project\n  Shot:245  TEASER_001\n"


def test_tree_goes_as_deep_as_asked(sgsession: Any, demo_site: LocalSite) -> None:
    """--depth opens further levels, each level in bulk: the requests do not grow with the entities."""
    run = sgsession("tree", "Sequence:201", "--depth", "2", "--json")
    tree = json.loads(run.out)
    shots = tree["backrefs"]["Shot.sg_sequence"]
    assert [shot["name"] for shot in shots] == ["AA_001", "AA_002", "AA_003", "AA_004"]
    assert [task["id"] for task in shots[0]["backrefs"]["Task.entity"]] == [456, 457, 458]
    assert tree["above"] == [{"type": "Project", "id": 123, "name": "Demo Project"}]
    # Up, the shots, and three kinds of back-references of all four shots together.
    assert len([request for request in demo_site.requests if request.method == "read"]) == 5


def test_tree_refuses_what_cannot_be(sgsession: Any) -> None:
    """What does not exist is status 1; an unknown type or field of a back-reference is status 2."""
    assert sgsession("tree", "Shot:99")[::2][0] == 1
    assert sgsession("tree", "Shot:234", "--backrefs", "Task.entty").err == (
        "sgsession: Task has no field 'entty'. Did you mean entity?\n"
    )
    assert (
        "no type 'Tsk'. Did you mean Task?" in sgsession("tree", "Shot:234", "--backrefs", "Tsk.entity").err
    )
    assert "is not TYPE.FIELD" in sgsession("tree", "Shot:234", "--backrefs", "Task").err
