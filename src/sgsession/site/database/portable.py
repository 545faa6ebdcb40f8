"""What SQLite and PostgreSQL spell differently, under one name each: the callers need not know which it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Dialect, Double, Integer, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

if TYPE_CHECKING:
    from sqlalchemy.sql.operators import OperatorType
    from typing_extensions import Self

__all__ = ["BYTEWISE_TEXT", "WholeNumber", "among", "position"]


class _Bytewise(Text):
    """Text that sorts by its bytes; what it is compared with need not say so again."""

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        # PostgreSQL's BETWEEN takes no operand with a COLLATE of its own.
        return Text() if isinstance(value, str) else super().coerce_compared_value(op, value)


# Bytes decide, on every database: what compares without case is folded before it is stored. All text is of
# this type, because PostgreSQL refuses to compare columns that sort by different rules.
BYTEWISE_TEXT = _Bytewise().with_variant(Text(collation="C"), "postgresql")


class WholeNumber(Integer):
    """A whole number of 32 bits, as a real site keeps them; compares with larger ones, too."""

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """The type that a value travels as: PostgreSQL refuses a bound value that its type cannot hold."""
        if isinstance(value, int) and not -(2**31) <= value < 2**31:
            return BigInteger()
        return super().coerce_compared_value(op, value)


def among(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether the column holds one of the values, however many: they travel as one bound parameter."""
    if len(values) == 1:
        equal: ColumnElement[bool] = column == values[0]
        return equal
    return _Among(column, literal(values, _Several(_element_type(values))))


def position(column: ColumnElement[Any], text: str) -> ColumnElement[int]:
    """Where in the column the text begins, counted from 1; 0 where it is not."""
    return _Position(column, literal(text, Text()))


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        """The bare `IN`: `(x IN ...) = 1`, which SQLAlchemy makes of a boolean on SQLite, would use no index."""
        return self


class _Position(FunctionElement[int]):
    type = Integer()
    inherit_cache = True


class _Several(TypeDecorator[Sequence[Any]]):
    """Values that are bound together: an array where there are arrays, else JSON."""

    impl = Text
    cache_ok = True

    def __init__(self, element: TypeEngine[Any]) -> None:
        super().__init__()
        self.element = element

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(self.element) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        values = list(value or ())
        return values if dialect.name == "postgresql" else json.dumps(values)


def _element_type(values: Sequence[Any]) -> TypeEngine[Any]:
    if any(isinstance(each, str) for each in values):
        return Text()
    return Double() if any(isinstance(each, float) for each in values) else BigInteger()


def _operands(
    element: FunctionElement[Any], compiler: SQLCompiler, options: dict[str, Any]
) -> tuple[str, str]:
    first, second = element.clauses
    return compiler.process(first, **options), compiler.process(second, **options)


@compiles(_Among)
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = _operands(element, compiler, options)
    return f"({column} IN (SELECT value FROM json_each({values})))"


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = _operands(element, compiler, options)
    return f"({column} = ANY ({values}))"


@compiles(_Position)
def _instr(element: _Position, compiler: SQLCompiler, **options: Any) -> str:
    # Not LIKE: its patterns have wildcards, and SQLite refuses them past 50,000 bytes.
    return "instr({}, {})".format(*_operands(element, compiler, options))


@compiles(_Position, "postgresql")
def _strpos(element: _Position, compiler: SQLCompiler, **options: Any) -> str:
    return "strpos({}, {})".format(*_operands(element, compiler, options))
