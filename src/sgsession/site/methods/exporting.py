"""A page as a table of comma-separated values: `export_page` (wire.md 2.12)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ..call import Call
from ..database.rows import Reference, known
from ..faults import SiteFault, ruby
from ..queries.fetching import rows
from ..queries.selecting import selected
from ..schema.schema_map import COMPUTED_TYPES, EntityType, Field

# Pages and their layouts are marked as exportable in the browser. Here a page is, once it is shared, and it
# has the one layout that every page begins with.
_LAYOUTS = (None, "", "default")
# What a cell has no text for.
_UNSHOWN = COMPUTED_TYPES | {"serializable", "jsonb", "password", "image", "tag_list"}
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RawBody:
    """A result that travels as it is instead of in a JSON envelope (wire.md 1.3)."""

    content: bytes
    media_type: str


def export_page(call: Call, params: Mapping[str, Any]) -> RawBody:
    """The rows of a page's entity type, of its project if it belongs to one, with their fields as columns."""
    form, page_id = params.get("format"), params.get("page_id")
    if form is None:
        raise SiteFault(f"API export_page() 'format' missing:\n{ruby(params)}")
    if page_id is None:
        raise SiteFault(f"API export_page() 'page_id' missing:\n{ruby(params)}")
    if form != "csv":
        raise SiteFault(f"API export_page() invalid 'format', 'csv' expected:\n{ruby(params)}")
    if isinstance(page_id, bool) or not isinstance(page_id, int):
        raise SiteFault(f"API export_page() invalid/missing integer 'page_id':\n{ruby(params)}")
    entity_type, project = _page(call, page_id, params.get("layout_name"))
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    fields = [each for each in entity_type.fields.values() if each.data_type not in _UNSHOWN]
    fields.sort(key=lambda each: (each.name != "id", each.name != entity_type.identity))
    writer.writerow([each.display_name for each in fields])
    for row in _rows(call, entity_type, project, [each.name for each in fields]):
        writer.writerow([_cell(each, row.get(each.name)) for each in fields])
    return RawBody(lines.getvalue().encode(), "text/csv; charset=utf-8")


def _page(call: Call, page_id: int, layout: Any) -> tuple[EntityType, int | None]:
    """The entity type of an exportable page, and its project."""
    page = Reference("Page", page_id)
    found = known(call.connection, call.tables, [page]).get(page)
    if found is not None and found.retired:
        raise SiteFault(f"API export_page() Trying to perform export for retired Page id={page_id}")
    shown = rows(call, "Page", [page_id], ["entity_type", "shared"]) if found is not None else []
    entity_type = call.schema.type(shown[0].get("entity_type") or "") if shown else None
    if found is None or entity_type is None or not shown[0].get("shared") or layout not in _LAYOUTS:
        raise SiteFault(f"Export for Page id={page_id} not available")
    return entity_type, found.project_id


def _rows(
    call: Call, entity_type: EntityType, project: int | None, fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    source, conditions = selected(call, {"type": entity_type.name})
    query = select(source.column("id")).where(*conditions).order_by(source.column("id"))
    if project is not None and "project" in entity_type.fields:
        query = query.where(source.column("project__id") == project)
    ids = call.connection.execute(query).scalars().all()
    for start in range(0, len(ids), _AT_ONCE):
        yield from rows(call, entity_type.name, ids[start : start + _AT_ONCE], fields)


def _cell(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_cell(field, each) for each in value)
    if isinstance(value, dict):
        return str(value.get("name") or value.get("url") or "")
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
