"""Storing the changed columns of a row, and with them its twin in `record`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, select, update

from ..call import Call
from ..database.rows import Reference, project_of, storable_id
from ..events.changes import report_changes
from ..events.event_log import EventLog
from .links import stamp


def living_row(call: Call, entity_type: str, row_id: int) -> dict[str, Any] | None:
    """The columns of a row that is not retired."""
    if not storable_id(row_id):
        return None
    table = call.tables.of(entity_type)
    query = select(table).where(table.c.id == row_id, table.c.retired.is_(False))
    found = call.connection.execute(query).mappings().first()
    return None if found is None else dict(found)


def store_columns(call: Call, row: Reference, before: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    """Store the columns that differ from `before`."""
    changed = {name: value for name, value in columns.items() if name not in before or before[name] != value}
    if not changed:
        return
    table, record = call.tables.of(row.type), call.tables.record
    call.connection.execute(update(table).where(table.c.id == row.id).values(changed))
    twin = {}
    if "cached_display_name" in changed:
        name, folded_name = columns["cached_display_name"], columns["cached_display_name__folded"]
        twin = {"name": name, "name__folded": folded_name}
    if "project__id" in changed and row.type != "Project":
        twin["project_id"] = project_of(row.type, {**columns, "id": row.id})
    if twin:
        mine = and_(record.c.type == row.type, record.c.id == row.id)
        call.connection.execute(update(record).where(mine).values(twin))


def follow_suit(
    call: Call, log: EventLog, row: Reference, before: Mapping[str, Any], implied: Mapping[str, Any]
) -> bool:
    """Change a row because another one was written; says whether there was anything to change."""
    after = {**before, **implied}
    if after == before:
        return False
    store_columns(call, row, before, {**after, **stamp(call, row.type)})
    report_changes(call, log, call.schema.types[row.type], row, before, after, {}, in_create=False)
    return True
