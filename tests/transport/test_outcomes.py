"""What is told of a write that went wrong, what can be done about it, and what is never told."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3 import ShotgunError

from sgsession import AmbiguousWrite, ConfigurationError, PartialWrite, ShotgunPool, SiteUnavailable, connect
from sgsession.errors import (
    InterruptedWrite,
    ReconciliationError,
    SeveralMatchesError,
    SiteRefusal,
    WriteNotFoundError,
)
from sgsession.site import LocalSite
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.faults import Fin, Status
from sgsession.transport.calling.options import TransportOptions

from .scripted import Scripted, framed

QUICK = TransportOptions(backoff_base=0.001, deadline=20)
PROJECT = {"type": "Project", "id": 123}
LOST = {"dropped": {"dropped": True}, "502": {"status": 502}, "truncated": {"truncated": True}}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes that are given up end at once here; the true wait is five seconds."""
    monkeypatch.setattr("sgsession.transport.calling.reconciling._SHORTEST_WAIT", 0.0)


@pytest.fixture
def pool(own_site: LocalSite) -> Iterator[ShotgunPool]:
    """Of clients of the test's own site."""
    with ShotgunPool(own_site.connect(connect=False), options=QUICK) as made:
        yield made


@pytest.fixture(params=[False, True], ids=["forms", "storage"])
def fault_site(request: pytest.FixtureRequest) -> Iterator[FaultSite]:
    """A site that breaks where it is told to, with either route for uploads."""
    with FaultSite(demo="small", direct_uploads=request.param) as site:
        yield site


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """An image file."""
    path = tmp_path / "a.png"
    path.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
        )
    )
    return path


def copied(problem: Any) -> Any:
    """As it arrives in another process."""
    again = pickle.loads(pickle.dumps(problem))
    assert type(again) is type(problem)
    assert str(again) == str(problem)
    return again


@pytest.mark.parametrize("lost", LOST)
def test_a_create_whose_answer_was_lost_is_found(own_site: LocalSite, pool: ShotgunPool, lost: str) -> None:
    """One row on the site; reconcile() returns it as the create would have, also in another process."""
    pool.connect()
    own_site.fail_next("create", **LOST[lost], **({} if lost == "truncated" else {"after": True}))
    with pytest.raises(AmbiguousWrite) as problem:
        pool.create("Shot", {"code": "lost", "project": PROJECT})
    raised = problem.value
    assert (raised.method, raised.entity_type, raised.entity_id) == ("create", "Shot", None)
    assert raised.request_id
    found = raised.reconcile()
    assert (found["type"], found["code"]) == ("Shot", "lost")
    assert copied(raised).reconcile(pool) == found
    assert len(pool.find("Shot", [["code", "is", "lost"]])) == 1
    with pytest.raises(ReconciliationError, match="Hand a client"):
        copied(raised).reconcile()


def test_a_create_that_was_not_done_is_not_found(own_site: LocalSite, pool: ShotgunPool) -> None:
    """After a 502 before anything was executed: there is no such row, and it is safe to create it."""
    pool.connect()
    own_site.fail_next("create", status=502)
    with pytest.raises(AmbiguousWrite) as problem:
        pool.create("Shot", {"code": "lost", "project": PROJECT})
    with pytest.raises(WriteNotFoundError, match="safe to create") as missing:
        problem.value.reconcile()
    copied(missing.value)


def test_twins_are_told_apart_or_named(own_site: LocalSite, pool: ShotgunPool) -> None:
    """Where two rows match it says so and names them; a mark in each row tells them apart."""
    data = {"content": "same", "project": PROJECT}
    pool.create("Task", data)
    own_site.fail_next("create", dropped=True, after=True)
    with pytest.raises(AmbiguousWrite) as problem:
        pool.create("Task", data)
    with pytest.raises(SeveralMatchesError) as several:
        problem.value.reconcile()
    assert len(copied(several.value).rows) == 2
    with pytest.raises(ReconciliationError, match="did not set"):
        problem.value.reconcile(match=["sg_description"])
    options = TransportOptions(dedupe_field="sg_description")
    with ShotgunPool(own_site.connect(connect=False), options=options) as marked:
        other = marked.create("Task", data)
        own_site.fail_next("create", dropped=True, after=True)
        with pytest.raises(AmbiguousWrite) as problem:
            marked.create("Task", data)
        found = problem.value.reconcile()
        assert found["id"] > other["id"]
        assert found["sg_description"] == problem.value.request_id
        batch = [{"request_type": "create", "entity_type": "Task", "data": data}] * 2
        own_site.fail_next("batch", dropped=True, after=True)
        with pytest.raises(AmbiguousWrite) as problem:
            marked.batch(batch)
        assert problem.value.reconcile()["sg_description"].startswith(problem.value.request_id)


@pytest.mark.parametrize("done", [True, False])
def test_other_writes_are_found_or_not(own_site: LocalSite, pool: ShotgunPool, done: bool) -> None:
    """update, delete, revive and batch: reconcile() tells whether they were done."""
    pool.connect()
    shot = pool.create("Shot", {"code": "x", "project": PROJECT})["id"]
    retired = pool.create("Shot", {"code": "y", "project": PROJECT})["id"]
    pool.delete("Shot", retired)
    made = {"request_type": "create", "entity_type": "Shot", "data": {"code": "b", "project": PROJECT}}
    writes: dict[str, Any] = {
        "update": lambda: pool.update("Shot", shot, {"description": "new"}),
        "delete": lambda: pool.delete("Shot", shot),
        "revive": lambda: pool.revive("Shot", retired),
        "batch": lambda: pool.batch([made]),
    }
    for method, write in writes.items():
        own_site.fail_next(method, dropped=True, after=done)
        with pytest.raises(AmbiguousWrite) as problem:
            write()
        assert problem.value.method == method
        raised = copied(problem.value)
        if done:
            assert raised.reconcile(pool)
        else:
            with pytest.raises(WriteNotFoundError):
                raised.reconcile(pool)


def test_what_the_site_cannot_tell(own_site: LocalSite, pool: ShotgunPool) -> None:
    """Who follows what leaves nothing to look for: an honest error, no guess."""
    person = pool.find_one("HumanUser", [])
    own_site.fail_next("follow", dropped=True, after=True)
    with pytest.raises(AmbiguousWrite) as problem:
        pool.follow(person, pool.find_one("Shot", []))
    with pytest.raises(ReconciliationError, match="cannot tell"):
        problem.value.reconcile()


def test_idempotent_writes_are_sent_again_where_that_is_wanted(own_site: LocalSite) -> None:
    """With leave an update is repeated, a create never; a no to the repetition does not hide the doubt."""
    options = TransportOptions(idempotent_writes=True, backoff_base=0.001)
    with ShotgunPool(own_site.connect(connect=False), options=options) as pool:
        shot = pool.create("Shot", {"code": "x", "project": PROJECT})["id"]
        own_site.fail_next("update", dropped=True, after=True)
        assert pool.update("Shot", shot, {"description": "new"})["description"] == "new"
        own_site.fail_next("create", dropped=True, after=True)
        with pytest.raises(AmbiguousWrite):
            pool.create("Shot", {"code": "once", "project": PROJECT})
        assert len(pool.find("Shot", [["code", "is", "once"]])) == 1
        own_site.fail_next("update", dropped=True, after=True)
        own_site.fail_next("update", fault="you may not any more")
        with pytest.raises(AmbiguousWrite, match="you may not any more"):
            pool.update("Shot", shot, {"description": "newer"})


def test_an_interrupted_write_is_both(own_site: LocalSite, pool: ShotgunPool) -> None:
    """Ctrl-C while a create is under way is a KeyboardInterrupt and an AmbiguousWrite that can be reconciled."""
    from sgsession.testing.interruption import interrupt_after

    pool.connect()
    with own_site.hold("create"):
        outcome = interrupt_after(0.3, lambda: pool.create("Shot", {"code": "stop", "project": PROJECT}))
    assert isinstance(outcome.error, InterruptedWrite)
    assert isinstance(outcome.error, KeyboardInterrupt)
    assert copied(outcome.error).reconcile(pool)["code"] == "stop"
    assert pool.stats()["lent"] == 0


# Several steps


def test_a_row_whose_picture_did_not_follow(fault_site: FaultSite, picture: Path) -> None:
    """The row's id is told, and resume() sends the picture alone: one row, with its image."""
    with ShotgunPool(fault_site.connect(connect=False), options=QUICK) as pool:
        fault_site.inject("after_execute", Fin(), method=["publish_thumbnail", "api_link_file"])
        data = {"code": "x", "project": PROJECT, "image": str(picture)}
        with pytest.raises(PartialWrite, match="resume") as problem:
            pool.create("Shot", data)
        assert data["image"] == str(picture)
        raised = problem.value
        assert raised.entity_type == "Shot"
        assert pool.find_one("Shot", [["code", "is", "x"]])["id"] == raised.entity_id
        row = copied(raised).resume(pool)
        assert row["image"]
        assert row["id"] == raised.entity_id
        assert len(pool.find("Shot", [["code", "is", "x"]])) == 1
        fault_site.inject("before_execute", Status(400), method=["publish_thumbnail", "api_link_file"])
        with pytest.raises(PartialWrite):
            pool.update("Shot", raised.entity_id, {"description": "y", "image": str(picture)})
        assert pool.find_one("Shot", [["code", "is", "x"]], ["description"])["description"] == "y"


@pytest.mark.parametrize("done", [True, False])
def test_an_upload_is_linked_once(fault_site: FaultSite, picture: Path, done: bool) -> None:
    """By form it is in doubt, by storage only its link is; either can be cleared up, and one file hangs there."""
    with ShotgunPool(fault_site.connect(connect=False), options=QUICK) as pool:
        shot = pool.find_one("Shot", [])["id"]
        point: Any = "after_execute" if done else "before_execute"
        fault_site.inject(point, Fin(), method=["upload_file", "api_link_file"])
        with pytest.raises((AmbiguousWrite, PartialWrite)) as problem:
            pool.upload("Shot", shot, str(picture), display_name="the file")
        raised: Any = copied(problem.value)
        filters = [
            ["attachment_links", "is", {"type": "Shot", "id": shot}],
            ["display_name", "is", "the file"],
        ]
        if isinstance(raised, PartialWrite):
            attachment = raised.resume(pool)
        elif done:
            attachment = raised.reconcile(pool)
        else:
            with pytest.raises(WriteNotFoundError):
                raised.reconcile(pool)
            attachment = pool.upload("Shot", shot, str(picture), display_name="the file")
        found = pool.find("Attachment", filters)
        assert [each["id"] for each in found] == [attachment]


def test_the_bytes_of_an_upload_are_sent_again(picture: Path) -> None:
    """The steps that only hand out addresses, or put the same bytes in the same place, are repeated: no error."""
    with (
        FaultSite(demo="small", direct_uploads=True) as site,
        ShotgunPool(site.connect(connect=False), options=QUICK) as pool,
    ):
        shot = pool.find_one("Shot", [])["id"]
        site.inject("after_execute", Fin(), method="api_get_upload_link_info")
        site.inject("after_execute", Status(503), method="PUT")
        attachment = pool.upload("Shot", shot, str(picture), display_name="the file")
        assert pool.download_attachment(attachment) == picture.read_bytes()


def test_only_what_says_so_is_stored(picture: Path) -> None:
    """A storage that accepts the bytes for later, or did not wait for them, has not stored them: again."""
    with (
        FaultSite(demo="small", direct_uploads=True) as site,
        ShotgunPool(site.connect(connect=False), options=QUICK) as pool,
    ):
        shot = pool.find_one("Shot", [])["id"]
        site.inject("before_execute", Status(202), method="PUT")
        site.inject("before_execute", Status(408), method="PUT", nth=2)
        attachment = pool.upload("Shot", shot, str(picture), display_name="the file")
        assert pool.download_attachment(attachment) == picture.read_bytes()
        assert len(site.received("PUT")) == 3
        site.inject("before_execute", Status(202), method="PUT", times=None)
        with pytest.raises(SiteUnavailable, match="202"):
            pool.upload("Shot", shot, str(picture), display_name="another")
        assert not pool.find("Attachment", [["display_name", "is", "another"]])


def test_a_batch_that_is_answered_in_part_is_in_doubt(own_site: LocalSite) -> None:
    """Two results for three requests: which are whose nobody knows, so the caller is told that, and can look."""
    rows = {"results": [{"type": "Shot", "id": 7}, {"type": "Shot", "id": 8}]}
    requests = [
        {"request_type": "create", "entity_type": "Shot", "data": {"code": code}} for code in ("a", "b", "c")
    ]
    with (
        Scripted(framed(json.dumps(rows).encode())) as site,
        ShotgunPool(site.url, "robot", "key", options=QUICK) as pool,
        pytest.raises(AmbiguousWrite, match="2 results for 3 requests") as problem,
    ):
        pool.batch(requests)
    with pytest.raises(WriteNotFoundError):
        problem.value.reconcile(ShotgunPool.wrap(own_site.connect(connect=False)), wait=0)


# Secrets

KEY, PASSWORD, TOKEN, PROXY = "canary-key-1f3a", "canary-password-9c", "canary-token-77", "canary-proxy-5d"
# As headers name it, whether it is a proxy's or the site's.
BASIC = base64.b64encode(f"joe:{PROXY}".encode()).decode()
# What a caller writes stands in the caller's own variables, but nowhere else.
WRITTEN = "canary-written-04"


class Everything(logging.Handler):
    """All that anybody logs, at DEBUG."""

    def __init__(self) -> None:
        super().__init__(0)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.getMessage()} {record.args!r} {record.exc_text}")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What all loggers say, the client's among them."""
    handler = Everything()
    root = logging.getLogger()
    names = ["", "shotgun_api3", "sgsession", "sgsession.pool", "sgsession.transport"]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(handler)
    client_log = logging.getLogger("shotgun_api3")
    client_log.addHandler(handler)
    yield handler.texts
    root.removeHandler(handler)
    client_log.removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def _with_locals(problem: BaseException) -> str:
    """The traceback as error reporters send it, but for the frames of this file, which know the secrets."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    shown = traceback.TracebackException(type(problem), problem, trace, capture_locals=True)
    return "".join(shown.stack.format())


@pytest.mark.parametrize(
    "who",
    [
        {"script_name": "robot", "api_key": KEY},
        {"login": "ann", "password": PASSWORD},
        {"session_token": TOKEN},
        {"script_name": "robot", "api_key": KEY, "http_proxy": f"joe:{PROXY}@127.0.0.1:9"},
        {"script_name": "robot", "api_key": KEY, "user": f"joe:{PROXY}@"},
        {"login": "ann", "password": PASSWORD, "auth_token": TOKEN},
    ],
    ids=["key", "password", "token", "proxy", "address", "one-time code"],
)
def test_no_secret_is_told(who: dict[str, Any], logged: list[str], picture: Path) -> None:
    """G-27: not in logs, reprs, errors, tracebacks with all locals, nor pickles, whatever the site answers."""
    given = {name: value for name, value in who.items() if name != "user"}
    # What a site is sent it may repeat; a proxy's password it is not sent.
    sent = [value for name, value in given.items() if name != "http_proxy"] + [BASIC] * ("user" in who)
    echo = framed(f"your request: {' '.join(sent)}".encode())
    told: list[str] = []
    pickled_texts: list[str] = []

    def tell(raised: BaseException) -> None:
        problem = raised
        while problem.__context__ or problem.__cause__:
            told.append(_with_locals(problem))
            problem = problem.__cause__ or problem.__context__  # type: ignore[assignment]
        told.append(_with_locals(problem))
        told.append(f"{raised!r} {raised} {vars(raised)!r}")
        pickled_texts.append(pickle.dumps(raised).decode("latin-1"))
        told.append(pickled_texts[-1])

    steps = [
        b"",
        echo,
        echo.replace(b"200 OK", b"400 Bad"),
        echo.replace(b"200 OK", b"500 Bad"),
        echo.replace(b"200 OK", b"302 Found"),
        framed(b'{"exception": true, "message": "no", "error_code": 102}'),
    ]
    with Scripted(*(step for step in steps for _ in range(2))) as site:
        url = site.url.replace("://", f"://{who.get('user', '')}")
        with ShotgunPool(url, options=TransportOptions(attempts=1), **given) as pool:
            told.append(f"{pool!r} {pool.stats()!r}")
            for _ in steps:
                for ask in (
                    lambda: pool.find_one("Shot", []),
                    lambda: pool.update("HumanUser", 7, {"password_proxy": WRITTEN, "sg_api_key": WRITTEN}),
                ):
                    try:
                        ask()
                    except ShotgunError as problem:
                        tell(problem)
            with pytest.raises(ShotgunError) as upload:
                pool.upload("Shot", 7, str(picture))
            tell(upload.value)
            with pytest.raises(ShotgunError) as download:
                pool.download_attachment({"type": "Attachment", "id": 7, "url": "http://127.0.0.1:9/film"})
            tell(download.value)
            with pytest.raises(TypeError) as pickled:
                pickle.dumps(pool)
            tell(pickled.value)
        assert len(told) > 10
        for secret in (KEY, PASSWORD, TOKEN, PROXY, BASIC):
            for text in [*told, *logged]:
                at = text.find(secret)
                assert at < 0, f"{secret} in …{text[max(0, at - 600) : at + 100]}…"
        assert WRITTEN not in "".join([*logged, *pickled_texts])


@pytest.mark.parametrize(
    ("address", "arguments"),
    [
        (f"ftp://joe:{PROXY}@studio.test", {}),
        (f"http://joe:{PROXY}@studio.test:port", {"script_name": "robot", "api_key": KEY}),
        ("http://studio.test", {"script_name": "robot", "api_key": KEY, "password": PASSWORD}),
        ("http://studio.test", {"api_key": KEY, "session_token": TOKEN, "auth_token": TOKEN}),
        ("http://studio.test", {"script_name": "robot", "api_key": KEY, "auth_token": TOKEN}),
    ],
)
@pytest.mark.parametrize("make", [ShotgunPool, connect])
def test_wrong_arguments_are_not_repeated(make: Any, address: str, arguments: dict[str, str]) -> None:
    """An address or arguments that cannot be right are refused without a word of what was given."""
    with pytest.raises(ConfigurationError) as problem:
        make(address, **arguments)
    told = f"{problem.value} {problem.value!r} {_with_locals(problem.value)}"
    for secret in (KEY, PASSWORD, TOKEN, PROXY, BASIC):
        assert secret not in told


def test_refusals_do_not_repeat_secrets() -> None:
    """A page that prints the request that it refuses is told without the key."""
    page = framed(f"bad request: script_key={KEY}".encode(), f"Location: http://x/{KEY}", status="403 No")
    with (
        Scripted((page,), (page.replace(b"403 No", b"302 No"),)) as site,
        ShotgunPool(site.url, "robot", KEY) as pool,
    ):
        for expected in ("bad request", "points to"):
            with pytest.raises(SiteRefusal, match=expected) as problem:
                pool.find_one("Shot", [])
            assert KEY not in str(problem.value)


def test_unavailable_says_what_is_known(pool: ShotgunPool, own_site: LocalSite) -> None:
    """Attempts, phase and when to come back survive a pickle."""
    pool.connect()
    own_site.fail_next("create", status=429, times=10)
    with pytest.raises(SiteUnavailable, match="429") as problem:
        pool.create("Shot", {"code": "x", "project": PROJECT})
    raised = copied(problem.value)
    assert raised.attempts == 4
    assert raised.phase
    assert "Nothing was changed" in str(raised)
