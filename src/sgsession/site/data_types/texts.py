"""Text, and the types whose value is one word of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Column, func
from sqlalchemy.sql.elements import ColumnElement

from sgsession.site.database.portable import BYTEWISE_TEXT, among, position

from .base import EQUALITY, MEMBERSHIP, Scalar, Source
from .refusals import Given, storable

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field

_EXPECTED = ("String", "NilClass")


def folded(text: str) -> str:
    """The text as it compares: the site does not tell upper from lower case."""
    return text.casefold()


def contains(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Whether the folded column holds the folded text; `%` and `_` are ordinary characters."""
    return position(column, text) > 0


class _FoldedText(Scalar):
    """One text column and its folded twin, which is what filters and sorts look at."""

    sql_type = BYTEWISE_TEXT
    operators: ClassVar[tuple[str, ...]] = (*EQUALITY, *MEMBERSHIP)

    def columns(self, field_name: str) -> list[Column[Any]]:
        return [Column(field_name, BYTEWISE_TEXT), Column(f"{field_name}__folded", BYTEWISE_TEXT)]

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        text = self.checked(field, value, Given.to_write(field, value, method))
        return {field.name: text, f"{field.name}__folded": None if text is None else folded(text)}

    def operand(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise given.wrong_class(_EXPECTED, value)
        return folded(storable(value, given))

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        checked = super().operands(field, operator, values, given)
        # No row stores "", it means null; but `in [""]` matches nothing, so there it stays (wire.md 4.2).
        return [text or None for text in checked] if operator in EQUALITY else checked

    def compared(self, field: Field, source: Source) -> ColumnElement[Any]:
        return source.column(f"{field.name}__folded")


class TextType(_FoldedText):
    """Free text, trimmed when written; blanks only means no value."""

    name = "text"
    operators = (*EQUALITY, *MEMBERSHIP, "contains", "not_contains", "starts_with", "ends_with")

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise given.wrong_class(_EXPECTED, value)
        return storable(value, given).strip() or None

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        checked = super().operands(field, operator, values, given)
        if operator in MEMBERSHIP and None in checked:
            raise given.failed("Invalid statement.")
        return checked

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        column = self.compared(field, source)
        text = operands[0]
        if operator == "contains":
            return contains(column, text)
        if operator == "starts_with":
            # A range, so that the index serves it; no text sorts between the prefix and this end.
            return column.between(text, text + "\U0010ffff")
        if operator == "ends_with":
            ends: ColumnElement[bool] = func.substr(column, func.length(column) - len(text) + 1) == text
            return ends
        return among(column, operands)


class ListType(_FoldedText):
    """One of the field's valid values; written case-sensitively, compared without case."""

    name = "list"

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise given.wrong_class(_EXPECTED, value)
        if value not in field.valid_values:
            raise given.illegal(self._refusal(value, ", ".join(f"'{each}'" for each in field.valid_values)))
        return value

    def _refusal(self, value: str, valid: str) -> str:
        return f"'{value}' is not a valid list value. Valid list values: {valid}."


class StatusList(ListType):
    """A status code among those of the field."""

    name = "status_list"

    def _refusal(self, value: str, valid: str) -> str:
        return f"'{value}' is not a valid status. Valid statuses: {valid}."


class SystemTaskType(ListType):
    """The kind of a task that the site itself made; not open for writing by name."""

    name = "system_task_type"
    operators = EQUALITY


class ExactText(Scalar):
    """Text that compares as it is written."""

    sql_type = BYTEWISE_TEXT
    operators = (*EQUALITY, *MEMBERSHIP)
    expected: ClassVar[tuple[str, ...]] = _EXPECTED

    def checked(self, field: Field, value: Any, given: Given) -> str | None:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise given.wrong_class(self.expected, value)
        return storable(value, given)


class EntityTypeName(ExactText):
    """The name of an entity type, case-sensitive."""

    name = "entity_type"
