"""The identity map: one entity for each type and id."""

from __future__ import annotations

from collections.abc import Iterator

from ..entity import Entity, Key

__all__ = ["IdentityMap"]


class IdentityMap:
    """Type and id → the one entity. It holds them for as long as the session lives."""

    __slots__ = ("_types",)

    def __init__(self) -> None:
        # A map for each type: keys of both would be a tuple for each entity, 56 bytes of a row's 700.
        self._types: dict[str, dict[int, Entity]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._types.values()))

    def __iter__(self) -> Iterator[Entity]:
        return iter([entity for entities in list(self._types.values()) for entity in list(entities.values())])

    def of_type(self, entity_type: str) -> dict[int, Entity]:
        """Id → entity; what is put in there must be of the type and not be there yet."""
        entities = self._types.get(entity_type)
        if entities is None:
            entities = self._types[entity_type] = {}
        return entities

    def get(self, key: Key) -> Entity | None:
        """The entity of this type and id, or None when the session has none."""
        entities = self._types.get(key[0])
        return None if entities is None else entities.get(key[1])

    def add(self, entity: Entity) -> None:
        """Make a new entity the one of its type and id.

        Raises:
            ValueError: there is one already. Two objects for one entity would drift apart.
        """
        entity_type, entity_id = entity.key
        if self.of_type(entity_type).setdefault(entity_id, entity) is not entity:
            raise ValueError(
                f"This session already has {entity_type}:{entity_id}; ask for it with session.get() or merge()."
            )

    def discard(self, entity: Entity) -> None:
        """Drop an entity; one that is not in the map, or not any more, is left alone."""
        entity_type, entity_id = entity.key
        if self.get((entity_type, entity_id)) is entity:
            del self._types[entity_type][entity_id]
