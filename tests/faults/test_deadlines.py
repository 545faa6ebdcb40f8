"""No call takes longer than its deadline and half a second, whatever the site does not do."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from sgsession import AmbiguousWrite, ShotgunPool, SiteUnavailable
from sgsession.errors import PoolTimeoutError
from sgsession.pool import TransportOptions
from sgsession.testing.fault_proxy import FaultProxy
from sgsession.testing.fault_site import FaultSite
from sgsession.testing.faults import EndlessHeaders, Slow, Stall
from sgsession.testing.toxics import Bandwidth, Timeout

from ..site.served import tell

DEADLINE = 1.5
GRACE = 0.5
THREADS = 20


def pool_of(url: str, site: FaultSite, **arguments: object) -> ShotgunPool:
    """A pool whose calls have so much time, on the site or on what stands before it."""
    options = TransportOptions(
        deadline=DEADLINE, backoff_base=0.01, breaker_failures=10**6, breaker_least=10**6
    )
    pool = ShotgunPool(
        url,
        script_name=site.site.script_name,
        api_key=site.site.api_key,
        max_connections=THREADS,
        options=options,
        **arguments,
    )
    # What the site can do is known, as in a tool that has run for a while.
    pool._prototype._server_caps = site.connect(in_process=True).server_caps
    pool._prototype._server_caps.host = pool.config.server
    return pool


def _stalling(opened: ExitStack) -> ShotgunPool:
    site = opened.enter_context(FaultSite())
    site.inject("after_execute", Stall(60), times=None)
    return pool_of(site.url, site)


def _trickling(opened: ExitStack) -> ShotgunPool:
    site = opened.enter_context(FaultSite())
    site.inject("after_headers", Slow(2.0), times=None)
    return pool_of(site.url, site)


def _endless_headers(opened: ExitStack) -> ShotgunPool:
    site = opened.enter_context(FaultSite())
    site.inject("after_execute", EndlessHeaders(200.0), times=None)
    return pool_of(site.url, site)


def _black_hole(opened: ExitStack) -> ShotgunPool:
    site = opened.enter_context(FaultSite())
    proxy = opened.enter_context(FaultProxy(site.host, site.port))
    proxy.add(Timeout(), "both")
    return pool_of(proxy.url, site)


def _slow_upstream(opened: ExitStack) -> ShotgunPool:
    site = opened.enter_context(FaultSite())
    proxy = opened.enter_context(FaultProxy(site.host, site.port))
    proxy.add(Bandwidth(40.0), "upstream")
    return pool_of(proxy.url, site)


def _nobody_accepts(opened: ExitStack) -> ShotgunPool:
    site = opened.enter_context(FaultSite())
    listener = opened.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=0)))
    address = listener.getsockname()
    for _ in range(3):  # until its queue is full, and further ones are answered by nothing at all
        waiting = opened.enter_context(closing(socket.socket()))
        waiting.setblocking(False)
        waiting.connect_ex(address)
    return pool_of(f"http://127.0.0.1:{address[1]}", site)


WAYS = [_stalling, _trickling, _endless_headers, _black_hole, _slow_upstream, _nobody_accepts]


def times_of(pool: ShotgunPool, calls: int) -> Iterator[float]:
    """How long each of so many calls takes, many at a time, reads and creates at random."""
    chance = random.Random(0)

    def read() -> None:
        pool.find("Project", [], ["name"])

    def write() -> None:
        pool.create("Project", {"name": "Film"})

    def timed(call: Callable[[], None]) -> float:
        began = time.monotonic()
        with pytest.raises((SiteUnavailable, AmbiguousWrite)):
            call()
        return time.monotonic() - began

    with ThreadPoolExecutor(THREADS) as threads:
        yield from threads.map(timed, chance.choices([read, write], k=calls))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_").replace("_", " "))
@pytest.mark.parametrize("calls", [20, pytest.param(400, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_no_call_outlives_its_deadline(
    way: Callable[[ExitStack], ShotgunPool], calls: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stalled site, one byte after the other, headers without end, a black hole, an unanswered connect."""
    with ExitStack() as opened:
        pool = opened.enter_context(way(opened))
        times = sorted(times_of(pool, calls))
        assert pool.stats()["lent"] == 0
    tell(capsys, f"{calls} calls: longest {times[-1]:.2f} s of {DEADLINE + GRACE}")
    assert times[-1] <= DEADLINE + GRACE


@pytest.mark.parametrize(
    "calls", [60, pytest.param(2000, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_nobody_waits_longer_for_a_connection_than_was_agreed(site: FaultSite, calls: int) -> None:
    """A pool whose connections are all lent: each caller waits its time, and then is told so."""
    pool = pool_of(site.url, site, lease_timeout=0.5)

    def timed(_: int) -> float:
        began = time.monotonic()
        with pytest.raises(PoolTimeoutError):
            pool.find("Project", [])
        return time.monotonic() - began

    with pool, ExitStack() as held:
        for _ in range(THREADS):
            held.enter_context(pool.lease())
        with ThreadPoolExecutor(60) as threads:
            longest = max(threads.map(timed, range(calls)))
        assert pool.stats()["waiting"] == 0
    assert 0.5 <= longest <= 0.5 + GRACE
    assert pool.stats()["lent"] == 0


def test_the_wait_for_a_connection_is_part_of_the_deadline(site: FaultSite) -> None:
    """A call that waited for most of its time has only the rest of it for its request."""
    site.inject("after_execute", Stall(60), times=None)
    options = TransportOptions(deadline=DEADLINE)
    with ShotgunPool(site.connect(connect=False), max_connections=1, options=options) as pool:
        pool._prototype._server_caps = site.connect(in_process=True).server_caps
        pool._prototype._server_caps.host = pool.config.server
        held = pool.lease()
        held.__enter__()
        with ThreadPoolExecutor(1) as threads:
            began = time.monotonic()
            asked = threads.submit(pool.find, "Project", [])
            time.sleep(DEADLINE * 0.7)
            held.__exit__(None, None, None)
            with pytest.raises(SiteUnavailable):
                asked.result()
            assert time.monotonic() - began <= DEADLINE + GRACE


def test_asking_what_a_site_can_do_is_part_of_the_deadline(site: FaultSite) -> None:
    """The first calls of a pool, many at once on a site that stalls, end in the time of one request."""
    site.inject("before_execute", Stall(60), times=None)
    options = TransportOptions(deadline=DEADLINE)

    def timed(pool: ShotgunPool) -> float:
        began = time.monotonic()
        with pytest.raises(SiteUnavailable):
            pool.find("Project", [])
        return time.monotonic() - began

    with (
        ShotgunPool(site.connect(connect=False), options=options) as pool,
        ThreadPoolExecutor(6) as threads,
    ):
        assert max(threads.map(timed, [pool] * 6)) <= DEADLINE + GRACE


def test_nobody_waits_for_a_connection_beyond_the_deadline(site: FaultSite) -> None:
    """A lease_timeout above the deadline does not prolong a call."""
    pool = pool_of(site.url, site, lease_timeout=60)
    with pool, ExitStack() as held:
        for _ in range(THREADS):
            held.enter_context(pool.lease())
        began = time.monotonic()
        with pytest.raises(PoolTimeoutError):
            pool.find("Project", [])
        assert time.monotonic() - began <= DEADLINE + GRACE
