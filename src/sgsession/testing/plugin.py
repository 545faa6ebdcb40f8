"""Fixtures of pytest: `sg_site`, a fresh site; `sg`, the official client on it; `sg_session`, a session on it.

pytest finds this module by itself where sgsession is installed, so a test run without these fixtures pays for
importing this file and no more: the session, the client and the site (extra `site`) are imported by the fixtures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import shotgun_api3

    from sgsession import Session
    from sgsession.site import LocalSite

__all__ = ["sg", "sg_server", "sg_session", "sg_site", "sg_site_demo"]

_DEMOS = ("none", "small")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --sg-site-demo, and sg_site_demo for the configuration file."""
    parser.getgroup("sgsession").addoption(
        "--sg-site-demo", choices=_DEMOS, help="what the sites of the fixture sg_site hold (default: none)"
    )
    parser.addini("sg_site_demo", "what the sites of the fixture sg_site hold: none or small", default="none")


@pytest.fixture
def sg_site_demo(pytestconfig: pytest.Config) -> str | None:
    """The demo that `sg_site` holds; a module or a class that needs another one overrides this fixture."""
    demo = pytestconfig.getoption("--sg-site-demo") or pytestconfig.getini("sg_site_demo")
    if demo not in _DEMOS:
        raise pytest.UsageError(f"sg_site_demo is none or small, not {demo!r}")
    return None if demo == "none" else str(demo)


@pytest.fixture(scope="session")
def sg_server() -> Iterator[LocalSite]:
    """The one server of a test run; `sg_site` is this server with a fresh database."""
    from sgsession.site import LocalSite

    with LocalSite() as site:
        yield site


@pytest.fixture
def sg_site(sg_server: LocalSite, sg_site_demo: str | None) -> LocalSite:
    """A site that no other test has written to, with nothing logged, late, held back or failing."""
    sg_server.start_over(sg_site_demo)
    return sg_server


@pytest.fixture
def sg(sg_site: LocalSite) -> Iterator[shotgun_api3.Shotgun]:
    """A plain `shotgun_api3.Shotgun` on the test's site."""
    with closing(sg_site.connect()) as client:
        yield client


@pytest.fixture
def sg_session(sg_site: LocalSite) -> Iterator[Session]:
    """A `sgsession.Session` on the test's site that has read nothing yet."""
    from sgsession import Session

    with closing(Session(sg_site.connect(connect=False))) as session:
        yield session
