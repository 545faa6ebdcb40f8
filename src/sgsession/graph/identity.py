"""The identity map: one entity for each type and id."""

from __future__ import annotations

from collections.abc import Iterator

from ..entity import Entity, Key

__all__ = ["IdentityMap"]


class IdentityMap:
    """Type and id → the one entity. It holds them for as long as the session lives."""

    __slots__ = ("_entities",)

    def __init__(self) -> None:
        self._entities: dict[Key, Entity] = {}

    def __len__(self) -> int:
        return len(self._entities)

    def __iter__(self) -> Iterator[Entity]:
        return iter(list(self._entities.values()))

    def get(self, key: Key) -> Entity | None:
        """The entity of this type and id, or None when the session has none."""
        return self._entities.get(key)

    def add(self, entity: Entity) -> None:
        """Make a new entity the one of its type and id.

        Raises:
            ValueError: there is one already. Two objects for one entity would drift apart.
        """
        if self._entities.setdefault(entity.key, entity) is not entity:
            raise ValueError(
                f"This session already has {entity['type']}:{entity['id']}; ask for it with session.get() or merge()."
            )

    def discard(self, entity: Entity) -> None:
        """Drop an entity; one that is not in the map, or not any more, is left alone."""
        if self._entities.get(entity.key) is entity:
            del self._entities[entity.key]
