"""Direct uploads: the site plays the storage service that signed addresses lead to (wire.md 2.13).

What arrives is kept under the upload's own id, an unguessable one, until it is linked to a record. Nothing
is remembered besides the disk, so an upload may go on after the site was started again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sgsession.site.faults import SiteFault

from ..database.stored_files import Files, Upload, safe_name
from ..files.forms import Form, bytes_of, too_large
from .file_routes import Forms

__all__ = ["direct_routes"]

_log = logging.getLogger("sgsession.site")

_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")
_TYPES = ("Attachment", "Thumbnail")
_MOST_PARTS = 10_000


def direct_routes(forms: Forms) -> list[Route]:
    """The routes of direct uploads, which begin and end with a form like the classic ones."""
    direct = _Direct(forms)
    return [
        Route("/upload/api_get_upload_link_info", direct.begin, methods=["POST"]),
        Route("/upload/api_get_upload_link_for_part", direct.part_link, methods=["POST"]),
        Route("/upload/api_complete_multipart_upload", direct.complete, methods=["POST"]),
        Route("/upload/api_link_file", direct.link, methods=["POST"]),
        Route("/storage/{upload_id}/{part}/{signature}", direct.put, methods=["PUT"]),
    ]


@dataclass(frozen=True, slots=True)
class _Pending:
    """An upload that has begun: its folder, with the parts that have arrived."""

    files: Files
    upload_id: str

    @property
    def folder(self) -> Path:
        return self.files.incoming() / self.upload_id

    @property
    def about(self) -> Path:
        return self.folder / "about.json"

    def part(self, number: int) -> Path:
        return self.folder / f"part-{number:05d}"

    def digest(self, number: int) -> Path:
        return self.folder / f"digest-{number:05d}"

    def size(self, *, besides: int) -> int:
        """The bytes that have arrived, without those of one part."""
        parts = (path for path in self.folder.glob("part-*") if path != self.part(besides))
        return sum(path.stat().st_size for path in parts)

    def address(self, number: int) -> str:
        """Where the client puts that part; the site's own address goes before it."""
        signature = self.files.signature(f"storage/{self.upload_id}/{number}")
        return f"/storage/{self.upload_id}/{number}/{signature}"

    def begun(self) -> dict[str, str]:
        """What the upload was announced as; SiteFault where it never was, or was linked already."""
        if not _UPLOAD_ID.fullmatch(self.upload_id) or not self.about.exists():
            raise SiteFault("There is no such upload.")
        about: dict[str, str] = json.loads(self.about.read_text(encoding="utf-8"))
        return about


class _Direct:
    """Takes the requests of direct uploads."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms

    async def begin(self, request: Request) -> Response:
        """Announce an upload: gives the address for its bytes."""
        return await self._forms.answered("api_get_upload_link_info", request, self._begun)

    async def part_link(self, request: Request) -> Response:
        """The address for one part of an upload."""
        return await self._forms.answered("api_get_upload_link_for_part", request, self._part_link)

    async def complete(self, request: Request) -> Response:
        """All parts have arrived: make one file of them."""
        return await self._forms.answered("api_complete_multipart_upload", request, self._completed)

    async def link(self, request: Request) -> Response:
        """Attach the uploaded file to a record, or make it its thumbnail."""
        return await self._forms.answered("api_link_file", request, self._linked)

    async def put(self, request: Request) -> Response:
        """Take the bytes of an upload, or of one part of it."""
        forms = self._forms
        upload_id, part = request.path_params["upload_id"], request.path_params["part"]
        purpose = f"storage/{upload_id}/{part}"
        if not forms.is_ours(request.headers.get("host", "")):
            return PlainTextResponse("This site does not answer under that host name.", 421)
        pending = _Pending(forms.files, upload_id)
        if not forms.files.is_signed(purpose, request.path_params["signature"]):
            return PlainTextResponse("This link is not valid.", 403)
        if not pending.about.exists():
            return PlainTextResponse("There is no such upload.", 404)
        limit = forms.largest - pending.size(besides=int(part))
        arriving = forms.files.arriving(part, limit)
        try:
            await bytes_of(request, arriving.write, forms.workers)
            if arriving.is_too_large:
                return PlainTextResponse(too_large(forms.largest).message, 413)
            loop = asyncio.get_running_loop()
            upload = await loop.run_in_executor(forms.workers, arriving.finish)
        except ClientDisconnect:
            return Response(status_code=400)
        except OSError:
            _log.exception("an upload could not be stored")
            return PlainTextResponse("The upload could not be stored.", 507)
        finally:
            if not arriving.is_finished:
                arriving.discard()
        pending.digest(int(part)).write_text(upload.digest)
        upload.path.replace(pending.part(int(part)))
        return Response(headers={"etag": f'"{upload.digest}"'})

    def _begun(self, name: str, form: Form) -> str:
        fields = form.fields
        self._admit(name, form)
        upload_type = fields.get("upload_type", "")
        if upload_type not in _TYPES:
            raise SiteFault(f"API {name}() invalid/missing 'upload_type': {upload_type}")
        if not fields.get("filename"):
            raise SiteFault(f"API {name}() invalid/missing 'filename'")
        pending = _Pending(self._forms.files, secrets.token_hex(16))
        is_multipart = fields.get("multipart_upload") == "True"
        moment = self._forms.engine.now().isoformat()
        about = {"name": safe_name(fields["filename"]), "type": upload_type}
        pending.folder.mkdir()
        pending.about.write_text(json.dumps(about), encoding="utf-8")
        address = form.origin + pending.address(1 if is_multipart else 0)
        return "\n".join(["1", address, moment, upload_type, pending.upload_id, ""])

    def _part_link(self, name: str, form: Form) -> str:
        self._admit(name, form)
        pending = _Pending(self._forms.files, form.fields.get("upload_id", ""))
        pending.begun()
        number = form.fields.get("part_number", "")
        if not (number.isascii() and number.isdigit() and len(number) < 6 and 0 < int(number) <= _MOST_PARTS):
            raise SiteFault(f"API {name}() invalid/missing 'part_number': {number}")
        return f"1\n{form.origin}{pending.address(int(number))}\n"

    def _completed(self, name: str, form: Form) -> str:
        self._admit(name, form)
        pending = _Pending(self._forms.files, form.fields.get("upload_id", ""))
        pending.begun()
        tags = [each.strip().strip('"') for each in form.fields.get("etags", "").split(",")]
        for number, tag in enumerate(tags, start=1):
            digest = pending.digest(number)
            if not digest.exists() or digest.read_text() != tag:
                raise SiteFault(f"Part {number} of the upload has not arrived as its ETag says.")
        whole = pending.folder / "whole"
        with whole.open("wb") as file:
            for number in range(1, len(tags) + 1):
                with pending.part(number).open("rb") as part:
                    shutil.copyfileobj(part, file, 1024 * 1024)
                pending.part(number).unlink()
        whole.replace(pending.part(0))
        return "1\n"

    def _linked(self, name: str, form: Form) -> str:
        self._admit(name, form)
        lines = form.fields.get("upload_link_info", "").splitlines()
        pending = _Pending(self._forms.files, lines[4] if len(lines) > 4 else "")
        about = pending.begun()
        whole = pending.part(0)
        if not whole.exists():
            raise SiteFault("The file of this upload has not arrived.")
        form.upload = Upload(self._forms.files, whole, about["name"], whole.stat().st_size, "")
        is_thumbnail = about["type"] == "Thumbnail"
        carry_out = self._forms.published if is_thumbnail else self._forms.attached
        try:
            return carry_out(name, form)
        finally:
            shutil.rmtree(pending.folder, ignore_errors=True)

    def _admit(self, name: str, form: Form) -> None:
        # None of these forms brings a file: what came with one is nothing to keep.
        form.discard()
        self._forms.admit(name, form.fields)
