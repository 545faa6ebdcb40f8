"""The values of a site's fields as text and as JSON."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from ..syntax.paths import is_deep

__all__ = ["as_json", "as_text", "one_line", "value_at"]


def value_at(row: dict[str, Any], path: str) -> Any:
    """The value of a path in a raw row.

    `name` behind a link is its display name, which comes with the link, also where a site has no such field.

    Raises:
        KeyError: the site has left it out, which is how it says that there is no such field.
    """
    if path in row or not is_deep(path):
        return row[path]
    link_path, linked_type, leaf = path.rsplit(".", 2)
    link = row[link_path]
    if leaf != "name" or isinstance(link, list):
        raise KeyError(path)
    return link.get("name") if isinstance(link, dict) and link["type"] == linked_type else None


def as_json(value: Any) -> Any:
    """The value in JSON's types: a link as type, id and name, a moment as ISO text."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str) and isinstance(value.get("id"), int) and "url" not in value:
            return {"type": value["type"], "id": value["id"], "name": value.get("name")}
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def as_text(value: Any) -> str:
    """The value as a person reads it: the display name of a link, the address of a file; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, (list, tuple)):
        return ", ".join(as_text(item) for item in value)
    if isinstance(value, dict):
        if "url" in value:
            return str(value["url"])
        if "type" in value and "id" in value:
            return str(value.get("name") or f"{value['type']}:{value['id']}")
        return json.dumps(as_json(value), ensure_ascii=False)
    return str(value)


def one_line(text: str) -> str:
    """The text with escapes for line ends, tabs and other characters that would act instead of being shown."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
