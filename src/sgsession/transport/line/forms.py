"""Forms as uploads send them: written piece by piece, so that a film does not pass through memory."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from .secrets import HiddenBytes

__all__ = ["Form", "pieces_of"]

_PIECE = 262_144


class Form:
    """The fields of a form, ready to be sent, again if need be; files are rewound.

    Args:
        fields: texts by name, and open files.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._files = {name: value for name, value in fields.items() if isinstance(value, io.IOBase)}
        texts = {name: value for name, value in fields.items() if name not in self._files}
        if not self._files:
            self.content_type = "application/x-www-form-urlencoded"
            self._head, self._tail = HiddenBytes(urlencode(texts, True).encode("ascii")), b""
        else:
            boundary = os.urandom(16).hex()
            self.content_type = f"multipart/form-data; boundary={boundary}"
            self._opening = f"--{boundary}\r\n".encode()
            self._head = HiddenBytes(b"".join(self._text_part(name, value) for name, value in texts.items()))
            self._tail = f"--{boundary}--\r\n".encode()
        self._sizes = {name: _size(file) for name, file in self._files.items()}
        self.length = len(self._head) + len(self._tail)
        for name, size in self._sizes.items():
            self.length += len(self._file_head(name)) + size + len(b"\r\n")

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, from the first one on."""
        yield self._head
        for name, file in self._files.items():
            yield self._file_head(name)
            yield from pieces_of(file, self._sizes[name])
            yield b"\r\n"
        yield self._tail

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()

    def _text_part(self, name: str, value: Any) -> bytes:
        head = f'Content-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
        return self._opening + head.encode() + str(value).encode() + b"\r\n"

    def _file_head(self, name: str) -> bytes:
        file_name = os.path.basename(str(getattr(self._files[name], "name", "file")))
        disposition = f'form-data; name="{_quoted(name)}"; filename="{_quoted(file_name)}"'
        head = f"Content-Disposition: {disposition}\r\nContent-Type: {_content_type(file_name)}\r\n\r\n"
        return self._opening + head.encode()


def pieces_of(file: Any, size: int) -> Iterator[bytes]:
    """The bytes of an open file from its beginning, exactly as many as were announced.

    Raises:
        OSError: it has become shorter since.
    """
    file.seek(0)
    left = size
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise OSError(f"the file became {left} bytes shorter while it was being sent")
        left -= len(piece)
        yield piece


def _size(file: Any) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return int(size)


def _content_type(file_name: str) -> str:
    import mimetypes  # here: only uploads need it, and it reads the system's tables

    return mimetypes.guess_type(file_name)[0] or "application/octet-stream"


def _quoted(text: str) -> str:
    # As browsers do; a line break would begin a header.
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
