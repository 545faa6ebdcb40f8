"""Copies of nested containers, however deep and cyclic they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["copied", "rebuilt"]


def rebuilt(value: tuple[Any, ...], adopt: Callable[[Any], Any]) -> tuple[Any, ...]:
    """A tuple of what `adopt` makes of its items, tuples straight inside tuples included, without recursion.

    A tuple cannot be made empty and filled later, as lists and dicts are: its items come first.
    """
    unfinished: list[tuple[Iterator[Any], list[Any]]] = [(iter(value), [])]
    while True:
        items, done = unfinished[-1]
        for item in items:
            if isinstance(item, tuple):
                unfinished.append((iter(item), []))
                break
            done.append(adopt(item))
        else:
            unfinished.pop()
            if not unfinished:
                return tuple(done)
            unfinished[-1][1].append(tuple(done))


def copied(value: Any, replace: Callable[[Any], Any]) -> Any:
    """A copy of nested dicts, lists and tuples in which every other value is what `replace` makes of it.

    An entity is such a value, though it is a dict. A container that is mentioned twice stays one.
    """
    shells: dict[int, Any] = {}
    waiting: list[tuple[Any, Any]] = []

    def shell_of(item: Any) -> Any:
        if isinstance(item, tuple):
            return rebuilt(item, shell_of)
        is_list = isinstance(item, list)
        if not is_list and type(item) is not dict:
            return replace(item)
        if id(item) not in shells:
            shells[id(item)] = [] if is_list else {}
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
