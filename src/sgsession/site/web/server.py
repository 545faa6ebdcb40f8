"""A web server in a thread of its own, which leaves the process's signals, loops and log alone."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["CUT", "PortInUseError", "ServerThread", "listening_socket"]

# The extension of the ASGI scope that ends the connection: a function without arguments.
CUT = "sgsession.cut"

# How long closing waits for answers under way before it cuts their connections, and for what is cut to end.
_GRACE = 1.0


class PortInUseError(OSError):
    """Another program listens on the port that was asked for."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is spelled out because asyncio sets TCP_NODELAY only on sockets that name it; without,
    # every answer would wait 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            # A site that restarts takes its port back at once; on Windows this would share a port in use.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUseError(error.errno, f"port {port} of {host} is in use by another program") from None
    return listener


class ServerThread:
    """Serves an ASGI application on a listening socket until it is closed.

    `at_once` is shown what arrives for it first: the bytes that it gives are the answer, empty ones mean that it
    wants the rest of the request, and None leaves the request to the application.
    """

    def __init__(
        self, application: Any, listener: socket.socket, at_once: Callable[[bytes], bytes | None]
    ) -> None:
        self._listener = listener
        self._application = application
        self._server = _Server(
            uvicorn.Config(
                self._with_cut,
                interface="asgi3",
                lifespan="off",
                # Always the same parser, whatever is installed: this one refuses ambiguous framing.
                http=partial(_Connection, at_once),  # type: ignore[arg-type]  # it is only ever called
                ws="none",
                loop="asyncio",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                # An idle connection that the server cuts makes the client send its request twice
                # (wire.md 1.6), so idle ones are kept as long as anybody may come back to them.
                timeout_keep_alive=24 * 3600,
            )
        )
        self._thread = threading.Thread(target=self._run, name="sgsession-site", daemon=True)

    def start(self) -> None:
        """Serve; returns once connections are being answered."""
        self._thread.start()
        self._server.running.wait()
        if not self._server.started:
            raise RuntimeError("the site's web server could not start") from self._server.failure

    def close(self) -> None:
        """Stop accepting, let the answers under way leave, and cut the idle connections."""
        if self._thread.is_alive():
            self._server.stop()
            self._thread.join()

    async def _with_cut(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        # ASGI has no word for ending a connection in the middle of an answer.
        scope.setdefault("extensions", {})[CUT] = partial(self._server.cut, scope["client"])
        await self._application(scope, receive, send)

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        except Exception as error:
            self._server.failure = error
        finally:
            self._server.running.set()
            self._listener.close()


class _Connection(H11Protocol):
    """HTTP as uvicorn speaks it, and a short way past it for requests that are answered at once."""

    def __init__(self, at_once: Callable[[bytes], bytes | None], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._at_once = at_once
        self._begun = b""

    def data_received(self, data: bytes) -> None:
        data, self._begun = self._begun + data, b""
        answer = self._at_once(data) if self._waits_for_a_request() else None
        if answer is None:
            super().data_received(data)
        elif not answer:
            self._begun = data
        else:
            # Or the connection would be cut that long after the last request that came the other way.
            if self.timeout_keep_alive_task is not None:
                self.timeout_keep_alive_task.cancel()
            self.transport.write(answer)

    def _waits_for_a_request(self) -> bool:
        """Whether all before was answered and has left, and nothing of another request has come."""
        states = self.conn.our_state, self.conn.their_state
        is_idle = states == (h11.IDLE, h11.IDLE) and not self.conn.trailing_data[0]
        return is_idle and not self.transport.get_write_buffer_size()


class _Server(uvicorn.Server):
    """uvicorn, started and stopped by events instead of by signals and a tenth of a second's polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.running = threading.Event()
        self.failure: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def stop(self) -> None:
        """Ask the server to end; called from other threads."""
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def cut(self, client: Any) -> None:
        """End the connection of a client once what was sent has left; called in the server's loop."""
        for connection in list(self.server_state.connections):
            if getattr(connection, "client", None) == client:
                connection.transport.close()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self.running.set()
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        state = self.server_state
        # Answers, too, not only connections: a client that has its last byte leaves while the answer still closes
        # its file, and a loop that ends cancels that.
        await _until(lambda: not state.connections and not state.tasks)
        for connection in list(state.connections):
            connection.transport.abort()
        # One more turn of the loop at the least, for the transports to close what was aborted.
        await asyncio.sleep(0)
        await _until(lambda: not state.tasks)


async def _until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _GRACE
    while not is_done() and time.monotonic() < deadline:
        await asyncio.sleep(0.002)
