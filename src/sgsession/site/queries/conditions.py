"""One filter condition → SQL: checked as a real site checks it, and followed through the links of its path.

Every operator is a positive one or the negation of one, because negations include rows without a value
(wire.md 4.2). A positive condition is looked for at the end of the path; its negation then says that no
linked row matches, which is what a real site means by a negative operator through a list (wire.md 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, false, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from ..call import Call
from ..data_types import DataType, Given, LinkList, Source, data_type
from ..database.portable import among
from ..faults import SiteFault, ruby
from ..people.permissions import visible
from .paths import Hop, Path, resolve

_POSITIVE = {
    "is_not": "is",
    "not_in": "in",
    "not_contains": "contains",
    "not_in_last": "in_last",
    "not_in_next": "in_next",
    "name_not_contains": "name_contains",
    "type_is_not": "type_is",
}
_PAIRS = frozenset({"between", "in_last", "in_next", "not_in_last", "not_in_next"})
_MEMBERSHIP = ("in", "not_in")
# Fields that a real site takes in filters and then does not look at (wire.md 3.2).
_IGNORED = frozenset({("PageSetting", "settings_json"), ("EventLogEntry", "audit_trail")})

# SQLite's parser holds a hundred unfinished symbols. These weigh how many of them a clause keeps open
# at its deepest point; what would weigh more is run by itself, and its ids take its place.
_HEAVIEST = 60
_WEIGHT_OF_LEAF = 24
_WEIGHT_OF_HOP = 14
_WEIGHT_OF_NOT = 3
WEIGHT_OF_GROUP = 4

# Each is a table of its own to the database, and a millisecond or more.
_MOST_SOURCES = 300
# A program that names so many rows wants a filter that says what they have in common.
_MOST_VALUES = 100_000

# So many linked rows are looked up one by one before the whole table is walked instead.
FEW = 1000


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of a WHERE clause, and how deeply it nests."""

    sql: ColumnElement[bool]
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a request whose path is known and whose operator suits it."""

    path: Path
    operator: str
    values: list[Any]
    given: Given

    @property
    def data_type(self) -> DataType:
        """What the field at the end of the path holds."""
        return data_type(self.path.field.data_type)


EVERY_ROW = Clause(true())
NO_ROW = Clause(false())


def parse(call: Call, entity_type: str, node: Mapping[str, Any]) -> Condition | None:
    """The condition that a request holds; None for one that a real site ignores."""
    text, operator = node.get("path"), node.get("relation")
    given = Given(call.method, f"{entity_type}.{text}", node)
    if not isinstance(text, str):
        raise given.invalid("invalid/missing string 'path'")
    path = resolve(call.schema, entity_type, text)
    if path is None:
        if (entity_type, text) in _IGNORED:
            return None
        raise given.invalid(f"{entity_type}.{text} doesn't exist")
    kind = data_type(path.field.data_type)
    if not kind.filterable:
        raise given.invalid(f"{given.label}'s '{kind.name}' data type cannot be used in a filter.")
    if operator not in kind.operators:
        shown = operator if isinstance(operator, str) else ruby(operator)
        raise given.invalid(
            f"{given.label}'s '{kind.name}' data type doesn't support '{shown}' 'relation'. "
            f"Valid relations: {ruby(list(kind.operators))}"
        )
    assert isinstance(operator, str)
    if path.field.name == "read_by_current_user" and operator in _MEMBERSHIP:
        # Whatever they name, a real site takes both for "unread" (wire.md 4.2).
        return Condition(path, "is", ["unread"], given)
    return Condition(path, operator, _values(operator, node.get("values"), given), given)


def _values(operator: str, values: Any, given: Given) -> list[Any]:
    """The operands as a list of the length that the operator takes."""
    if operator in _MEMBERSHIP and values is not None and not isinstance(values, list):
        return [values]
    wanted = 2 if operator in _PAIRS else 1
    if operator in _MEMBERSHIP:
        if not values:
            raise given.invalid(f"'{operator}' 'relation' expects at least a 1-element array: {ruby(values)}")
        if len(values) > _MOST_VALUES:
            raise given.invalid(f"'{operator}' 'relation' expects at most a {_MOST_VALUES}-element array")
    elif not isinstance(values, list) or len(values) != wanted:
        raise given.invalid(f"'{operator}' 'relation' expects a {wanted}-element array: {ruby(values)}")
    assert isinstance(values, list)
    return values


def compiled(call: Call, source: Source, condition: Condition) -> Clause:
    """The condition over the rows of `source`, its operands checked."""
    operands = condition.data_type.operands(
        condition.path.field, condition.operator, condition.values, condition.given
    )
    return clause_of(call, source, condition, operands) if condition.path.is_allowed else NO_ROW


def clause_of(call: Call, source: Source, condition: Condition, operands: list[Any]) -> Clause:
    """The condition over the rows of `source`, with operands that are known to suit it."""
    kind, path, operator = condition.data_type, condition.path, condition.operator
    walk = _Walk(call, source, path, kind)
    positive = _POSITIVE.get(operator, operator)
    if positive.startswith("name_"):
        # The name of what is linked is looked for in a table of its own.
        _count_one_more(call, "record")
    clause = walk.positive(positive, operands)
    if positive != operator:
        return negated(clause)
    if operator == "in" and isinstance(kind, LinkList):
        return walk.or_nothing_named(kind, clause, operands)
    return clause


@dataclass(frozen=True, slots=True)
class _Walk:
    """A condition on its way along a path."""

    call: Call
    root: Source
    path: Path
    kind: DataType

    def positive(self, operator: str, operands: list[Any]) -> Clause:
        values = [operand for operand in operands if operand is not None]
        if operator in ("is", "in", "type_is"):
            clauses = [self.matching(operator, values)] if values else []
            if len(values) < len(operands):
                clauses.append(self.absent())
            return _either(clauses)
        # Nothing is greater than null, or contains it.
        return self.matching(operator, values) if len(values) == len(operands) else NO_ROW

    def matching(self, operator: str, values: list[Any]) -> Clause:
        """Some row at the end of the path matches."""
        field = self.path.field
        return self._reached(
            self.root,
            self.path.hops,
            lambda end: Clause(self.kind.matches(field, end, operator, values), _WEIGHT_OF_LEAF),
        )

    def absent(self) -> Clause:
        """The row at the end of the path has no value; an empty link on the way has none either."""
        hops = self.path.hops
        # A list on the way must hold a row for its value to be null: what comes after it may be empty.
        many = max((index + 1 for index, hop in enumerate(hops) if hop.is_many), default=0)
        return self._reached(self.root, hops[:many], lambda row: negated(self._present(row, hops[many:])))

    def _present(self, source: Source, hops: Sequence[Hop]) -> Clause:
        field = self.path.field
        return self._reached(source, hops, lambda end: Clause(self.kind.present(field, end), _WEIGHT_OF_LEAF))

    def or_nothing_named(self, kind: LinkList, clause: Clause, operands: list[Any]) -> Clause:
        """The quirk of wire.md 4.2: `in` of nothing but dead rows finds the rows that link nothing."""
        values = [operand for operand in operands if operand is not None]
        if not values:
            return clause
        absent = self.absent()
        unnamed = negated(Clause(kind.some_live(self.root, values), _WEIGHT_OF_LEAF))
        weight = max(unnamed.weight, absent.weight) + WEIGHT_OF_GROUP
        return _either([clause, Clause(and_(unnamed.sql, absent.sql), weight)])

    def _reached(self, source: Source, hops: Sequence[Hop], end: Callable[[Source], Clause]) -> Clause:
        """Some live row that the hops lead to satisfies the clause made by `end`."""
        if not hops:
            return end(source)
        hop = hops[0]
        target = source_of(self.call, hop.entity_type)
        found = settled(self.call, target, self._reached(target, hops[1:], end), _WEIGHT_OF_HOP)
        seen = visible(self.call, hop.entity_type, target.table)
        live = and_(target.column("retired") == false(), *seen, found.sql)
        if source is self.root and not hop.is_many:
            return self._first_hop(hop, target, Clause(live, found.weight))
        return Clause(_linked(source, hop, target, live), found.weight + _WEIGHT_OF_HOP)

    def _first_hop(self, hop: Hop, target: Source, live: Clause) -> Clause:
        """A link of the root's own rows, which are wanted a page at a time, in id order."""
        # Few targets: the index of the link finds their rows at once. Many: to find and then sort most
        # of the table costs more than to walk it until the page is full, so the index is kept out.
        row_id, linked = target.column("id"), self.root.column(f"{hop.field.name}__id")
        targets = select(row_id).where(live.sql)
        ids = self._few(targets)
        of_type = self.root.column(f"{hop.field.name}__type") == hop.entity_type
        if ids is not None:
            return Clause(and_(of_type, among(linked, ids)), _WEIGHT_OF_LEAF) if ids else NO_ROW
        others = self._few(select(row_id).where(negated(live).sql))
        if others is None:
            return Clause(and_(of_type, (linked + 0).in_(targets)), live.weight + _WEIGHT_OF_HOP)
        # Nearly all: that a row is there at all is seen by its id, at half the cost of a list of thousands.
        there = and_(of_type, (linked + 0).in_(select(row_id)))
        if others:
            there = and_(there, negated(Clause(among(linked, others))).sql)
        return Clause(there, _WEIGHT_OF_LEAF)

    def _few(self, query: Select[Any]) -> Sequence[int] | None:
        """The ids that a query gives; None where they are not few."""
        ids = self.call.connection.execute(query.limit(FEW + 1)).scalars().all()
        return ids if len(ids) <= FEW else None


def _linked(source: Source, hop: Hop, target: Source, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a row of `source` leads over the hop to a row of `target` under the condition."""
    # Sub-selects rather than joins: they need not multiply rows, and the index of the link, or of
    # the far field, can drive them. None refers outwards, so each is computed once.
    name, row_id = hop.field.name, source.column("id")
    if not hop.field.is_list:
        if hop.backwards:
            linking = target.column(f"{name}__type") == source.entity_type
            return row_id.in_(select(target.column(f"{name}__id")).where(linking, condition))
        of_type = source.column(f"{name}__type") == hop.entity_type
        return and_(of_type, source.column(f"{name}__id").in_(select(target.column("id")).where(condition)))
    owner_type = hop.field.entity_type
    links = source.tables.links(owner_type, name)
    near, far = (links.element_id, links.owner_id) if hop.backwards else (links.owner_id, links.element_id)
    element_type = source.entity_type if hop.backwards else hop.entity_type
    rows = (
        select(near)
        .select_from(links.table)
        .join(target.table, far == target.column("id"))
        .where(links.element_type == element_type, near.is_not(None), condition)
    )
    if links.owner_type is not None:
        rows = rows.where(links.owner_type == owner_type)
    return row_id.in_(rows)


def source_of(call: Call, entity_type: str) -> Source:
    """The rows of an entity type, under an alias that no other part of the query shares."""
    number = call.aliases[entity_type]
    _count_one_more(call, entity_type)
    return Source(call.tables, call.tables.alias(entity_type, number), entity_type, call.now, call.caller)


def _count_one_more(call: Call, table: str) -> None:
    call.aliases[table] += 1
    if call.aliases.total() > _MOST_SOURCES:
        raise SiteFault(f"API {call.method}() follows more than {_MOST_SOURCES} links in one request")


def negated(clause: Clause) -> Clause:
    """The rows for which the clause is not true: those for which it is unknown, too."""
    if clause is NO_ROW:
        return EVERY_ROW
    # Not `IS NOT TRUE`: SQLite then works out every part of the clause as a value, where this one jumps. It is a
    # fifth of the time that a late page takes to find.
    return Clause(case((clause.sql, false()), else_=true()), clause.weight + _WEIGHT_OF_NOT)


def settled(call: Call, source: Source, clause: Clause, more: int) -> Clause:
    """The same rows in a clause that can be nested `more` deeper without breaking the parser."""
    if clause.weight + more <= _HEAVIEST:
        return clause
    row_id = source.column("id")
    ids = call.connection.execute(select(row_id).where(clause.sql)).scalars().all()
    return Clause(among(row_id, ids), _WEIGHT_OF_LEAF)


def _either(clauses: list[Clause]) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    weight = max(clause.weight for clause in clauses) + WEIGHT_OF_GROUP
    return Clause(or_(*(clause.sql for clause in clauses)), weight)
