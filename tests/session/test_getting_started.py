"""1.1.1 Getting Started, 1.1.2 The Entity and 1.1.3 Instance Sharing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3
from shotgun_api3.lib import mockgun

from sgsession import Entity, Session, SessionError, ShotgunPool
from sgsession.site import LocalSite

from .conftest import Costs


@pytest.mark.smoke
def test_a_session_is_made_of_a_client(site: LocalSite, costs: Costs) -> None:
    """`Session(Shotgun(...))` reads over HTTP at once, one request for a find."""
    client = shotgun_api3.Shotgun(site.url, site.script_name, site.api_key)
    with Session(client) as session, costs(1):
        task = session.find_one("Task", [("content", "is", "Matchmove")])
    client.close()
    assert (task["type"], task["id"]) == ("Task", 456)


def test_a_client_is_wrapped_in_a_pool(site: LocalSite) -> None:
    """An official client, also of a class of the studio's own, becomes a pool; making the session sends nothing."""

    class StudioShotgun(shotgun_api3.Shotgun):
        pass

    before = len(site.requests)
    client = StudioShotgun(site.url, site.script_name, site.api_key, connect=False)
    with Session(client) as session:
        assert isinstance(session.shotgun, ShotgunPool)
        assert len(site.requests) == before


def test_a_pool_is_used_as_it_is(site: LocalSite, costs: Costs) -> None:
    """Two sessions may share one pool."""
    with ShotgunPool(site.connect(connect=False)) as pool:
        first, second = Session(pool), Session(pool)
        assert first.shotgun is pool
        with costs(2):
            shots = [each.get("Shot", 234) for each in (first, second)]
    assert shots[0] is not shots[1]


def test_any_other_client_is_used_unmodified(shotgun: Any, costs: Costs, tmp_path: Path) -> None:
    """What does not derive from the official class is called as it is: here the client's own Mockgun."""
    paths = [str(tmp_path / name) for name in ("schema", "types")]
    with costs(2):
        mockgun.generate_schema(shotgun, *paths)
    mockgun.Shotgun.set_schema_paths(*paths)
    client = mockgun.Shotgun("https://studio.example.com", "script", "key")
    session = Session(client)
    assert session.shotgun is client
    with costs(0):
        shot = session.create("Shot", code="AA_001")
        assert session.find_one("Shot", [["code", "is", "AA_001"]]) is shot


def test_a_session_without_a_site_says_so(offline: Session) -> None:
    """`Session(False)` merges and reads what it knows, and refuses by name what needs a site."""
    assert offline.shotgun is None
    assert offline.merge({"type": "Shot", "id": 1, "code": "A"})["code"] == "A"
    with pytest.raises(SessionError, match="without a site"):
        offline.find("Shot", [])


def test_what_a_session_does_not_name_is_proxied(session: Session, site: LocalSite) -> None:
    """Attributes and methods of the client are there: its address, its config, its schema calls."""
    assert session.base_url == site.url
    assert session.config.script_name == site.script_name
    assert "code" in session.schema_field_read("Shot", "code")


def test_an_unknown_attribute_is_an_attribute_error(session: Session) -> None:
    """What neither the session nor the client has is refused as Python does."""
    with pytest.raises(AttributeError, match="no_such_thing"):
        session.no_such_thing  # noqa: B018


def test_an_entity_is_a_dict_of_its_session(session: Session, costs: Costs) -> None:
    """What is found is a dict with the fields the client gives, and knows its session."""
    with costs(1):
        shot = session.find_one("Shot", [["id", "is", 234]], ["code"])
    assert isinstance(shot, Entity)
    assert isinstance(shot, dict)
    assert shot["code"] == "AA_001"
    assert shot.session is session


@pytest.mark.smoke
def test_the_same_entity_is_the_same_object(session: Session, costs: Costs) -> None:
    """Two finds of one row give one instance; a cache of rows is no cache of queries: two requests."""
    with costs(2):
        a = session.find_one("Task", [("content", "is", "Matchmove")])
        b = session.find_one("Task", [("content", "is", "Matchmove")])
    assert a is b


@pytest.mark.parametrize(
    "again",
    [
        lambda session: session.find("Shot", [["code", "is", "AA_001"]])[0],
        lambda session: session.get("Shot", 234),
        lambda session: session.get("Shot", [234])[0],
        lambda session: session.merge({"type": "Shot", "id": 234}),
        lambda session: session.find_one("Task", [["id", "is", 457]])["entity"],
        lambda session: session.find_one("Note", [["id", "is", 901]], ["note_links"])["note_links"][0],
        lambda session: session.parse_user_input("Shot:234"),
        lambda session: next(session.find_iter("Shot", [["id", "is", 234]])),
    ],
    ids=["find", "get", "get-list", "merge", "link", "multi-link", "parse", "find_iter"],
)
def test_every_way_leads_to_the_same_object(session: Session, again: Callable[[Session], Any]) -> None:
    """However an entity is met again in a session, it is the one of the first time."""
    shot = session.find_one("Shot", [["id", "is", 234]])
    assert again(session) is shot


def test_the_same_id_of_another_type_is_another_entity(offline: Session) -> None:
    """Type and id together are the identity."""
    shot, task = offline.merge([{"type": "Shot", "id": 7}, {"type": "Task", "id": 7}])
    assert shot is not task
    assert shot != task


def test_two_sessions_share_nothing(new_session: Callable[..., Session], costs: Costs) -> None:
    """Each session has its own instances, which are not equal across."""
    with costs(2):
        a, b = (new_session().get("Shot", 234) for _ in range(2))
    assert a is not b
    assert a != b


def test_threads_share_instances(session: Session, costs: Costs) -> None:
    """Twenty finds at once in one session give one object."""
    with costs(20), ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda _: session.find_one("Shot", [["id", "is", 234]]), range(20)))
    assert {id(shot) for shot in found} == {id(found[0])}


def test_private_names_are_never_those_of_the_client(session: Session, costs: Costs) -> None:
    """A misspelt private name, or a session that is not made yet, asks no client for anything."""
    with costs(0):
        with pytest.raises(AttributeError, match="_user_agents"):
            session._user_agents  # noqa: B018
        with pytest.raises(AttributeError, match="base_url"):
            Session.__new__(Session).base_url  # noqa: B018
