"""The canary of the run's keys sings where it should, and nowhere else."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from sgsession import ShotgunPool, SiteUnavailable, connect
from sgsession.errors import ConfigurationError
from sgsession.site import LocalSite

from ..canary import Canary


@pytest.fixture
def canary() -> Iterator[Canary]:
    """One of the test's own, which watches."""
    canary = Canary()
    canary.watch()
    try:
        yield canary
    finally:
        canary.leave()


def test_it_is_in_every_key(canary: Canary, tmp_path: Path) -> None:
    """The key of a site, given or kept in a file, and the token of a session hold it; its database does not."""
    with LocalSite(tmp_path / "site", demo="small") as site:
        assert site.api_key.startswith(canary.text)
        client = site.connect()
        assert client.get_session_token().startswith(canary.text)
        client.close()
    canary.look_at_files(tmp_path)
    assert canary.looked["file"]
    assert not canary.found


def test_it_hears_what_is_told(canary: Canary, tmp_path: Path) -> None:
    """A log at DEBUG, an error, a variable of the library, a pickle and a file that hold a key are all found."""
    key = f"{canary.text}-key"
    logging.getLogger("sgsession.pool").debug("%s", key)
    pickle.dumps([key])
    (tmp_path / "left.txt").write_text(f"{' ' * 100}{key}")
    canary.look_at_files(tmp_path)
    assert [each.partition(",")[0] for each in canary.found] == ["log", "pickle", "file"]
    canary.found.clear()
    with pytest.raises(ConfigurationError):
        connect(key)
    assert {each.partition(",")[0] for each in canary.found} >= {"error", "variable"}


def test_it_is_silent_where_nothing_is_told(canary: Canary) -> None:
    """A pool that fails, is shown and refuses to be pickled tells nothing of its key."""
    with ShotgunPool("http://127.0.0.1:9", script_name="robot", api_key=f"{canary.text}-key") as pool:
        with pytest.raises(SiteUnavailable):
            pool.find_one("Shot", [])
        with pytest.raises(TypeError):
            pickle.dumps(pool)
        assert repr(pool)
    assert canary.looked["variable"] > 10
    assert not canary.found
