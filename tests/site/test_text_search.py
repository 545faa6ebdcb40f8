"""`text_search`: names over several types, as the official client asks for them."""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3


@pytest.fixture
def project(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project with two shots and a task on each."""
    project = shotgun.create("Project", {"name": "Demo"})
    for code in ("sh_0070", "sh_0080"):
        shot = shotgun.create("Shot", {"code": code, "project": project})
        shotgun.create("Task", {"content": "Layout", "entity": shot, "project": project})
    return project


def _names(found: dict[str, Any]) -> list[str]:
    return [each["name"] for each in found["matches"]]


def test_a_match_says_what_it_is_and_what_it_belongs_to(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """Each match has exactly the recorded keys; `links` is the type and the name of its parent."""
    found = shotgun.text_search("sh 007", {"Shot": [], "Task": []})
    assert found["terms"] == ["sh", "007"]
    task, shot = found["matches"]
    assert shot == {
        "id": shot["id"],
        "type": "Shot",
        "name": "sh_0070",
        "project_id": project["id"],
        "image": None,
        "links": ["", ""],
        "status": "wtg",
    }
    assert (task["name"], task["links"]) == ("Layout", ["Shot", "sh_0070"])


@pytest.mark.parametrize("text", ["0070 sh", "SH_0070", "h_00 7", "lay 0070"])
def test_every_word_occurs_somewhere(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], text: str
) -> None:
    """Words are parts of the name or of the parent's name, in any order and any case."""
    matches = shotgun.text_search(text, {"Shot": [], "Task": []})["matches"]
    assert ("Layout", ["Shot", "sh_0070"]) in [(each["name"], each["links"]) for each in matches]


def test_a_word_that_occurs_nowhere_finds_nothing(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """All words must occur; `_` and `%` are ordinary characters."""
    assert shotgun.text_search("sh_0070 comp", {"Shot": [], "Task": []})["matches"] == []
    assert shotgun.text_search("sh%70", {"Shot": []})["matches"] == []
    assert shotgun.text_search("sh0070", {"Shot": []})["matches"] == []


def test_descriptions_are_not_searched(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """Only names count."""
    shotgun.create("Shot", {"code": "x", "description": "needle", "project": project})
    assert shotgun.text_search("needle", {"Shot": []})["matches"] == []


def test_the_shortest_names_come_first_over_all_types(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """Names are ordered by length, then by letters; the limit is one for all types."""
    for kind, code in (("Asset", "bunny 4"), ("Shot", "bunny 3"), ("Asset", "bunny"), ("Shot", "bunny one")):
        shotgun.create(kind, {"code": code, "project": project})
    types: dict[str, list[Any]] = {"Asset": [], "Shot": []}
    assert _names(shotgun.text_search("bunny", types)) == ["bunny", "bunny 3", "bunny 4", "bunny one"]
    assert _names(shotgun.text_search("bunny", types, limit=2)) == ["bunny", "bunny 3"]


def test_ten_matches_unless_the_caller_wants_another_number(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """Without a limit there are ten."""
    shots = [
        {"request_type": "create", "entity_type": "Shot", "data": {"code": f"many {n}", "project": project}}
        for n in range(12)
    ]
    shotgun.batch(shots)
    assert len(shotgun.text_search("many", {"Shot": []})["matches"]) == 10
    assert len(shotgun.text_search("many", {"Shot": []}, limit=12)["matches"]) == 12


def test_filters_projects_and_retired_rows_narrow_the_search(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """Each type has filters of its own; `project_ids` is for all; what was deleted is not found."""
    other = shotgun.create("Project", {"name": "Other"})
    elsewhere = shotgun.create("Shot", {"code": "sh_0070", "project": other})
    types: dict[str, list[Any]] = {"Shot": [["code", "is_not", "sh_0080"]]}
    assert len(shotgun.text_search("sh_", types)["matches"]) == 2
    found = shotgun.text_search("sh_", types, project_ids=[other["id"]])["matches"]
    assert [each["id"] for each in found] == [elsewhere["id"]]
    shotgun.delete("Shot", elsewhere["id"])
    assert shotgun.text_search("sh_", types, project_ids=[other["id"]])["matches"] == []


def test_the_parent_of_a_match_may_be_gone(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """A task whose shot was deleted belongs to nothing, and is not found by the shot's name."""
    shot = shotgun.find_one("Shot", [["code", "is", "sh_0080"]])
    shotgun.delete("Shot", shot["id"])
    assert shotgun.text_search("layout 0080", {"Task": []})["matches"] == []
    links = [each["links"] for each in shotgun.text_search("layout", {"Task": []})["matches"]]
    assert sorted(links) == [["", ""], ["Shot", "sh_0070"]]


def test_a_bad_filter_fails_the_whole_call(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """The refusal names the call and the field, however good the filters of the other types are."""
    with pytest.raises(
        shotgun_api3.Fault, match=r"API query_display_name_cache\(\) Shot.content doesn't exist"
    ):
        shotgun.text_search("sh", {"Task": [], "Shot": [["content", "is", "x"]]})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"text": None}, "'text'"),
        ({"text": "  "}, "'text'"),
        ({"text": "a\0"}, "null byte"),
        ({"text": "a " * 51}, "more than 50 words"),
        ({"entity_types": []}, "'entity_types'"),
        ({"entity_types": {"Nothing": {}}}, "'type'"),
        ({"entity_types": {"Shot": []}}, "'filters'"),
        ({"project_ids": ["4"]}, "'project_ids'"),
        ({"project_ids": 4}, "'project_ids'"),
        ({"max_results": 0}, "'max_results'"),
        ({"max_results": True}, "'max_results'"),
    ],
)
def test_what_is_no_search_is_refused(
    demo_shotgun: shotgun_api3.Shotgun, changed: dict[str, Any], words: str
) -> None:
    """The refusal names the parameter."""
    with pytest.raises(shotgun_api3.Fault) as caught:
        demo_shotgun._call_rpc("query_display_name_cache", {"text": "sh", "entity_types": {}, **changed})
    assert str(caught.value).startswith("API query_display_name_cache() ")
    assert words in str(caught.value)
