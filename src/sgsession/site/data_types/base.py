"""What every field data type can do: name its columns, check a write, read a row, match a filter."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Column, FromClause
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

from sgsession.site.database.portable import among
from sgsession.site.schema.schema_map import PERSONAL_FIELDS

from .personal import personal_column
from .refusals import Given

if TYPE_CHECKING:
    from sgsession.site.call import Caller
    from sgsession.site.database.tables import Tables
    from sgsession.site.schema.schema_map import Field

EQUALITY = ("is", "is_not")
MEMBERSHIP = ("in", "not_in")
ORDERING = ("greater_than", "less_than", "between")


@dataclass(frozen=True, slots=True)
class Source:
    """Where in a query the rows stand whose fields are compared."""

    tables: Tables
    table: FromClause  # the entity type's table, under an alias of its own
    entity_type: str
    now: datetime
    caller: Caller

    def column(self, name: str) -> ColumnElement[Any]:
        """A column of the rows that are filtered."""
        own = name.removesuffix("__folded")
        if own in PERSONAL_FIELDS:
            return personal_column(self, self.tables.schema.types[self.entity_type].fields[own])
        return self.table.c[name]


class DataType(ABC):
    """A field data type: its columns, its wire form, its operators."""

    name: ClassVar[str]
    operators: ClassVar[tuple[str, ...]] = ()
    # Whether one statement compares with any value: a link's type stays in it, the id is bound.
    binds_operands: ClassVar[bool] = False
    sql_type: ClassVar[TypeEngine[Any]]  # of what is bound

    @property
    def filterable(self) -> bool:
        """Whether filters may use fields of this type at all."""
        return bool(self.operators)

    @property
    def reads_as_stored(self) -> bool:
        """Whether the column's value is the JSON value."""
        return False

    def columns(self, field_name: str) -> list[Column[Any]]:
        """The table columns that hold a field of this name; none for lists of links and computed types."""
        return []

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        """The checked value by column name; refuses what a real site refuses, in its words."""
        raise Given.to_write(field, value, method).invalid(f"{field.entity_type}.{field.name} is read only")

    def wire(self, field: Field, row: Mapping[Any, Any]) -> Any:
        """The JSON value of a fetched row."""
        return None

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        """The checked operands of a condition, null as None."""
        raise NotImplementedError

    def present(self, field: Field, source: Source) -> ColumnElement[bool]:
        """Whether the field has a value."""
        raise NotImplementedError

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        """Whether a positive operator holds. Operands are not null; a null field never matches."""
        raise NotImplementedError

    def sort_key(self, field: Field, source: Source) -> ColumnElement[Any] | None:
        """What rows are sorted by, or None for a type that cannot be sorted."""
        return None


class Scalar(DataType):
    """A data type whose value is one column."""

    binds_operands = True

    @property
    def reads_as_stored(self) -> bool:
        return type(self).wire is Scalar.wire

    def columns(self, field_name: str) -> list[Column[Any]]:
        return [Column(field_name, self.sql_type)]

    def checked(self, field: Field, value: Any, given: Given) -> Any:
        """The value as its column holds it; SiteFault when it is of the wrong class or form."""
        raise NotImplementedError

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        return {field.name: self.checked(field, value, Given.to_write(field, value, method))}

    def wire(self, field: Field, row: Mapping[Any, Any]) -> Any:
        return row[field.name]

    def operand(self, field: Field, value: Any, given: Given) -> Any:
        """The value as it compares; by default any value that could be written."""
        return self.checked(field, value, given)

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        return [self.operand(field, value, given) for value in values]

    def compared(self, field: Field, source: Source) -> ColumnElement[Any]:
        """The column that filters and sorts look at."""
        return source.column(field.name)

    def present(self, field: Field, source: Source) -> ColumnElement[bool]:
        return self.compared(field, source).is_not(None)

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        column = self.compared(field, source)
        compared: ColumnElement[bool]
        if operator == "greater_than":
            compared = column > operands[0]
        elif operator == "less_than":
            compared = column < operands[0]
        elif operator == "between":
            compared = column.between(min(operands), max(operands))
        else:
            compared = among(column, operands)
        return compared

    def sort_key(self, field: Field, source: Source) -> ColumnElement[Any] | None:
        return self.compared(field, source)
