"""Where a client finds a file: the addresses that rows show, made anew on each read.

They are kept without the site's own address, for a site may have another port after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sgsession.site.call import Call

from ..database.stored_files import Files

__all__ = [
    "PENDING",
    "attachment_of",
    "document_with_address",
    "file_path",
    "image_addresses",
    "picture_path",
]

# The official live suite looks for the folder of this address (wire.md 2.13).
PENDING = "/images/status/transient/thumbnail_pending.png"


def file_path(files: Files, attachment: int, name: str) -> str:
    """The path of an uploaded file."""
    return f"/files/{attachment}/{files.signature(f'file/{attachment}')}/{quote(name, safe='')}"


def picture_path(files: Files, attachment: int) -> str:
    """The path of a thumbnail; the pending picture while there is none."""
    if not files.has_picture(attachment):
        return PENDING
    return f"/thumbnails/{attachment}/{files.signature(f'thumbnail/{attachment}')}.jpg"


def image_addresses(call: Call, entity_type: str, field: str, values: Mapping[int, Any]) -> dict[int, Any]:
    """What an image field reads, by row: the address, or the Attachment's id where the request wants ids."""
    files = call.files
    found: dict[int, Any] = {}
    for row_id, value in values.items():
        attachment = attachment_of(value)
        if attachment is None or files is None or call.image_ids:
            found[row_id] = value
        elif files.is_fresh(entity_type, row_id, field):
            found[row_id] = call.origin + PENDING
        else:
            found[row_id] = call.origin + picture_path(files, attachment)
    return found


def document_with_address(call: Call, document: Any) -> Any:
    """The value of a `url` field as it is read: an uploaded file shows where it lies now."""
    if not isinstance(document, dict) or document.get("link_type") != "upload":
        return document
    return {**document, "url": f"{call.origin}{document['url']}"}


def attachment_of(stored: Any) -> int | None:
    """The Attachment that a stored image is; None for no image, or one loaded from another site's dump."""
    return int(stored) if isinstance(stored, str) and stored.isascii() and stored.isdigit() else None
