"""One connection to a site, and one request and answer on it, with the phase in which it broke.

The stock transport sends a request again below any wrapper when a kept-alive connection breaks, writes too
(reliability.md 0.1). This one sends each request once, and says how far it came.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Mapping

from .addresses import Address
from .answers import Answer, ExchangeFailed, Happening
from .opening import opened
from .secrets import HiddenBytes
from .timed import TimedSocket

__all__ = ["Line"]

_PIECE = 65_536


class Line:
    """A connection that is opened when needed and closed on the slightest doubt. Used by one thread at a time."""

    _socket: socket.socket | None = None

    def __init__(self) -> None:
        self._address: Address | None = None
        self._opened = 0.0
        self._used = 0.0
        self._process = 0
        self.sent = False
        """True when something of a request left; who asks sets it back before an attempt."""

    @property
    def is_open(self) -> bool:
        """True while a connection is kept for the next request."""
        return self._socket is not None

    def close(self) -> None:
        """Close the connection; nothing is sent on it, so that a forked child may close its copy."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    # A line that was lost, with the thread or the lease that held it, must not keep its connection.
    __del__ = close

    def exchange(
        self,
        address: Address,
        verb: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes],
        *,
        length: int,
        deadline: float,
        timeouts: tuple[float, float],
        longest_idle: float,
        longest_life: float,
        largest_answer: int,
    ) -> Answer:
        """Send one request, once, and read its whole answer.

        Args:
            address: where to.
            verb: the HTTP method.
            path: what is asked for there.
            headers: beside those that the exchange sets itself.
            body: all bytes, or their pieces in turn.
            length: how many bytes the body has.
            deadline: by the monotonic clock.
            timeouts: seconds that connecting, and a silence, may last.
            longest_idle: seconds after which an idle connection is not used again.
            longest_life: seconds after which a connection is not used again.
            largest_answer: bytes.

        Raises:
            ExchangeFailed: with what that says of the request.
        """
        connect_timeout, silence = timeouts
        head = HiddenBytes(_head(address, verb, path, headers, length))
        connection = self._open(address, deadline, connect_timeout, longest_idle, longest_life)
        whole = False
        try:
            timed = TimedSocket(connection, deadline, silence)
            self.sent = True
            _send(timed, head, body)
            answer, whole = _receive(timed, verb, largest_answer)
            # Whoever turns a request down often hangs up as well, without having said so, and a moment later: what
            # is sent again by then would be lost on the way.
            whole = whole and answer.status < 300
            return answer
        finally:
            # Also when interrupted at any point: bytes that nobody read would be taken for the next answer.
            if whole:
                self._used = time.monotonic()
            else:
                self.close()

    def _open(
        self,
        address: Address,
        deadline: float,
        connect_timeout: float,
        longest_idle: float,
        longest_life: float,
    ) -> socket.socket:
        now = time.monotonic()
        if now >= deadline:
            raise ExchangeFailed(Happening.UNREACHABLE, "no time was left")
        if self._socket is not None:
            if (
                self._address == address
                and now - self._used <= longest_idle
                and now - self._opened <= longest_life
                and self._process == os.getpid()
                and _is_quiet(self._socket)
            ):
                return self._socket
            self.close()
        connection = opened(address, min(connect_timeout, deadline - now))
        self._address, self._opened, self._process = address, time.monotonic(), os.getpid()
        self._socket = connection
        return connection


def _is_quiet(connection: socket.socket) -> bool:
    """True when nothing came since the last answer: neither an end nor bytes that nobody asked for."""
    try:
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return False
        if hasattr(select, "poll"):
            poll = select.poll()  # select() fails above 1,024 open files
            poll.register(connection, select.POLLIN)
            return not poll.poll(0)
        return not select.select([connection], [], [], 0)[0]
    except (OSError, ValueError):
        return False


def _head(address: Address, verb: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    host = address.host_in_headers
    usual = 443 if address.scheme == "https" else 80
    fields = {
        "host": host if address.port == usual else f"{host}:{address.port}",
        "accept-encoding": "gzip, deflate",
        "content-length": str(length),
        **{name.lower(): str(value) for name, value in headers.items()},
    }
    lines = [f"{verb} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("A header must not have a line break in it.")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _send(timed: TimedSocket, head: bytes, body: bytes | Iterable[bytes]) -> None:
    try:
        if isinstance(body, bytes):
            timed.sendall(HiddenBytes(head + body))
            return
        timed.sendall(head)
        for piece in body:
            timed.sendall(piece)
    except OSError as problem:
        # The other side went just now. Other errors may be a signal handler's, of after a byte was sent.
        gone = isinstance(problem, (BrokenPipeError, ConnectionResetError)) and not timed.sent
        raise ExchangeFailed(Happening.UNREACHABLE if gone else Happening.UNSENT, problem) from None


def _receive(timed: TimedSocket, verb: str, largest: int) -> tuple[Answer, bool]:
    """The answer, and whether the connection can be used again."""
    response = http.client.HTTPResponse(timed, method=verb)  # type: ignore[arg-type]
    file = timed.answer
    assert file is not None
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.headers.items()}
        body = _unpacked(response, headers.get("content-encoding", "").strip().lower(), largest)
    except (OSError, http.client.HTTPException, zlib.error, ValueError) as problem:
        happening = Happening.BROKEN if file.raw.anything_came else Happening.SILENT
        raise ExchangeFailed(happening, problem) from None
    finally:
        response.close()  # first: from Python 3.13 on one whose file was closed under it is complained of
        file.close()
    keep = not response.will_close and not file.too_much_came
    return Answer(response.status, response.reason, headers, body), keep


def _unpacked(response: http.client.HTTPResponse, encoding: str, largest: int) -> bytes:
    """The whole body. Its length is looked at while it comes: it may be a bomb."""
    unpack = None
    if encoding in ("gzip", "x-gzip", "deflate"):
        # 32: either kind of header.
        unpack = zlib.decompressobj(32 + zlib.MAX_WBITS)
    elif encoding not in ("", "identity"):
        raise ValueError(f"it is encoded as {encoding!r}")
    pieces: list[bytes] = []
    length = 0
    while piece := response.read(_PIECE):
        if unpack is not None:
            piece = unpack.decompress(piece, largest + 1 - length)
            if unpack.unused_data:
                raise ValueError("something follows its packed body")
        length += len(piece)
        if length > largest:
            raise ExchangeFailed(
                Happening.TOO_LARGE, f"more than {largest} bytes (TransportOptions.largest_answer)"
            )
        pieces.append(piece)
    # http.client takes an end in the middle of a body for its end.
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    if unpack is not None and pieces and not unpack.eof:
        raise ValueError("its packed body ends early")
    return b"".join(pieces)
