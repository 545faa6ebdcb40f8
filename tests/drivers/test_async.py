"""AsyncSession: the same operations, awaited, on the same site."""

from __future__ import annotations

import asyncio
import gc
import inspect
import pickle
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

from sgsession import AsyncEntity, AsyncSession
from sgsession.errors import EntityNotFoundError, NoSiteError
from sgsession.site import LocalSite

Work = Callable[[AsyncSession], Coroutine[Any, Any, Any]]


def run_on(site: LocalSite, work: Work) -> Any:
    """What `work` returns, of a session that has read nothing; afterwards nothing is lent or open."""

    async def main() -> Any:
        async with AsyncSession(site.connect(connect=False)) as session:
            result = await work(session)
            await _settled(session)
            return result

    return asyncio.run(main())


async def _settled(session: AsyncSession) -> None:
    assert not session.graph.under_way()
    for _ in range(500):
        if session.shotgun.stats()["lent"] == 0:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(session.shotgun.stats())


def test_reading(demo_site: LocalSite) -> None:
    """find, find_one, get, summarize, fetch and fetch_core give what they give a Session."""

    async def work(session: AsyncSession) -> None:
        shots = await session.find("Shot", [["code", "starts_with", "AA"]], ["sg_cut_in"])
        assert [shot["code"] for shot in shots] == ["AA_001", "AA_002", "AA_003", "AA_004"]
        assert type(shots[0]) is AsyncEntity
        assert type(shots[0]["project"]) is AsyncEntity
        assert await session.find_one("Shot", [["id", "is", 234]]) is shots[0]
        assert await session.find_one("Shot", [["id", "is", 1]]) is None
        assert await session.get("Shot", [234, 1, 235]) == [shots[0], None, shots[1]]
        assert await session.fetch(shots, "description") is None
        assert "description" in shots[3]
        await session.fetch_core(shots)
        summary = await session.summarize("Shot", [], [{"field": "id", "type": "count"}])
        assert summary["summaries"]["id"] == 14

    run_on(demo_site, work)


def test_shortcuts_of_entities_are_awaited(demo_site: LocalSite) -> None:
    """fetch, fetch_core, fetch_backrefs, fetch_heirarchy, parent, project and exists."""

    async def work(session: AsyncSession) -> None:
        task = session.merge({"type": "Task", "id": 456})
        assert await task.fetch("content") == "Matchmove"
        assert await task.fetch(["content", "sg_nothing"], default=0) == ("Matchmove", 0)
        await task.fetch_core()
        shot = await task.parent()
        assert shot is task["entity"]
        assert (await shot.project()).key == ("Project", 123)
        assert await shot.exists() is True
        await shot.fetch_backrefs("Task", "entity")
        assert len(shot.backrefs[("Task", "entity")]) == 3
        above = await task.fetch_heirarchy()
        assert [entity.key for entity in above] == [
            ("Task", 456),
            ("Shot", 234),
            ("Sequence", 201),
            ("Project", 123),
        ]
        assert await task.fetch_hierarchy() == above
        assert await above[-1].parent() is None

    run_on(demo_site, work)


def test_writing(own_site: LocalSite) -> None:
    """create, update, delete, revive and batch reach the site and the session."""

    async def work(session: AsyncSession) -> None:
        shot = await session.create(
            "Shot", {"code": "NEW", "project": session.merge({"type": "Project", "id": 123})}
        )
        assert (shot["code"], shot["project"]["id"]) == ("NEW", 123)
        assert await session.update(shot, description="text") is shot
        assert shot["description"] == "text"
        assert await session.delete(shot) is True
        assert await shot.exists(force=True) is False
        assert await session.revive(shot) is True
        made, gone = await session.batch(
            [
                {
                    "request_type": "update",
                    "entity_type": "Shot",
                    "entity_id": shot["id"],
                    "data": {"code": "B"},
                },
                {"request_type": "delete", "entity_type": "Shot", "entity_id": shot["id"]},
            ]
        )
        assert (made, gone) == (shot, True)

    run_on(own_site, work)


def test_find_iter_is_an_asynchronous_iterator(demo_site: LocalSite) -> None:
    """By id and by number, to the end and to a limit; given up in the middle it leaves nothing open."""

    async def work(session: AsyncSession) -> None:
        wanted = [shot["id"] for shot in await session.find("Shot", [])]
        for options in (
            {"per_page": 5},
            {"per_page": 4, "async_count": 3},
            {"per_page": 3, "order": [{"field_name": "id", "direction": "asc"}]},
        ):
            assert [shot["id"] async for shot in session.find_iter("Shot", [], **options)] == wanted
            assert [shot["id"] async for shot in session.find_iter("Shot", [], limit=7, **options)] == wanted[
                :7
            ]
        rows = session.find_iter("Shot", [], per_page=2)
        assert (await anext(rows))["id"] == wanted[0]
        await rows.aclose()

    run_on(demo_site, work)


def test_two_finds_run_side_by_side(demo_site: LocalSite) -> None:
    """While one answer is held the other arrives; each finds its own, and shared links are one object."""

    async def work(session: AsyncSession) -> None:
        await session.find_one("Project", [])
        with demo_site.hold("read") as hold:
            held = asyncio.create_task(session.find("Shot", [["id", "is", 234]]))
            await asyncio.to_thread(hold.wait)
            [free] = await session.find("Shot", [["id", "is", 235]])
            assert not held.done()
            hold.release()
            [other] = await held
        assert (other["code"], free["code"]) == ("AA_001", "AA_002")
        assert other["sg_sequence"] is free["sg_sequence"]

    run_on(demo_site, work)


def test_many_at_once_get_their_own_answers(demo_site: LocalSite) -> None:
    """Forty finds at once through eight connections."""

    async def work(session: AsyncSession) -> None:
        ids = [234 + number % 14 for number in range(40)]
        found = await asyncio.gather(*(session.find_one("Shot", [["id", "is", shot_id]]) for shot_id in ids))
        assert [shot["id"] for shot in found] == ids
        assert len({id(shot) for shot in found}) == 14

    run_on(demo_site, work)


def test_a_cancelled_read_leaves_session_and_pool_usable(demo_site: LocalSite) -> None:
    """The plan ends at once, its late answer is dropped, and the connection comes back when the call ends."""

    async def work(session: AsyncSession) -> None:
        with demo_site.hold("read") as hold:
            reading = asyncio.create_task(session.find("Shot", [["id", "is", 234]], ["description"]))
            await asyncio.to_thread(hold.wait)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert not session.graph.under_way()
            assert session.graph.identity.get(("Shot", 234)) is None
            assert (await session.find_one("Shot", [["id", "is", 235]]))["code"] == "AA_002"
        await _settled(session)
        assert session.graph.identity.get(("Shot", 234)) is None
        assert [shot["code"] for shot in await session.find("Shot", [["id", "is", 234]])] == ["AA_001"]

    run_on(demo_site, work)


def test_eight_cancelled_reads_do_not_use_the_pool_up(demo_site: LocalSite) -> None:
    """As many as there are connections, and more, may be cancelled; later finds are answered."""

    async def work(session: AsyncSession) -> None:
        await session.find_one("Project", [])
        demo_site.latency = 0.2
        try:
            for _ in range(3):
                tasks = [asyncio.create_task(session.find("Shot", [["id", "is", 234 + n]])) for n in range(8)]
                await asyncio.sleep(0.05)
                for task in tasks:
                    task.cancel()
                assert all(
                    isinstance(end, asyncio.CancelledError)
                    for end in await asyncio.gather(*tasks, return_exceptions=True)
                )
        finally:
            demo_site.latency = 0.0
        found = await asyncio.wait_for(session.find("Shot", [["id", "in", [234, 235]]]), 30)
        assert [shot["code"] for shot in found] == ["AA_001", "AA_002"]

    run_on(demo_site, work)


def test_a_timeout_is_a_cancellation(demo_site: LocalSite) -> None:
    """`asyncio.wait_for` gives up in time, though the site does not answer."""

    async def work(session: AsyncSession) -> None:
        shot = session.merge({"type": "Shot", "id": 236})
        with demo_site.hold("read"):
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(shot.fetch("code"), 0.3)
            assert "code" not in shot
        assert await shot.fetch("code") == "AA_003"

    run_on(demo_site, work)


def test_what_goes_wrong_is_raised_where_it_is_awaited(demo_site: LocalSite) -> None:
    """Refusals of the site, missing rows and one failing request of several."""

    async def work(session: AsyncSession) -> None:
        with pytest.raises(shotgun_api3.Fault):
            await session.find("NoSuchType", [])
        with pytest.raises(EntityNotFoundError, match="Shot:1"):
            await session.merge({"type": "Shot", "id": 1}).fetch("code")
        entities = session.merge(
            [{"type": "Shot", "id": 237}, {"type": "NoSuchType", "id": 1}, {"type": "NoneSuch", "id": 1}]
        )
        with pytest.raises(shotgun_api3.Fault):
            await session.fetch(entities, "code")
        await _settled(session)
        assert await entities[0].fetch("code") == "AA_004"

    run_on(demo_site, work)
    gc.collect()  # a failure that nobody took would be reported here


def test_proxied_methods_are_awaited_and_settings_are_not(demo_site: LocalSite) -> None:
    """What the session does not write out goes to the client, in a thread."""

    async def work(session: AsyncSession) -> None:
        assert "Shot" in await session.schema_entity_read()
        assert session.base_url == demo_site.url

    run_on(demo_site, work)


def test_what_costs_no_request_is_a_plain_method() -> None:
    """merge, parse_user_input and get_url are not awaited, and forget neither."""
    session = AsyncSession(False)
    shot = session.merge({"type": "Shot", "id": 1})
    assert session.parse_user_input("Shot:1") is shot
    session.forget(shot)
    assert len(session.graph.identity) == 0
    for name in ("merge", "parse_user_input", "get_url", "forget", "map_path", "close"):
        assert not inspect.iscoroutinefunction(getattr(session, name))


def test_without_a_site_the_refusal_is_awaited() -> None:
    """No coroutine is left behind that nobody awaited."""

    async def main() -> None:
        with pytest.raises(NoSiteError):
            await AsyncSession(False).find("Shot", [])

    asyncio.run(main())


def test_it_travels_as_what_it_is() -> None:
    """An unpickled AsyncSession is one, and so are its entities."""
    task = AsyncSession(False).merge({"type": "Task", "id": 1, "entity": {"type": "Shot", "id": 1}})
    again = pickle.loads(pickle.dumps(task))
    assert type(again) is type(again["entity"]) is AsyncEntity
    assert type(again.session) is AsyncSession


def test_the_person_who_is_logged_in(demo_site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request, once; without fetching none."""
    monkeypatch.setenv("LOGNAME", "ada.lindqvist")

    async def work(session: AsyncSession) -> None:
        before = len(_reads(demo_site))
        assert await session.guess_user(fetch=False) is None
        assert len(_reads(demo_site)) == before
        person = await session.guess_user()
        assert person["email"] == "ada.lindqvist@example.com"
        assert await session.guess_user() is person
        assert len(_reads(demo_site)) == before + 1

    run_on(demo_site, work)


def _reads(site: LocalSite) -> list[Any]:
    return [request for request in site.requests if request.method == "read"]


class StudioClient:
    """A client that derives from nothing: it passes on to an official one, and bears one call at a time."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.threads: list[int] = []
        self.busy = threading.Lock()

    def find(self, *args: Any, **kwargs: Any) -> Any:
        assert self.busy.acquire(blocking=False), "two calls at once"
        try:
            self.threads.append(threading.get_ident())
            return self.client.find(*args, **kwargs)
        finally:
            self.busy.release()


def test_a_client_of_another_kind_is_asked_one_call_after_the_other(demo_site: LocalSite) -> None:
    """And beside the event loop, which goes on meanwhile."""

    async def main() -> None:
        with closing(demo_site.connect()) as official:
            client = StudioClient(official)
            async with AsyncSession(client) as session:
                shot, task = session.merge([{"type": "Shot", "id": 234}, {"type": "Task", "id": 456}])
                await session.fetch([shot, task], ["code", "content"])
                assert (shot["code"], task["content"]) == ("AA_001", "Matchmove")
                with demo_site.hold("read") as hold:
                    reading = asyncio.create_task(session.find("Shot", [["id", "is", 235]]))
                    await asyncio.to_thread(hold.wait)
                    assert not reading.done()
                    hold.release()
                    assert [shot["code"] for shot in await reading] == ["AA_002"]
        assert len(client.threads) == 3
        assert threading.get_ident() not in client.threads

    asyncio.run(main())


def test_finding_the_site_does_not_hold_the_event_loop_up(
    demo_site: LocalSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`AsyncSession()` looks for its site at the first request, beside the event loop."""
    (tmp_path / "shotgun_api3_registry.py").write_text(
        "import os, threading, shotgun_api3\n"
        "thread = []\n"
        "def connect():\n"
        "    thread.append(threading.get_ident())\n"
        "    return shotgun_api3.Shotgun(os.environ['SITE'], 'sgsession', os.environ['KEY'], connect=False)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SITE", demo_site.url)
    monkeypatch.setenv("KEY", demo_site.api_key)

    async def main() -> None:
        async with AsyncSession() as session:
            assert (await session.get("Shot", 234))["code"] == "AA_001"

    try:
        asyncio.run(main())
        [thread] = sys.modules["shotgun_api3_registry"].thread
    finally:
        sys.modules.pop("shotgun_api3_registry", None)
    assert thread != threading.get_ident()
