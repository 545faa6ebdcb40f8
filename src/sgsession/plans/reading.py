"""Plans that find entities: by filters, page by page, by id."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from ..entity import Entity
from ..errors import SyntaxProblem
from ..graph.graph import Graph
from ..graph.open_reads import OpenReads
from ..graph.wire import WireRows
from ..importance import Importance
from .fields import asked_fields, asked_filters, asked_order, expanded, lacked_by_any, with_links
from .plan import Plan, Request, chunks, given

__all__ = [
    "after_id",
    "find",
    "find_one",
    "find_request",
    "get",
    "merge_rows",
    "page_of",
    "summarize",
    "taken",
]

_DEFAULTS: dict[str, Any] = {
    "order": None,
    "filter_operator": None,
    "limit": 0,
    "retired_only": False,
    "page": 0,
    "include_archived_projects": True,
    "additional_filter_presets": None,
}


def find(
    graph: Graph,
    importance: Importance,
    entity_type: str,
    filters: Any,
    fields: Any,
    options: dict[str, Any],
    merge: bool = True,
    add_default_fields: bool = True,
    connections: int = 1,
) -> Plan[list[Any]]:
    """The entities that match, in the order of the site.

    The first page by itself: most finds fit one. Then twice as many are under way as have come, up to as many as are
    allowed, each asked for once, until the site says that there is no next one: a find of few pages asks for few more.
    """
    request = find_request(
        "find", graph, importance, entity_type, filters, fields, options, add_default_fields
    )
    limit = request.kwargs.get("limit") or 0
    by_page = connections > 1 and not request.kwargs.get("page")
    found: list[Any] = []
    reads = OpenReads(graph)
    try:
        begin, begun = [page_of(request, 1) if by_page else request], 1
        for number in count(1):
            reads.begin(len(begin))
            rows = yield begin
            found += taken(graph, rows, reads.first, request, merge)
            reads.end_first()
            has_more = by_page and isinstance(rows, WireRows) and rows.has_next_page
            del rows
            if not has_more or (limit and len(found) >= limit):
                break
            # Pages are as long as the site makes them; what is wanted may end before they do.
            left = -(-(limit - len(found)) * number // len(found)) if limit and found else connections
            last = max(begun, number + max(1, min(connections, left, 2 * number)))
            begin = [page_of(request, page) for page in range(begun + 1, last + 1)]
            begun = last
    finally:
        reads.clear()
    return found[:limit] if limit and by_page else found


def page_of(request: Request, number: int) -> Request:
    """The find that gives one page of what another gives."""
    return request._replace(kwargs={**request.kwargs, "page": number})


def find_one(
    graph: Graph,
    importance: Importance,
    entity_type: str,
    filters: Any,
    fields: Any,
    options: dict[str, Any],
    merge: bool = True,
    add_default_fields: bool = True,
) -> Plan[Any]:
    """The first entity that matches, or None; one request."""
    request = find_request(
        "find_one", graph, importance, entity_type, filters, fields, options, add_default_fields
    )
    with graph.reading() as moment:
        row = yield [request]
        return None if row is None else taken(graph, [row], moment, request, merge)[0]


def find_request(
    method: str,
    graph: Graph,
    importance: Importance,
    entity_type: str,
    filters: Any,
    fields: Any,
    options: dict[str, Any],
    add_default_fields: bool,
) -> Request:
    """What a find asks, with important fields, aliases and braces worked out; refuses what cannot be asked."""
    entity_type = graph.schema.type_name(entity_type)
    options = {**options, "order": asked_order(graph, entity_type, options.get("order"))}
    paths = expanded(graph, entity_type, fields)
    asked = asked_fields(importance, entity_type, paths, add_default_fields)
    return Request(
        method, (entity_type, asked_filters(graph, entity_type, filters), asked), given(options, _DEFAULTS)
    )


def taken(graph: Graph, rows: list[dict[str, Any]], moment: int, request: Request, merge: bool) -> list[Any]:
    """What a find gives of the rows of an answer: entities, or without merging what the client gives."""
    if merge:
        exist = not request.kwargs.get("retired_only", False)
        return merge_rows(graph, rows, moment, request.args[2], exist)
    if rows:
        graph.row_came(request.args[0], tuple(rows[0]))
    return rows.decoded() if isinstance(rows, WireRows) else rows


def merge_rows(
    graph: Graph, rows: list[dict[str, Any]], moment: int, asked: Sequence[str], exist: bool = True
) -> list[Entity]:
    """Merge the rows of an answer: they win over what is known, but for what was written meanwhile.

    What was asked for and is not in them is remembered, so that it is not asked for again.
    """
    entities = graph.merge_answer(rows, moment, exist)
    if rows:
        graph.note_left_out(rows, entities, asked, moment)
    return entities


def after_id(filters: Any, filter_operator: str | None, last_id: int) -> Any:
    """The same filters, for the rows behind an id."""
    if isinstance(filters, dict):
        beyond = {"path": "id", "relation": "greater_than", "values": [last_id]}
        return {"logical_operator": "and", "conditions": [filters, beyond]}
    group = {"filter_operator": filter_operator or "all", "filters": list(filters)}
    return [group, ["id", "greater_than", last_id]] if filters else [["id", "greater_than", last_id]]


def get(
    graph: Graph, importance: Importance, entity_type: str, ids: Any, fields: Any, fetch: bool
) -> Plan[Any]:
    """The entities of these ids, in their order, None for each that does not exist.

    One request for those that the session does not have, or of which it lacks a field, side by side with
    others where they are more than fit one.
    """
    entity_type = graph.schema.type_name(entity_type)
    several = isinstance(ids, (list, tuple))
    wanted = list(ids) if several else [ids]
    for entity_id in wanted:
        if not isinstance(entity_id, int) or isinstance(entity_id, bool):
            raise SyntaxProblem(f"An id is an integer, not {entity_id!r}.")
    paths = expanded(graph, entity_type, fields)
    unknown = []
    for entity_id in dict.fromkeys(wanted):
        entity = graph.identity.get((entity_type, entity_id))
        if entity is None or graph.unknown_paths(entity, paths):
            unknown.append(entity_id)
    gone: set[int] = set()
    if unknown and fetch:
        core = importance.core_fields(entity_type)
        with graph.reading() as moment:
            begin = []
            asked_of: list[list[str]] = []
            for chunk in chunks(unknown):
                known = [graph.identity.get((entity_type, entity_id)) for entity_id in chunk]
                lacked = lacked_by_any(graph, known, [*paths, *core])
                asked_of.append(with_links([*importance.own_fields_for_all(entity_type), *lacked]))
                begin.append(Request("find", (entity_type, [["id", "in", list(chunk)]], asked_of[-1])))
            arrived: set[int] = set()
            for asked in asked_of:
                rows = yield begin
                begin = []
                arrived.update(entity["id"] for entity in merge_rows(graph, rows, moment, asked))
                del rows
            # What was asked for and did not come is not there, though the session may know it by a link.
            gone.update(entity_id for entity_id in unknown if entity_id not in arrived)
            known = [graph.identity.get((entity_type, entity_id)) for entity_id in gone]
            graph.saw([entity for entity in known if entity is not None], False, moment)
    found = [
        None if entity_id in gone else graph.identity.get((entity_type, entity_id)) for entity_id in wanted
    ]
    if not several:
        return found[0]
    return found if isinstance(ids, list) else tuple(found)


def summarize(
    graph: Graph, entity_type: str, filters: Any, summary_fields: Any, options: dict[str, Any]
) -> Plan[Any]:
    """What the site sums up; nothing is merged. One request."""
    entity_type = graph.schema.type_name(entity_type)
    checked = asked_filters(graph, entity_type, filters)
    return (yield [Request("summarize", (entity_type, checked, summary_fields), given(options, _DEFAULTS))])
