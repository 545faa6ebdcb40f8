"""Creating and updating rows: the row, its twin in `record`, its links and its events, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from ..call import Call
from ..data_types import Given, data_type
from ..database.rows import Reference, blank_row, insert_rows, known, named, project_of, reserve_ids
from ..events.changes import report_changes
from ..events.event_log import EventLog
from ..faults import SiteFault, ruby
from ..people.passwords import keep_password
from ..people.permissions import check_change, is_there
from ..people.personal import keep_personal
from ..queries import reading
from ..requests import (
    forbidden,
    is_ignored,
    missing_row,
    requested_fields,
    requested_id,
    requested_return_fields,
    requested_type,
)
from ..schema.display_names import display_name, implied_names, naming_fields
from ..schema.schema_map import EntityType, Field
from ..tasks.templates import dependencies_to_make, tasks_made, tasks_to_make
from .consequences import after_write, check_template_task, implied_columns
from .documents import minted, published_path
from .links import stamp, write_list
from .retirement import retire_rows
from .storing import living_row, store_columns
from .uniqueness import check_pair, check_unique

# Whoever creates one of these is its author, unless the request names another.
_AUTHORED = frozenset({"Note", "Reply", "EventLogEntry"})


def create(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """A new row; answers with what was written and what else was asked for."""
    entity_type = requested_type(call, params)
    written, _ = requested_fields(call, entity_type, params, creating=True)
    shown = requested_return_fields(call, params)
    _check_required(call, entity_type, written, params)
    log = EventLog(call)
    row = _insert(call, log, entity_type, written)
    # The tasks of a template are made in the same call, but its answer does not show them yet (wire.md 6.7).
    answer = reading.rows(call, row.type, [row.id], list(dict.fromkeys([*written, *shown])))[0]
    if written.get("task_template") is not None:
        _apply_template(call, log, entity_type, row)
    log.write()
    return answer


def update(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """A changed row; answers with the fields that were written, as they are now."""
    entity_type = requested_type(call, params)
    row_id = requested_id(call, params)
    before = living_row(call, entity_type.name, row_id)
    if before is None:
        raise missing_row(call, entity_type.name, row_id)
    if entity_type.name == "EventLogEntry":
        raise forbidden(call, entity_type.name, row_id, "updated")
    written, modes = requested_fields(call, entity_type, params, creating=False)
    log = EventLog(call)
    _change(call, log, entity_type, before, written, modes)
    if "task_template" in written:
        _apply_template(call, log, entity_type, Reference(entity_type.name, row_id), before)
    log.write()
    return reading.rows(call, entity_type.name, [row_id], list(written))[0]


def _insert(call: Call, log: EventLog, entity_type: EntityType, written: Mapping[str, Any]) -> Reference:
    (row_id,) = reserve_ids(call.connection, call.tables, entity_type.name)
    row = Reference(entity_type.name, row_id)
    values = {**_defaults(call, entity_type, row_id, written), **written}
    values.update(implied_names(entity_type, values, {}))
    scalars, lists = _split(entity_type, values)
    if entity_type.name != "EventLogEntry":
        log.created(row)
    blank = blank_row(entity_type)
    columns = {**blank, "id": row_id, **_stored(call, log, row, entity_type, scalars)}
    columns.update(implied_columns(call, entity_type, blank, columns, values))
    _check_identity(call, entity_type, columns, written)
    check_unique(call, entity_type, row_id, columns, entity_type.fields)
    check_pair(call, entity_type, columns)
    columns.update(named(display_name(entity_type, row_id, columns)))
    check_change(call, row, project_of(row.type, columns), "created")
    insert_rows(call.connection, call.tables, row.type, [columns])
    changed = {name: write_list(call, row, entity_type.fields[name], value) for name, value in lists.items()}
    if row.type != "EventLogEntry":
        report_changes(call, log, entity_type, row, blank, columns, changed, in_create=True)
    _keep_apart(call, log, row, entity_type, written)
    after_write(call, log, row, blank, columns, changed)
    return row


def _change(
    call: Call,
    log: EventLog,
    entity_type: EntityType,
    before: Mapping[str, Any],
    written: Mapping[str, Any],
    modes: Mapping[str, str],
) -> None:
    row = Reference(entity_type.name, before["id"])
    values = {**written, **implied_names(entity_type, written, before)}
    if "image" in values and values["image"] is None and "filmstrip_image" in entity_type.fields:
        values["filmstrip_image"] = None
    scalars, lists = _split(entity_type, values)
    columns = {**before, **_stored(call, log, row, entity_type, scalars, before)}
    columns.update(implied_columns(call, entity_type, before, columns, values))
    _check_identity(call, entity_type, columns, written)
    check_unique(call, entity_type, row.id, columns, scalars)
    changed_columns = {name: value for name, value in columns.items() if before[name] != value}
    if naming_fields(entity_type) & scalars.keys():
        columns.update(named(display_name(entity_type, row.id, columns)))
    for each in (before, columns):
        check_change(call, row, project_of(row.type, each), "updated")
    store_columns(call, row, before, columns)
    changed = {
        name: write_list(call, row, entity_type.fields[name], value, modes.get(name, "set"))
        for name, value in lists.items()
    }
    if changed_columns or any(changed.values()):
        store_columns(call, row, {}, stamp(call, row.type))
    report_changes(call, log, entity_type, row, before, columns, changed, in_create=False)
    _keep_apart(call, log, row, entity_type, written)
    after_write(call, log, row, before, columns, changed)
    if "replies" in changed:
        retire_rows(call, log, changed["replies"].removed)


def _apply_template(
    call: Call,
    log: EventLog,
    entity_type: EntityType,
    row: Reference,
    before: Mapping[str, Any] | None = None,
) -> None:
    """Make the tasks of the template that the row names, except those that were made from it already."""
    if "tasks" not in entity_type.fields:
        return  # tasks and files belong to a template; it is not applied to them
    after = living_row(call, *row)
    template = after["task_template__id"] if after else None
    if after is None or template is None or (before and before["task_template__id"] == template):
        return
    project = after.get("project__id")
    link = None if project is None else {"type": "Project", "id": project}
    had = tasks_made(call, row)
    made = dict(had)
    for template_task, values in list(tasks_to_make(call, row, link, template, had)):
        made[template_task] = _insert(call, log, call.schema.types["Task"], values).id
    for values in list(dependencies_to_make(call, had, made)):
        _insert(call, log, call.schema.types["TaskDependency"], values)


def _keep_apart(
    call: Call, log: EventLog, row: Reference, entity_type: EntityType, written: Mapping[str, Any]
) -> None:
    """Keep the written values that are not the row's: passwords, and what each caller has of their own."""
    keep_personal(call, log, row, entity_type, written)
    for name, value in written.items():
        if entity_type.fields[name].data_type == "password":
            keep_password(call.connection, call.tables, row, value)


def _split(entity_type: EntityType, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of the row itself, and its lists of links; without those that writes ignore."""
    scalars: dict[str, Any] = {}
    lists: dict[str, Any] = {}
    for name, value in values.items():
        if name == "password_proxy" and "password_set" in entity_type.fields:
            scalars["password_set"] = bool(value)
        if not is_ignored(name) and not entity_type.fields[name].is_personal:
            (lists if entity_type.fields[name].is_list else scalars)[name] = value
    return scalars, lists


def _stored(
    call: Call,
    log: EventLog,
    row: Reference,
    entity_type: EntityType,
    values: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The checked columns of the values."""
    columns: dict[str, Any] = {}
    links: dict[Reference, tuple[Field, Any]] = {}
    documents: dict[str, Any] = {}
    for name, value in values.items():
        field = entity_type.fields[name]
        if field.data_type == "url":
            documents[name] = value
            continue
        columns.update(data_type(field.data_type).stored(field, value, call.method))
        if field.data_type == "entity_type" and columns[name] not in (None, *call.schema.types):
            # Filters take any name, writes those of the site's own types, to the letter (wire.md 4.2, 5.1).
            raise Given.to_write(field, value, call.method).illegal(f"'{value}' is not a valid entity type.")
        if field.data_type == "entity" and value is not None:
            links[Reference(columns[f"{name}__type"], columns[f"{name}__id"])] = (field, value)
    alive = known(call.connection, call.tables, links)
    for target, (field, value) in links.items():
        given = Given.to_write(field, value, call.method)
        if field.name in entity_type.ends and target.type not in field.valid_types:
            raise given.failed(f"{', '.join(field.valid_types)} expected, got {target.type}")
        # A project out of reach is refused as such, once it is known which row would stand there.
        elsewhere = field.name == "project" and target in alive and not alive[target].retired
        if target != row and not elsewhere and not is_there(call, alive.get(target)):
            raise given.failed("Value is not legal.")
    for name, value in documents.items():
        columns.update(_document(call, log, row, entity_type, name, value, {**(before or {}), **columns}))
    return columns


def _document(
    call: Call,
    log: EventLog,
    row: Reference,
    entity_type: EntityType,
    name: str,
    value: Any,
    columns: Mapping[str, Any],
) -> dict[str, Any]:
    field = entity_type.fields[name]
    document = minted(call, log, row, field, value, columns.get("project__id"))
    stored = data_type("url").stored(field, document, call.method)
    if row.type == "PublishedFile" and name == "path":
        for implied, each in published_path(document).items():
            target = entity_type.fields[implied]
            stored.update(data_type(target.data_type).stored(target, each, call.method))
    if row.type == "Attachment" and name == "this_file" and document and not columns.get("display_name"):
        target = entity_type.fields["display_name"]
        stored.update(data_type("text").stored(target, document["name"], call.method))
    return stored


def _defaults(call: Call, entity_type: EntityType, row_id: int, written: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a new row for the fields that the request leaves out (wire.md 6.3)."""
    moment = f"{call.now.isoformat()}Z"
    caller = {"type": call.caller.type, "id": call.caller.id}
    special: dict[str, Any] = {
        "created_at": moment,
        "created_by": caller,
        "updated_at": moment,
        "updated_by": caller,
    }
    if entity_type.name in _AUTHORED:
        special["user"] = caller
    if entity_type.name == "TimeLog":
        special["date"] = moment[:10]
    if entity_type.name == "Step":
        table = call.tables.of("Step")
        last = call.connection.execute(select(func.max(table.c.list_order))).scalar()
        special["list_order"] = (last or 0) + 1
    if entity_type.new_name is not None and entity_type.identity is not None:
        special[entity_type.identity] = entity_type.new_name.format(id=row_id)
    values = {}
    for name, field in entity_type.fields.items():
        if name in written or not field.is_stored:
            continue
        if name in special:
            values[name] = special[name]
        elif field.data_type == "uuid" and not field.create_only:
            values[name] = str(uuid4())
        elif field.default is not None:
            values[name] = field.default
    return values


def _check_required(
    call: Call, entity_type: EntityType, written: Mapping[str, Any], params: Mapping[str, Any]
) -> None:
    if entity_type.name == "Task" and written.get("task_template") is not None:
        check_template_task(call, written.get("project"), params)
        return
    required = ("project",) if entity_type.project_required else entity_type.ends
    for name in required:
        if written.get(name) is None:
            raise SiteFault(f"API {call.method}() missing '{name}' attribute:\n{ruby(params)}")


def _check_identity(
    call: Call, entity_type: EntityType, columns: Mapping[str, Any], written: Mapping[str, Any]
) -> None:
    """Refuse a row without a name, where the name is one field and rows must have one."""
    name = entity_type.identity
    # A Task may do without (its links then read "-"), and composed names have other parts.
    if name is None or entity_type.naming or entity_type.name == "Task":
        return
    required = name in written or entity_type.name == "Project"
    if required and entity_type.fields[name].mandatory and columns[name] is None:
        field = entity_type.fields[name]
        given = Given.to_write(field, written.get(name), call.method)
        raise given.failed(f"Cannot set identifier field to empty. ({entity_type.name})")
