"""Tasks that wait for others: types, offsets, loops, and what moves when the upstream one moves."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault

DAY = 480


@pytest.fixture
def pair(direct):
    """Two tasks of two days from 2024-05-01 (a Wednesday), not yet connected."""
    return [
        direct.make("Task", content=name, start_date="2024-05-01", duration=2 * DAY)
        for name in ("up", "down")
    ]


def span(direct, task):
    return direct.value(task, "start_date"), direct.value(task, "due_date")


@pytest.mark.parametrize(
    ("kind", "offset", "expected"),
    [
        (None, None, ("2024-05-03", "2024-05-06")),
        ("finish-to-start-next-day", 1, ("2024-05-06", "2024-05-07")),
        ("start-to-start", 0, ("2024-05-01", "2024-05-02")),
        ("start-to-start", 2, ("2024-05-03", "2024-05-06")),
        ("start-to-start", -1, ("2024-04-30", "2024-05-01")),
        ("finish-to-finish", 0, ("2024-05-01", "2024-05-02")),
        ("finish-to-finish", 1, ("2024-05-02", "2024-05-03")),
        ("start-to-finish-next-day", 0, ("2024-05-01", "2024-05-02")),
    ],
)
def test_a_dependency_places_the_task_that_waits(direct, pair, kind, offset, expected):
    """Each type and offset counts working days from its end of the upstream task."""
    upstream, downstream = pair
    extras = {
        name: value
        for name, value in (("dependency_type", kind), ("offset_days", offset))
        if value is not None
    }
    direct.create("TaskDependency", task=downstream, dependent_task=upstream, **extras)
    assert span(direct, downstream) == expected
    (row,) = direct.find("TaskDependency", "dependency_type", "offset_days", "task_id", "dependent_task_id")
    assert row["dependency_type"] == (kind or "finish-to-start-next-day")
    assert (row["offset_days"], row["task_id"], row["dependent_task_id"]) == (offset or 0, 2, 1)


def test_moves_run_down_the_chain(direct, pair):
    """Moving the first task moves all that wait for it, a diamond's last one once, with events."""
    first, second = pair
    third, last = (direct.make("Task", start_date="2024-05-01", duration=DAY) for _ in range(2))
    direct.update(first, downstream_tasks=[second, third])
    direct.update(last, upstream_tasks=[second, third])
    assert span(direct, last) == ("2024-05-07", "2024-05-07")
    events = direct.events_of(lambda: direct.update(first, start_date="2024-05-08"))
    assert span(direct, second) == ("2024-05-10", "2024-05-13")
    assert span(direct, third) == ("2024-05-10", "2024-05-10")
    assert span(direct, last) == ("2024-05-14", "2024-05-14")
    moved = [(each["entity"]["id"], each["attribute_name"]) for each in events]
    assert len(moved) == len(set(moved)) == 8
    direct.update(first, start_date="2024-05-01")
    assert span(direct, last) == ("2024-05-07", "2024-05-07")


def test_a_task_dated_by_hand_is_pinned(direct, pair):
    """It stays where it was put, tells when it starts too early, and follows again once unpinned."""
    upstream, downstream = pair
    direct.update(downstream, upstream_tasks=[upstream])
    assert direct.value(downstream, "pinned") is False
    direct.update(downstream, start_date="2024-05-02")
    assert direct.value(downstream, "pinned") is True
    assert direct.value(downstream, "dependency_violation") is True
    assert span(direct, downstream) == ("2024-05-02", "2024-05-03")
    direct.update(upstream, start_date="2024-04-29")
    assert span(direct, downstream) == ("2024-05-02", "2024-05-03")
    assert direct.value(downstream, "dependency_violation") is False
    direct.update(downstream, pinned=False)
    assert span(direct, downstream) == ("2024-05-01", "2024-05-02")


def test_a_task_that_waits_for_nobody_is_not_pinned(direct, pair):
    """Dates alone pin nothing."""
    direct.update(pair[0], start_date="2024-05-06")
    assert direct.value(pair[0], "pinned") is False


def test_a_task_without_dates_gets_none(direct, pair):
    """What is not scheduled stays so, and what waits for it is left alone."""
    undated = direct.make("Task", upstream_tasks=[pair[0]])
    assert span(direct, undated) == (None, None)
    direct.update(pair[1], upstream_tasks=[undated])
    assert span(direct, pair[1]) == ("2024-05-01", "2024-05-02")


def test_a_dependency_that_changes_moves_the_task(direct, pair):
    """A new offset, a deletion and a revival of the row are all taken in."""
    upstream, downstream = pair
    row = direct.link(direct.create("TaskDependency", task=downstream, dependent_task=upstream))
    direct.update(row, offset_days=2)
    assert span(direct, downstream) == ("2024-05-07", "2024-05-08")
    direct.update(downstream, start_date="2024-05-01")
    assert direct.value(downstream, "dependency_violation") is True
    direct.delete(row)
    assert direct.value(downstream, "dependency_violation") is False
    direct.revive(row)
    assert direct.value(downstream, "dependency_violation") is True


def test_loops_are_refused_in_the_recorded_words(direct, pair):
    """No task waits for itself, directly or through others, whichever way it is written; nothing stays."""
    upstream, downstream = pair
    third = direct.make("Task")
    direct.update(downstream, upstream_tasks=[upstream], downstream_tasks=[third])
    words = "Can't create this dependency as it causes a loop."
    for act, start in [
        (lambda: direct.create("TaskDependency", task=upstream, dependent_task=third),
         "API create() CRUD ERROR #6: Create failed for [TaskDependency]: "),
        (lambda: direct.create("TaskDependency", task=upstream, dependent_task=upstream),
         "API create() CRUD ERROR #6: Create failed for [TaskDependency]: "),
        (lambda: direct.update(upstream, upstream_tasks=[third]),
         "API update() CRUD ERROR #5: Update failed for [Task.upstream_tasks]: "),
        (lambda: direct.update(third, downstream_tasks=[upstream]),
         "API update() CRUD ERROR #5: Update failed for [Task.downstream_tasks]: "),
    ]:  # fmt: skip
        with pytest.raises(SiteFault) as caught:
            act()
        assert (caught.value.message, caught.value.error_code) == (start + words, 104)
    assert len(direct.find("TaskDependency")) == 2
