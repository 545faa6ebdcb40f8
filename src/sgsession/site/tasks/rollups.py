"""Values of a row that add up other rows: the time logged on a task, the tasks of a template (wire.md 6.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Table,
    and_,
    bindparam,
    exists,
    func,
    select,
    update,
)  # fmt: skip

from ..call import Call
from ..database.rows import Reference
from ..database.tables import Tables
from ..events.event_log import EventLog
from ..writes.storing import follow_suit, living_row

_AT_ONCE = 2_000


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


def sum_up(connection: Connection, tables: Tables) -> None:
    """Make all sums what writes would have made them, after rows came that nothing followed; without events."""
    for entity_type in tables.schema.types.values():
        if "time_logs_sum" in entity_type.fields:
            _sum_up(connection, tables.of(entity_type.name), _logged(tables, entity_type.name), _times)
    template, task = tables.of("TaskTemplate"), tables.of("Task")
    mine = and_(task.c.task_template__id == template.c.id, task.c.project__id.is_(None))
    count = select(func.count()).where(mine, task.c.retired.is_(False)).scalar_subquery()
    _sum_up(connection, template, (count, exists().where(mine)), _tasks)


def _sum_up(
    connection: Connection,
    table: Table,
    summed: tuple[ScalarSelect[Any], ColumnElement[bool]],
    implied: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> None:
    total, concerns = summed
    query = select(table, total.label("total")).where(table.c.retired.is_(False), concerns)
    query, last = query.order_by(table.c.id).limit(_AT_ONCE), 0
    # By key: a long result would be held in memory, or be changed while it is read.
    while rows := connection.execute(query.where(table.c.id > last)).mappings().all():
        last = rows[-1]["id"]
        changes = []
        for row in map(dict[str, Any], rows):
            columns = implied(row)
            if any(row[name] != value for name, value in columns.items()):
                changes.append({"changed_id": row["id"], **columns})
        if changes:
            connection.execute(update(table).where(table.c.id == bindparam("changed_id")), changes)


def _logged(tables: Tables, entity_type: str) -> tuple[ScalarSelect[Any], ColumnElement[bool]]:
    table, log = tables.of(entity_type), tables.of("TimeLog")
    mine = and_(log.c.entity__type == entity_type, log.c.entity__id == table.c.id)
    # Retired logs count nothing, but a row that had some has a sum of 0, and one that never had any has none.
    total = select(func.coalesce(func.sum(log.c.duration), 0)).where(mine, log.c.retired.is_(False))
    return total.scalar_subquery(), exists().where(mine)


def _times(row: Mapping[str, Any]) -> dict[str, Any]:
    total = int(row["total"])
    return {"time_logs_sum": total, **_against(row, total)}


def _tasks(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"task_count": row["total"]}


def _against(columns: Mapping[str, Any], total: int | None) -> dict[str, int | None]:
    """What is left of a bid, and how much of it is used up; nothing without a bid or without a log."""
    if "est_in_mins" not in columns:
        return {}
    bid = columns["est_in_mins"]
    if not isinstance(bid, int) or total is None:
        return {"time_vs_est": None, "time_percent_of_est": None}
    return {"time_vs_est": bid - total, "time_percent_of_est": round(100 * total / bid) if bid else None}
