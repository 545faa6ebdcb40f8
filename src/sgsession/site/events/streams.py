"""Which activity streams show an event: noted beside the events, in the same transaction (wire.md 2.10).

Updates have ids of their own. Kept narrow, one line per stream: what an update says is read from its event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ..call import Call
from ..database.rows import Known, Reference, reserve_ids

if TYPE_CHECKING:
    from .event_log import Draft

_UPDATE_TYPES = {"New": "create", "Change": "update", "Retirement": "delete"}
# The links of a new row in whose streams it shows: a Note on a Shot is news of the Shot.
_SHOWN_ON = {"Note": "note_links", "Reply": "entity", "Version": "entity", "PublishedFile": "entity"}
# The stream of a person is what that person did, not what was done to the person's row.
_PEOPLE = frozenset({"HumanUser", "ApiUser", "ClientUser"})


def show_in_streams(call: Call, drafts: Iterable[Draft], about: Mapping[Reference, Known]) -> None:
    """Note in which streams the events of a call show that were just written."""
    shown = [draft for draft in drafts if _is_shown(call, draft)]
    if not shown:
        return
    ids = reserve_ids(call.connection, call.tables, "stream_update", len(shown))
    rows: list[dict[str, Any]] = []
    for update_id, draft in zip(ids, shown, strict=True):
        kind, entity = _told(call, draft)
        project = about[draft.subject].project_id if draft.subject in about else None
        update = {
            "id": update_id,
            "event_id": draft.event_id,
            "update_type": kind,
            "entity_type": entity.type,
            "entity_id": entity.id,
        }
        owners = _streams(call, draft, entity, project)
        rows.extend({**update, "owner_type": owner.type, "owner_id": owner.id} for owner in owners)
    insert = call.tables.prepare("insert updates", call.tables.stream_update.insert)
    call.connection.execute(insert, rows)


def _is_shown(call: Call, draft: Draft) -> bool:
    # A new row is one piece of news: neither its first values nor the far ends of its links are others.
    if draft.action not in _UPDATE_TYPES or draft.trigger is not None or "in_create" in draft.meta:
        return False
    found = call.schema.type(draft.subject.type)
    return found is not None and not found.connection and draft.attribute != "retirement_date"


def _told(call: Call, draft: Draft) -> tuple[str, Reference]:
    """What kind of update the event is, and the row that it is about: for a new Reply, what it replies to."""
    if draft.action == "New" and draft.subject.type == "Reply":
        for answered in _linked(call, draft.subject, _SHOWN_ON["Reply"]):
            return "create_reply", answered
    return _UPDATE_TYPES[draft.action], draft.subject


def _streams(call: Call, draft: Draft, entity: Reference, project: int | None) -> set[Reference]:
    shown_on = {draft.subject, entity}
    if draft.action == "New":
        for each in (draft.subject, entity):
            if each.type in _SHOWN_ON:
                shown_on.update(_linked(call, each, _SHOWN_ON[each.type]))
    if project is not None:
        shown_on.add(Reference("Project", project))
    owners = {each for each in shown_on if each.type not in _PEOPLE}
    return {*owners, Reference(call.caller.type, call.caller.id)}


def _linked(call: Call, row: Reference, name: str) -> Iterator[Reference]:
    """The rows that a field of the row names."""
    field = call.schema.field(row.type, name)
    if field is None:
        return
    if field.is_list:
        links = call.tables.links(row.type, name)
        query = select(links.element_type, links.element_id).where(links.owner_id == row.id)
        if links.owner_type is not None:
            query = query.where(links.owner_type == row.type)
    else:
        table = call.tables.of(row.type)
        query = select(table.c[f"{name}__type"], table.c[f"{name}__id"]).where(table.c.id == row.id)
    for kind, row_id in call.connection.execute(query).all():
        if kind is not None:
            yield Reference(kind, row_id)
