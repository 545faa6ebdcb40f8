"""Opening a connection: names that nobody resolves, machines that say nothing, all in the time that there is."""

from __future__ import annotations

import _thread
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from sgsession import ShotgunPool, SiteUnavailable
from sgsession.pool import TransportOptions
from sgsession.transport.line.addresses import Address
from sgsession.transport.line.answers import ExchangeFailed, Happening
from sgsession.transport.line.opening import opened

from .proxy import Proxy
from .scripted import Scripted


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What names lead to: (host, port) pairs, or a function that is called first. All else is as it is."""
    known: dict[str, Any] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *how: Any, flags: int = 0, **more: Any) -> Any:
        name = host.decode()
        if name not in known or flags & socket.AI_NUMERICHOST:
            return real(host, port, *how, flags=flags, **more)
        leads_to = known[name]() if callable(known[name]) else known[name]
        return [entry for machine in leads_to for entry in real(*machine, *how, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """A machine that does not answer when somebody connects."""
    with ExitStack() as opened_sockets:
        listener = opened_sockets.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=0)))
        address = listener.getsockname()
        for _ in range(3):  # until its queue is full
            waiting = opened_sockets.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address


def test_a_name_server_that_does_not_answer(names: dict[str, Any]) -> None:
    """The look-up of a name is part of the time for connecting; the call ends in time, and nothing was sent."""
    answered = threading.Event()
    ended = threading.Event()

    def wait() -> Any:
        answered.wait(30)
        ended.set()
        return [("127.0.0.1", 9)]

    names["studio.test"] = wait
    options = TransportOptions(connect_timeout=0.3, attempts=2, backoff_base=0.001)
    began = time.monotonic()
    with (
        ShotgunPool("http://studio.test", "robot", "key", options=options) as pool,
        pytest.raises(SiteUnavailable, match=r"where studio\.test is"),
    ):
        pool.find_one("Shot", [])
    assert time.monotonic() - began < 1.5
    answered.set()
    assert ended.wait(10)


def test_a_name_that_leads_nowhere(names: dict[str, Any]) -> None:
    """What the look-up says is told."""

    def unknown() -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "nobody of that name")

    names["studio.test"] = unknown
    with pytest.raises(ExchangeFailed, match="nobody of that name") as failure:
        opened(Address("http", "studio.test", 80), 5.0)
    assert failure.value.happening is Happening.UNREACHABLE


def test_a_silent_machine_leaves_time_for_the_next(names: dict[str, Any], silent: tuple[str, int]) -> None:
    """Of a name with two machines the first does not answer: the second is reached in the same time."""
    with Scripted() as site:
        names["studio.test"] = [silent, ("127.0.0.1", site.port)]
        with closing(opened(Address("http", "studio.test", 80), 1.0)) as connection:
            assert connection.getpeername()[1] == site.port


def test_silent_machines_share_the_time(names: dict[str, Any], silent: tuple[str, int]) -> None:
    """However many machines a name has, connecting ends in its time."""
    names["studio.test"] = [silent] * 5
    began = time.monotonic()
    with pytest.raises(ExchangeFailed):
        opened(Address("http", "studio.test", 80), 0.5)
    assert 0.4 < time.monotonic() - began < 1.5


def test_without_threads_names_are_found(names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """At the interpreter's end no thread can be started any more: the name is looked up in place."""

    def no_thread(*_: Any) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with Scripted() as site:
        names["studio.test"] = [("127.0.0.1", site.port)]
        monkeypatch.setattr(_thread, "start_new_thread", no_thread)
        opened(Address("http", "studio.test", 80), 1.0).close()


def test_a_name_of_more_letters_than_ascii_has(names: dict[str, Any]) -> None:
    """It is looked up, and named in the request, in the spelling of the network; people read their own."""
    with Scripted() as site:
        names["xn--bcher-kva.test"] = [("127.0.0.1", site.port)]
        with ShotgunPool(f"http://bücher.test:{site.port}", "robot", "key") as pool:
            assert pool.find_one("Shot", []) == {"type": "Shot", "id": 7}
        assert all(f"host: xn--bcher-kva.test:{site.port}\r\n" in head for head in site.heads)
    assert Address("https", "bücher.test", 443).shown == "https://bücher.test"


@pytest.mark.parametrize("host", ["ü" * 64 + ".test", ".test"])
def test_a_name_behind_a_proxy_that_no_host_can_have(host: str) -> None:
    """A label too long for the network, and an empty one, are told as a host out of reach; the proxy answers."""
    with Proxy(says=b"HTTP/1.1 200 OK\r\n\r\n") as proxy:
        through = ("127.0.0.1", int(proxy.address.rpartition(":")[2]))
        with pytest.raises(ExchangeFailed, match=r"label|dot") as failure:
            opened(Address("https", host, 443, proxy=through), 5.0)
    assert failure.value.happening is Happening.UNREACHABLE


def test_the_first_connection_imports_nothing() -> None:
    """An interrupt in the middle of an import could leave the lock of all imports taken."""
    code = (
        "import sys, shotgun_api3, sgsession\n"
        "pool = sgsession.ShotgunPool(sys.argv[1], 'robot', 'key')\n"
        "before = set(sys.modules)\n"
        "pool.find_one('Shot', [])\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    with Scripted() as site:
        url = site.url.replace("127.0.0.1", "localhost")
        done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
