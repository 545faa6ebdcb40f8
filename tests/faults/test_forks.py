"""fork() on a warm pool, again and again: no child reads another's answer, none hangs, the parent loses nothing."""

from __future__ import annotations

import os
import threading

import pytest

from sgsession import ShotgunPool
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.forking import in_forks

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

CHILDREN = 8
FINDS = 50


@pytest.mark.parametrize("busy", [False, True], ids=["quiet", "while threads run"])
@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_children_get_their_own_answers(site: FaultSite, rounds: int, busy: bool) -> None:
    """8 children of a warm parent, each with 50 finds: 0 wrong, 0 errors; the parent goes on meanwhile."""
    truth = site.connect(in_process=True)
    project = truth.create("Project", {"name": "Film"})
    codes = [f"shot_{number}" for number in range(CHILDREN * FINDS)]
    truth.batch(
        [
            {"request_type": "create", "entity_type": "Shot", "data": {"code": code, "project": project}}
            for code in codes
        ]
    )
    with ShotgunPool(site.connect(connect=False)) as pool:

        def finds(number: int) -> int:
            """How many finds gave another's row, or none."""
            mine = codes[number * FINDS : (number + 1) * FINDS]
            return sum(
                [row["code"] for row in pool.find("Shot", [["code", "is", code]], ["code"])] != [code]
                for code in mine
            )

        ended = threading.Event()
        wrong: list[int] = []

        def go_on(number: int) -> None:
            while not ended.is_set():
                wrong.append(finds(number))

        threads = [threading.Thread(target=go_on, args=(number,)) for number in range(2 if busy else 0)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(rounds):
                assert finds(0) == 0  # warm
                assert in_forks(finds, CHILDREN, timeout=60) == [0] * CHILDREN
                assert finds(1) == 0
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert sum(wrong) == 0
        assert len(wrong) >= len(threads)
        assert pool.stats()["lent"] == 0
