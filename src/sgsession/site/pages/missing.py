"""What is not there, in words that help."""

from __future__ import annotations

import difflib

from ..call import Call

__all__ = ["MissingError", "unknown_type"]


class MissingError(Exception):
    """There is no such page. `links` are (text, address) of pages that may be meant."""

    def __init__(self, message: str, *links: tuple[str, str]) -> None:
        super().__init__(message)
        self.message = message
        self.links = links


def unknown_type(call: Call, kind: str) -> MissingError:
    """That the site has no such type, and which ones may be meant."""
    names = {name.lower(): name for name, each in call.schema.types.items() if not each.connection}
    close = difflib.get_close_matches(kind[:100].lower(), list(names), 3, 0.6)
    links = [(f"{names[each]} table", f"/page/{names[each]}") for each in close]
    return MissingError(f"This site has no entity type {kind[:100]!r}.", *links)
