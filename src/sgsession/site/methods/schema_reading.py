"""The schema as clients read it, each property in its envelope (wire.md 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..call import Call
from ..database.tables import OPEN_NOTE_STATUSES
from ..faults import SiteFault, ruby
from ..people.permissions import may_write
from ..schema.schema_map import EntityType, Field
from ..schema.standard import STATUSES

# Offered by web pages as the total of a column; other types offer none.
_SUMMARY_DEFAULTS = {"status_list": "status_list", "summary": "record_count"}
_LINKS = frozenset({"entity", "multi_entity", "addressing", "tag_list"})
_CHOICES = frozenset({"list", "status_list"})


def schema_read(call: Call, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All fields of all entity types."""
    project = _project(call, params)
    return {name: _fields(call, each, project) for name, each in call.schema.types.items()}


def schema_entity_read(call: Call, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entity types that are switched on, connection types included."""
    _project(call, params)
    return {
        name: {"name": _envelope(each.display_name), "visible": _envelope(True)}
        for name, each in call.schema.types.items()
    }


def schema_field_read(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one type, or one of them."""
    project = _project(call, params)
    name = params.get("type")
    entity_type = call.schema.type(name) if isinstance(name, str) else None
    if entity_type is None:
        raise SiteFault(f"API {call.method}() invalid/missing string entity 'type':\n{ruby(params)}")
    wanted = params.get("field_name")
    if wanted is None:
        return _fields(call, entity_type, project)
    field = entity_type.fields.get(wanted) if isinstance(wanted, str) else None
    if field is None or not field.is_listed:
        shown = wanted if isinstance(wanted, str) else ruby(wanted)
        raise SiteFault(f"API {call.method}() {entity_type.name}.{shown} doesn't exist:\n{ruby(params)}")
    return {field.name: _field(call, field, project)}


def _project(call: Call, params: Mapping[str, Any]) -> int | None:
    """The project whose view of the schema is wanted; a whole row may be given, and an id of 0 is fine."""
    project = params.get("project")
    if project is None:
        return None
    project_id = project.get("id") if isinstance(project, Mapping) else None
    if isinstance(project_id, bool) or not isinstance(project_id, int):
        raise SiteFault(f"API {call.method}() invalid 'project':\n{ruby(params)}")
    return project_id


def _fields(call: Call, entity_type: EntityType, project: int | None) -> dict[str, Any]:
    listed = (field for field in entity_type.fields.values() if field.is_listed)
    return {field.name: _field(call, field, project) for field in listed}


def _field(call: Call, field: Field, project: int | None) -> dict[str, Any]:
    return {
        "name": _envelope(field.display_name, editable=True),
        "description": _envelope(field.description, editable=True),
        "custom_metadata": _envelope(field.custom_metadata, editable=True),
        "entity_type": _envelope(field.entity_type),
        "data_type": _envelope(field.data_type),
        "editable": _envelope(may_write(call.caller, field)),
        "mandatory": _envelope(field.mandatory),
        "unique": _envelope(field.unique),
        # Only the fields that users made can be hidden: clients tell them apart by this flag.
        "visible": _envelope(project not in field.hidden_in, editable=field.custom),
        "ui_value_displayable": _envelope(True),
        "properties": _properties(field),
    }


def _properties(field: Field) -> dict[str, Any]:
    choices = field.data_type in _CHOICES
    properties = {
        "default_value": _envelope(field.default, editable=choices),
        "summary_default": _envelope(
            field.summary_default or _SUMMARY_DEFAULTS.get(field.data_type, "none"), editable=True
        ),
    }
    if choices:
        properties["valid_values"] = _envelope(list(field.valid_values), editable=True)
    if field.data_type == "status_list":
        names = {code: STATUSES.get(code, (code, ""))[0] for code in field.valid_values}
        properties["display_values"] = _envelope(names)
        properties["hidden_values"] = _envelope([])
    if field.data_type in _LINKS:
        properties["valid_types"] = _envelope(list(field.valid_types), editable=True)
    if field.data_type == "text":
        properties["regex_validation"] = _envelope("", editable=True)
        properties["regex_validation_enabled"] = _envelope(False, editable=True)
    if field.data_type == "url":
        properties["open_in_new_window"] = _envelope(True, editable=True)
    if field.data_type == "summary":
        properties.update(_summary(field))
    if field.data_type == "calculated":
        properties["calculated_function"] = _envelope("")
        properties["renderer"] = _envelope(None)
    return properties


def _summary(field: Field) -> dict[str, Any]:
    """The query behind a count of the open notes: the notes that name the row, and are open (wire.md 9.3)."""
    current = {"type": "Entity", "id": 0, "name": "Current Entity", "valid": "parent_entity_token"}
    statuses = [
        {"path": "sg_status_list", "relation": "is", "values": [status]} for status in OPEN_NOTE_STATUSES
    ]
    path = "tasks" if field.entity_type == "Task" else "note_links"
    conditions = [
        {"path": path, "relation": "is", "values": [current]},
        {"logical_operator": "or", "conditions": statuses},
    ]
    query = {"entity_type": "Note", "filters": {"logical_operator": "and", "conditions": conditions}}
    return {
        "query": _envelope(query),
        "summary_field": _envelope("id"),
        "summary_value": _envelope(None),
    }


def _envelope(value: Any, *, editable: bool = False) -> dict[str, Any]:
    return {"value": value, "editable": editable}
