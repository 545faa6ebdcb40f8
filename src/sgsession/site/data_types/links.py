"""Links to other rows: one (`entity`) or a list of them (`multi_entity`, `addressing`, `tag_list`).

A link to a retired row is no link: it reads null or drops out, and no filter finds it (wire.md 3.3).
So every comparison looks the target up in `record`, which knows what lives and what it is called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Column, FromClause, and_, exists, false, or_, select
from sqlalchemy.sql.elements import ColumnElement

from sgsession.site.database.portable import BYTEWISE_TEXT, WholeNumber, among
from sgsession.site.faults import ruby

from .base import EQUALITY, MEMBERSHIP, DataType, Source
from .refusals import Given, storable
from .texts import contains, folded

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field

_TYPE_OPERATORS = ("type_is", "type_is_not")
_NAME_OPERATORS = ("name_contains", "name_not_contains", "name_is")
_HASH = ("Hash", "ActiveSupport::HashWithIndifferentAccess")
# The only fields whose valid types bind a write; the others take any type (wire.md 5.1, 6.6).
_BINDING = frozenset({"project", "task_template", "episode"})
_LARGEST_ID = 2**63 - 1


def reference(field: Field, value: Mapping[str, Any], given: Given) -> tuple[str, int]:
    """The type and id of an entity value; its other keys do not matter."""
    entity_type, entity_id = value.get("type"), value.get("id")
    if not isinstance(entity_type, str) or not entity_type:
        valid = f"Valid entity types: {ruby(list(field.valid_types))}"
        raise given.invalid(f"invalid/missing entity hash string 'type': {ruby(value)} {valid}")
    if isinstance(entity_id, bool) or not isinstance(entity_id, int):
        raise given.invalid(f"invalid/missing entity hash integer 'id': {ruby(value)}")
    storable(entity_type, given)
    return entity_type, max(-_LARGEST_ID, min(_LARGEST_ID, entity_id))


class _Link(DataType):
    """What one link and a list of links share: operands, and conditions on the target's record."""

    operators: ClassVar[tuple[str, ...]] = (*EQUALITY, *MEMBERSHIP, *_TYPE_OPERATORS, *_NAME_OPERATORS)

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        if operator in _NAME_OPERATORS:
            return [folded(_text(value, ("String",), given)) for value in values]
        if operator in _TYPE_OPERATORS:
            return [
                None if value is None else _text(value, ("String", "NilClass"), given) for value in values
            ]
        return [None if value is None else self.target(field, value, given) for value in values]

    def target(self, field: Field, value: Any, given: Given) -> Any:
        """What identifies the linked row in an operand of `is` and `in`."""
        if not isinstance(value, Mapping):
            raise given.wrong_class((*_HASH, "NilClass"), value)
        return reference(field, value, given)

    def described(self, record: FromClause, operator: str, operands: list[Any]) -> ColumnElement[bool]:
        """Whether a row of `record` is a live target that the operator accepts."""
        live = record.c.retired == false()
        if operator == "type_is":
            return and_(live, record.c.type == operands[0])
        if operator == "name_is":
            return and_(live, record.c.name__folded == operands[0])
        if operator == "name_contains":
            return and_(live, contains(record.c.name__folded, operands[0]))
        return and_(live, self.identified(record, operands))

    def identified(self, record: FromClause, targets: list[Any]) -> ColumnElement[bool]:
        """Whether a row of `record` is one of these targets."""
        return or_(
            *(
                and_(record.c.type == entity_type, among(record.c.id, ids))
                for entity_type, ids in _by_type(targets).items()
            )
        )


class EntityLink(_Link):
    """One linked row, of any of the field's types."""

    name = "entity"
    binds_operands = True
    sql_type = WholeNumber()

    def columns(self, field_name: str) -> list[Column[Any]]:
        return [Column(f"{field_name}__type", BYTEWISE_TEXT), Column(f"{field_name}__id", WholeNumber)]

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        given = Given.to_write(field, value, method)
        if value is None:
            return {f"{field.name}__type": None, f"{field.name}__id": None}
        if not isinstance(value, Mapping):
            raise given.wrong_class((*_HASH, "NilClass"), value)
        entity_type, entity_id = reference(field, value, given)
        binding = field.name in _BINDING or (field.entity_type, field.name) == ("TimeLog", "user")
        if binding and field.valid_types and entity_type not in field.valid_types:
            raise given.failed(f"{', '.join(field.valid_types)} expected, got {entity_type}")
        return {f"{field.name}__type": entity_type, f"{field.name}__id": entity_id}

    def wire(self, field: Field, row: Mapping[Any, Any]) -> dict[str, Any] | None:
        """The link with its target's name, which the caller has looked up as `<field>__name`."""
        entity_type = row[f"{field.name}__type"]
        if entity_type is None:
            return None
        return {"type": entity_type, "id": row[f"{field.name}__id"], "name": row[f"{field.name}__name"]}

    def present(self, field: Field, source: Source) -> ColumnElement[bool]:
        record = source.tables.record.alias()
        # The column first: an empty link then costs no look-up of its target.
        linked = source.column(f"{field.name}__id").is_not(None)
        return and_(linked, self._target_is(field, source, record, record.c.retired == false()))

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        record = source.tables.record.alias()
        if operator not in EQUALITY + MEMBERSHIP:
            return self._target_is(field, source, record, self.described(record, operator, operands))
        type_column, id_column = source.column(f"{field.name}__type"), source.column(f"{field.name}__id")
        return or_(
            *(
                and_(type_column == entity_type, self._live(id_column, record, entity_type, ids))
                for entity_type, ids in _by_type(operands).items()
            )
        )

    def _live(
        self, id_column: ColumnElement[Any], record: FromClause, entity_type: str, ids: list[int]
    ) -> ColumnElement[bool]:
        rows = and_(record.c.type == entity_type, among(record.c.id, ids), record.c.retired == false())
        if len(ids) == 1:
            # An equality lets the index of the link deliver the rows in id order, as a page wants them.
            return and_(id_column == ids[0], exists(select(record.c.id).where(rows)))
        return id_column.in_(select(record.c.id).where(rows))

    def _target_is(
        self, field: Field, source: Source, record: FromClause, condition: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        target = and_(
            record.c.type == source.column(f"{field.name}__type"),
            record.c.id == source.column(f"{field.name}__id"),
        )
        return select(record.c.id).where(target, condition).correlate(source.table).exists()

    def sort_key(self, field: Field, source: Source) -> ColumnElement[Any]:
        record = source.tables.record.alias()
        return (
            select(record.c.name__folded)
            .where(
                record.c.type == source.column(f"{field.name}__type"),
                record.c.id == source.column(f"{field.name}__id"),
                record.c.retired == false(),
            )
            .correlate(source.table)
            .scalar_subquery()
        )


class LinkList(_Link):
    """A list of linked rows, kept outside the row: `is` means "contains" (wire.md 4.2)."""

    expected: ClassVar[tuple[str, ...]] = ("Array", "Hash")

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        """No columns; the value is checked all the same."""
        self.elements(field, value, method)
        return {}

    def elements(self, field: Field, value: Any, method: str) -> list[Any]:
        """The distinct elements of a written list, in its order: (type, id) pairs, or names of tags."""
        given = Given.to_write(field, value, method)
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, list):
            raise given.wrong_class(self.expected, value)
        return list(dict.fromkeys(self.element(field, each, given) for each in value))

    def element(self, field: Field, value: Any, given: Given) -> Any:
        """One element of a written list, checked: a (type, id) pair."""
        if not isinstance(value, Mapping):
            raise given.wrong_class(_HASH, value)
        return reference(field, value, given)

    def present(self, field: Field, source: Source) -> ColumnElement[bool]:
        record = source.tables.record.alias()
        return self._some_element(field, source, record, record.c.retired == false())

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        record = source.tables.record.alias()
        return self._some_element(field, source, record, self.described(record, operator, operands))

    def some_live(self, source: Source, operands: list[Any]) -> ColumnElement[bool]:
        """Whether any of the operands is a row that exists, whoever links it."""
        record = source.tables.record.alias()
        return exists(select(record.c.id).where(self.described(record, "in", operands)))

    def _some_element(
        self, field: Field, source: Source, record: FromClause, condition: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        links = source.tables.links(source.entity_type, field.name)
        owners = (
            select(links.owner_id)
            .select_from(links.table)
            .join(record, and_(record.c.type == links.element_type, record.c.id == links.element_id))
            # A list kept by an entity field has rows whose link is empty: NULL in the set would make
            # every "not in" unknown.
            .where(condition, links.owner_id.is_not(None))
        )
        if links.owner_type is not None:
            owners = owners.where(links.owner_type == source.entity_type)
        return source.column("id").in_(owners)


class MultiEntity(LinkList):
    """A set of links, of any of the field's types."""

    name = "multi_entity"


class Addressing(LinkList):
    """The people and groups that a message goes to."""

    name = "addressing"


class TagList(LinkList):
    """The names of tags; the older form of `tags`."""

    name = "tag_list"
    operators = (*EQUALITY, *MEMBERSHIP, *_NAME_OPERATORS, "name_id")
    expected = ("Array",)

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        if operator != "name_id":
            return super().operands(field, operator, values, given)
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int):
                raise given.wrong_class(("Integer",), value)
        return [max(-_LARGEST_ID, min(_LARGEST_ID, value)) for value in values]

    def target(self, field: Field, value: Any, given: Given) -> str:
        return folded(_text(value, ("String", "NilClass"), given))

    def element(self, field: Field, value: Any, given: Given) -> str:
        """One element of a written list, checked: the name of a tag."""
        return _text(value, ("String",), given).strip()

    def described(self, record: FromClause, operator: str, operands: list[Any]) -> ColumnElement[bool]:
        if operator == "name_id":
            return and_(record.c.retired == false(), record.c.type == "Tag", record.c.id == operands[0])
        return super().described(record, operator, operands)

    def identified(self, record: FromClause, targets: list[Any]) -> ColumnElement[bool]:
        return and_(record.c.type == "Tag", among(record.c.name__folded, targets))


def _by_type(targets: list[tuple[str, int]]) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = defaultdict(list)
    for entity_type, entity_id in dict.fromkeys(targets):
        ids[entity_type].append(entity_id)
    return ids


def _text(value: Any, expected: tuple[str, ...], given: Given) -> str:
    if not isinstance(value, str):
        raise given.wrong_class(expected, value)
    return storable(value, given)
