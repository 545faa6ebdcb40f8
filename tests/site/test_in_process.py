"""The official client without a socket: the same answers, conversions, log, and no server at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest
import shotgun_api3

from sgsession import Session
from sgsession.errors import SessionError
from sgsession.site import LocalSite

Connect = Callable[..., shotgun_api3.Shotgun]


@pytest.fixture
def quiet() -> Iterator[LocalSite]:
    """A site without a server."""
    with LocalSite(serve=False) as site:
        yield site


def test_a_site_without_a_server_opens_no_socket_and_no_thread(quiet: LocalSite) -> None:
    """Only a client of its own process reaches it; nothing of a server is there."""
    threads = {each.name for each in threading.enumerate()}
    with LocalSite(serve=False) as site:
        assert {each.name for each in threading.enumerate()} == threads
        assert site.url.endswith(".invalid")
        assert site.connect(in_process=True).create("Project", {"name": "Film"})["id"] == 1


def test_answers_are_the_same_with_and_without_a_socket(demo_site: LocalSite, connect: Connect) -> None:
    """Rows, links, moments and faults are the same to the last character."""
    over_http, in_process = connect(demo_site), connect(demo_site, in_process=True)
    assert isinstance(in_process, shotgun_api3.Shotgun)
    fields = ["code", "created_at", "sg_sequence", "assets", "project.Project.name", "sg_cut_in"]
    assert in_process.find("Shot", [], fields) == over_http.find("Shot", [], fields)
    assert in_process.schema_field_read("Shot", "code") == over_http.schema_field_read("Shot", "code")
    said = []
    for client in (over_http, in_process):
        with pytest.raises(shotgun_api3.Fault) as caught:
            client.find("Shot", [["nope", "is", 1]])
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_values_are_converted_as_ever(quiet: LocalSite, connect: Connect) -> None:
    """A moment goes through JSON and back: whole seconds, in the zone that the client gives."""
    client = connect(quiet, in_process=True)
    moment = datetime(2025, 5, 1, 12, 30, 15, tzinfo=timezone.utc)
    project = client.create("Project", {"name": "Filmé"})
    client.update("Project", project["id"], {"archived": False})
    note = client.create("Note", {"project": project, "content": "2025-05-01T12:30:15Z"}, ["content"])
    assert note["content"] == moment


def test_a_wrong_key_is_refused_there_too(quiet: LocalSite, connect: Connect) -> None:
    """No socket does not mean no sign-in."""
    client = connect(quiet, in_process=True, script_name=quiet.script_name, api_key="wrong")
    with pytest.raises(shotgun_api3.AuthenticationFault):
        client.find("Shot", [])


def test_requests_are_logged_and_late_and_held(quiet: LocalSite, connect: Connect) -> None:
    """The log, latency and hold() are those of the site, however its clients reach it."""
    client = connect(quiet, in_process=True)
    assert [each.method for each in quiet.requests] == ["info"]
    quiet.latency = 0.05
    began = time.perf_counter()
    client.find("Shot", [])
    assert time.perf_counter() - began >= 0.05
    quiet.latency = 0.0
    with ThreadPoolExecutor(1) as thread, quiet.hold("create") as held:
        creating = thread.submit(client.create, "Project", {"name": "Held"})
        held.wait()
        assert not creating.done()
        assert len(connect(quiet, in_process=True).find("Project", [])) == 1
        held.release()
        assert creating.result(10)["name"] == "Held"


def test_closing_lets_go_of_what_is_held(connect: Connect) -> None:
    """A thread that waits for its answer is not left behind by a site that closes."""
    site = LocalSite(serve=False)
    client = connect(site, in_process=True)
    with ThreadPoolExecutor(2) as threads, site.hold("read") as held:
        waiting = threads.submit(client.find, "Shot", [])
        held.wait()
        site.close()
        assert waiting.result(10) == []


def test_a_session_pools_clients_without_sockets(quiet: LocalSite) -> None:
    """Many threads of one session, all in process; the session's own machinery is none the wiser."""
    session = Session(quiet.connect(in_process=True, connect=False))
    film = session.create("Project", {"name": "Film"})

    def shot(number: int) -> int:
        return int(session.create("Shot", {"code": f"S{number}", "project": film})["id"])

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(shot, range(24)))
    assert len(set(ids)) == 24
    assert {each["code"] for each in session.find("Shot", [], ["code"])} == {f"S{n}" for n in range(24)}
    session.close()


def test_starting_over_is_a_fresh_site_at_the_same_address(site: LocalSite, connect: Connect) -> None:
    """New rows, a new key, nothing logged, late, held or failing; ids begin again."""
    old = connect(site)
    url, key = site.url, site.api_key
    assert old.create("Project", {"name": "Old"})["id"] == 1
    site.latency = 5.0
    site.fail_next("read", status=502)
    with site.hold("read"):
        site.start_over()
        assert (site.url, site.latency, site.requests) == (url, 0.0, [])
        assert site.api_key != key
        with pytest.raises(shotgun_api3.AuthenticationFault):
            old.find("Project", [])
        fresh = connect(site)
        assert fresh.find("Project", []) == []
        assert fresh.create("Project", {"name": "New"})["id"] == 1
    site.start_over("small")
    assert connect(site).find_one("Shot", [["code", "is", "AA_001"]])["id"] == 234
    site.start_over()
    assert connect(site).find("Shot", []) == []


@pytest.mark.sqlite("where the file is")
def test_starting_over_leaves_no_folder(
    site: LocalSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time the rows before are removed from the disk."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for _ in range(3):
        site.start_over()
    assert len(list(tmp_path.iterdir())) == 1
    site.close()
    assert list(tmp_path.iterdir()) == []


def test_a_site_with_a_database_of_its_own_never_starts_over(tmp_path: Path, connect: Connect) -> None:
    """What a user keeps in a file is not thrown away by a method call; the site goes on as it was."""
    with LocalSite(tmp_path / "studio.sqlite", serve=False) as site:
        client = connect(site, in_process=True)
        client.create("Project", {"name": "Kept"})
        with pytest.raises(SessionError, match="of its own"):
            site.start_over()
        assert len(connect(site, in_process=True).find("Project", [])) == 1
