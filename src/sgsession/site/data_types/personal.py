"""The fields whose value is each caller's own: in filters they compare like a column of the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, cast, func, select
from sqlalchemy.sql.elements import ColumnElement

from sgsession.site.database.portable import WholeNumber

if TYPE_CHECKING:
    from sgsession.site.call import Caller
    from sgsession.site.schema.schema_map import Field

    from .base import Source


def personal_column(source: Source, field: Field) -> ColumnElement[Any]:
    """The caller's own value of the field, in the rows of a query."""
    personal = source.tables.personal.alias()
    mine = (
        select(personal.c.value)
        .where(
            of_caller(personal, source.caller),
            personal.c.entity_type == source.entity_type,
            personal.c.entity_id == source.table.c.id,
            personal.c.field == field.name,
        )
        .correlate(source.table)
        .scalar_subquery()
    )
    untouched = as_text(never_set(field))
    value: ColumnElement[Any] = mine if untouched is None else func.coalesce(mine, untouched)
    if field.data_type == "checkbox":
        return value == "true"
    return cast(value, WholeNumber) if field.data_type == "number" else value


def of_caller(personal: Any, caller: Caller) -> ColumnElement[bool]:
    """Whether a row of the table `personal` is the caller's."""
    return and_(personal.c.user_type == caller.type, personal.c.user_id == caller.id)


def never_set(field: Field) -> Any:
    """What a caller reads who never had a value of their own: unseen, no favorite, no date."""
    if field.data_type == "list":
        return "unread"
    return bool(field.default) if field.data_type == "checkbox" else field.default


def as_text(value: Any) -> str | None:
    """The stored form of a value that its data type has checked."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def from_text(field: Field, text: str | None) -> Any:
    """The wire value of what is stored."""
    if text is None:
        return None
    if field.data_type == "checkbox":
        return text == "true"
    return int(text) if field.data_type == "number" else text


__all__ = ["as_text", "from_text", "never_set", "of_caller", "personal_column"]
