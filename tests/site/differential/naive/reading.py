"""`read`: which rows, in which order, with which fields (wire.md 3.3 to 3.5)."""

from __future__ import annotations

from typing import Any

from .filters import Path, check_filters, holds, leaves, parse
from .model import LISTS, NUMBERS, TYPES
from .operators import comparable
from .presets import narrowed
from .production import Production, Row
from .refusals import Refused

ABSENT = object()
# Sorting by these is ignored (wire.md 3.5).
_UNSORTABLE = {"summary", "url", "serializable", "password"}


def read(production: Production, params: dict[str, Any]) -> dict[str, Any]:
    """The answer to a `read`: `entities`, and whether there is a next page."""
    entity_type = params["type"]
    rows = chosen(production, params)
    rows = in_order(production, entity_type, rows, params.get("sorts", []))
    size, page = params["paging"]["entities_per_page"], params["paging"]["current_page"]
    shown = rows[size * (page - 1) : size * page]
    answer: dict[str, Any] = {
        "entities": [fields_of(production, entity_type, row, params["return_fields"]) for row in shown]
    }
    if params.get("return_paging_info_without_counts"):
        answer["paging_info"] = {"has_next_page": size * page < len(rows)}
    return answer


def chosen(production: Production, params: dict[str, Any]) -> list[Row]:
    """The rows that a `read` or a `summarize` is about, by id."""
    entity_type = params["type"]
    if entity_type not in TYPES:
        raise Refused("invalid/missing string entity 'type'")
    check_filters(entity_type, params["filters"])
    retired = params.get("return_only") == "retired"
    rows = [
        row
        for row in sorted(production.rows[entity_type], key=lambda each: each["id"])
        if row["retired"] == retired and holds(production, entity_type, row, params["filters"])
    ]
    if params.get("include_archived_projects") is False:
        rows = [row for row in rows if not _is_archived(production, entity_type, row)]
    if entity_type == "Project" and not _asks_for(params["filters"], "is_template"):
        rows = [row for row in rows if not row.get("is_template")]
    return narrowed(production, rows, params.get("additional_filter_presets", []))


def _is_archived(production: Production, entity_type: str, row: Row) -> bool:
    if entity_type == "Project":
        return bool(row.get("archived"))
    project = production.row(row.get("project"))
    return project is not None and bool(project.get("archived"))


def _asks_for(node: Any, path: str) -> bool:
    if "path" in node:
        return bool(node["path"] == path)
    return any(_asks_for(each, path) for each in node["conditions"])


def in_order(
    production: Production, entity_type: str, rows: list[Row], sorts: list[dict[str, str]]
) -> list[Row]:
    """By each sort key in turn, then by id (wire.md 3.5)."""
    # The sort is stable, so the last key goes first.
    for sort in reversed(sorts):
        try:
            path = parse(entity_type, sort["field_name"])
        except Refused:
            continue
        data_type = path.field.data_type
        if data_type in ("uuid", "pivot_column"):
            raise Refused(f"Read failed for entity type [{entity_type}]")
        if data_type in _UNSORTABLE or not path.possible:
            continue
        rows = _by(production, path, rows, descending=sort["direction"] == "desc")
    return rows


def _by(production: Production, path: Path, rows: list[Row], *, descending: bool) -> list[Row]:
    keyed = [(sort_key(production, path.field.data_type, single(production, path, row)), row) for row in rows]
    filled = [each for each in keyed if each[0] is not None]
    empty = [row for key, row in keyed if key is None]
    # Python keeps the order of equal keys in a reversed sort too.
    filled.sort(key=lambda each: each[0], reverse=descending)
    ordered = [row for _, row in filled]
    if path.leaf == "list_order":
        return ordered + empty  # last in both directions
    # Elsewhere their place is not recorded: this site takes null for less than any value.
    return ordered + empty if descending else empty + ordered


def single(production: Production, path: Path, row: Row) -> Any:
    """The value at the end of a path that leads through entity fields only."""
    (value,) = leaves(production, path, path.hops, row)
    return value


def sort_key(production: Production, data_type: str, value: Any) -> Any:
    if value is None:
        return None
    if data_type == "entity":
        return production.name(value).casefold()
    if data_type in NUMBERS or data_type in ("footage", "date_time"):
        return comparable(data_type, value)
    return value.casefold() if isinstance(value, str) else value


def fields_of(production: Production, entity_type: str, row: Row, names: list[str]) -> dict[str, Any]:
    """A row as it travels: `type`, `id` and what was asked for, as far as it exists (wire.md 3.3)."""
    shown: dict[str, Any] = {"type": entity_type, "id": row["id"]}
    for name in names:
        value = _shown(production, entity_type, row, name)
        if value is not ABSENT:
            shown[name] = value
    return shown


def _shown(production: Production, entity_type: str, row: Row, name: str) -> Any:
    try:
        path = parse(entity_type, name)
    except Refused:
        return ABSENT
    through_list = any(TYPES[here][field].data_type in LISTS for here, field, _ in path.hops)
    data_type = path.field.data_type
    if not path.possible or through_list or (path.hops and data_type == "url"):
        return ABSENT
    if path.hops and not _leads_on(production, path, row):
        return None  # whatever the data type
    value = single(production, path, row)
    if data_type == "entity":
        return linked(production, value)
    if data_type in LISTS:
        elements = [linked(production, link) for link in value]
        if path.leaf in ("upstream_tasks", "downstream_tasks"):
            return [{**each, "template_task_id": None} for each in elements]
        return elements
    return value


def _leads_on(production: Production, path: Path, row: Row) -> bool:
    """Whether every link of a path is there and leads to a row of the type that the path names."""
    here: Row | None = row
    for entity_type, field, target in path.hops:
        link = production.value(entity_type, here, field) if here is not None else None
        here = production.row(link) if link is not None and link["type"] == target else None
    return here is not None


def linked(production: Production, link: Any) -> Any:
    return None if link is None else {**link, "name": production.name(link)}
