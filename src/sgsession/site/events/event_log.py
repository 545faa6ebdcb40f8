"""The event log: what each write leaves behind, in the same transaction (wire.md 8).

Ids are taken when the events are written, by the one writer there is: they have no gaps, and a higher id
never becomes visible before a lower one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Select, Table, bindparam, select

from ..call import Call
from ..data_types.texts import folded
from ..database.rows import Known, Reference, blank_row, by_type, insert_rows, known, named, reserve_ids
from ..schema.schema_map import Field
from .streams import show_in_streams

_VERBS = {"New": "created new", "Retirement": "deleted", "Revival": "revived"}


@dataclass(slots=True)
class Draft:
    """An event that is not written yet. References in `meta` gain their names when it is."""

    action: str  # New, Change, Retirement, Revival
    subject: Reference
    meta: dict[str, Any]
    attribute: str | None = None
    trigger: Draft | None = None  # the event on the other row, of which this one is the echo
    kind: str | None = None  # what `event_type` names instead of the type of the subject
    event_id: int = field(default=0)


class EventLog:
    """Collects the events of one call, then writes them together."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._drafts: list[Draft] = []

    def created(self, row: Reference) -> None:
        """A row was created."""
        self._add(Draft("New", row, {"type": "new_entity", "entity_type": row.type, "entity_id": row.id}))

    def changed(self, row: Reference, changed: Field, values: Mapping[str, Any], *, in_create: bool) -> Draft:
        """A field changed; `values` are old_value and new_value, or added and removed."""
        meta: dict[str, Any] = {
            "type": "attribute_change",
            "attribute_name": changed.name,
            "entity_type": row.type,
            "entity_id": row.id,
            "field_data_type": changed.data_type,
            **values,
        }
        if in_create:
            meta["in_create"] = True
        return self._add(Draft("Change", row, meta, changed.name))

    def echoed(self, trigger: Draft, row: Reference, attribute: str) -> None:
        """The far end of a relation changed with it: its event tells of the row that was written."""
        meta = {key: value for key, value in trigger.meta.items() if key != "in_create"}
        meta["attribute_name"] = attribute
        meta["actual_attribute_changed"] = f"{trigger.subject.type}.{trigger.attribute}"
        self._add(Draft("Change", row, meta, attribute, trigger))

    def read(self, row: Reference, changed: Field, values: Mapping[str, Any]) -> None:
        """A person read a row, or wants it unread again (wire.md 8.2)."""
        self.changed(row, changed, values, in_create=False).kind = "Reading"

    def retired(self, row: Reference, display_name: str | None) -> None:
        """A row was deleted."""
        moment = f"{self._call.now:%Y-%m-%d %H:%M:%S} UTC"
        self._add(Draft("Change", row, _retirement_change(row, None, moment), "retirement_date"))
        meta = _passage("entity_retirement", row, display_name)
        self._add(Draft("Retirement", row, {**meta, "retirement_date": moment}))

    def revived(self, row: Reference, display_name: str | None, retired_at: str) -> None:
        """A deleted row came back."""
        self._add(Draft("Change", row, _retirement_change(row, retired_at, None), "retirement_date"))
        self._add(Draft("Revival", row, _passage("entity_revival", row, display_name)))

    def write(self) -> None:
        """Write all events, in the order they were reported."""
        call, drafts = self._call, self._drafts
        if not drafts:
            return
        about = self._described(drafts)
        entity_type = call.schema.types["EventLogEntry"]
        blank = blank_row(entity_type)
        ids = reserve_ids(call.connection, call.tables, "EventLogEntry", len(drafts))
        rows = []
        for event_id, draft in zip(ids, drafts, strict=True):
            draft.event_id = event_id
            rows.append({**blank, "id": event_id, **self._columns(draft, about)})
        insert_rows(call.connection, call.tables, "EventLogEntry", rows)
        show_in_streams(call, drafts, about.known)
        self._drafts = []

    def _add(self, draft: Draft) -> Draft:
        # A script whose row says so leaves no trace (wire.md 8.4).
        if self._call.caller.writes_events:
            self._drafts.append(draft)
        return draft

    def _columns(self, draft: Draft, about: _About) -> dict[str, Any]:
        call, caller = self._call, self._call.caller
        subject = about.known.get(draft.subject, Known(None, False, None))
        meta = {key: about.spelled(value) for key, value in draft.meta.items()}
        if draft.trigger is not None:
            meta["original_event_log_entry_id"] = draft.trigger.event_id
        if caller.actual is not None:
            kind, row_id, name = caller.actual
            meta["sudo_actual_user"] = {"type": kind, "id": row_id, "name": name, "valid": "valid"}
        sentence = f"{caller.name} {self._sentence(draft.trigger or draft, about)}"
        return {
            **_text("event_type", f"Shotgun_{draft.kind or draft.subject.type}_{draft.action}"),
            **_text("attribute_name", draft.attribute),
            **_text("description", sentence),
            **named(sentence),
            "meta": json.dumps(meta),
            "entity__type": draft.subject.type,
            "entity__id": draft.subject.id,
            "project__type": None if subject.project_id is None else "Project",
            "project__id": subject.project_id,
            "user__type": caller.type,
            "user__id": caller.id,
            "session_uuid": caller.session_uuid,
            "created_at": f"{call.now.isoformat()}Z",
        }

    def _sentence(self, draft: Draft, about: _About) -> str:
        subject = about.known.get(draft.subject)
        row = f"{draft.subject.type} {subject.name or '' if subject else ''}".strip()
        if draft.action != "Change":
            return f"{_VERBS[draft.action]} {row}"
        found = self._call.schema.field(draft.subject.type, draft.attribute or "")
        title = found.display_name if found is not None else str(draft.attribute)
        if "added" in draft.meta:
            parts = [
                f"{verb} {', '.join(about.quoted(each) for each in draft.meta[verb])}"
                for verb in ("added", "removed")
                if draft.meta[verb]
            ]
            return f'changed "{title}" ({"; ".join(parts)}) on {row}'
        old, new = draft.meta.get("old_value"), draft.meta.get("new_value")
        return f'changed "{title}" from {about.quoted(old)} to {about.quoted(new)} on {row}'

    def _described(self, drafts: Iterable[Draft]) -> _About:
        mentioned: dict[Reference, None] = {}
        for draft in drafts:
            mentioned[draft.subject] = None
            for value in draft.meta.values():
                for each in value if isinstance(value, (list, tuple)) and not _is_link(value) else [value]:
                    if _is_link(each):
                        mentioned[each] = None
        found = known(self._call.connection, self._call.tables, mentioned)
        return _About(found, self._statuses(found))

    def _statuses(self, rows: Iterable[Reference]) -> dict[Reference, str | None]:
        """The statuses of those rows, which link values in `meta` carry."""
        found: dict[Reference, str | None] = {}
        for kind, ids in by_type(rows):
            if self._call.schema.field(kind, "sg_status_list") is not None:
                table = self._call.tables.of(kind)
                query = self._call.tables.prepare(("statuses", kind), partial(_statuses_of, table))
                statuses = self._call.connection.execute(query, {"given_ids": ids})
                found.update((Reference(kind, row_id), status) for row_id, status in statuses)
        return found


@dataclass(frozen=True, slots=True)
class _About:
    """What the rows that events mention are called."""

    known: Mapping[Reference, Known]
    statuses: Mapping[Reference, str | None]

    def spelled(self, value: Any) -> Any:
        """The value with its links as `meta` shows them (wire.md 8.3)."""
        if _is_link(value):
            found = self.known.get(value)
            link = {
                "type": value.type,
                "id": value.id,
                "name": found.name if found else None,
                "valid": "valid",
            }
            return {**link, "status": self.statuses[value]} if value in self.statuses else link
        if isinstance(value, (list, tuple)):
            return [self.spelled(each) for each in value]
        return value

    def quoted(self, value: Any) -> str:
        """The value as the English sentence of an event shows it."""
        if _is_link(value):
            found = self.known.get(value)
            value = found.name if found else None
        if isinstance(value, dict):
            value = value.get("name")
        return f'"{"" if value is None else value}"'


def _statuses_of(table: Table) -> Select[Any]:
    given = table.c.id.in_(bindparam("given_ids", expanding=True))
    return select(table.c.id, table.c.sg_status_list).where(given)


def _is_link(value: Any) -> bool:
    return isinstance(value, Reference)


def _text(name: str, value: str | None) -> dict[str, Any]:
    return {name: value, f"{name}__folded": None if value is None else folded(value)}


def _retirement_change(row: Reference, old: str | None, new: str | None) -> dict[str, Any]:
    return {
        "type": "attribute_change",
        "attribute_name": "retirement_date",
        "entity_type": row.type,
        "entity_id": row.id,
        "old_value": old,
        "new_value": new,
    }


def _passage(kind: str, row: Reference, display_name: str | None) -> dict[str, Any]:
    return {
        "type": kind,
        "entity_type": row.type,
        "entity_id": row.id,
        "id": row.id,
        "class_name": row.type,
        "display_name": display_name,
    }
