"""LocalSite: up at once, closed at once, and what it offers to tests."""

from __future__ import annotations

import asyncio
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

from sgsession.errors import SessionError
from sgsession.site import LocalSite, PortInUseError, Request
from sgsession.site.web.server import ServerThread, listening_socket

Connect = Callable[..., shotgun_api3.Shotgun]


def test_the_official_client_reads_and_writes(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """A plain Shotgun over HTTP creates, finds, updates and deletes."""
    project = shotgun.create("Project", {"name": "Demo"})
    shot = shotgun.create("Shot", {"code": "AA_001", "project": project})
    found = shotgun.find_one("Shot", [["project", "is", project]], ["code", "project.Project.name"])
    assert found == {"type": "Shot", "id": shot["id"], "code": "AA_001", "project.Project.name": "Demo"}
    assert shotgun.update("Shot", shot["id"], {"code": "AA_002"})["code"] == "AA_002"
    assert shotgun.delete("Shot", shot["id"]) is True
    assert shotgun.find("Shot", []) == []


def test_every_call_is_logged_without_credentials(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> None:
    """`requests` lists each call in order, `info` included, and never a key."""
    shotgun.find("Shot", [["id", "is", 7]])
    first, second = site.requests
    assert first == Request("info", None)
    assert second.method == "read"
    assert second.params["type"] == "Shot"
    assert site.api_key not in repr(site.requests)
    site.reset_requests()
    assert site.requests == []


def test_a_held_answer_waits_for_its_release(site: LocalSite, connect: Connect) -> None:
    """The next request of a method is executed at once; its answer leaves when the test says so."""
    writer, reader = connect(site), connect(site)
    with ThreadPoolExecutor(1) as thread, site.hold("create") as held:
        creating = thread.submit(writer.create, "Project", {"name": "Held"})
        held.wait()
        assert reader.find_one("Project", [["name", "is", "Held"]]) is not None
        assert not creating.done()
        held.release()
        assert creating.result(10)["name"] == "Held"


def test_only_one_answer_is_held(site: LocalSite, connect: Connect) -> None:
    """Requests of the same method flow while the first one is held."""
    first, second = connect(site), connect(site)
    with ThreadPoolExecutor(1) as thread:
        with site.hold() as held:
            reading = thread.submit(first.find, "Shot", [])
            held.wait()
            assert second.find("Shot", []) == []
            assert not reading.done()
        assert reading.result(10) == []


def test_waiting_for_a_request_that_never_comes_ends(
    site: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`wait` gives up with a TimeoutError that names the method."""
    monkeypatch.setattr("sgsession.site.web.holding._LONGEST_WAIT", 0.05)
    with site.hold("update") as held, pytest.raises(TimeoutError, match="update"):
        held.wait()


def test_latency_delays_answers_side_by_side(site: LocalSite, connect: Connect) -> None:
    """Each answer is late by `latency`, and ten at once are no later than one."""
    clients = [connect(site) for _ in range(10)]
    site.latency = 0.2
    began = time.perf_counter()
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda client: client.find("Shot", []), clients))
    assert 0.2 <= time.perf_counter() - began < 1.5


def test_a_slow_call_blocks_no_other(site: LocalSite, connect: Connect) -> None:
    """While twenty answers are held, another request is answered."""
    clients = [connect(site) for _ in range(21)]
    site.latency = 30.0
    with ThreadPoolExecutor(20) as threads:
        slow = [threads.submit(client.find, "Shot", []) for client in clients[:20]]
        while len(site.requests) < 21 + 20:
            time.sleep(0.005)
        site.latency = 0.0
        assert clients[20].find("Shot", []) == []
        assert not any(each.done() for each in slow)
        site.close()


def test_a_database_keeps_its_rows(tmp_path: Path, connect: Connect) -> None:
    """A site on a file comes back with its rows, its script and the script's key."""
    database = tmp_path / "studio.sqlite"
    with LocalSite(database) as first:
        project = connect(first).create("Project", {"name": "Kept"})
    with LocalSite(database) as second:
        client = connect(second, script_name=first.script_name, api_key=first.api_key)
        assert client.find_one("Project", [["name", "is", "Kept"]])["id"] == project["id"]
        assert len(client.find("ApiUser", [])) == 1


def test_a_second_site_on_a_file_does_not_lock_the_first_out(tmp_path: Path, connect: Connect) -> None:
    """Whoever signed in at the first goes on, for both take the same key."""
    database = tmp_path / "studio.sqlite"
    with LocalSite(database) as first, LocalSite(database) as second:
        assert first.api_key == second.api_key
        assert connect(first).find("Shot", []) == connect(second).find("Shot", []) == []


def test_a_lost_key_file_makes_the_old_key_void(tmp_path: Path, connect: Connect) -> None:
    """Without its file a site gets a new key, and turns the old one away."""
    database = tmp_path / "studio.sqlite"
    with LocalSite(database, serve=False) as first:
        old_key = first.api_key
    (tmp_path / "studio.sqlite.key").unlink()
    with LocalSite(database) as second, pytest.raises(shotgun_api3.AuthenticationFault):
        connect(second, script_name=second.script_name, api_key=old_key).find("Shot", [])


def test_a_database_that_cannot_be_used_leaves_no_key(tmp_path: Path) -> None:
    """A path typed wrong gets no file beside it."""
    database = tmp_path / "letter.txt"
    database.write_text("Dear Ann, this is no database of a site, and it shall stay what it is.")
    with pytest.raises(SessionError, match="not a database of a site"):
        LocalSite(database, serve=False)
    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_progress_of_a_demo(tmp_path: Path) -> None:
    """Who asks is told ever larger shares of the demo, and the whole at the end."""
    shares: list[float] = []
    LocalSite(tmp_path / "demo.sqlite", demo="small", serve=False, progress=shares.append).close()
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == 1.0


def test_a_demo_is_loaded_once(tmp_path: Path, connect: Connect) -> None:
    """Asking for the demo again leaves the site as it was."""
    database = tmp_path / "demo.sqlite"
    with LocalSite(database, demo="small") as site:
        connect(site).update("Shot", 234, {"description": "mine"})
    with LocalSite(database, demo="small") as site:
        assert connect(site).find_one("Shot", [["id", "is", 234]], ["description"])["description"] == "mine"


def test_two_sites_do_not_know_each_other(site: LocalSite, connect: Connect) -> None:
    """Sites side by side have their own port, key, rows and log."""
    with LocalSite() as other:
        assert other.url != site.url
        assert other.api_key != site.api_key
        connect(site).create("Project", {"name": "Mine"})
        assert connect(other).find("Project", []) == []
        assert [each.method for each in other.requests] == ["info", "read"]


def test_starting_and_closing_are_quick(connect: Connect) -> None:
    """A site is up in a moment, and closing does not wait for open connections."""
    began = time.perf_counter()
    site = LocalSite()
    up = time.perf_counter() - began
    client = connect(site)
    client.find("Shot", [])
    began = time.perf_counter()
    site.close()
    down = time.perf_counter() - began
    # Some 200 and 10 ms on an idle machine; the bounds leave room for a busy one.
    assert up < 2.0, f"up in {up * 1000:.0f} ms"
    assert down < 1.0, f"down in {down * 1000:.0f} ms"
    site.close()


def test_closing_does_not_wait_for_what_is_held(connect: Connect) -> None:
    """A held answer and a slow one are let go when the site closes."""
    site = LocalSite()
    client = connect(site)
    slow = connect(site)
    with ThreadPoolExecutor(2) as threads, site.hold("summarize") as held:
        waiting = threads.submit(client.summarize, "Shot", [], [{"field": "id", "type": "count"}])
        held.wait()
        site.latency = 60.0
        sleeping = threads.submit(slow.find, "Shot", [])
        while site.requests[-1].method != "read":
            time.sleep(0.005)
        began = time.perf_counter()
        site.close()
        assert time.perf_counter() - began < 1.0
        assert waiting.result(10)["summaries"] == {"id": 0}
        assert sleeping.result(10) == []


@pytest.mark.sqlite("where the file is")
def test_closing_leaves_no_thread_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After close the process has its old threads, and the private folder is gone."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(threading.enumerate())
    with LocalSite() as site:
        assert list(tmp_path.iterdir())
        host, port = site.url.removeprefix("http://").split(":")
    assert set(threading.enumerate()) <= before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=1)


def test_an_unknown_demo_names_the_choices() -> None:
    """A demo that does not exist is refused with the names of those that do."""
    with pytest.raises(ValueError, match=r"'tiny'.*'small', 'large'"):
        LocalSite(demo="tiny")


def test_a_port_in_use_is_named(site: LocalSite) -> None:
    """A taken port is an OSError that says which port it is."""
    port = int(site.url.rpartition(":")[2])
    with pytest.raises(PortInUseError, match=str(port)):
        LocalSite(port=port)


def test_other_machines_are_kept_out(connect: Connect) -> None:
    """A site that others can reach takes a flag, and warns."""
    with pytest.raises(ValueError, match="allow_remote"):
        LocalSite(host="0.0.0.0")
    with pytest.warns(UserWarning, match="reached from other machines"):
        site = LocalSite(host="0.0.0.0", allow_remote=True)
    with site:
        assert connect(site).find("Shot", []) == []
        assert answered_as(site, "192.0.2.7:80") == 200
        assert answered_as(site, socket.gethostname()) == 200
        assert answered_as(site, "evil.example") == 421


def answered_as(site: LocalSite, host: str) -> int:
    """The status that a request under that host name gets."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=10)
    headers = {"Host": host, "Content-Type": "application/json"}
    connection.request("POST", "/api3/json", b'{"method_name": "info"}', headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_other_loopback_names_can_be_bound(connect: Connect, host: str) -> None:
    """A site can be bound to any name of the loopback; its URL and repr say which."""
    with LocalSite(host=host) as site:
        assert repr(site) == f"<LocalSite {site.url} serving>"
        assert connect(site).find("Shot", []) == []
    assert repr(site) == f"<LocalSite {site.url} closed>"


def test_closing_cuts_half_a_request() -> None:
    """A client that stopped in the middle of its request keeps no site open."""
    site = LocalSite()
    host, port = site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /api3/json HTTP/1.1\r\nHost: {host}\r\nContent-Length: 50\r\n\r\n{{"
        connection.sendall(head.encode())
        time.sleep(0.1)
        began = time.perf_counter()
        site.close()
        assert time.perf_counter() - began < 3.0
        assert connection.recv(1000).partition(b" ")[0] in (b"", b"HTTP/1.1")


def test_a_server_that_cannot_start_says_so() -> None:
    """A listener that is no longer open is an error at once, not a site that never answers."""
    listener = listening_socket("127.0.0.1", 0)
    listener.close()
    with pytest.raises(RuntimeError, match="could not start"):
        ServerThread(None, listener, lambda data: None).start()


@pytest.mark.parametrize("is_whole", [True, False], ids=["after its last byte", "when cut"])
def test_closing_lets_answers_end(is_whole: bool) -> None:
    """What an answer does after its last byte has left, such as closing a file, a closing site does not cancel."""
    ended: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send(
            {"type": "http.response.body", "body": b"whole" if is_whole else b"who", "more_body": True}
        )
        try:
            while not is_whole and (await receive())["type"] != "http.disconnect":
                pass
            await asyncio.sleep(0.2)
            ended.append("by itself")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    listener = listening_socket("127.0.0.1", 0)
    server = ServerThread(application, listener, lambda data: None)
    server.start()
    with socket.create_connection(listener.getsockname(), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not client.recv(1000).endswith(b"whole" if is_whole else b"who"):
            pass
        if is_whole:
            client.close()
        server.close()
    assert ended == ["by itself"]


def test_other_errors_of_the_socket_stay_themselves() -> None:
    """Only a taken port is called taken: a foreign address is refused in the system's own words."""
    with pytest.raises(OSError, match=r".") as caught:
        listening_socket("203.0.113.1", 0)
    assert not isinstance(caught.value, PortInUseError)


def test_a_running_event_loop_is_no_obstacle(connect: Connect) -> None:
    """A site can be made, asked and closed inside somebody's event loop."""

    async def inside() -> None:
        with LocalSite() as site:
            found = await asyncio.get_running_loop().run_in_executor(None, connect(site).find, "Shot", [])
            assert found == []

    asyncio.run(inside())


def test_serving_ends_when_interrupted(tmp_path: Path) -> None:
    """`serve` announces the site, blocks, and ends in order on Ctrl-C."""
    program = (
        "import _thread, threading\n"
        "from sgsession.site import serve\n"
        "def announce(site):\n"
        "    print(site.url, flush=True)\n"
        "    threading.Timer(0.2, _thread.interrupt_main).start()\n"
        "serve(announce=announce)\n"
        "print('ended')\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    url, ended = done.stdout.split()
    assert url.startswith("http://127.0.0.1:")
    assert ended == "ended"
    assert done.stderr == ""


def test_writers_and_readers_side_by_side(site: LocalSite, connect: Connect) -> None:
    """Eight clients at once create, find and update; every row is there, with an id of its own."""
    project = connect(site).create("Project", {"name": "Busy"})
    clients = [connect(site) for _ in range(8)]

    def work(client: shotgun_api3.Shotgun) -> list[int]:
        made = []
        for _ in range(10):
            shot = client.create("Shot", {"project": project, "code": "x"})
            assert client.find_one("Shot", [["id", "is", shot["id"]]], ["code"])["code"] == "x"
            client.update("Shot", shot["id"], {"code": f"shot_{shot['id']}"})
            made.append(shot["id"])
        return made

    with ThreadPoolExecutor(8) as threads:
        ids = [each for made in threads.map(work, clients) for each in made]
    assert len(set(ids)) == 80
    rows = clients[0].find("Shot", [["project", "is", project]], ["code"])
    assert {row["id"]: row["code"] for row in rows} == {each: f"shot_{each}" for each in ids}
