"""Numbers and what is counted in numbers: percent, minutes, milliseconds, money, film feet."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import BigInteger, Float

from sgsession.site.database.portable import WholeNumber

from .base import EQUALITY, MEMBERSHIP, ORDERING, Scalar
from .refusals import Given

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine

    from sgsession.site.schema.schema_map import Field

_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,40}\s*")
_DECIMAL = re.compile(r"\s*[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?\s*")
_FOOTAGE = re.compile(r"\s*([0-9]{1,7})-([0-9]{1,2})\s*")
_FRAMES_PER_FOOT = 16
_LARGEST = 2**31 - 1  # columns of the real site are 32 bits wide
_LARGEST_BOUND = 2**63 - 1  # what a database driver can be handed


class _Quantity(Scalar):
    operators = (*EQUALITY, *MEMBERSHIP, *ORDERING)


class Number(_Quantity):
    """A whole number of 32 bits; numeric strings are accepted."""

    name = "number"
    sql_type: ClassVar[TypeEngine[Any]] = WholeNumber()
    expected: ClassVar[tuple[str, ...]] = ("String", "Integer", "NilClass")
    largest_computed: ClassVar[int] = _LARGEST

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        given = Given.to_write(field, value, method)
        number = self.checked(field, value, given)
        largest = _LARGEST if field.editable else self.largest_computed
        if number is not None and not -largest - 1 <= number <= largest:
            out_of_range = "PG::NumericValueOutOfRange: ERROR:  integer out of range"
            raise given.failed(out_of_range if method == "create" else "Invalid statement.")
        return {field.name: number}

    def checked(self, field: Field, value: Any, given: Given) -> int | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and "String" in self.expected:
            if _INTEGER.fullmatch(value):
                return int(value)
            raise given.invalid_data(self.name, value)
        raise given.wrong_class(self.expected, value)

    def operand(self, field: Field, value: Any, given: Given) -> int | None:
        number = self.checked(field, value, given)
        # Nothing stored is that large, so the nearest number that can be bound compares the same.
        return None if number is None else max(-_LARGEST_BOUND, min(_LARGEST_BOUND, number))


class Percent(Number):
    """A whole number of percent, not clamped to 100."""

    name = "percent"
    sql_type = BigInteger()
    largest_computed = _LARGEST_BOUND
    expected = ("Integer", "NilClass")


class Timecode(Number):
    """Whole milliseconds."""

    name = "timecode"
    expected = ("Integer", "NilClass")


class Duration(Number):
    """Whole minutes; a fraction of one is cut off. Sums of them may be larger than what can be written."""

    name = "duration"
    sql_type = BigInteger()
    largest_computed = _LARGEST_BOUND
    expected = ("String", "Integer", "Float", "NilClass")

    def checked(self, field: Field, value: Any, given: Given) -> int | None:
        if isinstance(value, float):
            if not math.isfinite(value):
                raise given.invalid_data(self.name, value)
            return int(value)
        return super().checked(field, value, given)


class FloatingPoint(_Quantity):
    """A number kept to six decimals, so that what was written compares equal when read."""

    name = "float"
    sql_type = Float()
    # Integers pass too, although the words do not say so: the client sends 30 for 30.0 (wire.md 4.2).
    expected: ClassVar[tuple[str, ...]] = ("String", "BigDecimal", "Float", "NilClass")

    def checked(self, field: Field, value: Any, given: Given) -> float | None:
        if value is None:
            return None
        if isinstance(value, str):
            if not _DECIMAL.fullmatch(value):
                raise given.invalid_data(self.name, value)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            raise given.wrong_class(self.expected, value)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise given.invalid_data(self.name, value)
        return round(number, 6)


class Currency(FloatingPoint):
    """An amount of money."""

    name = "currency"
    expected = ("String", "Integer", "Float", "NilClass")


class Footage(_Quantity):
    """Film feet and frames, `FF-ff`; kept as frames so that lengths compare."""

    name = "footage"
    sql_type = WholeNumber()

    def checked(self, field: Field, value: Any, given: Given) -> int | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise given.wrong_class(("String", "NilClass"), value)
        parts = _FOOTAGE.fullmatch(value)
        if parts is None:
            raise given.invalid_data(self.name, value)
        return int(parts[1]) * _FRAMES_PER_FOOT + int(parts[2])

    def wire(self, field: Field, row: Mapping[Any, Any]) -> str | None:
        frames = row[field.name]
        if frames is None:
            return None
        return f"{frames // _FRAMES_PER_FOOT}-{frames % _FRAMES_PER_FOOT:02d}"
