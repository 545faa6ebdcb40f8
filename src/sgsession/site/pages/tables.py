"""The page of a table: the rows of one type, filtered, ordered and paged by its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..call import Call
from ..faults import SiteFault
from ..queries.paths import Path, resolve
from ..queries.reading import read
from ..schema.schema_map import EntityType
from . import snippets
from .asked import PAGE_SIZES, Asked, asked, usual_columns
from .conditions import OPERATORS, Written, operators_of, said, unknown_field, wire_condition
from .menus import menu_of
from .missing import unknown_type
from .values import Cell, Cells, Link, hue

__all__ = ["table_page"]

_UNSORTABLE = frozenset({
    "addressing", "calculated", "image", "multi_entity", "password", "pivot_column", "serializable", "summary",
    "tag_list", "url", "uuid",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    path: str
    label: str
    field: Any
    sort: str  # where its head leads; empty where rows cannot be sorted by it
    direction: str  # ascending, descending, or none


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its link, and a cell for each column."""

    link: Link
    id: int
    hue: int
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Choice:
    """One condition in the filter bar, with what may be chosen in its place."""

    written: Written
    operators: tuple[str, ...]
    values: tuple[str, ...]
    away: str


def table_page(call: Call, kind: str, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the page of a table shows; what is wrong with the address stands in `problems`."""
    entity_type = call.schema.type(kind)
    if entity_type is None:
        raise unknown_type(call, kind)
    table, problems = asked(entity_type, query)
    cells = Cells(call)
    columns = _columns(call, entity_type, table, problems)
    request, code = _request(call, entity_type, table, columns, problems)
    answer: dict[str, Any] = {"entities": [], "paging_info": None}
    if request is not None:
        try:
            answer = read(call, request)
        except SiteFault as fault:
            problems.append(said(fault))
            code = ""
    if not table.columns and not any(row.get("image") for row in answer["entities"]):
        columns = [column for column in columns if column.path != "image"]
    paging = answer["paging_info"]
    return {
        "type": entity_type,
        "asked": table,
        "problems": problems,
        "menu": menu_of(call, table.project, kind),
        "columns": columns,
        "rows": [_row(cells, row, columns) for row in answer["entities"]],
        "paging": paging,
        "first": 0 if paging is None else (table.page - 1) * table.per_page + 1,
        "pages": _pages(table, paging),
        "choices": [_choice(call, entity_type, table, each) for each in table.conditions],
        "operators": OPERATORS,
        "fields": sorted(
            (each for each in entity_type.fields.values() if each.is_listed),
            key=lambda each: each.display_name.lower(),
        ),
        "sizes": sorted({*PAGE_SIZES, table.per_page}),
        "code": code,
    }


def _columns(call: Call, entity_type: EntityType, table: Asked, problems: list[str]) -> list[Column]:
    columns: list[Column] = []
    for text in table.columns or usual_columns(entity_type):
        path = resolve(call.schema, entity_type.name, text)
        if path is None:
            problems.append(unknown_field(entity_type, text))
        elif path.is_many or (path.hops and path.field.data_type == "url"):
            problems.append(f"{text!r} leads to several values, or to a file, and cannot be a column.")
        else:
            columns.append(_column(call, table, path))
    return columns


def _column(call: Call, table: Asked, path: Path) -> Column:
    steps = [hop.field.display_name for hop in path.hops]
    now = table.sorts()[:1]
    is_sorted = bool(now) and now[0]["field_name"] == path.text
    direction = (now[0]["direction"] + "ending") if is_sorted else "none"
    again = f"-{path.text}" if direction == "ascending" else path.text
    return Column(
        path.text,
        " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ".join([*steps, path.field.display_name]),
        path.field,
        "" if path.field.data_type in _UNSORTABLE else table.address(sort=again),
        direction,
    )


def _request(
    call: Call, entity_type: EntityType, table: Asked, columns: list[Column], problems: list[str]
) -> tuple[dict[str, Any] | None, str]:
    """The request for the rows, and the same as Python; None where a condition makes no sense."""
    project = _project_condition(entity_type, table, problems)
    written: list[dict[str, Any]] = []
    for each in table.conditions:
        try:
            written.append(wire_condition(call, entity_type, each))
        except SiteFault as fault:
            problems.append(said(fault))
    if len(written) < len(table.conditions):
        return None, ""
    grouped = table.any_of and len(written) > 1
    inner: list[dict[str, Any]] = [{"logical_operator": "or", "conditions": written}] if grouped else written
    fields = [column.path for column in columns]
    request = {
        "type": entity_type.name,
        "filters": {"logical_operator": "and", "conditions": [*project, *inner]},
        "return_fields": [*fields, "cached_display_name"],
        "sorts": table.sorts(),
        "paging": {"entities_per_page": table.per_page, "current_page": table.page},
        "return_paging_info": True,
        "return_only": "retired" if table.retired else "active",
    }
    code = snippets.find(
        entity_type.name,
        [_for_client(each) for each in (project if grouped else [*project, *written])],
        [_for_client(each) for each in written] if grouped else [],
        fields,
        _options(table),
    )
    return request, code


def _project_condition(entity_type: EntityType, table: Asked, problems: list[str]) -> list[dict[str, Any]]:
    if table.project is None:
        return []
    if entity_type.name == "Project":
        return [{"path": "id", "relation": "is", "values": [table.project]}]
    field = entity_type.fields.get("project")
    if field is None or field.data_type != "entity":
        problems.append(
            f"A {entity_type.display_name} belongs to no project: these are those of the whole site."
        )
        return []
    return [{"path": "project", "relation": "is", "values": [{"type": "Project", "id": table.project}]}]


def _for_client(condition: Mapping[str, Any]) -> list[Any]:
    values = condition["values"]
    return [condition["path"], condition["relation"], *values] if len(values) == 1 else [
        condition["path"], condition["relation"], values,
    ]  # fmt: skip


def _options(table: Asked) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if table.sorts():
        options["order"] = table.sorts()
    if table.retired:
        options["retired_only"] = True
    options["limit"] = table.per_page
    if table.page > 1:
        options["page"] = table.page
    return options


def _row(cells: Cells, row: Mapping[str, Any], columns: list[Column]) -> Row:
    name = {"type": row["type"], "id": row["id"], "name": row.get("cached_display_name")}
    return Row(
        cells.link(name),
        row["id"],
        hue(row["type"], row["id"]),
        [cells.of(column.field, row.get(column.path)) for column in columns],
    )


def _choice(call: Call, entity_type: EntityType, table: Asked, written: Written) -> Choice:
    path = resolve(call.schema, entity_type.name, written.path)
    operators = operators_of(call, entity_type, written.path)
    if written.operator not in operators:
        # What was asked for stays on the page, with the words that tell why it is wrong.
        operators = (written.operator, *operators)
    return Choice(written, operators, path.field.valid_values if path else (), table.without(written))


def _pages(table: Asked, paging: Mapping[str, Any] | None) -> list[tuple[str, str, bool]]:
    """The pages to go to: label, address, and whether it is this one; a gap has no address."""
    count = paging["page_count"] if paging else 0
    if count < 2:
        return []
    near = {1, 2, count - 1, count, *range(table.page - 2, table.page + 3)}
    pages: list[tuple[str, str, bool]] = []
    last = 0
    for number in sorted(each for each in near if 1 <= each <= count):
        if number > last + 1:
            pages.append(("…", "", False))
        pages.append((f"{number:,}", table.address(page=number), number == table.page))
        last = number
    return pages
