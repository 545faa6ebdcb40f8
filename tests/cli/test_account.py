"""`sgsession account`: who may sign in to a site with a database, without a secret on the command line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3 import AuthenticationFault, MissingTwoFactorAuthenticationFault, Shotgun

from sgsession.site import LocalSite


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The database of a site with people in it."""
    path = tmp_path / "film.sqlite"
    LocalSite(path, demo="small", serve=False).close()
    return path


def _typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def _signed_in(site: LocalSite, **credentials: Any) -> Any:
    client = Shotgun(site.url, login="ada.lindqvist", connect=False, **credentials)
    try:
        return client.find_one("HumanUser", [["login", "is", "ada.lindqvist"]], ["permission_rule_set"])
    finally:
        client.close()


def test_a_password_and_a_group(sgsession: Any, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is the line on standard input, and the person has it and the rights afterwards."""
    _typed(monkeypatch, "s3cret of mine\n")
    words = ("account", "ada.lindqvist", "--database", str(database), "--password", "--group", "admin")
    said = "Changed for ada.lindqvist: password, permission group.\n"
    assert sgsession(*words) == (0, "", said)
    with LocalSite(database) as site:
        row = _signed_in(site, password="s3cret of mine")
        assert row["permission_rule_set"]["name"] == "admin"
        with pytest.raises(AuthenticationFault):
            _signed_in(site, password="another")


def test_a_site_that_is_served_goes_on(
    sgsession: Any, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site need not be stopped, its own key stays good, and the change is there at once."""
    with LocalSite(database) as site:
        script = site.connect()
        _typed(monkeypatch, "s3cret\n424242\n")
        words = ("account", "ada.lindqvist", "--database", str(database))
        done = sgsession(*words, "--password", "--one-time-code", "--json")
        assert done.status == 0
        assert json.loads(done.out) == {"login": "ada.lindqvist", "changed": ["password", "one_time_code"]}
        with pytest.raises(MissingTwoFactorAuthenticationFault):
            _signed_in(site, password="s3cret")
        assert sgsession(*words, "--no-one-time-code").status == 0
        assert _signed_in(site, password="s3cret") is not None
        assert script.find_one("Shot", []) is not None
        script.close()


def test_a_key_for_a_script(sgsession: Any, database: Path) -> None:
    """The key stands alone on standard output, and signs the script in; the one before does not."""
    with LocalSite(database) as site:
        client = site.connect()
        client.create("ApiUser", {"firstname": "robot", "lastname": "1.0"})
        client.close()
        words = ("account", "--script", "robot", "--database", str(database))
        first = sgsession(*words)
        second = json.loads(sgsession(*words, "--json").out)
        robot = site.connect(**second)
        assert second["script_name"] == "robot"
        assert robot.find_one("Shot", []) is not None
        robot.close()
        late = site.connect(script_name="robot", api_key=first.out.strip())
        with pytest.raises(AuthenticationFault):
            late.find_one("Shot", [])
        late.close()
    assert (first.status, first.err, first.out.count("\n")) == (0, "", 1)


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["nobody", "--group", "admin"], "", "nobody on this site has the login 'nobody'."),
        (["ada.lindqvist", "--group", "king"], "", "invalid choice: 'king'"),
        (["ada.lindqvist", "--password"], "", "no password was given; nothing was changed."),
        (["ada.lindqvist", "--password"], "\n", "no password was given; nothing was changed."),
        (["ada.lindqvist", "--one-time-code"], "4\n", "has no password yet, and the code goes beside it."),
        (["ada.lindqvist"], "", "say who and what"),
        (["--password"], "x\n", "say who and what"),
        (["ada.lindqvist", "--script", "robot"], "", "--script is for scripts alone"),
        (["--script", "robot"], "", "no script on this site is called 'robot'."),
        (["--script", "sgsession"], "", "the key of 'sgsession' is kept by sgsession site"),
        (["ada.lindqvist", "--password", "s3cret"], "", "unrecognized arguments: s3cret"),
    ],
)
def test_refusals(
    sgsession: Any,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    typed: str,
    said: str,
) -> None:
    """Status 2 and one line that says what is wrong."""
    _typed(monkeypatch, typed)
    done = sgsession("account", *words, "--database", str(database))
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_database_that_is_not_there(sgsession: Any, tmp_path: Path) -> None:
    """A path typed wrong makes no new database."""
    path = tmp_path / "flim.sqlite"
    done = sgsession("account", "ada.lindqvist", "--group", "admin", "--database", str(path))
    assert (done.status, done.err) == (
        2,
        f"sgsession: {path} does not exist; sgsession site --database makes one.\n",
    )
    assert not path.exists()
