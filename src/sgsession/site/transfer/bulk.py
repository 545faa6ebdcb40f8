"""Loading many finished rows at once, as a demo production does: no checks of links, no events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from ..data_types import data_type
from ..database.rows import blank_row, insert_rows, keep_ids, named
from ..database.tables import Tables
from ..schema.display_names import display_name, implied_names
from ..schema.schema_map import EntityType, SchemaMap
from ..writes.links import bulk_links

_AT_ONCE = 5_000


def load(
    connection: Connection,
    tables: Tables,
    schema: SchemaMap,
    entity_type: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Insert rows of one type, each a mapping with its `id` and field values as they travel on the wire.

    Links are `{"type", "id"}`; their targets may be loaded later. Lists of links may be given at either end of
    a relation, except at the end that only shows an entity field of others. Defaults and `created_at` /
    `updated_at` (now) fill what a row leaves out. The ids must be new. What adds up other rows (sum_up in
    tasks/rollups.py) is as the rows say.
    """
    found = schema.types[entity_type]
    known = _defaults(found, now)
    remaining = iter(rows)
    while part := list(islice(remaining, _AT_ONCE)):
        insert_rows(connection, tables, entity_type, [_columns(found, known, row) for row in part])
        for name in {name for row in part for name, value in row.items() if value}:
            field = found.fields.get(name)
            if field is not None and field.is_list:
                pairs = [(row["id"], each) for row in part for each in row.get(name) or ()]
                bulk_links(connection, tables, field, pairs)
        keep_ids(connection, tables, entity_type, max(row["id"] for row in part))


def _defaults(entity_type: EntityType, now: datetime) -> dict[str, Any]:
    columns = dict(blank_row(entity_type))
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    for field in entity_type.fields.values():
        if not field.is_stored:
            continue
        value = moment if field.name in ("created_at", "updated_at") else field.default
        if value is not None:
            columns.update(data_type(field.data_type).stored(field, value, "create"))
    return columns


def _columns(entity_type: EntityType, known: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {**known, "id": row["id"]}
    for name, value in (*row.items(), *implied_names(entity_type, row, {}).items()):
        field = entity_type.fields[name]
        if field.is_stored:
            columns.update(data_type(field.data_type).stored(field, value, "create"))
    columns.update(named(display_name(entity_type, row["id"], columns)))
    return columns
