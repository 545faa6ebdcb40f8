"""Awaited calls cancelled at each await, over HTTP: the pool goes back to rest, and the next call works."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from sgsession import AsyncSession, ShotgunPool
from sgsession.testing.cancellation import every_cancellation
from sgsession.testing.fault_site import FaultSite

CONNECTIONS = 2


@pytest.mark.parametrize("ready", [False, True], ids=["at once", "when the answer is there"])
@pytest.mark.parametrize("contenders", [1, 20])
def test_a_cancelled_call_leaves_no_trace(site: FaultSite, contenders: int, ready: bool) -> None:
    """Every operation, cancelled at its k-th await for every k, alone and among 20 others."""
    truth = site.connect(in_process=True)
    project = truth.create("Project", {"name": "Film"})
    shots = [truth.create("Shot", {"code": f"shot_{n}", "project": project})["id"] for n in range(contenders)]
    codes = iter(f"made_{number}" for number in range(10_000))

    async def create(session: AsyncSession) -> Any:
        code = next(codes)
        row = await session.create("Shot", {"code": code, "project": project})
        return code, row["code"]

    operations: list[Callable[[AsyncSession], Awaitable[Any]]] = [
        create,
        lambda session: session.find("Shot", [["id", "is", shots[0]]], ["code"]),
        lambda session: session.update("Shot", shots[0], {"description": "new"}),
        lambda session: session.schema_field_read("Shot", "code"),
    ]

    async def contend(session: AsyncSession, number: int) -> None:
        (found,) = await session.find("Shot", [["id", "is", shots[number]]], ["code"])
        assert found["code"] == f"shot_{number}"

    async def run(pool: ShotgunPool) -> int:
        steps = 0
        async with AsyncSession(pool) as session:
            for operation in operations:
                async for outcome in every_cancellation(partial(operation, session), ready=ready):
                    others = [asyncio.ensure_future(contend(session, n)) for n in range(contenders)]
                    await asyncio.wait_for(asyncio.gather(*others), 30)
                    assert outcome.cancelled or outcome.error is None, outcome
                    steps += 1
        return steps

    with ShotgunPool(site.connect(connect=False), max_connections=CONNECTIONS) as pool:
        steps = asyncio.run(run(pool))
        assert steps >= 2 * len(operations)
        stats = pool.stats()
        assert (stats["lent"], stats["waiting"]) == (0, 0)
        assert stats["idle"] <= CONNECTIONS
    assert max(count for token, count in site.executions.items() if token.startswith("made_")) == 1
