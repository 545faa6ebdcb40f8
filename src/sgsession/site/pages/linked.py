"""What points at a row: its tasks, versions, notes and files each in a panel of their own, the rest field by field."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..call import Call
from ..queries.paths import resolve
from ..schema.schema_map import EntityType, Field
from . import addresses
from .fetching import linking
from .values import EMPTY, Cell, Cells, Link, hue

__all__ = ["Backlinks", "Panel", "backlinks", "panels", "told_by_others"]

_LINKS = frozenset({"entity", "multi_entity", "addressing"})
# Every type has these, and no index helps with them: they get a link to the table and no count.
_AUTHORS = frozenset({"created_by", "updated_by"})
# Where a thumbnail was shared from is no relation that anybody means.
_UNTOLD = frozenset({"image_source_entity"})
_MOST_BACKLINKS = 8

_MOST_REPLIES = 500  # to all notes of a page


@dataclass(frozen=True, slots=True)
class _Belonging:
    """Rows of a type that belong to others: by which of its fields, which are read, in what order, how many."""

    by: tuple[str, ...]
    fields: tuple[str, ...]
    order: str
    most: int


_REPLIES = _Belonging(("entity",), ("content", "user", "created_at", "entity"), "id", 50)
_BELONGING: Mapping[str, _Belonging] = {
    "Task": _Belonging(
        ("entity",),
        ("content", "step", "step.Step.color", "sg_status_list", "task_assignees", "start_date", "due_date"),
        "step.Step.list_order",
        50,
    ),
    "Version": _Belonging(
        ("entity", "sg_task", "playlists"),
        ("code", "image", "sg_status_list", "user", "created_at"),
        "-id",
        12,
    ),
    "Note": _Belonging(
        ("note_links", "tasks"),
        ("subject", "content", "user", "created_by", "created_at", "sg_status_list"),
        "-id",
        10,
    ),
    "Attachment": _Belonging(
        ("attachment_links",), ("this_file", "image", "file_size", "created_by", "created_at"), "-id", 24
    ),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A row in a panel: a cell for each field that the panel reads."""

    id: int
    link: Link
    hue: int
    picture: str
    cells: dict[str, Cell]
    replies: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Panel:
    """The rows of one type that belong to the row of the page."""

    items: list[Item]
    count: int
    href: str  # the table of all of them


@dataclass(frozen=True, slots=True)
class Backlinks:
    """The rows of a type that name the row of the page in one of their fields."""

    type: str
    label: str
    links: list[Link]
    count: int
    href: str
    own: str  # the field of the page's row that holds the same links, if it has one


def panels(
    call: Call, cells: Cells, target: Mapping[str, Any], counts: Mapping[str, int]
) -> dict[str, Panel]:
    """The panels that have any rows, by type; each note on them with its replies."""
    found: dict[str, Panel] = {}
    for entity_type in call.schema.types.values():
        kind = entity_type.name
        paths = _panel_paths(call, kind, target["type"]) if counts.get(kind) else []
        if paths:
            panel = _panel(call, cells, kind, paths, target)
            if panel.count:
                found[kind] = panel
    if "Note" in found and counts.get("Reply"):
        _add_replies(call, cells, found["Note"].items)
    return found


def backlinks(
    call: Call, cells: Cells, target: Mapping[str, Any], counts: Mapping[str, int]
) -> tuple[list[Backlinks], list[Link]]:
    """The rows that name this one anywhere else, by type and field, and the tables of what its person made."""
    found: list[Backlinks] = []
    made: list[Link] = []
    row = {"type": target["type"], "id": target["id"]}
    told = f"{row['type']}:{row['id']}"
    for entity_type, each in _pointing(call, target["type"], counts):
        href = addresses.table(entity_type.name, [(each.name, "is", told)])
        if each.name in _AUTHORS:
            if each.name == "created_by":
                made.append(Link(entity_type.display_name, href, entity_type.name))
            continue
        rows, count = linking(
            call, entity_type.name, [each.name], [row], ["cached_display_name"], _MOST_BACKLINKS
        )
        if count:
            links = [cells.link({**one, "name": one.get("cached_display_name")}) for one in rows]
            label = f"{entity_type.display_name} · {each.display_name}"
            own = call.schema.other_end(entity_type.name, each.name, target["type"]) or ""
            found.append(Backlinks(entity_type.name, label, links, count, href, own))
    return found, made


def told_by_others(call: Call, kind: str, counts: Mapping[str, int]) -> set[str]:
    """The fields of a row that hold what panels and back-links show: its tasks, the shots of a sequence."""
    pointing = [
        (each.name, path)
        for each in call.schema.types.values()
        for path in _panel_paths(call, each.name, kind)
    ]
    pointing.extend((entity_type.name, each.name) for entity_type, each in _pointing(call, kind, counts))
    ends = (call.schema.other_end(name, path, kind) for name, path in pointing)
    return {end for end in ends if end is not None}


def _pointing(call: Call, kind: str, counts: Mapping[str, int]) -> Iterable[tuple[EntityType, Field]]:
    """The fields of types that have rows which may name a row of this type, and no panel shows."""
    for entity_type in call.schema.types.values():
        if not counts.get(entity_type.name) or entity_type.connection:
            continue
        # The history shows the events that are about a row.
        shown = {*_UNTOLD, *(["entity"] if entity_type.name == "EventLogEntry" else [])}
        # Nor need the page of a project say twice what is in it.
        shown.update(["project"] if kind == "Project" else [])
        shown.update(_panel_paths(call, entity_type.name, kind))
        for each in entity_type.fields.values():
            # A list with two ends shows among the fields of the row: `Shot.assets` is `Asset.shots` from there.
            held_here = each.is_list and call.schema.other_end(entity_type.name, each.name, kind)
            if each.name not in shown and not held_here and _may_name(each, kind):
                yield entity_type, each


def _panel_paths(call: Call, name: str, kind: str) -> list[str]:
    """The fields of a type whose links to rows of this kind a panel shows; none for a type without a panel."""
    belonging = _belonging(name, kind)
    fields = (call.schema.field(name, each) for each in belonging.by) if belonging else ()
    return [each.name for each in fields if each is not None and _may_name(each, kind)]


def _belonging(name: str, kind: str) -> _Belonging | None:
    # Replies stand under the notes of a page, and in a panel of their own on the page of a note.
    return _REPLIES if (name, kind) == ("Reply", "Note") else _BELONGING.get(name)


def _may_name(field: Field, kind: str) -> bool:
    return (
        field.data_type in _LINKS and field.is_listed and (not field.valid_types or kind in field.valid_types)
    )


def _panel(call: Call, cells: Cells, kind: str, paths: list[str], target: Mapping[str, Any]) -> Panel:
    row = {"type": target["type"], "id": target["id"]}
    belonging = _belonging(kind, row["type"])
    assert belonging is not None
    fields = [*belonging.fields, "cached_display_name"]
    rows, count = linking(call, kind, paths, [row], fields, belonging.most, belonging.order)
    written = [(path, "is", f"{row['type']}:{row['id']}") for path in paths]
    more = [("match", "any")] if len(paths) > 1 else []
    items = [_item(call, cells, each) for each in rows]
    return Panel(items, count, addresses.table(kind, written, more=more))


def _item(call: Call, cells: Cells, row: Mapping[str, Any]) -> Item:
    # A schema that was taken from another site may lack some of the fields.
    shown: dict[str, Cell] = defaultdict(lambda: EMPTY)
    for key, value in row.items():
        path = resolve(call.schema, row["type"], key)
        if path is not None:
            shown[path.field.name] = cells.of(path.field, value)
    name = {"type": row["type"], "id": row["id"], "name": row.get("cached_display_name")}
    return Item(
        row["id"], cells.link(name), hue(row["type"], row["id"]), cells.picture(row.get("image")), shown
    )


def _add_replies(call: Call, cells: Cells, notes: list[Item]) -> None:
    by_id = {note.id: note for note in notes}
    targets = [{"type": "Note", "id": note.id} for note in notes]
    for reply in linking(call, "Reply", _REPLIES.by, targets, _REPLIES.fields, _MOST_REPLIES)[0]:
        by_id[reply["entity"]["id"]].replies.append(_item(call, cells, reply))
