"""What happened to a row, newest first: `activity_stream` (wire.md 2.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from ..call import Call
from ..database.rows import Reference, known
from ..faults import SiteFault, ruby
from ..queries.fetching import rows
from ..queries.references import described, requested_entity_fields
from ..requests import missing_row, requested_id, requested_type

_USUAL_LIMIT = 25
_HIGHEST_LIMIT = 500


def activity_stream(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the updates in the stream of a row; of a person, what that person did."""
    row = Reference(requested_type(call, params).name, requested_id(call, params))
    found = known(call.connection, call.tables, [row]).get(row)
    if found is None or not call.caller.sees(found.project_id):
        raise missing_row(call, *row)
    entity_fields = requested_entity_fields(call, params)
    page = _page(call, row, params)
    return {
        "entity_type": row.type,
        "entity_id": row.id,
        # Zero says that there is nothing older.
        "latest_update_id": page[0].id if page else 0,
        "earliest_update_id": page[-1].id if page else 0,
        "updates": _updates(call, page, entity_fields),
    }


def _page(call: Call, row: Reference, params: Mapping[str, Any]) -> Sequence[Row[Any]]:
    limit = _number(call, params, "limit")
    if limit is None:
        limit = _USUAL_LIMIT
    if not 1 <= limit <= _HIGHEST_LIMIT:
        words = f"'limit' must be between 1 and {_HIGHEST_LIMIT}"
        raise SiteFault(f"API {call.method}() {words}:\n{ruby(params)}")
    table = call.tables.stream_update
    query = select(table).where(table.c.owner_type == row.type, table.c.owner_id == row.id)
    highest, lowest = _number(call, params, "max_id"), _number(call, params, "min_id")
    if highest is not None:
        query = query.where(table.c.id < highest)
    if lowest is not None:
        query = query.where(table.c.id > lowest)
    return call.connection.execute(query.order_by(table.c.id.desc()).limit(limit)).all()


def _updates(
    call: Call, page: Sequence[Row[Any]], entity_fields: Mapping[str, list[str]]
) -> list[dict[str, Any]]:
    asked = ["created_at", "meta", "user"]
    found = rows(call, "EventLogEntry", list(dict.fromkeys(each.event_id for each in page)), asked)
    events = {event["id"]: event for event in found}
    users = {Reference(user["type"], user["id"]) for user in (event["user"] for event in found) if user}
    people = described(call, users, "image")
    entities = described(
        call, {Reference(each.entity_type, each.entity_id) for each in page}, more=entity_fields
    )
    updates = []
    for each in page:
        if each.event_id not in events:
            continue  # of a project that a limited script does not see
        event = events[each.event_id]
        user = event["user"]
        updates.append(
            {
                "id": each.id,
                "update_type": each.update_type,
                "created_at": event["created_at"],
                "created_by": people.get(Reference(user["type"], user["id"])) if user else None,
                "meta": event["meta"],
                "primary_entity": entities.get(Reference(each.entity_type, each.entity_id)),
                # Updates are marked as read in the browser; no remote call does that.
                "read": False,
            }
        )
    return updates


def _number(call: Call, params: Mapping[str, Any], name: str) -> int | None:
    value = params.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise SiteFault(f"API {call.method}() invalid integer '{name}':\n{ruby(params)}")
    return value
