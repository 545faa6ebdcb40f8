"""What people type or paste to name an entity: `Shot:7`, a page's address, JSON, a bare id."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import SyntaxProblem

__all__ = ["PageReference", "Reference", "parse_reference"]

# The largest id that a site can hold (wire.md 5.1: integers are 32-bit signed).
_LARGEST_ID = 2**31 - 1

# Nobody writes ids with zeros before them: AA_001 is the name of a shot.
_TYPED = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:[:_\-]|\s+)([1-9][0-9]*)(?:\?(.*))?\Z", re.DOTALL)
_DETAIL_PATH = re.compile(r"/detail/([A-Za-z][A-Za-z0-9]*)/([0-9]+)/?\Z")
_PAGE_PATH = re.compile(r"/page/([0-9]+)/?\Z")
_PAGE_FRAGMENT = re.compile(r"([A-Za-z][A-Za-z0-9]*)_([0-9]+)(?:_.*)?\Z", re.DOTALL)


class Reference(dict[str, Any]):
    """A raw entity: `type`, `id`, and the fields that were given beside them."""


class PageReference(int):
    """The id of a site's page whose address names no entity."""


def parse_reference(text: str, entity_types: Collection[str] | None = None) -> Reference | PageReference:
    """The entity that `text` names.

    Takes `Shot:7`, `Shot_7`, `Shot-7`, `Shot 7`, `shot:7`, `Shot:7?code=A`, JSON with a type and an
    integer id, the address of an entity (`/detail/Shot/7`) or of a page on which one is open
    (`/page/9#Shot_7_x`) on any host, and a bare id where `entity_types` holds exactly one type. The
    address of a page alone gives its id as a `PageReference`.

    Args:
        text: what a person typed.
        entity_types: the types that are accepted; None for all.

    Raises:
        SyntaxProblem: a ValueError; it names nothing, or nothing of these types.
    """
    if not isinstance(text, str):
        raise SyntaxProblem(f"{text!r} is not a text that names an entity.")
    text = text.strip()
    reference = _read(text, entity_types)
    if isinstance(reference, PageReference):
        return reference
    if not 0 < reference["id"] <= _LARGEST_ID:
        raise SyntaxProblem(f"{text!r}: {reference['id']} cannot be an id.")
    if entity_types is not None and reference["type"] not in entity_types:
        raise SyntaxProblem(
            f"{text!r} names a {reference['type']}; wanted is {' or '.join(sorted(entity_types))}."
        )
    return reference


def _read(text: str, entity_types: Collection[str] | None) -> Reference | PageReference:
    if text.startswith("{"):
        return _read_json(text)
    if text.isascii() and text.isdigit():
        if entity_types is None or len(entity_types) != 1:
            raise SyntaxProblem(
                f"{text!r} is an id without a type: write Type:{text}, for example Shot:{text}."
            )
        return Reference(type=next(iter(entity_types)), id=_integer(text))
    typed = _TYPED.match(text)
    if typed:
        fields = dict(parse_qsl(typed[3] or "", keep_blank_values=True))
        return Reference({**fields, "type": _type_name(typed[1], entity_types), "id": _integer(typed[2])})
    return _read_address(text)


def _read_json(text: str) -> Reference:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("type"), str)
        or not data["type"]
        or not isinstance(data.get("id"), int)
        or isinstance(data["id"], bool)
    ):
        raise SyntaxProblem(
            f'{text!r} is not JSON with a type and an integer id, such as {{"type": "Shot", "id": 7}}.'
        )
    return Reference(data)


def _read_address(text: str) -> Reference | PageReference:
    try:
        address = urlsplit(text)
    except ValueError:
        address = urlsplit("")
    if address.scheme in ("http", "https") or text.startswith(("/detail/", "/page/")):
        detail = _DETAIL_PATH.search(address.path)
        if detail:
            return Reference(type=detail[1], id=_integer(detail[2]))
        page = _PAGE_PATH.search(address.path)
        if page:
            entity = _PAGE_FRAGMENT.match(unquote(address.fragment))
            if entity:
                return Reference(type=entity[1], id=_integer(entity[2]))
            return PageReference(_integer(page[1]))
    raise SyntaxProblem(f"{text!r} names no entity: write Type:id, for example Shot:7, or paste its address.")


def _type_name(written: str, entity_types: Collection[str] | None) -> str:
    """`shot` is Shot: a type is found by its letters where they are known, else its first one is raised."""
    for known in entity_types or ():
        if known.lower() == written.lower():
            return known
    return written[:1].upper() + written[1:]


def _integer(digits: str) -> int:
    # Python refuses to read numbers of over 4,300 digits, with a ValueError about that.
    return int(digits) if len(digits) < 20 else 0
