"""Failures on demand: what leaves, and whether the request had its effect, over HTTP and in process."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xmlrpc.client import ProtocolError

import pytest
import shotgun_api3

from sgsession.site import LocalSite

Connect = Callable[..., shotgun_api3.Shotgun]


def made(client: shotgun_api3.Shotgun) -> int:
    """How many projects there are."""
    return len(client.find("Project", []))


def once(client: shotgun_api3.Shotgun) -> None:
    """One attempt per call: what is under test is the site, not the client's repetitions."""
    client.MAX_ATTEMPTS = 1


@pytest.fixture(params=[False, True], ids=["http", "in process"])
def client(request: pytest.FixtureRequest, site: LocalSite, connect: Connect) -> shotgun_api3.Shotgun:
    """The official client, with and without a socket."""
    client = connect(site, in_process=request.param)
    once(client)
    return client


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("status", [404, 429, 500, 502, 503])
def test_a_status_reaches_the_client(
    site: LocalSite, client: shotgun_api3.Shotgun, status: int, after: bool
) -> None:
    """The next request of the method gets the HTTP status; it was executed only if asked for."""
    site.fail_next("create", status=status, after=after)
    with pytest.raises(ProtocolError) as caught:
        client.create("Project", {"name": "One"})
    assert caught.value.errcode == status
    assert made(client) == after
    assert client.create("Project", {"name": "Two"})["name"] == "Two"


@pytest.mark.parametrize("after", [False, True])
def test_a_fault_has_the_words_that_were_asked_for(
    site: LocalSite, client: shotgun_api3.Shotgun, after: bool
) -> None:
    """A JSON fault is raised as one by the client."""
    site.fail_next("create", fault="the disk is full", after=after)
    with pytest.raises(shotgun_api3.Fault, match="the disk is full"):
        client.create("Project", {"name": "One"})
    assert made(client) == after


@pytest.mark.parametrize("after", [False, True])
def test_a_page_comes_instead_of_json(site: LocalSite, client: shotgun_api3.Shotgun, after: bool) -> None:
    """As behind a captive portal: 200, and a body that is HTML."""
    site.fail_next("info", html=True, after=after)
    assert b"<html>" in client._call_rpc("info", None, include_auth_params=False)
    assert client.info()["version"] == [8, 89, 0]


def test_an_answer_is_cut_in_the_middle(site: LocalSite, client: shotgun_api3.Shotgun) -> None:
    """The head promises the whole body, half of it comes; the request was executed."""
    site.fail_next("create", truncated=True)
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.create("Project", {"name": "One"})
    assert caught.value.partial.startswith(b'{"results"')
    assert caught.value.expected > 0
    assert made(client) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_connection_is_dropped_without_a_byte(
    site: LocalSite, client: shotgun_api3.Shotgun, after: bool
) -> None:
    """Executed or not, nothing comes; twice, since below the client its HTTP library sends a request again."""
    attempts = 1 if type(client) is not shotgun_api3.Shotgun else 2
    site.fail_next("create", dropped=True, after=after, times=attempts)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        client.create("Project", {"name": "One"})
    assert made(client) == after


def project(client: shotgun_api3.Shotgun) -> Any:
    """A project to create in."""
    return client.create("Project", {"name": "Film"})


def test_the_official_client_makes_two_rows_of_one(site: LocalSite, connect: Connect) -> None:
    """One dropped answer, one create, two rows: the failure that a site must be able to show (wire.md 1.6)."""
    client = connect(site)
    film = project(client)
    site.reset_requests()
    site.fail_next("create", dropped=True, after=True)
    client.create("Shot", {"code": "AA_010", "project": film})
    assert [each.method for each in site.requests] == ["create", "create"]
    assert len(client.find("Shot", [["code", "is", "AA_010"]])) == 2


def test_failures_come_in_the_order_they_were_asked_for(
    site: LocalSite, client: shotgun_api3.Shotgun
) -> None:
    """Each is used up before the next; other methods are left alone."""
    site.fail_next("read", fault="first", times=2)
    site.fail_next("read", fault="second")
    client.create("Project", {"name": "One"})
    said = []
    for _ in range(3):
        with pytest.raises(shotgun_api3.Fault) as caught:
            client.find("Shot", [])
        said.append(str(caught.value))
    assert said == ["first", "first", "second"]
    assert client.find("Shot", []) == []


def test_a_failure_can_be_held_back(site: LocalSite, connect: Connect) -> None:
    """Holding and failing go together: the answer that fails leaves when the test says so."""
    client = connect(site)
    site.fail_next("read", fault="late")
    with ThreadPoolExecutor(1) as thread, site.hold("read") as held:
        reading = thread.submit(client.find, "Shot", [])
        held.wait()
        assert not reading.done()
        held.release()
        with pytest.raises(shotgun_api3.Fault, match="late"):
            reading.result(10)


@pytest.mark.parametrize(
    "how", [{}, {"status": 502, "html": True}, {"status": 200}, {"status": 999}, {"html": True, "times": 0}]
)
def test_a_failure_that_is_none_is_refused(site: LocalSite, how: dict[str, Any]) -> None:
    """One way to fail, a status that is a failure, and at least once."""
    with pytest.raises(ValueError, match=r"failure|fail:"):
        site.fail_next("read", **how)


def test_a_cut_connection_is_not_used_again(site: LocalSite) -> None:
    """After half an answer the socket is at its end, so no later answer can be read from it."""
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=10)
    site.fail_next("info", truncated=True)
    body = json.dumps({"method_name": "info", "params": []})
    connection.request("POST", "/api3/json", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    half = response.read(int(response.headers["content-length"]) // 2)
    assert connection.sock.recv(1) == b""
    assert json.loads(b"[" + half.split(b":", 1)[0].removeprefix(b"{") + b"]") == ["results"]
    response.close()
    connection.close()
