"""What a studio's scripts want besides: who is asking, where paths are here, what was sent."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

import pytest

from sgsession import ConfigurationError, Session
from sgsession.site import LocalSite

from .conftest import Costs


def test_the_person_who_is_logged_in(
    new_session: Callable[..., Session], costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`guess_user` finds who has this login, by one request; each session asks for itself, and once."""
    monkeypatch.setenv("LOGNAME", "ada.lindqvist")
    session = new_session()
    with costs(1):
        person = session.guess_user()
        assert session.guess_user() is person
    assert person["email"] == "ada.lindqvist@example.com"
    monkeypatch.setenv("LOGNAME", "greta.solano")
    with costs(1):
        assert new_session().guess_user()["id"] == 17


def test_nobody_is_found(session: Session, costs: Costs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that no person has is None, and is not asked for again; without fetching nothing is asked."""
    monkeypatch.setenv("LOGNAME", "nobody.at.all")
    with costs(0):
        assert session.guess_user(fetch=False) is None
    with costs(1):
        assert session.guess_user() is None
        assert session.guess_user() is None


@pytest.mark.parametrize(
    ("path", "mapped"),
    [
        ("/mnt/show/a.ma", "X:/show/a.ma"),
        ("/mnt/show", "X:/show"),
        ("/mnt/show/plates/b.exr", "/plates/b.exr"),
        ("/mnt/shows/a.ma", "/mnt/shows/a.ma"),
        ("S:\\film\\a.ma", "/film/a.ma"),
        ("relative/a.ma", "relative/a.ma"),
        ("", ""),
    ],
)
def test_paths_as_this_machine_sees_them(path: str, mapped: str) -> None:
    """`map_path` replaces the longest directory of `dir_map` that the path lies in, and whole names only."""
    session = Session(
        False, dir_map={"/mnt/show": "X:/show", "/mnt/show/plates/": "/plates", "S:\\film": "/film/"}
    )
    assert session.map_path(path) == mapped


def test_each_request_is_logged_without_secrets(
    session: Session, site: LocalSite, costs: Costs, caplog: pytest.LogCaptureFixture
) -> None:
    """One DEBUG line under `sgsession` for each request, with neither the key nor the filters in it."""
    with caplog.at_level(logging.DEBUG, logger="sgsession"), costs(2):
        session.find("Shot", [["code", "is", "confidential"]])
        session.get("Task", 456)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("sgsession.pool")]
    assert [line.split()[:2] for line in lines[1:]] == [["find", "Shot:"], ["find", "Task:"]]
    assert lines[0].startswith("info")  # what the site can do, asked once
    assert site.api_key not in caplog.text
    assert "confidential" not in "".join(lines)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no user ids")
def test_nothing_says_who_is_logged_in(
    session: Session, costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container whose user has no name, the error says which variable to set; nothing is asked."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    with costs(0), pytest.raises(ConfigurationError, match="set USER"):
        session.guess_user()
