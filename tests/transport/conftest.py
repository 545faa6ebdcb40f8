"""Sites for tests of the transport."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sgsession.site import LocalSite


@pytest.fixture
def own_site() -> Iterator[LocalSite]:
    """The small demo, for one test."""
    with LocalSite(demo="small") as site:
        yield site
