"""Session tokens: whose they are, how long they live, and that they outlive the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite

Connect = Callable[..., shotgun_api3.Shotgun]


def refused(client: shotgun_api3.Shotgun, token: str) -> None:
    """The site refuses the client's session in the recorded words."""
    with pytest.raises(shotgun_api3.AuthenticationFault) as caught:
        client.find_one("Shot", [])
    assert str(caught.value) == f"Can't authenticate session token ending with '{token[-4:]}'"


def creator(client: shotgun_api3.Shotgun) -> dict[str, Any]:
    """Who the site says made what the client makes, and the event of it."""
    made = client.create("Department", {"name": "Layout"}, ["created_by"])
    event = client.find_one("EventLogEntry", [["entity", "is", made]], ["user", "meta"])
    assert event["user"] == made["created_by"]
    return {"created_by": made["created_by"]["name"], "actual": event["meta"].get("sudo_actual_user")}


def test_the_session_of_a_script(site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect) -> None:
    """A script's session acts as the script."""
    token = shotgun.get_session_token()
    assert len(token) == 32
    assert creator(connect(site, session_token=token)) == {"created_by": "sgsession 1.0", "actual": None}


def test_the_session_of_a_person(site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect) -> None:
    """A person's session acts as the person, with a person's rights only."""
    shotgun.create("HumanUser", {"login": "ann", "name": "Ann A", "password_proxy": "x"})
    token = connect(site, login="ann", password="x").get_session_token()
    assert creator(connect(site, session_token=token)) == {"created_by": "Ann A", "actual": None}
    with pytest.raises(shotgun_api3.Fault, match="The user does not have permission to 'sudo':"):
        connect(site, session_token=token, sudo_as_login="ann").find("Shot", [])


def test_the_session_of_an_impersonated_person(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """A session asked for in another's name is that person's, and the events still know the script."""
    shotgun.create("HumanUser", {"login": "ann", "name": "Ann A"})
    token = connect(site, sudo_as_login="ann").get_session_token()
    actual = {"type": "ApiUser", "id": 1, "name": "sgsession 1.0", "valid": "valid"}
    assert creator(connect(site, session_token=token)) == {"created_by": "Ann A", "actual": actual}
    shotgun.delete("ApiUser", 1)
    refused(connect(site, session_token=token), token)


def test_an_expired_session_is_rejected(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """`reject_if_expired` turns an expired session away; a client that does not say so has it renewed."""
    site.session_lifetime = 0
    expired = shotgun.get_session_token()
    site.session_lifetime = 3600
    fresh = connect(site).get_session_token()  # another client: each asks once and remembers
    refused(connect(site, session_token=expired), expired)
    assert connect(site, session_token=fresh).find("Shot", []) == []
    request: dict[str, Any] = {"method_name": "preferences_read", "params": [{"session_token": expired}, {}]}
    assert "results" in site.engine.answer(request)
    request["params"][0]["reject_if_expired"] = True
    assert site.engine.answer(request)["error_code"] == 102


def test_sessions_outlive_the_process(tmp_path: Path, connect: Connect) -> None:
    """A session and a password of a database of its own are good at the next start."""
    path = tmp_path / "site.sqlite"
    with LocalSite(path, serve=False) as site:
        client = connect(site, in_process=True)
        client.create("HumanUser", {"login": "ann", "name": "Ann A", "password_proxy": "x"})
        token = connect(site, in_process=True, login="ann", password="x").get_session_token()
    with LocalSite(path, serve=False) as site:
        assert creator(connect(site, in_process=True, session_token=token))["created_by"] == "Ann A"
        assert connect(site, in_process=True, login="ann", password="x").find("Shot", []) == []


@pytest.mark.parametrize("end", [{"sg_status_list": "dis"}, {"locked_until": "2999-01-01T00:00:00Z"}, None])
def test_a_session_ends_with_the_account(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect, end: dict[str, str] | None
) -> None:
    """A person who may not sign in any more cannot go on in a session either."""
    ann = shotgun.create("HumanUser", {"login": "ann", "password_proxy": "x"})
    client = connect(site, login="ann", password="x")
    token = client.get_session_token()
    if end is None:
        shotgun.delete("HumanUser", ann["id"])
    else:
        shotgun.update("HumanUser", ann["id"], end)
    refused(connect(site, session_token=token), token)


def test_a_made_up_token_is_refused(site: LocalSite, connect: Connect) -> None:
    """A token that was never given out opens nothing."""
    for token in ("0" * 32, "x", "'; drop table session; --"):
        refused(connect(site, session_token=token), token)
