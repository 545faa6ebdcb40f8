"""What a write brings about in other rows: dates that follow, sums that change (wire.md 6.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from ..call import Call
from ..data_types import Given
from ..database.rows import Reference
from ..events.event_log import EventLog
from ..faults import SiteFault, ruby
from ..schema.schema_map import EntityType
from ..tasks.dates import DATE_FIELDS, MilestoneConflict, TaskDates, written_dates
from ..tasks.dependencies import LOOP, calendar_of, causes_loop, follow_upstream, has_upstream
from ..tasks.rollups import add_up_time, compare_with_bid, count_tasks
from ..tasks.splits import check_splits
from .links import ListChange

_MOVES = ("start_date", "due_date")


def implied_columns(
    call: Call,
    entity_type: EntityType,
    before: Mapping[str, Any],
    columns: Mapping[str, Any],
    written: Mapping[str, Any],
) -> dict[str, Any]:
    """The columns of the written row itself that follow from what was written."""
    if entity_type.connection:
        # Some connection types also show the ids of their ends as numbers.
        numbers = {f"{end}_id": columns[f"{end}__id"] for end in entity_type.ends}
        return {name: value for name, value in numbers.items() if name in entity_type.fields}
    if entity_type.name == "Task":
        return _task_columns(call, entity_type, before, columns, written)
    return {}


def after_write(
    call: Call,
    log: EventLog,
    row: Reference,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    lists: Mapping[str, ListChange],
) -> None:
    """Bring up to date what depends on a row that was created or changed."""
    changed = {name for name, value in after.items() if before.get(name) != value}
    if row.type == "Task":
        _after_task(call, log, row, before, after, changed, lists)
    elif row.type == "TaskDependency":
        _check_dependency(call, row, after)
        tasks = {each["task__id"] for each in (before, after)} - {None}
        follow_upstream(call, log, tasks)
    elif row.type == "TimeLog" and changed & {"duration", "entity__type", "entity__id"}:
        add_up_time(call, log, _logged_on(before, after))


def after_passage(call: Call, log: EventLog, rows: Iterable[Reference]) -> None:
    """Bring up to date what depended on rows that were retired, or depends on rows that came back."""
    for row in rows:
        if row.type not in ("Task", "TaskDependency", "TimeLog"):
            continue
        table = call.tables.of(row.type)
        query = select(table).where(table.c.id == row.id)
        columns = dict(call.connection.execute(query).mappings().one())
        if row.type == "TimeLog":
            add_up_time(call, log, _logged_on(columns))
        elif row.type == "TaskDependency":
            follow_upstream(call, log, {columns["task__id"]})
        elif _is_of_template(columns):
            count_tasks(call, log, [columns["task_template__id"]])


def check_template_task(call: Call, project: Any, request: Any) -> None:
    """Refuse a project for a task of a template: it has the template instead (wire.md 6.7)."""
    if project is not None:
        words = "Invalid Task: a task template may not have a project"
        raise SiteFault(f"API {call.method}() {words}:\n{ruby(request)}")


def _task_columns(
    call: Call,
    entity_type: EntityType,
    before: Mapping[str, Any],
    columns: Mapping[str, Any],
    written: Mapping[str, Any],
) -> dict[str, Any]:
    if {"task_template", "project"} & written.keys() and columns["task_template__id"] is not None:
        check_template_task(call, columns["project__id"], written)
    if not written.keys() & set(DATE_FIELDS):
        return {}
    if "splits" in written:
        check_splits(entity_type.fields["splits"], written["splits"], call.method)
    calendar = calendar_of(call, columns)
    try:
        dates = written_dates(TaskDates.of(before), columns, written, calendar)
    except MilestoneConflict:
        given = Given.to_write(entity_type.fields["due_date"], written["due_date"], call.method)
        raise given.failed(
            "(task.rb) The start date and the due date of a milestone must be the same."
        ) from None
    implied = dates.columns(calendar)
    moved = any(name in written and before[name] != implied[name] for name in _MOVES)
    if call.method == "update" and moved and "pinned" not in written and has_upstream(call, columns["id"]):
        # Whoever dates a task by hand wants it there, whatever it waits for.
        implied["pinned"] = True
    return implied


def _after_task(
    call: Call,
    log: EventLog,
    row: Reference,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    changed: set[str],
    lists: Mapping[str, ListChange],
) -> None:
    nothing = ListChange()
    upstream, downstream = (lists.get(name, nothing) for name in ("upstream_tasks", "downstream_tasks"))
    if (upstream.added or downstream.added) and causes_loop(call, row.id):
        name = "upstream_tasks" if upstream.added else "downstream_tasks"
        field = call.schema.types["Task"].fields[name]
        raise Given.to_write(field, None, call.method).failed(LOOP)
    own = {row.id} if upstream or changed & {*_MOVES, "duration", "pinned", "splits"} else set()
    own.update(each.id for each in (*downstream.added, *downstream.removed))
    moved = {row.id} if changed & set(_MOVES) else set()
    if own or moved:
        follow_upstream(call, log, own, moved)
    if "est_in_mins" in changed and after["time_logs_sum"] is not None:
        compare_with_bid(call, log, row)
    if changed & {"task_template__id", "project__id"}:
        templates = [each["task_template__id"] for each in (before, after) if _is_of_template(each)]
        count_tasks(call, log, templates)


def _check_dependency(call: Call, row: Reference, columns: Mapping[str, Any]) -> None:
    fields = call.schema.types[row.type].fields
    if causes_loop(call, columns["task__id"]):
        raise Given.to_write(fields["task"], None, call.method).failed(LOOP)


def _is_of_template(task: Mapping[str, Any]) -> bool:
    return task["task_template__id"] is not None and task["project__id"] is None


def _logged_on(*time_logs: Mapping[str, Any]) -> list[Reference]:
    return [
        Reference(each["entity__type"], each["entity__id"])
        for each in time_logs
        if each["entity__id"] is not None
    ]
