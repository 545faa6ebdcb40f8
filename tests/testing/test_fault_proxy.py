"""The fault proxy: what each toxic does to the bytes that pass, both ways, and what is left when it is closed."""

from __future__ import annotations

import os
import random
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sgsession.testing.fault_proxy import FaultProxy
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.forking import in_forks
from sgsession.testing.toxics import (
    Bandwidth,
    Latency,
    LimitData,
    Passage,
    ResetPeer,
    Send,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)


class _Echo(socketserver.BaseRequestHandler):
    """Sends back what comes, and remembers it."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(65536):
                self.server.heard += data  # type: ignore[attr-defined]
                self.request.sendall(data)
        except ConnectionError:
            pass


class _Server(socketserver.ThreadingTCPServer):
    request_queue_size = 100
    heard = b""


@pytest.fixture
def server() -> Iterator[_Server]:
    """A server that echoes."""
    with _Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: _Server) -> Iterator[FaultProxy]:
    """A proxy before it, without toxics."""
    with FaultProxy("127.0.0.1", server.server_address[1], seed=1) as proxy:
        yield proxy


@pytest.fixture
def line(proxy: FaultProxy) -> Iterator[socket.socket]:
    """A connection through the proxy, over which something has passed already."""
    with connected(proxy) as line:
        assert echoed(line, b"hello")[0] == b"hello"
        yield line


def connected(proxy: FaultProxy) -> socket.socket:
    """A new connection through the proxy."""
    line = socket.create_connection((proxy.host, proxy.port), timeout=5)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def echoed(line: socket.socket, data: bytes) -> tuple[bytes, float]:
    """What comes back for bytes, all of it or until the connection ends, and after how many seconds."""
    began = time.monotonic()
    line.sendall(data)
    got = b""
    while len(got) < len(data) and (block := line.recv(65536)):
        got += block
    return got, time.monotonic() - began


def test_without_toxics_all_passes(proxy: FaultProxy, line: socket.socket) -> None:
    """Both ways, in order, also when there is more than any buffer holds; the ends pass as well."""
    data = random.Random(5).randbytes(3_000_000)
    with ThreadPoolExecutor(1) as worker:
        sending = worker.submit(line.sendall, data)
        got = b""
        while len(got) < len(data):
            got += line.recv(1 << 20)
        sending.result()
    assert got == data
    line.shutdown(socket.SHUT_WR)
    assert line.recv(1) == b""
    assert proxy.passed == {"upstream": 3_000_005, "downstream": 3_000_005}
    assert proxy.links == 1


def test_latency_delays_each_portion_alike(proxy: FaultProxy, line: socket.socket) -> None:
    """By so much, more or less the jitter; many portions are not later than one; removed, it is over."""
    with proxy.add(Latency(0.15)):
        assert 0.15 <= echoed(line, b"one")[1] < 0.6
        began = time.monotonic()
        for _ in range(10):
            line.sendall(b"x")
            time.sleep(0.005)
        got = b""
        while len(got) < 10:
            got += line.recv(100)
        assert time.monotonic() - began < 0.8
    with proxy.add(Latency(0.1), "both"):
        assert echoed(line, b"two")[1] >= 0.2
    with proxy.add(Latency(0.05, jitter=0.05)):
        times = [echoed(line, b"x")[1] for _ in range(8)]
        assert max(times) - min(times) > 0.01
    assert echoed(line, b"three")[1] < 0.1


def test_a_narrow_band(proxy: FaultProxy, line: socket.socket) -> None:
    """So many bytes a second pass."""
    proxy.add(Bandwidth(10_000), "upstream")
    got, seconds = echoed(line, b"x" * 3000)
    assert got == b"x" * 3000
    assert 0.3 <= seconds < 1.5


def test_a_slow_close(proxy: FaultProxy, line: socket.socket) -> None:
    """The end comes later, and the bytes before it at once."""
    proxy.add(SlowClose(0.2))
    assert echoed(line, b"x")[1] < 0.15
    began = time.monotonic()
    line.shutdown(socket.SHUT_WR)
    assert line.recv(1) == b""
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_a_black_hole(server: _Server, proxy: FaultProxy, line: socket.socket, stream: Any) -> None:
    """Nothing comes, and the connection stays; what was swallowed is lost, what comes later passes."""
    line.settimeout(0.1)
    with proxy.add(Timeout(), stream):
        with pytest.raises(TimeoutError):
            echoed(line, b"lost")
        assert (b"lost" in server.heard) == (stream == "downstream")
    assert echoed(line, b"found")[0] == b"found"


def test_a_black_hole_that_ends(proxy: FaultProxy, line: socket.socket) -> None:
    """After so many seconds the connection is closed."""
    proxy.add(Timeout(0.1))
    got, seconds = echoed(line, b"lost")
    assert got == b""
    assert seconds >= 0.1


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_a_reset(server: _Server, proxy: FaultProxy, line: socket.socket, stream: Any) -> None:
    """Upstream the request never arrives; downstream it did, and the answer is lost."""
    proxy.add(ResetPeer(0.05), stream)
    with pytest.raises(ConnectionResetError):
        echoed(line, b"lost")
    assert (b"lost" in server.heard) == (stream == "downstream")


def test_a_slicer(proxy: FaultProxy, line: socket.socket) -> None:
    """The bytes come in pieces of about that size, whole in the end."""
    proxy.add(Slicer(100, variation=50, delay=0.02))
    data = random.Random(6).randbytes(1000)
    line.sendall(data)
    pieces = []
    while sum(map(len, pieces)) < 1000:
        pieces.append(line.recv(65536))
    assert b"".join(pieces) == data
    assert 1000 // 150 <= len(pieces) <= 1000 // 50 + 1
    assert max(map(len, pieces[:3])) <= 150


def test_a_limit(proxy: FaultProxy, line: socket.socket) -> None:
    """After so many bytes the connection ends; a new one has its own count."""
    proxy.add(LimitData(10))
    assert echoed(line, b"12345")[0] == b"12345"
    assert echoed(line, b"6789012345")[0] == b"67890"
    with connected(proxy) as another:
        assert echoed(another, b"12345")[0] == b"12345"


def test_toxics_add_up(proxy: FaultProxy, line: socket.socket) -> None:
    """Each works on what the one before it passes on."""
    proxy.add(Latency(0.1))
    proxy.add(Slicer(2, delay=0.01))
    proxy.add(LimitData(5))
    got, seconds = echoed(line, b"123456789")
    assert got == b"12345"
    assert seconds >= 0.12


def test_a_toxic_of_ones_own(proxy: FaultProxy, line: socket.socket) -> None:
    """A subclass does what it likes with the bytes."""

    class Shout(Toxic):
        async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
            await send(data.upper())

    proxy.add(Shout())
    assert echoed(line, b"hello")[0] == b"HELLO"


def test_a_share_of_the_links_is_struck_and_the_seed_decides_which(server: _Server) -> None:
    """The same seed strikes the same links."""

    def struck(seed: int) -> list[bool]:
        found = []
        with FaultProxy("127.0.0.1", server.server_address[1], seed=seed) as proxy:
            proxy.add(ResetPeer(), toxicity=0.5)
            for _ in range(24):
                with connected(proxy) as line:
                    try:
                        found.append(echoed(line, b"x")[0] == b"")
                    except ConnectionResetError:
                        found.append(True)
        return found

    first = struck(1)
    assert first == struck(1)
    assert first != struck(2)
    assert 5 <= sum(first) <= 19


def test_the_server_can_be_away_for_a_while(proxy: FaultProxy, line: socket.socket) -> None:
    """Connections are reset, new ones refused; then the same port listens again."""
    url = proxy.url
    for _ in range(3):
        with proxy.disabled():
            with pytest.raises(ConnectionRefusedError):
                connected(proxy)
            assert proxy.open_links == 0
        with connected(proxy) as again:
            assert echoed(again, b"back")[0] == b"back"
    with pytest.raises(ConnectionError):
        echoed(line, b"x")
    assert proxy.url == url


@pytest.mark.parametrize(("reset", "error"), [(True, ConnectionResetError), (False, None)])
def test_links_can_be_cut(proxy: FaultProxy, line: socket.socket, reset: bool, error: Any) -> None:
    """By a RST or a FIN; new ones are taken."""
    proxy.cut(reset=reset)
    if error:
        with pytest.raises(error):
            line.recv(1)
    else:
        assert line.recv(1) == b""
    with connected(proxy) as another:
        assert echoed(another, b"x")[0] == b"x"


def test_a_reset_of_the_server_reaches_the_client(proxy: FaultProxy) -> None:
    """As a RST and not as a good end."""
    with FaultSite() as site, FaultProxy(site.host, site.port) as proxy:
        from sgsession.testing.faults import Reset

        site.inject("after_execute", Reset())
        with connected(proxy) as line:
            line.sendall(b"POST /api3/json HTTP/1.1\r\nContent-Length: 2\r\nHost: localhost\r\n\r\n{}")
            with pytest.raises(ConnectionResetError):
                line.recv(1)


def test_who_is_not_there_is_told_by_a_reset() -> None:
    """The proxy takes the connection before it knows that nobody answers behind it."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    # It may come as early as while the connection is made.
    with (
        FaultProxy("127.0.0.1", port) as proxy,
        pytest.raises(ConnectionResetError),
        connected(proxy) as line,
    ):
        line.recv(1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda proxy: proxy.add(Latency(1), "sideways"),
        lambda proxy: proxy.add(Bandwidth(0)),
        lambda proxy: proxy.add(Slicer(5, variation=5)),
    ],
)
def test_nonsense_is_refused(proxy: FaultProxy, wrong: Callable[[FaultProxy], Any]) -> None:
    """When it is added, not when bytes pass."""
    with pytest.raises(ValueError, match=r"upstream|bytes a second|at least one byte"):
        wrong(proxy)


def test_a_whole_site_behind_it(server: _Server) -> None:
    """The official client on a site through a proxy; TLS passes as it is."""
    import shotgun_api3

    with FaultSite(tls=True) as site, FaultProxy(site.host, site.port, scheme="https") as proxy:
        proxy.add(Slicer(50), "both")
        client = shotgun_api3.Shotgun(
            proxy.url, site.site.script_name, site.site.api_key, ca_certs=str(site.ca_certs)
        )
        assert client.create("Project", {"name": "Film"})["id"] == 1
        client.close()
        assert site.executions["Film"] == 1
        assert proxy.passed["downstream"] > 0


def test_nothing_is_left_of_a_closed_proxy(server: _Server) -> None:
    """Threads and descriptors are as many as before, with links open and bytes on their way."""
    with FaultProxy("127.0.0.1", server.server_address[1]):
        pass
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    proxy = FaultProxy("127.0.0.1", server.server_address[1])
    proxy.add(Latency(30))
    lines = [connected(proxy) for _ in range(5)]
    for line in lines:
        line.sendall(b"x")
    end = time.monotonic() + 5
    while proxy.passed["upstream"] < 5:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert "5 links" in repr(proxy)
    proxy.close()
    proxy.close()
    assert "closed" in repr(proxy)
    for line in lines:
        line.close()
    while threading.active_count() > threads or len(os.listdir("/proc/self/fd")) > descriptors:
        # The threads of the server behind it end when they find that their connections have.
        assert time.monotonic() < end, (threading.enumerate(), os.listdir("/proc/self/fd"))
        time.sleep(0.01)


def test_a_forked_process_leaves_the_proxy_alone(proxy: FaultProxy, line: socket.socket) -> None:
    """It may unwind over it, and the links of its parent go on."""

    def child(number: int) -> int:
        proxy.close()
        return number

    assert in_forks(child, 2) == [0, 1]
    assert echoed(line, b"x")[0] == b"x"
