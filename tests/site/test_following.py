"""Follow, unfollow, followers and following, through the official client."""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3


@pytest.fixture
def person(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """Ann, as a link."""
    ann = shotgun.create("HumanUser", {"name": "Ann A", "login": "ann"})
    return {"type": "HumanUser", "id": ann["id"]}


@pytest.fixture
def shot(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A shot of a project of its own, as a link."""
    project = shotgun.create("Project", {"name": "Demo"})
    shot = shotgun.create("Shot", {"code": "a", "project": project})
    return {"type": "Shot", "id": shot["id"]}


def test_following_shows_at_both_ends(
    shotgun: shotgun_api3.Shotgun, person: dict[str, Any], shot: dict[str, Any]
) -> None:
    """Who follows a row is among its followers, with name and status; the row is among what they follow."""
    assert shotgun.follow(person, shot) == {"followed": True, "user": person, "entity": shot}
    ann = {**person, "name": "Ann A", "status": "act", "valid": "valid"}
    assert shotgun.followers(shot) == [ann]
    assert shotgun.following(person) == [shot]
    assert shotgun.unfollow(person, shot) == {"unfollowed": True, "user": person, "entity": shot}
    assert (shotgun.followers(shot), shotgun.following(person)) == ([], [])


def test_following_twice_is_following_once(
    shotgun: shotgun_api3.Shotgun, person: dict[str, Any], shot: dict[str, Any]
) -> None:
    """Neither a second follow nor a second unfollow is an error, and nothing is doubled."""
    for _ in range(2):
        assert shotgun.follow(person, shot)["followed"] is True
    assert len(shotgun.followers(shot)) == 1
    for _ in range(2):
        assert shotgun.unfollow(person, shot)["unfollowed"] is True
    assert shotgun.followers(shot) == []


def test_following_is_narrowed_by_type_and_project(
    shotgun: shotgun_api3.Shotgun, person: dict[str, Any], shot: dict[str, Any]
) -> None:
    """`entity_type` and `project` leave what is of that type, in that project."""
    other = shotgun.create("Project", {"name": "Other"})
    asset = shotgun.create("Asset", {"code": "door", "project": other})
    asset = {"type": "Asset", "id": asset["id"]}
    for each in (shot, asset):
        shotgun.follow(person, each)
    assert shotgun.following(person) == [asset, shot]
    assert shotgun.following(person, entity_type="Shot") == [shot]
    assert shotgun.following(person, project=other) == [asset]
    assert shotgun.following(person, project=other, entity_type="Shot") == []


def test_what_is_retired_neither_follows_nor_is_followed(
    shotgun: shotgun_api3.Shotgun, person: dict[str, Any], shot: dict[str, Any]
) -> None:
    """Retired people and rows are left out, and are back once they are revived."""
    shotgun.follow(person, shot)
    shotgun.delete("Shot", shot["id"])
    assert shotgun.following(person) == []
    shotgun.revive("Shot", shot["id"])
    assert shotgun.following(person) == [shot]
    shotgun.delete("HumanUser", person["id"])
    assert shotgun.followers(shot) == []


def test_creating_a_row_is_not_following_it(shotgun: shotgun_api3.Shotgun, shot: dict[str, Any]) -> None:
    """Nobody follows a new row."""
    assert shotgun.followers(shot) == []


@pytest.mark.parametrize("method", ["follow", "unfollow"])
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"user": None}, "invalid/missing entity hash 'user'"),
        ({"user": {"type": "HumanUser"}}, "invalid/missing entity hash 'user'"),
        ({"user": {"type": "Shot", "id": 1}}, "invalid/missing string 'user' 'type'"),
        ({"user": {"type": "HumanUser", "id": 99}}, "Entity of type [HumanUser] with id=99 does not exist."),
        ({"entity": []}, "invalid/missing entity hash 'entity'"),
        ({"entity": {"type": "Nothing", "id": 1}}, "invalid/missing string 'entity' 'type'"),
        (
            {"entity": {"type": "Shot", "id": 2**40}},
            "Entity of type [Shot] with id=1099511627776 does not exist.",
        ),
    ],
)
def test_nobody_and_nothing_are_refused(
    shotgun: shotgun_api3.Shotgun,
    person: dict[str, Any],
    shot: dict[str, Any],
    method: str,
    changed: dict[str, Any],
    words: str,
) -> None:
    """Both ends must be rows that exist, the first of them a person."""
    with pytest.raises(shotgun_api3.Fault) as caught:
        shotgun._call_rpc(method, {"user": person, "entity": shot, **changed})
    assert str(caught.value).startswith(f"API {method}() ")
    assert words in str(caught.value)


def test_an_unknown_type_to_follow_is_refused(shotgun: shotgun_api3.Shotgun, person: dict[str, Any]) -> None:
    """`entity_type` must be one of the site's."""
    with pytest.raises(shotgun_api3.Fault, match="'entity_type'"):
        shotgun.following(person, entity_type="Nothing")
