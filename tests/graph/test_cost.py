"""What merging costs per row, counted, for few rows and for many: it must not grow with the graph."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from sgsession import Session

FEW, MANY = 4_000, 40_000
MOST = 1.5


def _tasks(count: int) -> list[dict[str, Any]]:
    """Rows of tasks as a site answers a find with the important fields: links are shared."""
    return [
        {
            "type": "Task",
            "id": number,
            "content": "Animation",
            "sg_status_list": "ip",
            "updated_at": None,
            "project": {"type": "Project", "id": 1, "name": "Demo"},
            "project.Project.name": "Demo",
            "entity": {"type": "Shot", "id": number // 10, "name": "AA"},
            "entity.Shot.code": "AA",
            "step": {"type": "Step", "id": number % 8, "name": "Anim"},
            "step.Step.code": "Anim",
            "task_assignees": [{"type": "HumanUser", "id": number % 50, "name": "Ada"}],
        }
        for number in range(1, count + 1)
    ]


def _at_once(session: Session, rows: list[dict[str, Any]]) -> None:
    session.merge(rows, over=True)


def _in_pages(session: Session, rows: list[dict[str, Any]]) -> None:
    """Page after page, with a look at the far side between."""
    project = session.merge({"type": "Project", "id": 1})
    for start in range(0, len(rows), 500):
        session.merge(rows[start : start + 500], over=True)
        assert len(project.backrefs[("Task", "project")]) == start + 500


def _twice(session: Session, rows: list[dict[str, Any]]) -> None:
    """The second answer of the same rows, where every link is known already."""
    session.merge(rows, over=True)
    session.merge(rows, over=True)


def _calls(work: Callable[[Session, list[dict[str, Any]]], None], count: int) -> float:
    """Function calls per row, those into C included."""
    session, rows = Session(False), _tasks(count)
    counted = 0

    def count_calls(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        if event in ("call", "c_call"):
            counted += 1

    before = sys.getprofile()
    sys.setprofile(count_calls)
    try:
        work(session, rows)
    finally:
        sys.setprofile(before)
    return counted / count


def _lines(work: Callable[[Session, list[dict[str, Any]]], None], count: int) -> float:
    """Lines executed per row: loops without calls count, too."""
    session, rows = Session(False), _tasks(count)
    counted = 0

    def count_lines(frame: Any, event: str, argument: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return count_lines

    before = sys.gettrace()
    sys.settrace(count_lines)
    try:
        work(session, rows)
    finally:
        sys.settrace(before)
    return counted / count


@pytest.mark.parametrize("work", [_at_once, _in_pages, _twice])
def test_calls_per_row_do_not_grow_with_the_graph(work: Any) -> None:
    """40,000 rows cost at most 1.5 times as many calls per row as 4,000."""
    few, many = _calls(work, FEW), _calls(work, MANY)
    assert few > 1
    assert many <= MOST * few, (few, many)


def test_lines_per_row_do_not_grow_with_the_graph() -> None:
    """The same for executed lines, page by page."""
    few, many = _lines(_in_pages, FEW // 4), _lines(_in_pages, MANY // 4)
    assert few > 1
    assert many <= MOST * few, (few, many)


def test_bytes_per_row_do_not_grow_with_the_graph() -> None:
    """What the session keeps, and what it needs meanwhile, are proportional to the rows."""

    def measured(count: int) -> tuple[float, float]:
        session, rows = Session(False), _tasks(count)
        gc.collect()
        tracemalloc.start()
        try:
            session.merge(rows, over=True)
            kept, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        return kept / count, peak / count

    few, many = measured(FEW), measured(MANY)
    assert many[0] <= MOST * few[0], (few, many)
    assert many[1] <= MOST * few[1], (few, many)
