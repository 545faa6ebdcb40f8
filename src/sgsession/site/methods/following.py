"""Who follows what: `follow`, `unfollow`, `followers`, `following` (wire.md 2.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, delete, false, select
from sqlalchemy.sql.elements import ColumnElement

from ..call import Call
from ..database.rows import Reference
from ..faults import SiteFault, ruby
from ..people.permissions import visible_links
from ..queries.references import described, named_row, requested_row


def follow(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """Let a person follow a row; doing it again changes nothing."""
    user, row = _pair(call, params)
    table = call.tables.follow
    if call.connection.execute(select(table.c.user_id).where(_is(call, user, row))).first() is None:
        call.connection.execute(table.insert(), {"user_id": user.id, "type": row.type, "id": row.id})
    return {"followed": True, "user": user._asdict(), "entity": row._asdict()}


def unfollow(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """Let a person no longer follow a row, whether they did or not."""
    user, row = _pair(call, params)
    call.connection.execute(delete(call.tables.follow).where(_is(call, user, row)))
    return {"unfollowed": True, "user": user._asdict(), "entity": row._asdict()}


def followers(call: Call, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The people who follow a row."""
    row = requested_row(call, params, "entity")
    table, record = call.tables.follow, call.tables.record
    query = (
        select(table.c.user_id)
        .join(record, and_(record.c.type == "HumanUser", record.c.id == table.c.user_id))
        .where(table.c.type == row.type, table.c.id == row.id, record.c.retired == false())
        .order_by(table.c.user_id)
    )
    people = [Reference("HumanUser", each) for each in call.connection.execute(query).scalars()]
    return [{**person, "valid": "valid"} for person in described(call, people).values()]


def following(call: Call, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that a person follows, of one project or one type if the request says so."""
    user = requested_row(call, params, "user", "HumanUser")
    table, record = call.tables.follow, call.tables.record
    query = (
        select(table.c.type, table.c.id)
        .join(record, and_(record.c.type == table.c.type, record.c.id == table.c.id))
        .where(table.c.user_id == user.id, record.c.retired == false(), *visible_links(call, call.tables))
        .order_by(table.c.type, table.c.id)
    )
    if params.get("project") is not None:
        query = query.where(record.c.project_id == named_row(call, params, "project", "Project").id)
    kind = params.get("entity_type")
    if kind is not None:
        if not isinstance(kind, str) or call.schema.type(kind) is None:
            raise SiteFault(f"API {call.method}() invalid/missing string 'entity_type':\n{ruby(params)}")
        query = query.where(table.c.type == kind)
    return [{"type": each.type, "id": each.id} for each in call.connection.execute(query)]


def _pair(call: Call, params: Mapping[str, Any]) -> tuple[Reference, Reference]:
    return requested_row(call, params, "user", "HumanUser"), requested_row(call, params, "entity")


def _is(call: Call, user: Reference, row: Reference) -> ColumnElement[bool]:
    table = call.tables.follow
    return and_(table.c.user_id == user.id, table.c.type == row.type, table.c.id == row.id)
