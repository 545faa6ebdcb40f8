"""1.1.6 Brace Expansion."""

from __future__ import annotations

import pytest

from sgsession import Session, SyntaxProblem

from .conftest import Costs


def test_braces_stand_for_several_fields(session: Session, costs: Costs) -> None:
    """`entity.{Asset,Shot}.{name,code}` brings name and code of assets and shots in one request."""
    with costs(1):
        tasks = session.find("Task", [], ["entity.{Asset,Shot}.{name,code}"])
        for task in tasks:
            kind = task["entity"]["type"]
            assert task[f"entity.{kind}.code"] == task[f"entity.{kind}.name"] == task["entity"]["code"]
    assert {task["entity"]["type"] for task in tasks} == {"Asset", "Shot"}


def test_the_request_holds_the_expanded_fields(session: Session, costs: Costs) -> None:
    """What is sent has no braces: each combination, each once."""
    with costs(1) as requests:
        session.find_one("Task", [], ["entity.{Shot,Asset}.{code,description}", "content"])
    sent = requests[0].params["return_fields"]
    assert {
        f"entity.{kind}.{field}" for kind in ("Shot", "Asset") for field in ("code", "description")
    } <= set(sent)
    assert "content" in sent
    assert len(sent) == len(set(sent))
    assert not [field for field in sent if "{" in field or "}" in field]


@pytest.mark.parametrize(
    ("braces", "fields"),
    [
        ("sg_cut_{in,out}", ["sg_cut_in", "sg_cut_out"]),
        ("{code,sg_cut_{in,out}}", ["code", "sg_cut_in", "sg_cut_out"]),
        ("{code}", ["code"]),
        ("sg_cut_duration{,}", ["sg_cut_duration"]),
        ("{project.Project,sg_sequence.Sequence}.id", ["project.Project.id", "sg_sequence.Sequence.id"]),
    ],
)
def test_forms_of_braces(session: Session, costs: Costs, braces: str, fields: list[str]) -> None:
    """Braces nest, stand anywhere, and hold one or several texts."""
    with costs(1) as requests:
        shot = session.find_one("Shot", [["id", "is", 234]], [braces])
    assert [field for field in fields if field not in shot] == []
    assert set(fields) <= set(requests[0].params["return_fields"])


@pytest.mark.parametrize("braces", ["{code", "code}", "{code,{name}", "}{", "{a,b}}"])
def test_braces_that_do_not_match_are_refused(session: Session, costs: Costs, braces: str) -> None:
    """A mistyped expansion is a `ValueError` that shows it; nothing is sent."""
    with costs(0), pytest.raises(SyntaxProblem) as problem:
        session.find("Shot", [], [braces])
    assert braces in str(problem.value)
    assert isinstance(problem.value, ValueError)


def test_braces_work_wherever_fields_are_named(session: Session, costs: Costs) -> None:
    """`find_one`, `find_iter`, `get` and `fetch` expand them too; what is known is not asked again."""
    braces = "sg_cut_{in,out}"
    with costs(3):
        shots = [
            session.find_one("Shot", [["id", "is", 234]], [braces]),
            next(session.find_iter("Shot", [["id", "is", 235]], [braces])),
            session.get("Shot", 236, [braces]),
        ]
        session.fetch(shots, [braces])
    with costs(1):
        session.fetch(shots, ["sg_cut_{in,duration}"])
    assert all({"sg_cut_in", "sg_cut_out", "sg_cut_duration"} <= set(shot) for shot in shots)


def test_names_in_braces_are_display_names(session: Session, costs: Costs) -> None:
    """`name` at the end of a deep path is the display name, also of types that have no field `name`."""
    with costs(1):
        task = session.find_one("Task", [["id", "is", 456]], ["{entity.Shot,step.Step,project.Project}.name"])
        names = task.get(["entity.Shot.name", "step.Step.name", "project.Project.name"])
    assert names == ("AA_001", "Matchmove", "Demo Project")
