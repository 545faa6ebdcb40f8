"""Rows as a site sends them, before anybody has walked through them, and what turns their texts into values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["PageRows", "WireRows", "WireValues"]

# Texts are remembered so that equal ones are one object. A million names that are all different must not all
# stay in memory until their find ends.
_REMEMBERED = 16_384
# Nor long descriptions: what comes again and again is short.
_LONGEST_REMEMBERED = 200


class _Texts(dict[str, Any]):
    """Text as it was sent → the value that it stands for, worked out once."""

    __slots__ = ("_moment",)

    def __init__(self, moment: Callable[[str], Any]) -> None:
        super().__init__()
        self._moment = moment

    def __missing__(self, text: str) -> Any:
        if len(text) > _LONGEST_REMEMBERED:
            return text
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[text] = self._moment(text) if len(text) == 20 else text
        return value


class _TopTexts(_Texts):
    """The texts that are fields of a row: the client puts `<` back there, and there only."""

    __slots__ = ()

    def __missing__(self, text: str) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self._moment(text) if len(text) == 20 else text
        if "&lt;" in text and isinstance(value, str):
            value = value.replace("&lt;", "<")
        if len(text) <= _LONGEST_REMEMBERED:
            self[text] = value
        return value


class WireValues:
    """How the values of rows read, as the official client reads them.

    One may be used for all the pages of a pool: two threads at once can only make a value twice.

    Args:
        moment: the instant that a text of 20 characters stands for, or the text itself where it is none.
        local_path_field: the key under which links to local files have this system's path, if any.
    """

    def __init__(self, moment: Callable[[str], Any], local_path_field: str | None) -> None:
        self._local_path_field = local_path_field
        self.nested = _Texts(moment)
        """The texts inside of links and lists."""
        self.top = _TopTexts(moment)
        """The texts that are fields of a row."""

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row as the official client gives it."""
        return {field: self.field(value) for field, value in row.items()}

    def field(self, value: Any) -> Any:
        """The value of a field of a row."""
        if value.__class__ is str:
            return self.top[value]
        value = self.value(value)
        if (
            isinstance(value, dict)
            and value.get("link_type") == "local"
            and self._local_path_field is not None
            and self._local_path_field in value
        ):
            path = value[self._local_path_field]
            value["local_path"] = path
            value["url"] = f"file://{path or ''}"
        return value

    def value(self, value: Any) -> Any:
        """A value inside of another one. JSON that was read is never deeper than the reader's own limit."""
        kind = value.__class__
        if kind is str:
            return self.nested[value]
        if kind is dict:
            return {key: self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if kind is list else value


class PageRows(list[dict[str, Any]]):
    """A page of rows.

    Attributes:
        has_next_page: whether the site has more.
    """

    __slots__ = ("has_next_page",)

    def __init__(self, rows: Iterable[dict[str, Any]], has_next_page: bool) -> None:
        super().__init__(rows)
        self.has_next_page = has_next_page


class WireRows(PageRows):
    """A page of rows as the site sent them.

    Attributes:
        values: what their texts stand for.
    """

    __slots__ = ("values",)

    def __init__(self, rows: Iterable[dict[str, Any]], values: WireValues, has_next_page: bool) -> None:
        super().__init__(rows, has_next_page)
        self.values = values

    def decoded(self) -> list[dict[str, Any]]:
        """The rows as the official client gives them."""
        return [self.values.row(row) for row in self]
