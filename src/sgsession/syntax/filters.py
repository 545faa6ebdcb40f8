"""Filters as Python writes them, checked before they are sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import SyntaxProblem

__all__ = ["check_filters", "map_paths"]


# A site takes 265 (wire.md 3.1), but the client recurses over them, four calls for each.
_DEEPEST = 200


def check_filters(filters: Any) -> None:
    """Refuse what the client or the site would refuse, with the place and the next step named.

    Raises:
        SyntaxProblem: not a list of conditions `[path, operator, value…]` and groups
            `{"filter_operator": "any", "filters": […]}`.
    """
    on_wire = isinstance(filters, dict) and "logical_operator" in filters
    if not on_wire and not isinstance(filters, (list, tuple)):
        raise SyntaxProblem(
            f"Filters are a list of conditions, not {filters!r}: write [['code', 'is', 'AA_010']]."
        )
    waiting = [iter([filters] if on_wire else filters)]
    while waiting:
        if len(waiting) > _DEEPEST:
            raise SyntaxProblem(f"Groups of filters nested over {_DEEPEST} deep, or one that holds itself.")
        for condition in waiting[-1]:
            members = _members(condition)
            if members is not None:
                waiting.append(iter(members))
                break
            _check_condition(condition, filters)
        else:
            waiting.pop()


def _members(condition: Any) -> list[Any] | None:
    """The members of a group, in the client's form or in that of the wire; None for a condition."""
    if not isinstance(condition, dict) or "path" in condition:
        return None
    if "logical_operator" in condition:
        members = condition.get("conditions")
        if condition["logical_operator"] not in ("and", "or") or not isinstance(members, list):
            raise SyntaxProblem(
                f"A group on the wire has a logical_operator of and or or, and conditions: {condition!r}."
            )
        return members
    return _group(condition)


def _group(group: dict[str, Any]) -> list[Any]:
    if group.get("filter_operator") not in ("all", "any", "and", "or"):
        raise SyntaxProblem(f"A group of filters needs a filter_operator of 'all' or 'any': {group!r}.")
    members = group.get("filters")
    if not isinstance(members, (list, tuple)):
        raise SyntaxProblem(f"A group of filters needs 'filters', a list: {group!r}.")
    return list(members)


def _check_condition(condition: Any, filters: Any) -> None:
    if isinstance(condition, dict):
        if not isinstance(condition.get("path"), str) or not isinstance(condition.get("relation"), str):
            raise SyntaxProblem(f"A condition on the wire has a path, a relation and values: {condition!r}.")
        return
    if isinstance(condition, str):
        raise SyntaxProblem(
            f"{condition!r} stands where a condition is expected: filters are a list of lists, "
            f"[['code', 'is', 'AA_010']]; here: {filters!r}."
        )
    if not isinstance(condition, (list, tuple)) or len(condition) < 3:
        raise SyntaxProblem(f"A condition is [path, operator, value], not {condition!r}.")
    path, operator = condition[:2]
    if not isinstance(path, str) or not isinstance(operator, str):
        raise SyntaxProblem(
            f"A condition is [path, operator, value] with text for the first two, not {condition!r}."
        )
    if condition[2] in ([], ()) and len(condition) == 3 and operator in ("in", "not_in"):
        raise SyntaxProblem(
            f"{list(condition)!r}: a site refuses an empty list; leave the condition or the query out."
        )


def map_paths(filters: Any, rename: Callable[[str], str]) -> Any:
    """A copy of `filters` in which each path is what `rename` makes of it; the caller may go on with his own."""
    if isinstance(filters, dict):
        return _map_node(filters, rename)
    return [_map_node(node, rename) for node in filters]


def _map_node(node: Any, rename: Callable[[str], str]) -> Any:
    """The same for one condition, or for a group in the client's form or in that of the wire."""
    if not isinstance(node, dict):
        return [rename(node[0]), *(list(value) if isinstance(value, list) else value for value in node[1:])]
    copied = dict(node)
    if "path" in copied:
        copied["path"] = rename(copied["path"])
    for members in ("filters", "conditions"):
        if isinstance(copied.get(members), (list, tuple)):
            copied[members] = [_map_node(member, rename) for member in copied[members]]
    return copied
