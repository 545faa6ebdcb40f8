"""Values of a row that add up other rows: the time logged on a task, the tasks of a template (wire.md 6.7)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select

from ..call import Call
from ..database.rows import Reference
from ..events.event_log import EventLog
from ..writes.storing import follow_suit, living_row


def add_up_time(call: Call, log: EventLog, targets: Iterable[Reference]) -> None:
    """Bring the logged time of these rows up to date; rows that time cannot be logged on are passed over."""
    time_log = call.tables.of("TimeLog")
    for target in dict.fromkeys(targets):
        if call.schema.field(target.type, "time_logs_sum") is None:
            continue
        before = living_row(call, *target)
        if before is None:
            continue
        query = select(func.coalesce(func.sum(time_log.c.duration), 0)).where(
            time_log.c.entity__type == target.type,
            time_log.c.entity__id == target.id,
            time_log.c.retired.is_(False),
        )
        total = int(call.connection.execute(query).scalar_one())
        follow_suit(call, log, target, before, {"time_logs_sum": total, **_against(before, total)})


def compare_with_bid(call: Call, log: EventLog, task: Reference) -> None:
    """Bring up to date how the logged time of a task compares with its bid."""
    before = living_row(call, *task)
    if before is not None:
        follow_suit(call, log, task, before, _against(before, before["time_logs_sum"]))


def count_tasks(call: Call, log: EventLog, templates: Iterable[int]) -> None:
    """Bring the number of tasks of these templates up to date."""
    task = call.tables.of("Task")
    for template in dict.fromkeys(templates):
        before = living_row(call, "TaskTemplate", template)
        if before is None:
            continue
        query = select(func.count()).where(
            task.c.task_template__id == template, task.c.project__id.is_(None), task.c.retired.is_(False)
        )
        count = call.connection.execute(query).scalar_one()
        follow_suit(call, log, Reference("TaskTemplate", template), before, {"task_count": count})


def _against(columns: dict[str, object], total: int | None) -> dict[str, int | None]:
    """What is left of a bid, and how much of it is used up; nothing without a bid or without a log."""
    if "est_in_mins" not in columns:
        return {}
    bid = columns["est_in_mins"]
    if not isinstance(bid, int) or total is None:
        return {"time_vs_est": None, "time_percent_of_est": None}
    return {"time_vs_est": bid - total, "time_percent_of_est": round(100 * total / bid) if bid else None}
