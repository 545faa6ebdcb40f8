"""Rows by id → wire values, deep fields included.

The ids come first and the values after them. What a page links to is looked up once per hop, for the whole
page, by id: a hundred tasks of one shot cost one look at the shot, and no path is too deep for a join.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Row, Select, Table, and_, bindparam, false, func, select

from ..call import Call
from ..data_types import data_type
from ..database.portable import among
from ..database.tables import Tables
from ..files.addresses import document_with_address, image_addresses
from ..people.permissions import visible, visible_links
from ..people.personal import personal_values
from ..schema.schema_map import Field
from ..writes.documents import rerooted
from .paths import Path, resolve

_DEPENDENCIES = frozenset({("Task", "upstream_tasks"), ("Task", "downstream_tasks")})
_BY_NAME = frozenset({("Playlist", "versions")})
# A number in filters, a string when read (wire.md 6.7).
_AS_TEXT = frozenset({("TaskTemplate", "task_count")})

Reference = tuple[str, int]


@dataclass(slots=True)
class _Place:
    """The rows of one entity type that paths lead to: those of the answer, or what some hops lead to."""

    entity_type: str
    fields: dict[str, Field] = dataclass_field(default_factory=dict)
    beyond: dict[tuple[str, str], _Place] = dataclass_field(default_factory=dict)
    # By column rather than by row: a page is hundreds of rows, and a path asks for one value of each.
    columns: Mapping[str, Sequence[Any]] = dataclass_field(default_factory=dict)
    # For each row of the answer: the id of the row here that it leads to, if it leads anywhere.
    reached: Sequence[int | None] = ()

    @property
    def ids(self) -> Sequence[int]:
        """The ids of the rows that were found, in no order."""
        return self.columns["id"]

    def by_id(self, column: str) -> dict[int, Any]:
        """The values of one column."""
        return dict(zip(self.ids, self.columns[column], strict=True))

    def links(self, name: str) -> Iterable[Reference]:
        """By row: the type and id in one of its entity fields, both null in an empty one."""
        return zip(self.columns[f"{name}__type"], self.columns[f"{name}__id"], strict=True)

    def linked(self, name: str, entity_type: str) -> dict[int, int]:
        """By id: what an entity field links, where that is of the type."""
        links = zip(self.ids, self.links(name), strict=True)
        return {owner: row_id for owner, (kind, row_id) in links if kind == entity_type}


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
    alive = set(root.ids)
    found = [row_id for row_id in ids if row_id in alive]
    _follow(root, found)
    links = links_to(call, set(_references(root)))
    columns: list[Sequence[Any]] = [[entity_type] * len(found), found]
    for path in readable:
        place = _place_of(root, path)
        columns.append(_at(place.reached, _values(call, place, path.field, links)))
    keys = ["type", "id", *(path.text for path in readable)]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


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
    wanted: dict[str, None] = {"id": None}
    for each in place.fields.values():
        if each.is_personal:
            continue
        wanted.update(dict.fromkeys(_column_names(each.data_type, each.name)))
    for link, _ in place.beyond:
        wanted.update(dict.fromkeys((f"{link}__type", f"{link}__id")))
    names = tuple(wanted)
    fetched = _rows_by_id(call, place.entity_type, names, ids, retired) if ids else []
    columns = zip(*fetched, strict=True) if fetched else ((),) * len(names)
    place.columns = dict(zip(names, columns, strict=True))
    for (link, entity_type), further in place.beyond.items():
        _fetch_rows(call, further, list(dict.fromkeys(place.linked(link, entity_type).values())), False)


@lru_cache(maxsize=1024)
def _column_names(kind: str, name: str) -> tuple[str, ...]:
    # The folded twins are for comparing; nobody reads them.
    columns = data_type(kind).columns(name)
    return tuple(column.name for column in columns if not column.name.endswith("__folded"))


def _rows_by_id(
    call: Call, entity_type: str, names: tuple[str, ...], ids: Sequence[int], retired: bool | None
) -> Sequence[Row[Any]]:
    table = call.tables.of(entity_type)
    seen = visible(call, entity_type, table)
    if len(ids) == 1 and not seen:
        query = _one_row(call.tables, entity_type, names, retired)
        return call.connection.execute(query, {"given": ids[0]}).all()
    query = _columns(table, names, retired).where(among(table.c.id, ids), *seen)
    return call.connection.execute(query).all()


def _one_row(tables: Tables, entity_type: str, names: tuple[str, ...], retired: bool | None) -> Select[Any]:
    """What programs ask for most often; to build it anew each time would cost three times as much as to run it."""
    key = entity_type, names, retired
    table = tables.of(entity_type)
    return tables.prepare(
        key, lambda: _columns(table, names, retired).where(table.c.id == bindparam("given"))
    )


def _columns(table: Table, names: tuple[str, ...], retired: bool | None) -> Select[Any]:
    query = select(*(table.c[name] for name in names))
    return query if retired is None else query.where(table.c.retired == retired)


def _at(reached: Sequence[int | None], values: Mapping[int, Any]) -> Sequence[Any]:
    """For each row of the answer: the value of the row that it leads to; null where there is none."""
    # No row has the id None, so what leads nowhere finds nothing either.
    return list(map(cast("Mapping[int | None, Any]", values).get, reached))


def _follow(place: _Place, reached: Sequence[int | None]) -> None:
    """Note which row here, and in the places beyond, each row of the answer leads to."""
    place.reached = reached
    for (link, entity_type), further in place.beyond.items():
        _follow(further, _at(reached, place.linked(link, entity_type)))


def _references(place: _Place) -> Iterable[Reference]:
    """Every row that an entity field of the place, or of one beyond it, links to."""
    for name, each in place.fields.items():
        if each.data_type == "entity":
            yield from {link for link in place.links(name) if link[0] is not None}
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
        seen = visible_links(call, call.tables)
        if len(ids) == 1 and not seen:
            one = call.tables.prepare("link to one", lambda: _link_to_one(record))
            found = call.connection.execute(one, {"given_type": entity_type, "given_id": ids[0]})
        else:
            living = record.c.type == entity_type, among(record.c.id, ids), record.c.retired == false()
            found = call.connection.execute(select(record.c.id, record.c.name).where(*living, *seen))
        for row_id, name in found.all():
            links[entity_type, row_id] = {"type": entity_type, "id": row_id, "name": name}
    return links


def _link_to_one(record: Table) -> Select[Any]:
    mine = record.c.type == bindparam("given_type"), record.c.id == bindparam("given_id")
    return select(record.c.id, record.c.name).where(*mine, record.c.retired == false())


def _values(
    call: Call, place: _Place, each: Field, links: Mapping[Reference, dict[str, Any]]
) -> dict[int, Any]:
    """The wire values of one field, by id."""
    if each.data_type == "entity":
        return dict(zip(place.ids, map(links.get, place.links(each.name)), strict=True))
    ids = list(place.ids)
    if each.is_personal:
        return personal_values(call, place.entity_type, each, ids)
    if each.is_list:
        return _lists(call, each, ids)
    if each.data_type == "summary":
        return _counts(call, each, ids)
    if each.data_type == "image":
        return image_addresses(call, place.entity_type, each.name, place.by_id(each.name))
    kind = data_type(each.data_type)
    if (each.entity_type, each.name) in _AS_TEXT:
        return {
            row_id: None if value is None else str(value) for row_id, value in place.by_id(each.name).items()
        }
    if kind.reads_as_stored:
        return place.by_id(each.name)
    if each.name not in place.columns:
        return {row_id: kind.wire(each, {}) for row_id in ids}
    values = {row_id: kind.wire(each, {each.name: value}) for row_id, value in place.by_id(each.name).items()}
    if each.data_type == "url":
        values = rerooted(call, values)
        return {row_id: document_with_address(call, value) for row_id, value in values.items()}
    return values


def _lists(call: Call, each: Field, ids: list[int]) -> dict[int, Any]:
    """The elements of a list field for all of these rows, retired ones left out."""
    links, record = call.tables.links(each.entity_type, each.name), call.tables.record
    query = (
        select(links.owner_id, record.c.type, record.c.id, record.c.name)
        .select_from(links.table)
        .join(record, and_(record.c.type == links.element_type, record.c.id == links.element_id))
        .where(among(links.owner_id, ids), record.c.retired == false(), *visible_links(call, call.tables))
    )
    if links.owner_type is not None:
        query = query.where(links.owner_type == each.entity_type)
    # The site promises no order (a playlist's versions go by name): we keep one, so that answers repeat.
    by_name = (each.entity_type, each.name) in _BY_NAME
    # The sum keeps SQLite from walking through all of `record` because it lies in this order already.
    query = query.order_by(*([record.c.name__folded] if by_name else []), record.c.type, record.c.id + 0)
    found: dict[int, Any] = {row_id: [] for row_id in ids}
    for owner_id, entity_type, row_id, name in call.connection.execute(query).all() if ids else ():
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
    template_tasks: dict[int, int | None] = dict(call.connection.execute(query).all())
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
        .where(among(links.owner_id, ids), record.c.retired == false(), *visible_links(call, call.tables))
        .group_by(links.owner_id)
    )
    if links.owner_type is not None:
        query = query.where(links.owner_type == each.entity_type)
    counts: dict[int, Any] = dict.fromkeys(ids, 0)
    counts.update((owner_id, count) for owner_id, count in call.connection.execute(query))
    return counts
