"""Filter groups of a request → one WHERE clause (wire.md 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, true

from ..call import Call
from ..data_types import LinkList, Source
from ..faults import SiteFault, ruby
from .conditions import EVERY_ROW, WEIGHT_OF_GROUP, Clause, Condition, compiled, parse, settled

_DEEPEST = 265
# SQLite refuses expressions a thousand levels deep, and a chain of ANDs counts as one level per link.
_WIDEST = 100
# More than the 5,000 that are known to work on a real site (wire.md 3.1); each takes part of a millisecond.
_MOST_CONDITIONS = 6_000
# What says the same of several values at once, in a group of either kind.
_MERGEABLE = {"or": ("is", "in"), "and": ("is_not", "not_in")}


def filtered(call: Call, source: Source, filters: Any) -> ColumnElement[bool] | None:
    """The rows of `source` that the filters of a request let through; None for every row."""
    if filters is None:
        return None
    if not isinstance(filters, Mapping):
        raise SiteFault(f"API {call.method}() invalid/missing hash 'filters':\n{ruby(filters)}")
    clause = _group(call, source, filters, 1)
    return None if clause is EVERY_ROW else clause.sql


def mentions(filters: Any, path: str) -> bool:
    """Whether any condition of the filters is about this path."""
    waiting = [filters]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            if node.get("path") == path:
                return True
            conditions = node.get("conditions")
            waiting.extend(conditions if isinstance(conditions, list) else ())
    return False


def _group(call: Call, source: Source, group: Mapping[str, Any], depth: int) -> Clause:
    prefix = f"API {call.method}()"
    if depth > _DEEPEST:
        raise SiteFault(f"{prefix} filters are nested more than {_DEEPEST} levels deep")
    if "logical_operator" not in group:
        raise SiteFault(f"{prefix} Missing logical operator: {ruby(group)}")
    operator, nodes = group["logical_operator"], group.get("conditions")
    if operator not in ("and", "or"):
        shown = operator if isinstance(operator, str) else ruby(operator)
        raise SiteFault(f"{prefix} Invalid logical operator: {shown}:\n{ruby(group)}")
    if not isinstance(nodes, list):
        raise SiteFault(f"{prefix} Missing conditions parameter: {ruby(group)}")
    call.conditions += len(nodes)
    if call.conditions > _MOST_CONDITIONS:
        raise SiteFault(f"{prefix} filters hold more than {_MOST_CONDITIONS} conditions")
    clauses: list[Clause] = []
    conditions: list[Condition] = []
    for node in nodes:
        if not isinstance(node, Mapping):
            raise SiteFault(f"{prefix} invalid/missing hash in 'conditions': {ruby(node)}")
        if "path" not in node and "relation" not in node:
            clauses.append(_group(call, source, node, depth + 1))
            continue
        condition = parse(call, source.entity_type, node)
        if condition is None:
            clauses.append(EVERY_ROW)
        else:
            conditions.append(condition)
    conditions = _merged(conditions, *_MERGEABLE[operator])
    clauses.extend(compiled(call, source, condition) for condition in conditions)
    return combined(call, source, clauses, any_of=operator == "or")


def combined(call: Call, source: Source, clauses: list[Clause], *, any_of: bool) -> Clause:
    """The rows that all of the clauses let through, or any of them does."""
    if any_of and any(clause is EVERY_ROW for clause in clauses):
        return EVERY_ROW
    telling = [clause for clause in clauses if clause is not EVERY_ROW]
    if not telling:
        return EVERY_ROW
    if len(telling) == 1:
        return telling[0]
    telling = [settled(call, source, clause, WEIGHT_OF_GROUP) for clause in telling]
    weight = max(clause.weight for clause in telling) + WEIGHT_OF_GROUP
    sides = [clause.sql for clause in telling]
    join = or_ if any_of else and_
    while len(sides) > _WIDEST:
        chunks = (sides[start : start + _WIDEST] for start in range(0, len(sides), _WIDEST))
        # SQLAlchemy flattens a conjunction in a conjunction; it leaves an `IS TRUE` in one alone.
        sides = [join(*chunk).is_(true()) for chunk in chunks]
        weight += WEIGHT_OF_GROUP
    return Clause(join(*sides), weight)


def _merged(conditions: list[Condition], single: str, several: str) -> list[Condition]:
    """Alternatives `is a`, `is b` of one path as `in [a, b]`: thousands of them stay one lookup."""
    merged: dict[str, Condition] = {}
    others: list[Condition] = []
    for condition in conditions:
        value = condition.values[0]
        mergeable = several in condition.data_type.operators and not isinstance(condition.data_type, LinkList)
        # `is null` and `is ""` mean something that `in` does not say.
        if condition.operator != single or value in (None, "") or not mergeable:
            others.append(condition)
        elif (first := merged.get(condition.path.text)) is None:
            merged[condition.path.text] = condition
        else:
            if first.operator == single:
                first = replace(first, operator=several, values=list(first.values))
                merged[condition.path.text] = first
            first.values.append(value)
    return [*others, *merged.values()]
