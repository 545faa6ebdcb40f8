"""What can go wrong with one request, and at which points of its life: the actions of a FaultSite.

The points, in the order in which a request passes them:

| point            | where the site is then                                             |
|------------------|--------------------------------------------------------------------|
| `accept`         | a connection was taken; nothing was read                           |
| `tls`            | the client has said hello; the handshake has not begun (only TLS)  |
| `headers`        | the head of a request was read                                     |
| `body`           | half of its body was read                                          |
| `before_execute` | all of it was read; nothing was executed                           |
| `after_execute`  | it was executed; no byte of the answer has left                    |
| `after_headers`  | the head of the answer has left                                    |
| `mid_body`       | half of the answer's body has left                                 |
| `keepalive_idle` | the whole answer has left; the connection waits for the next request |
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, Literal

__all__ = [
    "POINTS",
    "Action",
    "Answering",
    "BadChunking",
    "BadGzip",
    "Empty",
    "EndlessHeaders",
    "Fin",
    "Garbage",
    "Given",
    "Html",
    "Huge",
    "Instead",
    "NotTheEnvelope",
    "Point",
    "Redirect",
    "Reply",
    "Reset",
    "Slow",
    "Stall",
    "Status",
    "SwappedAnswer",
    "TlsEof",
    "Truncated",
    "WrongLength",
]

Point = Literal[
    "accept",
    "tls",
    "headers",
    "body",
    "before_execute",
    "after_execute",
    "after_headers",
    "mid_body",
    "keepalive_idle",
]

POINTS: tuple[Point, ...] = (
    "accept",
    "tls",
    "headers",
    "body",
    "before_execute",
    "after_execute",
    "after_headers",
    "mid_body",
    "keepalive_idle",
)

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"

# What is sent at once of a body that is made as it leaves: memory stays flat, whatever its size.
_BLOCK = 64 * 1024

# Where an answer can take the place of the true one.
_INSTEAD: frozenset[Point] = frozenset({"headers", "body", "before_execute", "after_execute"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What leaves for a request, byte for byte; after one that does not keep the connection, it ends."""

    head: bytes
    body: bytes | Iterable[bytes] = b""
    keeps: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """What an action may work with: the true answer, or a stand-in where nothing was executed, and another's."""

    body: bytes = b'{"results":{}}'
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", _JSON),)
    other: Callable[[], bytes] = lambda: b'{"results":{}}'

    def reply(self) -> Reply:
        """The true answer, as it stands."""
        return Reply(head_of(self.status, self.headers, len(self.body)), self.body)


def head_of(status: int, headers: Iterable[tuple[str, str]], length: int | None) -> bytes:
    """The head of an answer, blank line included; without a `length` it names none."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unassigned"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Action:
    """Something that goes wrong at a point of a request's life."""

    points: ClassVar[frozenset[Point]] = frozenset(POINTS)
    """Where it can happen."""


@dataclass(frozen=True)
class Fin(Action):
    """The connection ends in good order: a FIN, after close_notify where it is TLS."""


@dataclass(frozen=True)
class Reset(Action):
    """The connection is torn down by a RST; bytes that are still on their way are lost."""


@dataclass(frozen=True)
class TlsEof(Action):
    """A FIN without the close_notify that TLS asks for, as when a process dies; without TLS it is a Fin."""


@dataclass(frozen=True)
class Stall(Action):
    """Nothing happens for so many `seconds`; then all goes on as if nothing had been."""

    seconds: float


@dataclass(frozen=True)
class Slow(Action):
    """From here on bytes pass at so many a second: those of the body that arrives, or of the answer."""

    bytes_per_second: float
    points: ClassVar[frozenset[Point]] = _INSTEAD | {"after_headers", "mid_body"}

    def __post_init__(self) -> None:
        if self.bytes_per_second <= 0:
            raise ValueError(f"a slow connection passes more than {self.bytes_per_second} bytes a second")


class Answering(Action):
    """An action that answers in its own way."""

    points: ClassVar[frozenset[Point]] = _INSTEAD

    def reply(self, given: Given) -> Reply:
        """What leaves instead of the true answer."""
        raise NotImplementedError


@dataclass(frozen=True)
class Instead(Answering):
    """Another `body` leaves, in good form: framed rightly, and the connection is kept."""

    body: bytes = b""
    status: int = 200
    content_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()

    def reply(self, given: Given) -> Reply:
        """What leaves instead of the true answer."""
        headers = (("Content-Type", self.content_type), *self.headers)
        return Reply(head_of(self.status, headers, len(self.body)), self.body)


@dataclass(frozen=True)
class Status(Answering):
    """An HTTP status with an error page; `retry_after` is a number of seconds or an HTTP date.

    While a connection idles it is what a server sends that gave up waiting (408), and the connection ends.
    """

    code: int
    retry_after: float | str | None = None
    points: ClassVar[frozenset[Point]] = _INSTEAD | {"keepalive_idle"}

    def reply(self, given: Given) -> Reply:
        """The page."""
        headers = [("Content-Type", _HTML)]
        if self.retry_after is not None:
            text = self.retry_after if isinstance(self.retry_after, str) else f"{self.retry_after:g}"
            headers.append(("Retry-After", text))
        page = b"<html><body><h1>%d</h1></body></html>" % self.code
        return Reply(head_of(self.code, headers, len(page)), page)


@dataclass(frozen=True)
class Html(Instead):
    """Status 200 and a web page, as from a captive portal or a login page."""

    body: bytes = b"<html><head><title>Please sign in</title></head><body>login</body></html>"
    content_type: str = _HTML


@dataclass(frozen=True)
class Empty(Instead):
    """Status 200 and no body."""


@dataclass(frozen=True)
class NotTheEnvelope(Instead):
    """JSON, but no answer of a site: neither `results` nor an exception."""

    body: bytes = b'{"status":"ok","data":[]}'


@dataclass(frozen=True)
class Garbage(Instead):
    """Bytes that mean nothing. Where an answer is due they are its body, rightly framed; else they leave bare.

    After the head, in the middle of a body and in a TLS handshake the connection ends after them; on an idle
    connection they lie there for whoever comes back.
    """

    body: bytes = b'{"results": [{"type": "Sho\xff\x00\x1f'
    points: ClassVar[frozenset[Point]] = _INSTEAD | {"tls", "after_headers", "mid_body", "keepalive_idle"}


@dataclass(frozen=True)
class SwappedAnswer(Answering):
    """The answer to another request, the last one that was given to a different question.

    On an idle connection it leaves unasked for, so that it lies before the answer to the next request.
    """

    points: ClassVar[frozenset[Point]] = frozenset({"before_execute", "after_execute", "keepalive_idle"})

    def reply(self, given: Given) -> Reply:
        """The other answer."""
        other = given.other()
        return Reply(head_of(200, (("Content-Type", _JSON),), len(other)), other)


@dataclass(frozen=True)
class Truncated(Answering):
    """The first half of the answer's body under a head that promises all of it; then a FIN."""

    def reply(self, given: Given) -> Reply:
        """The head and half of the body."""
        whole = given.reply()
        return Reply(whole.head, given.body[: len(given.body) // 2], keeps=False)


@dataclass(frozen=True)
class WrongLength(Answering):
    """A Content-Length that is off by so many bytes.

    Too large, the connection ends before they came; too small, the rest of the body is left on the connection.
    """

    off_by: int

    def reply(self, given: Given) -> Reply:
        """The whole body under a false head."""
        length = max(0, len(given.body) + self.off_by)
        return Reply(head_of(given.status, given.headers, length), given.body, keeps=self.off_by <= 0)


@dataclass(frozen=True)
class BadChunking(Answering):
    """A chunked body whose second chunk has no size; then a FIN."""

    def reply(self, given: Given) -> Reply:
        """One good chunk and a bad one."""
        half = given.body[: len(given.body) // 2]
        chunks = b"%x\r\n%b\r\nsize?\r\n%b" % (len(half), half, given.body[len(half) :])
        headers = (*given.headers, ("Transfer-Encoding", "chunked"))
        return Reply(head_of(given.status, headers, None), chunks, keeps=False)


@dataclass(frozen=True)
class BadGzip(Answering):
    """A body that says it is compressed, and breaks off inside; framed rightly all the same."""

    def reply(self, given: Given) -> Reply:
        """The first bytes of the compressed body, then others."""
        packed = gzip.compress(given.body)
        broken = packed[: len(packed) // 2] + b"\xff" * 16
        headers = (*given.headers, ("Content-Encoding", "gzip"))
        return Reply(head_of(given.status, headers, len(broken)), broken)


@dataclass(frozen=True)
class Huge(Answering):
    """An envelope of so many bytes, made as it leaves."""

    size: int

    def reply(self, given: Given) -> Reply:
        """A long text as `results`."""
        before, after = b'{"results":"', b'"}'
        length = max(self.size, len(before) + len(after))
        head = head_of(200, (("Content-Type", _JSON),), length)
        return Reply(head, _padded(before, length - len(before) - len(after), after))


@dataclass(frozen=True)
class Redirect(Answering):
    """Sends the client elsewhere: `to` is an address, http://host/path."""

    to: str
    code: int = 302

    def reply(self, given: Given) -> Reply:
        """The address, and nothing else."""
        return Reply(head_of(self.code, (("Location", self.to),), 0))


@dataclass(frozen=True)
class EndlessHeaders(Answering):
    """An answer whose head does not end; the client has to hang up. At most `most` bytes leave, then a FIN."""

    bytes_per_second: float | None = None
    most: int = field(default=2**30)

    def reply(self, given: Given) -> Reply:
        """A status line, and headers for ever."""
        begin = head_of(200, (("Content-Type", _JSON),), None)[:-2]
        return Reply(begin, _headers(self.most), keeps=False)


def _padded(before: bytes, length: int, after: bytes) -> Iterator[bytes]:
    yield before
    block = b"x" * _BLOCK
    while length > 0:
        yield block[:length]
        length -= _BLOCK
    yield after


def _headers(most: int) -> Iterator[bytes]:
    sent = number = 0
    while sent < most:
        line = b"X-Padding-%08d: %b\r\n" % (number, b"x" * 64)
        yield line
        sent += len(line)
        number += 1
