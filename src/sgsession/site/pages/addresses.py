"""The addresses of the pages: those that people paste, and those that links on a page lead to."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

__all__ = ["ICON", "STYLE", "detail", "search", "table"]

# Outside of /page/, where the name of a type or the id of a Page row follows.
ICON = "/pages/icon.svg"
STYLE = "/pages/style.css"


def detail(entity_type: str, row_id: int) -> str:
    """The page of one row, as on a real site."""
    return f"/detail/{quote(entity_type, safe='')}/{row_id}"


def table(
    entity_type: str,
    conditions: Iterable[tuple[str, str, str]] = (),
    *,
    project: int | None = None,
    more: Iterable[tuple[str, str]] = (),
) -> str:
    """The table of a type, under conditions of (field, operator, value) as they are written there."""
    query: list[tuple[str, str]] = [] if project is None else [("project", str(project))]
    for path, operator, value in conditions:
        query.extend((("f", path), ("op", operator), ("v", value)))
    query.extend(more)
    asked = f"?{urlencode(query)}" if query else ""
    return f"/page/{quote(entity_type, safe='')}{asked}"


def search(text: str) -> str:
    """The rows whose names hold the text."""
    return f"/search?{urlencode({'q': text})}"
