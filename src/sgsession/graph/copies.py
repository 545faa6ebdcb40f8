"""Copies of nested containers, however deep and cyclic they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["copied"]


def copied(value: Any, replace: Callable[[Any], Any]) -> Any:
    """A copy of nested dicts, lists and tuples in which every other value is what `replace` makes of it.

    An entity is such a value, though it is a dict. A container that is mentioned twice stays one.
    """
    shells: dict[int, Any] = {}
    waiting: list[tuple[Any, Any]] = []

    def shell_of(item: Any) -> Any:
        kind = type(item)
        if kind is tuple:
            return tuple(map(shell_of, item))
        if kind is not dict and kind is not list:
            return replace(item)
        if id(item) not in shells:
            shells[id(item)] = kind()
            waiting.append((shells[id(item)], item))
        return shells[id(item)]

    result = shell_of(value)
    # Filled from a list that grows while it is read: depth must not become recursion.
    for shell, source in waiting:
        if isinstance(source, dict):
            shell.update((key, shell_of(item)) for key, item in source.items())
        else:
            shell.extend(map(shell_of, source))
    return result
