"""Checkboxes: true or false, never null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Column, false
from sqlalchemy.sql.elements import ColumnElement

from .base import EQUALITY, Scalar, Source
from .refusals import Given

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field

_WORDS = {"true": True, "false": False}


class Checkbox(Scalar):
    """A checkbox; a row that never touched it is false."""

    name = "checkbox"
    sql_type = Boolean()
    binds_operands = False
    operators = EQUALITY

    def columns(self, field_name: str) -> list[Column[Any]]:
        return [Column(field_name, Boolean(), nullable=False, default=False, server_default=false())]

    def checked(self, field: Field, value: Any, given: Given) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str):
            raise given.wrong_class(("String", "FalseClass", "TrueClass"), value)
        if value not in _WORDS:
            raise given.invalid_data(self.name, value)
        return _WORDS[value]

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        column = source.column(field.name)
        return column.is_(operands[0])
