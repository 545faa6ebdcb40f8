"""One exchange, byte by byte: every way in which an answer can be wrong, and what may be concluded from it."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3 import Fault

from sgsession import AmbiguousWrite, ConfigurationError, ShotgunPool, SiteUnavailable
from sgsession.errors import SiteRefusal
from sgsession.testing.certificates import certificate
from sgsession.transport.calling.options import TransportOptions
from sgsession.transport.line.addresses import Address
from sgsession.transport.line.answers import ExchangeFailed, Happening
from sgsession.transport.line.exchange import Line

from .proxy import Proxy
from .scripted import FOUND, HOLD, MADE, Scripted, answer, dripping, framed

QUICK = TransportOptions(backoff_base=0.001, inactivity_timeout=1.0, deadline=20.0)
GOOD = json.dumps(FOUND).encode()
CREATED = json.dumps(MADE).encode()
KEEP = "Connection: keep-alive"


@pytest.fixture
def open_pool() -> Iterator[Callable[..., ShotgunPool]]:
    """Pools of any address, closed at the end."""
    with ExitStack() as opened:

        def make(url: str, options: TransportOptions = QUICK, **arguments: Any) -> ShotgunPool:
            return opened.enter_context(ShotgunPool(url, "robot", "key", options=options, **arguments))

        yield make


def reset(connection: socket.socket) -> bool:
    """A step: RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def chunked(*parts: bytes, headers: str = "") -> bytes:
    """An answer in chunks, as given."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
    return head.encode() + b"".join(parts)


PACKED = gzip.compress(GOOD)
FAULTS: dict[str, Any] = {
    "nothing, FIN": b"",
    "nothing, RST": reset,
    "half a status line": b"HTTP/1.1 20",
    "no status line": b"hello\r\n\r\n",
    "cut headers": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-",
    "headers, no body": framed(GOOD)[: -len(GOOD)],
    "cut body": framed(GOOD)[:-5],
    "too short a length": framed(GOOD).replace(str(len(GOOD)).encode(), str(len(GOOD) - 3).encode()),
    "a length that is none": framed(GOOD).replace(str(len(GOOD)).encode(), b"-5")[:-4],
    "no chunk": chunked(),
    "a chunk without its end": chunked(b"5\r\nabc"),
    "a chunk of no size": chunked(b"zz\r\n", GOOD),
    "chunks without an end": chunked(f"{len(GOOD) - 4:x}\r\n".encode(), GOOD[:-4], b"\r\n"),
    "cut gzip": framed(PACKED[:-12], "Content-Encoding: gzip"),
    "no gzip": framed(GOOD, "Content-Encoding: gzip"),
    "gzip and more": framed(PACKED + b"more", "Content-Encoding: gzip"),
    "unknown packing": framed(GOOD, "Content-Encoding: br"),
    "empty body": framed(b""),
    "a page": framed(b"<html>login</html>").replace(b"application/json", b"text/html"),
    "other JSON": framed(b"[]"),
    "no results": framed(b'{"ok": true}'),
    "odd results": framed(b'{"results": 7}'),
    "results of another call": framed(b'{"results": {"summaries": {}}}'),
    "not a number": framed(b'{"results": NaN}'),
    "nested without end": framed(b"[" * 200_000),
    "a number without end": framed(b'{"results": ' + b"9" * 100_000 + b"}"),
    "no UTF-8": framed(b'{"results": "\xff"}'),
    "a hundred and more headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 150 + b"\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
    "early hints only": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "502": framed(b"bad gateway", status="502 Bad Gateway"),
    "504": framed(b"<h1>late</h1>", status="504 Gateway Timeout"),
    "503": framed(b"", status="503 Service Unavailable"),
    "500": framed(b"oops", status="500 Internal Server Error"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_survives_what_a_write_is_in_doubt_over(
    open_pool: Callable[..., ShotgunPool], fault: str
) -> None:
    """One fault: the read is asked again and answered; the write is in doubt, and came exactly once."""
    with Scripted(FAULTS[fault]) as site:
        pool = open_pool(site.url)
        assert pool.find_one("Shot", []) == {"type": "Shot", "id": 7}
        assert site.received == ["read", "read"]
        site.received.clear()
        site.steps.append(FAULTS[fault])
        with pytest.raises(AmbiguousWrite) as problem:
            pool.create("Shot", {"code": "x"})
        assert site.received == ["create"]
        assert problem.value.method == "create"
        # And the pool is well.
        assert pool.create("Shot", {"code": "x"})["id"] == 7


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("400 Bad Request", "wrong"),
        ("404 Not Found", "wrong"),
        ("413 Too Large", "wrong"),
        ("302 Found", "sso"),
    ],
)
def test_a_refusal_is_final(open_pool: Callable[..., ShotgunPool], status: str, text: str) -> None:
    """A no is told at once, with what it says and without tags; no redirection is followed."""
    page = f"<style>b{{}}</style><h1>{text}</h1>".encode()
    refusal = (framed(page, "Location: https://sso.example/in?token=hidden", status=status),)
    with Scripted(refusal, refusal) as site:
        pool = open_pool(site.url)
        for ask in (lambda: pool.find_one("Shot", []), lambda: pool.create("Shot", {"code": "x"})):
            with pytest.raises(SiteRefusal, match=text) as problem:
                ask()
            assert isinstance(problem.value, Fault)
            assert problem.value.errcode == int(status[:3])
            assert "hidden" not in str(problem.value)
            assert "<" not in str(problem.value)
        assert site.received == ["read", "create"]


@pytest.mark.parametrize(
    ("good", "keeps"),
    [
        (framed(GOOD), True),
        (framed(PACKED, "Content-Encoding: GZIP"), True),
        (framed(zlib.compress(GOOD), "Content-Encoding: deflate"), True),
        (chunked(f"{len(GOOD):x};x=y\r\n".encode(), GOOD, b"\r\n0\r\nTrailer: z\r\n\r\n"), True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + framed(GOOD), True),
        (framed(GOOD, "Connection: close"), False),
        (framed(GOOD, version="HTTP/1.0"), False),
        (framed(GOOD, KEEP, version="HTTP/1.0"), True),
        (framed(GOOD) + b"HTTP/1.1 200 OK\r\n", False),
        (framed(GOOD) + framed(GOOD), False),
    ],
    ids=[
        "length",
        "gzip",
        "deflate",
        "chunks",
        "continue",
        "close",
        "1.0",
        "1.0 kept",
        "extra",
        "two answers",
    ],
)
def test_a_good_answer(open_pool: Callable[..., ShotgunPool], good: bytes, keeps: bool) -> None:
    """Each form that HTTP has for an answer is read; a connection with a byte too many is not used again."""
    with Scripted((good,), (answer(FOUND),)) as site:
        pool = open_pool(site.url)
        for _ in range(2):
            assert pool.find_one("Shot", []) == {"type": "Shot", "id": 7}
        assert site.received == ["read", "read"]
        assert site.connections == (1 if keeps else 2)


def test_until_the_end_of_the_connection(open_pool: Callable[..., ShotgunPool]) -> None:
    """An answer without a length ends with its connection."""
    with Scripted(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + GOOD) as site:
        assert open_pool(site.url).find_one("Shot", [])["id"] == 7
        assert site.received == ["read"]


@pytest.mark.parametrize("late", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n", framed(GOOD)])
def test_what_happens_to_an_idle_connection_is_invisible(
    open_pool: Callable[..., ShotgunPool], late: bytes
) -> None:
    """Bytes that nobody asked for, or an end: a write goes out on another connection, and is answered."""

    def leave(connection: socket.socket) -> bool:
        connection.sendall(answer(FOUND))
        time.sleep(0.05)
        connection.sendall(late)
        return False

    with Scripted(leave) as site:
        pool = open_pool(site.url)
        pool.find_one("Shot", [])
        time.sleep(0.15)
        assert pool.create("Shot", {"code": "x"}) == {"type": "Shot", "id": 7}
        assert (site.received, site.connections) == (["read", "create"], 2)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "408 Request Timeout"])
def test_what_was_turned_down_goes_on_a_new_connection(
    open_pool: Callable[..., ShotgunPool], status: str
) -> None:
    """A site that turns a request down and then hangs up, without having said so, leaves no write in doubt."""
    with Scripted((framed(b"{}", "Retry-After: 0", status=status),)) as site:
        pool = open_pool(site.url)
        assert pool.create("Shot", {"code": "x"})["id"] == 7
        assert site.received == ["create", "create"]
        assert site.connections == 2


def test_a_connection_that_breaks_before_a_byte_left_is_replaced() -> None:
    """Where the kernel refuses the first byte, nothing was sent: that is no doubt."""
    ours, theirs = socket.socketpair()
    theirs.close()
    from sgsession.transport.line.exchange import _send
    from sgsession.transport.line.timed import TimedSocket

    with ours, pytest.raises(ExchangeFailed) as problem:
        _send(TimedSocket(ours, time.monotonic() + 5, 5), b"POST / HTTP/1.1\r\n\r\n", b"{}")
    assert problem.value.happening is Happening.UNREACHABLE


def test_a_connection_that_breaks_in_the_middle_is_a_doubt() -> None:
    """Once a byte was handed over, a break is a doubt."""
    from sgsession.transport.line.exchange import _send
    from sgsession.transport.line.timed import TimedSocket

    ours, theirs = socket.socketpair()

    def pieces() -> Iterator[bytes]:
        yield b"some"
        theirs.close()
        yield b"more"

    with ours, pytest.raises(ExchangeFailed) as problem:
        _send(TimedSocket(ours, time.monotonic() + 5, 5), b"POST / HTTP/1.1\r\n\r\n", pieces())
    assert problem.value.happening is Happening.UNSENT


def test_connections_that_idled_too_long_are_replaced(open_pool: Callable[..., ShotgunPool]) -> None:
    """A write does not go out on a connection that a read still would use; an old one is replaced for both."""
    options = TransportOptions(idle_reuse_writes=0.05, idle_reuse_reads=30)
    with Scripted() as site:
        pool = open_pool(site.url, options)
        pool.find_one("Shot", [])
        time.sleep(0.1)
        pool.find_one("Shot", [])
        assert site.connections == 1
        time.sleep(0.1)
        pool.create("Shot", {"code": "x"})
        assert site.connections == 2
    with Scripted() as site:
        pool = open_pool(site.url, TransportOptions(longest_life=0.05))
        pool.find_one("Shot", [])
        time.sleep(0.1)
        pool.find_one("Shot", [])
        assert site.connections == 2


SLOW = {
    "silence": HOLD,
    "slow headers": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    "headers without end": dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 500),
    "slow body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b" "),
    "slow chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "chunks' trailers": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
    "continues": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "slow gzip": dripping(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n" + PACKED[:20], b"\0"
    ),
}


@pytest.mark.parametrize("slow", SLOW)
def test_no_call_outlives_its_deadline(open_pool: Callable[..., ShotgunPool], slow: str) -> None:
    """G-08: whatever the site does to be slow, the read and the write end within half a second of the deadline."""
    options = TransportOptions(deadline=0.6, backoff_base=0.01)
    with Scripted() as site:
        pool = open_pool(site.url, options)
        pool.find_one("Shot", [])
        for ask, expected in (
            (lambda: pool.find_one("Shot", []), SiteUnavailable),
            (lambda: pool.create("Shot", {"code": "x"}), AmbiguousWrite),
        ):
            site.steps[:] = [SLOW[slow]] * 5
            began = time.monotonic()
            with pytest.raises(expected):
                ask()
            # Half a second by the contract, and as much again for a busy machine.
            assert time.monotonic() - began < 0.6 + 1.0
            site.steps.clear()


def test_what_the_user_set_on_the_client_bounds_a_silence(open_pool: Callable[..., ShotgunPool]) -> None:
    """`config.timeout_secs`, changed at any time, holds for connections that are open already."""
    with Scripted() as site:
        pool = open_pool(site.url, TransportOptions(attempts=1))
        pool.find_one("Shot", [])
        pool.config.timeout_secs = 0.2
        site.steps.append(HOLD)
        began = time.monotonic()
        with pytest.raises(SiteUnavailable):
            pool.find_one("Shot", [])
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large(open_pool: Callable[..., ShotgunPool], packed: bool) -> None:
    """An endless answer and a bomb are given up at the limit, which is named; memory stays flat."""
    import tracemalloc

    if packed:
        bomb = framed(gzip.compress(b" " * 200_000_000), "Content-Encoding: gzip")
    else:
        bomb = b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n" + b" " * 2_000_000
    options = TransportOptions(largest_answer=1_000_000)
    with Scripted((bomb,), (bomb,)) as site:
        pool = open_pool(site.url, options)
        tracemalloc.start()
        try:
            with pytest.raises(SiteUnavailable, match="more than 1000000 bytes"):
                pool.find_one("Shot", [])
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()
        with pytest.raises(AmbiguousWrite, match="largest_answer"):
            pool.create("Shot", {"code": "x"})
        assert site.received == ["read", "create"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where certificates lie."""
    return tmp_path_factory.mktemp("certificates")


def test_tls_and_whom_to_trust(
    open_pool: Callable[..., ShotgunPool], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ca_certs` and SHOTGUN_API_CACERTS are what is trusted; a kept-alive connection is used again."""
    made = certificate(folder)
    with Scripted(context=made.context) as site:
        assert open_pool(site.url, ca_certs=str(made.ca_certs)).find_one("Shot", [])["id"] == 7
        monkeypatch.setenv("SHOTGUN_API_CACERTS", str(made.ca_certs))
        pool = open_pool(site.url)
        before = site.connections
        for _ in range(3):
            assert pool.find_one("Shot", [])["id"] == 7
        assert site.connections == before + 1


@pytest.mark.parametrize("kind", ["expired", "wrong_host", "untrusted"])
def test_a_certificate_that_is_not_trusted(
    open_pool: Callable[..., ShotgunPool], tmp_path: Path, kind: Any
) -> None:
    """Told at once, once, with the reason; not a byte of the request leaves, and nothing is tried without TLS."""
    made = certificate(tmp_path, kind)
    with Scripted(context=made.context) as site:
        pool = open_pool(site.url, ca_certs=str(made.ca_certs))
        with pytest.raises(SiteUnavailable, match="certificate is not trusted") as problem:
            pool.create("Shot", {"code": "x"})
        assert problem.value.attempts == 1
        assert (site.connections, site.received) == (1, [])


def test_certificates_that_cannot_be_read(open_pool: Callable[..., ShotgunPool], tmp_path: Path) -> None:
    """A file that is missing is named."""
    pool = open_pool("https://127.0.0.1:1", ca_certs=str(tmp_path / "gone.pem"))
    with Scripted() as site:
        pool.config.server = f"127.0.0.1:{site.port}"
        with pytest.raises(SiteUnavailable, match=r"gone\.pem"):
            pool.find_one("Shot", [])


def test_tls_that_ends_early(open_pool: Callable[..., ShotgunPool], folder: Path) -> None:
    """An end in the handshake is retried for a write, too; one in the answer is a doubt."""
    made = certificate(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            for _ in range(4):
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        pool = open_pool(url, ca_certs=str(made.ca_certs))
        with pytest.raises(SiteUnavailable, match="Nothing was sent") as problem:
            pool.create("Shot", {"code": "x"})
        thread.join()
        assert problem.value.attempts == 4
    with Scripted(context=made.context) as site:
        pool = open_pool(site.url, ca_certs=str(made.ca_certs))
        pool.find_one("Shot", [])
        for cut in (b"", framed(CREATED)[:-4]):
            site.steps.append(cut)
            with pytest.raises(AmbiguousWrite):
                pool.create("Shot", {"code": "x"})
        assert site.received == ["read", "create", "create"]


@pytest.mark.parametrize("tls", [False, True])
def test_through_a_proxy(open_pool: Callable[..., ShotgunPool], folder: Path, tls: bool) -> None:
    """Plain or TLS, by CONNECT, with the credentials; the connection is kept."""
    made = certificate(folder)
    with Proxy() as proxy, Scripted(context=made.context if tls else None) as site:
        given = {"ca_certs": str(made.ca_certs)} if tls else {}
        pool = open_pool(site.url, http_proxy=f"joe:pass@word@{proxy.address}", **given)
        for _ in range(2):
            assert pool.find_one("Shot", [])["id"] == 7
        [asked] = proxy.asked
        assert asked.startswith(f"CONNECT 127.0.0.1:{site.port} HTTP/1.1")
        assert "Proxy-Authorization: Basic am9lOnBhc3NAd29yZA==" in asked


@pytest.mark.parametrize(
    "says",
    [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b"", b"nonsense\r\n\r\n"],
)
def test_a_proxy_that_does_not_want(open_pool: Callable[..., ShotgunPool], says: bytes) -> None:
    """Nothing was sent, the password is in no text, and certificates of the site are never asked for."""
    with Proxy(says) as proxy, Scripted() as site:
        pool = open_pool(site.url, http_proxy=f"joe:hidden@{proxy.address}")
        with pytest.raises(SiteUnavailable, match="Nothing was sent") as problem:
            pool.create("Shot", {"code": "x"})
        assert "hidden" not in f"{problem.value} {problem.value!r} {pool!r}"
        assert "407" in str(problem.value) or b"407" not in says
        assert site.connections == 0


@pytest.mark.skipif(not socket.has_ipv6, reason="this system has no IPv6")
def test_ipv6(open_pool: Callable[..., ShotgunPool]) -> None:
    """An address in brackets, with its port, in the request and in errors."""
    try:
        site = Scripted(host="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with site:
        assert open_pool(site.url).find_one("Shot", [])["id"] == 7
        assert f"host: [::1]:{site.port}" in site.heads[0]
    with pytest.raises(SiteUnavailable, match=rf"\[::1\]:{site.port}"):
        open_pool(site.url).find_one("Shot", [])


@pytest.mark.parametrize(
    "url",
    [
        "http://no..such.host",
        "http://" + "a" * 80 + ".invalid",
        "https://" + "ü" * 64 + ".invalid",
        "http://nobody.invalid:81",
    ],
)
def test_names_that_lead_nowhere(open_pool: Callable[..., ShotgunPool], url: str) -> None:
    """A name that cannot be one, and one that nobody has, are told alike: nobody answers, nothing was sent."""
    with pytest.raises(SiteUnavailable, match="Nothing was sent"):
        open_pool(url, TransportOptions(attempts=1)).create("Shot", {"code": "x"})


@pytest.mark.parametrize("url", ["http://host:99999", "http://host:abc"])
def test_ports_that_are_none(url: str) -> None:
    """A port that cannot be one is a mistake in the address, told before anything is asked."""
    with pytest.raises(ConfigurationError, match="http://host"):
        ShotgunPool(url, "robot", "key")


def test_headers_cannot_be_smuggled_in(open_pool: Callable[..., ShotgunPool]) -> None:
    """A line break in a user agent is refused before anything is sent; other odd characters are replaced."""
    with Scripted() as site:
        pool = open_pool(site.url)
        pool.add_user_agent("工具 (1.0)")
        assert pool.find_one("Shot", [])["id"] == 7
        assert "?? (1.0)" in site.heads[0]
        pool.add_user_agent("x\r\nX-Evil: 1")
        with pytest.raises(ValueError, match="line break"):
            pool.create("Shot", {"code": "x"})
        assert site.received == ["read"]


def test_a_line_is_not_used_by_a_forked_child() -> None:
    """The connection of another process is closed, not used."""
    with Scripted() as site:
        line = Line()
        address = Address("http", "127.0.0.1", site.port)
        body = b'{"method_name": "read"}'
        options = {
            "length": len(body),
            "deadline": time.monotonic() + 20,
            "timeouts": (5.0, 5.0),
            "longest_idle": 60.0,
            "longest_life": 60.0,
            "largest_answer": 1000,
        }
        line.exchange(address, "POST", "/api3/json", {}, body, **options)  # type: ignore[arg-type]
        assert line.is_open
        line._process -= 1
        line.exchange(address, "POST", "/api3/json", {}, body, **options)  # type: ignore[arg-type]
        assert site.connections == 2
        line.close()


def test_verification_is_never_given_up() -> None:
    """The context that all connections use asks for a certificate, and for the host's name in it."""
    from sgsession.transport.line.opening import _context

    context = _context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
