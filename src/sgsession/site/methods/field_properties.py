"""The properties that a schema edit gives a field, checked (wire.md 9.3, 9.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from ..call import Call
from ..data_types import data_type
from ..faults import SiteFault, ruby
from ..schema.schema_map import EntityType, Field

_UPDATABLE = (
    "name", "visible", "description", "summary_default", "default_value", "valid_values", "custom_metadata",
)  # fmt: skip
_CREATABLE = (*(name for name in _UPDATABLE if name != "visible"), "valid_types")
_SUMMARIES = (
    "none", "record_count", "count", "sum", "average", "minimum", "maximum", "earliest", "latest", "percentage",
    "status_list", "status_percentage", "checked", "unchecked", "single_record",
)  # fmt: skip
# What a property is called in a Field.
_ATTRIBUTES = {"name": "display_name", "default_value": "default"}
_CHOICES = ("list", "status_list")
_LINKS = ("entity", "multi_entity")
_LONGEST_NAME = 255


def requested_properties(call: Call, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The properties of a request, as `{property_name, value}`."""
    given = params.get("properties")
    if not isinstance(given, list):
        raise SiteFault(f"API {call.method}() invalid/missing array 'properties':\n{ruby(params)}")
    known = _CREATABLE if call.method == "schema_field_create" else _UPDATABLE
    for each in given:
        name = each.get("property_name") if isinstance(each, Mapping) else None
        if not isinstance(name, str) or "value" not in each:
            raise SiteFault(f"API {call.method}() invalid/missing 'property_name' or 'value':\n{ruby(each)}")
        if name not in known:
            raise SiteFault(
                f"API {call.method}() invalid property '{name}': {ruby(each)} "
                f"Valid property names: {ruby(list(known))}"
            )
    return given


def checked_properties(call: Call, entity_type: EntityType, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a create gives the new field, by attributes of Field; whatever is missing is filled in."""
    given = {each["property_name"]: each["value"] for each in requested_properties(call, params)}
    kind = params["data_type"]
    if "name" not in given:
        raise _refused(call, "missing 'name' property", params)
    if kind == "checkbox" and "default_value" not in given:
        raise _refused(call, "missing 'default_value' property", params)
    if kind in _LINKS and "valid_types" not in given:
        raise _refused(call, "missing 'valid_types' property", params)
    if kind not in _LINKS:
        given.pop("valid_types", None)
    if kind == "status_list" and given.get("valid_values") is None:
        given["valid_values"] = _statuses(call)
    field = Field(entity_type.name, "sg_new", kind, "")
    return _checked(call, field, given, params)


def checked_changes(
    call: Call, field: Field, params: Mapping[str, Any]
) -> tuple[dict[str, Any], bool | None]:
    """What an update changes, by attributes of Field, and apart from that whether one project shows the field."""
    given = {each["property_name"]: each["value"] for each in requested_properties(call, params)}
    visible = given.pop("visible", None)
    if visible is not None:
        _check_visible(call, field, visible, params)
    changes = _checked(call, field, given, params)
    values = changes.get("valid_values")
    if values is not None and "default" not in changes and field.default not in (None, *values):
        # What is no longer a choice can be no default either.
        changes["default"] = None
    return changes, visible


def _check_visible(call: Call, field: Field, visible: Any, params: Mapping[str, Any]) -> None:
    project = params.get("project")
    if not isinstance(visible, bool):
        raise _refused(call, "'visible' value expected true or false", params)
    if not field.custom:
        label = f"{field.entity_type}.{field.name}"
        raise _refused(call, f"'visible' can not be changed, {label} is not a custom field", params)
    if not isinstance(project, Mapping):
        raise _refused(call, "'visible' can only be changed for a 'project'", params)
    table, project_id = call.tables.of("Project"), project.get("id")
    if isinstance(project_id, bool) or not isinstance(project_id, int) or abs(project_id) >= 2**31:
        raise _refused(call, "invalid 'project'", params)
    query = select(table.c.id).where(table.c.id == project_id, table.c.retired.is_(False))
    if call.connection.execute(query).scalar() is None:
        raise _refused(call, f"'project' does not exist: {project_id}", params)


def _checked(call: Call, field: Field, given: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    # The choices first: the default must be one of them, as they are from now on.
    for name in sorted(given, key=lambda name: name == "default_value"):
        value = given[name]
        problem = _CHECKS[name](call, field, value)
        if problem:
            raise _refused(call, f"'{name}' value {problem}", params)
        if name == "name":
            value = value.strip()
        if name == "valid_values":
            value = [] if value is None else value
            field = replace(field, valid_values=tuple(value))
        checked[_ATTRIBUTES.get(name, name)] = "" if value is None and name in _TEXTS else value
    return checked


_TEXTS = frozenset({"description", "custom_metadata", "summary_default"})


def _name(_call: Call, _field: Field, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        return "expected String that is not empty"
    return f"is longer than {_LONGEST_NAME} characters" if len(value) > _LONGEST_NAME else ""


def _text(_call: Call, _field: Field, value: Any) -> str:
    return "" if value is None or isinstance(value, str) else "expected String"


def _summary(_call: Call, _field: Field, value: Any) -> str:
    return "" if value is None or value in _SUMMARIES else f"expected one of {ruby(list(_SUMMARIES))}"


def _default(call: Call, field: Field, value: Any) -> str:
    if field.data_type == "checkbox":
        return "" if isinstance(value, bool) else "expected true or false"
    if value is None:
        return ""
    if field.data_type in (*_LINKS, "url") or not field.is_stored:
        return "expected nil"
    try:
        data_type(field.data_type).stored(field, value, call.method)
    except SiteFault:
        return f"is not legal for data type {field.data_type}: {ruby(value)}"
    return ""


def _valid_values(call: Call, field: Field, value: Any) -> str:
    if value is None:
        return ""
    if field.data_type not in _CHOICES:
        return f"is not known to data type {field.data_type}"
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        return "expected Array of String"
    if len(set(value)) < len(value):
        return "expected Array without repetitions"
    unknown = set(value).difference(_statuses(call)) if field.data_type == "status_list" else set()
    return f"names no Status: {ruby(sorted(unknown))}" if unknown else ""


def _valid_types(call: Call, _field: Field, value: Any) -> str:
    if not isinstance(value, list) or len(value) != 1:
        return "expected Array with one element"
    found = call.schema.type(value[0]) if isinstance(value[0], str) else None
    if found is None or found.connection:
        return f"names no entity type: {ruby(value[0])}"
    return ""


_CHECKS = {
    "name": _name,
    "description": _text,
    "custom_metadata": _text,
    "summary_default": _summary,
    "default_value": _default,
    "valid_values": _valid_values,
    "valid_types": _valid_types,
}


def _statuses(call: Call) -> list[str]:
    table = call.tables.of("Status")
    query = select(table.c.code).where(table.c.retired.is_(False)).order_by(table.c.id)
    return [code for code in call.connection.execute(query).scalars() if code]


def _refused(call: Call, words: str, params: Mapping[str, Any]) -> SiteFault:
    return SiteFault(f"API {call.method}() {words}:\n{ruby(params)}")
