"""Many threads on few connections: each answer belongs to its question, and nothing is left over."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from typing import Any

import pytest

from sgsession import ShotgunPool
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.interruption import switch_interval
from sgsession.transport import sending
from sgsession.transport.line.answers import Answer
from sgsession.transport.line.exchange import Line

from .operations import becomes
from .test_storm import in_threads

THREADS = 64
CONNECTIONS = 8


def open_sockets() -> int:
    """How many of this process's descriptors are sockets. The engine of the site has files of its own besides."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            count += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")
    return count


class EchoLine(Line):
    """A connection in memory: it answers a read with the code that was asked for, and trusts one thread only."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).made += 1
        self.owner: int | None = None

    def exchange(self, address: Any, verb: str, path: str, headers: Any, body: Any, **_: Any) -> Answer:
        """The answer of a site that has a row of any code."""
        assert self.owner is None, "two threads are on one connection"
        self.owner = threading.get_ident()
        asked = json.loads(body)
        if asked["method_name"] == "info":
            results: Any = {"version": [8, 50, 0], "api_max_entities_per_page": 500}
        else:
            code = asked["params"][1]["filters"]["conditions"][0]["values"][0]
            results = {"entities": [{"type": "Shot", "id": 1, "code": code}], "paging_info": {}}
        assert self.owner == threading.get_ident(), "two threads are on one connection"
        self.owner = None
        return Answer(
            200, "OK", {"content-type": "application/json"}, json.dumps({"results": results}).encode()
        )


def ask(pool: ShotgunPool, tokens: list[str], wrong: list[Any]) -> None:
    """Find each of these by its code."""
    for token in tokens:
        rows = pool.find("Shot", [["code", "is", token]], ["code"], limit=1)
        if [row["code"] for row in rows] != [token]:
            wrong.append((token, rows))


def asked_by_threads(pool: ShotgunPool, tokens: list[list[str]]) -> list[Any]:
    """The wrong answers that threads get, one for each list of tokens."""
    wrong: list[Any] = []
    in_threads([lambda each=each: ask(pool, each, wrong) for each in tokens])
    return wrong


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
@pytest.mark.parametrize("finds", [50, pytest.param(500, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_threads_over_http_get_their_own_answers(site: FaultSite, finds: int) -> None:
    """64 threads on 8 connections; afterwards nothing is lent, and threads and descriptors are as before."""
    truth = site.connect(in_process=True)
    project = truth.create("Project", {"name": "Film"})
    codes = [f"shot_{number}" for number in range(200)]
    for code in codes:
        truth.create("Shot", {"code": code, "project": project})
    threads, sockets = threading.active_count(), open_sockets()
    with ShotgunPool(site.connect(connect=False), max_connections=CONNECTIONS) as pool, switch_interval(1e-3):
        tokens = [[codes[(7 * thread + n) % len(codes)] for n in range(finds)] for thread in range(THREADS)]
        assert asked_by_threads(pool, tokens) == []
        stats = pool.stats()
        assert (stats["lent"], stats["waiting"]) == (0, 0)
        assert stats["idle"] <= CONNECTIONS
        assert len({each.connection for each in site.received("read")}) <= CONNECTIONS
    assert becomes(lambda: threading.active_count() <= threads)
    assert becomes(lambda: open_sockets() <= sockets)


@pytest.mark.parametrize(
    "finds", [100, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_no_connection_is_ever_used_by_two_threads(monkeypatch: pytest.MonkeyPatch, finds: int) -> None:
    """Connections in memory that trust a single thread, with threads that take turns all the time."""
    monkeypatch.setattr(sending, "Line", EchoLine)
    monkeypatch.setattr(EchoLine, "made", 0)
    pool = ShotgunPool(
        "http://site.example", script_name="s", api_key="k", max_connections=CONNECTIONS, lease_timeout=600
    )
    with pool, switch_interval(1e-5):
        tokens = [[f"{thread}_{n}" for n in range(finds)] for thread in range(THREADS)]
        assert asked_by_threads(pool, tokens) == []
        assert pool.stats()["lent"] == 0
    # Two to a client: one is for the storage of uploads.
    assert EchoLine.made <= 2 * CONNECTIONS
