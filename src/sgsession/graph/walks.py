"""Walks over the graph that print or copy it, however deep and cyclic it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from ..entity import Entity
from .copies import copied

__all__ = ["as_dict", "pretty_lines"]

BackrefChoice = bool | int | Collection[tuple[str, str]] | None


def as_dict(entity: Entity) -> dict[str, Any]:
    """An entity and all that it is linked to as plain dicts; later mentions are of type and id alone."""
    shells: dict[int, dict[str, Any]] = {}
    waiting: list[tuple[dict[str, Any], Entity]] = []

    def plain(value: Any) -> Any:
        if not isinstance(value, Entity):
            return value
        if id(value) in shells:
            return value.minimal
        # A shell first, filled from a list: a chain of 10,000 entities must not become 10,000 calls.
        shells[id(value)] = {}
        waiting.append((shells[id(value)], value))
        return shells[id(value)]

    result: dict[str, Any] = plain(entity)
    for shell, source in waiting:
        shell.update(copied(dict(source), plain))
    return result


def pretty_lines(entity: Entity, backrefs: BackrefChoice, depth: int) -> Iterator[str]:
    """The lines of an entity's `pprint`, without line ends."""
    seen: set[int] = set()
    # (what stands before the value, the value, its indentation, how many links away); a closing bracket
    # is an entry of its own, so that nothing recurses.
    stack: list[tuple[str, Any, int, int]] = [("  " * depth, entity, depth, 0)]
    while stack:
        head, value, level, away = stack.pop()
        if value is _CLOSED:
            yield head
        elif isinstance(value, Entity):
            title = f"{head}{value['type']}:{value['id']} at 0x{id(value):x};"
            if id(value) in seen:
                yield f"{title} ..."
                continue
            seen.add(id(value))
            inside = _members(value, level, away, backrefs)
            yield f"{title} {{" if inside else f"{title} {{}}"
            if inside:
                stack.append(("  " * level + "}", _CLOSED, level, away))
                stack.extend(reversed(inside))
        elif isinstance(value, _Rows):
            yield head + "["
            stack.append(("  " * level + "]", _CLOSED, level, away))
            stack.extend(("  " * (level + 1), item, level + 1, away + 1) for item in reversed(value.items))
        else:
            yield head + _shown(value)


def _shown(value: Any) -> str:
    """A value as `repr` shows it, but for moments, whose zone objects would fill the line."""
    return value.isoformat(" ") if isinstance(value, datetime) else repr(value)


class _Rows:
    """A list of which at least one member is an entity."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items


_CLOSED = object()


def _members(
    entity: Entity, level: int, away: int, backrefs: BackrefChoice
) -> list[tuple[str, Any, int, int]]:
    margin = "  " * (level + 1)
    members: list[tuple[str, Any, int, int]] = []
    for field, value in sorted(dict(entity).items(), key=lambda item: str(item[0])):
        if field in ("type", "id"):
            continue
        if isinstance(value, (list, tuple)) and any(isinstance(item, Entity) for item in value):
            value = _Rows(list(value))
        members.append((f"{margin}{field} = ", value, level + 1, away + 1))
    for key in sorted(entity.backrefs):
        if _wanted(key, away, backrefs):
            rows = _Rows(list(entity.backrefs[key]))
            members.append((f"{margin}* linked from {key[0]}.{key[1]} = ", rows, level + 1, away + 1))
    return members


def _wanted(key: tuple[str, str], away: int, backrefs: BackrefChoice) -> bool:
    if backrefs is None or isinstance(backrefs, bool):
        return bool(backrefs)
    if isinstance(backrefs, int):
        return away < backrefs
    return key in backrefs
