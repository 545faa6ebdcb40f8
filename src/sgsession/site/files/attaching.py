"""What an upload does to the rows: an Attachment, the field or record it is joined to, the events."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from sgsession.site.call import Call
from sgsession.site.data_types import Given, data_type
from sgsession.site.database.rows import Reference, blank_row, insert_rows, named, project_of, reserve_ids
from sgsession.site.events.changes import report_changes
from sgsession.site.events.event_log import EventLog
from sgsession.site.faults import SiteFault
from sgsession.site.people.permissions import check_change
from sgsession.site.requests import forbidden, missing_row
from sgsession.site.schema.schema_map import Field
from sgsession.site.writes.links import ListChange, stamp, write_list
from sgsession.site.writes.storing import living_row, store_columns

from ..database.stored_files import Upload
from .addresses import file_path

__all__ = ["attach", "changed_row", "made_attachment", "row_named", "target_of"]


def attach(call: Call, upload: Upload, form: Mapping[str, str]) -> int:
    """The Attachment of an uploaded file, in the field that the form names or joined to the record."""
    row, columns = target_of(call, form.get("entity_type"), form.get("entity_id"))
    field = _field(call, row, form["field_name"]) if form.get("field_name") else None
    log = EventLog(call)
    attachment = made_attachment(
        call, log, upload, form, project_of(row.type, columns), None if field else row
    )
    if field is not None and field.is_list:
        change = write_list(call, row, field, [attachment._asdict()], "add")
        changed_row(call, log, row, columns, {}, {field.name: change})
    elif field is not None:
        stored = {field.name: _document(call, attachment)}
        changed_row(call, log, row, columns, stored, {})
    log.write()
    upload.keep(attachment.id)
    return attachment.id


def target_of(call: Call, entity_type: Any, entity_id: Any) -> tuple[Reference, dict[str, Any]]:
    """The living row that a form is to change, with its columns."""
    row, columns = row_named(call, entity_type, entity_id)
    if row.type == "EventLogEntry":
        raise forbidden(call, row.type, row.id, "updated")
    check_change(call, row, project_of(row.type, columns), "updated")
    return row, columns


def row_named(call: Call, entity_type: Any, entity_id: Any) -> tuple[Reference, dict[str, Any]]:
    """The living row of a form's type and id, with its columns."""
    found = call.schema.type(entity_type) if isinstance(entity_type, str) else None
    if found is None:
        raise SiteFault(f"API {call.method}() invalid/missing string entity 'type': {entity_type}")
    text = entity_id if isinstance(entity_id, str) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise SiteFault(f"API {call.method}() invalid/missing integer 'id': {entity_id}")
    row = Reference(found.name, int(text))
    columns = living_row(call, row.type, row.id)
    if columns is None:
        raise missing_row(call, row.type, row.id)
    return row, columns


def made_attachment(
    call: Call,
    log: EventLog,
    upload: Upload,
    form: Mapping[str, str],
    project: int | None,
    joined_to: Reference | None,
    *,
    is_thumbnail: bool = False,
) -> Reference:
    """A new Attachment for a file, with its events."""
    assert call.files is not None
    (row_id,) = reserve_ids(call.connection, call.tables, "Attachment")
    row = Reference("Attachment", row_id)
    entity_type = call.schema.types["Attachment"]
    shown = form.get("display_name") or upload.name
    written: dict[str, Any] = {
        "this_file": {
            "url": file_path(call.files, row_id, upload.name),
            "name": shown,
            "content_type": upload.content_type,
            "link_type": "upload",
            "type": "Attachment",
            "id": row_id,
        },
        "display_name": shown,
        "filename": upload.name,
        "original_fname": upload.name,
        "file_size": upload.size if upload.size < 2**31 else None,
        # Null once the thumbnail is made; what is no image Pillow reads stays as it is.
        "processing_status": "thumbnail_pending_us" if is_thumbnail and upload.picture is None else None,
        "file_extension": os.path.splitext(upload.name)[1].lstrip(".").lower() or None,
        "sg_status_list": "na",
    }
    columns = {**blank_row(entity_type), **stamp(call, "Attachment"), "id": row_id}
    columns.update(created_at=_moment(call, form), created_by__type=call.caller.type)
    columns["created_by__id"] = call.caller.id
    for name, value in written.items():
        field = entity_type.fields[name]
        columns.update(data_type(field.data_type).stored(field, value, call.method))
    columns.update(project__type=None if project is None else "Project", project__id=project)
    if upload.picture is not None:
        columns["image"] = str(row_id)
    log.created(row)
    insert_rows(call.connection, call.tables, "Attachment", [{**columns, **named(shown)}])
    lists = _lists(call, row, form, joined_to)
    before = blank_row(entity_type)
    report_changes(call, log, entity_type, row, before, columns, lists, in_create=True)
    return row


def changed_row(
    call: Call,
    log: EventLog,
    row: Reference,
    before: Mapping[str, Any],
    stored: Mapping[str, Any],
    lists: Mapping[str, ListChange],
) -> None:
    """Store the columns of a row that an upload changes, and report what changed."""
    columns = {**stored, **stamp(call, row.type)}
    store_columns(call, row, {}, columns)
    entity_type = call.schema.types[row.type]
    report_changes(call, log, entity_type, row, before, {**before, **columns}, lists, in_create=False)


def _field(call: Call, row: Reference, name: str) -> Field:
    label = f"{row.type}.{name}"
    refusal = Given(call.method, label, {"field_name": name})
    field = call.schema.field(row.type, name)
    if field is None:
        raise refusal.invalid(f"{label} doesn't exist")
    takes_files = field.data_type == "url" or (field.is_list and "Attachment" in field.valid_types)
    if not takes_files:
        raise refusal.invalid(f"{label} is not a field that files can be uploaded to")
    if field.create_only:
        raise refusal.invalid(f"{label} is editable on create only")
    if not field.editable:
        raise refusal.invalid(f"{label} is read only")
    return field


def _document(call: Call, attachment: Reference) -> str:
    """The `this_file` of an Attachment, which the field it was uploaded to shows as well."""
    table = call.tables.of("Attachment")
    query = select(table.c.this_file).where(table.c.id == attachment.id)
    return str(call.connection.execute(query).scalar_one())


def _lists(
    call: Call, row: Reference, form: Mapping[str, str], joined_to: Reference | None
) -> dict[str, ListChange]:
    fields = call.schema.types["Attachment"].fields
    changed = {}
    tags = [each.strip() for each in form.get("tag_list", "").split(",") if each.strip()]
    if tags:
        changed["tag_list"] = write_list(call, row, fields["tag_list"], tags)
    if joined_to is not None:
        links = [joined_to._asdict()]
        changed["attachment_links"] = write_list(call, row, fields["attachment_links"], links)
    return changed


def _moment(call: Call, form: Mapping[str, str]) -> Any:
    """When the Attachment was made: the moment that the form gives, or now."""
    field = call.schema.types["Attachment"].fields["created_at"]
    moment = form.get("created_at") or f"{call.now.isoformat()}Z"
    return data_type("date_time").stored(field, moment, call.method)["created_at"]
