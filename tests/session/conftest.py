"""Sites and sessions that the tests of the session share, and the counter that every read is held to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import pytest

from sgsession import Session
from sgsession.site import LocalSite, Request

Costs = Callable[..., AbstractContextManager[list[Request]]]


@pytest.fixture(scope="session")
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
def site(request: pytest.FixtureRequest) -> LocalSite:
    """The test's own site where it asks for one, else the shared one; `session` and `costs` use the same."""
    name = "own_site" if "own_site" in request.fixturenames else "demo_site"
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


@pytest.fixture
def shotgun(site: LocalSite) -> Iterator[Any]:
    """The official client: a colleague at another machine, and the judge of what the site holds."""
    with closing(site.connect()) as client:
        yield client


@pytest.fixture
def new_session(site: LocalSite) -> Iterator[Callable[..., Session]]:
    """Make sessions that have read nothing yet, of `Session` or of a given class."""
    opened: list[Session] = []

    def make(session_class: type[Session] = Session, *args: Any, **kwargs: Any) -> Session:
        opened.append(session_class(site.connect(connect=False), *args, **kwargs))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(new_session: Callable[..., Session]) -> Session:
    """A session that has read nothing yet."""
    return new_session()


@pytest.fixture
def offline() -> Session:
    """A session without a site: what it can do costs no request."""
    return Session(False)


@pytest.fixture
def costs(site: LocalSite) -> Costs:
    """`with costs(n):` holds a block to n requests; `info`, which each client asks once, is not counted.

    The block is given a list, which holds its requests when the block has ended.
    """

    @contextmanager
    def counted(exactly: int | None = None, *, at_most: int | None = None) -> Iterator[list[Request]]:
        before = len(site.requests)
        made: list[Request] = []
        yield made
        made.extend(request for request in site.requests[before:] if request.method != "info")
        if at_most is not None:
            assert len(made) <= at_most, made
        else:
            assert len(made) == exactly, made

    return counted


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was printed since the last time, with each address of an object written as 0x."""

    def read() -> str:
        return re.sub(r"0x[0-9a-f]+", "0x", capsys.readouterr().out)

    return read
