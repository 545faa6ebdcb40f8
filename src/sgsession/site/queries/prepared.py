"""Statements that are kept: most requests ask what others asked before, about other rows.

To build a statement and SQLAlchemy's key of it costs more than to run it. So the statement of a plain request
is kept under its shape: what it asks, without the values that it compares with, which are bound each time.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, bindparam, select
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeEngine

from ..call import Call
from ..data_types import Source
from ..faults import SiteFault
from .conditions import Condition, clause_of, parse
from .filters import combined
from .selecting import selected

__all__ = ["PageOfIds", "page_of_ids", "prepared_page"]

# Wider ones are rare, and there are too many shapes of them.
_MOST_COMPARISONS = 8
_OPERATORS = frozenset({"is", "is_not", "greater_than", "less_than"})


@dataclass(frozen=True, slots=True)
class PageOfIds:
    """The ids that a request is about: a statement, what it compares with, and one that counts them if asked for."""

    entity_type: str
    query: Select[Any]
    operands: Mapping[str, Any]
    counted: Select[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A condition on a field of the row itself, with one value that its statement need not know."""

    condition: Condition
    fixed: str | None  # of a link, the type
    value: Any
    travels_as: TypeEngine[Any]

    @property
    def shape(self) -> Hashable:
        # The type is part of it: numbers of more than 32 bits travel as another one.
        return self.condition.path.text, self.condition.operator, self.fixed, type(self.travels_as)

    def operand(self, name: str) -> Any:
        bound = bindparam(name, type_=self.travels_as)
        return bound if self.fixed is None else (self.fixed, bound)


def prepared_page(call: Call, params: Mapping[str, Any], *, retired: bool) -> PageOfIds | None:
    """The ids in their own order under a few plain comparisons; None for what must be built each time."""
    entity_type, filters = params.get("type"), params.get("filters")
    asks_more = any(params.get(name) not in (None, []) for name in ("sorts", "additional_filter_presets"))
    # What a limited script sees depends on its projects; a count has a statement of its own.
    if asks_more or call.caller.projects is not None or params.get("return_paging_info"):
        return None
    if not isinstance(entity_type, str) or call.schema.type(entity_type) is None:
        return None
    comparisons = _comparisons(call, entity_type, filters)
    if comparisons is None:
        return None
    any_of = filters is not None and filters["logical_operator"] == "or"
    asked = {"type": entity_type, "include_archived_projects": params.get("include_archived_projects")}
    everywhere = asked["include_archived_projects"] is not False
    shape = entity_type, retired, everywhere, any_of, *(each.shape for each in comparisons)

    def build() -> Select[Any]:
        source, conditions = selected(call, asked, retired=retired)
        clauses = [
            clause_of(call, source, each.condition, [each.operand(f"operand_{number}")])
            for number, each in enumerate(comparisons)
        ]
        if clauses:
            conditions.append(combined(call, source, clauses, any_of=any_of).sql)
        return page_of_ids(source, source.table, conditions, [source.column("id")])

    operands = {f"operand_{number}": each.value for number, each in enumerate(comparisons)}
    return PageOfIds(entity_type, call.tables.prepare(shape, build), operands)


def page_of_ids(
    source: Source,
    rows: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[ColumnElement[Any]],
) -> Select[Any]:
    """The ids of a page of rows; `most` says how many, and `skipped` how many come before them."""
    return (
        select(source.column("id"))
        .select_from(rows)
        .where(*conditions)
        .order_by(*order)
        .limit(bindparam("most", type_=BigInteger()))
        .offset(bindparam("skipped", type_=BigInteger()))
    )


def _comparisons(call: Call, entity_type: str, filters: Any) -> list[_Comparison] | None:
    """The conditions of one flat group; None where one of them is more than a comparison, or wrong."""
    if filters is None:
        return []
    if not isinstance(filters, Mapping) or filters.get("logical_operator") not in ("and", "or"):
        return None
    nodes = filters.get("conditions")
    if not isinstance(nodes, list) or len(nodes) > _MOST_COMPARISONS:
        return None
    comparisons = []
    for node in nodes:
        comparison = _comparison(call, entity_type, node)
        if comparison is None:
            return None
        comparisons.append(comparison)
    return comparisons


def _comparison(call: Call, entity_type: str, node: Any) -> _Comparison | None:
    relation = node.get("relation") if isinstance(node, Mapping) else None
    if not isinstance(relation, str) or relation not in _OPERATORS:
        return None
    try:
        condition = parse(call, entity_type, node)
        if condition is None or condition.path.hops or condition.path.field.is_personal:
            return None
        kind, path = condition.data_type, condition.path
        if not kind.binds_operands:
            return None
        (operand,) = kind.operands(path.field, condition.operator, condition.values, condition.given)
    except SiteFault:
        # Said by those who build the statement: of several mistakes, they know which is told first.
        return None
    if operand is None:
        return None
    fixed, value = operand if isinstance(operand, tuple) else (None, operand)
    travels_as = kind.sql_type.coerce_compared_value(operators.eq, value)
    return _Comparison(condition, fixed, value, travels_as)
