"""Everything that a client can be told, and everything that a studio may override, through the pool."""

from __future__ import annotations

import datetime
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3
from shotgun_api3 import AuthenticationFault, Fault, MissingTwoFactorAuthenticationFault, Shotgun

from sgsession import AmbiguousWrite, ShotgunPool, SiteUnavailable
from sgsession.errors import ConfigurationError, PoolTimeoutError
from sgsession.site import LocalSite
from sgsession.transport import self_check
from sgsession.transport.calling.options import TransportOptions
from sgsession.transport.self_check import UnsafeTransportWarning

from .proxy import Proxy
from .scripted import FOUND, Scripted, answer, framed

Open = Callable[..., ShotgunPool]
QUICK = TransportOptions(backoff_base=0.001)
MAKE = ("Shot", {"code": "x", "project": {"type": "Project", "id": 123}})


@pytest.fixture
def open_pool() -> Iterator[Open]:
    """Pools that are closed at the end."""
    with ExitStack() as opened:

        def make(*arguments: Any, options: TransportOptions = QUICK, **named: Any) -> ShotgunPool:
            return opened.enter_context(ShotgunPool(*arguments, options=options, **named))

        yield make


@pytest.fixture
def person(own_site: LocalSite) -> Any:
    """A person who may sign in; the password is "pass word"."""
    client = own_site.connect()
    found = client.find_one("HumanUser", [["sg_status_list", "is", "act"]], ["login", "name"])
    client.close()
    own_site.set_password(found["login"], "pass word")
    return found


class NoSocket(Shotgun):  # type: ignore[misc]
    """A client that may not connect by itself."""

    def _get_connection(self) -> Any:
        raise AssertionError("the prototype opened a socket")


def test_the_prototype_never_opens_a_socket(own_site: LocalSite, open_pool: Open, tmp_path: Path) -> None:
    """Reading, writing, uploads, thumbnails and downloads all pass the prototype's own transport by."""
    picture = tmp_path / "a.png"
    picture.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool = open_pool(NoSocket(own_site.url, own_site.script_name, own_site.api_key, connect=False))
        shot = pool.create("Shot", {**MAKE[1], "image": str(picture)})
        assert shot["image"]
        pool.update("Shot", shot["id"], {"description": "y"})
        pool.upload_thumbnail("Shot", shot["id"], str(picture))
        attachment = pool.upload("Shot", shot["id"], str(picture))
        assert pool.download_attachment(attachment) == picture.read_bytes()
        assert pool.config.records_per_page
        assert pool.server_info


@pytest.mark.parametrize("to_utc", [True, False])
def test_convert_datetimes_to_utc(own_site: LocalSite, open_pool: Open, to_utc: bool) -> None:
    """Moments go out and come back as with the bare client."""
    given = {"convert_datetimes_to_utc": to_utc}
    moment = datetime.datetime(2026, 3, 1, 12, 0, 0)
    if not to_utc:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    client = own_site.connect(connect=False, **given)
    pool = open_pool(own_site.connect(connect=False, **given))
    link = {"type": "Project", "id": 123}
    made = pool.create("TimeLog", {"project": link, "duration": 60, "date": "2026-03-01"})
    event = pool.create("EventLogEntry", {"event_type": "Test_Event", "project": link, "created_at": moment})
    for entity in (made, event):
        query = (entity["type"], [["id", "is", entity["id"]]], ["created_at"])
        assert pool.find_one(*query) == client.find_one(*query)
    client.close()


def test_who_asks(own_site: LocalSite, open_pool: Open, person: Any) -> None:
    """Script, login, session token and sudo: the site sees who it is, and a wrong password is a fault."""
    who = {"login": person["login"], "password": "pass word"}
    by_login = open_pool(own_site.url, **who)
    assert by_login.create(*MAKE, ["created_by"])["created_by"]["id"] == person["id"]
    token = by_login.get_session_token()
    by_token = open_pool(own_site.url, session_token=token)
    assert by_token.create(*MAKE, ["created_by"])["created_by"]["id"] == person["id"]
    script = {"script_name": own_site.script_name, "api_key": own_site.api_key}
    by_sudo = open_pool(own_site.url, sudo_as_login=person["login"], **script)
    assert by_sudo.create(*MAKE, ["created_by"])["created_by"]["id"] == person["id"]
    with pytest.raises(AuthenticationFault):
        open_pool(own_site.url, login=person["login"], password="wrong").find_one("Shot", [])


def test_a_one_time_code(own_site: LocalSite, open_pool: Open, person: Any) -> None:
    """`auth_token` makes a session; without it the fault is the client's own, and nothing is renewed for it."""
    own_site.require_one_time_code(person["login"], "123456")
    who = {"login": person["login"], "password": "pass word"}
    pool = open_pool(own_site.url, auth_token="123456", **who)
    assert pool.find_one("Shot", [])
    asked: list[int] = []
    options = TransportOptions(renew_credentials=lambda: asked.append(1) or {})
    with pytest.raises(MissingTwoFactorAuthenticationFault):
        open_pool(own_site.url, options=options, **who).find_one("Shot", [])
    assert not asked


def test_a_one_time_code_waits_for_the_first_call(own_site: LocalSite, open_pool: Open, person: Any) -> None:
    """The pool is made without a request, and its first calls, however many at once, sign in with one."""
    own_site.require_one_time_code(person["login"], "123456")
    who = {"login": person["login"], "password": "pass word", "auth_token": "123456"}
    open_pool("http://127.0.0.1:9", **who)
    with pytest.raises(ConfigurationError, match="login"):
        open_pool("http://127.0.0.1:9", auth_token="123456", script_name="s", api_key="k")
    pool = open_pool(own_site.url, **who)
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(lambda _: pool.find_one("Shot", []), range(4)))
    assert pool.config.session_token
    assert (pool.config.user_login, pool.config.user_password, pool.config.auth_token) == (None, None, None)


def test_a_one_time_code_is_sent_once(open_pool: Open, person: Any) -> None:
    """Where the answer to it is lost it may be used up: nothing is asked with it again."""
    who = {"login": person["login"], "password": "pass word", "auth_token": "123456"}
    with Scripted(b"") as site:
        with pytest.raises(AmbiguousWrite, match="get_session_token"):
            open_pool(site.url, **who).find_one("Shot", [])
        assert site.received == ["get_session_token"]


def test_a_password_is_tried_without_touching_the_others(
    own_site: LocalSite, open_pool: Open, person: Any
) -> None:
    """`authenticate_human_user` signs in on settings of its own: calls beside it stay those of the script."""
    renewed: list[int] = []
    options = TransportOptions(renew_credentials=lambda: renewed.append(1) or {})
    pool = open_pool(own_site.connect(connect=False), options=options)
    pool.connect()
    with ThreadPoolExecutor(1) as threads, own_site.hold("read") as held:
        trying = threads.submit(pool.authenticate_human_user, person["login"], "pass word")
        held.wait()
        assert pool.config.user_login is None
        assert pool.create(*MAKE, ["created_by"])["created_by"]["type"] == "ApiUser"
        held.release()
        assert trying.result(10)["id"] == person["id"]
    with pytest.raises(AuthenticationFault):
        pool.authenticate_human_user(person["login"], "wrong")
    assert pool.config.user_login is None
    assert not renewed


def test_credentials_in_the_address(open_pool: Open) -> None:
    """`http://user:password@host` is sent as basic authorization, and shown nowhere."""
    with Scripted() as site:
        pool = open_pool(site.url.replace("//", "//Joe:Secret@"), "robot", "key")
        pool.find_one("Shot", [])
        assert "authorization: Basic Sm9lOlNlY3JldA==" in site.heads[0]
        assert "Secret" not in repr(pool)


@pytest.mark.parametrize("direct", [False, True])
def test_uploads_go_by_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, open_pool: Open, tmp_path: Path, direct: bool
) -> None:
    """As the client's own do, which remote calls do not; what `no_proxy` names is reached without it."""
    file = tmp_path / "a.txt"
    file.write_text("x")
    with LocalSite(demo="small", direct_uploads=direct) as site, Proxy() as proxy:
        pool = open_pool(site.connect(connect=False))
        shot = pool.find_one("Shot", [])["id"]
        monkeypatch.setenv("http_proxy", f"http://joe:pass%20word@{proxy.address}")
        monkeypatch.setenv("no_proxy", "")
        pool.find_one("Shot", [])
        assert not proxy.asked
        pool.upload("Shot", shot, str(file))
        assert proxy.asked
        assert all("Basic am9lOnBhc3Mgd29yZA==" in asked for asked in proxy.asked)
        before = len(proxy.asked)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        pool.upload("Shot", shot, str(file))
        assert len(proxy.asked) == before


def test_user_agents(open_pool: Open) -> None:
    """What is added reaches the next request of each client; what is reset is gone."""
    with Scripted() as site:
        pool = open_pool(site.url, "robot", "key")
        pool.find_one("Shot", [])
        pool.add_user_agent("tool (1.0)")
        pool.find_one("Shot", [])
        pool.reset_user_agent()
        pool.find_one("Shot", [])
        assert ["tool (1.0)" in head for head in site.heads] == [False, True, False]
        assert all("shotgun-json" in head for head in site.heads)


def test_a_server_in_the_settings(own_site: LocalSite, open_pool: Open) -> None:
    """Where `config.server` points is where requests go, from the next one on."""
    with Scripted() as other:
        pool = open_pool(own_site.connect(connect=False))
        assert pool.find_one("Shot", [])["id"] != 7
        pool.config.server = f"127.0.0.1:{other.port}"
        assert pool.find_one("Shot", [])["id"] == 7


class Studio(Shotgun):  # type: ignore[misc]
    """Overrides as studios have them."""

    calls: list[str]

    def find(self, *arguments: Any, **named: Any) -> Any:
        return [{**row, "studio": True} for row in super().find(*arguments, **named)]

    def _call_rpc(self, method: str, params: Any, *rest: Any, **more: Any) -> Any:
        self.calls.append(method)
        return super()._call_rpc(method, params, *rest, **more)

    def _transform_inbound(self, data: Any) -> Any:
        self.calls.append("inbound")
        return super()._transform_inbound(data)


def test_what_a_studio_overrode_stays(own_site: LocalSite, open_pool: Open) -> None:
    """find, _call_rpc and _transform_inbound of the studio's class are in force, and the transport is ours."""
    client = Studio(own_site.url, own_site.script_name, own_site.api_key, connect=False)
    client.calls = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool = open_pool(client)
    assert pool.find("Shot", [], limit=1)[0]["studio"] is True
    assert client.calls == ["info", "inbound", "read", "inbound"]
    own_site.fail_next("create", dropped=True, after=True)
    with pytest.raises(AmbiguousWrite):
        pool.create(*MAKE)


class Insists(Shotgun):  # type: ignore[misc]
    """A class that asks again, whatever went wrong; and that writes where it was asked to read."""

    def _call_rpc(self, method: str, params: Any, *rest: Any, **more: Any) -> Any:
        if method == "read" and params.get("type") == "Note":
            made = {"type": "Shot", "fields": [{"field_name": "code", "value": "log"}], "return_fields": []}
            super()._call_rpc("create", made)
        for _ in range(2):
            try:
                return super()._call_rpc(method, params, *rest, **more)
            except shotgun_api3.ShotgunError:
                pass
        return super()._call_rpc(method, params, *rest, **more)


@pytest.mark.parametrize("ask", ["create", "find_one"])
def test_a_studio_that_insists_writes_once(open_pool: Open, ask: str) -> None:
    """A loop in a studio's class, or a write that it puts in place of a read, does not send a write twice."""
    with Scripted(b"", b"", b"") as site:
        pool = open_pool(Insists(site.url, "robot", "key", connect=False))
        with pytest.raises(AmbiguousWrite, match="create"):
            pool.create(*MAKE) if ask == "create" else pool.find_one("Note", [])
        assert site.received == ["create"]


class OwnTransport(Shotgun):  # type: ignore[misc]
    """Sends requests in a way of its own."""

    sent: list[bytes]
    answers: list[Any]

    def _http_request(self, verb: str, path: str, body: Any, headers: dict[str, Any]) -> Any:
        if b'"info"' in body:
            return (200, "OK"), {"Content-Type": "application/json"}, b'{"results": {"version": [8, 89, 0]}}'
        self.sent.append(body)
        said = self.answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


def test_a_transport_of_the_studio_s_is_kept_and_warned_of(open_pool: Open) -> None:
    """Its class is named loudly; its answers and failures are judged as ours are."""
    client = OwnTransport("http://nowhere.invalid", "robot", "key", connect=False)
    good = ((200, "OK"), {"Content-Type": "application/json"}, answer(FOUND).partition(b"\r\n\r\n")[2])
    page = ((200, "OK"), {"Content-Type": "text/html"}, b"<html>")
    client.sent, client.answers = (
        [],
        [OSError("cut"), page, good, OSError("cut"), page, ((502, "Bad"), {}, "")],
    )
    with pytest.warns(UnsafeTransportWarning, match="OwnTransport.*_http_request of its own"):
        pool = open_pool(client)
    assert pool.find_one("Shot", [])["id"] == 7
    assert len(client.sent) == 3
    for _ in range(3):
        with pytest.raises(AmbiguousWrite):
            pool.create(*MAKE)
    assert len(client.sent) == 6
    client.answers = [ConnectionRefusedError("nobody")] * 4
    with pytest.raises(SiteUnavailable, match="Nothing was sent"):
        pool.create(*MAKE)


class SendsOnce(OwnTransport):
    """A transport whose author says that it is safe."""

    sends_once = True


def test_a_transport_that_says_that_it_is_safe_is_believed(open_pool: Open) -> None:
    """No warning for a class that says `sends_once`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_pool(SendsOnce("http://nowhere.invalid", "robot", "key", connect=False))


def test_a_client_version_without_a_seam_is_told_loudly(
    monkeypatch: pytest.MonkeyPatch, own_site: LocalSite, open_pool: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """When the pool is made, by warning and by log, with the version and what is missing."""

    class Newer(Shotgun):  # type: ignore[misc]
        pass

    monkeypatch.setattr(self_check, "SEAMS", (*self_check.SEAMS, "_no_such_seam"))
    with pytest.warns(UnsafeTransportWarning, match=rf"{shotgun_api3.__version__}.*_no_such_seam"):
        open_pool(Newer(own_site.url, "robot", "key", connect=False))
    assert "_no_such_seam" in caplog.text


def test_a_client_version_that_passes_the_transport_by_is_told_loudly(
    monkeypatch: pytest.MonkeyPatch, own_site: LocalSite, open_pool: Open
) -> None:
    """A version whose calls no longer arrive at the overridden method is found out, without any socket."""

    class Other(Shotgun):  # type: ignore[misc]
        pass

    def make_call(self: Any, *arguments: Any) -> Any:
        return self._get_connection()

    monkeypatch.setattr(Shotgun, "_make_call", make_call)
    self_check._is_used.cache_clear()
    with pytest.warns(UnsafeTransportWarning, match="pass the transport by"):
        open_pool(Other(own_site.url, "robot", "key", connect=False))
    monkeypatch.undo()
    self_check._is_used.cache_clear()


# New credentials


def test_one_renews_for_all(own_site: LocalSite, open_pool: Open, person: Any) -> None:
    """Eight threads whose session ended at one moment: one renewal, one more try each, and all are served."""
    renewals: list[str] = []
    login = open_pool(own_site.url, login=person["login"], password="pass word")

    def renew() -> dict[str, str]:
        renewals.append(threading.current_thread().name)
        return {"session_token": login.get_session_token()}

    options = TransportOptions(renew_credentials=renew)
    pool = open_pool(own_site.url, session_token="0" * 40, options=options)
    pool.connect()
    own_site.reset_requests()
    start = threading.Barrier(8)

    def create(_: int) -> Any:
        start.wait(10)
        return pool.create(*MAKE, ["created_by"])

    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(create, range(8)))
    assert len(renewals) == 1
    assert len({row["id"] for row in rows}) == 8
    tried = sum(request.method == "create" for request in own_site.requests)
    assert 8 < tried <= 16


def test_a_renewal_that_fails_is_not_stormed(own_site: LocalSite, open_pool: Open) -> None:
    """Eight threads that wait for a login that is refused do not try it once more each; all hear of it."""
    renewals: list[int] = []
    waiting = threading.Barrier(8)

    def renew() -> dict[str, str]:
        renewals.append(1)
        # Long enough for the others to be refused, too.
        threading.Event().wait(0.5)
        raise PermissionError("the login is closed")

    pool = open_pool(own_site.url, session_token="0" * 40, options=TransportOptions(renew_credentials=renew))
    pool.connect()

    def create(_: int) -> str:
        waiting.wait(10)
        try:
            pool.create(*MAKE)
        except Exception as problem:
            return type(problem).__name__
        return "made"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(create, range(8)))
    assert outcomes == ["AuthenticationFault"] * 7 + ["PermissionError"]
    assert len(renewals) == 1


def test_what_renews_may_use_the_pool(own_site: LocalSite, open_pool: Open) -> None:
    """A renewal that is itself refused, on this very pool, ends in the fault; it does not call itself."""
    depth: list[int] = []

    def renew() -> dict[str, str]:
        depth.append(1)
        return {"session_token": pool.get_session_token()}

    pool = open_pool(own_site.url, session_token="0" * 40, options=TransportOptions(renew_credentials=renew))
    with pytest.raises(AuthenticationFault):
        pool.find_one("Shot", [])
    assert depth == [1]
    with pytest.raises(AuthenticationFault):
        pool.find_one("Shot", [])
    assert depth == [1, 1]


def test_new_credentials_that_are_refused_are_tried_once(own_site: LocalSite, open_pool: Open) -> None:
    """No endless renewing: the second refusal is the call's."""
    renewals: list[int] = []
    options = TransportOptions(
        renew_credentials=lambda: renewals.append(1) or {"session_token": "1" * 40}  # type: ignore[dict-item]
    )
    pool = open_pool(own_site.url, session_token="0" * 40, options=options)
    with pytest.raises(AuthenticationFault):
        pool.find_one("Shot", [])
    assert len(renewals) == 1


def test_without_a_way_to_renew_the_fault_is_the_client_s(own_site: LocalSite, open_pool: Open) -> None:
    """The very class, once, and the connection is kept."""
    pool = open_pool(own_site.url, "robot", "wrong")
    with pytest.raises(AuthenticationFault) as problem:
        pool.find_one("Shot", [])
    assert type(problem.value) is AuthenticationFault
    assert [request.method for request in own_site.requests] == ["info", "read"]
    assert pool.stats()["idle"] == 1


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_status_may_say_that_credentials_ended(open_pool: Open, status: str) -> None:
    """401 and 403 are renewed for as a fault is, for a write too: it was refused."""
    renewals: list[int] = []
    options = TransportOptions(renew_credentials=lambda: renewals.append(1) or {"api_key": "new key"})  # type: ignore[dict-item]
    with Scripted((framed(b"no", status=status),)) as site:
        pool = open_pool(site.url, "robot", "key", options=options)
        assert pool.create(*MAKE)["id"] == 7
        assert site.received == ["create", "create"]
        assert renewals == [1]


# A site that is not there


def test_threads_that_wait_for_the_first_answer_do_not_queue_for_it(open_pool: Open) -> None:
    """Eight threads on a site that says nothing wait for two deadlines at most, not for one after the other."""
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = TransportOptions(deadline=0.5, attempts=1)
        pool = open_pool(f"http://127.0.0.1:{silent.getsockname()[1]}", "robot", "key", options=options)
        began = time.monotonic()

        def find(_: int) -> str:
            try:
                pool.find_one("Shot", [])
            except (SiteUnavailable, PoolTimeoutError) as problem:
                return type(problem).__name__
            return "found"

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(find, range(8)))
        assert outcomes == ["SiteUnavailable"] * 8
        assert time.monotonic() - began < 2.5


def test_odd_results_end_in_the_five_outcomes(open_pool: Open) -> None:
    """JSON of any shape where an answer should be: a value or one of the known errors, for each method."""
    odd = [None, 7, "x", [], [7], {}, {"entities": 7}, {"entities": [7]}, {"id": "x"}, [{"id": 7}], True]
    ways: list[Callable[[ShotgunPool], Any]] = [
        lambda pool: pool.find("Shot", []),
        lambda pool: pool.create(*MAKE),
        lambda pool: pool.update("Shot", 7, {"code": "x"}),
        lambda pool: pool.delete("Shot", 7),
        lambda pool: pool.batch(
            [{"request_type": "create", "entity_type": "Shot", "data": {"code": "x"}} for _ in range(2)]
        ),
        lambda pool: pool.summarize("Shot", [], [{"field": "id", "type": "count"}]),
        lambda pool: pool.schema_field_read("Shot"),
        lambda pool: pool.follow({"type": "HumanUser", "id": 1}, {"type": "Shot", "id": 7}),
    ]
    with Scripted() as site:
        pool = open_pool(site.url, "robot", "key", options=TransportOptions(attempts=1))
        wrong = []
        for number, way in enumerate(ways):
            for results in odd:
                site.steps.append((answer({"results": results}),))
                try:
                    way(pool)
                except (SiteUnavailable, AmbiguousWrite, Fault):
                    site.steps.clear()
                except Exception as problem:
                    wrong.append((number, results, problem))
    assert not wrong
