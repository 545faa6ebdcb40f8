"""What a site says of itself and keeps of its people: preferences, subscriptions, projects last opened."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite

from .conftest import Connect

# The values that the client's own live suite expects (wire.md 2.11).
EXPECTED = {
    "date_component_order": "month_day",
    "duration_units": "days",
    "format_currency_fields_decimal_options": "$1,000.99",
    "format_currency_fields_display_dollar_sign": False,
    "format_currency_fields_negative_options": "- $1,000",
    "format_date_fields": "08/04/22 OR 04/08/22 (depending on the Month order preference)",
    "format_float_fields": "9,999.99",
    "format_float_fields_rounding": "9.999999",
    "format_footage_fields": "10-05",
    "format_number_fields": "1,000",
    "format_time_hour_fields": "12 hour",
    "hours_per_day": 8.0,
    "support_local_storage": True,
    "enable_rv_integration": True,
    "enable_shotgun_review_for_rv": False,
}


@pytest.fixture
def person(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """Ann, as a link."""
    return {"type": "HumanUser", "id": shotgun.create("HumanUser", {"name": "Ann A", "login": "ann"})["id"]}


def test_all_preferences_are_read_at_once(shotgun: shotgun_api3.Shotgun) -> None:
    """Without names, or with an empty list of them, all come; two of them are JSON text."""
    found = shotgun.preferences_read()
    for name in ("view_master_settings", "creative_review_settings"):
        groups = json.loads(found.pop(name))["status_groups"]
        assert all(set(group) == {"name", "code", "status_list"} for group in groups)
    assert found == EXPECTED
    assert shotgun._call_rpc("preferences_read", {}).keys() >= EXPECTED.keys()


def test_preferences_are_read_by_name(shotgun: shotgun_api3.Shotgun) -> None:
    """Only those that are asked for; unknown names are left out."""
    found = shotgun.preferences_read(["hours_per_day", "nonsense", "duration_units"])
    assert found == {"hours_per_day": 8.0, "duration_units": "days"}
    with pytest.raises(shotgun_api3.Fault, match=r"API preferences_read\(\) invalid/missing array 'prefs'"):
        shotgun._call_rpc("preferences_read", {"prefs": "hours_per_day"})


def test_subscriptions_are_given_and_taken(shotgun: shotgun_api3.Shotgun, person: dict[str, Any]) -> None:
    """Each gift replaces what the person had; a name may stand alone, and null is none."""
    for given, kept in ((["rv", "review"], ["rv", "review"]), ("rv", ["rv"]), (None, [])):
        users = [{"humanUserId": person["id"], "subscription": given}]
        assert shotgun.user_subscriptions_create(users) is True
        expected = {"humanUserId": person["id"], "subscription": kept}
        assert expected in shotgun.user_subscriptions_read()


def test_subscriptions_of_who_left_are_not_shown(
    shotgun: shotgun_api3.Shotgun, person: dict[str, Any]
) -> None:
    """Everybody is listed who is not retired, with or without subscriptions."""
    assert {"humanUserId": person["id"], "subscription": []} in shotgun.user_subscriptions_read()
    shotgun.delete("HumanUser", person["id"])
    assert person["id"] not in [each["humanUserId"] for each in shotgun.user_subscriptions_read()]


@pytest.mark.parametrize(
    ("users", "words"),
    [
        ({}, "'users'"),
        ([5], "'humanUserId'"),
        ([{"humanUserId": "5"}], "'humanUserId'"),
        ([{"humanUserId": 99}], "Entity of type [HumanUser] with id=99 does not exist."),
        ([{"humanUserId": 1, "subscription": 5}], "'subscription'"),
        ([{"humanUserId": 1, "subscription": [None]}], "'subscription'"),
        ([{"humanUserId": 1, "subscription": "a\x00"}], "null byte"),
    ],
)
def test_a_bad_subscription_changes_nothing(
    shotgun: shotgun_api3.Shotgun, person: dict[str, Any], users: Any, words: str
) -> None:
    """All the people of a request get theirs, or none."""
    good = {"humanUserId": person["id"], "subscription": "rv"}
    with pytest.raises(shotgun_api3.Fault) as caught:
        shotgun.user_subscriptions_create([good, *users] if users else users)
    assert words in str(caught.value)
    assert {**good, "subscription": ["rv"]} not in shotgun.user_subscriptions_read()


def _accessed(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> datetime | None:
    field = "last_accessed_by_current_user"
    moment: datetime | None = shotgun.find_one("Project", [["id", "is", project["id"]]], [field])[field]
    return moment


def test_opening_a_project_is_noted_for_one_person(
    site: LocalSite, connect: Connect, shotgun: shotgun_api3.Shotgun, person: dict[str, Any]
) -> None:
    """By the person's id or in their name; nobody else's moment changes, nor does that of other projects."""
    shotgun.create("HumanUser", {"name": "Bob B", "login": "bob"})
    first, second = (shotgun.create("Project", {"name": name}) for name in ("First", "Second"))
    ann, bob = connect(site, sudo_as_login="ann"), connect(site, sudo_as_login="bob")
    assert _accessed(ann, first) is None
    shotgun.update_project_last_accessed(first, person)
    noted = _accessed(ann, first)
    assert noted is not None
    assert abs(datetime.now(timezone.utc) - noted) < timedelta(minutes=1)
    assert [_accessed(each, first) for each in (bob, shotgun)] == [None, None]
    bob.update_project_last_accessed(second)
    assert _accessed(bob, second) is not None
    assert _accessed(ann, second) is None


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "'project_id'"),
        ({"project_id": "1"}, "'project_id'"),
        ({"project_id": 99}, "Entity of type [Project] with id=99 does not exist."),
        ({"project_id": 1, "user_id": "1"}, "'user_id'"),
        ({"project_id": 1, "user_id": 99}, "Entity of type [HumanUser] with id=99 does not exist."),
    ],
)
def test_nobody_opens_a_project_that_is_not_there(
    shotgun: shotgun_api3.Shotgun, params: dict[str, Any], words: str
) -> None:
    """Project and person must exist."""
    shotgun.create("Project", {"name": "First"})
    with pytest.raises(shotgun_api3.Fault) as caught:
        shotgun._call_rpc("update_project_last_accessed_by_current_user", params)
    assert words in str(caught.value)
