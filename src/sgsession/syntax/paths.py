"""Field paths: `code`, and deep ones such as `entity.Shot.sg_sequence.Sequence.code`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from ..errors import SyntaxProblem

__all__ = ["Hop", "is_deep", "links_on_the_way", "split_first_hop"]

Hop = tuple[str, str, str]
"""A deep path cut behind its first link: (link field, type of the linked entity, the rest of the path)."""


def is_deep(path: str) -> bool:
    """True for a path that goes through at least one link."""
    return "." in path


@lru_cache(maxsize=4096)
def split_first_hop(path: str) -> Hop:
    """Cut a deep path behind its first link: `entity.Shot.code` is ('entity', 'Shot', 'code').

    Raises:
        SyntaxProblem: the path is not `link.Type.field`, with any number of further `.Type.field`.
    """
    parts = path.split(".")
    if len(parts) < 3 or len(parts) % 2 == 0 or not all(parts):
        raise SyntaxProblem(
            f"{path!r} is not a field path: write field, or link.Type.field such as entity.Shot.code."
        )
    return parts[0], parts[1], path[len(parts[0]) + len(parts[1]) + 2 :]


def links_on_the_way(path: str) -> Iterator[str]:
    """The paths of the links that a deep path goes through, nearest first.

    `entity.Shot.sg_sequence.Sequence.code` goes through `entity` and `entity.Shot.sg_sequence`.
    """
    if is_deep(path):
        split_first_hop(path)
        parts = path.split(".")
        for end in range(1, len(parts) - 1, 2):
            yield ".".join(parts[:end])
