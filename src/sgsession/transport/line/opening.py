"""Opening a connection: the name, the proxy, TLS; all in the time that there is."""

from __future__ import annotations

import _thread
import http.client
import os
import socket
import ssl
import time
from typing import Any

from .addresses import Address, network_name
from .answers import ExchangeFailed, Happening
from .bell import Bell
from .secrets import Hidden, HiddenBytes
from .timed import TimedSocket

__all__ = ["opened"]


def opened(address: Address, timeout: float) -> socket.socket:
    """A connection on which requests can be sent: through the proxy, and encrypted, where that is asked for.

    Raises:
        ExchangeFailed: nothing was sent.
    """
    ends = time.monotonic() + timeout
    connection = _connected(*(address.proxy or (address.host, address.port)), ends)
    try:
        # One request is one send; waiting for more to send along would only delay it.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        timed = TimedSocket(connection, ends, timeout)
        if address.proxy is not None:
            _tunnel(timed, address)
        if address.scheme == "https":
            connection.settimeout(timed.left())
            name = network_name(address.host).encode("ascii")
            connection = _context(address.certificates).wrap_socket(connection, server_hostname=name)
            if connection.version() is None:
                # The peer was gone before the handshake, and then `ssl` makes none: nothing may be sent on this.
                raise ConnectionResetError("the connection ended before TLS began")
        return connection
    except ssl.SSLCertVerificationError as problem:
        connection.close()
        raise ExchangeFailed(Happening.UNTRUSTED, problem.verify_message or problem) from None
    except (OSError, ValueError, http.client.HTTPException) as problem:
        # A ValueError is what `ssl` says of a name with a dot in front.
        connection.close()
        raise ExchangeFailed(Happening.UNREACHABLE, problem) from None
    except BaseException:
        connection.close()
        raise


def _connected(host: str, port: int, ends: float) -> socket.socket:
    """A connection to the first of the machines of that name that answers; all of them share the time."""
    name = network_name(host)
    try:
        # As bytes: with a text the system's functions import a codec at the first connection, which takes a
        # millisecond, and an interrupt in the middle of it may leave the lock of all imports taken, or the codec
        # unknown to this process: no host would be found any more.
        found = _machines(name.encode("ascii"), port, ends - time.monotonic())
    except OSError as problem:
        raise ExchangeFailed(Happening.UNREACHABLE, problem) from None
    said = "the name leads nowhere"
    for number, (family, kind, protocol, _, target) in enumerate(found):
        connection = socket.socket(family, kind, protocol)
        try:
            # One that says nothing, IPv6 without a route say, must not take the time of the next.
            connection.settimeout(max((ends - time.monotonic()) / (len(found) - number), 0.001))
            connection.connect(target)
            return connection
        except BaseException as problem:
            connection.close()
            if not isinstance(problem, OSError):
                raise
            said = str(problem) or type(problem).__name__
    raise ExchangeFailed(Happening.UNREACHABLE, said)


def _machines(host: bytes, port: int, timeout: float) -> list[Any]:
    """What `getaddrinfo` finds, in time."""
    try:
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # a name
    found: list[Any] = []

    def look_up() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except OSError as problem:
            found.append(problem)
        finally:
            bell.ring()

    # The system takes half a minute where no name server answers, and cannot be stopped: its thread is left behind.
    # Not a `threading.Thread`, whose `start` does not survive every interrupt.
    bell = Bell()
    try:
        _thread.start_new_thread(look_up, ())
    except RuntimeError:
        look_up()  # there are no new threads at the interpreter's end
    bell.wait(timeout)
    if not found:
        raise TimeoutError(f"no name server told in {timeout:.1f} s where {host.decode()} is")
    if isinstance(found[0], Exception):
        raise found[0]
    return list(found[0])


def _tunnel(timed: TimedSocket, address: Address) -> None:
    """Ask the proxy for a way to the site, as the stock client does for http and https alike."""
    target = f"{address.host_in_headers}:{address.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if address.proxy_authorization:
        lines.append(Hidden(f"Proxy-Authorization: {address.proxy_authorization}"))
    timed.sendall(HiddenBytes("\r\n".join([*lines, "", ""]).encode("latin-1")))
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
