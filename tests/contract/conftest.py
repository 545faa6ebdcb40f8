"""The contract's targets, each with the same little production."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sgsession import Session
from sgsession.site import LocalSite

from .targets import InMockgun, OverHttp, Target, furnish, mockgun_like


@pytest.fixture(params=["http", "mockgun"])
def target(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Target]:
    """Each target in turn; a test that Mockgun cannot bear says why by the `not_mockgun` mark."""
    refusal = request.node.get_closest_marker("not_mockgun")
    if request.param == "mockgun" and refusal is not None:
        pytest.skip(f"Mockgun: {refusal.args[0]}")
    with LocalSite() as site:
        target = OverHttp(site) if request.param == "http" else InMockgun(mockgun_like(site, tmp_path))
        yield target
        target.close()


@pytest.fixture
def made(target: Target) -> dict[str, Any]:
    """What the production consists of."""
    return furnish(target.judge())


@pytest.fixture
def session(target: Target, made: dict[str, Any]) -> Iterator[Session]:
    """A session that has read nothing yet."""
    with Session(target.client()) as session:
        yield session


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark of this folder."""
    config.addinivalue_line("markers", "not_mockgun(reason): Mockgun cannot do what this test needs")
