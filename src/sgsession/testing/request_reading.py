"""Requests as they come off a socket: their heads, and their bodies as far as somebody wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["BrokenRequestError", "Head", "Incoming"]

_LARGEST_HEAD = 256 * 1024
_BLOCK = 256 * 1024


class BrokenRequestError(Exception):
    """What arrived is no request, or ended inside of one."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request; the names of headers are in lower case."""

    verb: str
    target: str
    version: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def length(self) -> int | None:
        """How many bytes the body has; None where it is chunked."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            return None
        text = self.headers.get("content-length", "0")
        if not text.isdigit():
            raise BrokenRequestError(f"Content-Length: {text}")
        return int(text)

    @property
    def keeps(self) -> bool:
        """Whether the client means to use the connection again."""
        return self.version == "HTTP/1.1" and self.headers.get("connection", "").lower() != "close"


class Incoming:
    """The bytes that a client sends, given a function that receives at most so many of them."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._buffer = bytearray()

    @property
    def begin(self) -> bytes:
        """What has arrived and is not taken yet."""
        return bytes(self._buffer)

    def head(self) -> Head | None:
        """The next head; None where the client has hung up before it."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _LARGEST_HEAD:
                raise BrokenRequestError("a head without end")
            if not self.more():
                if self._buffer:
                    raise BrokenRequestError("a head that breaks off")
                return None
        text = self._take(end + 4).decode("latin-1")
        first, *lines = text[:-4].split("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise BrokenRequestError(first[:80])
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        verb, target, version = words
        return Head(verb, target, version, headers)

    def more(self, most: int = _BLOCK) -> bool:
        """Receive some more; False where the client has hung up."""
        block = self._receive(most)
        self._buffer += block
        return bool(block)

    def body(self, length: int | None) -> bytes:
        """The next body, all of it."""
        return self._chunks() if length is None else self._take(length)

    def await_bytes(self, count: int) -> None:
        """Receive until so many bytes wait to be taken."""
        # No more than is asked for: what a test leaves unread must stay in the kernel.
        while len(self._buffer) < count:
            if not self.more(min(_BLOCK, count - len(self._buffer))):
                raise BrokenRequestError("a body that breaks off")

    def _take(self, count: int) -> bytes:
        self.await_bytes(count)
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if not self.more():
                raise BrokenRequestError("a chunk that breaks off")
        return self._take(end + 2)[:-2]

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._line().partition(b";")[0], 16):
            body += self._take(size)
            self._line()
        while self._line():
            pass
        return body
