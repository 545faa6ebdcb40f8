"""The requests of one plan that are under way, and since when each of them is."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .graph import Graph

__all__ = ["OpenReads"]


class OpenReads(deque[int]):
    """The moments of reads whose answers are not merged yet, in the order in which these come.

    Each has its own: with one for all, a page that was asked for long after a write would count as older.

    Whoever begins reads clears them in a `finally`, where nothing may interrupt that, and no lock is needed. The graph
    keeps no hold of them: what is lost before is over.
    """

    __slots__ = ("_graph",)

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self._graph = graph

    def begin(self, number: int) -> None:
        """Note that so many requests are about to be made; also, in a forked child, those that were before."""
        self.extend(self._graph.next_moment() for _ in range(number))
        self._graph.note_open(self)

    @property
    def first(self) -> int:
        """The moment of the read whose answer comes next."""
        return self[0]

    def end_first(self) -> None:
        """The answer was merged."""
        self.popleft()
        self._graph.drop_old()
