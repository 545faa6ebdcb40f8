"""The fault-injecting site: what leaves at each point of a request's life, byte for byte, and what was executed."""

from __future__ import annotations

import builtins
import gc
import gzip
import http.client
import json
import os
import random
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

from sgsession.testing.consistency import check_set
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.faults import (
    POINTS,
    Action,
    BadChunking,
    BadGzip,
    Empty,
    EndlessHeaders,
    Fin,
    Garbage,
    Html,
    Huge,
    Instead,
    NotTheEnvelope,
    Point,
    Redirect,
    Reset,
    Slow,
    Stall,
    Status,
    SwappedAnswer,
    TlsEof,
    Truncated,
    WrongLength,
)
from sgsession.testing.forking import in_forks
from sgsession.testing.history import History
from sgsession.testing.received import form_fields, method_of, written_tokens


@pytest.fixture
def site() -> Iterator[FaultSite]:
    """A fault site with nothing ordered."""
    with FaultSite() as site:
        yield site


class Line:
    """A client that is in control of each byte, on one connection."""

    def __init__(self, site: FaultSite) -> None:
        self.site = site
        self.socket: socket.socket = socket.create_connection((site.host, site.port), timeout=5)
        if site.ca_certs is not None:
            context = ssl.create_default_context(cafile=str(site.ca_certs))
            # An end without close_notify is to be seen as such.
            self.socket = context.wrap_socket(
                self.socket, server_hostname="127.0.0.1", suppress_ragged_eofs=False
            )

        self.reader = self.socket.makefile("rb")

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self.reader.close()
        self.socket.close()

    def create(self, code: str) -> None:
        """Send a request that makes a project."""
        fields = [{"field_name": "name", "value": code}]
        self.ask("create", {"type": "Project", "fields": fields})

    def ask(self, method: str, arguments: Any = None) -> None:
        """Send a request."""
        credentials = {"script_name": self.site.site.script_name, "script_key": self.site.site.api_key}
        body = json.dumps({"method_name": method, "params": [credentials, arguments]}).encode()
        head = f"POST /api3/json HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        self.socket.sendall(head.encode() + body)

    def answer(self) -> http.client.HTTPResponse:
        """The next answer, whose head was good."""
        response = http.client.HTTPResponse(_OneReader(self.reader))  # type: ignore[arg-type]
        response.begin()
        return response

    def rest(self) -> bytes:
        """All that comes until the connection ends in good order."""
        return self.reader.read()


class _OneReader:
    """Stands for a socket to `http.client`, which would read ahead into a buffer of its own and close that."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def makefile(self, mode: str) -> _OneReader:
        return self

    def close(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


@pytest.fixture
def loose_ends() -> Iterator[None]:
    """Collects what the official client leaves open, while the test's filter of warnings still holds."""
    yield
    gc.collect()


def leaky(test: Any) -> Any:
    """Marks what leaves something open to the garbage collector: the official client files and answers, ssl of
    Python 3.10 the sockets of failed handshakes."""
    return pytest.mark.filterwarnings("ignore::ResourceWarning")(pytest.mark.usefixtures("loose_ends")(test))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file to upload."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"x" * 5000)
    return path


def names(site: FaultSite) -> list[str]:
    """The projects that there are in truth."""
    with closing(site.connect(in_process=True)) as client:
        return [row["name"] for row in client.find("Project", [], ["name"])]


def test_without_faults_it_is_a_site(site: FaultSite) -> None:
    """The official client works with it, and what it did is counted under the names that it wrote."""
    client = site.connect()
    project = client.create("Project", {"name": "Film"})
    shot = client.create("Shot", {"code": "sh010", "project": project})
    client.update("Shot", shot["id"], {"description": "long"})
    client.batch(
        [
            {"request_type": "create", "entity_type": "Shot", "data": {"code": "sh020", "project": project}},
            {"request_type": "delete", "entity_type": "Shot", "entity_id": shot["id"]},
        ]
    )
    with pytest.raises(shotgun_api3.Fault):
        client.create("Shot", {"code": "sh030", "no_such_field": 1})
    client.close()
    assert site.executions == {"Film": 1, "sh010": 1, "sh020": 1, "Shot:1": 2}
    assert site.executed_methods == {"info": 1, "create": 2, "update": 1, "batch": 1}
    assert [each.method for each in site.received("create")] == ["create"] * 3
    assert [each.executed for each in site.received("create")] == [True, True, False]
    assert {each.connection for each in site.requests} == {1}
    assert site.requests[-1].at <= time.monotonic()
    assert site.faults == {}


def test_no_credentials_are_recorded(site: FaultSite) -> None:
    """What the site remembers of requests names no key."""
    with closing(site.connect()) as client:
        client.find("Project", [])
    assert site.site.api_key not in repr(list(site.requests))


ENDS: list[tuple[Point, int]] = [
    ("headers", 0),
    ("body", 0),
    ("before_execute", 0),
    ("after_execute", 1),
    ("after_headers", 1),
    ("mid_body", 1),
]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("point", "executed"), ENDS)
def test_a_fin_ends_the_connection_in_good_order(point: Point, executed: int, tls: bool) -> None:
    """Before the engine ran nothing is executed, after it once; of the answer so much has left."""
    with FaultSite(tls=tls) as site, Line(site) as line:
        site.inject(point, Fin())
        line.create("Film")
        got = line.rest()
        assert site.executions["Film"] == executed == len(names(site))
        head, _, body = got.partition(b"\r\n\r\n")
        promised = int(head.partition(b"Content-Length: ")[2] or 0)
        assert {"after_headers": len(body) == 0 < promised, "mid_body": 0 < len(body) < promised}.get(
            point, got == b""
        )
        assert site.requests[0].faults == [(point, Fin())]
        assert site.faults == {(point, "Fin"): 1}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("point", "executed"), ENDS)
def test_a_reset_tears_it_down(point: Point, executed: int, tls: bool) -> None:
    """The client sees ECONNRESET, or under TLS an end without notice."""
    with FaultSite(tls=tls) as site, Line(site) as line:
        site.inject(point, Reset())
        line.create("Film")
        with pytest.raises((ConnectionResetError, ssl.SSLError)):
            line.rest()
        assert len(names(site)) == executed


def test_a_tls_eof_is_an_end_without_notice() -> None:
    """A Fin says close_notify first; a TlsEof does not."""
    with FaultSite(tls=True) as site:
        site.inject("after_execute", TlsEof())
        with Line(site) as line:
            line.create("One")
            with pytest.raises(ssl.SSLEOFError):
                line.rest()
        assert site.executions["One"] == 1


@leaky
@pytest.mark.parametrize("action", [Fin(), Reset(), Stall(0.2)], ids=repr)
@pytest.mark.parametrize("point", ["accept", "tls"])
def test_a_connection_can_break_before_any_request(point: Point, action: Action) -> None:
    """At "accept" and in the handshake; the next connection is a good one."""
    with FaultSite(tls=True) as site:
        site.inject(point, action)
        began = time.monotonic()
        if isinstance(action, Stall):
            Line(site).close()
            assert time.monotonic() - began >= 0.2
        else:
            with pytest.raises((ConnectionError, ssl.SSLError)):
                Line(site)
        with Line(site) as line:
            line.create("Film")
            assert line.answer().status == 200
        assert site.executions["Film"] == 1


def test_garbage_in_the_handshake_is_no_tls() -> None:
    """A server that does not speak TLS on that port."""
    with FaultSite(tls=True) as site:
        site.inject("tls", Garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version|record|packet"):
            Line(site)


@pytest.mark.parametrize("kind", ["expired", "wrong_host", "untrusted"])
def test_bad_certificates_are_refused_by_clients(kind: Any) -> None:
    """Each kind for its own reason; nothing is read of a request."""
    reasons = {"expired": "expired", "wrong_host": "mismatch", "untrusted": "issuer"}
    with FaultSite(tls=kind) as site:
        with pytest.raises(ssl.SSLCertVerificationError, match=reasons[kind]):
            Line(site)
        assert not site.requests


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without trustme the error says what to install, and nothing is left open."""
    true_import = builtins.__import__

    def without_trustme(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "trustme":
            raise ModuleNotFoundError(name)
        return true_import(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without_trustme)
    before = threading.active_count()
    with pytest.raises(ModuleNotFoundError, match="pip install trustme"):
        FaultSite(tls=True)
    assert threading.active_count() == before


@pytest.mark.parametrize(("point", "executed"), ENDS[:4])
def test_a_status_takes_the_place_of_the_answer(site: FaultSite, point: Point, executed: int) -> None:
    """With Retry-After in seconds or as a date, before or after the engine ran."""
    site.inject(point, Status(503, retry_after=2.5))
    with Line(site) as line:
        line.create("Film")
        answer = line.answer()
        assert (answer.status, answer.reason) == (503, "Service Unavailable")
        assert answer.getheader("Retry-After") == "2.5"
        assert answer.getheader("Content-Type", "").startswith("text/html")
        assert b"503" in answer.read()
    assert len(names(site)) == executed
    site.inject("before_execute", Status(429, retry_after="Fri, 31 Dec 2027 23:59:59 GMT"))
    with Line(site) as line:
        line.create("Film")
        assert line.answer().getheader("Retry-After") == "Fri, 31 Dec 2027 23:59:59 GMT"


WRONG: list[tuple[Action, bytes, str]] = [
    (Html(), b"<title>Please sign in</title>", "text/html"),
    (Empty(), b"", "application/json"),
    (Garbage(), b"\xff\x00", "application/json"),
    (NotTheEnvelope(), b'{"status":"ok","data":[]}', "application/json"),
    (Instead(b"[" * 100_000, headers=(("X-One", "1"),)), b"[[[[", "application/json"),
    (Instead(b"busy", 502, "text/plain"), b"busy", "text/plain"),
]


@pytest.mark.parametrize(("action", "holds", "content_type"), WRONG, ids=lambda each: type(each).__name__)
def test_a_wrong_body_is_framed_rightly(
    site: FaultSite, action: Instead, holds: bytes, content_type: str
) -> None:
    """The request was executed, something else is said, and the connection goes on with the next request."""
    site.inject("after_execute", action)
    with Line(site) as line:
        line.create("Film")
        answer = line.answer()
        body = answer.read()
        assert answer.status == action.status
        assert holds in body
        assert int(answer.getheader("Content-Length") or -1) == len(body)
        assert answer.getheader("Content-Type", "").startswith(content_type)
        line.ask("info")
        assert "results" in json.loads(line.answer().read())
    assert site.executions["Film"] == 1


def test_a_truncated_answer_is_half_of_the_true_one(site: FaultSite) -> None:
    """The head promises all of it."""
    site.inject("after_execute", Truncated())
    with Line(site) as line:
        line.create("Film")
        answer = line.answer()
        with pytest.raises(http.client.IncompleteRead) as caught:
            answer.read()
    assert caught.value.partial.startswith(b'{"results":{"type":')
    assert 0 <= (caught.value.expected or 0) - len(caught.value.partial) <= 1


def test_a_length_can_be_too_large_or_too_small(site: FaultSite) -> None:
    """Too large, the connection ends early; too small, the rest lies before the next answer."""
    site.inject("after_execute", WrongLength(7))
    with Line(site) as line:
        line.create("One")
        with pytest.raises(http.client.IncompleteRead) as caught:
            line.answer().read()
        assert caught.value.expected == 7
    site.inject("after_execute", WrongLength(-7))
    with Line(site) as line:
        line.create("Two")
        body = line.answer().read()
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
        line.ask("info")
        with pytest.raises(http.client.BadStatusLine):
            line.answer()
    assert site.executions == {"One": 1, "Two": 1}


def test_chunks_and_gzip_can_be_bad(site: FaultSite) -> None:
    """Python's own HTTP refuses the chunks, and its gzip the packed body."""
    site.inject("after_execute", BadChunking())
    with Line(site) as line:
        line.create("One")
        answer = line.answer()
        assert answer.chunked
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
    site.inject("after_execute", BadGzip())
    with Line(site) as line:
        line.create("Two")
        answer = line.answer()
        assert answer.getheader("Content-Encoding") == "gzip"
        with pytest.raises((EOFError, gzip.BadGzipFile, OSError, Exception)) as caught:
            gzip.decompress(answer.read())
        assert caught.type.__name__ in ("EOFError", "BadGzipFile", "error")


def test_a_swapped_answer_belongs_to_another_question(site: FaultSite) -> None:
    """It is the latest one to a different request of that method; a repetition's own does not count."""
    client = site.connect()
    client.create("Project", {"name": "One"})
    client.create("Project", {"name": "Two"})
    find = [["name", "is", "One"]], ["name"]
    client.find("Project", [["name", "is", "Two"]], ["name"])
    client.find("Project", *find)
    site.inject("after_execute", SwappedAnswer(), method="read")
    assert [row["name"] for row in client.find("Project", *find)] == ["Two"]
    assert [row["name"] for row in client.find("Project", *find)] == ["One"]
    client.close()


def test_an_answer_can_come_unasked_for(site: FaultSite) -> None:
    """It lies on the idle connection, before the answer to the next request."""
    site.inject("keepalive_idle", SwappedAnswer(), method="create")
    with Line(site) as line:
        line.ask("info")
        info = line.answer().read()
        line.create("Film")
        assert b"Film" in line.answer().read()
        assert line.answer().read() == info


@pytest.mark.parametrize(
    ("action", "rest"),
    [(Fin(), b""), (Garbage(b"noise"), b"noise"), (Status(408), b"HTTP/1.1 408 Request Timeout")],
)
def test_an_idle_connection_can_end_or_speak(site: FaultSite, action: Action, rest: bytes) -> None:
    """The answer came whole before."""
    site.inject("keepalive_idle", action)
    with Line(site) as line:
        line.create("Film")
        assert b"Film" in line.answer().read()
        if isinstance(action, Garbage):
            assert line.reader.read(len(rest)) == rest
        else:
            assert line.rest().startswith(rest)


def test_a_huge_answer_is_made_as_it_leaves(site: FaultSite) -> None:
    """Of the size that was asked for, and an envelope."""
    site.inject("before_execute", Huge(10_000_000))
    with Line(site) as line:
        line.ask("info")
        body = line.answer().read()
    assert len(body) == 10_000_000
    assert set(json.loads(body)) == {"results"}


def test_headers_without_end(site: FaultSite) -> None:
    """They go on until the client hangs up, or to the limit; the site is done with it then."""
    site.inject("before_execute", EndlessHeaders(most=200_000))
    with Line(site) as line:
        line.ask("info")
        got = line.rest()
        assert len(got) >= 200_000
        assert b"\r\n\r\n" not in got
    site.inject("before_execute", EndlessHeaders(bytes_per_second=2000))
    began = time.monotonic()
    with Line(site) as line:
        line.ask("info")
        while len(line.socket.recv(65536)) and time.monotonic() - began < 0.3:
            pass
    _wait_until(lambda: site.open_connections == 0)


def test_a_redirect_names_another_host(site: FaultSite) -> None:
    """The address stands in Location."""
    site.inject("before_execute", Redirect("http://elsewhere.invalid/api3/json", 307))
    with Line(site) as line:
        line.ask("info")
        answer = line.answer()
        assert (answer.status, answer.getheader("Location")) == (307, "http://elsewhere.invalid/api3/json")


@pytest.mark.parametrize(
    "point", ["headers", "body", "before_execute", "after_execute", "after_headers", "mid_body"]
)
def test_a_stall_is_late_and_otherwise_right(site: FaultSite, point: Point) -> None:
    """All goes on after it."""
    site.inject(point, Stall(0.15))
    with Line(site) as line:
        began = time.monotonic()
        line.create("Film")
        assert b"Film" in line.answer().read()
        assert time.monotonic() - began >= 0.15
    assert site.executions["Film"] == 1


@pytest.mark.parametrize("point", ["body", "after_execute", "mid_body"])
def test_a_slow_line_passes_so_many_bytes_a_second(site: FaultSite, point: Point) -> None:
    """Of the request or of the answer."""
    site.inject(point, Slow(400))
    with Line(site) as line:
        began = time.monotonic()
        line.create("F" * 100)
        assert b"FFF" in line.answer().read()
        assert time.monotonic() - began >= 0.15


def test_a_slow_line_takes_in_what_comes_later_slowly_too(site: FaultSite) -> None:
    """The body of a large request, portion by portion."""
    site.inject("headers", Slow(20_000))
    head = b"POST /api3/json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6000\r\n\r\n"
    with Line(site) as line:
        began = time.monotonic()
        line.socket.sendall(head + b'{"method_name":"info","params":[]')
        time.sleep(0.05)
        line.socket.sendall(b" " * 5966 + b"}")
        assert "results" in json.loads(line.answer().read())
        assert time.monotonic() - began >= 0.29


@pytest.mark.parametrize("point", ["after_headers", "mid_body"])
def test_garbage_in_an_answer_is_the_end_of_it(site: FaultSite, point: Point) -> None:
    """It comes in place of the rest."""
    site.inject(point, Garbage(b"\xff\xfe"))
    with Line(site) as line:
        line.create("Film")
        head, _, body = line.rest().partition(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2])
    assert len(body) == (0 if point == "after_headers" else length // 2) + 2
    assert body.endswith(b"\xff\xfe")
    assert site.executions["Film"] == 1


def test_what_is_unread_of_a_request_stays_in_the_kernel(site: FaultSite) -> None:
    """At "headers" the site takes in no more than it needs: a client with much to send has not sent it all."""
    site.inject("headers", Stall(30))
    with Line(site) as line:
        line.socket.settimeout(0.5)
        head = b"POST /upload/upload_file HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n"
        with pytest.raises(TimeoutError):
            line.socket.sendall(head + b"x" * 99_000_000)


def test_a_stall_ends_when_the_site_is_closed() -> None:
    """Closing does not wait for what was to be late."""
    began = time.monotonic()
    with FaultSite() as site:
        site.inject("before_execute", Stall(60))
        line = Line(site)
        line.ask("info")
        _wait_until(lambda: bool(site.faults))
    line.close()
    assert time.monotonic() - began < 5
    assert (site.threads, site.open_connections) == (0, 0)


# When


def test_the_second_page_and_the_third_attempt(site: FaultSite) -> None:
    """`nth` and `times` count the requests of the method alone."""
    order = site.inject("before_execute", Status(500), method="create", nth=2, times=2)
    statuses = []
    with Line(site) as line:
        for number in range(5):
            line.ask("info")
            assert line.answer().read()
            line.create(f"Film {number}")
            answer = line.answer()
            answer.read()
            statuses.append(answer.status)
    assert statuses == [200, 500, 500, 200, 200]
    assert order.hits == 2


def test_always_and_until_cancelled(site: FaultSite) -> None:
    """With times=None every request is struck, until the block, the order or all orders end."""

    def status() -> int:
        with Line(site) as line:
            line.ask("info")
            return line.answer().status

    with site.inject("before_execute", Status(502), times=None) as order:
        assert [status() for _ in range(5)] == [502] * 5
    assert (status(), order.hits) == (200, 5)
    site.inject("before_execute", Status(502), times=None).cancel()
    assert status() == 200
    site.inject("before_execute", Status(502), times=None)
    site.calm()
    assert status() == 200
    assert "5 hits, over" in repr(order)


def test_of_two_orders_the_older_is_followed_first(site: FaultSite) -> None:
    """And two points of one request can be struck together."""
    site.inject("before_execute", Stall(0.05))
    site.inject("after_execute", Status(500), times=2)
    site.inject("after_execute", Status(502), times=2)
    with Line(site) as line:
        seen = []
        for _ in range(4):
            line.ask("info")
            answer = line.answer()
            answer.read()
            seen.append(answer.status)
    assert seen == [500, 500, 200, 200]
    assert [point for point, _ in site.requests[0].faults] == ["before_execute", "after_execute"]


def test_a_storm_is_the_same_for_the_same_seed() -> None:
    """So many of the requests are struck, by each of the faults, and the same ones each time."""
    faults: list[tuple[Point, Action]] = [("before_execute", Status(503)), ("after_execute", Html())]

    def run(seed: int) -> list[list[tuple[str, Any]]]:
        with FaultSite() as site, Line(site) as line:
            order = site.storm(faults, rate=0.3, seed=seed, method="info")
            for _ in range(200):
                line.ask("info")
                line.answer().read()
            assert order.hits == sum(site.faults.values())
            return [each.faults for each in site.requests]

    first = run(7)
    assert first == run(7)
    assert first != run(8)
    struck = [each for each in first if each]
    assert 30 <= len(struck) <= 90
    assert {each[0][0] for each in struck} == {"before_execute", "after_execute"}


def test_a_storm_strikes_connections_as_well(site: FaultSite) -> None:
    """Where its faults are of "accept"; the share is that of the connections."""
    site.storm([("accept", Reset()), ("before_execute", Status(500))], rate=0.5, seed=3)
    outcomes = []
    for _ in range(40):
        try:
            with Line(site) as line:
                line.ask("info")
                outcomes.append(str(line.answer().status))
        except ConnectionError:
            outcomes.append("reset")
    assert set(outcomes) == {"reset", "500", "200"}


def test_counts_are_true_in_a_storm() -> None:
    """Eight clients that never repeat a request, and faults everywhere: the counts are the rows, once each."""
    seed = random.randrange(10**6)
    anywhere: list[tuple[Point, Action]] = [
        ("accept", Reset()),
        ("headers", Fin()),
        ("before_execute", Reset()),
        ("after_execute", Fin()),
        ("after_execute", Truncated()),
        ("after_execute", Garbage()),
        ("mid_body", Reset()),
        ("keepalive_idle", Fin()),
        ("before_execute", Status(503)),
    ]
    history = History()

    def create(line: Line, code: str) -> None:
        line.create(code)
        if "results" not in json.loads(line.answer().read()):
            raise ValueError("no answer of a site")

    def work(site: FaultSite, worker: int) -> None:
        for number in range(25):
            code = f"{worker}-{number}"

            def attempt(code: str = code) -> None:
                with Line(site) as line:
                    create(line, code)

            history.perform("add", code, attempt)

    with FaultSite() as site:
        site.storm(anywhere, rate=0.3, seed=seed)
        with ThreadPoolExecutor(8) as workers:
            for done in [workers.submit(work, site, worker) for worker in range(8)]:
                done.result()
        rows = names(site)
        assert not check_set(history, rows), f"seed {seed}"
        assert site.executions == Counter(rows), f"seed {seed}"
        outcomes = Counter(each.outcome for each in history.operations())
        assert outcomes["ok"] > 50, f"seed {seed}"
        assert outcomes["info"] > 20, f"seed {seed}"
        assert len(rows) > outcomes["ok"], f"seed {seed}"


@pytest.mark.parametrize(
    ("point", "action", "more", "message"),
    [
        ("nowhere", Fin(), {}, "no point of a request's life"),
        ("accept", Status(500), {}, "Status cannot happen at 'accept'"),
        ("mid_body", Html(), {}, "before_execute, after_execute"),
        ("accept", Fin(), {"method": "create"}, "nothing is known of a request yet"),
        ("body", Fin(), {"nth": 0}, "count from 1"),
        ("body", Fin(), {"times": 0}, "count from 1"),
    ],
)
def test_orders_that_cannot_be_followed_are_refused(
    site: FaultSite, point: Any, action: Action, more: dict[str, Any], message: str
) -> None:
    """At once, in words that say what could be."""
    with pytest.raises(ValueError, match=message):
        site.inject(point, action, **more)


def test_what_is_no_action_is_refused(site: FaultSite) -> None:
    """The class instead of an instance of it, for one."""
    with pytest.raises(TypeError, match="no action"):
        site.inject("body", Fin)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        site.storm([], rate=0.5, seed=1)
    with pytest.raises(ValueError, match="rate"):
        site.storm([("body", Fin())], rate=0, seed=1)


@pytest.mark.parametrize("point", POINTS)
def test_every_point_is_reached(point: Point) -> None:
    """A fault that can happen anywhere happens there."""
    with FaultSite(tls=True) as site:
        order = site.inject(point, Stall(0.001), times=None)
        with Line(site) as line:
            line.create("Film")
            assert line.answer().read()
            _wait_until(lambda: site.faults[point, "Stall"] == 1)
            order.cancel()


# Uploads


@leaky
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("direct", [False, True], ids=["form", "signed"])
def test_uploads_work_through_it(file: Path, direct: bool, tls: bool) -> None:
    """By form and by signed address, with what the official client does; the file can be read back."""
    with FaultSite(tls=tls, direct_uploads=direct) as site:
        client = site.connect()
        project = client.create("Project", {"name": "Film"})
        attachment = client.upload("Project", project["id"], str(file))
        assert client.download_attachment({"type": "Attachment", "id": attachment}) == b"x" * 5000
        client.close()
        done = dict(site.executed_methods)
    steps = {"api_get_upload_link_info", "PUT", "api_link_file"} if direct else {"upload_file"}
    assert steps < set(done)
    assert done["GET"] >= 1
    assert site.executions["Project:1" if direct else "notes.txt"] == 1


@leaky
@pytest.mark.parametrize(
    ("picked", "executed"),
    [({"method": "upload_file"}, 1), ({"path": "/upload/*"}, 1), ({"method": ("create", "upload_file")}, 1)],
)
def test_uploads_can_be_struck(site: FaultSite, file: Path, picked: dict[str, Any], executed: int) -> None:
    """By the name of the form or by a pattern of paths; what was executed is counted all the same."""
    client = site.connect()
    client.MAX_ATTEMPTS = 1
    project = client.create("Project", {"name": "Film"})
    site.inject("after_execute", Status(502), **picked)
    with pytest.raises(shotgun_api3.ShotgunError):
        client.upload("Project", project["id"], str(file))
    client.close()
    assert site.executions["notes.txt"] == executed
    with closing(site.connect(in_process=True)) as inside:
        assert len(inside.find("Attachment", [])) == executed


@leaky
def test_a_part_of_an_upload_can_be_lost(file: Path) -> None:
    """The bytes went to the signed address, and the answer did not come: nothing is linked."""
    with FaultSite(direct_uploads=True) as site:
        client = site.connect()
        client.MAX_ATTEMPTS = 1
        project = client.create("Project", {"name": "Film"})
        site.inject("after_execute", Reset(), path="/storage/*")
        with pytest.raises((shotgun_api3.ShotgunError, ConnectionError)):
            client.upload("Project", project["id"], str(file))
        client.close()
        assert site.executed_methods["PUT"] == 1
        assert site.executed_methods["api_link_file"] == 0


@leaky
def test_a_refused_upload_is_not_executed(site: FaultSite, file: Path) -> None:
    """The form's refusal has status 200; it does not count."""
    client = site.connect()
    client.create("Project", {"name": "Film"})
    with pytest.raises(shotgun_api3.ShotgunError):
        client.upload("Project", 999, str(file))
    client.close()
    assert site.executed_methods["upload_file"] == 0


# Tokens


def test_tokens_can_be_chosen() -> None:
    """Executions are counted under whatever a function takes from method and arguments."""

    def filtered(method: str, arguments: Any) -> list[str]:
        return [f"{method} {arguments['type']}"] if method == "read" else []

    with FaultSite(tokens=filtered) as site:
        client = site.connect()
        client.find("Shot", [])
        client.create("Project", {"name": "Film"})
        client.close()
        assert site.executions == {"read Shot": 1}


def test_what_a_write_is_counted_under() -> None:
    """The name that it gives, or the row that it means; nothing for a read."""
    note = {"type": "Note", "fields": [{"field_name": "subject", "value": "Hello"}]}
    update = {"type": "Shot", "id": 3, "fields": [{"field_name": "sg_status_list", "value": "ip"}]}
    assert list(written_tokens("create", note)) == ["Hello"]
    assert list(written_tokens("update", update)) == ["Shot:3"]
    assert list(written_tokens("delete", {"type": "Shot", "id": 3})) == ["Shot:3"]
    assert list(written_tokens("read", {"type": "Shot", "filters": {}})) == []
    assert list(written_tokens("batch", [{"request_type": "create", **note}, "nonsense"])) == ["Hello"]
    assert list(written_tokens("upload_file", {"entity_type": "Shot", "entity_id": "3"})) == ["Shot:3"]


def test_the_method_of_a_request() -> None:
    """As it stands in the body, in the path, or the verb."""
    assert (
        method_of("POST", "/api3/json", b'{"params": ["\\"method_name\\": \\"no\\""], "method_name" : "read"')
        == "read"
    )
    assert method_of("POST", "/api3/json", b'{"par') is None
    assert method_of("POST", "/upload/upload_file", b"") == "upload_file"
    assert method_of("PUT", "/storage/1/2/3", b"") == "PUT"


def test_the_fields_of_a_form_are_told_without_credentials() -> None:
    """Of both encodings."""
    assert form_fields("application/x-www-form-urlencoded", b"entity_id=3&script_key=secret") == {
        "entity_id": "3"
    }
    body = (
        b'--b\r\nContent-Disposition: form-data; name="script_key"\r\n\r\nsecret\r\n'
        b'--b\r\nContent-Disposition: form-data; name="entity_id"\r\n\r\n3\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nbytes\r\n--b--\r\n"
    )
    assert form_fields("multipart/form-data; boundary=b", body) == {
        "entity_id": "3",
        "file": "",
        "filename": "a.txt",
    }


# Its life


def test_a_request_in_chunks_is_understood(site: FaultSite) -> None:
    """Clients may send bodies whose length they do not know."""
    with Line(site) as line:
        body = b'{"method_name":"info","params":[]}'
        chunks = b"".join(b"%x\r\n%b\r\n" % (1, body[at : at + 1]) for at in range(len(body)))
        head = b"POST /api3/json HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        line.socket.sendall(head + chunks + b"0\r\n\r\n")
        assert "results" in json.loads(line.answer().read())


@pytest.mark.parametrize(
    "nonsense",
    [b"\x16\x03\x01\x00\r\n\r\n", b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"],
)
def test_who_speaks_no_http_is_hung_up_on(site: FaultSite, nonsense: bytes) -> None:
    """Without a word, and without harm to the site."""
    with Line(site) as line:
        line.socket.sendall(nonsense)
        assert line.rest() == b""
    with Line(site) as line:
        line.ask("info")
        assert line.answer().status == 200


def test_connections_can_be_dropped(site: FaultSite) -> None:
    """As by a restart: all that are open end, and new ones are taken."""
    with Line(site) as line:
        line.ask("info")
        line.answer().read()
        assert site.open_connections == 1
        site.drop_connections()
        assert line.rest() == b""
    with Line(site) as line:
        line.ask("info")
        assert line.answer().status == 200


def test_starting_over_forgets_everything(site: FaultSite) -> None:
    """Rows, counts and orders; the address stays, and the clients made before are turned away."""
    client = site.connect()
    client.create("Project", {"name": "Film"})
    site.inject("before_execute", Status(500), times=None)
    url = site.url
    site.start_over("small")
    assert (site.url, site.executions, list(site.requests)) == (url, {}, [])
    with pytest.raises(shotgun_api3.AuthenticationFault):
        client.find("Project", [])
    client.close()
    assert "Film" not in names(site)
    assert "Demo Project" in names(site)


def test_nothing_is_left_of_a_closed_site() -> None:
    """Threads and descriptors are as many as before, with connections open and requests under way."""
    FaultSite(tls=True).close()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for tls in (False, True):
        site = FaultSite(tls=tls)
        site.inject("before_execute", Stall(60), nth=3)
        lines = [Line(site) for _ in range(5)]
        for line in lines:
            line.ask("info")
        _wait_until(lambda site=site: len(site.requests) == 5)  # type: ignore[misc]
        assert (site.threads, site.open_connections) == (6, 5)
        site.close()
        site.close()
        assert (site.threads, site.open_connections) == (0, 0)
        assert "closed" in repr(site)
        for line in lines:
            line.close()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_a_forked_process_leaves_the_site_alone(site: FaultSite) -> None:
    """It holds none of its connections open, and may unwind over it."""
    with Line(site) as line:
        line.ask("info")
        line.answer().read()

        def child(number: int) -> int:
            site.close()
            time.sleep(0.3)
            return number

        def drop() -> bytes:
            time.sleep(0.1)
            site.drop_connections()
            return line.rest()

        with ThreadPoolExecutor(1) as worker:
            dropped = worker.submit(drop)
            assert in_forks(child, 2) == [0, 1]
            # While the children live: an inherited descriptor would keep the connection from ending.
            assert dropped.result() == b""
    client = site.connect()
    assert client.find("Project", []) == []
    client.close()


def test_a_thousand_reads_a_second_on_one_connection(site: FaultSite) -> None:
    """A floor against collapse: the cost of one read that finds nothing, and no 40 ms waits."""
    with Line(site) as line:
        best = 0.0
        for _ in range(3):
            began = time.perf_counter()
            for _ in range(200):
                line.ask("info")
                line.answer().read()
            best = max(best, 200 / (time.perf_counter() - began))
    assert best > 300, f"{best:.0f} requests a second"


def _wait_until(true: Any) -> None:
    end = time.monotonic() + 5
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)
