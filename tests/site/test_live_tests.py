"""The official client's own live-site tests, which its makers run against real sites."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.live_tests.suite import NoLiveTests, fetch, run


@pytest.mark.timeout(400)
@pytest.mark.parametrize("direct_uploads", [pytest.param(False, id="forms"), pytest.param(True, id="signed")])
def test_the_makers_own_tests_pass(tmp_path: Path, direct_uploads: bool) -> None:
    """Every one of them, those included that they skip."""
    try:
        place = fetch(tmp_path)
    except NoLiveTests as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(problem))
    came = run(place, direct_uploads=direct_uploads)
    assert len(came) > 100
    assert {test: outcome for test, outcome in came.items() if outcome != "passed"} == {}
