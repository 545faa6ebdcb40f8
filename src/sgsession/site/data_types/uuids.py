"""Uuids: assigned by the site, compared whatever their case and hyphens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sgsession.site.database.portable import BYTEWISE_TEXT

from .base import EQUALITY, MEMBERSHIP, Scalar
from .refusals import Given

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field


class Uuid(Scalar):
    """A uuid in lower case with hyphens."""

    name = "uuid"
    sql_type = BYTEWISE_TEXT
    operators = (*EQUALITY, *MEMBERSHIP)

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise given.wrong_class(("String", "NilClass"), value)
        try:
            return str(UUID(value))
        except ValueError:
            raise given.failed(
                f'PG::InvalidTextRepresentation: ERROR:  invalid input syntax for type uuid: "{value}"'
            ) from None

    def operand(self, field: Field, value: Any, given: Given) -> str | None:
        # Null is asked for with "", and null itself is refused (wire.md 4.2).
        if value is None:
            raise given.wrong_class(("String",), value)
        return self.checked(field, value, given)
