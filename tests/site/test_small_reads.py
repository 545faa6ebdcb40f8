"""Reads of a few rows by id are answered where they arrive, and nobody can tell."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from sgsession.site import LocalSite

SHOT = 860
SERVER = "sgsession-site"  # its thread; those of workers have a number behind it


@contextmanager
def asked_in(site: LocalSite) -> Iterator[list[str]]:
    """The threads that read the database."""
    names: list[str] = []

    def note(*_: Any) -> None:
        names.append(threading.current_thread().name)

    reader = site.engine.store._in_use().reader
    event.listen(reader, "before_cursor_execute", note)
    yield names
    event.remove(reader, "before_cursor_execute", note)


def by_id(*ids: Any, entity_type: str = "Shot", fields: Any = ("code", "sg_status_list")) -> dict[str, Any]:
    """The params of a read of rows by their ids."""
    relation = "is" if len(ids) == 1 else "in"
    condition = {"path": "id", "relation": relation, "values": list(ids)}
    return {
        "type": entity_type,
        "filters": {"logical_operator": "and", "conditions": [condition]},
        "return_fields": list(fields),
        "paging": {"entities_per_page": 50, "current_page": 1},
    }


def request(site: LocalSite, params: Any, *more: str, method: str = "read") -> bytes:
    """The bytes of a call, with further header lines."""
    credentials = {"script_name": site.script_name, "script_key": site.api_key}
    body = json.dumps({"method_name": method, "params": [credentials, params]}).encode()
    lines = (
        "POST /api3/json HTTP/1.1",
        f"Host: {site.url.removeprefix('http://')}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        *more,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Line:
    """One connection to a site, by its bytes."""

    def __init__(self, site: LocalSite) -> None:
        self.socket = socket.create_connection(("127.0.0.1", int(site.url.rpartition(":")[2])), timeout=10)
        self.file = self.socket.makefile("rb")

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def answer(self) -> tuple[bytes, bytes]:
        """The head and the body that come next."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.file.readline() or pytest.fail(f"the connection ended after {head!r}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        return head, self.file.read(int(length.split(b":")[1]))

    def ask(self, data: bytes) -> tuple[bytes, bytes]:
        self.socket.sendall(data)
        return self.answer()


@pytest.fixture
def line(demo_site: LocalSite) -> Iterator[Line]:
    with closing(Line(demo_site)) as line:
        yield line


@pytest.mark.sqlite("a read of PostgreSQL waits for the server, so it is left to the workers")
def test_the_official_client_is_answered_in_the_thread_of_the_server(demo_site: LocalSite) -> None:
    """`find_one` by id, as the client sends it, goes the short way; a deep field or another filter does not."""
    with closing(demo_site.connect()) as client, asked_in(demo_site) as threads:
        client.find_one("Shot", [["id", "is", SHOT]], ["code", "sg_sequence"])
        assert set(threads) == {SERVER}
        threads.clear()
        for fields, filters in (
            (["sg_sequence.Sequence.code"], [["id", "is", SHOT]]),
            (["tasks"], [["id", "is", SHOT]]),
            (["code"], [["code", "is", "AA_001"]]),
            (["code"], [["id", "in", list(range(11))]]),
        ):
            client.find_one("Shot", filters, fields)
        assert threads
        assert SERVER not in threads


def test_both_ways_give_the_same_bytes(demo_site: LocalSite, line: Line) -> None:
    """Random small reads, and refused ones, are answered as they are with a header that leads the long way."""
    seed = time.time_ns() % 10**6
    chance = random.Random(seed)
    for _ in range(150):
        params = by_id(
            *chance.choices([SHOT, SHOT + 1, 1, 10**6, -1, None, "x", 2**40], k=chance.randint(0, 3)),
            entity_type=chance.choice(["Shot", "Task", "Nothing"]),
            fields=chance.choices(["id", "type", "code", "sg_status_list", "image", "none"], k=3),
        )
        if chance.random() < 0.3:
            params.pop(chance.choice(list(params)))
        short, long = (
            line.ask(request(demo_site, params)),
            line.ask(request(demo_site, params, "X-Long-Way: yes")),
        )
        assert short == long, (seed, params)


def test_a_request_in_pieces_is_put_together(demo_site: LocalSite, line: Line) -> None:
    """Whatever packets a small read is cut into, its answer is the same."""
    whole = request(demo_site, by_id(SHOT))
    wanted = line.ask(whole)
    head = whole.index(b"\r\n\r\n") + 4
    for cut in (1, head - 3, head, head + 1, len(whole) - 1):
        line.socket.sendall(whole[:cut])
        time.sleep(0.02)  # for the piece to arrive by itself
        assert line.ask(whole[cut:]) == wanted


def test_requests_behind_each_other_are_answered_in_order(demo_site: LocalSite, line: Line) -> None:
    """Small reads and others in one packet get their answers one after the other."""
    small, other = request(demo_site, by_id(SHOT)), request(demo_site, by_id(SHOT, fields=["tasks"]))
    wanted = [line.ask(small), line.ask(other)]
    for order in ((0, 1), (1, 0), (0, 0, 1, 0)):
        line.socket.sendall(b"".join((small, other)[each] for each in order))
        assert [line.answer() for _ in order] == [wanted[each] for each in order]


@pytest.mark.parametrize(
    ("line_of_head", "status"),
    [
        ("Host: elsewhere.example", b"421"),
        ("Content-Type: text/plain", b"415"),
        ("Transfer-Encoding: gzip", b"400"),
        ("Content-Length: 5", b"400"),
    ],
)
def test_what_is_refused_otherwise_is_refused_here(
    demo_site: LocalSite, line: Line, line_of_head: str, status: bytes
) -> None:
    """A foreign host, another type and a length that is in doubt are turned away in front of small reads, too."""
    name = line_of_head.partition(":")[0].encode()
    whole = request(demo_site, by_id(SHOT))
    if name in (b"Host", b"Content-Type"):
        old = next(each for each in whole.split(b"\r\n") if each.startswith(name))
        whole = whole.replace(old, line_of_head.encode())
    else:
        whole = request(demo_site, by_id(SHOT), line_of_head)
    line.socket.sendall(whole)
    assert line.file.readline().split()[1] == status


def test_small_reads_are_logged_held_and_late_like_others(site: LocalSite) -> None:
    """What a test orders for the next read happens to a small one."""
    params = by_id(1)
    with closing(Line(site)) as line:
        line.ask(request(site, params))
        assert [each.params for each in site.requests] == [params]
        site.fail_next("read", fault="ordered")
        assert b"ordered" in line.ask(request(site, params))[1]
        with site.hold("read") as held:
            line.socket.sendall(request(site, params))
            held.wait()
            held.release()
            line.answer()
        site.latency = 0.1
        began = time.monotonic()
        line.ask(request(site, params))
        assert time.monotonic() - began >= 0.1
