"""What a site was asked for and left out of its answers, so that nobody asks again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ..entity import Key

__all__ = ["LeftOut", "ends_on_the_way"]

End = tuple[str, str]
"""The type and the field in which a path ends: those of `entity.Shot.code` on a task are Shot and code."""


class LeftOut:
    """Paths that did not come though they were asked for, each of a whole type or of single entities of it.

    What comes after all, in whatever answer, voids what is noted of its field: somebody may have created it since. A
    path through a link that was left out itself is not noted: nothing comes through that, until it comes.

    Attributes:
        by_end: for each field the paths that end in it, and the types that they begin at: None where it is known of
            all entities of the type, else the ids of those of which it is.
    """

    __slots__ = ("_there", "by_end")

    def __init__(self) -> None:
        self.by_end: dict[End, dict[tuple[str, str], set[int] | None]] = {}
        # Fields that came by themselves after deep paths to them had been left out, and were not left out since. Sites
        # leave deep urls out that the linked row has (wire.md 3.3): such a path is tried once more, and not each time
        # that somebody reads the url.
        self._there: set[End] = set()

    def note(self, entity_type: str, path: str, entity_id: int | None = None) -> None:
        """Remember that a path did not come: for one entity, or for any of its type."""
        end = _end(entity_type, path)
        paths = self.by_end.setdefault(end, {})
        if "." not in path:
            self._there.discard(end)
        if entity_id is None:
            paths[entity_type, path] = None
        elif (ids := paths.setdefault((entity_type, path), set())) is not None:
            ids.add(entity_id)

    def may_say(self, entity_type: str, path: str) -> bool:
        """Whether anything is noted of the field that a path ends in, or of a link on its way: mostly nothing is."""
        return not self.by_end.keys().isdisjoint(ends_on_the_way(entity_type, path))

    def of_type(self, entity_type: str, path: str) -> bool:
        """Whether a path is known not to come for any entity of a type."""
        return self.by_end.get(_end(entity_type, path), {}).get((entity_type, path), ()) is None

    def of_one(self, key: Key, path: str) -> bool:
        """Whether a path was left out for this very entity."""
        entity_type, entity_id = key
        return entity_id in (self.by_end.get(_end(entity_type, path), {}).get((entity_type, path)) or ())

    def row_came(self, entity_type: str, paths: Iterable[str]) -> None:
        """A row with these paths has come: their fields are there."""
        if self.by_end or self._there:
            for path in paths:
                self._came(entity_type, path)

    def _came(self, entity_type: str, path: str) -> None:
        end = _end(entity_type, path)
        if "." in path:
            self._there.discard(end)
        paths = self.by_end.get(end)
        if paths is None:
            return
        if end in self._there:
            paths.pop((entity_type, path), None)
            return
        if "." not in path and any("." in left_out for _, left_out in paths):
            self._there.add(end)
        del self.by_end[end]

    def forget(self, key: Key) -> None:
        """An entity is to be as one that was never asked about; what its whole type lacks it lacks as well."""
        entity_type, entity_id = key
        for paths in self.by_end.values():
            for (of_type, _), ids in paths.items():
                if ids and of_type == entity_type:
                    ids.discard(entity_id)

    def clear(self) -> None:
        """Whatever was left out may come from now on."""
        self.by_end.clear()
        self._there.clear()


@lru_cache(maxsize=4096)
def ends_on_the_way(entity_type: str, path: str) -> tuple[End, ...]:
    """The links that a path goes through and, last, the field in which it ends, each with the type that has it."""
    parts = [entity_type, *path.split(".")]
    return tuple(zip(parts[::2], parts[1::2], strict=False))


def _end(entity_type: str, path: str) -> End:
    return ends_on_the_way(entity_type, path)[-1]
