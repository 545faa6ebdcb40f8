"""Demo productions: the same rows with the same ids on every machine and in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sgsession.site.transfer import bulk

from . import large, small
from .rows import Rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sgsession.site.database.tables import Tables
    from sgsession.site.schema.schema_map import SchemaMap

__all__ = ["NAMES", "load"]

_PRODUCTIONS: Mapping[str, Callable[[], Iterator[tuple[str, Rows]]]] = {
    "small": small.production,
    "large": large.production,
}
NAMES = tuple(_PRODUCTIONS)

# When the demo was made, as its rows tell it: a fixed day, so that documents can quote what they print.
_MADE_AT = datetime.fromisoformat("2025-09-01T09:00:00")


def load(
    connection: Connection,
    tables: Tables,
    schema: SchemaMap,
    name: str,
    creator: Mapping[str, Any],
    progress: Callable[[float], None] | None = None,
) -> None:
    """Fill a site that has no production yet with the demo of that name, as made by `creator`."""
    made_by = {"created_by": creator, "updated_by": creator}
    # Made once more to be counted, which takes a twentieth of the time that loading does.
    total = 0 if progress is None else sum(len(rows) for _, rows in _PRODUCTIONS[name]())
    loaded = 0
    for entity_type, rows in _PRODUCTIONS[name]():
        if schema.field(entity_type, "created_by") is not None:
            rows = [{**made_by, **row} for row in rows]
        bulk.load(connection, tables, schema, entity_type, rows, now=_MADE_AT)
        loaded += len(rows)
        if progress is not None:
            progress(loaded / total)
