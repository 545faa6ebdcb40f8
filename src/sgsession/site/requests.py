"""What a write request must look like before it is carried out, and its refusals (wire.md 5.2, 7.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any

from .call import Call, Caller
from .data_types import Given
from .faults import SiteFault, ruby
from .schema.schema_map import EntityType, Field

# Accepted and ignored: the name that the site composes itself.
_IGNORED = frozenset({"cached_display_name"})

# Only administrators say who may sign in, and what is put away.
_OF_ADMINISTRATORS: Mapping[str, frozenset[str]] = {
    "HumanUser": frozenset({
        "can_impersonate_this_user", "groups", "locked_until", "login", "permission_rule_set", "projects",
        "sg_status_list",
    }),
    "Project": frozenset({"archived", "is_template"}),
}  # fmt: skip


def requested_type(call: Call, params: Mapping[str, Any]) -> EntityType:
    """The entity type that a request names."""
    name = params.get("type")
    found = call.schema.type(name) if isinstance(name, str) else None
    if found is None:
        raise SiteFault(f"API {call.method}() invalid/missing string entity 'type':\n{ruby(params)}")
    return found


def requested_id(call: Call, params: Mapping[str, Any]) -> int:
    """The id that a request names."""
    row_id = params.get("id")
    if isinstance(row_id, bool) or not isinstance(row_id, int):
        raise SiteFault(f"API {call.method}() invalid/missing integer 'id':\n{ruby(params)}")
    return row_id


def requested_fields(
    call: Call, entity_type: EntityType, params: Mapping[str, Any], *, creating: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    """The values to write and the update modes of lists, each field known and open for writing."""
    given = params.get("fields")
    if not isinstance(given, list):
        raise SiteFault(f"API {call.method}() invalid/missing array 'fields':\n{ruby(params)}")
    values: dict[str, Any] = {}
    modes: dict[str, str] = {}
    for each in given:
        name = each.get("field_name") if isinstance(each, Mapping) else None
        if not isinstance(name, str) or "value" not in each:
            raise SiteFault(f"API {call.method}() invalid/missing 'field_name' or 'value':\n{ruby(each)}")
        _check_open(call, entity_type, name, each, creating=creating)
        values[name] = each["value"]
        modes[name] = each.get("multi_entity_update_mode", "set")
    return values, modes


def requested_return_fields(call: Call, params: Mapping[str, Any]) -> list[str]:
    """The further fields that the answer to a create is asked to show."""
    names = params.get("return_fields") or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise SiteFault(f"API {call.method}() invalid/missing array 'return_fields':\n{ruby(params)}")
    return names


def is_ignored(name: str) -> bool:
    """Whether writes of that field are accepted and change nothing."""
    return name in _IGNORED


def check_length(call: Call, name: str, values: Sized, most: int) -> None:
    """Refuse a list that nobody means, before it costs seconds and memory."""
    if len(values) > most:
        raise SiteFault(
            f"API {call.method}() '{name}' holds {len(values)} elements; at most {most} are taken"
        )


def is_open_to(caller: Caller, field: Field) -> bool:
    """Whether the caller may write a field that is reserved to administrators, or that is not."""
    return caller.administers or field.name not in _OF_ADMINISTRATORS.get(field.entity_type, ())


def is_opened_by(caller: Caller, field: Field) -> bool:
    """Whether a field that the schema calls read-only is open all the same (wire.md 6.2, 6.7)."""
    if field.name == "permission_rule_set":
        return caller.type == "HumanUser" and caller.administers
    # Passwords are write-only.
    return field.data_type == "password"


def missing_row(call: Call, entity_type: str, row_id: int) -> SiteFault:
    """The refusal of a row that does not exist."""
    return SiteFault(
        f"API {call.method}() CRUD ERROR #3: Entity of type [{entity_type}] with id={row_id} does not exist.",
        104,
    )


def forbidden(call: Call, entity_type: str, row_id: int, verb: str) -> SiteFault:
    """The refusal of what nobody may do: the event log is written once."""
    return SiteFault(
        f"API {call.method}() CRUD ERROR #4.1: Entity {entity_type} {row_id} can not be {verb} by this user. "
        f"Rule: API Admin -- PermissionRule: {call.method}_entity FOR entity_type => {entity_type}.",
        104,
    )


def _check_open(
    call: Call, entity_type: EntityType, name: str, given: Mapping[str, Any], *, creating: bool
) -> None:
    label = f"{entity_type.name}.{name}"
    refusal = Given(call.method, label, {"value": given["value"], "field_name": name})
    field = entity_type.fields.get(name)
    if name == "type":
        raise refusal.invalid(f"{label} is read only")
    if field is None:
        raise refusal.invalid(f"{label} doesn't exist")
    if not is_open_to(call.caller, field):
        raise refusal.invalid(f"{label} is read only")
    if is_opened_by(call.caller, field):
        return
    if field.create_only and not creating:
        raise refusal.invalid(f"{label} is editable on create only")
    if not field.editable and not field.create_only:
        raise refusal.invalid(f"{label} is read only")
