"""The grounds on which faults are let loose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sgsession.testing.fault_site import FaultSite

from .operations import Ground


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[bool, Ground]]:
    """Two sites for a whole module, by whether they speak TLS; each test leaves them calm."""
    folder: Path = tmp_path_factory.mktemp("uploads")
    with FaultSite() as plain, FaultSite(tls=True) as encrypted:
        yield {False: Ground(plain, folder), True: Ground(encrypted, folder)}


@pytest.fixture
def site() -> Iterator[FaultSite]:
    """A fault site of the test's own."""
    with FaultSite() as site:
        yield site
