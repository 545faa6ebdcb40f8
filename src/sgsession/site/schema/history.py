"""The schema edits of a site: kept in its database, done again when it is opened, followed by its tables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, text
from sqlalchemy.schema import CreateColumn

from ..database.tables import Tables
from .edits import edited, is_structural

# Every column there is, in one query: to ask for each table by itself would cost a hundred.
_COLUMNS = {
    "sqlite": "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'",
    # Not information_schema, which takes ten times as long.
    "postgresql": "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
    " WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
    " AND a.attnum > 0 AND NOT a.attisdropped",
}


def history(connection: Connection, tables: Tables, after: int = 0) -> list[dict[str, Any]]:
    """The edits so far, in the order they were made; without the first ones, where so many are known."""
    edits = tables.schema_edit
    kept = connection.execute(select(edits.c.edit).where(edits.c.number > after).order_by(edits.c.number))
    return [json.loads(each) for each in kept.scalars()]


def remembered(connection: Connection, tables: Tables, after: int = 0) -> Tables:
    """The tables of the schema after all edits that this database keeps; so many are in them already."""
    return _after(tables, history(connection, tables, after))


def number_of_edits(connection: Connection, tables: Tables) -> int:
    """How many edits this database keeps."""
    return connection.execute(select(func.max(tables.schema_edit.c.number))).scalar() or 0


def make_edits(connection: Connection, tables: Tables, edits: Sequence[Mapping[str, Any]]) -> Tables:
    """Make edits and keep them: gives the tables from now on, which the database follows at once."""
    after = _after(tables, edits)
    if after.metadata is not tables.metadata:
        conform(connection, after)
    last = number_of_edits(connection, tables)
    rows = [{"number": number, "edit": json.dumps(each)} for number, each in enumerate(edits, start=last + 1)]
    if rows:
        connection.execute(tables.schema_edit.insert(), rows)
    return after


def conform(connection: Connection, tables: Tables) -> None:
    """Add the tables, columns and indexes that the database lacks. Nothing is ever dropped."""
    # SQLite does not tell names apart by case; PostgreSQL does.
    spelled = str.lower if connection.dialect.name == "sqlite" else str
    present: dict[str, set[str]] = defaultdict(set)
    for table_name, column in connection.execute(text(_COLUMNS[connection.dialect.name])):
        present[spelled(table_name)].add(spelled(column))
    for table in tables.metadata.tables.values():
        columns = present.get(spelled(table.name))
        if columns is None:
            table.create(connection, checkfirst=False)
            present[spelled(table.name)] = {spelled(column.name) for column in table.columns}
            continue
        missing = [column for column in table.columns if spelled(column.name) not in columns]
        for column in missing:
            _add_column(connection, table, column)
        for index in table.indexes:
            if any(column in missing for column in index.columns):
                # The index of pages may be there without the new column: it then serves the others.
                index.create(connection, checkfirst=True)


def _after(tables: Tables, edits: Sequence[Mapping[str, Any]]) -> Tables:
    schema = tables.schema
    for each in edits:
        schema = edited(schema, each)
    if schema is tables.schema:
        return tables
    return Tables(schema) if any(is_structural(each) for each in edits) else tables.over(schema)


def _add_column(connection: Connection, table: Table, column: Column[Any]) -> None:
    dialect = connection.dialect
    name = dialect.identifier_preparer.format_table(table)
    connection.exec_driver_sql(
        f"ALTER TABLE {name} ADD COLUMN {CreateColumn(column).compile(dialect=dialect)}"
    )
