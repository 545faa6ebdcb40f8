"""The search box: names of rows, and everything that names a row by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgsession.errors import SyntaxProblem
from sgsession.syntax.references import PageReference, parse_reference

from ..call import Call
from ..faults import SiteFault
from ..methods.text_search import query_display_name_cache
from ..queries.counting import rows_by_type
from ..schema.schema_map import SchemaMap
from . import addresses
from .conditions import said
from .values import Cell, Cells, Link, hue

__all__ = ["named_row", "search_page"]

_MOST = 60
# The log has a row for each change, and none has a name that anybody looks for.
_UNSEARCHED = frozenset({"EventLogEntry", "Attachment", "Status", "PermissionRuleSet"})


@dataclass(frozen=True, slots=True)
class Match:
    """A row that was found."""

    link: Link
    type: str
    hue: int
    picture: str
    status: Cell
    parent: str


def named_row(schema: SchemaMap, text: str) -> str | None:
    """The address of the row that a text names by itself: `Shot:860`, or an address of any site."""
    types = [name for name, each in schema.types.items() if not each.connection]
    try:
        found = parse_reference(text, types)
    except SyntaxProblem:
        return None
    if isinstance(found, PageReference):
        return f"/page/{found}"
    return addresses.detail(found["type"], found["id"])


def search_page(call: Call, text: str) -> dict[str, Any]:
    """The rows whose names hold every word of the text."""
    cells = Cells(call)
    counts = rows_by_type(call)
    types = {
        name: None
        for name, each in call.schema.types.items()
        if counts[name] and not each.connection and name not in _UNSEARCHED
    }
    problems: list[str] = []
    matches: list[Mapping[str, Any]] = []
    if text.strip():
        try:
            request = {"text": text, "entity_types": types, "max_results": _MOST}
            matches = query_display_name_cache(call, request)["matches"]
        except SiteFault as fault:
            problems.append(said(fault))
    return {
        "text": text,
        "problems": problems,
        "matches": [_match(call, cells, each) for each in matches],
        "most": _MOST,
    }


def _match(call: Call, cells: Cells, found: Mapping[str, Any]) -> Match:
    kind = found["type"]
    status = call.schema.field(kind, "sg_status_list")
    return Match(
        cells.link(found),
        call.schema.types[kind].display_name,
        hue(kind, found["id"]),
        cells.picture(found["image"]),
        cells.of(status, found["status"]) if status is not None else Cell("empty"),
        found["links"][1],
    )
