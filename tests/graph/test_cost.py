"""What merging costs per row, counted, for few rows and for many: it must not grow with the graph."""

from __future__ import annotations

import cProfile
import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sgsession import Session

FEW, MANY = 4_000, 40_000
MOST = 1.5

Rows = list[dict[str, Any]]
Work = Callable[[Session, Rows], None]


def _tasks(first: int, count: int) -> Rows:
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
        for number in range(first, first + count)
    ]


def _at_once(session: Session, rows: Rows) -> None:
    session.merge(rows, over=True)


def _in_pages(session: Session, rows: Rows) -> None:
    """Page after page, with a look at the far side between."""
    project = session.merge({"type": "Project", "id": 1})
    for start in range(0, len(rows), 500):
        session.merge(rows[start : start + 500], over=True)
        assert len(project.backrefs[("Task", "project")]) >= start + 500


def _moving(session: Session, rows: Rows) -> None:
    """Every link of the rows turns to another entity, and back."""
    session.merge(
        [{**row, "entity": {"type": "Asset", "id": 1}, "task_assignees": []} for row in rows], over=True
    )
    session.merge(rows, over=True)


def _calls(work: Work, session: Session, rows: Rows) -> float:
    """Function calls per row, those into C included."""
    profile = cProfile.Profile()
    profile.runcall(work, session, rows)
    return sum(entry.callcount for entry in profile.getstats()) / len(rows)


def _lines(work: Work, session: Session, rows: Rows) -> float:
    """Executed lines per row: loops without calls count, too."""
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work(session, rows)
    finally:
        sys.settrace(before)
    return counted / len(rows)


def _bytes(work: Work, session: Session, rows: Rows) -> float:
    """Bytes per row at the peak, what the session keeps included."""
    gc.collect()
    tracemalloc.start()
    try:
        work(session, rows)
        return tracemalloc.get_traced_memory()[1] / len(rows)
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def first_rows() -> Iterator[Callable[[int], int]]:
    """Where the next so many ids begin that no test has used."""
    used = MANY

    def claim(count: int) -> int:
        nonlocal used
        used += count
        return used - count

    return claim


@pytest.fixture(scope="module")
def large() -> Session:
    """A session that knows nearly 40,000 tasks already."""
    session = Session(False)
    session.merge(_tasks(1, MANY - FEW), over=True)
    return session


@pytest.mark.parametrize("work", [_in_pages, _moving])
@pytest.mark.parametrize(("measure", "count"), [(_calls, FEW // 2), (_lines, FEW // 4)])
def test_a_row_costs_no_more_in_a_large_graph(
    large: Session, first_rows: Callable[[int], int], measure: Any, work: Work, count: int
) -> None:
    """Rows that come after 36,000 others cost at most 1.5 times what they cost in an empty session."""
    empty = measure(work, Session(False), _tasks(1, count))
    added = measure(work, large, _tasks(first_rows(count), count))
    assert empty > 1
    assert added <= MOST * empty, (empty, added)


def test_a_row_costs_no_more_in_a_large_answer() -> None:
    """An answer of 40,000 rows costs at most 1.5 times as many calls per row as one of 4,000."""
    few, many = (_calls(_at_once, Session(False), _tasks(1, count)) for count in (FEW, MANY))
    assert few > 1
    assert many <= MOST * few, (few, many)


def test_a_row_takes_no_more_memory_in_a_large_answer() -> None:
    """Nor more bytes at the peak, what the session keeps included."""
    few, many = (_bytes(_at_once, Session(False), _tasks(1, count)) for count in (FEW // 2, MANY // 2))
    assert many <= MOST * few, (few, many)
