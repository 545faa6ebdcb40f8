"""1.4 sgsession.ShotgunPool."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout  # Python 3.10 has two
from contextlib import ExitStack
from typing import Any

import pytest
import shotgun_api3

from sgsession import ConfigurationError, PoolError, Session, ShotgunPool, SiteUnavailable
from sgsession.errors import PoolClosedError, PoolTimeoutError
from sgsession.site import LocalSite

from ..answering import answering
from .conftest import Costs

Make = Callable[..., ShotgunPool]


def lent_and_idle(pool: ShotgunPool) -> tuple[int, int]:
    """How many connections are in use, and how many are kept."""
    stats = pool.stats()
    return stats["lent"], stats["idle"]


@pytest.fixture
def make_pool(site: LocalSite) -> Iterator[Make]:
    """Make pools of a prototype that has not connected, closed when the test is over."""
    with ExitStack() as opened:

        def make(**options: Any) -> ShotgunPool:
            return opened.enter_context(ShotgunPool(site.connect(connect=False), **options))

        yield make


@pytest.mark.smoke
def test_use_it_like_normal(make_pool: Make, shotgun: Any, costs: Costs) -> None:
    """A pool answers as the client does: plain dicts, equal ones."""
    arguments = ("Task", [["entity", "is", {"type": "Shot", "id": 234}]], ["content", "entity"])
    expected = shotgun.find(*arguments)
    with costs(1):
        assert make_pool().find(*arguments) == expected
    assert type(expected[0]) is dict


def test_except_in_parallel(own_site: LocalSite, make_pool: Make) -> None:
    """While one answer is held back, others come: each call has a connection of its own."""
    pool = make_pool()
    with ThreadPoolExecutor(1) as threads, own_site.hold("read") as held:
        slow = threads.submit(pool.find_one, "Shot", [["id", "is", 234]], ["code"])
        held.wait()
        assert pool.find_one("Shot", [["id", "is", 235]], ["code"])["code"] == "AA_002"
        assert not slow.done()
        held.release()
        assert slow.result(10)["code"] == "AA_001"


def test_answers_are_never_mixed(make_pool: Make, costs: Costs) -> None:
    """Sixteen threads on four connections each get the row that they asked for, over and over."""
    pool = make_pool(max_connections=4)
    ids = [234 + number % 12 for number in range(160)]
    with costs(160), ThreadPoolExecutor(16) as threads:
        rows = list(threads.map(lambda id: pool.find_one("Shot", [["id", "is", id]]), ids))
    assert [row["id"] for row in rows] == ids
    assert pool.stats()["lent"] == 0
    assert pool.stats()["idle"] <= 4


def test_connections_are_recycled(make_pool: Make) -> None:
    """One call after the other uses one connection; none is open before the first."""
    pool = make_pool()
    assert lent_and_idle(pool) == (0, 0)
    for _ in range(5):
        pool.find_one("Shot", [])
    assert lent_and_idle(pool) == (0, 1)


def test_from_a_base_url(site: LocalSite, costs: Costs) -> None:
    """An address and the client's arguments make the prototype; making it sends nothing."""
    before = len(site.requests)
    with ShotgunPool(site.url, site.script_name, api_key=site.api_key) as pool:
        assert len(site.requests) == before
        assert pool.base_url == site.url
        with costs(1):
            assert pool.find_one("Shot", [["id", "is", 234]])["id"] == 234


@pytest.mark.parametrize("address", ["", "studio", "ftp://studio.example.com", None, 7])
def test_what_is_no_address_is_refused(address: Any) -> None:
    """The error says what an address looks like."""
    with pytest.raises(shotgun_api3.ShotgunError, match="address of a site"):
        ShotgunPool(address, "script", "key")


def test_wrap(site: LocalSite) -> None:
    """A client is wrapped, a pool or any other object is given back unchanged."""
    client = site.connect(connect=False)
    with ShotgunPool.wrap(client) as pool:
        assert isinstance(pool, ShotgunPool)
        assert ShotgunPool.wrap(pool) is pool
    other = object()
    assert ShotgunPool.wrap(other) is other
    assert ShotgunPool.wrap(None) is None


def test_the_prototype_never_opens_a_socket(site: LocalSite) -> None:
    """All calls, the first and what it learns included, go through pooled clients."""
    prototype = site.connect(connect=False)
    with ShotgunPool(prototype) as pool:
        pool.connect()
        pool.find("Task", [])
        pool.schema_field_read("Shot", "code")
        assert pool.server_info
        assert pool.config.records_per_page
        assert prototype._connection is None


def test_capabilities_are_learned_once(own_site: LocalSite, make_pool: Make) -> None:
    """However many threads begin at once, the site is asked once what it can do, for all clients."""
    pool = make_pool()
    start = threading.Barrier(8)

    def find(_: int) -> None:
        start.wait(10)
        pool.find_one("Shot", [])

    own_site.reset_requests()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(find, range(8)))
    assert sorted(request.method for request in own_site.requests) == ["info", *["read"] * 8]


def test_what_the_prototype_knows_is_not_asked(own_site: LocalSite) -> None:
    """A prototype that has connected brings its knowledge along."""
    prototype = own_site.connect()
    own_site.reset_requests()
    with ShotgunPool(prototype) as pool:
        pool.find_one("Shot", [])
    prototype.close()
    assert [request.method for request in own_site.requests] == ["read"]


def test_the_config_is_shared(site: LocalSite) -> None:
    """A setting changed on the prototype, the pool or one client is changed for all."""
    prototype = site.connect(connect=False)
    with ShotgunPool(prototype) as pool, pool.lease() as one, pool.lease() as two:
        assert pool.config is prototype.config is one.config is two.config
        one.config.timeout_secs = 17
        assert pool.config.timeout_secs == two.config.timeout_secs == 17


def test_bound_methods_may_be_passed_around(make_pool: Make, costs: Costs) -> None:
    """A method taken off the pool, also one that is only proxied, is as parallel and as safe as the pool."""
    pool = make_pool()
    find_one, read = pool.find_one, pool.schema_field_read
    assert not isinstance(getattr(read, "__self__", None), shotgun_api3.Shotgun)
    with costs(16), ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(lambda id: find_one("Shot", [["id", "is", id]])["id"], range(234, 242)))
        assert all(threads.map(lambda _: "code" in read("Shot", "code"), range(8)))
    assert rows == list(range(234, 242))
    assert read.__name__ == "schema_field_read"


def test_attributes_are_proxied(make_pool: Make, site: LocalSite) -> None:
    """Attributes of the client read as on the client; what it does not have is an `AttributeError`."""
    pool = make_pool()
    assert pool.base_url == site.url
    assert pool.config.script_name == site.script_name
    with pytest.raises(AttributeError):
        pool.no_such_thing  # noqa: B018


def test_settings_made_by_methods_reach_all_clients(own_site: LocalSite, make_pool: Make) -> None:
    """`set_session_uuid` and user agents, which the client keeps for itself, hold for every call."""
    pool = make_pool()
    pool.find_one("Shot", [])
    pool.add_user_agent("studio-tool (1.0)")
    pool.set_session_uuid("abc")
    assert pool.config.session_uuid == "abc"
    with pool.lease() as client:
        assert "studio-tool (1.0)" in client._user_agents


def test_entities_are_sent_as_type_and_id(make_pool: Make, costs: Costs) -> None:
    """Entities in a call's arguments are reduced, also in calls past the session."""
    session = Session(False)
    shot = session.merge({"type": "Shot", "id": 234, "code": "secret"})
    shot["self"] = shot
    with costs(1) as requests:
        assert len(make_pool().find("Task", [["entity", "is", shot]])) == 3
    assert "secret" not in str(requests)


# Bounds, deadlines, closing


def test_no_more_connections_than_allowed(make_pool: Make) -> None:
    """A lease beyond `max_connections` waits until one comes back."""
    pool = make_pool(max_connections=2)
    with ThreadPoolExecutor(1) as threads, pool.lease() as one:
        with pool.lease() as two:
            assert one is not two
            waiting = threads.submit(pool.find_one, "Shot", [["id", "is", 234]])
            with pytest.raises(FutureTimeout):
                waiting.result(0.1)
            assert pool.stats()["lent"] == 2
        assert waiting.result(10)["id"] == 234


def test_waiting_ends(make_pool: Make) -> None:
    """After `lease_timeout` seconds without a free connection the error says what to do."""
    pool = make_pool(max_connections=1, lease_timeout=0.05)
    with pool.lease(), pytest.raises(PoolTimeoutError, match="max_connections") as problem:
        pool.find_one("Shot", [])
    assert isinstance(problem.value, (TimeoutError, PoolError))
    assert pool.find_one("Shot", [["id", "is", 234]])["id"] == 234


@pytest.mark.parametrize("count", [0, -1])
def test_a_pool_needs_a_connection(site: LocalSite, count: int) -> None:
    """A pool that could never lend anything is refused when it is made."""
    with pytest.raises(ValueError, match="at least one"):
        ShotgunPool(site.connect(connect=False), max_connections=count)


def test_a_closed_pool_refuses(make_pool: Make) -> None:
    """After `close` calls are refused by name; closing again does nothing."""
    pool = make_pool()
    pool.find_one("Shot", [])
    pool.close()
    pool.close()
    with pytest.raises(PoolClosedError):
        pool.find_one("Shot", [])
    assert pool.stats()["idle"] == 0
    assert "closed" in repr(pool)


def test_closing_wakes_who_waits(make_pool: Make) -> None:
    """A call that waits for a connection when the pool is closed is refused at once."""
    pool = make_pool(max_connections=1)
    with ThreadPoolExecutor(1) as threads, pool.lease():
        waiting = threads.submit(pool.find_one, "Shot", [])
        with pytest.raises(FutureTimeout):
            waiting.result(0.1)
        pool.close()
        with pytest.raises(PoolClosedError):
            waiting.result(10)


def test_a_call_under_way_ends_after_closing(own_site: LocalSite, make_pool: Make) -> None:
    """What was already sent is answered; its connection is closed when it comes back."""
    pool = make_pool()
    with ThreadPoolExecutor(1) as threads, own_site.hold("read") as held:
        reading = threads.submit(pool.find_one, "Shot", [["id", "is", 234]])
        held.wait()
        pool.close()
        held.release()
        assert reading.result(10)["id"] == 234
    assert pool.stats()["idle"] == 0


def test_closing_closes_the_prototype(site: LocalSite) -> None:
    """A client that had connected before it was wrapped leaves no socket behind, and may be used again."""
    prototype = site.connect()
    assert prototype._connection is not None
    ShotgunPool(prototype).close()
    assert prototype._connection is None
    assert prototype.find_one("Shot", [["id", "is", 234]])["id"] == 234
    prototype.close()


def test_a_refusal_keeps_the_connection(make_pool: Make) -> None:
    """A fault is a whole answer: the connection is used again."""
    pool = make_pool()
    for _ in range(3):
        with pytest.raises(shotgun_api3.Fault):
            pool.find("Shot", [["sg_nope", "is", 1]])
    assert lent_and_idle(pool) == (0, 1)


def test_an_interrupted_lease_drops_the_connection(make_pool: Make) -> None:
    """After an error in the middle of a call there may be bytes left: that connection is not used again."""
    pool = make_pool()
    with pytest.raises(KeyboardInterrupt), pool.lease():
        raise KeyboardInterrupt
    assert lent_and_idle(pool) == (0, 0)
    assert pool.find_one("Shot", [["id", "is", 234]])["id"] == 234


def test_the_class_of_the_studio_stays(site: LocalSite) -> None:
    """What a studio's own client class overrides is in force in the pool too."""

    class StudioShotgun(shotgun_api3.Shotgun):
        def find_one(self, *args: Any, **kwargs: Any) -> Any:
            return {**super().find_one(*args, **kwargs), "studio": True}

    client = StudioShotgun(site.url, site.script_name, site.api_key, connect=False)
    with ShotgunPool(client) as pool:
        assert pool.find_one("Shot", [["id", "is", 234]]) == {"type": "Shot", "id": 234, "studio": True}


def test_nobody_answers() -> None:
    """A site that refuses connections is a `SiteUnavailable`, whose text has the address and can be pickled."""
    with LocalSite() as site:
        client = site.connect(connect=False)
    with (
        ShotgunPool(client) as pool,
        pytest.raises(shotgun_api3.ShotgunError, match="Nobody answers") as problem,
    ):
        pool.find_one("Shot", [])
    assert type(problem.value).__name__ == "SiteUnavailable"
    assert str(pickle.loads(pickle.dumps(problem.value))) == str(problem.value)


def test_the_repr_shows_the_state_and_no_secrets(make_pool: Make, site: LocalSite) -> None:
    """Address and counts, never the key."""
    pool = make_pool(max_connections=3)
    with pool.lease():
        assert "1 lent, 0 idle of 3" in repr(pool)
    assert site.url in repr(pool)
    assert site.api_key not in repr(pool)


def test_writing_and_summing_like_normal(
    own_site: LocalSite, make_pool: Make, shotgun: Any, costs: Costs
) -> None:
    """create, update, delete, revive, batch and summarize give what the client gives; one request each."""
    pool = make_pool()
    with costs(6):
        shot = pool.create("Shot", {"code": "ZZ", "project": {"type": "Project", "id": 123}}, ["code"])
        changed = pool.update("Shot", shot["id"], {"description": "new"})
        assert (pool.delete("Shot", shot["id"]), pool.revive("Shot", shot["id"])) == (True, True)
        [row] = pool.batch(
            [
                {
                    "request_type": "update",
                    "entity_type": "Shot",
                    "entity_id": shot["id"],
                    "data": {"code": "Z"},
                }
            ]
        )
        summary = pool.summarize("Shot", [["code", "is", "Z"]], [{"field": "id", "type": "count"}])
    assert (shot["code"], changed["description"], row["code"]) == ("ZZ", "new", "Z")
    assert type(shot) is type(changed) is type(row) is dict
    assert summary == shotgun.summarize("Shot", [["code", "is", "Z"]], [{"field": "id", "type": "count"}])
    assert shotgun.find_one("Shot", [["id", "is", shot["id"]]], ["code"])["code"] == "Z"


def test_what_python_looks_for_is_not_passed_on(make_pool: Make, costs: Costs) -> None:
    """Hooks of other libraries and of `copy` are not there, on a pool that is not made yet either; 0 requests."""
    with costs(0):
        for pool in (make_pool(), ShotgunPool.__new__(ShotgunPool)):
            assert not hasattr(pool, "__array__")
            assert not hasattr(pool, "__deepcopy__")
        with pytest.raises(AttributeError, match="base_urls"):
            ShotgunPool.__new__(ShotgunPool).base_urls  # noqa: B018


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, b"<html>Welcome</html>", "text/html"), "not with its JSON"),
        ((200, b'{"results": {}}', "application/json"), "not with its JSON"),
        ((200, b'{"resul', "application/json"), "not with its JSON"),
        ((404, b"nothing here", "text/plain"), "HTTP 404 Not Found"),
    ],
    ids=["page", "foreign JSON", "half of it", "404"],
)
def test_an_address_that_is_no_site(answer: Any, said: str) -> None:
    """Whatever answers that is no site is called none, with its address, and its connection is dropped."""
    with answering(answer) as address, ShotgunPool(address, "script", "key") as pool:
        with pytest.raises(ConfigurationError, match="does not answer like") as caught:
            pool.find_one("Shot", [])
        assert address in str(caught.value)
        assert said in str(caught.value)
        assert lent_and_idle(pool) == (0, 0)


REFUSED = b'{"exception": true, "message": "closed for the weekend", "error_code": 103}'


@pytest.mark.parametrize(
    ("answer", "problem", "said"),
    [
        ((500, b"sorry", "text/plain"), SiteUnavailable, "500 Internal Server Error.*sorry"),
        ((200, REFUSED, "application/json"), shotgun_api3.Fault, "closed for the weekend"),
    ],
    ids=["500", "refusal"],
)
def test_a_site_that_is_down_is_a_site(answer: Any, problem: type[Exception], said: str) -> None:
    """What it says, before it has said what it can do, is told; it is not taken for no site."""
    with answering(answer) as address, ShotgunPool(address, "script", "key") as pool:
        with pytest.raises(problem, match=said):
            pool.find_one("Shot", [])
        assert pool.stats()["lent"] == 0
