"""A server that sends exactly the bytes that it was told to send, and counts what it was sent."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["HOLD", "Scripted", "answer", "framed"]

INFO = {"results": {"version": [8, 89, 0], "s3_uploads_enabled": False}}
FOUND = {"results": {"entities": [{"type": "Shot", "id": 7}], "paging_info": {"entity_count": 1}}}
MADE = {"results": {"type": "Shot", "id": 7}}

HOLD = object()
"""A step: say nothing, and keep the connection."""

# Bytes, after which the connection is closed; or bytes after which it is kept; or what to do with it.
Step = bytes | tuple[bytes] | Callable[[socket.socket], Any] | object


def framed(body: bytes, *headers: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    """An answer with its length."""
    lines = [
        f"{version} {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answer(value: Any, *headers: str) -> bytes:
    """An answer as a site gives it."""
    return framed(json.dumps(value).encode(), *headers)


class Scripted:
    """A site of scripted bytes: each remote call takes the next step; after the last one all are answered well.

    `info` is always answered. `received` has the methods of the calls that came whole.
    """

    def __init__(self, *steps: Step, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.steps = list(steps)
        self.received: list[str] = []
        self.heads: list[str] = []
        self.connections = 0
        self._context = context
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.bind((host, 0))
        self._listener.listen(50)
        self.port = self._listener.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"http{'s' if context else ''}://{name}:{self.port}"
        self._open: list[socket.socket] = []
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            while self._one(connection):
                pass
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _one(self, connection: socket.socket) -> bool:
        came = b""
        while b"\r\n\r\n" not in came:
            if not (more := connection.recv(65536)):
                return False
            came += more
        head, _, body = came.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            if not (more := connection.recv(65536)):
                return False
            body += more
        method = json.loads(body)["method_name"] if b"/api3/json" in head else head.split()[1].decode()
        if method == "info":
            connection.sendall(answer(INFO))
            return True
        self.received.append(method)
        self.heads.append(head.decode("latin-1"))
        step = self.steps.pop(0) if self.steps else (answer(FOUND if method == "read" else MADE),)
        if step is HOLD:
            self._closing.wait(30)
            return False
        if isinstance(step, bytes):
            connection.sendall(step)
            return False
        if isinstance(step, tuple):
            connection.sendall(step[0])
            return True
        return bool(step(connection))  # type: ignore[operator]


def dripping(head: bytes, drop: bytes, seconds: float = 0.05) -> Callable[[socket.socket], bool]:
    """A step that sends a drop now and then, for ever."""

    def drip(connection: socket.socket) -> bool:
        connection.sendall(head)
        for _ in range(1000):
            connection.sendall(drop)
            time.sleep(seconds)
        return False

    return drip
