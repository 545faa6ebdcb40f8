"""The addresses of a site's files: the classic upload forms, and what GET serves (wire.md 2.13).

Uploads answer text under HTTP status 200, `1:<id>` or `0` and the reason: the client sends again what is
answered with an error status. What GET serves needs no credentials, for the client sends none to a host
with a port (wire.md 10, trap 13).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import select
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from sgsession.site.call import Call
from sgsession.site.data_types import data_type
from sgsession.site.engine import Engine
from sgsession.site.faults import SiteFault

from ..database.stored_files import Files
from ..files.addresses import PENDING
from ..files.attaching import attach
from ..files.forms import Form, read_form
from ..files.pictures import made_picture, placeholder
from ..files.thumbnails import (
    ThumbnailPendingError,
    image_field,
    is_filmstrip,
    publish,
    share,
    thumbnail_path,
)

__all__ = ["Forms", "file_routes"]

_log = logging.getLogger("sgsession.site")

Fields = Mapping[str, str]
Endpoint = Callable[[Request], Any]


def file_routes(
    engine: Engine, workers: Executor, is_ours: Callable[[str], bool], largest: int
) -> list[Route]:
    """The routes of forms and files; files over `largest` bytes are refused."""
    # Imported here, for it builds on the forms of this module.
    from .direct_routes import direct_routes

    forms = Forms(engine, workers, is_ours, largest)
    downloads = _Downloads(engine, workers, is_ours)
    return [
        Route("/upload/upload_file", forms.upload_file, methods=["POST"]),
        Route("/upload/publish_thumbnail", forms.publish_thumbnail, methods=["POST"]),
        Route("/upload/share_thumbnail", forms.share_thumbnail, methods=["POST"]),
        Route("/upload/get_thumbnail_url", downloads.thumbnail_url, methods=["GET"]),
        *direct_routes(forms),
        Route("/file_serve/attachment/{id}", downloads.attachment, methods=["GET"]),
        Route("/files/{id}/{signature}/{name}", downloads.file, methods=["GET"]),
        Route("/thumbnails/{id}/{signature}.jpg", downloads.thumbnail, methods=["GET"]),
        Route(PENDING, downloads.pending, methods=["GET"]),
    ]


class Forms:
    """Takes the forms of uploads, and carries them out."""

    def __init__(
        self, engine: Engine, workers: Executor, is_ours: Callable[[str], bool], largest: int
    ) -> None:
        self.engine = engine
        self.workers = workers
        self.is_ours = is_ours
        self.largest = largest

    @property
    def files(self) -> Files:
        """Where the files of the site are now."""
        return self.engine.store.files

    async def upload_file(self, request: Request) -> Response:
        """A file for a record or one of its fields."""
        return await self.answered("upload_file", request, self.attached)

    async def publish_thumbnail(self, request: Request) -> Response:
        """An image for a record to show."""
        return await self.answered("publish_thumbnail", request, self.published)

    async def share_thumbnail(self, request: Request) -> Response:
        """The thumbnail of one record for others."""
        return await self.answered("share_thumbnail", request, self._shared)

    async def answered(self, name: str, request: Request, carry_out: Callable[[str, Form], str]) -> Response:
        """What a form is answered with; its file is gone unless that is a success."""
        if not self.is_ours(request.headers.get("host", "")):
            return _foreign()
        try:
            admit = partial(self.admit, name)
            form = await read_form(request, self.files, self.largest, self.workers, admit)
        except SiteFault as fault:
            return _refusal(fault)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            return _failure()
        form.origin = f"{request.url.scheme}://{request.headers['host']}"
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, self._answered, name, form, carry_out)

    def attached(self, name: str, form: Form) -> str:
        """Attach the file of a form."""
        upload = form.upload
        if upload is None or not upload.size:
            raise SiteFault(f"API {name}() invalid/missing 'file'")
        if upload.content_type.startswith("image/"):
            upload.picture = made_picture(upload.path, whole=False)
        attachment = self.engine.perform(
            name, lambda call, fields: attach(call, upload, fields), form.fields, form.fields
        )
        return f"1:{attachment}\n"

    def published(self, name: str, form: Form) -> str:
        """Make the file of a form the thumbnail of a record."""
        upload = form.upload
        if upload is None or not upload.size:
            raise SiteFault(f"API {name}() invalid/missing 'thumb_image'")
        # Pictures are made before the transaction, for others wait while one writes.
        upload.picture = made_picture(upload.path, whole=is_filmstrip(form.fields.get("filmstrip")))
        attachment = self.engine.perform(
            name, lambda call, fields: publish(call, upload, fields), form.fields, form.fields
        )
        # Only now, for a reader before the commit would take the state of the former image.
        entity_type, entity_id = form.fields["entity_type"], int(form.fields["entity_id"])
        self.files.announce(entity_type, entity_id, image_field(form.fields))
        return f"1:{attachment}\n"

    def _shared(self, name: str, form: Form) -> str:
        form.discard()
        try:
            attachment = self.engine.perform(name, share, form.fields, form.fields)
        except ThumbnailPendingError:
            return "2\nThe thumbnail of the source is not ready yet.\n"
        return f"1:{'' if attachment is None else attachment}\n"

    def admit(self, name: str, fields: Fields) -> None:
        """Refuse who is not known to the site, before anything is stored or made for him."""
        self.engine.perform(name, lambda call, _: None, fields, fields, writes=False)

    def _answered(self, name: str, form: Form, carry_out: Callable[[str, Form], str]) -> Response:
        try:
            return PlainTextResponse(carry_out(name, form))
        except SiteFault as fault:
            form.discard()
            return _refusal(fault)
        except Exception:
            form.discard()
            return _failure()


class _Downloads:
    """Serves files and thumbnails."""

    def __init__(self, engine: Engine, workers: Executor, is_ours: Callable[[str], bool]) -> None:
        self._engine = engine
        self._workers = workers
        self._is_ours = is_ours

    async def thumbnail_url(self, request: Request) -> Response:
        """The path of a record's thumbnail in the second line, for clients that read no image fields."""
        return await self._served(request, self._thumbnail_url)

    async def attachment(self, request: Request) -> Response:
        """The file of an Attachment."""
        return await self._served(request, self._attachment)

    async def file(self, request: Request) -> Response:
        """The file of an Attachment, at the address that its row shows."""
        return await self._served(request, self._signed_file)

    async def thumbnail(self, request: Request) -> Response:
        """A thumbnail."""
        return await self._served(request, self._thumbnail)

    async def pending(self, request: Request) -> Response:
        """The picture that stands for thumbnails which are not made yet."""
        if not self._is_ours(request.headers.get("host", "")):
            return _foreign()
        return Response(placeholder(), media_type="image/png")

    async def _served(self, request: Request, serve: Callable[[Request], Response]) -> Response:
        if not self._is_ours(request.headers.get("host", "")):
            return _foreign()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, serve, request)

    def _thumbnail_url(self, request: Request) -> Response:
        try:
            path = self._engine.show("get_thumbnail_url", thumbnail_path, dict(request.query_params))
        except SiteFault as fault:
            return PlainTextResponse(f"0\n{_line(fault.message)}")
        return PlainTextResponse(f"1\n{path}")

    def _attachment(self, request: Request) -> Response:
        found = self._engine.show("file_serve", _uploaded, request.path_params["id"])
        if found is None:
            # The client knows the number: "Attachment may not exist or is a local file?" (wire.md 1.6)
            return PlainTextResponse("This attachment does not exist, or is no uploaded file.", 400)
        path, document = found
        headers = {
            # An uploaded page must not run as a page of this site.
            "content-security-policy": "sandbox",
            "x-content-type-options": "nosniff",
        }
        return FileResponse(
            path, media_type=document["content_type"], filename=_filename(document), headers=headers
        )

    def _signed_file(self, request: Request) -> Response:
        attachment = request.path_params["id"]
        if not self._files.is_signed(f"file/{attachment}", request.path_params["signature"]):
            return PlainTextResponse("This link is not valid.", 403)
        return self._attachment(request)

    def _thumbnail(self, request: Request) -> Response:
        attachment = request.path_params["id"]
        if not self._files.is_signed(f"thumbnail/{attachment}", request.path_params["signature"]):
            return PlainTextResponse("This link is not valid.", 403)
        path = self._files.picture(int(attachment))
        if not path.exists():
            return PlainTextResponse("This thumbnail is gone.", 404)
        return FileResponse(path, media_type="image/jpeg")

    @property
    def _files(self) -> Files:
        return self._engine.store.files


def _uploaded(call: Call, attachment: str) -> tuple[Path, dict[str, Any]] | None:
    """The file of an Attachment, and what `this_file` says of it; None where there is none to serve."""
    if not (attachment.isascii() and attachment.isdigit() and len(attachment) < 10) or call.files is None:
        return None
    table = call.tables.of("Attachment")
    query = select(table.c.this_file).where(table.c.id == int(attachment), table.c.retired.is_(False))
    field = call.schema.types["Attachment"].fields["this_file"]
    row = call.connection.execute(query).mappings().first()
    document = None if row is None else data_type("url").wire(field, row)
    path = call.files.original(int(attachment))
    if not isinstance(document, dict) or document.get("link_type") != "upload" or not path.exists():
        return None
    return path, document


def _filename(document: Mapping[str, Any]) -> str:
    return unquote(str(document["url"]).rpartition("/")[2])


def _refusal(fault: SiteFault) -> Response:
    return PlainTextResponse(f"0\n{fault.message}\n")


def _failure() -> Response:
    # The reason may quote SQL or file names, so it goes to the site's log and not to the wire.
    _log.exception("an upload failed")
    return _refusal(SiteFault("The upload could not be stored; the site logged the reason."))


def _line(text: str) -> str:
    # The client takes the second line for the whole reason.
    return text.replace("\n", " ")


def _foreign() -> Response:
    return PlainTextResponse("This site does not answer under that host name.", 421)
