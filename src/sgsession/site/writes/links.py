"""Writing lists of links, whichever end of a relation is written: one store serves both (wire.md 6.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, and_, delete, select, update

from ..call import Call
from ..data_types import Given, LinkList, data_type
from ..database.rows import Reference, blank_row, by_type, insert_rows, known, named, reserve_ids
from ..database.tables import Tables
from ..faults import ruby
from ..people.permissions import is_there
from ..schema.schema_map import ConnectionLinks, Field, HeldLinks, Relation, ReverseLinks, SharedLinks

MODES = ("set", "add", "remove")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListChange:
    """What a write did to one list, live elements only."""

    added: tuple[Reference, ...] = ()
    removed: tuple[Reference, ...] = ()
    # One-to-many only: the rows that lost an added element, each with that element.
    left: tuple[tuple[Reference, Reference], ...] = ()
    connections: tuple[Reference, ...] = ()  # the rows made for the added elements

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


def write_list(call: Call, owner: Reference, field: Field, value: Any, mode: str = "set") -> ListChange:
    """Store a list of links: set, add to or remove from what is linked; says what changed."""
    if mode not in MODES:
        raise Given.to_write(field, value, call.method).invalid(
            f"invalid 'multi_entity_update_mode' {ruby(mode)}. Valid modes: {ruby(list(MODES))}"
        )
    relation = call.schema.relation(owner.type, field.name)
    wanted = _elements(call, field, value, make_tags=mode != "remove")
    current = _current(call, owner, field)
    alive = known(call.connection, call.tables, [*wanted, *current])
    visible = {each for each in current if each in alive and not alive[each].retired}
    if mode == "remove":
        gone = [each for each in wanted if each in current]
        new: list[Reference] = []
    else:
        _check_elements(call, field, value, relation, wanted, alive)
        # A retired element is hidden, not gone: `add` leaves it, but `set` says what the whole list is.
        gone = [each for each in current if each not in set(wanted)] if mode == "set" else []
        new = [each for each in wanted if each not in current]
    if gone:
        _unlink(call, owner, field, relation, gone)
    left = _former_owners(call, relation, new) if isinstance(relation, HeldLinks) else ()
    made = _link(call, owner, field, relation, new, _extras(value)) if new else ()
    return ListChange(tuple(new), tuple(each for each in gone if each in visible), left, made)


def bulk_links(
    connection: Connection, tables: Tables, field: Field, pairs: Sequence[tuple[int, Mapping[str, Any]]]
) -> None:
    """Store links of a field, as (id of the owner, element); both must be new to each other."""
    relation = tables.schema.relation(field.entity_type, field.name)
    if isinstance(relation, (HeldLinks, SharedLinks)) or field.data_type == "tag_list":
        raise ValueError(f"{field.entity_type}.{field.name} only shows links that are stored elsewhere")
    links = [
        (Reference(field.entity_type, owner), Reference(each["type"], each["id"])) for owner, each in pairs
    ]
    if isinstance(relation, ConnectionLinks):
        extras = [{key: each[key] for key in each if key not in ("type", "id", "name")} for _, each in pairs]
        _connect(connection, tables, relation, links, extras)
    else:
        _insert_links(connection, tables, field, relation, dict.fromkeys(links))


def _elements(call: Call, field: Field, value: Any, *, make_tags: bool) -> list[Reference]:
    kind = data_type(field.data_type)
    assert isinstance(kind, LinkList)
    elements = kind.elements(field, value, call.method)
    if field.data_type == "tag_list":
        return _tags(call, [each for each in elements if each], make_tags)
    return [Reference(*each) for each in elements]


def _check_elements(
    call: Call,
    field: Field,
    value: Any,
    relation: Relation | None,
    wanted: Iterable[Reference],
    alive: Mapping[Reference, Any],
) -> None:
    given = Given.to_write(field, value, call.method)
    # The rows of these lists are rows of one table: no other type can stand in them.
    only = None
    if isinstance(relation, ConnectionLinks):
        only = relation.other_type
    elif isinstance(relation, (HeldLinks, ReverseLinks)):
        only = relation.source_type
    for each in wanted:
        if only is not None and each.type != only:
            raise given.failed(f"{only} expected, got {each.type}")
        if not is_there(call, alive.get(each)):
            raise given.failed("Value is not legal.")


def _current(call: Call, owner: Reference, field: Field) -> list[Reference]:
    links = call.tables.links(owner.type, field.name)
    query = select(links.element_type, links.element_id).where(links.owner_id == owner.id)
    if links.owner_type is not None:
        query = query.where(links.owner_type == owner.type)
    return [Reference(*row) for row in call.connection.execute(query)]


def _former_owners(
    call: Call, relation: HeldLinks, elements: Sequence[Reference]
) -> tuple[tuple[Reference, Reference], ...]:
    source = call.tables.of(relation.source_type)
    owner_type, owner_id = (
        source.c[f"{relation.source_field}__type"],
        source.c[f"{relation.source_field}__id"],
    )
    found = []
    for _, ids in by_type(elements):
        query = select(owner_type, owner_id, source.c.id).where(source.c.id.in_(ids), owner_id.is_not(None))
        for kind, row_id, element in call.connection.execute(query):
            found.append((Reference(kind, row_id), Reference(relation.source_type, element)))
    return tuple(found)


def _link(
    call: Call,
    owner: Reference,
    field: Field,
    relation: Relation | None,
    elements: Sequence[Reference],
    extras: Mapping[Reference, Mapping[str, Any]],
) -> tuple[Reference, ...]:
    """Link the elements; gives the connection rows that were made for it."""
    if isinstance(relation, HeldLinks):
        _hold(call, relation, elements, owner)
    elif isinstance(relation, ConnectionLinks):
        links = [(owner, each) for each in elements]
        own_extras = [extras.get(each, {}) for each in elements]
        return _connect(call.connection, call.tables, relation, links, own_extras)
    else:
        links = [(owner, each) for each in elements]
        _insert_links(call.connection, call.tables, field, relation, links)
    return ()


def _unlink(
    call: Call, owner: Reference, field: Field, relation: Relation | None, elements: Sequence[Reference]
) -> None:
    if isinstance(relation, HeldLinks):
        # A reply to nothing has no place: the write retires it, entity and all (wire.md 6.5).
        if relation.source_type != "Reply":
            _hold(call, relation, elements, None)
    elif isinstance(relation, ConnectionLinks):
        _disconnect(call, relation, owner, elements)
        if call.schema.is_mirror(relation):
            for each in elements:
                _disconnect(call, relation, each, [owner])
    else:
        table = call.tables.link_table(_storing(call.tables, field, relation))
        mine, theirs = _sides(relation, "owner", "element")
        for kind, ids in by_type(elements):
            call.connection.execute(
                delete(table).where(
                    table.c[f"{mine}_type"] == owner.type,
                    table.c[f"{mine}_id"] == owner.id,
                    table.c[f"{theirs}_type"] == kind,
                    table.c[f"{theirs}_id"].in_(ids),
                )
            )


def _insert_links(
    connection: Connection,
    tables: Tables,
    field: Field,
    relation: Relation | None,
    links: Iterable[tuple[Reference, Reference]],
) -> None:
    table = tables.link_table(_storing(tables, field, relation))
    rows = []
    for owner, element in links:
        near, far = _sides(relation, owner, element)
        rows.append(
            {"owner_type": near.type, "owner_id": near.id, "element_type": far.type, "element_id": far.id}
        )
    if rows:
        connection.execute(table.insert(), rows)


def _storing(tables: Tables, field: Field, relation: Relation | None) -> Field:
    if isinstance(relation, ReverseLinks):
        return tables.schema.types[relation.source_type].fields[relation.source_field]
    return field


def _sides(relation: Relation | None, owner: T, element: T) -> tuple[T, T]:
    """Owner and element as they are stored: a list that is a far end is stored the other way round."""
    return (element, owner) if isinstance(relation, ReverseLinks) else (owner, element)


def _hold(call: Call, relation: HeldLinks, elements: Sequence[Reference], owner: Reference | None) -> None:
    source = call.tables.of(relation.source_type)
    changed: dict[str, Any] = {
        f"{relation.source_field}__type": owner.type if owner else None,
        f"{relation.source_field}__id": owner.id if owner else None,
    }
    # The element's own field changes, so the element was updated: clients tell rows apart by that.
    changed.update(stamp(call, relation.source_type))
    for _, ids in by_type(elements):
        call.connection.execute(update(source).where(source.c.id.in_(ids)).values(changed))
        if relation.source_field == "project":
            record = call.tables.record
            mine = and_(record.c.type == relation.source_type, record.c.id.in_(ids))
            call.connection.execute(update(record).where(mine).values(project_id=owner.id if owner else None))


def stamp(call: Call, entity_type: str) -> dict[str, Any]:
    """The columns that say who changed a row last, and when."""
    fields = call.schema.types[entity_type].fields
    columns: dict[str, Any] = {}
    if "updated_at" in fields:
        columns["updated_at"] = f"{call.now.isoformat()}Z"
    if "updated_by" in fields:
        columns.update(updated_by__type=call.caller.type, updated_by__id=call.caller.id)
    return columns


def _connect(
    connection: Connection,
    tables: Tables,
    relation: ConnectionLinks,
    links: Sequence[tuple[Reference, Reference]],
    extras: Sequence[Mapping[str, Any]],
) -> tuple[Reference, ...]:
    if not links:
        return ()
    entity_type = tables.schema.types[relation.connection]
    blank = dict(blank_row(entity_type))
    for each in entity_type.fields.values():
        if each.default is not None and each.is_stored:
            blank.update(data_type(each.data_type).stored(each, each.default, "create"))
    rows = []
    for row_id, (owner, element), extra in zip(
        reserve_ids(connection, tables, relation.connection, len(links)), links, extras, strict=True
    ):
        row = {**blank, **named(None), "id": row_id}
        for end, target in ((relation.owner_end, owner), (relation.element_end, element)):
            row[f"{end}__type"], row[f"{end}__id"] = target
            if f"{end}_id" in entity_type.fields:
                row[f"{end}_id"] = target.id
        for name, value in extra.items():
            field = entity_type.fields.get(name)
            if field is not None and field.editable and name not in entity_type.ends:
                row.update(data_type(field.data_type).stored(field, value, "create"))
        rows.append(row)
    insert_rows(connection, tables, relation.connection, rows)
    return tuple(Reference(relation.connection, row["id"]) for row in rows)


def _disconnect(
    call: Call, relation: ConnectionLinks, owner: Reference, elements: Sequence[Reference]
) -> None:
    table, record = call.tables.of(relation.connection), call.tables.record
    near, far = table.c[f"{relation.owner_end}__id"], table.c[f"{relation.element_end}__id"]
    for _, some in by_type(elements):
        mine = and_(near == owner.id, far.in_(some))
        ids = call.connection.execute(select(table.c.id).where(mine)).scalars().all()
        call.connection.execute(delete(table).where(table.c.id.in_(ids)))
        call.connection.execute(
            delete(record).where(record.c.type == relation.connection, record.c.id.in_(ids))
        )


def _tags(call: Call, names: Sequence[str], make: bool) -> list[Reference]:
    """The tags of those names, new ones made: a `tag_list` names tags that need not exist yet."""
    record = call.tables.record
    found: list[Reference] = []
    for name in names:
        columns = named(name)
        same = record.c.name__folded == columns["cached_display_name__folded"]
        query = select(record.c.id).where(record.c.type == "Tag", same, record.c.retired.is_(False))
        tag = call.connection.execute(query.order_by(record.c.id).limit(1)).scalar()
        if tag is None and make:
            tag = _make_tag(call, name)
        if tag is not None:
            found.append(Reference("Tag", tag))
    return list(dict.fromkeys(found))


def _make_tag(call: Call, name: str) -> int:
    entity_type = call.schema.types["Tag"]
    (tag,) = reserve_ids(call.connection, call.tables, "Tag")
    row = {**blank_row(entity_type), **named(name), **stamp(call, "Tag"), "id": tag}
    row.update(data_type("text").stored(entity_type.fields["name"], name, call.method))
    row.update(created_at=row["updated_at"], created_by__type=call.caller.type, created_by__id=call.caller.id)
    insert_rows(call.connection, call.tables, "Tag", [row])
    return tag


def _extras(value: Any) -> dict[Reference, Mapping[str, Any]]:
    """Further keys of the elements, which a connection row may keep (wire.md 7.3)."""
    elements = [value] if isinstance(value, Mapping) else value
    return {
        Reference(each["type"], each["id"]): {
            key: each[key] for key in each if key not in ("type", "id", "name")
        }
        for each in elements
        if isinstance(each, Mapping)
    }
