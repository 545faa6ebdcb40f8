"""Ctrl-C during writes over HTTP: what lies on the site is explained by what the caller was told."""

from __future__ import annotations

import gc
import random
import threading
import traceback
from collections import Counter
from pathlib import Path

import pytest

from sgsession import AmbiguousWrite, ShotgunPool
from sgsession.errors import InterruptedWrite
from sgsession.pool import TransportOptions
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.interruption import Interruption, every_interruption, interrupt_after

from ..site.served import tell
from .operations import becomes

# Coverage's tracer takes a lock of its own: an exception inside it would leave that locked for ever.
pytestmark = pytest.mark.uncovered


class Writes:
    """Creates of new shots on a pool, and what became of each."""

    def __init__(self, site: FaultSite) -> None:
        self.site = site
        truth = site.connect(in_process=True)
        self.truth = truth
        self.project = truth.create("Project", {"name": "Film"})
        self.pool = ShotgunPool(
            site.connect(connect=False),
            max_connections=1,
            lease_timeout=5,
            options=TransportOptions(deadline=10),
        )
        self.pool.connect()
        self.code = ""
        self.number = 0
        self.told: Counter[str] = Counter()

    def create(self) -> dict[str, object]:
        """Create a shot of a new code."""
        self.number += 1
        self.code = f"shot_{self.number}"
        return self.pool.create("Shot", {"code": self.code, "project": self.project})  # type: ignore[return-value]

    def judge(self, outcome: Interruption) -> None:
        """Fail unless the rows of the last code agree with what was told, and the pool is at rest."""
        error = outcome.error
        came_late = error is not None and _returning(error)
        # At once, whoever keeps the traceback.
        assert self.pool.stats()["lent"] == 0, outcome
        # A socket that is just being made is in the frames of the standard library that the traceback keeps.
        link = error
        while link is not None:
            link, _ = link.__context__, link.with_traceback(None)
        # A request that was under way when the caller left may still be executed.
        assert becomes(lambda: self.site.open_connections <= 1), outcome
        rows = len(self.truth.find("Shot", [["code", "is", self.code]]))
        self.told[f"{type(error).__name__}, {rows} rows"] += 1
        if error is None:
            assert rows == 1, outcome
        elif isinstance(error, AmbiguousWrite):
            assert rows <= 1, outcome
            assert isinstance(error, (InterruptedWrite, KeyboardInterrupt)), outcome
        else:
            # Not told of any write: there is none, unless its row was on the way to the caller.
            assert isinstance(error, KeyboardInterrupt), outcome
            assert rows == 0 or came_late, outcome
        found = self.pool.find_one("Project", [["id", "is", self.project["id"]]], ["name"])
        assert found is not None
        assert found["name"] == "Film"


def _returning(error: BaseException) -> bool:
    """Whether an exception came in the pool's last steps, when the call itself was over."""
    *_, last = traceback.walk_tb(error.__traceback__)
    code = last[0].f_code
    own = code.co_filename.endswith(("pool.py", Path(__file__).name)) or "interruption" in code.co_filename
    return own and "lease" not in code.co_name


# An interrupt inside a finalizer is swallowed by the interpreter, which tells of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_every_point_of_a_create(site: FaultSite, capsys: pytest.CaptureFixture[str]) -> None:
    """An interrupt before each step of the transport and of the pool: explained, and the next call is right."""
    writes = Writes(site)
    with writes.pool:
        modules = ("sgsession.pool", "sgsession.leases", "sgsession.transport")
        for outcome in every_interruption(writes.create, modules=modules):
            writes.judge(outcome)
    tell(capsys, f"{writes.number} points: {dict(writes.told)}")
    assert writes.number > 100


@pytest.mark.parametrize(
    "times", [150, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_ctrl_c_at_random_moments(site: FaultSite, times: int, capsys: pytest.CaptureFixture[str]) -> None:
    """A timer's signal at a random time of each create."""
    assert threading.current_thread() is threading.main_thread()
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    writes = Writes(site)
    # What other tests left would be finalized in there, and an interrupt inside a finalizer goes nowhere.
    gc.collect()
    with writes.pool:
        for _ in range(times):
            writes.judge(interrupt_after(chance.uniform(0.0, 0.02), writes.create))
    tell(capsys, f"seed {seed}: {dict(writes.told)}")
    assert any(told.startswith("InterruptedWrite") for told in writes.told)
