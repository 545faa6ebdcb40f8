"""A storm of random faults: nothing lost, nothing twice, nothing wrong, and each doubt resolved truthfully."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sgsession import AmbiguousWrite, ShotgunPool, SiteUnavailable
from sgsession.errors import WriteNotFoundError
from sgsession.pool import TransportOptions
from sgsession.testing.consistency import check_set
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.faults import (
    Action,
    BadChunking,
    BadGzip,
    Empty,
    Fin,
    Garbage,
    Html,
    NotTheEnvelope,
    Point,
    Reset,
    Status,
    Truncated,
    WrongLength,
)
from sgsession.testing.history import History

from ..site.served import tell
from .operations import see_the_end

WORKERS = 8
RATE = 0.1
READABLE = 50

# Where a request breaks of which something may have been executed …
IN_DOUBT: list[tuple[Point, Action]] = [
    ("headers", Reset()),
    ("body", Fin()),
    ("before_execute", Fin()),
    ("before_execute", Reset()),
    ("before_execute", Status(503)),
    ("before_execute", Status(502)),
    ("after_execute", Fin()),
    ("after_execute", Reset()),
    ("after_execute", Status(500)),
    ("after_execute", Status(502)),
    ("after_execute", Status(504)),
    ("after_execute", Html()),
    ("after_execute", Empty()),
    ("after_execute", Garbage()),
    ("after_execute", NotTheEnvelope()),
    ("after_execute", Truncated()),
    ("after_execute", WrongLength(5)),
    ("after_execute", WrongLength(-5)),
    ("after_execute", BadChunking()),
    ("after_execute", BadGzip()),
    ("after_headers", Reset()),
    ("mid_body", Fin()),
]
# … and where it certainly was not, or has its answer.
WITHOUT_DOUBT: list[tuple[Point, Action]] = [
    ("headers", Status(429, retry_after=0.002)),
    ("keepalive_idle", Fin()),
    ("keepalive_idle", Reset()),
    ("keepalive_idle", Garbage()),
]

OPTIONS = TransportOptions(
    deadline=60,
    backoff_base=0.002,
    backoff_cap=0.01,
    retry_budget=1000,
    breaker_failures=1000,
    breaker_least=10_000,
    recover_every=0.01,
)


class Storm:
    """Workers that create shots and read others on a pool, and a history of what they were told."""

    def __init__(self, site: FaultSite, seed: int) -> None:
        self.site = site
        self.seed = seed
        self.truth = site.connect(in_process=True)
        self.project = self.truth.create("Project", {"name": "Film"})
        self.readable = {
            self.truth.create("Shot", {"code": f"read_{n}", "project": self.project})["id"]: f"read_{n}"
            for n in range(READABLE)
        }
        self.pool = ShotgunPool(site.connect(connect=False), max_connections=WORKERS, options=OPTIONS)
        self.pool.connect()
        self.history = History(fails=(SiteUnavailable,))
        self.doubts: dict[str, AmbiguousWrite] = {}
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()

    def run(self, operations: int) -> None:
        """So many operations by all workers together."""
        share = [operations // WORKERS] * WORKERS
        in_threads([lambda n=n, count=count: self._work(n, count) for n, count in enumerate(share)])

    def _work(self, worker: int, count: int) -> None:
        # Draws by worker, so that a seed gives the same work however the threads take turns.
        chance = random.Random(f"{self.seed}/{worker}")
        for number in range(count):
            if chance.random() < 0.5:
                self._create(f"w{worker}_{number}")
            else:
                self._read(chance.choice(list(self.readable)))

    def read_on_all_connections(self) -> None:
        """One read on each connection that the pool may have, all at once."""
        while self.pool.stats()["limit"] < WORKERS:
            # Requests were turned down: the pool comes back step by step.
            self.pool.find_one("Shot", [["id", "is", next(iter(self.readable))]])
        together = threading.Barrier(WORKERS, timeout=30)

        def read() -> None:
            with self.pool.lease() as client:
                together.wait()
                client.find_one("Shot", [["id", "is", next(iter(self.readable))]])

        in_threads([read] * WORKERS)

    def _create(self, code: str) -> None:
        operation = self.history.invoke("add", code)
        try:
            row = self.pool.create("Shot", {"code": code, "project": self.project}, ["code"])
        except AmbiguousWrite as problem:
            operation.info(problem)
            self.doubts[code] = problem
        except SiteUnavailable as problem:
            operation.fail(problem)
        else:
            operation.ok()
            if row["code"] != code:
                self.wrong.append(f"{code} was answered by {row}")

    def _read(self, shot: int) -> None:
        try:
            row = self.pool.find_one("Shot", [["id", "is", shot]], ["code"])
        except SiteUnavailable:
            self.counts["reads without an answer"] += 1
            return
        self.counts["reads"] += 1
        if row is None or (row["id"], row["code"]) != (shot, self.readable[shot]):
            self.wrong.append(f"the question for {shot} was answered by {row}")

    def codes(self) -> list[str]:
        """The codes of the created shots that there are in truth."""
        self.truth.config._records_per_page = 5000
        rows = self.truth.find("Shot", [["code", "starts_with", "w"]], ["code"])
        return [row["code"] for row in rows]

    def judged(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Fail unless nothing was lost, duplicated or wrong, and every doubt is resolved by the truth."""
        self.site.calm()
        present = self.codes()
        outcomes = Counter(operation.outcome for operation in self.history.operations("add"))
        self.counts.update({f"creates {outcome}": count for outcome, count in outcomes.items()})
        self.counts["faults"] = sum(self.site.faults.values())
        tell(capsys, f"seed {self.seed}: {dict(self.counts)}")
        assert not self.wrong, self.wrong[:5]
        assert not [str(each) for each in check_set(self.history, present)]
        assert max(self.site.executions.values()) == 1
        tell(capsys, f"reconciled: {dict(self._reconciled(set(present)))}")
        stats = self.pool.stats()
        assert (stats["lent"], stats["waiting"]) == (0, 0)
        assert stats["idle"] <= WORKERS

    def _reconciled(self, present: set[str]) -> Counter[str]:
        found: Counter[str] = Counter()
        for code, doubt in self.doubts.items():
            try:
                row = doubt.reconcile(match=["code"], wait=0)
            except WriteNotFoundError:
                found["not done"] += 1
                assert code not in present, f"{code} is there, and reconcile() did not find it"
            else:
                found["done"] += 1
                assert row["code"] == code
                assert code in present
        return found


def in_threads(works: list[Callable[[], Any]]) -> None:
    """Do all at once; what one raises is raised here."""
    problems: list[BaseException] = []

    def run(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


@pytest.mark.parametrize(
    "operations",
    [5_000, pytest.param(100_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
)
def test_a_storm_loses_doubles_and_mixes_nothing(
    site: FaultSite, operations: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tenth of all requests break at random: every create is told rightly, every read has its own answer."""
    seed = random.randrange(2**32)
    storm = Storm(site, seed)
    site.storm(IN_DOUBT + WITHOUT_DOUBT, rate=RATE, seed=seed, method=["create", "read"])
    with storm.pool:
        storm.run(operations)
        storm.judged(capsys)
    assert storm.counts["faults"] >= operations * RATE * 0.8
    assert storm.counts["reads without an answer"] + storm.counts["creates fail"] < operations / 100


def test_doubt_is_told_where_there_is_some_and_nowhere_else(
    site: FaultSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each create that was executed and lost its answer is told as AmbiguousWrite; of the others none is."""
    seed = random.randrange(2**32)
    storm = Storm(site, seed)
    lost = [
        (point, action) for point, action in IN_DOUBT if point not in ("headers", "body", "before_execute")
    ]
    site.storm(lost, rate=0.2, seed=seed, method="create")
    with storm.pool:
        storm.run(800)
        struck = {each.tokens[0] for each in site.received("create") if each.executed and each.faults}
        assert set(storm.doubts) == struck
        assert len(struck) > 20
        storm.judged(capsys)


def test_faults_before_sending_leave_no_doubt(site: FaultSite, capsys: pytest.CaptureFixture[str]) -> None:
    """Idle connections that end or talk, requests that are turned down: no create is ambiguous, none is lost."""
    seed = random.randrange(2**32)
    storm = Storm(site, seed)
    chance = random.Random(seed)
    rounds = 24
    with storm.pool:
        for number in range(rounds):
            action = chance.choice([Fin(), Reset(), Garbage(), Status(408)])
            with site.inject("keepalive_idle", action, method="read", times=None):
                storm.read_on_all_connections()
                for client in storm.pool._leases.idle:
                    see_the_end(client)
            # Fewer than there are attempts.
            site.inject("headers", Status(429, retry_after=0.002), method="create", times=3)
            in_threads([lambda w=w, n=number: storm._create(f"w{w}_round_{n}") for w in range(WORKERS)])
            site.calm()
        storm.judged(capsys)
    assert not storm.doubts
    assert storm.counts["creates ok"] == rounds * WORKERS
