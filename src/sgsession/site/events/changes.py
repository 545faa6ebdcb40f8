"""From what a write changed to the events that tell of it, on the row and on the far end of its links."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..call import Call
from ..data_types import data_type
from ..database.rows import Reference
from ..schema.schema_map import EntityType, Field
from ..writes.links import ListChange
from .event_log import Draft, EventLog

# When and by whom a row was written is told by the event itself (wire.md 8.4).
_UNREPORTED = frozenset({"created_at", "created_by", "updated_at", "updated_by", "cached_display_name"})


def report_changes(
    call: Call,
    log: EventLog,
    entity_type: EntityType,
    row: Reference,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    lists: Mapping[str, ListChange],
    *,
    in_create: bool,
) -> None:
    """Report each field whose value changed; in a create, each field that has a value."""
    for field in entity_type.fields.values():
        if field.is_list:
            change = lists.get(field.name)
            if change:
                _report_list(call, log, row, field, change, in_create=in_create)
        elif field.is_stored and field.name not in _UNREPORTED and _differs(field, before, after):
            old, new = _value(field, before), _value(field, after)
            values = {"old_value": old, "new_value": new}
            draft = log.changed(row, field, values, in_create=in_create)
            for target in (old, new):
                if isinstance(target, Reference):
                    _echo(call, log, draft, field, target)


def _report_list(
    call: Call, log: EventLog, row: Reference, field: Field, change: ListChange, *, in_create: bool
) -> None:
    values = {"added": list(change.added), "removed": list(change.removed)}
    draft = log.changed(row, field, values, in_create=in_create)
    for each in (*change.added, *change.removed):
        _echo(call, log, draft, field, each)
    for connection in change.connections:
        log.created(connection)
    for owner, element in change.left:
        kept = call.schema.other_end(row.type, field.name, element.type)
        shown = call.schema.other_end(element.type, kept, owner.type) if kept else None
        if shown:
            log.echoed(draft, owner, shown)


def _echo(call: Call, log: EventLog, draft: Draft, field: Field, target: Reference) -> None:
    far = call.schema.other_end(field.entity_type, field.name, target.type)
    if far is not None:
        log.echoed(draft, target, far)


@cache
def _columns(kind: str, name: str) -> tuple[str, ...]:
    return tuple(column.name for column in data_type(kind).columns(name))


def _differs(field: Field, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(before[name] != after[name] for name in _columns(field.data_type, field.name))


def _value(field: Field, columns: Mapping[str, Any]) -> Any:
    if field.data_type == "entity":
        kind = columns[f"{field.name}__type"]
        return None if kind is None else Reference(kind, columns[f"{field.name}__id"])
    return data_type(field.data_type).wire(field, columns)
