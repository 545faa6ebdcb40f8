"""Rows and their twins in `record`: new ids, insertion, names and liveness of what links point to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Select, Update, bindparam, select, update

from ..data_types import data_type
from ..data_types.texts import folded
from ..schema.schema_map import EntityType
from .tables import Tables

# How many ids one statement names at most; SQLite binds 32,766 values.
_AT_ONCE = 10_000


class Reference(NamedTuple):
    """A row of the site: its type and id."""

    type: str
    id: int


class Known(NamedTuple):
    """What `record` knows of a row."""

    name: str | None
    retired: bool
    project_id: int | None


def reserve_ids(connection: Connection, tables: Tables, entity_type: str, count: int = 1) -> range:
    """The next `count` ids of that type; they are given back if the transaction fails."""
    raised = tables.prepare("raise counter", lambda: _raised(tables))
    last_id = tables.prepare("last id", lambda: _last_id(tables))
    if not connection.execute(raised, {"given_type": entity_type, "more": count}).rowcount:
        connection.execute(tables.counter.insert(), {"type": entity_type, "last_id": count})
        return range(1, count + 1)
    last = connection.execute(last_id, {"given_type": entity_type}).scalar_one()
    return range(last - count + 1, last + 1)


def keep_ids(connection: Connection, tables: Tables, entity_type: str, highest: int) -> None:
    """Note that ids up to `highest` are taken, however they were given."""
    counter = tables.counter
    mine = counter.c.type == entity_type
    last = connection.execute(select(counter.c.last_id).where(mine)).scalar()
    if last is None:
        connection.execute(counter.insert(), {"type": entity_type, "last_id": highest})
    elif last < highest:
        connection.execute(update(counter).where(mine).values(last_id=highest))


def insert_rows(
    connection: Connection, tables: Tables, entity_type: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows (columns by name, `id` and `cached_display_name` among them) and their twins.

    All rows must give the same columns: one statement serves them all.
    """
    if not rows:
        return
    connection.execute(tables.prepare(("insert", entity_type), tables.of(entity_type).insert), rows)
    twins = [
        {
            "type": entity_type,
            "id": row["id"],
            "name": row["cached_display_name"],
            "name__folded": row["cached_display_name__folded"],
            "retired": False,
            "project_id": project_of(entity_type, row),
        }
        for row in rows
    ]
    connection.execute(tables.prepare("insert record", tables.record.insert), twins)


def project_of(entity_type: str, row: Mapping[str, Any]) -> int | None:
    """The id of the project a row belongs to; a project belongs to itself."""
    return row["id"] if entity_type == "Project" else row.get("project__id")


@lru_cache(maxsize=256)
def blank_row(entity_type: EntityType) -> Mapping[str, Any]:
    """All columns of a row nothing was said about: null, and false for the checkboxes."""
    columns: dict[str, Any] = {"retired": False}
    for field in entity_type.fields.values():
        if field.is_stored:
            for column in data_type(field.data_type).columns(field.name):
                columns[column.name] = False if field.data_type == "checkbox" else None
    return columns


def named(name: str | None) -> dict[str, Any]:
    """The columns that keep a display name in the row itself, where filters find it."""
    return {
        "cached_display_name": name,
        "cached_display_name__folded": None if name is None else folded(name),
    }


def known(connection: Connection, tables: Tables, references: Iterable[Reference]) -> dict[Reference, Known]:
    """What is known of those rows; a row that never existed is missing from the answer."""
    found: dict[Reference, Known] = {}
    query = tables.prepare("known", lambda: _known(tables))
    for kind, ids in by_type(each for each in references if storable_id(each.id)):
        # One type at a time: SQLite looks (type, id) pairs up in a scan, but a type and its ids by the key.
        given = {"given_type": kind, "given_ids": ids}
        for row_id, name, retired, project_id in connection.execute(query, given):
            found[Reference(kind, row_id)] = Known(name, retired, project_id)
    return found


def _raised(tables: Tables) -> Update:
    counter = tables.counter
    more = counter.c.last_id + bindparam("more", type_=Integer())
    return update(counter).where(counter.c.type == bindparam("given_type")).values(last_id=more)


def _last_id(tables: Tables) -> Select[Any]:
    counter = tables.counter
    return select(counter.c.last_id).where(counter.c.type == bindparam("given_type"))


def _known(tables: Tables) -> Select[Any]:
    record = tables.record
    asked = record.c.type == bindparam("given_type"), record.c.id.in_(bindparam("given_ids", expanding=True))
    return select(record.c.id, record.c.name, record.c.retired, record.c.project_id).where(*asked)


def by_type(references: Iterable[Reference]) -> Iterator[tuple[str, list[int]]]:
    """The distinct ids of each type, in parts that one statement can bind."""
    ids: dict[str, dict[int, None]] = {}
    for kind, row_id in references:
        ids.setdefault(kind, {})[row_id] = None
    for kind, distinct in ids.items():
        some = list(distinct)
        for start in range(0, len(some), _AT_ONCE):
            yield kind, some[start : start + _AT_ONCE]


def storable_id(row_id: int) -> bool:
    """Whether an id fits the 32 bits that a real site gives it; no row has any other."""
    return -(2**31) <= row_id < 2**31
