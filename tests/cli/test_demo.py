"""`sgsession demo`: the main job, with figures that are counted and not told."""

from __future__ import annotations

import json
from typing import Any


def test_the_figures(sgsession: Any) -> None:
    """All tasks and their whole hierarchy take two requests; the bare client's ways take what they take."""
    run = sgsession("demo", "--latency", "0", "--json")
    figures = json.loads(run.out)
    ours, dotted, levels, one_by_one = figures["ways"]
    assert (figures["tasks"], figures["entities"]) == (27, 46)
    assert ours["requests"] == 2
    assert dotted["requests"] == 1
    # Tasks, shots, assets, sequences, steps and projects: one find for each type.
    assert levels["requests"] == 6
    # 9 shots, 6 assets, 3 sequences, 5 steps, 1 project, and the tasks themselves.
    assert one_by_one["requests"] == 25


def test_the_story(sgsession: Any) -> None:
    """The tree as `pprint` shows it, the back-references, the identity, and a table that lines up."""
    run = sgsession("demo", "--latency", "0")
    assert run.status == 0
    lines = run.out.splitlines()
    assert "    sg_sequence = Sequence:201 at 0x" in run.out
    assert "[<Entity Task:463 'Animation'>, <Entity Task:464 'Compositing'>]" in lines
    assert "True" in lines
    assert "Requests since fetch_hierarchy: 0" in lines
    assert "\x1b" not in run.out
    table = lines[next(at for at, line in enumerate(lines) if line.startswith("  way ")) :][:5]
    assert len({line.index(end) for line, end in zip(table, ("gives", "linked", "flat"), strict=False)}) == 1


def test_other_tasks(sgsession: Any) -> None:
    """--tasks chooses the tasks, assets' tasks too; none at all is refused in one line."""
    assert sgsession("demo", "--latency", "0", "--tasks", "entity=Asset:303").status == 0
    run = sgsession("demo", "--latency", "0", "--tasks", "content=nothing")
    assert (run.status, run.err.count("\n")) == (2, 1)
    assert "no task of the demo matches" in run.err
