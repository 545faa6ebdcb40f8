"""Connections in several hands: one client for many threads, and a warm client after fork(); and what safety costs."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .clients import Client, HangError
from .matrix import Ground

__all__ = ["FORK", "THREADS", "Shared", "reads_of_a_pool", "shared"]

THREADS = 8
READS = 1_600
CHILDREN = 8
FORKED_READS = 1_000
FORK_ROUNDS = 5
SPEED_ROUNDS = 101
SPEED_READS = 20
# A driver's time for all of its reads; those that wait for an answer that another took need two seconds each.
LIMIT = 300.0

FORK = "fork"


@dataclass(frozen=True)
class Shared:
    """How many of the reads were right, wrong without a sign of it, or an error."""

    client: str
    situation: str
    right: int = 0
    wrong: int = 0
    error: int = 0
    hung: bool = False

    def per_thousand(self, count: int) -> str:
        """A count as a share of all reads."""
        total = self.right + self.wrong + self.error
        return f"{1000 * count / total:.0f}" if total else "?"


def shared(client: Client, ground: Ground, seed: int) -> list[Shared]:
    """What the client does when two or eight threads share it, and when it is forked."""
    truth, project = ground.rows[False]["truth"], ground.rows[False]["project"]
    codes = [f"{client.name}_{number}" for number in range(READS)]
    for begin in range(0, READS, 200):
        truth.batch(
            [
                {"request_type": "create", "entity_type": "Shot", "data": {"code": code, "project": project}}
                for code in codes[begin : begin + 200]
            ]
        )
    random.Random(seed).shuffle(codes)
    return [
        _counted(client, ground, "2 threads", {"do": "share", "threads": 2, "codes": codes}),
        _counted(client, ground, f"{THREADS} threads", {"do": "share", "threads": THREADS, "codes": codes}),
        _counted(
            client,
            ground,
            FORK,
            {"do": "fork", "children": CHILDREN, "rounds": FORK_ROUNDS, "codes": codes[:FORKED_READS]},
        ),
    ]


def _counted(client: Client, ground: Ground, situation: str, order: dict[str, object]) -> Shared:
    what = str(order.pop("do"))
    try:
        told = client.do(what, LIMIT, site=ground.address(False), **order)
    except HangError:
        return Shared(client.name, situation, hung=True)
    counts = told.get("value") or {}
    return Shared(client.name, situation, **counts)


def reads_of_a_pool(client: Client, ground: Ground) -> dict[str, list[float]]:
    """Keep-alive reads through the pool and by a bare client in turns: the ratios of time and of work."""
    site = ground.address(False)
    told = client.do(
        "speed", LIMIT, site=site, bare=site, codes=["page_0"], reads=SPEED_READS, rounds=SPEED_ROUNDS
    )
    ratios: dict[str, list[float]] = told["value"]
    return ratios
