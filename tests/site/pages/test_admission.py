"""Who may look: nobody is asked on a loopback site, everybody on one that others can reach."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from sgsession.site import LocalSite
from sgsession.site.pages.admission import is_loopback

from .conftest import Looking

PAGES = ("/", "/page/Shot", "/page/1", "/detail/Shot/234", "/search?q=aa", "/nowhere", "/page/Nothing")


@pytest.fixture(scope="module")
def remote() -> Iterator[LocalSite]:
    """A site that listens on every address, as `--host 0.0.0.0 --allow-remote` makes it."""
    with pytest.warns(UserWarning, match="reached from other machines"):
        site = LocalSite(demo="small", host="0.0.0.0", allow_remote=True)
    with site:
        site.set_password("ada.lindqvist", "böat: 7")
        yield site


@pytest.fixture
def visitor(remote: LocalSite) -> Iterator[Looking]:
    """Somebody who knows where the site is."""
    looking = Looking(remote)
    looking.connection.host = "127.0.0.1"
    yield looking
    looking.connection.close()


def basic(name: str, secret: str) -> dict[str, str]:
    """The header that a browser sends for a name and a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@pytest.mark.parametrize("path", PAGES)
def test_strangers_see_nothing(visitor: Looking, path: str) -> None:
    """Without credentials every page is a 401 that makes a browser ask, and says nothing of the site."""
    page = visitor.at(path)
    assert page.status == 401
    assert page.headers["www-authenticate"].startswith("Basic ")
    assert "AA_001" not in page.html


def test_scripts_and_people_see_the_pages(visitor: Looking, remote: LocalSite) -> None:
    """A script with its key, or a person with a password, in any letters."""
    for header in (basic(remote.script_name, remote.api_key), basic("ADA.lindqvist", "böat: 7")):
        assert visitor.at("/detail/Shot/234", headers=header).status == 200
        assert visitor.at("/nowhere", headers=header).status == 404


def test_wrong_credentials_are_refused(visitor: Looking, remote: LocalSite) -> None:
    """Wrong keys and passwords, other schemes, and what is no header at all."""
    encoded = base64.b64encode(f"{remote.script_name}:{remote.api_key}".encode()).decode()
    wrong = [
        basic(remote.script_name, "x"),
        basic("ada.lindqvist", "boat"),
        basic("ada.lindqvist", ""),
        basic("nobody", "x"),
        basic("", ""),
        basic("a\x00b", "c"),
        {"Authorization": f"Bearer {encoded}"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
    ]
    for header in wrong:
        assert visitor.at("/", headers=header).status == 401, header


def test_a_limited_script_sees_its_projects_only(remote: LocalSite, visitor: Looking) -> None:
    """A script with `projects` finds other projects neither in lists nor by their address."""
    shotgun = remote.connect()
    shotgun.create("ApiUser", {"firstname": "narrow", "projects": [{"type": "Project", "id": 124}]})
    shotgun.close()
    header = basic("narrow", remote.new_script_key("narrow"))
    front = visitor.at("/", headers=header)
    assert "Paper Moons" in front.text
    assert "Demo Project" not in front.text
    assert visitor.at("/detail/Shot/246", headers=header).status == 200
    assert visitor.at("/detail/Shot/234", headers=header).status == 404
    assert "AA_001" not in visitor.at("/page/Shot", headers=header).text
    assert "/detail/Shot/234" not in visitor.at("/search?q=AA_001", headers=header).links


def test_a_one_time_code_cannot_be_given(remote: LocalSite, visitor: Looking) -> None:
    """Who needs a code beside the password is refused: the password alone proves nothing."""
    remote.set_password("bruno.okafor", "x")
    assert visitor.at("/", headers=basic("bruno.okafor", "x")).status == 200
    remote.require_one_time_code("bruno.okafor", "424242")
    assert visitor.at("/", headers=basic("bruno.okafor", "x")).status == 401


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("localhost", True)]
    + [(each, False) for each in ("0.0.0.0", "::", "192.168.1.4", "studio.example", "")],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    """Only an address of this machine alone is open; a name that may be anything is not."""
    assert is_loopback(host) is loopback
