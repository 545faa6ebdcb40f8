"""How a value that a caller gave is refused, in the words of wire.md 1.5 and 5.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sgsession.site.faults import SiteFault, ruby, ruby_class

if TYPE_CHECKING:
    from sgsession.site.schema.schema_map import Field


@dataclass(frozen=True, slots=True)
class Given:
    """A value in a request: the call it came with, the field it is for, and the hash it stood in."""

    method: str
    label: str  # `Shot.code`; in a filter the whole path: `Task.entity.Shot.code`
    offending: Any  # the part of the request that the message quotes

    @classmethod
    def to_write(cls, field: Field, value: Any, method: str) -> Given:
        """A value that `create` or `update` is asked to store."""
        return cls(method, f"{field.entity_type}.{field.name}", {"value": value, "field_name": field.name})

    @property
    def entity_type(self) -> str:
        """The type of the field that the refusal is about."""
        return self.label.partition(".")[0]

    def invalid(self, words: str) -> SiteFault:
        """A refusal of the request itself: these words, then a dump of what they are about."""
        return SiteFault(f"API {self.method}() {words}:\n{ruby(self.offending)}", 103)

    def wrong_class(self, expected: Sequence[str], value: Any) -> SiteFault:
        """`Shot.code expected [String, NilClass] data type(s) but got Integer: 5`."""
        got = f"{ruby_class(value)}: {ruby(value)}"
        return self.invalid(f"{self.label} expected [{', '.join(expected)}] data type(s) but got {got}")

    def invalid_data(self, data_type: str, value: Any) -> SiteFault:
        """`Invalid data for 'number' data type. Value: x`."""
        shown = value if isinstance(value, str) else ruby(value)
        return self.invalid(f"Invalid data for '{data_type}' data type. Value: {shown}")

    def failed(self, words: str) -> SiteFault:
        """A refusal by the data layer, which numbers and words it by what the call was doing."""
        if self.method == "create":
            return self._crud(6, f"Create failed for [{self.entity_type}]: {words}")
        if self.method == "update":
            return self._crud(5, f"Update failed for [{self.label}]: {words}")
        return self._crud(1, f"Read failed for entity type [{self.entity_type}]: {words}")

    def illegal(self, words: str) -> SiteFault:
        """A list value that is none of the valid ones; `create` wraps the words of `update`."""
        if self.method == "create":
            inner = f"Update failed for [{self.label}]: {words}"
            return self.failed(f"Invalid field value, update failed [5 - {inner}]")
        return self.failed(words)

    def _crud(self, number: int, words: str) -> SiteFault:
        return SiteFault(f"API {self.method}() CRUD ERROR #{number}: {words}", 104)


def storable(text: str, given: Given) -> str:
    """The text, unless no database could hold it: a NUL byte or half of a surrogate pair."""
    if "\x00" in text:
        raise given.failed("string contains null byte")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise given.failed('invalid byte sequence for encoding "UTF8"') from None
    return text
