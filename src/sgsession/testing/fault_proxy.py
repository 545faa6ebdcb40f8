"""A TCP proxy that makes the line between any two programs as bad as a test wants it.

    with FaultProxy("127.0.0.1", 8080) as proxy:
        proxy.add(Latency(0.1, jitter=0.05))
        client = shotgun_api3.Shotgun(proxy.url, ...)
        with proxy.disabled():
            ...                                # connections are refused, as when the server is down

What it can do to the bytes is in `toxics.py`. Toxics can be added and removed while bytes flow.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import struct
import threading
import weakref
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, get_args

from sgsession.site.web.server import listening_socket

from .toxics import EndOfLink, Passage, Stream, Toxic

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AddedToxic", "FaultProxy"]

_BLOCK = 64 * 1024

# Blocks that wait inside for a slow receiver; then the sender has to wait as well.
_MOST_WAITING = 64

# The fields of C's `struct linger`.
_LINGER_FORMAT = "hh" if os.name == "nt" else "ii"


class AddedToxic:
    """A toxic at work, until it is removed; as a context manager until the block ends."""

    def __init__(
        self, proxy: FaultProxy, toxic: Toxic, streams: Sequence[Stream], toxicity: float, seed: str
    ) -> None:
        self.toxic = toxic
        self.streams = frozenset(streams)
        self.toxicity = toxicity
        self._proxy = proxy
        self._seed = seed

    def __enter__(self) -> AddedToxic:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<AddedToxic {self.toxic} {' '.join(sorted(self.streams))}>"

    def strikes(self, link: int, stream: Stream) -> bool:
        """Whether it is at work on that direction of that link; the same seed draws the same links."""
        if stream not in self.streams:
            return False
        return self.toxicity >= 1 or random.Random(f"{self._seed}/{link}").random() < self.toxicity

    def remove(self) -> None:
        """Let bytes pass as before."""
        self._proxy._remove(self)


class FaultProxy:
    """Passes connections to a loopback port on to `host` and `port`, through the toxics that were added.

    `seed` decides all that is random. `scheme` is only for `url`: the proxy does not look into the bytes, so
    TLS goes through it as it is.
    """

    def __init__(self, host: str, port: int, *, scheme: str = "http", seed: int = 0) -> None:
        self.target = (host, port)
        self.seed = seed
        self.links = 0
        """How many connections were taken so far."""
        self.passed: Counter[Stream] = Counter()
        """How many bytes have left in each direction."""
        self._process = os.getpid()
        self._toxics: tuple[AddedToxic, ...] = ()
        self._number = 0
        self._sockets: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None
        self._listener: socket.socket | None = None
        self.host, self.port = "127.0.0.1", 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sgsession-fault-proxy", daemon=True)
        self._thread.start()
        self.enable()
        self.url = f"{scheme}://{self.host}:{self.port}"
        _PROXIES.add(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._loop.is_closed() else f"{self.open_links} links"
        return f"<{type(self).__name__} {self.url} to {self.target[0]}:{self.target[1]} {state}>"

    @property
    def open_links(self) -> int:
        """How many connections pass through it now."""
        return len(self._tasks)

    def add(
        self, toxic: Toxic, stream: Stream | Literal["both"] = "downstream", *, toxicity: float = 1.0
    ) -> AddedToxic:
        """Put a toxic to work at once, after those that are there: on the answers, the requests or both.

        Of all links a share of `toxicity` is struck, from 0 to 1.
        """
        streams = get_args(Stream) if stream == "both" else (stream,)
        if not set(streams) <= set(get_args(Stream)):
            raise ValueError(f"a stream is upstream, downstream or both, not {stream!r}")
        self._number += 1
        added = AddedToxic(self, toxic, streams, toxicity, f"{self.seed}/{self._number}")
        self._toxics = (*self._toxics, added)
        return added

    def clear(self) -> None:
        """Remove all toxics."""
        self._toxics = ()

    def enable(self) -> None:
        """Listen, on the same port as ever."""
        if self._listener is None:
            self._listener = listening_socket(self.host, self.port)
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
            self._call(self._start())

    def disable(self) -> None:
        """Stop listening and reset all connections, as when the server was killed."""
        self._call(self._stop(reset=True))

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Nobody listens for the length of a block."""
        self.disable()
        try:
            yield
        finally:
            self.enable()

    def cut(self, *, reset: bool = True) -> None:
        """End all connections that are open now, by a RST or else a FIN; new ones are taken."""
        self._call(self._cut(reset))

    def close(self) -> None:
        """Stop listening and end all connections. Closing twice does nothing."""
        # A forked process has no part in this: the connections are its parent's.
        if self._loop.is_closed() or os.getpid() != self._process:
            return
        self._call(self._stop(reset=False))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # In the thread of the event loop

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> None:
        assert self._listener is not None
        self._accepting = self._loop.create_task(self._accept(self._listener))

    async def _stop(self, *, reset: bool) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            with suppress(asyncio.CancelledError):
                await self._accepting
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._cut(reset)

    async def _cut(self, reset: bool) -> None:
        tasks = list(self._tasks)
        for each in list(self._sockets) if reset else ():
            _ask_for_reset(each)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            self.links += 1
            task = self._loop.create_task(self._link(client, self.links))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _link(self, client: socket.socket, number: int) -> None:
        family = socket.AF_INET6 if ":" in self.target[0] else socket.AF_INET
        server = socket.socket(family, socket.SOCK_STREAM)
        ends = (client, server)
        self._sockets.update(ends)
        try:
            for end in ends:
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(server, self.target)
            await _together(
                *self._direction(number, "upstream", client, server),
                *self._direction(number, "downstream", server, client),
            )
        except EndOfLink as end:
            if end.reset:
                _ask_for_reset(*ends)
        except OSError:
            # One side broke off, or the server refuses: the other side is to learn of it as it happened.
            _ask_for_reset(*ends)
        finally:
            self._sockets.difference_update(ends)
            client.close()
            server.close()

    def _direction(
        self, link: int, stream: Stream, source: socket.socket, sink: socket.socket
    ) -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_MOST_WAITING)
        passage = Passage(
            random.Random(f"{self.seed}/{link}/{stream}"), asyncio.sleep, self._loop.time, Counter()
        )
        return self._take(source, waiting), self._give(link, stream, passage, sink, waiting)

    async def _take(self, source: socket.socket, waiting: asyncio.Queue[tuple[float, bytes]]) -> None:
        data = b" "
        while data:
            data = await self._loop.sock_recv(source, _BLOCK)
            await waiting.put((self._loop.time(), data))

    async def _give(
        self,
        link: int,
        stream: Stream,
        passage: Passage,
        sink: socket.socket,
        waiting: asyncio.Queue[tuple[float, bytes]],
    ) -> None:
        while True:
            passage.arrived, data = await waiting.get()
            toxics = [each.toxic for each in self._toxics if each.strikes(link, stream)]
            if not data:
                for toxic in toxics:
                    await toxic.at_end(passage)
                sink.shutdown(socket.SHUT_WR)
                return
            await self._pass(data, toxics, passage, sink, stream)

    async def _pass(
        self, data: bytes, toxics: list[Toxic], passage: Passage, sink: socket.socket, stream: Stream
    ) -> None:
        if not toxics:
            await self._loop.sock_sendall(sink, data)
            self.passed[stream] += len(data)
            return

        async def send(piece: bytes) -> None:
            await self._pass(piece, toxics[1:], passage, sink, stream)

        await toxics[0].carry(data, passage, send)

    def _remove(self, added: AddedToxic) -> None:
        self._toxics = tuple(each for each in self._toxics if each is not added)

    def _abandon(self) -> None:
        """Let go of all sockets: called in a process that was forked, where no thread serves them."""
        for each in (self._listener, *self._sockets):
            if each is not None:
                each.close()


async def _together(*coroutines: Coroutine[Any, Any, None]) -> None:
    """All of them, until they are done or one fails; nothing of them runs on after that."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ask_for_reset(*sockets: socket.socket) -> None:
    # To linger for no time at all makes the next close a RST.
    for each in sockets:
        with suppress(OSError):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER_FORMAT, 1, 0))


_PROXIES: weakref.WeakSet[FaultProxy] = weakref.WeakSet()


def _abandon_all() -> None:
    for proxy in list(_PROXIES):
        proxy._abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
