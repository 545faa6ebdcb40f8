"""Who may ask, and in whose name: through the official client, with the recorded words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite

Connect = Callable[..., shotgun_api3.Shotgun]


def refused(client: shotgun_api3.Shotgun) -> str:
    """The words with which the site refuses the client's next call; its code is 102."""
    with pytest.raises(shotgun_api3.AuthenticationFault) as caught:
        client.find_one("Shot", [])
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"script_name": "nobody", "api_key": "x"}, "Can't authenticate script 'nobody'"),
        ({"script_name": "sgsession", "api_key": "wrong"}, "Can't authenticate script 'sgsession'"),
        ({"login": "ada", "password": "x"}, "Can't authenticate user 'ada'."),
        ({"session_token": "0123456789abcd"}, "Can't authenticate session token ending with 'abcd'"),
    ],
)
def test_wrong_credentials_are_refused_at_the_first_call(
    site: LocalSite, connect: Connect, arguments: dict[str, str], words: str
) -> None:
    """A client is constructed with any credentials; its first call is refused in the recorded words."""
    assert refused(connect(site, **arguments)) == words


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        3,
        "x",
        [],
        {},
        {"script_name": "sgsession"},
        {"script_key": "x"},
        {"script_name": 1, "script_key": 2},
        {"script_name": None, "script_key": None},
        {"user_login": "x"},
        {"session_token": ""},
    ],
)
def test_unusable_credentials_are_refused(demo_site: LocalSite, credentials: Any) -> None:
    """Credentials of the wrong shape get the recorded words and code 102."""
    envelope = demo_site.engine.answer({"method_name": "read", "params": [credentials, {}]})
    words = "Missing or invalid authentication arguments"
    assert envelope == {"exception": True, "message": words, "error_code": 102}


def test_the_script_is_who_creates(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """What a script makes was created by its ApiUser row."""
    made = shotgun.create("Project", {"name": "One"}, ["created_by"])
    assert made["created_by"] == {"type": "ApiUser", "id": 1, "name": "sgsession 1.0"}


def test_a_script_can_act_as_a_person(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """With `sudo_as_login` the person is the creator, whatever the case of the login."""
    person = shotgun.create("HumanUser", {"login": "Ada.L", "name": "Ada Lovelace"})
    made = connect(site, sudo_as_login="ada.l").create("Project", {"name": "One"}, ["created_by"])
    assert made["created_by"] == {"type": "HumanUser", "id": person["id"], "name": "Ada Lovelace"}


def test_acting_as_nobody_is_refused(site: LocalSite, connect: Connect) -> None:
    """An unknown login is refused in the recorded words."""
    assert (
        refused(connect(site, sudo_as_login="nobody")) == "Cannot 'sudo' - unknown or retired user: 'nobody'"
    )


def test_acting_as_something_else_is_refused(site: LocalSite) -> None:
    """A `sudo_as_login` that is no text is refused like an unknown login."""
    credentials = {"script_name": site.script_name, "script_key": site.api_key, "sudo_as_login": {"id": 1}}
    envelope = site.engine.answer({"method_name": "read", "params": [credentials, {}]})
    assert envelope["error_code"] == 102
    assert envelope["message"].startswith("Cannot 'sudo' - unknown or retired user: ")


def test_acting_as_a_retired_person_is_refused(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """A retired person is as unknown as one who never was."""
    person = shotgun.create("HumanUser", {"login": "ada", "name": "Ada L"})
    shotgun.delete("HumanUser", person["id"])
    assert refused(connect(site, sudo_as_login="ada")) == "Cannot 'sudo' - unknown or retired user: 'ada'"


def test_a_retired_script_is_refused(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """A script cannot sign in once its row is retired."""
    shotgun.delete("ApiUser", 1)
    assert refused(shotgun) == "Can't authenticate script 'sgsession'"


def test_further_keys_are_tolerated(site: LocalSite, connect: Connect) -> None:
    """What a client adds to the credentials, such as its product, does no harm."""
    client = connect(site)
    client.config.extra_auth_params = {"product": "tk-maya", "nested": {"a": [1]}}
    client.set_session_uuid("no uuid at all")
    assert client.find("Shot", []) == []


def test_the_key_cannot_be_read(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """No field of the script's row gives its key or what is stored of it."""
    fields = list(shotgun.schema_field_read("ApiUser"))
    row = shotgun.find_one("ApiUser", [["id", "is", 1]], fields)
    assert row["firstname"] == "sgsession"
    assert site.api_key not in str(row)
    assert not row.get("salted_password")


def test_sessions_and_scripts_are_told_apart_in_events(
    site: LocalSite, shotgun: shotgun_api3.Shotgun
) -> None:
    """The session uuid that a client sets arrives in the events of what it does."""
    uuid = "5a1d49b0-0c69-11e0-a24c-003048d17544"
    shotgun.set_session_uuid(uuid)
    project = shotgun.create("Project", {"name": "One"})
    events = shotgun.find("EventLogEntry", [["entity", "is", project]], ["session_uuid"])
    assert events
    assert {event["session_uuid"] for event in events} == {uuid}


def test_a_script_without_the_flag_writes_no_events(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """`generate_event_log_entries` off on the script's row means silence from the next call on."""
    shotgun.update("ApiUser", 1, {"generate_event_log_entries": False})
    project = shotgun.create("Project", {"name": "One"})
    assert shotgun.find("EventLogEntry", [["entity", "is", project]]) == []
