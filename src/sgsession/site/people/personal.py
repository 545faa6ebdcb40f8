"""Per-person fields: favorites, what was read and when a project was last opened (wire.md 6.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from ..call import Call
from ..data_types import data_type
from ..data_types.personal import as_text, from_text, never_set, of_caller
from ..database.portable import among
from ..database.rows import Reference
from ..events.event_log import EventLog
from ..schema.schema_map import EntityType, Field

_READ_BY = "read_by_current_user"


def keep_personal(
    call: Call, log: EventLog, row: Reference, entity_type: EntityType, written: Mapping[str, Any]
) -> None:
    """Keep what a request wrote to the caller's own fields of a row; nobody else sees a change."""
    for name, value in written.items():
        field = entity_type.fields[name]
        if not field.is_personal:
            continue
        checked = data_type(field.data_type).stored(field, value, call.method)[name]
        # Scripts have nothing to read: what they say of it is accepted and ignored (wire.md 6.7, 7.2).
        if field.data_type == "list" and call.caller.type != "HumanUser":
            continue
        _keep(call, log, row, field, checked)


def set_personal(call: Call, row: Reference, name: str, value: Any) -> None:
    """Give the caller a value of their own for a per-person field."""
    personal = call.tables.personal
    own = {"entity_type": row.type, "entity_id": row.id, "field": name}
    mine = [personal.c[key] == each for key, each in own.items()]
    call.connection.execute(delete(personal).where(of_caller(personal, call.caller), *mine))
    text = as_text(value)
    if text is not None:
        user = {"user_type": call.caller.type, "user_id": call.caller.id}
        call.connection.execute(personal.insert(), {**user, **own, "value": text})


def personal_values(call: Call, entity_type: str, field: Field, ids: Sequence[int]) -> dict[int, Any]:
    """The caller's own value of the field for each of these rows."""
    personal = call.tables.personal
    query = select(personal.c.entity_id, personal.c.value).where(
        of_caller(personal, call.caller),
        personal.c.entity_type == entity_type,
        among(personal.c.entity_id, ids),
        personal.c.field == field.name,
    )
    values: dict[int, Any] = dict.fromkeys(ids, never_set(field))
    if ids:
        values.update((row_id, from_text(field, text)) for row_id, text in call.connection.execute(query))
    return values


def _keep(call: Call, log: EventLog, row: Reference, field: Field, value: Any) -> None:
    old = personal_values(call, row.type, field, [row.id])[row.id]
    new = never_set(field) if value is None else value
    if old == new:
        return
    set_personal(call, row, field.name, value)
    seen_at = call.schema.field(row.type, f"{field.name}_at")
    if seen_at is not None:
        set_personal(call, row, seen_at.name, f"{call.now.isoformat()}Z" if new == "read" else None)
    if field.name == _READ_BY:
        log.read(row, field, {"old_value": old, "new_value": new})
