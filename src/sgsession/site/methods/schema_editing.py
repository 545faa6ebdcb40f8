"""The remote calls that change the schema: fields are made, changed, deleted and brought back (wire.md 9.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, delete, select, update

from ..call import Call
from ..database.rows import Reference, named, reserve_ids
from ..events.event_log import EventLog
from ..faults import SiteFault, ruby
from ..people.permissions import check_schema_edit
from ..requests import requested_type
from ..schema.edits import connection_name
from ..schema.field_naming import field_name, is_column_like, plural, snake_case
from ..schema.history import make_edits
from ..schema.schema_map import EntityType, Field
from .field_properties import checked_changes, checked_properties, requested_properties

CREATABLE = (
    "checkbox", "currency", "date", "date_time", "duration", "entity", "float", "footage", "list", "multi_entity",
    "number", "percent", "status_list", "text", "timecode", "url",
)  # fmt: skip


def schema_field_create(call: Call, params: Mapping[str, Any]) -> str:
    """A new field, with its other end where it links; answers with its name."""
    check_schema_edit(call, "created")
    entity_type = requested_type(call, params)
    data_type = params.get("data_type")
    if data_type not in CREATABLE:
        words = f"invalid/missing string 'data_type'. Valid data types: {ruby(list(CREATABLE))}"
        raise SiteFault(f"API {call.method}() {words}:\n{ruby(params)}")
    properties = checked_properties(call, entity_type, params)
    name = _free_name(call, entity_type, field_name(properties["display_name"]), params)
    column_id = _new_column(call)
    where = {"type": entity_type.name, "name": name, "display_column": column_id}
    edit = {"edit": "create", **where, "data_type": data_type, **properties}
    if data_type in ("entity", "multi_entity"):
        edit["reverse"] = _reverse_name(call, entity_type, edit)
    _make(call, edit)
    if edit.get("default") is True:
        # A checkbox is never empty, so the rows there are get what new ones will.
        assert call.edited is not None
        call.connection.execute(update(call.edited.of(entity_type.name)).values({name: True}))
    log = EventLog(call)
    column = _column(call, column_id, properties["display_name"])
    log.created(column)
    for each in requested_properties(call, params):
        _report(log, column, each["property_name"], None, each["value"], in_create=True)
    log.write()
    return name


def schema_field_update(call: Call, params: Mapping[str, Any]) -> bool:
    """Other properties for a field; `visible` for one project."""
    check_schema_edit(call, "updated")
    field = _requested_field(call, params)
    changes, visible = checked_changes(call, field, params)
    column_id = field.display_column or _new_column(call)
    where = {"type": field.entity_type, "name": field.name, "display_column": column_id}
    edits: list[dict[str, Any]] = []
    if changes:
        edits.append({"edit": "update", **where, **changes})
    if visible is not None:
        edits.append({"edit": "show", **where, "project": params["project"]["id"], "visible": visible})
    _make(call, *edits)
    log = EventLog(call)
    column = _column(call, column_id, changes.get("display_name", field.display_name))
    for name, value in changes.items():
        old = getattr(field, name)
        old = list(old) if isinstance(old, tuple) else old
        if old != value:
            _report(log, column, _PROPERTY_NAMES.get(name, name), old, value)
    if visible is not None:
        _report(log, column, "visible", params["project"]["id"] not in field.hidden_in, visible)
    log.write()
    return True


def schema_field_delete(call: Call, params: Mapping[str, Any]) -> bool:
    """A field into the trash, its values with it; its name stays taken (wire.md 10 #29)."""
    check_schema_edit(call, "deleted")
    field = _requested_field(call, params)
    if not field.custom:
        words = f"{field.entity_type}.{field.name} can not be deleted, it is not a custom field"
        raise SiteFault(f"API {call.method}() {words}:\n{ruby(params)}")
    _make(call, {"edit": "delete", "type": field.entity_type, "name": field.name})
    column = _column(call, field.display_column or _new_column(call), field.display_name, retired=True)
    retirement = {"type": column.type, "id": column.id, "retired_at": call.now}
    call.connection.execute(call.tables.retirement.insert(), retirement)
    log = EventLog(call)
    log.retired(column, field.display_name)
    log.write()
    return True


def schema_field_revive(call: Call, params: Mapping[str, Any]) -> bool:
    """A deleted field out of the trash, with the values it had; False when it is not deleted."""
    check_schema_edit(call, "revived")
    entity_type = requested_type(call, params)
    name = params.get("field_name")
    field = call.schema.trash.get((entity_type.name, name)) if isinstance(name, str) else None
    if field is None:
        _requested_field(call, params)
        return False
    _make(call, {"edit": "revive", "type": entity_type.name, "name": field.name})
    column = _column(call, field.display_column or _new_column(call), field.display_name)
    retirement = call.tables.retirement
    mine = and_(retirement.c.type == column.type, retirement.c.id == column.id)
    retired_at = call.connection.execute(select(retirement.c.retired_at).where(mine)).scalar() or call.now
    call.connection.execute(delete(retirement).where(mine))
    log = EventLog(call)
    log.revived(column, field.display_name, f"{retired_at:%Y-%m-%d %H:%M:%S} UTC")
    log.write()
    return True


_PROPERTY_NAMES = {"display_name": "name", "default": "default_value"}


def _make(call: Call, *edits: Mapping[str, Any]) -> None:
    if edits:
        call.edited = make_edits(call.connection, call.tables, edits)


def _requested_field(call: Call, params: Mapping[str, Any]) -> Field:
    entity_type = requested_type(call, params)
    name = params.get("field_name")
    field = entity_type.fields.get(name) if isinstance(name, str) else None
    if field is None:
        shown = name if isinstance(name, str) else ruby(name)
        raise SiteFault(f"API {call.method}() {entity_type.name}.{shown} doesn't exist:\n{ruby(params)}")
    return field


def _free_name(call: Call, entity_type: EntityType, wanted: str, params: Mapping[str, Any]) -> str:
    if (entity_type.name, wanted) in call.schema.trash:
        raise SiteFault(
            f"API {call.method}() failed, there is a retired field with the same field_name: {wanted}. "
            "Delete the retired field forever from the Trash Page in Shotgun and try again."
        )
    # Tables are named after fields and connections; PostgreSQL keeps 63 characters of a name.
    if len(wanted) > 50 or len(connection_name(entity_type.name, wanted)) > 63:
        raise SiteFault(f"API {call.method}() 'name' value is too long:\n{ruby(params)}")
    return _with_suffix(wanted, _taken(call, entity_type))


def _reverse_name(call: Call, entity_type: EntityType, edit: Mapping[str, Any]) -> str:
    """The name of the other end of a link field, free on the type it links to."""
    near = snake_case(entity_type.name)
    far = call.schema.types[edit["valid_types"][0]]
    if edit["data_type"] == "entity":
        wanted = f"sg_{plural(near)}"
    else:
        wanted = f"{near}_{edit['name']}_{plural(near)}"
    taken = _taken(call, far)
    # The field itself is about to take its name, maybe on this very type.
    return _with_suffix(wanted, {*taken, edit["name"]} if far is entity_type else taken)


def _taken(call: Call, entity_type: EntityType) -> set[str]:
    """The names of the type's fields, of the deleted ones too."""
    return {*entity_type.fields, *(name for owner, name in call.schema.trash if owner == entity_type.name)}


def _with_suffix(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 0
    while name in taken or is_column_like(name):
        number += 1
        name = f"{wanted}_{number}"
    return name


def _new_column(call: Call) -> int:
    (column_id,) = reserve_ids(call.connection, call.tables, "DisplayColumn")
    return column_id


def _column(call: Call, column_id: int, display_name: str, *, retired: bool = False) -> Reference:
    """The row that events about a field are of: it has a twin in `record` and nothing else."""
    record = call.tables.record
    name = named(display_name)
    columns = {
        "name": name["cached_display_name"],
        "name__folded": name["cached_display_name__folded"],
        "retired": retired,
    }
    mine = and_(record.c.type == "DisplayColumn", record.c.id == column_id)
    if not call.connection.execute(update(record).where(mine).values(columns)).rowcount:
        call.connection.execute(record.insert(), {"type": "DisplayColumn", "id": column_id, **columns})
    return Reference("DisplayColumn", column_id)


def _report(
    log: EventLog, column: Reference, name: str, old: Any, new: Any, *, in_create: bool = False
) -> None:
    data_type = "checkbox" if isinstance(new, bool) else "serializable" if isinstance(new, list) else "text"
    property_field = Field(column.type, name, data_type, name)
    log.changed(column, property_field, {"old_value": old, "new_value": new}, in_create=in_create)
