"""Sites and clients that the tests of the embedded site share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite

from .direct_calls import Direct

Connect = Callable[..., shotgun_api3.Shotgun]


@pytest.fixture
def site() -> Iterator[LocalSite]:
    """A fresh, empty site of the test's own."""
    with LocalSite() as site:
        yield site


@pytest.fixture(scope="session")
def demo_site() -> Iterator[LocalSite]:
    """The small demo, shared: tests only read it."""
    with LocalSite(demo="small") as site:
        yield site


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Official clients, closed when the test is over."""
    clients: list[shotgun_api3.Shotgun] = []

    def connected(site: LocalSite, **arguments: Any) -> shotgun_api3.Shotgun:
        client = site.connect(**arguments)
        clients.append(client)
        return client

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def shotgun(site: LocalSite, connect: Connect) -> shotgun_api3.Shotgun:
    """The official client on the fresh site."""
    return connect(site)


@pytest.fixture
def demo_shotgun(demo_site: LocalSite, connect: Connect) -> shotgun_api3.Shotgun:
    """The official client on the shared demo, for tests that change nothing."""
    return connect(demo_site)


@pytest.fixture(scope="module")
def loose_ends() -> Iterator[None]:
    """Collects what the official client leaves open, while the module's filter of warnings still holds."""
    yield
    gc.collect()


@pytest.fixture
def direct() -> Iterator[Direct]:
    """A fresh store and its remote calls, without a server."""
    made = Direct()
    yield made
    made.store.close()
