"""Deleting is retiring: the row stays, out of sight, and comes back with what it took along (wire.md 7.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import and_, select, update
from sqlalchemy import delete as sql_delete

from ..call import Call
from ..database.rows import Reference, known
from ..events.event_log import EventLog
from ..faults import SiteFault
from ..people.permissions import check_change
from ..requests import forbidden, missing_row, requested_id, requested_type
from .consequences import after_passage
from .uniqueness import check_pair, check_unique

# (type, entity field): its rows are retired with the row that the field names.
_CASCADES = (
    ("Version", "entity"),
    ("Task", "task_template"),
    ("TaskDependency", "task"),
    ("TaskDependency", "dependent_task"),
)


def delete(call: Call, params: Mapping[str, Any]) -> bool:
    """Retire a row; False when it is retired already."""
    row = _requested(call, params, "deleted")
    if known(call.connection, call.tables, [row])[row].retired:
        return False
    _check_parent(call, row)
    log = EventLog(call)
    retire_rows(call, log, [row])
    log.write()
    return True


def revive(call: Call, params: Mapping[str, Any]) -> bool:
    """Bring a retired row back, with all that its deletion took along; False when it is not retired."""
    row = _requested(call, params, "revived")
    if not known(call.connection, call.tables, [row])[row].retired:
        return False
    log = EventLog(call)
    waiting, revived = [row], []
    while waiting:
        each = waiting.pop(0)
        waiting.extend(_taken_along(call, each))
        _revive_one(call, log, each)
        revived.append(each)
    after_passage(call, log, revived)
    log.write()
    return True


def retire_rows(call: Call, log: EventLog, rows: Iterable[Reference]) -> None:
    """Retire living rows and, with each, what cannot stand without it."""
    waiting: list[tuple[Reference, Reference | None]] = [(row, None) for row in rows]
    retired: list[Reference] = []
    while waiting:
        row, cause = waiting.pop(0)
        found = known(call.connection, call.tables, [row])[row]
        # Two rows that go may both take the same third along.
        if found.retired:
            continue
        _retire_one(call, row, cause)
        log.retired(row, found.name)
        retired.append(row)
        waiting.extend((each, row) for each in _dependents(call, row))
    after_passage(call, log, retired)


def _requested(call: Call, params: Mapping[str, Any], verb: str) -> Reference:
    entity_type = requested_type(call, params)
    row = Reference(entity_type.name, requested_id(call, params))
    found = known(call.connection, call.tables, [row]).get(row)
    if found is None:
        raise missing_row(call, *row)
    check_change(call, row, found.project_id, verb)
    if entity_type.name == "EventLogEntry":
        raise forbidden(call, *row, verb)
    return row


def _check_parent(call: Call, row: Reference) -> None:
    """Refuse to delete a Reply to nothing: a real site stumbles over it, in these words (wire.md 6.7)."""
    if row.type != "Reply":
        return
    reply = call.tables.of("Reply")
    if call.connection.execute(select(reply.c.entity__id).where(reply.c.id == row.id)).scalar() is None:
        words = "undefined method 'reflect_on_association' for class NilClass"
        raise SiteFault(f"API {call.method}() CRUD ERROR #4: Delete failed for [Reply]: {words}", 104)


def _dependents(call: Call, row: Reference) -> Iterator[Reference]:
    found: dict[Reference, None] = {}
    for kind, name in _CASCADES:
        field = call.schema.field(kind, name)
        # Any type may be the `entity` of a Version; the other fields name rows of one type.
        if field is None or (name != "entity" and row.type not in field.valid_types):
            continue
        table = call.tables.of(kind)
        mine = and_(table.c[f"{name}__type"] == row.type, table.c[f"{name}__id"] == row.id)
        if (kind, name) == ("Task", "task_template"):
            # Only the template's own tasks; those made from it belong to their project.
            mine = and_(mine, table.c.project__id.is_(None))
        query = select(table.c.id).where(mine, table.c.retired.is_(False)).order_by(table.c.id)
        found.update((Reference(kind, each), None) for each in call.connection.execute(query).scalars())
    yield from found


def _taken_along(call: Call, row: Reference) -> list[Reference]:
    retirement = call.tables.retirement
    mine = and_(retirement.c.cause_type == row.type, retirement.c.cause_id == row.id)
    query = (
        select(retirement.c.type, retirement.c.id).where(mine).order_by(retirement.c.type, retirement.c.id)
    )
    return [Reference(*each) for each in call.connection.execute(query)]


def _retire_one(call: Call, row: Reference, cause: Reference | None) -> None:
    _mark(call, row, retired=True)
    call.connection.execute(
        call.tables.retirement.insert(),
        {
            "type": row.type,
            "id": row.id,
            "retired_at": call.now,
            "cause_type": cause.type if cause else None,
            "cause_id": cause.id if cause else None,
        },
    )


def _revive_one(call: Call, log: EventLog, row: Reference) -> None:
    entity_type, table = call.schema.types[row.type], call.tables.of(row.type)
    columns = dict(call.connection.execute(select(table).where(table.c.id == row.id)).mappings().one())
    # While it was gone, another row may have taken its name (wire.md 7.2).
    check_unique(call, entity_type, row.id, columns, entity_type.fields)
    check_pair(call, entity_type, columns)
    retirement = call.tables.retirement
    mine = and_(retirement.c.type == row.type, retirement.c.id == row.id)
    retired_at = call.connection.execute(select(retirement.c.retired_at).where(mine)).scalar() or call.now
    call.connection.execute(sql_delete(retirement).where(mine))
    _mark(call, row, retired=False)
    log.revived(row, columns["cached_display_name"], f"{retired_at:%Y-%m-%d %H:%M:%S} UTC")


def _mark(call: Call, row: Reference, *, retired: bool) -> None:
    table, record = call.tables.of(row.type), call.tables.record
    call.connection.execute(update(table).where(table.c.id == row.id).values(retired=retired))
    mine = and_(record.c.type == row.type, record.c.id == row.id)
    call.connection.execute(update(record).where(mine).values(retired=retired))
