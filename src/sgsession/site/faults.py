"""Refusals in the words of a real site, and the way Ruby prints the values they quote."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

__all__ = ["SiteFault", "ruby", "ruby_class"]

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\x07": "\\a",
    "\x08": "\\b",
    "\x0b": "\\v",
    "\x0c": "\\f",
    "\x1b": "\\e",
}

# Past this many characters a dump helps nobody, and an answer would echo megabytes of a request.
_LONGEST_DUMP = 4000


class SiteFault(Exception):
    """A refusal in the words of a real site; becomes the JSON error envelope."""

    def __init__(self, message: str, error_code: int = 103) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code


def ruby(value: Any) -> str:
    """The JSON value as Ruby's ``inspect`` prints it: ``{"path"=>"code"}``, ``nil``, ``true``, ``"x"``."""
    dump = "".join(_Inspection().of(value))
    return dump if len(dump) <= _LONGEST_DUMP else dump[:_LONGEST_DUMP] + "..."


def ruby_class(value: Any) -> str:
    """The name of the Ruby class that a JSON value has on a real site."""
    if value is None:
        return "NilClass"
    if isinstance(value, bool):
        return "TrueClass" if value else "FalseClass"
    if isinstance(value, int):
        return "Integer"
    if isinstance(value, float):
        return "Float"
    if isinstance(value, str):
        return "String"
    if isinstance(value, Mapping):
        return "Hash"
    return "Array"


class _Inspection:
    """One walk over a value that stops once enough text for a message has been made."""

    def __init__(self) -> None:
        self._room = _LONGEST_DUMP

    def of(self, value: Any) -> list[str]:
        pieces: list[str] = []
        # A stack instead of recursion: a filter may nest deeper than Python lets functions call.
        waiting: list[Any] = [value]
        while waiting and self._room >= 0:
            item = waiting.pop()
            if isinstance(item, _Literal):
                text = item.text
            elif isinstance(item, Mapping):
                text = "{"
                waiting.append(_Literal("}"))
                waiting.extend(reversed(_separated(_pairs(item, self._room))))
            elif isinstance(item, (list, tuple)):
                text = "["
                waiting.append(_Literal("]"))
                waiting.extend(reversed(_separated([[element] for element in item[: self._room + 1]])))
            else:
                text = _scalar(item, self._room)
            pieces.append(text)
            self._room -= len(text)
        return pieces


class _Literal:
    """Punctuation among the values that are still to be printed."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def _pairs(mapping: Mapping[Any, Any], room: int) -> list[list[Any]]:
    return [[key, _Literal("=>"), value] for key, value in islice(mapping.items(), room + 1)]


def _separated(groups: list[list[Any]]) -> list[Any]:
    flat: list[Any] = []
    for index, group in enumerate(groups):
        if index:
            flat.append(_Literal(", "))
        flat.extend(group)
    return flat


def _scalar(value: Any, room: int) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _quoted(value[: room + 1])
    return str(value)


def _float(value: float) -> str:
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    # Ruby always shows a decimal and a two-digit exponent: 1.0e+20.
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}e{exponent}"


def _quoted(text: str) -> str:
    pieces = ['"']
    for index, character in enumerate(text):
        if character in _ESCAPES:
            pieces.append(_ESCAPES[character])
        elif character == "#" and text[index + 1 : index + 2] in ("{", "$", "@"):
            pieces.append("\\#")
        elif character.isprintable():
            pieces.append(character)
        else:
            code = ord(character)
            pieces.append(f"\\u{code:04X}" if code <= 0xFFFF else f"\\u{{{code:X}}}")
    pieces.append('"')
    return "".join(pieces)
