"""Tasks that wait for others: when a task moves, the unpinned ones downstream of it follow (wire.md 6.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, select

from ..call import Call
from ..database.portable import among
from ..database.rows import Reference
from ..events.event_log import EventLog
from ..writes.storing import follow_suit, living_row
from .dates import TaskDates
from .working_days import WorkCalendar

DEPENDENCY_TYPES = (
    "finish-to-start-next-day",
    "start-to-start",
    "finish-to-finish",
    "start-to-finish-next-day",
)
LOOP = "Can't create this dependency as it causes a loop."


@dataclass(frozen=True, slots=True)
class Dependency:
    """One task waits for another: `task` is the downstream one (wire.md 6.5)."""

    task: int
    upstream: int
    kind: str
    offset: int

    def earliest_start(self, upstream: TaskDates, own: TaskDates, calendar: WorkCalendar) -> date | None:
        """When the downstream task may start, or None where the upstream one has no date for it."""
        anchor = upstream.due if self.kind.startswith("finish") else upstream.start
        if anchor is None:
            return None
        if self.kind.endswith("next-day"):
            anchor = calendar.shifted(anchor, 1)
        anchor = calendar.nearest(calendar.shifted(anchor, self.offset))
        if "to-finish" not in self.kind:
            return anchor
        # It must not finish before: counted back over its own work, that says when it may start.
        return anchor if own.minutes is None else calendar.start_of(anchor, own.minutes)


def calendar_of(call: Call, task: Mapping[str, Any]) -> WorkCalendar:
    """The calendar that the dates of a Task are counted on."""
    return WorkCalendar(call, task["project__id"])


def has_upstream(call: Call, task: int) -> bool:
    """Whether the task waits for any other."""
    return bool(_dependencies(call, "task", [task]))


def causes_loop(call: Call, task: int) -> bool:
    """Whether the task, through others or at once, waits for itself."""
    return task in _beyond(call, [task], "task", "dependent_task")


def follow_upstream(call: Call, log: EventLog, tasks: Collection[int], moved: Collection[int] = ()) -> None:
    """Fit these tasks to what they wait for, then whatever waits for a task that moved.

    `moved` are tasks that have moved already: the ones downstream of them are fitted, they themselves are not.
    """
    upstream, order = _network(call, {*tasks, *moved})
    waiting, gone = set(tasks), set(moved)
    calendars: dict[int | None, WorkCalendar] = {}
    for task in order:
        needs = upstream[task]
        concerned = task in waiting or any(each.upstream in gone for each in needs)
        if concerned and _fitted(call, log, task, needs, calendars):
            gone.add(task)


def _fitted(
    call: Call,
    log: EventLog,
    task: int,
    needs: Collection[Dependency],
    calendars: dict[int | None, WorkCalendar],
) -> bool:
    """Fit one task, or note on a pinned one that it does not fit; says whether it moved."""
    before = living_row(call, "Task", task)
    if before is None:
        return False
    dates = TaskDates.of(before)
    calendar = calendars.setdefault(before["project__id"], calendar_of(call, before))
    rows = {each.upstream: living_row(call, "Task", each.upstream) for each in needs}
    starts = []
    for each in needs:
        row = rows[each.upstream]
        earliest = each.earliest_start(TaskDates.of(row), dates, calendar) if row else None
        if earliest is not None:
            starts.append(earliest)
    # A task without any date is not scheduled; what it waits for gives it none.
    begins = dates.start or dates.due
    implied: dict[str, Any] = {"dependency_violation": False}
    if starts and begins is not None:
        if before["pinned"]:
            implied["dependency_violation"] = begins < max(starts)
        else:
            implied.update(dates.moved(max(starts), calendar).columns(calendar))
    follow_suit(call, log, Reference("Task", task), before, implied)
    return any(before[name] != implied.get(name, before[name]) for name in ("start_date", "due_date"))


def _network(call: Call, tasks: Collection[int]) -> tuple[dict[int, list[Dependency]], list[int]]:
    """What each of these tasks and all those downstream of them wait for; upstream ones come first."""
    reached = {*tasks, *_beyond(call, tasks, "dependent_task", "task")}
    upstream: dict[int, list[Dependency]] = defaultdict(list)
    downstream: dict[int, list[int]] = defaultdict(list)
    waits_for = dict.fromkeys(reached, 0)
    for each in _dependencies(call, "task", reached):
        upstream[each.task].append(each)
        if each.upstream in reached:
            downstream[each.upstream].append(each.task)
            waits_for[each.task] += 1
    ready = sorted(task for task, count in waits_for.items() if not count)
    order: list[int] = []
    while ready:
        task = ready.pop(0)
        order.append(task)
        for each_id in downstream[task]:
            waits_for[each_id] -= 1
            if not waits_for[each_id]:
                ready.append(each_id)
    return upstream, order


def _beyond(call: Call, tasks: Collection[int], near: str, far: str) -> set[int]:
    """The tasks at the far end of the dependencies of these, and of those again, however long the chain is."""
    table = call.tables.of("TaskDependency")
    step = select(table.c[f"{far}__id"].label("id")).where(table.c.retired.is_(False))
    first = step.where(among(table.c[f"{near}__id"], sorted(tasks))).cte("beyond", recursive=True)
    # A union keeps each task once, so even a loop comes to an end.
    chain = first.union(step.where(table.c[f"{near}__id"] == first.c.id))
    return set(call.connection.execute(select(chain.c.id)).scalars())


def _dependencies(call: Call, end: str, tasks: Collection[int]) -> list[Dependency]:
    """The dependencies that have one of the tasks at that end."""
    if not tasks:
        return []
    table = call.tables.of("TaskDependency")
    columns = (table.c.task__id, table.c.dependent_task__id, table.c.dependency_type, table.c.offset_days)
    mine = and_(table.c.retired.is_(False), among(table.c[f"{end}__id"], sorted(tasks)))
    return [
        # The field is plain text: a type that no site knows waits as the default one does.
        Dependency(task, upstream, kind if kind in DEPENDENCY_TYPES else DEPENDENCY_TYPES[0], offset or 0)
        for task, upstream, kind, offset in call.connection.execute(
            select(*columns).where(mine).order_by(table.c.id)
        )
    ]
