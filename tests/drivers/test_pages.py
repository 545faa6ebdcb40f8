"""Pages side by side: which are asked for, how many at once, and what comes of them."""

from __future__ import annotations

import gc
import json
import signal
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timezone
from itertools import chain
from typing import Any

import pytest
import shotgun_api3

from sgsession import Session, ShotgunPool
from sgsession.drivers import threads, under_way
from sgsession.graph.wire import WireRows, WireValues
from sgsession.plans.pages import _SeenIds
from sgsession.site import LocalSite
from sgsession.testing.interruption import every_interruption

from ..graph.views import assert_sound
from ..scripted_client import ScriptedClient, entities
from .conftest import soon

AT_ONCE = 4
ORDER = [{"field_name": "code", "direction": "asc"}]
Make = Callable[..., tuple[Session, ScriptedClient]]


def rows(*ids: int) -> list[dict[str, Any]]:
    """Shots of one sequence."""
    return [
        {
            "type": "Shot",
            "id": id,
            "code": f"AA_{id}",
            "sg_sequence": {"type": "Sequence", "id": 1, "name": "AA"},
        }
        for id in ids
    ]


@pytest.fixture
def on_pages() -> Iterator[Make]:
    """Make a session with four connections, on a site that has these pages; `before(number)` runs before each."""
    opened: list[Session] = []

    def make(
        pages: list[list[dict[str, Any]]],
        before: Callable[[int], Any] = lambda number: None,
        client_class: type[ScriptedClient] = ScriptedClient,
    ) -> tuple[Session, ScriptedClient]:
        def answering(method: str, params: dict[str, Any]) -> Any:
            number = params["paging"]["current_page"]
            before(number)
            return entities(pages[number - 1] if number <= len(pages) else [], number < len(pages))

        client = client_class(answering)
        opened.append(Session(ShotgunPool(client, max_connections=AT_ONCE)))
        return opened[-1], client

    yield make
    for session in opened:
        session.close()  # waits for what nobody wanted any more, but for a thread whose start was interrupted
        assert soon(lambda: session.shotgun.stats()["lent"] == 0)  # noqa: B023 - it is looked at here
        session.shotgun.close()


def ids(found: Any) -> list[int]:
    """Their ids."""
    return [row["id"] for row in found]


@pytest.mark.parametrize("merge", [True, False])
def test_what_fits_one_page_is_one_request(on_pages: Make, merge: bool) -> None:
    """The site says that nothing follows, and nothing more is asked."""
    session, client = on_pages([rows(1, 2, 3)])
    assert ids(session.find("Shot", [], merge=merge)) == [1, 2, 3]
    assert client.pages == [1]


@pytest.mark.parametrize("count", [1, 2, 5, 6, 10])
def test_pages_of_back_references_come_side_by_side(on_pages: Make, count: int) -> None:
    """Page 1 by itself, then two, then four under way together, until none follows; all is linked."""
    two, four = threading.Barrier(2), threading.Barrier(AT_ONCE)

    def before(number: int) -> None:
        if number > 1:
            (two if number <= 3 else four).wait(10)

    pages = [rows(2 * page, 2 * page + 1) for page in range(1, count + 1)]
    session, client = on_pages(pages, before)
    sequence = session.merge({"type": "Sequence", "id": 1})
    session.fetch_backrefs(sequence, "Shot", "sg_sequence")
    assert sorted(ids(sequence.backrefs["Shot", "sg_sequence"])) == sorted(ids(chain(*pages)))
    most = 1 if count == 1 else max(3, 3 + AT_ONCE * -(-(count - 3) // AT_ONCE))
    assert sorted(client.pages) == [*range(1, most + 1)]
    assert_sound(session)


@pytest.mark.parametrize("count", [3, 5, 6, 9, 10])
def test_each_page_once_and_few_beyond_the_end(on_pages: Make, count: int) -> None:
    """Page 1 by itself, then two, then four at once, all of them under way together; at most three beyond the last."""
    two, four = threading.Barrier(2), threading.Barrier(AT_ONCE)
    asked_with_first: list[list[int]] = []

    def before(number: int) -> None:
        if number == 1:
            asked_with_first.append(client.pages)
        elif number == 2:
            two.wait(10)
        elif number == 3:
            two.wait(10)
            four.wait(10)  # it is still under way when page 2 is merged
        elif number <= 2 + AT_ONCE:
            four.wait(10)

    session, client = on_pages([rows(number * 2, number * 2 + 1) for number in range(1, count + 1)], before)
    assert ids(session.find("Shot", [])) == list(range(2, count * 2 + 2))
    assert asked_with_first == [[1]]
    assert len(set(client.pages)) == len(client.pages)
    assert {*range(1, count + 1)} <= {*client.pages} <= {*range(1, count + AT_ONCE)}
    assert client.counts["most at once"] == AT_ONCE


def test_a_find_of_two_pages_asks_for_one_more(on_pages: Make) -> None:
    """Nobody knows where it ends; but a site is not asked for as many pages as there are connections."""
    session, client = on_pages([rows(1), rows(2)])
    assert ids(session.find("Shot", [])) == [1, 2]
    session._threads.close()
    assert sorted(client.pages) == [1, 2, 3]


def test_a_slow_page_holds_up_no_more_than_the_others_beside_it(on_pages: Make) -> None:
    """Page 6 is asked for when page 2 is merged, with page 3 still under way; page 7 waits for page 3."""
    sixth_begun = threading.Event()
    begun_before_third: list[int] = []

    def before(number: int) -> None:
        if number == 6:
            sixth_begun.set()
        if number == 3:
            assert sixth_begun.wait(10)
            begun_before_third.extend(client.pages)

    session, client = on_pages([rows(number) for number in range(1, 9)], before)
    assert ids(session.find("Shot", [])) == list(range(1, 9))
    assert sorted(begun_before_third) == [1, 2, 3, 4, 5, 6]


def test_a_page_that_is_cut_is_asked_for_again(on_pages: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that merges finds it out, and the one that had asked for the page repeats it."""
    monkeypatch.setattr(under_way, "_PATIENCE", 60.0)

    class Cutting(ScriptedClient):
        def _http_request(self, verb: str, path: str, body: Any, headers: Any) -> Any:
            status, told, answer = super()._http_request(verb, path, body, headers)
            call = json.loads(body)
            number = call["params"][-1]["paging"]["current_page"] if call["method_name"] == "read" else 0
            first_time = self.pages.count(number) == 1
            return status, told, answer[:-9] if number in (3, 4) and first_time else answer

    session, client = on_pages([rows(number) for number in range(1, 9)], lambda number: None, Cutting)
    assert ids(session.find("Shot", [])) == list(range(1, 9))
    assert client.pages.count(3) == client.pages.count(4) == 2


def test_one_page_of_rows_at_a_time(on_pages: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that wait for their turn are bytes; the rows of one go before those of the next are made."""
    monkeypatch.setattr(under_way, "_PATIENCE", 60.0)  # looking through all objects takes long
    most = 0
    counting = threading.Lock()

    def before(number: int) -> None:
        nonlocal most
        with counting:  # each count holds on to what it has seen
            most = max(most, _pages_of_rows())

    gc.collect()
    others = _pages_of_rows()
    session, _ = on_pages([rows(*range(number * 50, number * 50 + 50)) for number in range(40)], before)
    assert len(session.find("Shot", [])) == 2000
    # One that is merged, and one on its way from the thread that had asked for it.
    assert most - others <= 2


def _pages_of_rows() -> int:
    return sum(isinstance(thing, WireRows) for thing in gc.get_objects())


def test_the_collector_waits_while_pages_wait_for_others(on_pages: Make) -> None:
    """From the second page to the merge of all, rows that wait are not walked through; afterwards it is on again."""
    seen: dict[int, bool] = {}

    def before(number: int) -> None:
        seen[number] = gc.isenabled()

    session, _ = on_pages([rows(1), rows(2), rows(3)], before)
    assert gc.isenabled()
    assert ids(session.find("Shot", [])) == [1, 2, 3]
    # Those behind the last one may be asked for when it has ended.
    assert [seen[number] for number in (1, 2, 3)] == [True, False, False]
    assert gc.isenabled()


def test_the_collector_runs_while_a_page_lets_us_wait(
    on_pages: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is not without it for as long as some site hangs; from the next page on it waits again."""
    monkeypatch.setattr(threads, "LONG_WAIT", 0.05)
    seen: dict[int, bool] = {}

    def before(number: int) -> None:
        if number == 3:
            assert soon(gc.isenabled)
        seen[number] = gc.isenabled()

    session, _ = on_pages([rows(number) for number in range(1, 12)], before)
    assert ids(session.find("Shot", [])) == list(range(1, 12))
    assert seen[3] is True
    assert seen[11] is False
    assert gc.isenabled()


def test_the_collector_runs_while_one_page_alone_lets_us_wait(on_pages: Make) -> None:
    """A page that is asked for alone, after others side by side: none waits to be merged, and it may take long."""
    seen: dict[int, bool] = {}

    def before(number: int) -> None:
        seen[number] = soon(gc.isenabled) if number == 5 else gc.isenabled()

    sizes = [5, 3, 5, 1, 5, 5]  # short ones, so that for 15 rows a fifth is needed
    pages = [rows(*range(10 * number, 10 * number + size)) for number, size in enumerate(sizes, start=1)]
    session, client = on_pages(pages, before)
    assert len(session.find("Shot", [], limit=15)) == 15
    assert client.pages[-1] == 5
    assert seen[5] is True
    assert gc.isenabled()


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize(
    "pages",
    [
        [[3], [9, 8], [], [], [7], [1, 2, 5], []],
        [[], [4]],
        [[], [], [], [], [], [4]],
        [[2, 1], [3]],
        [[1], [2, 3, 4, 5], [6]],
    ],
    ids=str,
)
def test_only_the_site_says_where_a_list_ends(on_pages: Make, pages: list[list[int]], merge: bool) -> None:
    """Pages may be short or empty, and in any order: all that the site has comes, in its order."""
    session, client = on_pages([rows(*page) for page in pages])
    assert ids(session.find("Shot", [], merge=merge)) == list(chain(*pages))
    assert len(client.pages) <= len(pages) + AT_ONCE - 1


def test_what_comes_after_the_end_is_not_taken(on_pages: Make) -> None:
    """Where the site grows while its last page is read, a find gives what it had: no hole, no later rows."""
    pages = [rows(1), rows(2)]
    session, client = on_pages(pages)
    client._answering = lambda method, params: entities(
        rows(params["paging"]["current_page"]), params["paging"]["current_page"] != 2
    )
    session = Session(ShotgunPool(client, max_connections=AT_ONCE))
    assert ids(session.find("Shot", [])) == [1, 2]
    session.close()
    session.shotgun.close()


@pytest.mark.parametrize(
    ("limit", "most"), [(1, 1), (3, 1), (4, 2), (7, 3), (13, 5), (30, 10), (31, 13), (500, 13)]
)
def test_a_limit_is_exact_and_saves_pages(on_pages: Make, limit: int, most: int) -> None:
    """As many rows as wanted, and no pages that cannot be among them."""
    session, client = on_pages([rows(*range(first, first + 3)) for first in range(1, 31, 3)])
    assert ids(session.find("Shot", [], limit=limit)) == list(range(1, 31))[:limit]
    assert len(client.pages) <= most
    assert {params["paging"]["entities_per_page"] for _, params in client.asked} == {min(limit, 500)}


def test_a_page_by_its_number_is_that_page(on_pages: Make) -> None:
    """As with the client, who names a page gets that one alone."""
    session, client = on_pages([rows(1), rows(2), rows(3)])
    assert ids(session.find("Shot", [], page=2)) == [2]
    assert client.pages == [2]


def test_a_find_of_the_studio_s_own_is_called(on_pages: Make) -> None:
    """A class that overrides `find` sees each find, whole; one page after the other, as it does it."""
    seen: list[str] = []

    class Studio(ScriptedClient):
        def find(self, entity_type: str, *args: Any, **kwargs: Any) -> Any:
            seen.append(entity_type)
            found = super().find(entity_type, *args, **kwargs)
            return [{**row, "code": row["code"].lower()} for row in found if row["id"] != 2]

    session, client = on_pages([rows(1, 2), rows(3)], client_class=Studio)
    found = session.find("Shot", [])
    assert [shot["code"] for shot in found] == ["aa_1", "aa_3"]
    assert found[0]["sg_sequence"]["name"] == "AA"
    assert seen == ["Shot"]
    assert client.pages == [1, 2]
    assert client.counts["most at once"] == 1


@pytest.mark.parametrize("options", [{}, {"order": ORDER}, {"async_count": 3}], ids=str)
def test_a_page_of_which_the_studio_leaves_nothing_ends_no_list(
    on_pages: Make, options: dict[str, Any]
) -> None:
    """What ends it is the site's word for that page, whatever else its `find` reads: not a page without rows."""

    class Studio(ScriptedClient):
        def find(self, entity_type: str, *args: Any, **kwargs: Any) -> Any:
            found = super().find(entity_type, *args, **kwargs)
            super().find("Sequence", [["id", "is", 1]], ["code"])
            super().find("Shot", [["id", "is", 0]], ["code"], limit=1)  # a page 1 of this type, too
            return [row for row in found if row["id"] not in (2, 3)]

    everything = [rows(number) for number in range(1, 6)]
    session, client = on_pages(everything, client_class=Studio)
    if not options:  # by id: of what is behind the last one, page after page
        client._answering = lambda method, params: _behind(params, everything)
    assert ids(session.find_iter("Shot", [], per_page=1, **options)) == [1, 4, 5]
    asked = [params for _, params in client.asked if params["type"] == "Shot" and "'is'" not in str(params)]
    assert all(params["return_paging_info_without_counts"] for params in asked)
    assert len(asked) == 5 or options == {"async_count": 3}


class _OwnNames(ScriptedClient):
    """A studio's client with methods of its own, and a `find` that asks for the same rows whatever the page is."""

    def find_page(self, name: str) -> str:
        return f"page {name}"

    def _page(self, number: int) -> int:
        return number

    def find(self, *args: Any, page: int = 0, **kwargs: Any) -> Any:
        return super().find(*args, page=self._page(1) if page else 0, **kwargs)


@pytest.mark.parametrize("options", [{"order": ORDER}, {"async_count": 3}], ids=str)
def test_a_find_of_the_studio_s_own_that_knows_no_pages(on_pages: Make, options: dict[str, Any]) -> None:
    """The same rows twice end it, however many more the site has; what the studio calls its methods is its own."""
    session, client = on_pages([rows(number) for number in range(1, 9)], client_class=_OwnNames)
    assert ids(session.find_iter("Shot", [], per_page=1, **options)) == [1]
    assert len(client.pages) <= (2 if "order" in options else 4)
    assert session.shotgun.call("find_page", "two") == "page two"


def _behind(params: dict[str, Any], pages: list[list[dict[str, Any]]]) -> Any:
    """A page of those of the rows that are behind the id in the filters."""
    ids = [each for each in params["filters"]["conditions"] if each.get("path") == "id"]
    if params["type"] != "Shot" or any(each["relation"] == "is" for each in ids):
        return entities([], False)
    left = [page for page in pages if all(page[0]["id"] > each["values"][0] for each in ids)]
    number = params["paging"]["current_page"]
    return entities(left[number - 1], number < len(left))


def test_a_find_of_one_client_is_called(on_pages: Make) -> None:
    """As is one that was put on the client itself."""
    (_, client), (_, other) = on_pages([]), on_pages([rows(1, 2), rows(3)])
    client.find = other.find
    with ShotgunPool(client) as pool:
        assert ids(Session(pool).find("Shot", [])) == [1, 2, 3]
    assert (client.pages, other.pages) == ([], [1, 2])


@pytest.mark.parametrize("find", [Session.find, Session.find_iter])
def test_slow_pages_that_nobody_wants_are_not_waited_for(
    on_pages: Make, monkeypatch: pytest.MonkeyPatch, find: Any
) -> None:
    """Behind the last page the site may be slow: what was found is given a moment later."""
    monkeypatch.setattr(threads, "LONG_WAIT", 0.05)
    release = threading.Event()
    session, client = on_pages([rows(1), rows(2)], lambda number: number > 2 and release.wait(10))
    options = {} if find is Session.find else {"async_count": 3}
    assert ids(find(session, "Shot", [], **options)) == [1, 2]
    assert not release.is_set()
    assert not session.graph.under_way()
    release.set()
    assert soon(lambda: session.shotgun.stats()["lent"] == 0)
    assert len(client.pages) <= 2 + AT_ONCE - 1


@pytest.mark.parametrize("find", [Session.find, Session.find_iter])
def test_pages_that_nobody_wants_have_ended(on_pages: Make, find: Any) -> None:
    """Where they take no longer than the others: who counts requests afterwards counts no stragglers."""
    session, client = on_pages([rows(1), rows(2)], lambda number: number > 2 and time.sleep(0.1))
    options = {} if find is Session.find else {"async_count": 3}
    assert ids(find(session, "Shot", [], **options)) == [1, 2]
    assert client.counts["under way"] == 0
    assert session.shotgun.stats()["lent"] == 0


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system sends no signals to threads")
def test_ctrl_c_does_not_wait_for_slow_pages(on_pages: Make) -> None:
    """Whoever presses it gets the prompt; what is under way ends by itself, and the next find is right."""
    release = threading.Event()

    def before(number: int) -> None:
        if number == 2 and not release.is_set():
            signal.pthread_kill(main, signal.SIGINT)
        if number > 1:
            release.wait(10)

    main = threading.main_thread().ident
    assert main is not None
    session, _ = on_pages([rows(number) for number in range(1, 9)], before)
    with pytest.raises(KeyboardInterrupt):
        session.find("Shot", [])
    assert not release.is_set()
    release.set()
    assert ids(session.find("Shot", [])) == list(range(1, 9))


@pytest.mark.parametrize("merge", [True, False])
def test_an_error_in_page_seven(on_pages: Make, merge: bool) -> None:
    """It is raised as the client raises it; what was merged before is sound, nothing is lent, no thread hangs."""
    before = threading.active_count()

    def refuse(number: int) -> None:
        if refusing and number == 7:
            raise shotgun_api3.Fault("no such page")

    refusing = True
    session, _ = on_pages([rows(number * 2, number * 2 + 1) for number in range(1, 13)], refuse)
    with pytest.raises(shotgun_api3.Fault, match="no such page"):
        session.find("Shot", [], merge=merge)
    assert soon(lambda: session.shotgun.stats()["lent"] == 0)
    assert not session.graph.under_way()
    assert_sound(session)
    # Pages 1 to 6 had been merged; those behind the seventh are not given to anybody.
    assert len(session.graph.identity.of_type("Shot")) == (12 if merge else 0)
    refusing = False
    assert len(session.find("Shot", [], merge=merge)) == 24
    session.close()
    assert threading.active_count() == before


# find_iter


def keyset(total: int, per_row: Callable[[int], dict[str, Any]]) -> ScriptedClient:
    """A client on a site of so many shots, which is asked for what follows an id."""

    def answering(method: str, params: dict[str, Any]) -> Any:
        after = 0
        for condition in params["filters"]["conditions"]:
            if condition.get("path") == "id":
                [after] = condition["values"]
        last = min(total, after + params["paging"]["entities_per_page"])
        return entities([per_row(id) for id in range(after + 1, last + 1)], last < total)

    return ScriptedClient(answering)


def numbered(total: int, per_row: Callable[[int], dict[str, Any]]) -> ScriptedClient:
    """A client on a site of so many shots, which is asked for pages by their numbers."""

    def answering(method: str, params: dict[str, Any]) -> Any:
        size = params["paging"]["entities_per_page"]
        first = (params["paging"]["current_page"] - 1) * size + 1
        last = min(total, first + size - 1)
        return entities([per_row(id) for id in range(first, last + 1)], last < total)

    return ScriptedClient(answering)


def test_rows_that_are_created_meanwhile_come_once(own_site: LocalSite, session: Session) -> None:
    """By id: what is created between two pages comes at the end, and nothing twice; the cost stays a page each."""
    with closing(own_site.connect()) as colleague:
        tasks = session.find_iter("Task", [], per_page=20)
        seen = [next(tasks)["id"] for _ in range(20)]
        project = {"type": "Project", "id": 123}
        new = [colleague.create("Task", {"content": "new", "project": project})["id"] for _ in range(3)]
        colleague.delete("Task", 460)
        colleague.delete("Task", 480)
        seen += [task["id"] for task in tasks]
    assert seen == [id for id in [*range(456, 512), *new] if id != 480]


@pytest.mark.parametrize("async_count", [1, 3])
def test_by_number_what_comes_twice_is_given_once(on_pages: Make, async_count: int) -> None:
    """With an order, pages go by number; a row that was pushed into the next page is dropped there."""
    session, client = on_pages([rows(5, 4), rows(4, 3), rows(2, 1), []])
    order = [{"field_name": "code", "direction": "desc"}]
    found = session.find_iter("Shot", [], order=order, per_page=2, async_count=async_count)
    assert ids(found) == [5, 4, 3, 2, 1]
    assert len(client.pages) <= 4 + async_count - 1
    assert client.counts["most at once"] <= async_count


def test_pages_go_on_while_their_rows_are_taken(on_pages: Make) -> None:
    """Three at once: with page 1 in hand, 2 and 3 are under way, and 4 is asked for when page 1 is used up."""
    begun = {number: threading.Event() for number in range(1, 9)}
    session, client = on_pages([rows(number) for number in range(1, 7)], lambda number: begun[number].set())
    shots = session.find_iter("Shot", [], per_page=1, async_count=3)
    assert next(shots)["id"] == 1
    assert begun[2].wait(10)
    assert begun[3].wait(10)
    assert sorted(client.pages) == [1, 2, 3]
    assert next(shots)["id"] == 2
    assert begun[4].wait(10)
    assert sorted(client.pages) == [1, 2, 3, 4]
    assert ids(shots) == [3, 4, 5, 6]
    assert len(set(client.pages)) == len(client.pages) <= 6 + 3 - 1
    assert client.counts["most at once"] <= 3


@pytest.mark.parametrize("count", [1, 3])
def test_one_page_after_the_other_asks_for_none_before_its_turn(on_pages: Make, count: int) -> None:
    """Who stops after some rows has asked for no page behind them."""
    session, client = on_pages([rows(2 * page, 2 * page + 1) for page in range(1, 9)])
    shots = session.find_iter("Shot", [], order=ORDER, per_page=2)
    assert len([next(shots) for _ in range(2 * count)]) == 2 * count
    assert client.pages == [*range(1, count + 1)]


def test_an_iterator_that_is_given_up_waits_for_nothing(on_pages: Make) -> None:
    """Perhaps the collector gives it up, in a thread that holds some lock: pages under way end by themselves."""
    release, held = threading.Event(), threading.Event()

    def before(number: int) -> None:
        if number > 1:
            held.set()
            assert release.wait(10)

    session, _ = on_pages([rows(number) for number in range(1, 9)], before)
    shots = session.find_iter("Shot", [], per_page=1, async_count=3)
    next(shots)
    assert held.wait(10)

    def give_up() -> None:
        with closing(shots):  # type: ignore[type-var]
            pass

    with session._lock:
        closer = threading.Thread(target=give_up, daemon=True)
        closer.start()
        closer.join(10)
        assert not closer.is_alive()
    assert not session.graph.under_way()
    release.set()
    session._threads.close()
    assert session.shotgun.stats()["lent"] == 0


def test_writes_are_forgotten_while_somebody_iterates(on_pages: Make) -> None:
    """Where reads overlap without end, only what pages under way could undo is remembered."""
    session, _ = on_pages([rows(*range(50 * page, 50 * page + 50)) for page in range(1, 21)])
    most = 0
    for shot in session.find_iter("Shot", [], per_page=50, async_count=3):
        shot["mine"] = shot["id"]
        most = max(most, sum(map(len, session.graph.writes.values())))
    assert most <= 3 * 50
    session.find_one("Shot", [])
    assert not session.graph.writes


@pytest.mark.parametrize("options", [{}, {"order": ORDER}, {"async_count": 3}], ids=str)
def test_what_the_caller_changes_meanwhile_changes_nothing(session: Session, options: dict[str, Any]) -> None:
    """Filters and fields are read once: a list may be changed, a generator used up."""
    wanted = [456, *range(460, 490)]
    filters: list[Any] = [["id", "in", list(wanted)]]
    found = []
    fields = (field for field in ["due_date"])
    for task in session.find_iter("Task", filters, fields, per_page=7, **options):
        found.append((task["id"], "due_date" in task))
        filters[0][2].clear()
        filters.append(["content", "is", "nothing of this name"])
    assert sorted(found) == [(id, True) for id in wanted]


def test_a_client_that_does_not_look_at_filters_gives_its_rows_once() -> None:
    """A stub that answers always the same is not asked without end."""

    class Stub:
        asked = 0

        def find(self, *arguments: Any, **options: Any) -> list[dict[str, Any]]:
            self.asked += 1
            return rows(1, 2)

    stub = Stub()
    assert ids(Session(stub).find_iter("Shot", [])) == [1, 2]
    assert stub.asked == 2


def test_an_own_write_outlives_the_pages_that_were_under_way(on_pages: Make) -> None:
    """A page that was asked for before a value was set does not bring the old one back; one asked for later does."""
    begun = {number: threading.Event() for number in range(1, 9)}
    session, _ = on_pages([rows(number) for number in range(1, 5)], lambda number: begun[number].set())
    shots = session.find_iter("Shot", [], per_page=1, async_count=2)
    next(shots)
    assert begun[2].wait(10)
    for number in (2, 4):
        session.merge({"type": "Shot", "id": number})["code"] = "mine"
    assert [shot["code"] for shot in shots] == ["mine", "AA_3", "AA_4"]


@pytest.mark.parametrize("options", [None, {"per_page": 1, "async_count": 2}], ids=["find", "find_iter"])
def test_each_page_is_as_old_as_its_own_request(on_pages: Make, options: Any) -> None:
    """What is written while page 2 is under way stands against page 2, and gives way to what is asked for later."""

    def meanwhile(number: int) -> None:
        if number == 2:
            for written in (2, 9):
                session.merge({"type": "Shot", "id": written})["code"] = "mine"

    session, _ = on_pages([rows(number) for number in range(1, 10)], meanwhile)
    shots = session.find("Shot", []) if options is None else session.find_iter("Shot", [], **options)
    assert [shot["code"] for shot in shots] == ["AA_1", "mine", *(f"AA_{n}" for n in range(3, 10))]


@pytest.mark.uncovered
@pytest.mark.parametrize("how", ["find", "find_iter", "find_iter, 3 at once"])
def test_an_interrupted_read_leaves_nothing_behind(on_pages: Make, how: str) -> None:
    """Ctrl-C at each point of driver and plan: nothing is lent, no read stays open, the next one is right."""
    session, _ = on_pages([rows(number) for number in range(1, 4)])

    def through() -> list[int]:
        if how == "find":
            return ids(session.find("Shot", []))
        return ids(session.find_iter("Shot", [], order=ORDER, async_count=3 if "3" in how else 1))

    points = 0
    modules = ("sgsession.drivers", "sgsession.plans", "sgsession.graph.graph", "sgsession.graph.open_reads")
    for outcome in every_interruption(through, modules=modules):
        points += outcome.interrupted
        where = outcome.where
        assert outcome.error is None or isinstance(outcome.error, KeyboardInterrupt), outcome
        del outcome
        assert soon(gc.isenabled), where  # a thread may read a page at this moment
        if session.graph.under_way():
            gc.collect()  # interrupted in the very end of it: what waits is in a ring with the exception
        assert not session.graph.under_way(), where
    assert points > 50
    assert through() == [1, 2, 3]
    session.close()  # waits for what an interrupt has left to end by itself


def _peak(pages: int, by_number: bool) -> int:
    """Bytes in use at the peak of going through so many pages without merging."""
    client = (numbered if by_number else keyset)(
        pages * 50, lambda id: rows(id)[0] | {"code": f"AA_{id % 50}"}
    )
    options: dict[str, Any] = {"order": ORDER, "async_count": 2} if by_number else {}
    session = Session(ShotgunPool(client))
    count = 0
    tracemalloc.start()
    try:
        for _ in session.find_iter("Shot", [], per_page=50, merge=False, **options):
            count += 1
            if count % 500 == 0:
                client.asked.clear()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        session.close()
        session.shotgun.close()
    assert count == pages * 50
    return peak


@pytest.mark.parametrize("by_number", [False, True])
def test_without_merging_memory_does_not_grow(by_number: bool) -> None:
    """200 pages take hardly more than 20 do, also where it must be remembered what was given already."""
    _peak(5, by_number)
    few, many = _peak(20, by_number), _peak(200, by_number)
    assert many <= 1.5 * few + 50_000, (few, many)


def test_what_was_given_is_remembered_in_a_bit_for_each() -> None:
    """A million ids take less than half a megabyte; others take what a set would."""
    tracemalloc.start()
    try:
        seen = _SeenIds()
        assert all(seen.add(id) for id in range(1, 1_000_001))
        assert tracemalloc.get_traced_memory()[0] < 500_000
        assert not any(seen.add(id) for id in (1, 7, 8, 1023, 1024, 999_999, 1_000_000))
        assert seen.add(1_000_001)
        assert seen.add(2**40)
        assert not seen.add(2**40)
    finally:
        tracemalloc.stop()


def test_texts_that_are_all_different_are_forgotten() -> None:
    """What makes equal texts one object does not keep a million different ones."""
    values = WireValues(lambda text: text, None)
    for number in range(100_000):
        values.top[f"shot {number}"]
        values.nested[f"shot {number}"]
    assert len(values.top) <= 16_384
    assert len(values.nested) <= 16_384


def test_long_texts_are_not_remembered() -> None:
    """Descriptions of 20 kB would be kept, thousands of them, as long as the pool."""
    values = WireValues(lambda text: text, None)
    for number in range(100):
        long = f"&lt;{number}>" + "x" * 20_000
        assert values.top[long] == f"<{number}>" + "x" * 20_000
        assert values.nested[long] == long
    assert not values.top
    assert not values.nested


def test_a_preset_is_applied_to_all_rows(own_site: LocalSite, session: Session) -> None:
    """The latest ones are those that `find` gives: behind the last id of a page others would be the latest."""
    preset = [{"preset_name": "LATEST", "latest_by": "ENTITIES_CREATED_AT"}]
    project = {"type": "Project", "id": session.find_one("Project", [])["id"]}
    shots = session.find("Shot", [], limit=5)
    for year in (2020, 2010):  # the older ones have the higher ids
        created_at = datetime(year, 1, 1, tzinfo=timezone.utc)
        version = {"project": project, "code": f"of {year}", "created_at": created_at}
        session.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Version",
                    "data": {**version, "entity": shot.minimal},
                }
                for shot in shots
            ]
        )
    mine = [["code", "starts_with", "of "]]
    asked = len(own_site.requests)
    found = session.find_iter("Version", mine, additional_filter_presets=preset, per_page=2)
    assert [version["code"] for version in found] == ["of 2020"] * 5
    assert len(own_site.requests) - asked == 3
