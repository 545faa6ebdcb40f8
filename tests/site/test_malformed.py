"""Ten thousand malformed requests against a site in a process of its own: what it says, and that it lives."""

from __future__ import annotations

import gc
import http.client
import json
import os
import random
import re
import socket
import time
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sgsession.site import LocalSite

from . import malformed
from .served import Launcher, Served, tell

HEADERS = {"Content-Type": "application/json"}
MEBIBYTE = 2**20
MOST_GROWTH = 64 * MEBIBYTE
# The requests hold SQL in small letters only, so what is found here is the site's own.
LEAKS = re.compile(
    r"Traceback|File \"|sqlalchemy|sqlite3|psycopg|Error:|\bSELECT\b|\bINSERT\b|\bUPDATE \"?\w|\bFROM\b|\bWHERE\b|"
    r"no such (table|column)|too many (SQL )?(variables|terms)|syntax error|bind parameter|\.py\b"
)
COUNTS = {
    "broken HTTP": 1500,
    "broken JSON": 1000,
    "wrong types": 4500,
    "several things wrong": 1800,
    "SQL in names": 1100,
    "bombs": 100,
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The small demo in another process, as `sgsession site` serves it."""
    launcher = Launcher(tmp_path / "log")
    yield launcher.serve(demo="small")
    launcher.close()


class Asking:
    """One connection that is renewed where the site ends it; every answer is held to what a site may say."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.connection = http.client.HTTPConnection(served.address, timeout=20)
        self.said: Counter[str] = Counter()
        self.spent: dict[str, float] = {}
        self.wrong: list[str] = []

    def body(self, body: bytes) -> None:
        """Send a body that may be anything, and judge the answer."""
        self.connection.request("POST", "/api3/json", body, HEADERS)
        response = self.connection.getresponse()
        self.judge(response.status, response.read(), body)

    def call(self, method: Any, params: Any) -> None:
        """Send a call with the right credentials."""
        self.body(json.dumps({"method_name": method, "params": [self.served.credentials, params]}).encode())

    def raw(self, sent: bytes) -> None:
        """Send bytes on a connection of their own, say that no more will come, and judge what comes back."""
        host, port = self.served.address.split(":")
        answer = b""
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while received := connection.recv(65536):
                    answer += received
            except (ConnectionResetError, BrokenPipeError):
                pass  # refused before all of it was sent
        if not answer:
            # What is no whole request needs no answer; the connection has ended.
            self.said["ended without a word"] += 1
            return
        head, _, body = answer.partition(b"\r\n\r\n")
        if not re.match(rb"HTTP/1\.1 \d{3} ", head):
            self.wrong.append(f"{sent[:200]!r} → {answer[:200]!r}")
            return
        self.judge(int(head[9:12]), body, sent)

    def judge(self, status: int, body: bytes, sent: bytes) -> None:
        """A result, the envelope of an error, or a clean 4xx; in no case words that belong inside."""
        text = body.decode("utf-8", "replace")
        kind = f"HTTP {status}"
        right = 400 <= status < 500
        if status == 200:
            # Answers of broken HTTP may be followed by that to what stood behind the request.
            envelope, _ = json.JSONDecoder().raw_decode(text)
            kind = "refused" if "exception" in envelope else "answered"
            right = set(envelope) in ({"results"}, {"exception", "message", "error_code"})
            # A refusal by the catch-all would mean that the site met something it had not thought of.
            right = right and "logged the reason" not in str(envelope.get("message"))
        self.said[kind] += 1
        if not right or (kind != "answered" and LEAKS.search(text)):
            self.wrong.append(f"{sent[:600]!r} → {status} {text[:300]}")


def good_request(served: Served) -> float:
    """How long an ordinary read takes on a new connection, which has the ordinary answer."""
    client = served.connect()
    began = time.perf_counter()
    assert client.find_one("Sequence", [["code", "is", "AA"]]) is not None
    client.close()
    return time.perf_counter() - began


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the other process is forked")
@pytest.mark.timeout(300)
def test_ten_thousand_malformed_requests(
    served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Always an envelope or a clean 4xx, no traceback, no SQL; then it is alive, no fatter, and answers as ever."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    asking = Asking(served)
    idle = served.memory()
    # Some of each kind first, so that the log tells what the first use of a module or a connection costs.
    _ask_all(asking, chance, dict.fromkeys(COUNTS, 40))
    before = served.memory()
    asking.said.clear()
    began = time.perf_counter()
    said = _ask_all(asking, chance, COUNTS)
    spent = time.perf_counter() - began
    time.sleep(1.0)  # a site at rest gives back what it no longer needs
    after = served.memory()
    asking.connection.close()
    last = good_request(served)
    told = [
        f"seed {seed}; {sum(COUNTS.values())} malformed requests in {spent:.1f} s; then a read in {last * 1000:.0f} ms"
    ]
    told += [f"  {kind}: {dict(counts)} in {asking.spent[kind]:.1f} s" for kind, counts in said.items()]
    if idle and before and after:
        sizes = " → ".join(f"{size / MEBIBYTE:.0f}" for size in (idle, before, after))
        told.append(f"  memory: {sizes} MiB (idle, after some of each kind, after all)")
    tell(capsys, *told)
    assert not asking.wrong, (
        seed,
        len(asking.wrong),
        asking.wrong[:20],
        (tmp_path / "log").read_text()[-3000:],
    )
    assert served.is_alive()
    assert sum(COUNTS.values()) == 10_000
    if idle and after:
        assert after - idle < MOST_GROWTH, seed


def test_schema_edits_do_not_pile_up_in_memory() -> None:
    """The tables from before an edit are let go, but for the few that are kept for statements in use."""
    with LocalSite(serve=False) as site, closing(site.connect(in_process=True)) as client:
        before: list[weakref.ref[Any]] = []
        for number in range(12):
            before.append(weakref.ref(site.engine.store.tables.of("Shot")))
            client.schema_field_create("Shot", "text", f"Extra {number}")
            client.find("Shot", [["code", "is", "x"]], [f"sg_extra_{number}"])
        gc.collect()
        assert sum(each() is not None for each in before) < 8


def _ask_all(asking: Asking, chance: random.Random, counts: dict[str, int]) -> dict[str, Counter[str]]:
    """Send so many of each kind; what was said to them."""
    said: dict[str, Counter[str]] = {}
    for kind, count in counts.items():
        asking.said = said[kind] = Counter()
        began = time.perf_counter()
        if kind == "broken HTTP":
            for sent in malformed.broken_http(chance, count):
                asking.raw(sent)
        elif kind == "broken JSON":
            for body in malformed.broken_json(chance, count):
                asking.body(body)
        else:
            for method, params in _CALLS[kind](chance, count):
                asking.call(method, params)
        asking.spent[kind] = time.perf_counter() - began
    return said


_CALLS = {
    "wrong types": malformed.wrong_types,
    "several things wrong": malformed.mutations,
    "SQL in names": malformed.sql_names,
    "bombs": malformed.bombs,
}
