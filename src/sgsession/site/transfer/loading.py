"""Reading a dump into a site: dumping.py says what its lines are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from ...errors import SessionError
from ..data_types import data_type
from ..data_types.texts import folded
from ..database.rows import blank_row, insert_rows, keep_ids, named
from ..database.tables import Tables
from ..faults import SiteFault
from ..schema.display_names import display_name
from ..schema.history import history, make_edits
from ..schema.schema_map import EntityType, Field
from ..tasks.rollups import sum_up
from .dumping import AT_ONCE, FORMAT, side_tables, stored_lists

_LARGEST_ID = 2**31 - 1


class DumpError(SessionError, ValueError):
    """A file that should be the dump of a site is none, or does not fit the site."""


def load_lines(connection: Connection, tables: Tables, lines: Iterable[str]) -> Tables:
    """Add what a dump holds, replacing rows of the same type and id; gives the tables from now on."""
    loading = _Loading(connection, tables)
    taken = 0
    try:
        for line in lines:
            taken += 1
            if line.strip():
                loading.take(_decoded(line))
        loading.finish()
    except (DumpError, SiteFault, SQLAlchemyError, UnicodeError, OverflowError) as problem:
        # Of the database's words only the first line: the others quote the whole statement.
        words = str(problem).partition("\n")[0]
        raise DumpError(f"line {taken} of the dump: {words}") from None
    return loading.tables


def _decoded(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as problem:
        raise DumpError(f"not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise DumpError("not a JSON object")
    return value


class _Loading:
    """What is gathered until one statement can write it."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self.tables = tables
        self._connection = connection
        self._begun = False
        self._edits: list[dict[str, Any]] = []
        self._rows: list[dict[str, Any]] = []

    def take(self, line: dict[str, Any]) -> None:
        if not self._begun:
            if line.get("sgsession_site") != FORMAT:
                raise DumpError(f"it does not begin with the head of a dump of format {FORMAT}")
            self._begun = True
        elif "edit" in line:
            self._edits.append(line["edit"])
        elif "type" in line:
            self._make_edits()
            if self._rows and (self._rows[0]["type"] != line["type"] or len(self._rows) >= AT_ONCE):
                self._write_rows()
            self._rows.append(line)
        elif "table" in line:
            self._write_side_rows(line)
        elif "last_ids" in line:
            self._keep_ids(line["last_ids"])
        else:
            raise DumpError(f"neither edit, row, table nor last_ids: {', '.join(line)}")

    def finish(self) -> None:
        if not self._begun:
            raise DumpError("it is empty")
        self._make_edits()
        self._write_rows()
        # A dump that a site wrote has its sums; what people write by hand or cut out of one does not.
        sum_up(self._connection, self.tables)

    def _make_edits(self) -> None:
        if not self._edits:
            return
        made = history(self._connection, self.tables)
        new = [edit for edit in self._edits if edit not in made]
        self._edits = []
        try:
            self.tables = make_edits(self._connection, self.tables, new)
        except (KeyError, TypeError, AttributeError) as problem:
            raise DumpError(f"its schema edits do not fit this site: {problem}") from None

    def _write_rows(self) -> None:
        lines, self._rows = self._rows, []
        if not lines:
            return
        name = lines[0]["type"]
        entity_type = self.tables.schema.type(name) if isinstance(name, str) else None
        if entity_type is None:
            raise DumpError(f"this site has no entity type {name!r}")
        lists = {field.name: field for field in stored_lists(self.tables.schema, entity_type)}
        ids = [_checked_id(line) for line in lines]
        _make_room(self._connection, self.tables, entity_type, lists.values(), ids)
        insert_rows(
            self._connection, self.tables, entity_type.name, [_columns(entity_type, lists, x) for x in lines]
        )
        self._write_links(lines, lists)
        self._retire(entity_type, lines)
        keep_ids(self._connection, self.tables, entity_type.name, max(ids))

    def _write_links(self, lines: Sequence[Mapping[str, Any]], lists: Mapping[str, Field]) -> None:
        for name, field in lists.items():
            kind = data_type(field.data_type)
            links = [
                {
                    "owner_type": field.entity_type,
                    "owner_id": line["id"],
                    "element_type": element_type,
                    "element_id": element_id,
                }
                for line in lines
                if name in line["values"]
                for element_type, element_id in kind.elements(field, line["values"][name], "create")  # type: ignore[attr-defined]
            ]
            if links:
                self._connection.execute(self.tables.link_table(field).insert(), links)

    def _retire(self, entity_type: EntityType, lines: Sequence[Mapping[str, Any]]) -> None:
        gone = [line for line in lines if line.get("retired")]
        if not gone:
            return
        record = self.tables.record
        mine = and_(record.c.type == entity_type.name, record.c.id.in_([line["id"] for line in gone]))
        self._connection.execute(update(record).where(mine).values(retired=True))
        rows = [_retirement(line) for line in gone if line["retired"].get("at")]
        if rows:
            self._connection.execute(self.tables.retirement.insert(), rows)

    def _write_side_rows(self, line: Mapping[str, Any]) -> None:
        self._make_edits()
        self._write_rows()
        table = {each.name: each for each in side_tables(self.tables)}.get(line["table"])
        if table is None:
            raise DumpError(f"this site has no table {line['table']!r}")
        rows = line.get("rows")
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and row.keys() == set(table.c.keys()) for row in rows
        ):
            raise DumpError(f"rows of {table.name} need exactly {', '.join(table.c.keys())}")
        if table is self.tables.record and any(row["type"] != "DisplayColumn" for row in rows):
            raise DumpError("only a DisplayColumn is a record without a row")
        keys = [column.name for column in table.primary_key.columns]
        for row in rows:
            self._connection.execute(delete(table).where(*(table.c[key] == row[key] for key in keys)))
        if rows:
            self._connection.execute(table.insert(), rows)

    def _keep_ids(self, last_ids: Any) -> None:
        if not isinstance(last_ids, dict) or not all(isinstance(each, int) for each in last_ids.values()):
            raise DumpError("last_ids must give a number for each type")
        for kind, last in last_ids.items():
            keep_ids(self._connection, self.tables, kind, last)


def _checked_id(line: Mapping[str, Any]) -> int:
    row_id = line.get("id")
    if isinstance(row_id, bool) or not isinstance(row_id, int) or not 0 < row_id <= _LARGEST_ID:
        raise DumpError(f"{line['type']} without a proper id: {row_id!r}")
    if not isinstance(line.get("values"), dict):
        raise DumpError(f"{line['type']} {row_id} has no values")
    if not isinstance(line.get("retired", {}), dict):
        raise DumpError(f"{line['type']} {row_id}: retired must be an object")
    return row_id


def _columns(entity_type: EntityType, lists: Mapping[str, Field], line: Mapping[str, Any]) -> dict[str, Any]:
    columns = {**blank_row(entity_type), "id": line["id"], "retired": "retired" in line}
    for name, value in line["values"].items():
        field = entity_type.fields.get(name)
        if field is None or not (field.is_stored or name in lists):
            raise DumpError(f"this site stores no field {entity_type.name}.{name}")
        if field.is_stored:
            columns.update(_stored(field, value))
    columns.update(named(display_name(entity_type, line["id"], columns)))
    return columns


def _stored(field: Field, value: Any) -> dict[str, Any]:
    kind = data_type(field.data_type)
    twin = f"{field.name}__folded"
    if isinstance(value, str) and [column.name for column in kind.columns(field.name)] == [field.name, twin]:
        # As it is: a row may hold a status or a choice that is none any more.
        return {field.name: value, twin: folded(value)}
    if field.data_type == "image":
        return {field.name: str(value)}
    return kind.stored(field, value, "create")


def _make_room(
    connection: Connection,
    tables: Tables,
    entity_type: EntityType,
    lists: Iterable[Field],
    ids: Sequence[int],
) -> None:
    """Remove the rows that stand where these are to be, with their links and the secrets of their persons."""
    name, record = entity_type.name, tables.record
    taken = select(record.c.id).where(record.c.type == name, record.c.id.in_(ids))
    replaced = connection.execute(taken).scalars().all()
    if not replaced:
        return
    table, retirement = tables.of(name), tables.retirement
    connection.execute(delete(table).where(table.c.id.in_(replaced)))
    for each in (record, retirement):
        connection.execute(delete(each).where(each.c.type == name, each.c.id.in_(replaced)))
    for field in lists:
        links = tables.link_table(field)
        mine = and_(links.c.owner_type == name, links.c.owner_id.in_(replaced))
        connection.execute(delete(links).where(mine))
    # Another row takes the id: whoever knew the key or password of the former one must not be that.
    keys, passwords, sessions = tables.script_key, tables.password, tables.session
    if name == "ApiUser":
        connection.execute(delete(keys).where(keys.c.api_user_id.in_(replaced)))
    connection.execute(
        delete(passwords).where(passwords.c.person_type == name, passwords.c.person_id.in_(replaced))
    )
    connection.execute(delete(sessions).where(sessions.c.user_type == name, sessions.c.user_id.in_(replaced)))


def _retirement(line: Mapping[str, Any]) -> dict[str, Any]:
    retired = line["retired"]
    cause = retired.get("with") or {}
    try:
        return {
            "type": line["type"],
            "id": line["id"],
            "retired_at": datetime.fromisoformat(retired["at"]),
            "cause_type": cause.get("type"),
            "cause_id": cause.get("id"),
        }
    except (TypeError, ValueError, AttributeError) as problem:
        raise DumpError(f"{line['type']} {line['id']}: bad retired: {problem}") from None
