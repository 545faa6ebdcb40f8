"""The official client's own live-site tests, with a pool in the place of the client."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.live_tests.suite import POOL, replaces_parts, run


@pytest.mark.timeout(400)
def test_the_makers_own_tests_pass_through_a_pool(makers_live_tests: Path) -> None:
    """All but those that replace a part of the client which a pool does without."""
    came = run(makers_live_tests, through=POOL)
    about_a_pool = {test: outcome for test, outcome in came.items() if not replaces_parts(test)}
    assert len(about_a_pool) > 100
    assert {test: outcome for test, outcome in about_a_pool.items() if outcome != "passed"} == {}
