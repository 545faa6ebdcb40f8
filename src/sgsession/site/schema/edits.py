"""What an edit does to a schema map: a new map comes back, the old one stays as it is.

An edit is plain JSON, so that it can be kept, dumped and done again: its `edit` says which it is. Names that
an edit chooses (a suffix, a reverse field) stand in it, for they must come out the same each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .adopting import adopted
from .field_naming import plural, snake_case
from .schema_map import ConnectionLinks, EntityType, Field, HeldLinks, Relation, SchemaMap

# What an edit may change of a field that exists.
CHANGEABLE = ("display_name", "description", "summary_default", "default", "valid_values", "custom_metadata")

# These change what is said of fields, and no table.
_DESCRIPTIVE = frozenset({"update", "show"})


def edited(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    """The schema after one edit."""
    return _EDITS[edit["edit"]](schema, edit)


def is_structural(edit: Mapping[str, Any]) -> bool:
    """Whether tables change with the edit."""
    return edit["edit"] not in _DESCRIPTIVE


def connection_name(entity_type: str, field: str) -> str:
    """The type whose rows are the links of a custom list (wire.md 6.5)."""
    return f"{entity_type}_{field}_Connection"


@dataclass(slots=True)
class _Draft:
    """The parts of a schema map while an edit changes them."""

    types: dict[str, EntityType]
    relations: dict[tuple[str, str], Relation]
    trash: dict[tuple[str, str], Field]
    trashed_types: dict[str, EntityType]

    @classmethod
    def of(cls, schema: SchemaMap) -> _Draft:
        return cls(dict(schema.types), dict(schema.relations), dict(schema.trash), dict(schema.trashed_types))

    def put(self, field: Field) -> None:
        found = self.types[field.entity_type]
        self.types[found.name] = replace(found, fields={**found.fields, field.name: field})

    def take(self, entity_type: str, name: str) -> Field:
        found = self.types[entity_type]
        fields = dict(found.fields)
        field = fields.pop(name)
        self.types[entity_type] = replace(found, fields=fields)
        return field

    def map(self) -> SchemaMap:
        return SchemaMap(self.types, self.relations, self.trash, self.trashed_types)


def _create(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    draft = _Draft.of(schema)
    field = Field(
        entity_type=edit["type"],
        name=edit["name"],
        data_type=edit["data_type"],
        display_name=edit["display_name"],
        custom=True,
        description=edit.get("description", ""),
        summary_default=edit.get("summary_default", ""),
        custom_metadata=edit.get("custom_metadata", ""),
        default=edit.get("default"),
        valid_values=tuple(edit.get("valid_values", ())),
        valid_types=tuple(edit.get("valid_types", ())),
        display_column=edit["display_column"],
    )
    draft.put(field)
    if "reverse" in edit:
        _create_reverse(draft, field, edit["reverse"])
    return draft.map()


def _create_reverse(draft: _Draft, field: Field, name: str) -> None:
    """The other end that a custom link field gets by itself (wire.md 6.5)."""
    (far,) = field.valid_types
    near = field.entity_type
    title = draft.types[near].display_name
    if field.data_type == "entity":
        shown = f"{title} <-> {field.display_name}"
        draft.relations[far, name] = HeldLinks(near, field.name)
    else:
        shown = f"{plural(title)} <-> {field.display_name}"
        connection = connection_name(near, field.name)
        near_end, far_end = ends_of(near, far)
        draft.types[connection] = _connection_type(connection, {near_end: near, far_end: far})
        draft.relations[near, field.name] = ConnectionLinks(connection, near_end, far_end, far, name)
        draft.relations[far, name] = ConnectionLinks(connection, far_end, near_end, near, field.name)
    draft.put(Field(far, name, "multi_entity", shown, custom=True, valid_types=(near,)))


def ends_of(near: str, far: str) -> tuple[str, str]:
    """The fields of a connection type, one per end."""
    if near == far:
        # As TicketTicketConnection tells the two apart.
        return f"source_{snake_case(near)}", f"dest_{snake_case(far)}"
    return snake_case(near), snake_case(far)


def _connection_type(name: str, ends: Mapping[str, str]) -> EntityType:
    fields = {
        "id": Field(name, "id", "number", "Id", editable=False, mandatory=True),
        "cached_display_name": Field(name, "cached_display_name", "text", "Cached Display Name"),
    }
    for end, target in ends.items():
        title = end.replace("_", " ").title()
        fields[end] = Field(
            name, end, "entity", title, editable=False, create_only=True, valid_types=(target,)
        )
    return EntityType(
        name, name.replace("_", " "), fields, identity=None, naming="connection", connection=True
    )


def _update(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    draft = _Draft.of(schema)
    changes = {name: edit[name] for name in (*CHANGEABLE, "display_column") if name in edit}
    if "valid_values" in changes:
        changes["valid_values"] = tuple(changes["valid_values"])
    draft.put(replace(draft.types[edit["type"]].fields[edit["name"]], **changes))
    return draft.map()


def _show(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    draft = _Draft.of(schema)
    field = draft.types[edit["type"]].fields[edit["name"]]
    project = frozenset({edit["project"]})
    hidden = field.hidden_in - project if edit["visible"] else field.hidden_in | project
    draft.put(replace(field, hidden_in=hidden, display_column=edit["display_column"]))
    return draft.map()


def _delete(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    draft = _Draft.of(schema)
    for owner, name in [(edit["type"], edit["name"]), *dependent_fields(schema, edit["type"], edit["name"])]:
        if schema.field(owner, name) is not None:
            draft.trash[owner, name] = draft.take(owner, name)
    connection = connection_name(edit["type"], edit["name"])
    if connection in draft.types:
        draft.trashed_types[connection] = draft.types.pop(connection)
    return draft.map()


def _revive(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    draft = _Draft.of(schema)
    for owner, name in [(edit["type"], edit["name"]), *dependent_fields(schema, edit["type"], edit["name"])]:
        if (owner, name) in draft.trash:
            draft.put(draft.trash.pop((owner, name)))
    connection = connection_name(edit["type"], edit["name"])
    if connection in draft.trashed_types:
        draft.types[connection] = draft.trashed_types.pop(connection)
    return draft.map()


def dependent_fields(schema: SchemaMap, entity_type: str, name: str) -> Iterator[tuple[str, str]]:
    """The reverse fields that come and go with a field: what they show is kept by it."""
    for key, relation in schema.relations.items():
        if isinstance(relation, HeldLinks) and (relation.source_type, relation.source_field) == (
            entity_type,
            name,
        ):
            yield key
    own = schema.relation(entity_type, name)
    made_here = connection_name(entity_type, name)
    if isinstance(own, ConnectionLinks) and own.connection == made_here and own.other_field is not None:
        yield own.other_type, own.other_field


def _adopt(schema: SchemaMap, edit: Mapping[str, Any]) -> SchemaMap:
    return adopted(schema, edit["schema"])[0]


_EDITS: Mapping[str, Callable[[SchemaMap, Mapping[str, Any]], SchemaMap]] = {
    "create": _create,
    "update": _update,
    "show": _show,
    "delete": _delete,
    "revive": _revive,
    "adopt": _adopt,
}
