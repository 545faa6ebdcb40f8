"""Field paths resolved against a schema map: `entity.Shot.sg_sequence`, `$FROM$EventLogEntry.entity.id`."""

from __future__ import annotations

from dataclasses import dataclass

from ..schema.schema_map import Field, SchemaMap

_BACKWARDS = "$FROM$"
# Longer paths than anyone's schema is deep; each hop is a lookup in the database.
_MOST_HOPS = 60


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from a row to the rows that it links, or (backwards) to those that link it."""

    field: Field
    entity_type: str  # of the rows that the hop arrives at
    backwards: bool = False

    @property
    def is_many(self) -> bool:
        """Whether one row may lead to several."""
        return self.backwards or self.field.is_list

    @property
    def is_allowed(self) -> bool:
        """Whether the field's valid types include the type that the hop asks for."""
        return self.backwards or not self.field.valid_types or self.entity_type in self.field.valid_types


@dataclass(frozen=True, slots=True)
class Path:
    """A field, and the hops that lead to its row."""

    text: str
    hops: tuple[Hop, ...]
    field: Field

    @property
    def is_many(self) -> bool:
        """Whether the path leads to several rows: such a path filters, but has no value to read."""
        return any(hop.is_many for hop in self.hops)

    @property
    def is_allowed(self) -> bool:
        """Whether the valid types let every hop lead anywhere (wire.md 3.2)."""
        return all(hop.is_allowed for hop in self.hops)


def resolve(schema: SchemaMap, entity_type: str, text: str) -> Path | None:
    """The path, or None when a field or a type in it does not exist."""
    hops: list[Hop] = []
    rest = text
    while len(hops) <= _MOST_HOPS:
        if rest.startswith(_BACKWARDS):
            hop, rest = _backwards(schema, rest)
        else:
            name, dot, rest = rest.partition(".")
            field = schema.field(entity_type, name)
            if field is None:
                return None
            if not dot:
                return Path(text, tuple(hops), field)
            target, _, rest = rest.partition(".")
            hop = Hop(field, target) if _links(field) and schema.type(target) is not None else None
        if hop is None:
            return None
        hops.append(hop)
        entity_type = hop.entity_type
    return None


def _backwards(schema: SchemaMap, text: str) -> tuple[Hop | None, str]:
    source, _, rest = text[len(_BACKWARDS) :].partition(".")
    name, _, rest = rest.partition(".")
    field = schema.field(source, name)
    if field is None or not _links(field):
        return None, rest
    return Hop(field, source, backwards=True), rest


def _links(field: Field) -> bool:
    return field.data_type == "entity" or field.is_list
