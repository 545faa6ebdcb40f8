"""A site as JSON lines: its schema edits, then every row, then what no row tells; and back again.

A line is one of::

    {"sgsession_site": 1}
    {"edit": {"edit": "create", "type": "Shot", "name": "sg_look", ...}}
    {"type": "Shot", "id": 860, "values": {"code": "AA_010", "project": {"type": "Project", "id": 4}}}
    {"type": "Shot", "id": 861, "values": {}, "retired": {"at": "2024-05-01T10:00:00", "with": null}}
    {"table": "work_day", "rows": [{...}]}
    {"last_ids": {"Shot": 861}}

Values are as they travel on the wire, and what is empty is left out. A list of links stands at the end where
it is stored; links that are rows of a connection type are such rows. Passwords, keys and uploaded files are not
in it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

from sqlalchemy import Connection, Table, select

from ..data_types import data_type
from ..database.tables import Tables
from ..schema.history import history
from ..schema.schema_map import EntityType, Field, SchemaMap

FORMAT = 1

# Rows that are held in memory at once.
AT_ONCE = 2_000


def dump_lines(connection: Connection, tables: Tables, *, events: bool = True) -> Iterator[str]:
    """The lines of one snapshot of a site, made as they are taken."""
    yield _line({"sgsession_site": FORMAT})
    for edit in history(connection, tables):
        yield _line({"edit": edit})
    for entity_type in tables.schema.types.values():
        if events or entity_type.name != "EventLogEntry":
            yield from _rows(connection, tables, entity_type)
    for table in side_tables(tables):
        if table is tables.stream_update and not events:
            continue  # its rows tell of events
        yield from _side_rows(connection, table)
    counter = tables.counter
    last_ids = connection.execute(select(counter.c.type, counter.c.last_id).order_by(counter.c.type))
    yield _line({"last_ids": {row.type: row.last_id for row in last_ids}})


def write_dump(connection: Connection, tables: Tables, file: IO[str], *, events: bool = True) -> None:
    """Write a dump into an open file, holding a few thousand rows at a time."""
    with _unmapped(connection):
        for line in dump_lines(connection, tables, events=events):
            file.write(line)


@contextmanager
def _unmapped(connection: Connection) -> Iterator[None]:
    """Read the database through its small cache: mapped, the process grows by all of the file that was read."""
    if connection.dialect.name != "sqlite":
        yield
        return
    mapped = connection.exec_driver_sql("PRAGMA mmap_size").scalar_one()
    connection.exec_driver_sql("PRAGMA mmap_size = 0")
    try:
        yield
    finally:
        # The pool hands the connection to other readers.
        connection.exec_driver_sql(f"PRAGMA mmap_size = {int(mapped)}")


def stored_lists(schema: SchemaMap, entity_type: EntityType) -> list[Field]:
    """The lists whose links are stored under this type and field, and in no row."""
    found = []
    for field in entity_type.fields.values():
        elsewhere = schema.relation(entity_type.name, field.name) is not None
        # `tag_list` shows the links of `tags` as names.
        if field.is_list and field.data_type != "tag_list" and not elsewhere:
            found.append(field)
    return found


def side_tables(tables: Tables) -> list[Table]:
    """What is kept beside the rows and is no secret."""
    return [
        tables.record,
        tables.personal,
        tables.follow,
        tables.work_day,
        tables.user_subscription,
        tables.stream_update,
    ]


def _rows(connection: Connection, tables: Tables, entity_type: EntityType) -> Iterator[str]:
    table = tables.of(entity_type.name)
    fields = [each for each in entity_type.fields.values() if _is_dumped(each)]
    lists = stored_lists(tables.schema, entity_type)
    query = select(table).order_by(table.c.id).limit(AT_ONCE)
    last = None
    # By key instead of one long result: some drivers hold a whole result in memory.
    while rows := connection.execute(
        query if last is None else query.where(table.c.id > last)
    ).mappings().all():  # fmt: skip
        first, last = rows[0]["id"], rows[-1]["id"]
        links = [(each.name, _links(connection, tables, each, first, last)) for each in lists]
        gone = _retirements(connection, tables, entity_type.name, first, last)
        for row in rows:
            values = {field.name: value for field in fields if (value := _value(field, row)) is not None}
            values.update((name, found[row["id"]]) for name, found in links if row["id"] in found)
            line = {"type": entity_type.name, "id": row["id"], "values": values}
            if row["retired"]:
                line["retired"] = gone.get(row["id"], {"at": None, "with": None})
            yield _line(line)


def _is_dumped(field: Field) -> bool:
    return field.is_stored and field.data_type != "password" and field.name != "cached_display_name"


def _value(field: Field, row: Mapping[Any, Any]) -> Any:
    if field.data_type == "entity":
        kind = row[f"{field.name}__type"]
        return None if kind is None else {"type": kind, "id": row[f"{field.name}__id"]}
    return data_type(field.data_type).wire(field, row)


def _links(
    connection: Connection, tables: Tables, field: Field, first: int, last: int
) -> Mapping[int, list[dict[str, Any]]]:
    table = tables.link_table(field)
    query = (
        select(table.c.owner_id, table.c.element_type, table.c.element_id)
        .where(table.c.owner_type == field.entity_type, table.c.owner_id.between(first, last))
        .order_by(table.c.owner_id, table.c.element_type, table.c.element_id)
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for owner, kind, element in connection.execute(query):
        found[owner].append({"type": kind, "id": element})
    return found


def _retirements(
    connection: Connection, tables: Tables, entity_type: str, first: int, last: int
) -> dict[int, dict[str, Any]]:
    table = tables.retirement
    query = select(table).where(table.c.type == entity_type, table.c.id.between(first, last))
    found = {}
    for row in connection.execute(query).mappings():
        cause = {"type": row["cause_type"], "id": row["cause_id"]} if row["cause_type"] else None
        found[row["id"]] = {"at": row["retired_at"].isoformat(), "with": cause}
    return found


def _side_rows(connection: Connection, table: Table) -> Iterator[str]:
    query = select(table).execution_options(yield_per=AT_ONCE)
    if table.name == "record":
        # Other twins follow from their rows; these have none (methods/schema_editing.py).
        query = query.where(table.c.type == "DisplayColumn")
    result = connection.execute(query).mappings()
    for rows in result.partitions(AT_ONCE):
        yield _line({"table": table.name, "rows": [dict(row) for row in rows]})


def _line(value: Mapping[str, Any]) -> str:
    # ASCII: a document may hold half of a surrogate pair, which UTF-8 cannot.
    return json.dumps(value, separators=(",", ":")) + "\n"
