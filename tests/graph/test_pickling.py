"""Sessions and entities that travel: to a farm job, to another process, to another time zone."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession import AsyncSession, Entity, Session
from sgsession.errors import ConfigurationError, NoSiteError
from sgsession.site import LocalSite

from ..strategies import rows
from .views import assert_sound, back_references, known


@pytest.fixture(scope="module")
def site() -> Any:
    """The small demo."""
    with LocalSite(demo="small") as site:
        yield site


@given(st.lists(rows, max_size=5), st.integers(2, pickle.HIGHEST_PROTOCOL))
def test_all_that_a_session_knows_travels(raw: list[dict[str, Any]], protocol: int) -> None:
    """Fields, links and back-references arrive; one object for each key there, too."""
    session = Session(False)
    session.merge(raw)
    again = pickle.loads(pickle.dumps(session, protocol))
    assert known(again) == known(session)
    assert back_references(again) == back_references(session)
    assert_sound(again)


def test_entities_bring_their_session_and_stay_together() -> None:
    """Two entities of one pickle are of one session, with all that it knew."""
    session = Session(False)
    task = session.merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1, "code": "AA"}})
    again, shot = pickle.loads(pickle.dumps((task, task["entity"])))
    assert type(again) is Entity
    assert again["entity"] is shot
    assert again.session is shot.session
    assert again.session is not session
    assert list(shot.backrefs[("Task", "entity")]) == [again]


def test_what_is_known_beside_the_fields_travels() -> None:
    """Existence, ages, deep values without a link, and what the site does not have."""
    session = Session(False)
    task = session.merge({"type": "Task", "id": 1, "code": "a", "entity.Shot.code": "AA"}, created_at=100)
    session.graph.saw([task], False)
    session.graph.note_left_out([{"type": "Task", "id": 1}], [task], ["sg_nothing"], moment=1)
    again = pickle.loads(pickle.dumps(task))
    assert again.exists(check=False) is False
    assert again["entity.Shot.code"] == "AA"
    with pytest.raises(KeyError, match="the site has no field"):
        again["sg_nothing"]
    assert again.session.merge({"type": "Task", "id": 1, "code": "b"}, created_at=50)["code"] == "a"


def test_configuration_travels() -> None:
    """What was set on the session, its schema and its aliases go along."""
    session = Session(False, dir_map={"/a": "/b"})
    session.important_fields = {"Shot": ["sg_cut_in"]}
    again = pickle.loads(pickle.dumps(session))
    assert again.important_fields == {"Shot": ["sg_cut_in"]}
    assert again.map_path("/a/x") == "/b/x"
    assert again.importance.own_fields("Shot")[:2] == ["updated_at", "sg_cut_in"]


@pytest.mark.parametrize("session_class", [Session, AsyncSession])
def test_no_credentials_travel(site: LocalSite, session_class: type[Any]) -> None:
    """No key, password or token is in the bytes, of a session that is connected or not yet."""
    secrets = {"script_name": site.script_name, "api_key": "topsecretkey"}
    for arguments in (
        secrets,
        {"login": "ada.lindqvist", "password": "topsecretkey"},
        {"session_token": "topsecretkey"},
    ):
        with closing(session_class(site.connect(connect=False, **arguments))) as session:
            session.merge({"type": "Shot", "id": 1})
            assert session.shotgun.base_url == site.url
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
                assert b"topsecretkey" not in pickle.dumps(session, protocol)
    with closing(Session(site.connect(connect=False))) as used:
        used.find_one("Shot", [["id", "is", 234]])
        assert site.api_key.encode() not in pickle.dumps(used)


def test_arguments_of_connect_do_not_travel(site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was given beside a site's name stays here."""
    monkeypatch.setenv("SGSESSION_SCRIPT_NAME", site.script_name)
    with closing(Session(site.url, None, api_key="topsecretkey")) as session:
        assert session.shotgun.config.api_key == "topsecretkey"
        assert b"topsecretkey" not in pickle.dumps(session)


def test_an_unpickled_session_connects_at_first_use_to_the_same_site(
    site: LocalSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It knows its address at once, asks the environment for a key when it needs one, and goes on."""
    monkeypatch.setenv("SGSESSION_CONFIG", str(tmp_path / "none.ini"))
    with closing(Session(site.connect(connect=False))) as session:
        data = pickle.dumps(session.find_one("Shot", [["id", "is", 234]]))
    again = pickle.loads(data)
    assert again.url == f"{site.url}/detail/Shot/234"
    assert again["code"] == "AA_001"
    with pytest.raises(ConfigurationError, match="SGSESSION_URL"):
        again.fetch("description")
    monkeypatch.setenv("SGSESSION_URL", site.url)
    monkeypatch.setenv("SGSESSION_SCRIPT_NAME", site.script_name)
    monkeypatch.setenv("SGSESSION_API_KEY", site.api_key)
    assert again.fetch("sg_cut_in") == 1001
    again.session.close()


def test_an_unpickled_session_refuses_another_site(
    site: LocalSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was read from one site is never mixed with another's, however the session is given it."""
    monkeypatch.setenv("SGSESSION_CONFIG", str(tmp_path / "none.ini"))
    with closing(Session(site.connect(connect=False))) as session:
        data = pickle.dumps(session)
    again = pickle.loads(data)
    monkeypatch.setenv("SGSESSION_URL", "http://other.example")
    monkeypatch.setenv("SGSESSION_SCRIPT_NAME", "script")
    monkeypatch.setenv("SGSESSION_API_KEY", "key")
    with pytest.raises(ConfigurationError, match="cannot go on with"):
        again.find("Shot", [])
    again.shotgun = site.connect(connect=False)
    assert again.find_one("Shot", [["id", "is", 234]])["code"] == "AA_001"
    again.close()


def test_a_session_without_a_site_stays_without_one() -> None:
    """It does not begin to connect because it was pickled."""
    again = pickle.loads(pickle.dumps(Session(False)))
    with pytest.raises(NoSiteError):
        again.find("Shot", [])


_WRITE = """
import pickle, sys
from datetime import date, datetime, timedelta, timezone
from shotgun_api3 import sg_timezone
from sgsession import Session
local = sg_timezone.local
moment = datetime(2024, 7, 1, 12, 30, 15, 250000, tzinfo=timezone.utc)
session = Session(False)
shot = session.merge({
    "type": "Shot", "id": 1, "updated_at": moment.astimezone(local), "utc": moment,
    "naive": datetime(2024, 7, 1, 12), "day": date(2024, 7, 1), "winter": datetime(2024, 1, 1, tzinfo=timezone.utc),
    "nested": {"list": [moment.astimezone(local), (moment, 1)]},
    "entity.Task.due": moment.astimezone(local),
})
with open(sys.argv[1], "wb") as file:
    pickle.dump(shot, file)
print(shot["updated_at"].isoformat())
"""
_READ = """
import pickle, sys
from datetime import timezone
from sgsession import Session
with open(sys.argv[1], "rb") as file:
    shot = pickle.load(file)
first, (second, _) = shot["nested"]["list"]
moments = [shot["updated_at"], shot["utc"], first, second, shot["entity.Task.due"]]
for moment in moments:
    print(moment.isoformat(), type(moment.tzinfo).__name__)
    print(moment.astimezone(timezone.utc).isoformat())
print(repr(shot["naive"]), repr(shot["day"]))
print(shot["winter"].astimezone(timezone.utc).isoformat())
older = shot.session.merge({"type": "Shot", "id": 1, "day": "older", "updated_at": "2024-07-01T12:30:14Z"})
print(older["day"] == "older")
"""


def _run(code: str, zone: str, *arguments: object) -> list[str]:
    environment = {**os.environ, "TZ": zone, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows reads no zone from TZ")
def test_instants_survive_a_change_of_the_time_zone(tmp_path: Path) -> None:
    """Written in Tokyo and read in Los Angeles: the same instants, aware, in the reader's local form."""
    path = tmp_path / "shot.pickle"
    [written] = _run(_WRITE, "Asia/Tokyo", path)
    assert written == "2024-07-01T21:30:15.250000+09:00"
    *moments, plain, winter, older_wins = _run(_READ, "America/Los_Angeles", path)
    assert moments[0::2] == ["2024-07-01T05:30:15.250000-07:00 LocalTimezone"] * 5
    assert moments[1::2] == ["2024-07-01T12:30:15.250000+00:00"] * 5
    assert plain == f"{datetime(2024, 7, 1, 12)!r} {date(2024, 7, 1)!r}"
    assert winter == datetime(2024, 1, 1, tzinfo=timezone.utc).isoformat()
    assert older_wins == "False"


def test_lists_and_back_references_travel_as_plain_sequences() -> None:
    """A field's list of links arrives as a list, what links to an entity as a tuple, both of one session."""
    session = Session(False)
    shot = session.merge(
        {"type": "Shot", "id": 1, "assets": [{"type": "Asset", "id": 1}, {"type": "Asset", "id": 2}]}
    )
    [asset, _] = assets = shot["assets"]
    again, linked = pickle.loads(pickle.dumps((assets, asset.backrefs[("Shot", "assets")])))
    assert (type(again), type(linked)) == (list, tuple)
    assert [each.key for each in again] == [("Asset", 1), ("Asset", 2)]
    assert [each.key for each in linked] == [("Shot", 1)]
    assert linked[0]["assets"] == again
    assert linked[0].session is again[0].session is not session


def test_tuples_travel_as_tuples() -> None:
    """With the entities in them, however they are nested."""
    shot = Session(False).merge({"type": "Shot", "id": 1, "range": (1, ({"type": "Asset", "id": 1}, 2))})
    again = pickle.loads(pickle.dumps(shot))
    first, (asset, last) = again["range"]
    assert (first, asset.key, last) == (1, ("Asset", 1), 2)
    assert asset is again.session.merge({"type": "Asset", "id": 1})
