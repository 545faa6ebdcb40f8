"""The official client's own live-site tests, which its makers run against real sites."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.live_tests.suite import run


@pytest.mark.timeout(400)
@pytest.mark.parametrize("direct_uploads", [pytest.param(False, id="forms"), pytest.param(True, id="signed")])
def test_the_makers_own_tests_pass(makers_live_tests: Path, direct_uploads: bool) -> None:
    """Every one of them, those included that they skip."""
    came = run(makers_live_tests, direct_uploads=direct_uploads)
    assert len(came) > 100
    assert {test: outcome for test, outcome in came.items() if outcome != "passed"} == {}
