"""What merging rows as they were sent costs, counted: calls and bytes for a row, for few rows and for many.

The rows are those of `python -m benchmarks`: 16 keys, 8 of them deep. Where a change makes a count lower, lower it
here.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from datetime import datetime, timedelta
from typing import Any

import pytest

from sgsession import Entity, Session
from sgsession.graph.wire import WireRows, WireValues
from sgsession.transport.calling.moments import reader_of_moments

PAGE = 500
STEPS = ["Layout", "Animation", "Effects", "Lighting", "Compositing"]
# Measured: 9.4 for a row that is new, 6.5 for one that is known, 761 bytes with CPython 3.11. The official client
# makes some 124 calls and keeps 2,500 bytes.
MOST_CALLS = 10.0
MOST_CALLS_AGAIN = 7.0
MOST_BYTES = 900


def _task(number: int) -> dict[str, Any]:
    """A row as a site sends it: five tasks to a shot, a hundred shots to a sequence."""
    shot, sequence, step = number // 5, number // 500, number % 5
    moment = datetime(2026, 1, 1) + timedelta(seconds=37 * number)
    project = {"type": "Project", "id": 66, "name": "Demo"}
    return {
        "type": "Task",
        "id": number + 1,
        "content": STEPS[step],
        "sg_status_list": ("ip", "wtg", "fin")[number % 3],
        "updated_at": f"{moment.isoformat()}Z",
        "project": project,
        "entity": {"type": "Shot", "id": shot + 1, "name": f"AA_{shot}"},
        "step": {"type": "Step", "id": step + 1, "name": STEPS[step]},
        "project.Project.name": "Demo",
        "step.Step.code": STEPS[step],
        "step.Step.short_name": STEPS[step][:3],
        "entity.Shot.code": f"AA_{shot}",
        "entity.Shot.updated_at": "2026-01-01T00:00:00Z",
        "entity.Shot.project": project,
        "entity.Shot.sg_sequence": {"type": "Sequence", "id": sequence + 1, "name": f"S{sequence}"},
        "entity.Shot.sg_sequence.Sequence.code": f"S{sequence}",
    }


class Pages:
    """A session that is given page after page."""

    def __init__(self) -> None:
        self.session = Session(False)
        self.values = WireValues(reader_of_moments(True), None)
        self.next = 0

    def sent(self) -> WireRows:
        """The next page, as JSON gives it: no two objects of it are the same."""
        rows = json.loads(json.dumps([_task(number) for number in range(self.next, self.next + PAGE)]))
        self.next += PAGE
        return WireRows(rows, self.values, True)

    def merge(self, rows: WireRows) -> list[Entity]:
        """Take a page in."""
        with self.session.graph.reading() as moment:
            return self.session.graph.merge_answer(rows, moment, True)

    def calls(self) -> float:
        """Calls of Python functions for a row, in merging the next page."""
        rows = self.sent()
        counted = 0

        def count(frame: Any, event: str, argument: Any) -> None:
            nonlocal counted
            counted += event == "call"

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            self.merge(rows)
        finally:
            sys.setprofile(before)
        return counted / PAGE


@pytest.fixture
def pages() -> Pages:
    """A session that knows nothing yet."""
    return Pages()


def test_calls_for_a_row(pages: Pages) -> None:
    """Less than one function for each of 16 values: in the first page, and in those that come after it."""
    first, second, third = pages.calls(), pages.calls(), pages.calls()
    assert 1 < max(first, second, third) <= MOST_CALLS, (first, second, third)


def test_calls_for_a_row_that_is_known(pages: Pages) -> None:
    """Reading the same rows again costs less than reading them first."""
    pages.merge(pages.sent())
    pages.next = 0
    assert pages.calls() <= MOST_CALLS_AGAIN


def test_calls_do_not_grow(pages: Pages) -> None:
    """A page after 40,000 rows costs at most 1.3 times what one costs after 4,000."""
    found = {}
    while pages.next <= 40_000:
        known = pages.next
        if known in (4_000, 40_000):
            found[known] = pages.calls()
        else:
            pages.merge(pages.sent())
    assert found[40_000] <= 1.3 * found[4_000], found


def test_bytes_for_a_row(pages: Pages) -> None:
    """What a session keeps of 10,000 rows, the entities that they link to and all else included."""
    pages.merge(pages.sent())
    pages.session = Session(False)
    gc.collect()
    tracemalloc.start()
    try:
        found = []
        for _ in range(20):
            found += pages.merge(pages.sent())
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] / len(found)
    finally:
        tracemalloc.stop()
    assert len(found) == 10_000
    assert 200 < kept <= MOST_BYTES, kept
