"""Taking over the schema of a real site: its types, its fields, and the relations that their names tell of.

What the site knows by itself stays as it is: relations, identities, defaults that only code knows, types
that the other site has switched off. What is new there is added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..data_types import DATA_TYPES
from ..database.tables import tables_of
from .field_naming import is_column_like, plural, snake_case, spaced
from .schema_map import ConnectionLinks, EntityType, Field, HeldLinks, Relation, SchemaMap
from .standard import standard_schema

_TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9_]{0,62}$")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,49}$")
_CUSTOM = re.compile(r"Custom(NonProject|Threaded)?Entity(0[1-9]|[1-9]\d)$")
_TOLD_BY_SITE = frozenset({"created_at", "created_by", "updated_at", "updated_by"})
_LINKS = frozenset({"entity", "multi_entity", "addressing", "tag_list"})

Types = dict[str, EntityType]
Relations = dict[tuple[str, str], Relation]


def adopted(schema: SchemaMap, read: Mapping[str, Any]) -> tuple[SchemaMap, list[str]]:
    """The map with the types and fields of a `schema_read()`, and what of it cannot be honoured."""
    problems: list[str] = []
    custom = tuple(sorted(name for name in read if _CUSTOM.match(name)))
    known = standard_schema(custom)
    types: Types = {**{name: known.types[name] for name in custom}, **schema.types}
    relations: Relations = dict(schema.relations)
    for key, relation in known.relations.items():
        if key[0] in custom:
            relations.setdefault(key, relation)
    # A database may not tell names of tables apart by case, and has tables that are no types.
    taken = {each.lower() for each in tables_of(standard_schema()).metadata.tables}
    taken.update(each.lower() for each in (*types, *schema.trashed_types))
    for name, fields in read.items():
        unusable = not _TYPE_NAME.match(name) or not isinstance(fields, Mapping)
        if unusable or (name not in types and name.lower() in taken):
            problems.append(f"{name} (no usable entity type)")
        elif name in types:
            types[name] = _merged(types[name], fields, schema, problems)
        else:
            types[name] = _new_type(name, fields, schema, problems)
            taken.add(name.lower())
    for key, relation in _relations(types, set(relations)):
        relations[key] = relation
        if isinstance(relation, ConnectionLinks):
            types[relation.connection] = _as_connection(types[relation.connection])
    return SchemaMap(types, relations, schema.trash, schema.trashed_types), problems


def _merged(
    known: EntityType, fields: Mapping[str, Any], schema: SchemaMap, problems: list[str]
) -> EntityType:
    merged = dict(known.fields)
    folded = {name.lower() for name in merged}
    for name, described in fields.items():
        try:
            field = _field(known.name, name, described, schema)
            old = merged.get(name)
            if old is None and name.lower() in folded:
                raise ValueError("its name differs from another's by case alone")
            if old is not None and old.data_type != field.data_type:
                raise ValueError(f"{field.data_type} there, {old.data_type} here")
        except ValueError as problem:
            problems.append(f"{known.name}.{name} ({problem})")
            continue
        merged[name] = field if old is None else _updated(old, field)
        folded.add(name.lower())
    return replace(known, fields=merged)


def _updated(old: Field, told: Field) -> Field:
    """A field that is known, with what sites may decide for themselves."""
    choices = told.data_type in ("list", "status_list")
    return replace(
        old,
        display_name=told.display_name,
        description=told.description,
        custom_metadata=told.custom_metadata,
        summary_default=told.summary_default,
        valid_types=told.valid_types or old.valid_types,
        valid_values=told.valid_values if choices else old.valid_values,
        default=told.default if choices else old.default,
        custom=told.custom or old.custom,
        mandatory=told.mandatory or old.mandatory,
    )


def _field(entity_type: str, name: str, described: Any, schema: SchemaMap) -> Field:
    """A field as `schema_read` describes it; ValueError says why it cannot be one."""
    if not _FIELD_NAME.match(name) or is_column_like(name):
        raise ValueError("no usable name")
    if (entity_type, name) in schema.trash:
        raise ValueError("deleted here")
    data_type = _value(described, "data_type")
    if data_type not in DATA_TYPES:
        raise ValueError(f"unknown data type {data_type}")
    properties = described.get("properties") if isinstance(described, Mapping) else None
    valid_values = _texts(_value(properties, "valid_values"))
    links = data_type in _LINKS
    by_site = name in _TOLD_BY_SITE
    editable = _value(described, "editable") is not False and name != "id" and not by_site
    return Field(
        entity_type=entity_type,
        name=name,
        data_type=data_type,
        display_name=str(_value(described, "name") or name),
        editable=editable,
        create_only=by_site,
        mandatory=_value(described, "mandatory") is True,
        custom=_envelope(described, "visible").get("editable") is True,
        valid_types=_texts(_value(properties, "valid_types")) if links else (),
        valid_values=valid_values,
        default=_default(data_type, _value(properties, "default_value"), valid_values),
        description=str(_value(described, "description") or ""),
        summary_default=str(_value(properties, "summary_default") or ""),
        custom_metadata=str(_value(described, "custom_metadata") or ""),
    )


def _default(data_type: str, value: Any, valid_values: tuple[str, ...]) -> Any:
    """A default that new rows can be given, or None; of other types only the site's own code knows."""
    if data_type == "checkbox":
        return value is True
    if data_type in ("list", "status_list"):
        return value if value in valid_values else None
    if data_type == "text" and isinstance(value, str) and value:
        return value
    in_range = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31
    return value if data_type in ("number", "percent") and in_range else None


def _new_type(name: str, fields: Mapping[str, Any], schema: SchemaMap, problems: list[str]) -> EntityType:
    """A type that this site has never heard of; its rows are called by the field that is mandatory."""
    own = {
        "id": Field(name, "id", "number", "Id", editable=False),
        "cached_display_name": Field(name, "cached_display_name", "text", "Cached Display Name"),
    }
    blank = EntityType(name, spaced(name), own, identity=None)
    found = _merged(blank, fields, schema, problems)
    texts = [each for each in found.fields.values() if each.data_type == "text"]
    candidates = [each.name for each in texts if each.mandatory]
    candidates += [each for each in ("code", "name", "title") if each in found.fields]
    connection = name.endswith("Connection") and "project" not in found.fields
    if connection:
        return _as_connection(found)
    identity = candidates[0] if candidates else None
    return replace(found, identity=identity, project_required="project" in found.fields)


def _as_connection(found: EntityType) -> EntityType:
    """The type as rows of a relation, whose ends are written when a row is made and never after."""
    made = replace(found, connection=True, naming="connection", identity=None, project_required=False)
    ends = {end: replace(made.fields[end], editable=False, create_only=True) for end in made.ends}
    return replace(made, fields={**made.fields, **ends})


def _relations(types: Types, taken: set[tuple[str, str]]) -> Iterator[tuple[tuple[str, str], Relation]]:
    """The two ends of custom links, found by the names that a site gives the other end (wire.md 6.5)."""
    for entity_type in list(types.values()):
        for field in entity_type.fields.values():
            if not field.custom or (entity_type.name, field.name) in taken:
                continue
            if field.data_type == "entity":
                yield from _held(types, entity_type, field, taken)
            elif field.data_type == "multi_entity":
                yield from _connected(types, entity_type, field)


def _held(
    types: Types, entity_type: EntityType, field: Field, taken: set[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], Relation]]:
    title = f"{entity_type.display_name} <-> {field.display_name}"
    name = re.compile(rf"sg_{plural(snake_case(entity_type.name))}(_\d+)?$")
    for target in field.valid_types:
        shown = types[target].fields.values() if target in types else ()
        for each in shown:
            fits = each.data_type == "multi_entity" and each.valid_types == (entity_type.name,)
            named = each.display_name == title or (" <-> " not in each.display_name and name.match(each.name))
            if fits and named and (target, each.name) not in taken:
                taken.add((target, each.name))
                yield (target, each.name), HeldLinks(entity_type.name, field.name)
                break


def _connected(
    types: Types, entity_type: EntityType, field: Field
) -> Iterator[tuple[tuple[str, str], Relation]]:
    connection = types.get(f"{entity_type.name}_{field.name}_Connection")
    if connection is None or len(field.valid_types) != 1 or field.valid_types[0] not in types:
        return
    (target,) = field.valid_types
    links = [each for each in connection.fields.values() if each.data_type == "entity"]
    near = next((each.name for each in links if each.valid_types == (entity_type.name,)), None)
    far = next((each.name for each in links if each.valid_types == (target,) and each.name != near), None)
    if near is None or far is None:
        return
    start = snake_case(entity_type.name)
    reverse: str | None = f"{start}_{field.name}_{plural(start)}"
    if reverse not in types[target].fields:
        reverse = None
    yield (entity_type.name, field.name), ConnectionLinks(connection.name, near, far, target, reverse)
    if reverse is not None:
        own = ConnectionLinks(connection.name, far, near, entity_type.name, field.name)
        yield (target, reverse), own


def _envelope(described: Any, key: str) -> Mapping[str, Any]:
    found = described.get(key) if isinstance(described, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _value(described: Any, key: str) -> Any:
    return _envelope(described, key).get("value")


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
