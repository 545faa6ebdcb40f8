"""Searching names over several entity types: `query_display_name_cache` (wire.md 2.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, false, func, null, or_, select

from ..call import Call
from ..data_types import Given
from ..data_types.refusals import storable
from ..data_types.texts import contains, folded
from ..database.portable import among
from ..database.rows import Reference
from ..faults import SiteFault, ruby
from ..queries.references import described
from ..queries.selecting import selected

_USUAL_LIMIT = 10
# Each word is a condition, and a database takes only so many of them.
_MOST_WORDS = 50
# The field through which a row is part of another one: a Task of a Shot, a Version of an Asset.
_PARENT = "entity"


def query_display_name_cache(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """The rows whose name, or whose parent's name, holds every word of the text; shortest names first."""
    terms, limit, projects = _terms(call, params), _limit(call, params), _projects(call, params)
    types = params.get("entity_types")
    if not isinstance(types, Mapping):
        raise SiteFault(f"API {call.method}() invalid/missing hash 'entity_types':\n{ruby(params)}")
    found = [
        (kind, row)
        for kind, filters in types.items()
        for row in _matching(call, kind, filters, terms, projects, limit)
    ]
    # A stable sort: rows of the same name stay in the order in which the types were asked for.
    found.sort(key=lambda each: (len(each[1].name), each[1].name__folded))
    return {"matches": _matches(call, found[:limit]), "terms": terms}


def _matching(
    call: Call, kind: str, filters: Any, terms: Sequence[str], projects: Sequence[int], limit: int
) -> Sequence[Row[Any]]:
    source, conditions = selected(call, {"type": kind, "filters": filters})
    record, parent = call.tables.record.alias(), call.tables.record.alias()
    joined = source.table.join(record, and_(record.c.type == kind, record.c.id == source.column("id")))
    names = [record.c.name__folded]
    link = call.schema.field(kind, _PARENT)
    has_parent = link is not None and link.data_type == "entity"
    if has_parent:
        is_parent = and_(
            parent.c.type == source.column(f"{_PARENT}__type"), parent.c.id == source.column(f"{_PARENT}__id")
        )
        joined = joined.outerjoin(parent, and_(is_parent, parent.c.retired == false()))
        names.append(parent.c.name__folded)
    if projects:
        conditions.append(among(record.c.project_id, projects))
    conditions.extend(or_(*(contains(name, folded(term)) for name in names)) for term in terms)
    parents = (parent.c.type, parent.c.name) if has_parent else (null(), null())
    query = (
        select(record.c.id, record.c.name, record.c.name__folded, record.c.project_id)
        .add_columns(parents[0].label("parent_type"), parents[1].label("parent_name"))
        .select_from(joined)
        .where(record.c.name.is_not(None), *conditions)
        .order_by(func.length(record.c.name), record.c.name__folded, record.c.id)
        .limit(limit)
    )
    return call.connection.execute(query).all()


def _matches(call: Call, found: Sequence[tuple[str, Row[Any]]]) -> list[dict[str, Any]]:
    about = described(call, [Reference(kind, row.id) for kind, row in found], "image")
    return [
        {
            "id": row.id,
            "type": kind,
            "name": row.name,
            "project_id": row.project_id,
            "image": about[Reference(kind, row.id)]["image"],
            "links": [row.parent_type or "", row.parent_name or ""],
            "status": about[Reference(kind, row.id)]["status"],
        }
        for kind, row in found
    ]


def _terms(call: Call, params: Mapping[str, Any]) -> list[str]:
    text = params.get("text")
    # Short texts are searched for: the documentation forbids them, real sites do not (wire.md 2.8).
    terms = (
        storable(text, Given(call.method, "text", params)).lower().split() if isinstance(text, str) else []
    )
    if not terms:
        raise SiteFault(f"API {call.method}() invalid/missing string 'text':\n{ruby(params)}")
    if len(terms) > _MOST_WORDS:
        raise SiteFault(f"API {call.method}() 'text' has more than {_MOST_WORDS} words:\n{ruby(params)}")
    return terms


def _limit(call: Call, params: Mapping[str, Any]) -> int:
    limit = params.get("max_results")
    if limit is None:
        return _USUAL_LIMIT
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise SiteFault(f"API {call.method}() invalid integer 'max_results':\n{ruby(params)}")
    return limit


def _projects(call: Call, params: Mapping[str, Any]) -> list[int]:
    ids = params.get("project_ids") or []
    if not isinstance(ids, list) or any(isinstance(each, bool) or not isinstance(each, int) for each in ids):
        raise SiteFault(f"API {call.method}() invalid/missing array 'project_ids':\n{ruby(params)}")
    return ids
