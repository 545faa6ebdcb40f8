"""A tiny proxy."""

from __future__ import annotations

import socket
import threading

__all__ = ["Proxy"]


class Proxy:
    """A proxy that knows CONNECT; `says` is what it answers instead."""

    def __init__(self, says: bytes | None = None) -> None:
        self.asked: list[str] = []
        self._says = says
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            asked = b""
            while not asked.endswith(b"\r\n\r\n") and (came := connection.recv(65536)):
                asked += came
            if not asked:
                continue  # whoever connected had nothing to ask
            self.asked.append(asked.decode())
            if self._says is not None:
                connection.sendall(self._says)
                connection.close()
                continue
            host, port = asked.split()[1].decode().rsplit(":", 1)
            site = socket.create_connection((host.strip("[]"), int(port)))
            self._open.append(site)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\nX-Via: tiny\r\n\r\n")
            for one, other in ((connection, site), (site, connection)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while came := one.recv(65536):
                other.sendall(came)
            other.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
