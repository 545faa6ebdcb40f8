"""The forms that uploads arrive in: read piece by piece, the file straight to disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import Request

from sgsession.site.faults import SiteFault

from ..database.stored_files import Arriving, Files, Upload

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartParser

__all__ = ["Form", "bytes_of", "read_form", "too_large"]

# All the text of a form; the longest that the client sends is a list of entities to share a thumbnail with.
_MOST_TEXT = 1024 * 1024
_MOST_FIELDS = 100

# What is handed to a worker thread at once: enough that the switch does not count.
_BLOCK = 1024 * 1024


@dataclass(slots=True)
class Form:
    """The fields of a form, and the file that came with it."""

    fields: dict[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    origin: str = ""  # how the client reaches the site

    def discard(self) -> None:
        """Remove the file, for what it was sent for did not happen."""
        if self.upload is not None:
            self.upload.discard()


def too_large(limit: int) -> SiteFault:
    """The refusal of a file over the limit."""
    return SiteFault(f"The file is too large: this site takes at most {limit} bytes.")


async def read_form(
    request: Request, files: Files, limit: int, workers: Executor, admit: Callable[[Mapping[str, str]], None]
) -> Form:
    """The form in the body, multipart or urlencoded.

    `admit` is told the fields so far before a file is stored, and refuses strangers: the client, as every
    encoder of forms, sends the fields first.

    A body that is refused is still taken to its end: the client listens only once it has sent everything,
    and would take a closed connection for a reason to send it all again (wire.md 1.6).
    """
    media_type = request.headers.get("content-type", "")
    reader: _Reader
    if media_type.partition(";")[0].strip().lower() == "multipart/form-data":
        reader = _Multipart(media_type, files, limit, admit)
    else:
        reader = _UrlEncoded()
    try:
        await bytes_of(request, reader.write, workers)
        return await asyncio.get_running_loop().run_in_executor(workers, reader.finish)
    except BaseException:
        reader.discard()
        raise


async def bytes_of(request: Request, write: Callable[[bytes], None], workers: Executor) -> None:
    """Hand the body of a request to `write`, in order and in worker threads; memory stays flat."""
    loop = asyncio.get_running_loop()
    waiting: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        waiting.append(chunk)
        size += len(chunk)
        if size >= _BLOCK:
            await loop.run_in_executor(workers, write, b"".join(waiting))
            waiting, size = [], 0
    if waiting:
        await loop.run_in_executor(workers, write, b"".join(waiting))


class _Reader:
    """Takes the bytes of a form; the first refusal stands, and what follows it is dropped."""

    def __init__(self) -> None:
        self.form = Form()
        self.fault: Exception | None = None

    def write(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        if self.fault is None:
            try:
                self.take(data)
            # A full disk is no reason either to stop listening to the client.
            except Exception as fault:
                self.fault = fault

    def finish(self) -> Form:
        """The form, complete; raises why it is not."""
        if self.fault is not None:
            raise self.fault
        return self.form

    def discard(self) -> None:
        """Remove what has arrived of a file."""
        self.form.discard()

    def take(self, data: bytes) -> None:
        raise NotImplementedError

    def add_field(self, name: str, value: str) -> None:
        if len(self.form.fields) >= _MOST_FIELDS:
            raise SiteFault("The form has too many fields.")
        self.form.fields[name] = value


class _UrlEncoded(_Reader):
    """A form without a file."""

    def __init__(self) -> None:
        super().__init__()
        self._body = bytearray()

    def take(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > _MOST_TEXT:
            self._body.clear()
            raise SiteFault("The form is too long.")

    def finish(self) -> Form:
        if self.fault is None:
            try:
                # ValueError: more fields than allowed.
                text = self._body.decode("utf-8", "replace")
                pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
                self.form.fields.update(pairs)
            except ValueError:
                self.fault = SiteFault("The form has too many fields.")
        return super().finish()


class _Multipart(_Reader):
    """A form with a file in it."""

    def __init__(
        self, media_type: str, files: Files, limit: int, admit: Callable[[Mapping[str, str]], None]
    ) -> None:
        super().__init__()
        self._admit = admit
        self._files = files
        self._limit = limit
        self._arriving: Arriving | None = None
        self._headers: dict[bytes, bytes] = {}
        self._header = [b"", b""]
        self._name = ""
        self._text = bytearray()
        self._all_text = 0
        self._ended = False
        self._parser = self._parser_for(media_type)

    def take(self, data: bytes) -> None:
        from python_multipart.exceptions import MultipartParseError

        if self._parser is None:
            raise SiteFault("The form has no boundary.")
        try:
            self._parser.write(data)
        except MultipartParseError:
            raise SiteFault("The form is no multipart/form-data.") from None

    def finish(self) -> Form:
        if self.fault is None and not self._ended:
            self.fault = SiteFault("The form breaks off before its end.")
        return super().finish()

    def discard(self) -> None:
        super().discard()
        if self._arriving is not None:
            self._arriving.discard()

    def _parser_for(self, media_type: str) -> MultipartParser | None:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser, parse_options_header

        _, options = parse_options_header(media_type)
        # FormParserError: a boundary of a megabyte. Without one there is nothing to find the parts by.
        with suppress(FormParserError):
            if options.get(b"boundary"):
                return MultipartParser(
                    options[b"boundary"],
                    {
                        "on_part_begin": self._part_begins,
                        "on_header_field": self._header_name,
                        "on_header_value": self._header_value,
                        "on_header_end": self._header_ends,
                        "on_headers_finished": self._headers_end,
                        "on_part_data": self._part_data,
                        "on_part_end": self._part_ends,
                        "on_end": self._end,
                    },
                )
        return None

    def _part_begins(self) -> None:
        self._headers = {}
        self._text = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._count_text(end - start)
        self._header[0] += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._count_text(end - start)
        self._header[1] += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header[0].lower()] = self._header[1]
        self._header = [b"", b""]

    def _headers_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            return
        if self._arriving is not None or self.form.upload is not None:
            raise SiteFault("The form holds more than one file.")
        self._admit(self.form.fields)
        name = options[b"filename"].decode("utf-8", "replace")
        self._arriving = self._files.arriving(name, self._limit)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._arriving is not None:
            self._arriving.write(data[start:end])
            if self._arriving.is_too_large:
                raise too_large(self._limit)
            return
        self._count_text(end - start)
        self._text += data[start:end]

    def _part_ends(self) -> None:
        if self._arriving is not None:
            self.form.upload = self._arriving.finish()
            self._arriving = None
        else:
            self.add_field(self._name, self._text.decode("utf-8", "replace"))

    def _count_text(self, size: int) -> None:
        self._all_text += size
        if self._all_text > _MOST_TEXT:
            raise SiteFault("The form is too long.")

    def _end(self) -> None:
        self._ended = True
