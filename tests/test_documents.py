"""The snippets of the README and of the guides, run as they stand against the demo production."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from sgsession import Session
from sgsession.site import LocalSite

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "docs/session.md",
    "docs/pool.md",
    "docs/site.md",
    "docs/testing.md",
    "docs/fault-injection.md",
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_snippets_show_what_happens(name: str) -> None:
    """Every Python snippet of a document gives the output that stands below it."""
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    with LocalSite(demo="small") as site:
        shotgun = site.connect()
        session = Session(shotgun)
        names = {"shotgun": shotgun, "session": session, "site": site}
        failures, tried = doctest.testfile(str(ROOT / name), False, globs=names, optionflags=flags)
        for given in names.values():
            given.close()
    assert tried
    assert failures == 0
