"""One connection to a site, and one request and answer on it, with the phase in which it broke.

The stock transport sends a request again below any wrapper when a kept-alive connection breaks, writes too
(reliability.md 0.1). This one sends each request once, and says how far it came.
"""

from __future__ import annotations

import http.client
import io
import os
import select
import socket
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .decisions import Happening

__all__ = ["Address", "Answer", "ExchangeFailed", "Line"]

_PIECE = 65_536


@dataclass(frozen=True)
class Address:
    """Where requests go: the host, and how it is reached."""

    scheme: str
    host: str
    port: int
    proxy: tuple[str, int] | None = None
    proxy_authorization: str | None = None
    certificates: str | None = None

    @staticmethod
    def credentials(user: str | None, password: str | None) -> str | None:
        """What a proxy is told, or None where it asks for nothing."""
        if not user:
            return None
        return "Basic " + b64encode(f"{user}:{password or ''}".encode()).decode("ascii")

    @property
    def shown(self) -> str:
        """The address as people write it; no credentials are in it."""
        usual = 443 if self.scheme == "https" else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")


@dataclass(frozen=True)
class Answer:
    """A whole answer: status, headers by their lower-case names, the unpacked body."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class ExchangeFailed(Exception):
    """An exchange that brought no whole answer."""

    def __init__(self, happening: Happening, cause: BaseException | str) -> None:
        super().__init__(happening, str(cause) or type(cause).__name__)
        self.happening = happening


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
        head = _head(address, verb, path, headers, length)
        connection = self._open(address, deadline, connect_timeout, longest_idle, longest_life)
        whole = False
        try:
            timed = _Timed(connection, deadline, silence)
            self.sent = True
            _send(timed, head, body)
            answer, whole = _receive(timed, verb, largest_answer)
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
        connection = _connected(address, min(connect_timeout, deadline - now))
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


def _connected(address: Address, timeout: float) -> socket.socket:
    ends = time.monotonic() + timeout
    try:
        connection = socket.create_connection(address.proxy or (address.host, address.port), timeout)
    except (OSError, UnicodeError) as problem:  # a name that no name can be is a UnicodeError
        raise ExchangeFailed(Happening.UNREACHABLE, problem) from None
    try:
        # One request is one send; waiting for more to send along would only delay it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        timed = _Timed(connection, ends, timeout)
        if address.proxy is not None:
            _tunnel(timed, address)
        if address.scheme == "https":
            connection.settimeout(timed.left())
            connection = _context(address.certificates).wrap_socket(connection, server_hostname=address.host)
            if connection.version() is None:
                # The peer was gone before the handshake, and then `ssl` makes none: nothing may be sent on this.
                raise ConnectionResetError("the connection ended before TLS began")
        return connection
    except ssl.SSLCertVerificationError as problem:
        connection.close()
        raise ExchangeFailed(Happening.UNTRUSTED, problem.verify_message or problem) from None
    except (OSError, http.client.HTTPException) as problem:
        connection.close()
        raise ExchangeFailed(Happening.UNREACHABLE, problem) from None
    except BaseException:
        connection.close()
        raise


def _tunnel(timed: _Timed, address: Address) -> None:
    """Ask the proxy for a way to the site, as the stock client does for http and https alike."""
    target = f"[{address.host}]" if ":" in address.host else address.host
    lines = [f"CONNECT {target}:{address.port} HTTP/1.1", f"Host: {target}:{address.port}"]
    if address.proxy_authorization:
        lines.append(f"Proxy-Authorization: {address.proxy_authorization}")
    timed.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    answer = http.client.HTTPResponse(timed, method="CONNECT")  # type: ignore[arg-type]
    answer.begin()
    if answer.status != 200:
        raise ExchangeFailed(Happening.UNREACHABLE, f"the proxy said {answer.status} {answer.reason}")


_contexts: dict[str | None, tuple[int, ssl.SSLContext]] = {}


def _context(certificates: str | None) -> ssl.SSLContext:
    # Reading a bundle of certificates takes some 20 ms: once for all connections of the process, until it changes.
    try:
        changed = os.stat(certificates).st_mtime_ns if certificates else 0
        known = _contexts.get(certificates)
        if known is None or known[0] != changed:
            context = ssl.create_default_context(cafile=certificates)
            context.sslsocket_class = _EncryptedSocket
            known = _contexts[certificates] = changed, context
    except (OSError, ssl.SSLError) as problem:
        raise ExchangeFailed(
            Happening.UNTRUSTED, f"the certificates of {certificates} cannot be read: {problem}"
        ) from None
    return known[1]


class _EncryptedSocket(ssl.SSLSocket):
    def __del__(self) -> None:
        # `wrap_socket` leaves one behind, open, when the peer resets the connection at its very beginning.
        self.close()


class _Timed:
    """A socket on which neither a silence nor the whole may take too long.

    A timeout of the socket alone ends only silences: a byte a second would keep a call busy for ever.
    """

    def __init__(self, connection: socket.socket, deadline: float, silence: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._silence = silence
        self.sent = 0
        self.answer: _AnswerFile | None = None

    def left(self) -> float:
        """The timeout for the next step, in seconds."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline passed")
        return min(left, self._silence)

    def sendall(self, piece: bytes) -> None:
        """Hand all bytes to the kernel."""
        view = memoryview(piece)
        while view:
            self._connection.settimeout(self.left())
            count = self._connection.send(view)
            self.sent += count
            view = view[count:]

    def receive_into(self, buffer: Any) -> int:
        """Read some bytes; 0 at the end."""
        self._connection.settimeout(self.left())
        return self._connection.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` reads from."""
        self.answer = _AnswerFile(_Incoming(self))
        return self.answer


class _Incoming(io.RawIOBase):
    """Bytes as they come."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed
        self.finished = False
        self.anything_came = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.finished:
            return None
        count = self._timed.receive_into(buffer)
        self.anything_came = self.anything_came or count > 0
        return count


class _AnswerFile(io.BufferedReader):
    """The file that `http.client` reads an answer from, and closes at its end."""

    raw: _Incoming
    too_much_came = False

    def close(self) -> None:
        """Look whether bytes came after the answer: the next request would take them for its own."""
        if not self.closed:
            self.raw.finished = True
            self.too_much_came = bool(self.peek(1))
        super().close()


def _head(address: Address, verb: str, path: str, headers: Mapping[str, str], length: int) -> bytes:
    host = f"[{address.host}]" if ":" in address.host else address.host
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


def _send(timed: _Timed, head: bytes, body: bytes | Iterable[bytes]) -> None:
    try:
        if isinstance(body, bytes):
            timed.sendall(head + body)
            return
        timed.sendall(head)
        for piece in body:
            timed.sendall(piece)
    except OSError as problem:
        # The other side went just now. Other errors may be a signal handler's, of after a byte was sent.
        gone = isinstance(problem, (BrokenPipeError, ConnectionResetError)) and not timed.sent
        raise ExchangeFailed(Happening.UNREACHABLE if gone else Happening.UNSENT, problem) from None


def _receive(timed: _Timed, verb: str, largest: int) -> tuple[Answer, bool]:
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
