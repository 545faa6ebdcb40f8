"""The schema map of a site: its entity types, their fields, and how their lists of links are stored.

A map is immutable. A schema edit builds a new one and swaps it after commit, so whoever holds a map
reads one consistent schema for as long as the call lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

# The types whose value is a list of links (tag_list reads the same links as names).
LIST_TYPES = frozenset({"multi_entity", "addressing", "tag_list"})
# The types that the site computes when asked: nothing is stored for them.
COMPUTED_TYPES = frozenset({"summary", "calculated", "pivot_column"})
# The fields whose value is each caller's own, whatever type has them (wire.md 6.7).
PERSONAL_FIELDS = frozenset({
    "accesses_by_current_user", "current_user_can_see", "current_user_favorite", "last_accessed_by_current_user",
    "media_center_viewed_by_current_user", "media_center_viewed_by_current_user_at", "read_by_current_user",
    "viewed_by_current_user", "viewed_by_current_user_at",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one entity type."""

    entity_type: str
    name: str
    data_type: str
    display_name: str
    editable: bool = True
    create_only: bool = False
    mandatory: bool = False
    unique: bool = False
    custom: bool = False
    valid_types: tuple[str, ...] = ()
    valid_values: tuple[str, ...] = ()
    default: Any = None
    description: str = ""
    summary_default: str = ""  # empty: what the data type offers
    custom_metadata: str = ""
    display_column: int = 0  # the row that events about the field are of, once there are any
    hidden_in: frozenset[int] = frozenset()  # the projects whose pages do not show the field

    @property
    def is_list(self) -> bool:
        """Whether the value is a list of links, kept outside the row."""
        return self.data_type in LIST_TYPES

    @property
    def is_stored(self) -> bool:
        """Whether the row itself has columns for this field."""
        computed = self.data_type in COMPUTED_TYPES or self.name == "id"
        return not self.is_list and not computed and not self.is_personal

    @property
    def is_personal(self) -> bool:
        """Whether each caller has a value of their own, kept outside the row."""
        return self.name in PERSONAL_FIELDS

    @property
    def is_listed(self) -> bool:
        """Whether the schema shows the field; one can be read and filtered all the same (wire.md 6.7)."""
        return self.name != "read_by_current_user"


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: what is known of a type can be cached
class EntityType:
    """One entity type: its fields and what a row of it is called."""

    name: str
    display_name: str
    fields: Mapping[str, Field]
    identity: str | None  # the field that gives the display name
    naming: str = ""  # the rule of display_names.py, for types whose name is composed of several fields
    new_name: str | None = None  # the identity of a row created without one: "New Shot {id}"
    project_required: bool = False
    connection: bool = False  # the rows of a many-to-many relation

    @property
    def ends(self) -> tuple[str, ...]:
        """The fields of a connection type that name the two rows it connects."""
        links = [name for name, each in self.fields.items() if each.data_type == "entity"]
        return tuple(links[:2]) if self.connection else ()


@dataclass(frozen=True, slots=True)
class HeldLinks:
    """A list shown by one field and kept by an entity field: `Sequence.shots` is `Shot.sg_sequence`."""

    source_type: str
    source_field: str


@dataclass(frozen=True, slots=True)
class ReverseLinks:
    """The far end of a list: `Shot.notes` is every Note whose `note_links` names the Shot."""

    source_type: str
    source_field: str
    open_only: bool = False  # only Notes that are still open


@dataclass(frozen=True, slots=True)
class ConnectionLinks:
    """One end of a many-to-many relation whose links are rows of a connection type."""

    connection: str
    owner_end: str
    element_end: str
    other_type: str
    other_field: str | None


@dataclass(frozen=True, slots=True)
class SharedLinks:
    """A list that nobody writes: the other rows of the type whose entity field names the same row."""

    source_field: str


Relation = HeldLinks | ReverseLinks | ConnectionLinks | SharedLinks


@dataclass(frozen=True)
class SchemaMap:
    """The entity types of a site and the relations between their fields."""

    types: Mapping[str, EntityType]
    relations: Mapping[tuple[str, str], Relation] = field(default_factory=dict)
    # Deleted fields, and the connection types that went with them: out of sight, their names reserved.
    trash: Mapping[tuple[str, str], Field] = field(default_factory=dict)
    trashed_types: Mapping[str, EntityType] = field(default_factory=dict)
    _other_ends: Mapping[tuple[str, str, str], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", MappingProxyType(dict(self.types)))
        object.__setattr__(self, "relations", MappingProxyType(dict(self.relations)))
        object.__setattr__(self, "trash", MappingProxyType(dict(self.trash)))
        object.__setattr__(self, "trashed_types", MappingProxyType(dict(self.trashed_types)))
        ends = {key: far for key, far in _other_ends(self.relations) if self._both_live(key, far)}
        object.__setattr__(self, "_other_ends", MappingProxyType(ends))

    __hash__ = object.__hash__  # maps are compared by identity: Tables are cached per map

    def type(self, name: str) -> EntityType | None:
        """The entity type of that name, or None."""
        return self.types.get(name)

    def field(self, entity_type: str, name: str) -> Field | None:
        """The field of that type and name, or None."""
        found = self.types.get(entity_type)
        return found.fields.get(name) if found is not None else None

    def relation(self, entity_type: str, field: str) -> Relation | None:
        """How the list of this field is stored, or None for a list (or a link) with a store of its own."""
        return self.relations.get((entity_type, field))

    def is_mirror(self, relation: Relation) -> bool:
        """Whether both ends of a relation are one field: `Ticket.tickets` shows a link on both rows."""
        if not isinstance(relation, ConnectionLinks) or relation.other_field is None:
            return False
        return self.relation(relation.other_type, relation.other_field) == relation

    def other_end(self, entity_type: str, field: str, target_type: str) -> str | None:
        """The field of `target_type` that shows the links of this field from the far side, or None."""
        return self._other_ends.get((entity_type, field, target_type))

    def _both_live(self, near: tuple[str, str, str], far: str) -> bool:
        entity_type, name, target_type = near
        return self.field(entity_type, name) is not None and self.field(target_type, far) is not None


def _other_ends(
    relations: Mapping[tuple[str, str], Relation],
) -> Iterable[tuple[tuple[str, str, str], str]]:
    for (owner, name), relation in relations.items():
        if isinstance(relation, ConnectionLinks):
            if relation.other_field is not None:
                yield (owner, name, relation.other_type), relation.other_field
        elif isinstance(relation, SharedLinks):
            continue  # it has no far end: what is written is the entity field
        elif isinstance(relation, HeldLinks) or not relation.open_only:
            yield (relation.source_type, relation.source_field, owner), name
            yield (owner, name, relation.source_type), relation.source_field
