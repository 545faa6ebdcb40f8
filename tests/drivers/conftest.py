"""Sites and sessions that the tests of the drivers share."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import pytest

from sgsession import Session
from sgsession.site import LocalSite


@pytest.fixture(scope="package")
def demo_site() -> Iterator[LocalSite]:
    """The small demo, shared: tests only read it."""
    with LocalSite(demo="small") as site:
        yield site


@pytest.fixture
def own_site() -> Iterator[LocalSite]:
    """The small demo, for one test that writes to it."""
    with LocalSite(demo="small") as site:
        yield site


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session that has read nothing, on the test's own site where it asks for one, else on the shared one."""
    name = "own_site" if "own_site" in request.fixturenames else "demo_site"
    site = request.getfixturevalue(name)
    with Session(site.connect(connect=False)) as session:
        yield session


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns a thousand times as often, so that what can interleave does."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def soon(is_so: Callable[[], object]) -> bool:
    """Whether something comes true in a few seconds: what nobody wants any more ends by itself."""
    until = time.monotonic() + 10
    while not is_so() and time.monotonic() < until:
        time.sleep(0.01)
    return bool(is_so())
