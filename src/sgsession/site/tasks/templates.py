"""Applying a TaskTemplate: which tasks a row is to get, and how they wait for each other (wire.md 6.7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from ..call import Call
from ..database.rows import Reference
from ..queries import reading

# What a task takes over from the template's task. Who works on it and when is part of it.
_COPIED = (
    "content", "step", "sg_sort_order", "sg_status_list", "est_in_mins", "sg_description", "milestone",
    "start_date", "due_date", "duration", "splits", "task_assignees",
)  # fmt: skip
_CONNECTED = ("dependency_type", "offset_days", "shift_ratio")


def tasks_made(call: Call, row: Reference) -> dict[int, int]:
    """The tasks that the row has already, by the template's task that they were made from."""
    task = call.tables.of("Task")
    query = select(task.c.template_task__id, task.c.id).where(
        task.c.entity__type == row.type,
        task.c.entity__id == row.id,
        task.c.retired.is_(False),
        task.c.template_task__id.is_not(None),
    )
    made: dict[int, int] = dict(call.connection.execute(query.order_by(task.c.id)).all())
    return made


def tasks_to_make(
    call: Call, row: Reference, project: Mapping[str, Any] | None, template: int, made: Mapping[int, int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """What each missing task is to be written with, after the template's task that it is made from."""
    task = call.tables.of("Task")
    query = select(task.c.id).where(
        task.c.task_template__id == template, task.c.project__id.is_(None), task.c.retired.is_(False)
    )
    ids = [each for each in call.connection.execute(query.order_by(task.c.id)).scalars() if each not in made]
    fields = [name for name in _COPIED if name in call.schema.types["Task"].fields]
    for found in reading.rows(call, "Task", ids, fields):
        values = {name: found[name] for name in fields}
        entity = {"type": row.type, "id": row.id}
        own = {"entity": entity, "project": project, "template_task": {"type": "Task", "id": found["id"]}}
        yield found["id"], {**values, **own}


def dependencies_to_make(
    call: Call, before: Mapping[int, int], after: Mapping[int, int]
) -> Iterator[dict[str, Any]]:
    """What the dependencies of the new tasks are to be written with: those of the template's tasks.

    `before` and `after` tell which task was made from which of the template's, before and after they were made.
    """
    table = call.tables.of("TaskDependency")
    extras = [table.c[name] for name in _CONNECTED]
    query = select(table.c.task__id, table.c.dependent_task__id, *extras).where(
        table.c.retired.is_(False), table.c.task__id.in_(after), table.c.dependent_task__id.in_(after)
    )
    for task, upstream, *values in call.connection.execute(query.order_by(table.c.id)):
        if task in before and upstream in before:
            continue  # both were there, and may have been told apart since
        ends = {"task": task, "dependent_task": upstream}
        links = {name: {"type": "Task", "id": after[each]} for name, each in ends.items()}
        yield {**links, **dict(zip(_CONNECTED, values, strict=True))}
