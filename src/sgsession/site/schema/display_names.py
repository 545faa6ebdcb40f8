"""What a row is called: the `name` in links to it and its `cached_display_name` (wire.md 6.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema_map import EntityType


def display_name(entity_type: EntityType, row_id: int, row: Mapping[str, Any]) -> str | None:
    """The display name of a row, given its columns."""
    compose = _COMPOSED.get(entity_type.naming)
    if compose is not None:
        return compose(row_id, row)
    name = row.get(entity_type.identity) if entity_type.identity else None
    if name is None and entity_type.name == "Task":
        return "-"
    return name


def naming_fields(entity_type: EntityType) -> frozenset[str]:
    """The fields whose change changes the display name."""
    return _READ.get(entity_type.naming, frozenset(filter(None, [entity_type.identity])))


def implied_names(
    entity_type: EntityType, written: Mapping[str, Any], row: Mapping[str, Any]
) -> dict[str, Any]:
    """The values that follow from the written ones: a person's `name` is first name and last name."""
    if entity_type.naming != "person":
        return {}
    if "firstname" in written or "lastname" in written:
        merged = {**row, **written}
        return {"name": _joined(merged.get("firstname"), merged.get("lastname"))}
    if isinstance(written.get("name"), str):
        first, _, last = written["name"].strip().partition(" ")
        return {"firstname": first, "lastname": last.strip()}
    return {}


def _joined(*parts: Any, by: str = " ") -> str | None:
    return by.join(str(part) for part in parts if part) or None


def _note(_row_id: int, row: Mapping[str, Any]) -> str | None:
    return _joined(row.get("subject"), row.get("content"), by=" - ")


def _person(_row_id: int, row: Mapping[str, Any]) -> str | None:
    return row.get("name") or row.get("login") or row.get("email")


def _script(_row_id: int, row: Mapping[str, Any]) -> str | None:
    return _joined(row.get("firstname"), row.get("lastname"))


def _attachment(_row_id: int, row: Mapping[str, Any]) -> str | None:
    return row.get("display_name") or row.get("filename")


def _delivery(row_id: int, row: Mapping[str, Any]) -> str:
    return f"#{row_id}: {row.get('title') or ''}"


def _connection(_row_id: int, _row: Mapping[str, Any]) -> None:
    return None


_COMPOSED = {
    "note": _note,
    "person": _person,
    "script": _script,
    "attachment": _attachment,
    "delivery": _delivery,
    "connection": _connection,
}
_READ = {
    "note": frozenset({"subject", "content"}),
    "person": frozenset({"name", "login", "email"}),
    "script": frozenset({"firstname", "lastname"}),
    "attachment": frozenset({"display_name", "filename"}),
    "delivery": frozenset({"title"}),
    "connection": frozenset[str](),
}
