"""People sign in with login and password: who may, who may not, and in whose name they then act."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import shotgun_api3

from sgsession.site import LocalSite
from sgsession.site.people.authentication import authenticate

Connect = Callable[..., shotgun_api3.Shotgun]

UNKNOWN = "Can't authenticate user '{}'."


@pytest.fixture
def ann(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> dict[str, object]:
    """Ann, who has a login and a password."""
    return shotgun.create("HumanUser", {"login": "Ann.A", "name": "Ann A", "password_proxy": "s3cret"})


def refused(client: shotgun_api3.Shotgun) -> str:
    """The words with which the site refuses the client's next call; its code is 102."""
    with pytest.raises(shotgun_api3.AuthenticationFault) as caught:
        client.find_one("Shot", [])
    return str(caught.value)


def test_a_person_signs_in(site: LocalSite, ann: dict[str, object], connect: Connect) -> None:
    """With login and password a person asks, makes and is named by what happened."""
    client = connect(site, login="Ann.A", password="s3cret")
    project = client.create("Project", {"name": "One"}, ["created_by", "updated_by"])
    link = {"type": "HumanUser", "id": ann["id"], "name": "Ann A"}
    assert project["created_by"] == project["updated_by"] == link
    events = client.find("EventLogEntry", [["entity", "is", project]], ["user", "meta"])
    assert events
    assert all(event["user"] == link and "sudo_actual_user" not in event["meta"] for event in events)


def test_logins_have_no_case_and_passwords_do(
    site: LocalSite, ann: dict[str, object], connect: Connect
) -> None:
    """The login is compared without case, the password to the letter."""
    assert connect(site, login="aNN.a", password="s3cret").find("Shot", []) == []
    assert refused(connect(site, login="Ann.A", password="S3cret")) == UNKNOWN.format("Ann.A")


def test_a_new_password_ends_the_old_one(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: dict[str, object], connect: Connect
) -> None:
    """After an update the new password opens, and the old one does not, though it was just proven."""
    old = connect(site, login="ann.a", password="s3cret")
    assert old.find("Shot", []) == []
    shotgun.update("HumanUser", ann["id"], {"password_proxy": "n3w"})
    assert refused(old) == UNKNOWN.format("ann.a")
    assert connect(site, login="ann.a", password="n3w").find("Shot", []) == []


def test_people_without_a_password_stay_outside(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """No password opens the account of a person who was given none, or an empty one."""
    shotgun.create("HumanUser", {"login": "ben"})
    shotgun.create("HumanUser", {"login": "cleo", "password_proxy": ""})
    for login in ("ben", "cleo"):
        for password in ("x", "*******", ""):
            envelope = site.engine.answer(
                {
                    "method_name": "read",
                    "params": [{"user_login": login, "user_password": password}, {}],
                }
            )
            assert envelope == {"exception": True, "message": UNKNOWN.format(login), "error_code": 102}


def test_retired_disabled_and_locked_people_are_refused(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: dict[str, object], connect: Connect
) -> None:
    """Who is disabled, locked for a while or retired cannot sign in, and can again once that is over."""
    client = connect(site, login="ann.a", password="s3cret")
    now = datetime.now(timezone.utc)
    for barred, freed in (
        ({"sg_status_list": "dis"}, {"sg_status_list": "act"}),
        ({"locked_until": now + timedelta(hours=1)}, {"locked_until": now - timedelta(hours=1)}),
    ):
        shotgun.update("HumanUser", ann["id"], barred)
        assert refused(client) == UNKNOWN.format("ann.a")
        shotgun.update("HumanUser", ann["id"], freed)
        assert client.find("Shot", []) == []
    shotgun.delete("HumanUser", ann["id"])
    assert refused(client) == UNKNOWN.format("ann.a")
    shotgun.revive("HumanUser", ann["id"])
    assert client.find("Shot", []) == []


def test_a_password_is_never_read(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: dict[str, object]
) -> None:
    """Rows show stars, filters on a password are refused, and events do not mention it."""
    row = shotgun.find_one("HumanUser", [["id", "is", ann["id"]]], ["password_proxy", "password_set"])
    assert (row["password_proxy"], row["password_set"]) == ("*******", True)
    with pytest.raises(shotgun_api3.Fault, match="'password' data type cannot be used in a filter"):
        shotgun.find("HumanUser", [["password_proxy", "is", "s3cret"]])
    events = shotgun.find("EventLogEntry", [["entity", "is", ann]], ["attribute_name", "meta", "description"])
    assert "password_proxy" not in {event["attribute_name"] for event in events}
    assert "s3cret" not in str(events)


def test_no_password_key_or_token_is_in_the_file(tmp_path: Path) -> None:
    """Nothing that opens a site stands in its database."""
    path = tmp_path / "site.sqlite"
    with LocalSite(path, serve=False) as site:
        client = site.connect(in_process=True)
        client.create("HumanUser", {"login": "ann", "password_proxy": "s3cret-of-ann"})
        secrets = ["s3cret-of-ann", site.api_key, client.get_session_token()]
        client.close()
    with sqlite3.connect(path) as database:
        dump = "\n".join(database.iterdump()).lower()
    database.close()
    assert "ann" in dump
    for each in secrets:
        assert each not in dump
        assert each.encode().hex() not in dump


def test_the_keeper_sets_passwords(connect: Connect) -> None:
    """`set_password` gives a person of the demo a password; an unknown login is an error."""
    with LocalSite(demo="small", serve=False) as site:
        login = site.connect(in_process=True).find_one("HumanUser", [], ["login"])["login"]
        site.set_password(login, "n3w")
        client = connect(site, login=login, password="n3w", in_process=True)
        assert client.find_one("Project", []) is not None
        with pytest.raises(ValueError, match="nobody on this site has the login 'nemo'"):
            site.set_password("nemo", "x")


def test_a_person_changes_only_their_own_password(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: dict[str, object], connect: Connect
) -> None:
    """People without the right may set their own password, and nobody else's."""
    other = shotgun.create("HumanUser", {"login": "ben", "password_proxy": "x"})
    client = connect(site, login="ann.a", password="s3cret")
    with pytest.raises(shotgun_api3.Fault, match="can not be updated by this user"):
        client.update("HumanUser", other["id"], {"password_proxy": "y"})
    client.update("HumanUser", ann["id"], {"password_proxy": "mine"})
    assert connect(site, login="ann.a", password="mine").find("Shot", []) == []


def test_authenticate_human_user(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: dict[str, object]
) -> None:
    """The client's check of a password gives the person; a wrong one is an authentication fault."""
    found = shotgun.authenticate_human_user("Ann.A", "s3cret")
    assert found == {"type": "HumanUser", "id": ann["id"], "login": "Ann.A"}
    with pytest.raises(shotgun_api3.AuthenticationFault, match=r"Can't authenticate user 'Ann\.A'"):
        shotgun.authenticate_human_user("Ann.A", "wrong")
    assert shotgun.find("Shot", []) == [], "the script goes on as itself"


def test_a_one_time_code_is_asked_for(site: LocalSite, ann: dict[str, object], connect: Connect) -> None:
    """With 2FA, a sign-in without the code or with a wrong one is the client's own kind of fault."""
    site.require_one_time_code("ann.a", "424242")
    missing = shotgun_api3.shotgun.MissingTwoFactorAuthenticationFault
    with pytest.raises(missing):
        connect(site, login="ann.a", password="s3cret").find("Shot", [])
    with pytest.raises(missing):
        # In process: the constructor itself fails, and would leave a socket that nobody can close.
        connect(site, in_process=True, login="ann.a", password="s3cret", auth_token="000000")
    # A wrong password is told as such: the code is asked of nobody else.
    assert refused(connect(site, login="ann.a", password="wrong")) == UNKNOWN.format("ann.a")
    client = connect(site, login="ann.a", password="s3cret", auth_token="424242")
    assert client.config.session_token
    assert client.find("Shot", []) == []
    site.require_one_time_code("ann.a", None)
    assert connect(site, login="ann.a", password="s3cret").find("Shot", []) == []


def test_a_proven_password_costs_little(site: LocalSite, ann: dict[str, object]) -> None:
    """After the first request a password is recognised in far less time than its hash takes."""
    store, credentials = site.engine.store, {"user_login": "ann.a", "user_password": "s3cret"}
    with store.reading() as connection:
        authenticate(connection, store.tables, credentials)
        costs = []
        for _ in range(50):
            start = time.perf_counter()
            authenticate(connection, store.tables, credentials)
            costs.append(time.perf_counter() - start)
    # 0.1 ms on an idle machine; the hash alone takes a hundred.
    assert min(costs) < 0.002


def test_a_person_may_not_act_as_another(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: dict[str, object], connect: Connect
) -> None:
    """Sudo by a person without the right is refused in the recorded words; an admin may."""
    shotgun.create("HumanUser", {"login": "ben", "name": "Ben B"})
    for login in ("ben", "nobody"):
        client = connect(site, login="ann.a", password="s3cret", sudo_as_login=login)
        assert refused(client).startswith("The user does not have permission to 'sudo':")
    site.set_permission_group("ann.a", "admin")
    admin = connect(site, login="ann.a", password="s3cret", sudo_as_login="ben")
    project = admin.create("Project", {"name": "One"}, ["created_by"])
    assert project["created_by"]["name"] == "Ben B"
    event = admin.find_one("EventLogEntry", [["entity", "is", project]], ["meta", "user"])
    assert event["user"]["name"] == "Ben B"
    actual = {"type": "HumanUser", "id": ann["id"], "name": "Ann A", "valid": "valid"}
    assert event["meta"]["sudo_actual_user"] == actual


def test_a_person_can_be_kept_from_impersonation(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """Nobody acts as a person whose `can_impersonate_this_user` is off."""
    shotgun.create("HumanUser", {"login": "boss", "can_impersonate_this_user": False})
    words = refused(connect(site, sudo_as_login="boss"))
    assert words.startswith("The user does not have permission to 'sudo':")
