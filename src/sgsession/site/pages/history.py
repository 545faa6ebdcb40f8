"""What happened to a row, from its events: what changed, by whom, when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..call import Call
from ..methods.activity_stream import activity_stream
from ..schema.schema_map import Field
from . import addresses
from .fetching import linking
from .values import EMPTY, Cell, Cells, Link

__all__ = ["Change", "history", "history_of_retired"]

_MOST = 25
_ACTIONS = {"create": "New", "update": "Change", "delete": "Retirement"}
_VERBS = {"New": "made it", "Retirement": "retired it", "Revival": "revived it"}


@dataclass(frozen=True, slots=True)
class Change:
    """One event: a field with what it was and what it is, or what came to a list and what left it.

    `told` events have their description in `verb`, which says who did it as well.
    """

    who: Cell
    when: Cell
    href: str  # the event
    verb: str = ""
    told: bool = False
    field: str = ""
    old: Cell = EMPTY
    new: Cell = EMPTY
    added: tuple[Link, ...] = ()
    removed: tuple[Link, ...] = ()


def history(call: Call, cells: Cells, target: Mapping[str, Any]) -> tuple[list[Change], int]:
    """The latest changes of a row, newest first, and how many there are."""
    row = {"type": target["type"], "id": target["id"]}
    fields = ["event_type", "attribute_name", "description", "meta", "user", "created_at"]
    events, count = linking(call, "EventLogEntry", ["entity"], [row], fields, _MOST, "-id")
    return [_change(call, cells, target["type"], each) for each in events], count


def history_of_retired(call: Call, cells: Cells, target: Mapping[str, Any]) -> list[Change]:
    """The latest changes of a retired row: no filter finds its events, for links to it read null."""
    request = {"type": target["type"], "id": target["id"], "limit": _MOST}
    updates = activity_stream(call, request)["updates"]
    events = [
        {**each, "user": each["created_by"], "event_type": f"_{_ACTIONS.get(each['update_type'])}"}
        for each in updates
        if each["primary_entity"]
        and each["primary_entity"]["id"] == target["id"]
        and each["primary_entity"]["type"] == target["type"]
    ]
    return [_change(call, cells, target["type"], each) for each in events]


def _change(call: Call, cells: Cells, kind: str, event: Mapping[str, Any]) -> Change:
    types = call.schema.types["EventLogEntry"].fields
    who, when = cells.of(types["user"], event["user"]), cells.of(types["created_at"], event["created_at"])
    # Updates of a stream have ids of their own.
    href = "" if "update_type" in event else addresses.detail("EventLogEntry", event["id"])
    meta = event["meta"] if isinstance(event["meta"], Mapping) else {}
    action = str(event["event_type"] or "").rpartition("_")[2]
    if action in _VERBS:
        return Change(who, when, href, verb=_VERBS[action])
    field = call.schema.field(kind, str(meta.get("attribute_name") or ""))
    # The far end of a link that was written elsewhere is told by the event's own words: they say where.
    if meta.get("type") != "attribute_change" or field is None or "actual_attribute_changed" in meta:
        words = str(event.get("description") or meta.get("attribute_name") or event["event_type"])
        return Change(who, when, href, verb=words, told="description" in event)
    if "added" in meta or "removed" in meta:
        added, removed = (_links(cells, meta.get(each)) for each in ("added", "removed"))
        return Change(who, when, href, field=field.display_name, added=added, removed=removed)
    old, new = (_value(cells, field, meta.get(each)) for each in ("old_value", "new_value"))
    return Change(who, when, href, field=field.display_name, old=old, new=new)


def _value(cells: Cells, field: Field, value: Any) -> Cell:
    if field.data_type == "image":
        # Events name the Attachment, which may have gone since.
        return EMPTY if value is None else Cell("text", f"image {value}")
    return cells.of(field, value)


def _links(cells: Cells, values: Any) -> tuple[Link, ...]:
    named = values if isinstance(values, list) else []
    return tuple(
        cells.link(each) for each in named if isinstance(each, Mapping) and {"type", "id"} <= each.keys()
    )
