"""Thumbnails of rows: published, shared between rows, and found for old clients (wire.md 2.13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgsession.site.call import Call
from sgsession.site.database.rows import Reference, project_of
from sgsession.site.events.event_log import EventLog
from sgsession.site.faults import SiteFault
from sgsession.site.requests import missing_row

from ..database.stored_files import Upload
from .addresses import attachment_of, picture_path
from .attaching import changed_row, made_attachment, row_named, target_of

__all__ = ["ThumbnailPendingError", "publish", "share", "thumbnail_path"]

# What a form sends for a Python True or 1.
_TRUE = ("True", "true", "1")


class ThumbnailPendingError(Exception):
    """The thumbnail to share has not been made yet."""


def publish(call: Call, upload: Upload, form: Mapping[str, str]) -> int:
    """The Attachment of an uploaded thumbnail, which the record shows from now on."""
    row, columns = target_of(call, form.get("entity_type"), form.get("entity_id"))
    field = _image_field(call, row, form.get("filmstrip"))
    log = EventLog(call)
    project = project_of(row.type, columns)
    attachment = made_attachment(call, log, upload, {}, project, None, is_thumbnail=True)
    # While it is being made, and once it is there (wire.md 8.3).
    _report(call, log, row, field, (attachment_of(columns[field]), attachment.id), is_transient=True)
    stored: dict[str, Any] = {field: str(attachment.id)}
    if "image_source_entity__id" in columns:
        stored.update(image_source_entity__type=None, image_source_entity__id=None)
    _store(call, log, row, columns, stored, field)
    _report(call, log, row, field, (None, attachment.id), is_transient=False)
    log.write()
    upload.keep(attachment.id)
    return attachment.id


def share(call: Call, form: Mapping[str, str]) -> int | None:
    """Let records show the thumbnail of another; gives its Attachment, None where they were cleared."""
    assert call.files is not None
    source, source_columns = row_named(call, *_split(form.get("source_entity", "")))
    if not call.caller.sees(project_of(source.type, source_columns)):
        raise missing_row(call, source.type, source.id)
    field = _image_field(call, source, form.get("filmstrip_thumbnail"))
    shared = source_columns[field]
    attachment = attachment_of(shared)
    if attachment is not None and not call.files.has_picture(attachment):
        raise ThumbnailPendingError
    log = EventLog(call)
    for text in form.get("entities", "").split(","):
        row, columns = target_of(call, *_split(text.strip()))
        own = _image_field(call, row, form.get("filmstrip_thumbnail"))
        stored: dict[str, Any] = {own: shared}
        if "image_source_entity__id" in columns and row != source:
            linked = (None, None) if shared is None else source
            stored.update(image_source_entity__type=linked[0], image_source_entity__id=linked[1])
        _store(call, log, row, columns, stored, own)
        if columns[own] != shared:
            values = (attachment_of(columns[own]), attachment)
            _report(call, log, row, own, values, is_transient=False)
    log.write()
    return attachment


def thumbnail_path(call: Call, query: Mapping[str, str]) -> str:
    """The path of a record's thumbnail, for clients that know no image fields."""
    row, columns = row_named(call, query.get("entity_type"), query.get("entity_id"))
    attachment = attachment_of(columns[_image_field(call, row, None)])
    if attachment is None or call.files is None:
        raise SiteFault(f"{row.type} {row.id} has no thumbnail.")
    return picture_path(call.files, attachment)


def is_filmstrip(flag: str | None) -> bool:
    """Whether a form's flag says that it is about the filmstrip."""
    return flag in _TRUE


def image_field(form: Mapping[str, str]) -> str:
    """The name of the field that a published thumbnail goes to."""
    return "filmstrip_image" if is_filmstrip(form.get("filmstrip")) else "image"


def _image_field(call: Call, row: Reference, filmstrip: str | None) -> str:
    name = "filmstrip_image" if is_filmstrip(filmstrip) else "image"
    if call.schema.field(row.type, name) is None:
        raise SiteFault(f"API {call.method}() {row.type}.{name} doesn't exist")
    return name


def _split(text: str) -> tuple[str, str]:
    """The type and id in `Shot_12`."""
    entity_type, _, entity_id = text.rpartition("_")
    return entity_type, entity_id


def _store(
    call: Call,
    log: EventLog,
    row: Reference,
    columns: Mapping[str, Any],
    stored: Mapping[str, Any],
    image: str,
) -> None:
    # The image has events of a shape of its own: here it counts as unchanged.
    changed_row(call, log, row, {**columns, image: stored[image]}, stored, {})


def _report(
    call: Call,
    log: EventLog,
    row: Reference,
    field: str,
    values: tuple[int | None, int | None],
    *,
    is_transient: bool,
) -> None:
    old, new = values
    meta = {"old_value": old, "new_value": new, "is_transient": is_transient}
    log.changed(row, call.schema.types[row.type].fields[field], meta, in_create=False)
