"""A Note with its replies and attachments, as one conversation: `note_thread_contents` (wire.md 2.10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select

from ..call import Call
from ..data_types.texts import folded
from ..database.portable import among
from ..database.rows import Reference, by_type, known
from ..faults import SiteFault, ruby
from ..people.permissions import is_there
from ..queries.fetching import rows
from ..queries.references import described, requested_entity_fields
from ..requests import missing_row

_FIELDS = {
    "Note": ("content", "created_at", "created_by"),
    "Reply": ("content", "created_at", "user"),
    "Attachment": ("created_at", "created_by"),
}


def note_thread_contents(call: Call, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The Note, then its replies and attachments in the order they were made."""
    note_id = params.get("note_id")
    if isinstance(note_id, bool) or not isinstance(note_id, int):
        raise SiteFault(f"API {call.method}() invalid/missing integer 'note_id':\n{ruby(params)}")
    note = Reference("Note", note_id)
    found = known(call.connection, call.tables, [note]).get(note)
    if not is_there(call, found):
        raise missing_row(call, *note)
    more = requested_entity_fields(call, params)
    (links,) = rows(call, "Note", [note_id], ["replies", "attachments"])
    parts = [each for name in ("replies", "attachments") for each in links.get(name) or ()]
    contents = [
        row
        for kind, ids in by_type(Reference(each["type"], each["id"]) for each in parts)
        for row in rows(call, kind, ids, [*_FIELDS.get(kind, ()), *more.get(kind, ())])
    ]
    order = _order(call, contents)
    contents.sort(
        key=lambda row: (row.get("created_at") or "", order.get(Reference(row["type"], row["id"]), 0))
    )
    _add_pictures(call, contents)
    return [*rows(call, "Note", [note_id], [*_FIELDS["Note"], *more.get("Note", ())]), *contents]


def _order(call: Call, contents: Iterable[Mapping[str, Any]]) -> dict[Reference, int]:
    """The order in which the rows were created, which their whole seconds do not tell: that of their events."""
    event = call.tables.of("EventLogEntry")
    order: dict[Reference, int] = {}
    for kind, ids in by_type(Reference(row["type"], row["id"]) for row in contents):
        query = (
            select(event.c.entity__id, func.min(event.c.id))
            .where(event.c.event_type__folded == folded(f"Shotgun_{kind}_New"))
            .where(event.c.entity__type == kind, among(event.c.entity__id, ids))
            .group_by(event.c.entity__id)
        )
        order.update(
            (Reference(kind, row_id), event_id) for row_id, event_id in call.connection.execute(query)
        )
    return order


def _add_pictures(call: Call, contents: Iterable[Mapping[str, Any]]) -> None:
    """Replies show the picture of who wrote them."""
    users = [row["user"] for row in contents if row["type"] == "Reply" and row.get("user")]
    people = described(call, {Reference(user["type"], user["id"]) for user in users}, "image")
    for user in users:
        user["image"] = people[Reference(user["type"], user["id"])]["image"]
