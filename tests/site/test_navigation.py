"""Browsing a project: what stands below each path, and the way to what a search finds."""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3


@pytest.fixture
def project(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project of two sequences, one lone shot, two kinds of assets and a task."""
    project = shotgun.create("Project", {"name": "Demo"})
    first = shotgun.create("Sequence", {"code": "BB", "project": project})
    second = shotgun.create("Sequence", {"code": "aa", "project": project})
    for code, sequence in (("bb_2", first), ("bb_1", first), ("aa_1", second), ("lone", None)):
        shotgun.create("Shot", {"code": code, "project": project, "sg_sequence": sequence})
    for code, kind in (("door", "Prop"), ("hero", "Character"), ("blob", None)):
        shotgun.create("Asset", {"code": code, "project": project, "sg_asset_type": kind})
    shot = shotgun.find_one("Shot", [["code", "is", "bb_1"]])
    shotgun.create("Task", {"content": "Comp", "entity": shot, "project": project})
    return {"type": "Project", "id": project["id"]}


def _path(project: dict[str, Any], *rest: Any) -> str:
    return "/".join(["", "Project", str(project["id"]), *(str(each) for each in rest)])


def _labels(node: dict[str, Any]) -> list[str]:
    return [each["label"] for each in node["children"]]


def _id(shotgun: shotgun_api3.Shotgun, kind: str, code: str) -> int:
    row_id: int = shotgun.find_one(kind, [["code", "is", code]])["id"]
    return row_id


def test_the_root_lists_projects(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """In the order of their names, with what each of them is."""
    shotgun.create("Project", {"name": "another"})
    root = shotgun.nav_expand("/")
    assert (root["path"], root["ref"], root["has_children"]) == ("/", {"kind": "root", "value": None}, True)
    assert _labels(root) == ["another", "Demo"]
    assert root["children"][1] == {
        "label": "Demo",
        "path": _path(project),
        "ref": {"kind": "entity", "value": project},
        "has_children": True,
    }


def test_a_project_lists_its_types(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Assets and shots always, then what else it has that tasks are made for."""
    node = shotgun.nav_expand(_path(project))
    assert (node["label"], _labels(node)) == ("Demo", ["Assets", "Shots", "Sequences"])
    shots = node["children"][1]
    assert shots["ref"] == {"kind": "entity_type", "value": "Shot"}
    assert (shots["path"], shots["has_children"]) == (_path(project, "Shot"), True)
    empty = shotgun.create("Project", {"name": "Empty"})
    node = shotgun.nav_expand(_path(empty))
    assert [(each["label"], each["has_children"]) for each in node["children"]] == [
        ("Assets", False),
        ("Shots", False),
    ]


def test_shots_are_grouped_by_their_sequence(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Sequences by name; the shots without one come last, under `__none__`."""
    node = shotgun.nav_expand(_path(project, "Shot"))
    assert _labels(node) == ["aa", "BB", "No Sequence"]
    sequence = {"type": "Sequence", "id": _id(shotgun, "Sequence", "aa")}
    assert node["children"][0]["ref"] == {"kind": "entity", "value": sequence}
    assert node["children"][0]["path"] == _path(project, "Shot", "sg_sequence", *sequence.values())
    assert node["children"][2] == {
        "label": "No Sequence",
        "path": _path(project, "Shot", "sg_sequence", "__none__"),
        "ref": {"kind": "empty", "value": None},
        "has_children": True,
    }


def test_assets_are_grouped_by_their_type(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """List values by name, `__none__` last; a value may hold blanks."""
    shotgun.create("Asset", {"code": "sky", "project": project, "sg_asset_type": "Matte Painting"})
    node = shotgun.nav_expand(_path(project, "Asset"))
    assert _labels(node) == ["Character", "Matte Painting", "Prop", "No Asset Type"]
    paintings = node["children"][1]
    assert paintings["ref"] == {"kind": "list", "value": "Matte Painting"}
    assert _labels(shotgun.nav_expand(paintings["path"])) == ["sky"]
    assert _labels(shotgun.nav_expand(node["children"][3]["path"])) == ["blob"]


def test_every_path_that_is_shown_can_be_expanded(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """A walk over the whole tree meets each row once in its place, and `has_children` is true to it."""
    waiting, labels = [shotgun.nav_expand("/")], []
    while waiting:
        node = waiting.pop()
        for child in node["children"]:
            expanded = shotgun.nav_expand(child["path"])
            shown = {key: expanded[key] for key in ("label", "path", "ref", "has_children")}
            assert shown == child
            assert expanded["has_children"] == bool(expanded["children"])
            labels.append(child["label"])
            waiting.append(expanded)
    for code in ("bb_1", "bb_2", "aa_1", "lone", "door", "hero", "blob", "Comp"):
        assert labels.count(code) == 1


def test_shots_stand_in_their_sequence_and_tasks_in_their_shot(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """By name; a task has nothing below it."""
    below = _path(project, "Shot", "sg_sequence", "Sequence", _id(shotgun, "Sequence", "BB"))
    node = shotgun.nav_expand(below)
    assert [(each["label"], each["has_children"]) for each in node["children"]] == [
        ("bb_1", True),
        ("bb_2", False),
    ]
    (task,) = shotgun.nav_expand(node["children"][0]["path"])["children"]
    assert (task["label"], task["has_children"]) == ("Comp", False)
    assert task["ref"]["value"]["type"] == "Task"


def test_what_is_retired_is_not_shown(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """A retired row is gone from the tree; the shots of a retired sequence belong to none."""
    shotgun.delete("Sequence", _id(shotgun, "Sequence", "aa"))
    shotgun.delete("Shot", _id(shotgun, "Shot", "lone"))
    node = shotgun.nav_expand(_path(project, "Shot"))
    assert _labels(node) == ["BB", "No Sequence"]
    assert _labels(shotgun.nav_expand(node["children"][1]["path"])) == ["aa_1"]


def test_a_seed_field_leaves_what_it_can_link(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """The types it may link, without tasks unless it may link those; of a plain field, its own type."""
    assert _labels(shotgun.nav_expand(_path(project), "Cut.entity")) == ["Sequences"]
    shot = _path(project, "Shot", "sg_sequence", "Sequence", _id(shotgun, "Sequence", "BB"))
    children = shotgun.nav_expand(shot, "PublishedFile.entity")["children"]
    assert [each["has_children"] for each in children] == [False, False]
    assert _labels(shotgun.nav_expand(_path(project), "Shot.code")) == ["Shots"]
    children = shotgun.nav_expand(shot, "Version.sg_task")["children"]
    assert [each["has_children"] for each in children] == [True, False]


def test_further_fields_of_the_rows(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """`entity_fields` adds fields to the reference of a row."""
    path = _path(project, "Asset", "sg_asset_type", "Prop")
    (door,) = shotgun.nav_expand(path, None, {"Asset": ["sg_status_list", "nonsense"]})["children"]
    assert door["ref"]["value"] == {
        "type": "Asset",
        "id": _id(shotgun, "Asset", "door"),
        "sg_status_list": "wtg",
    }


def test_a_text_is_found_in_names(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Each find has its label, its way from the project, and what it is; case does not count."""
    found = shotgun.nav_search_string(_path(project), "BB_")
    assert [each["label"] for each in found] == ["bb_1", "bb_2"]
    sequence = _id(shotgun, "Sequence", "BB")
    group = _path(project, "Shot", "sg_sequence", "Sequence", sequence)
    shot = {"type": "Shot", "id": _id(shotgun, "Shot", "bb_1")}
    assert found[0] == {
        "label": "bb_1",
        "incremental_path": [_path(project), _path(project, "Shot"), group, f"{group}/id/{shot['id']}"],
        "path_label": "Shots > BB",
        "ref": {"kind": "entity", "value": shot},
        "project_id": project["id"],
    }
    assert shotgun.nav_expand(found[0]["incremental_path"][-1])["label"] == "bb_1"


def test_a_search_stays_below_its_root(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Another project, or another branch, is not searched; from the root all are."""
    other = shotgun.create("Project", {"name": "Other"})
    shotgun.create("Shot", {"code": "bb_1", "project": other})

    def finds(root: str) -> int:
        return len(shotgun.nav_search_string(root, "bb_1"))

    assert finds("/") == 2
    assert finds(_path(other)) == 1
    assert finds(_path(project, "Asset")) == 0


def test_an_entity_is_found_in_its_place(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Assets in their type, tasks in their shot; what has no place in the tree is not found."""
    door = {"type": "Asset", "id": _id(shotgun, "Asset", "door")}
    (found,) = shotgun.nav_search_entity(_path(project), door)
    assert found["incremental_path"][-1] == _path(project, "Asset", "sg_asset_type", "Prop", "id", door["id"])
    task = shotgun.find_one("Task", [])
    (found,) = shotgun.nav_search_entity("/", task)
    assert found["path_label"] == "Shots > BB > bb_1"
    version = shotgun.create("Version", {"code": "v1", "project": project})
    assert shotgun.nav_search_entity("/", version) == []
    shotgun.delete("Asset", door["id"])
    assert shotgun.nav_search_entity("/", door) == []


def test_the_path_of_a_value_is_quoted(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Every value of a list leads to a path that can be followed back."""
    asset = shotgun.create("Asset", {"code": "sky", "project": project, "sg_asset_type": "Matte Painting"})
    (found,) = shotgun.nav_search_entity("/", asset)
    assert found["incremental_path"][2].endswith("/sg_asset_type/Matte%20Painting")


def test_an_unknown_project_has_a_code_of_its_own(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """`Unexpected result looking for project`, for a deleted one too."""
    for call in (shotgun.nav_expand, lambda path: shotgun.nav_search_string(path, "a")):
        with pytest.raises(
            shotgun_api3.Fault, match=r"^Unexpected result looking for project: 99: 0 found\.$"
        ):
            call("/Project/99")
    shotgun.delete("Project", project["id"])
    with pytest.raises(shotgun_api3.Fault, match=r"looking for project: \d+: 0 found"):
        shotgun.nav_expand(_path(project))


@pytest.mark.parametrize(
    "path",
    [
        None,
        5,
        "",
        "Project/1",
        "/Nothing",
        "/Project",
        "/Project/x",
        "/Project/1/Nothing",
        "/Project/1/Task",
        "/Project/1/Shot/id/1",
        "/Project/1/Shot/sg_asset_type/Prop",
        "/Project/1/Shot/sg_sequence/Prop",
        "/Project/1/Shot/sg_sequence/Nothing/1",
        "/Project/1/Asset/sg_asset_type/Sequence/1",
        "/Project/1/Shot/sg_sequence/__none__/id/1/Task/1",
        "/Project/1'--",
        "/Project/1/Asset/sg_asset_type/%00",
        "/Project/1/Asset/sg_asset_type/\0",
    ],
)
def test_what_is_no_path_is_refused(demo_shotgun: shotgun_api3.Shotgun, path: Any) -> None:
    """The refusal quotes it."""
    with pytest.raises(shotgun_api3.Fault, match=r"API nav_expand\(\) invalid path: "):
        demo_shotgun.nav_expand(path)


def test_rows_of_a_path_must_exist(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """A group or a row that is not there is named."""
    for path, missing in (
        ("/Project/1/Shot/sg_sequence/Sequence/99", "Sequence"),
        ("/Project/1/Shot/sg_sequence/__none__/id/99", "Shot"),
        ("/Project/1/Sequence/id/99", "Sequence"),
    ):
        with pytest.raises(shotgun_api3.Fault, match=rf"Entity of type \[{missing}\] with id=99"):
            shotgun.nav_expand(path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"search_criteria": {}}, "'search_criteria'"),
        ({"search_criteria": {"search_string": " "}}, "'search_string'"),
        ({"search_criteria": {"search_string": None}}, "'search_string'"),
        ({"search_criteria": {"search_string": "a\0"}}, "null byte"),
        ({"search_criteria": {"entity": {"type": "Nothing", "id": 1}}}, "'entity' 'type'"),
        ({"search_criteria": {"entity": 1}}, "'entity'"),
        ({"seed_entity_field": "Shot.nothing"}, "'seed_entity_field'"),
        ({"seed_entity_field": 5}, "'seed_entity_field'"),
    ],
)
def test_what_is_no_search_is_refused(
    demo_shotgun: shotgun_api3.Shotgun, changed: dict[str, Any], words: str
) -> None:
    """The refusal names the parameter."""
    params = {"root_path": "/", "search_criteria": {"search_string": "a"}, **changed}
    with pytest.raises(shotgun_api3.Fault) as caught:
        demo_shotgun._call_rpc("nav_search", params)
    assert words in str(caught.value)


def test_a_row_stands_in_one_place_only(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Once it has moved to another sequence, its old path leads nowhere; nor does one of another project."""
    shot = _id(shotgun, "Shot", "bb_2")
    before = _path(project, "Shot", "sg_sequence", "Sequence", _id(shotgun, "Sequence", "BB"), "id", shot)
    assert shotgun.nav_expand(before)["label"] == "bb_2"
    aa = {"type": "Sequence", "id": _id(shotgun, "Sequence", "aa")}
    shotgun.update("Shot", shot, {"sg_sequence": aa})
    after = _path(project, "Shot", "sg_sequence", *aa.values(), "id", shot)
    assert shotgun.nav_expand(after)["label"] == "bb_2"
    other = shotgun.create("Project", {"name": "Other"})
    task = shotgun.find_one("Task", [])
    for path in (before, after.replace("/1/", f"/{other['id']}/", 1), f"{after}/Task/id/{task['id']}"):
        with pytest.raises(shotgun_api3.Fault, match=r"API nav_expand\(\) invalid path"):
            shotgun.nav_expand(path)
