"""Sites for tests of the transport."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sgsession.site import LocalSite


@pytest.fixture
def own_site() -> Iterator[LocalSite]:
    """The small demo, for one test."""
    with LocalSite(demo="small") as site:
        yield site


@pytest.fixture
def dice() -> random.Random:
    """Random numbers; where a test fails, their seed is printed with it."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    return random.Random(seed)
