"""Rows by id → wire values, deep fields included.

The ids come first and the values after them. What a page links to is looked up once per hop, for the whole
page, by id: a hundred tasks of one shot cost one look at the shot, and no path is too deep for a join.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from sqlalchemy import Row, and_, false, func, select

from .call import Call
from .data_types import data_type
from .data_types.base import among
from .paths import Path, resolve
from .schema import Field

_DEPENDENCIES = frozenset({("Task", "upstream_tasks"), ("Task", "downstream_tasks")})
_BY_NAME = frozenset({("Playlist", "versions")})

Reference = tuple[str, int]


@dataclass(slots=True)
class _Place:
    """The rows of one entity type that paths lead to: of the root, or at the end of some hops."""

    entity_type: str
    fields: dict[str, Field] = dataclass_field(default_factory=dict)
    beyond: dict[tuple[str, str], _Place] = dataclass_field(default_factory=dict)
    rows: dict[int, Row[Any]] = dataclass_field(default_factory=dict)
    # For each row of the answer: the id of the row here that it leads to, if it leads anywhere.
    reached: list[int | None] = dataclass_field(default_factory=list)
    values: dict[str, dict[int, Any]] = dataclass_field(default_factory=dict)


def rows(
    call: Call, entity_type: str, ids: Sequence[int], paths: Sequence[str], retired: bool | None = None
) -> list[dict[str, Any]]:
    """The wire rows of these ids, in their order, with `type`, `id` and those of the paths that exist."""
    known = [path for path in dict.fromkeys(paths) if isinstance(path, str) and path not in ("id", "type")]
    readable = [path for path in (_readable(call, entity_type, text) for text in known) if path is not None]
    root = _Place(entity_type)
    for path in readable:
        _place_of(root, path).fields[path.field.name] = path.field
    _fetch_rows(call, root, ids, retired)
    names = links_to(call, set(_references(root)))
    _fill_in(call, root, names)
    found = [row_id for row_id in ids if row_id in root.rows]
    _follow(root, list(found))
    columns: list[Sequence[Any]] = [[entity_type] * len(found), found]
    columns.extend(_column(_place_of(root, path), path.field.name) for path in readable)
    keys = ["type", "id", *(path.text for path in readable)]
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]


def _readable(call: Call, entity_type: str, text: str) -> Path | None:
    """The path, if it has a value to read: the others are left out without a word (wire.md 3.3)."""
    path = resolve(call.schema, entity_type, text)
    if path is None or path.is_many or not path.is_allowed:
        return None
    return None if path.hops and path.field.data_type == "url" else path


def _place_of(root: _Place, path: Path) -> _Place:
    place = root
    for hop in path.hops:
        key = (hop.field.name, hop.entity_type)
        place = place.beyond.setdefault(key, _Place(hop.entity_type))
    return place


def _fetch_rows(call: Call, place: _Place, ids: Sequence[int], retired: bool | None) -> None:
    """Fetch the rows of a place and, from their links, those of the places beyond it."""
    table = call.tables.of(place.entity_type)
    names: dict[str, None] = {"id": None}
    for each in place.fields.values():
        names.update(dict.fromkeys(column.name for column in data_type(each.data_type).columns(each.name)))
    for link, _ in place.beyond:
        names.update(dict.fromkeys((f"{link}__type", f"{link}__id")))
    # The folded twins are for comparing; nobody reads them.
    columns = [table.c[name] for name in names if not name.endswith("__folded")]
    query = select(*columns).where(among(table.c.id, ids))
    if retired is not None:
        query = query.where(table.c.retired == retired)
    place.rows = {row[0]: row for row in call.connection.execute(query)} if ids else {}
    for (link, entity_type), further in place.beyond.items():
        linked = dict.fromkeys(_linked(place, link, entity_type).values())
        _fetch_rows(call, further, list(linked), False)


def _linked(place: _Place, link: str, entity_type: str) -> dict[int, int]:
    """By id of a row: the id that it links, where that is of the type."""
    type_name, id_name = f"{link}__type", f"{link}__id"
    return {
        row_id: mapping[id_name]
        for row_id, mapping in ((row_id, row._mapping) for row_id, row in place.rows.items())
        if mapping[type_name] == entity_type
    }


def _references(place: _Place) -> Iterable[Reference]:
    """Every row that an entity field of the place, or of one beyond it, links to."""
    for name, each in place.fields.items():
        if each.data_type == "entity":
            for row in place.rows.values():
                entity_type = row._mapping[f"{name}__type"]
                if entity_type is not None:
                    yield entity_type, row._mapping[f"{name}__id"]
    for further in place.beyond.values():
        yield from _references(further)


def links_to(call: Call, references: set[Reference]) -> dict[Reference, dict[str, Any]]:
    """The link value of every reference to a row that is alive; links to others read null."""
    by_type: dict[str, list[int]] = defaultdict(list)
    for entity_type, row_id in references:
        by_type[entity_type].append(row_id)
    record = call.tables.record
    links: dict[Reference, dict[str, Any]] = {}
    for entity_type, ids in by_type.items():
        query = select(record.c.id, record.c.name).where(
            record.c.type == entity_type, among(record.c.id, ids), record.c.retired == false()
        )
        for row_id, name in call.connection.execute(query):
            links[entity_type, row_id] = {"type": entity_type, "id": row_id, "name": name}
    return links


def _fill_in(call: Call, place: _Place, links: Mapping[Reference, dict[str, Any]]) -> None:
    """Turn the fetched columns of a place, and of those beyond it, into wire values."""
    for name, each in place.fields.items():
        kind = data_type(each.data_type)
        if each.data_type == "entity":
            values = {
                row_id: links.get((row._mapping[f"{name}__type"], row._mapping[f"{name}__id"]))
                for row_id, row in place.rows.items()
            }
        elif each.is_list:
            values = _lists(call, each, list(place.rows))
        elif each.data_type == "summary":
            values = _counts(call, each, list(place.rows))
        else:
            values = {row_id: kind.wire(each, row._mapping) for row_id, row in place.rows.items()}
        place.values[name] = values
    for further in place.beyond.values():
        _fill_in(call, further, links)


def _lists(call: Call, each: Field, ids: list[int]) -> dict[int, Any]:
    """The elements of a list field for all of these rows, retired ones left out."""
    links, record = call.tables.links(each.entity_type, each.name), call.tables.record
    query = (
        select(links.owner_id, record.c.type, record.c.id, record.c.name)
        .select_from(links.table)
        .join(record, and_(record.c.type == links.element_type, record.c.id == links.element_id))
        .where(among(links.owner_id, ids), record.c.retired == false())
    )
    if links.owner_type is not None:
        query = query.where(links.owner_type == each.entity_type)
    # The site promises no order (a playlist's versions go by name): we keep one, so that answers repeat.
    by_name = (each.entity_type, each.name) in _BY_NAME
    query = query.order_by(*([record.c.name__folded] if by_name else []), record.c.type, record.c.id)
    found: dict[int, Any] = {row_id: [] for row_id in ids}
    for owner_id, entity_type, row_id, name in call.connection.execute(query) if ids else ():
        is_tag = each.data_type == "tag_list"
        found[owner_id].append(name if is_tag else {"type": entity_type, "id": row_id, "name": name})
    if (each.entity_type, each.name) in _DEPENDENCIES:
        _add_template_tasks(call, found.values())
    return found


def _add_template_tasks(call: Call, lists: Iterable[list[dict[str, Any]]]) -> None:
    elements = [element for each in lists for element in each]
    task = call.tables.of("Task")
    if not elements or "template_task__id" not in task.c:
        return
    ids = list({element["id"] for element in elements})
    query = select(task.c.id, task.c.template_task__id).where(among(task.c.id, ids))
    template_tasks: dict[int, int | None] = dict(call.connection.execute(query).tuples().all())
    for element in elements:
        element["template_task_id"] = template_tasks.get(element["id"])


def _counts(call: Call, each: Field, ids: list[int]) -> dict[int, Any]:
    """How many rows the list beside a summary field holds: `open_notes_count` counts `open_notes`."""
    counted = call.schema.field(each.entity_type, each.name.removesuffix("_count"))
    if counted is None or not counted.is_list:
        return dict.fromkeys(ids)
    links, record = call.tables.links(counted.entity_type, counted.name), call.tables.record
    query = (
        select(links.owner_id, func.count())
        .select_from(links.table)
        .join(record, and_(record.c.type == links.element_type, record.c.id == links.element_id))
        .where(among(links.owner_id, ids), record.c.retired == false())
        .group_by(links.owner_id)
    )
    if links.owner_type is not None:
        query = query.where(links.owner_type == each.entity_type)
    counts: dict[int, Any] = dict.fromkeys(ids, 0)
    counts.update((owner_id, count) for owner_id, count in call.connection.execute(query))
    return counts


def _follow(place: _Place, reached: list[int | None]) -> None:
    """Note which row here, and in the places beyond, each row of the answer leads to."""
    place.reached = reached
    for (link, entity_type), further in place.beyond.items():
        linked = _linked(place, link, entity_type)
        _follow(further, [None if row_id is None else linked.get(row_id) for row_id in reached])


def _column(place: _Place, name: str) -> list[Any]:
    """The values of one field, row by row: null where a link on the way is empty or leads elsewhere."""
    values = place.values[name]
    return [None if row_id is None else values.get(row_id) for row_id in place.reached]
