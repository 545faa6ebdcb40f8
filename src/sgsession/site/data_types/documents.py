"""Types that hold a document rather than a value: files, images, JSON, and passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column
from sqlalchemy.sql.elements import ColumnElement

from sgsession.site.database.portable import BYTEWISE_TEXT, among
from sgsession.site.faults import ruby

from .base import EQUALITY, DataType, Scalar, Source
from .refusals import Given, storable
from .texts import contains

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field

_HASH = ("Hash", "ActiveSupport::HashWithIndifferentAccess", "NilClass")


def canonical(value: Any, given: Given) -> str:
    """The JSON text of a value, the same for equal values whatever the order of their keys."""
    try:
        # ASCII, so that half a surrogate pair or a NUL inside the value cannot reach the database raw.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        raise given.failed("Value is not legal.") from None


class _Document(DataType):
    """A JSON value in a text column."""

    def columns(self, field_name: str) -> list[Column[Any]]:
        return [Column(field_name, BYTEWISE_TEXT)]

    def wire(self, field: Field, row: Mapping[Any, Any]) -> Any:
        text = row[field.name]
        return None if text is None else json.loads(text)

    def present(self, field: Field, source: Source) -> ColumnElement[bool]:
        return source.column(field.name).is_not(None)


class Serializable(_Document):
    """A JSON object or array."""

    name = "serializable"

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        given = Given.to_write(field, value, method)
        if value is None:
            return {field.name: None}
        if not isinstance(value, (dict, list)):
            raise given.wrong_class(("Hash", "Array", "NilClass"), value)
        return {field.name: _in_given_order(value, given)}


class Jsonb(Serializable):
    """A JSON object or array that can be compared as a whole or searched for a word."""

    name = "jsonb"
    operators = (*EQUALITY, "contains", "not_contains")

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        super().stored(field, value, method)
        given = Given.to_write(field, value, method)
        return {field.name: None if value is None else canonical(value, given)}

    def operands(self, field: Field, operator: str, values: list[Any], given: Given) -> list[Any]:
        if operator in EQUALITY:
            return [None if value is None else canonical(value, given) for value in values]
        # The text of a string is looked for without its quotes, so that a part of a word is found.
        return [
            canonical(value, given)[1:-1] if isinstance(value, str) else canonical(value, given)
            for value in values
        ]

    def matches(
        self, field: Field, source: Source, operator: str, operands: list[Any]
    ) -> ColumnElement[bool]:
        column = source.column(field.name)
        return contains(column, operands[0]) if operator == "contains" else among(column, operands)


class Url(_Document):
    """A link to a web page or a file, kept as the dict that is read."""

    name = "url"

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        given = Given.to_write(field, value, method)
        if value is None:
            return {field.name: None}
        if not isinstance(value, dict):
            raise given.wrong_class(_HASH, value)
        local = any(isinstance(value.get(key), str) for key in ("local_path", "relative_path"))
        if not local and not isinstance(value.get("url"), str):
            raise given.invalid(f"invalid/missing url hash string 'url': {ruby(value)}")
        return {field.name: _in_given_order(value, given)}


class Image(Scalar):
    """A thumbnail, kept as the id of its Attachment; written only to clear it, for images are uploaded."""

    name = "image"
    sql_type = BYTEWISE_TEXT
    operators = EQUALITY

    def checked(self, field: Field, value: Any, given: Given) -> None:
        if isinstance(value, dict):
            words = f"Write access of the 'image' data type ({given.label}) not yet supported in API"
            raise given.invalid(words)
        if value is not None:
            raise given.wrong_class(_HASH, value)

    def wire(self, field: Field, row: Mapping[Any, Any]) -> Any:
        """The Attachment's id, as events tell it; reads of rows make an address of it."""
        stored = row[field.name]
        return int(stored) if stored is not None and stored.isascii() and stored.isdigit() else stored

    def operand(self, field: Field, value: Any, given: Given) -> None:
        if value is not None:
            raise given.invalid("expects a nil value for 'image' data type")

    def sort_key(self, field: Field, source: Source) -> None:
        return None


class Password(DataType):
    """A password, which nobody can read; people cannot sign in to the embedded site, so none is kept."""

    name = "password"

    def stored(self, field: Field, value: Any, method: str) -> dict[str, Any]:
        given = Given.to_write(field, value, method)
        if not isinstance(value, str):
            raise given.wrong_class(("String",), value)
        storable(value, given)
        return {}

    def wire(self, field: Field, row: Mapping[Any, Any]) -> str:
        return "*******"


def _in_given_order(value: Any, given: Given) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise given.failed("Value is not legal.") from None
