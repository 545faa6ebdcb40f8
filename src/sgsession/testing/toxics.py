"""What a FaultProxy does to the bytes that pass: the toxics that Toxiproxy made known, by the same names."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Bandwidth",
    "EndOfLink",
    "Latency",
    "LimitData",
    "Passage",
    "ResetPeer",
    "Send",
    "Slicer",
    "SlowClose",
    "Stream",
    "Timeout",
    "Toxic",
]

Stream = Literal["upstream", "downstream"]
"""A direction: upstream to the server, downstream to the client."""

Send = Callable[[bytes], Awaitable[None]]
"""Takes bytes a step further on their way."""

# A narrow band passes its bytes in so many portions a second, or one by one.
_PORTIONS = 20


class EndOfLink(Exception):
    """Both connections of a link end now: by a RST, or else by a FIN."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


@dataclass(slots=True)
class Passage:
    """One direction of one link: what a toxic may know of it. `arrived` is when the bytes at hand came."""

    random: random.Random
    sleep: Callable[[float], Awaitable[None]]
    now: Callable[[], float]
    passed: Counter[Toxic]
    arrived: float = 0.0


class Toxic:
    """Something that happens to bytes on their way. A subclass of one's own may do anything else."""

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """Send on what came: later, piece by piece, or not at all."""
        await send(data)

    async def at_end(self, passage: Passage) -> None:
        """Called before the end of a direction is passed on."""


@dataclass(frozen=True)
class Latency(Toxic):
    """All bytes come so many `seconds` later, more or less by up to `jitter` seconds; their order stays."""

    seconds: float
    jitter: float = 0.0

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """The bytes, later."""
        delay = self.seconds + passage.random.uniform(-self.jitter, self.jitter)
        # Counted from when they came, so that many portions are not later than one.
        await passage.sleep(max(0.0, passage.arrived + delay - passage.now()))
        await send(data)


@dataclass(frozen=True)
class Bandwidth(Toxic):
    """At most so many bytes a second pass."""

    bytes_per_second: float

    def __post_init__(self) -> None:
        if self.bytes_per_second <= 0:
            raise ValueError("a band passes more than 0 bytes a second; Timeout() passes none")

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """The bytes in portions."""
        portion = max(1, int(self.bytes_per_second / _PORTIONS))
        for begin in range(0, len(data), portion):
            part = data[begin : begin + portion]
            await passage.sleep(len(part) / self.bytes_per_second)
            await send(part)


@dataclass(frozen=True)
class SlowClose(Toxic):
    """The end of the connection is passed on so many `seconds` later."""

    seconds: float

    async def at_end(self, passage: Passage) -> None:
        """Wait."""
        await passage.sleep(self.seconds)


@dataclass(frozen=True)
class Timeout(Toxic):
    """A black hole: no byte passes, and the connection stays; with `seconds` it ends so long after a byte came.

    What was swallowed stays lost when the toxic is removed.
    """

    seconds: float | None = None

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """Nothing."""
        if self.seconds is not None:
            await passage.sleep(self.seconds)
            raise EndOfLink(reset=False)


@dataclass(frozen=True)
class ResetPeer(Toxic):
    """A RST to both sides, so many `seconds` after the first byte came; that byte and later ones are lost."""

    seconds: float = 0.0

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """Nothing."""
        await passage.sleep(self.seconds)
        raise EndOfLink(reset=True)


@dataclass(frozen=True)
class Slicer(Toxic):
    """Bytes pass in slices of `size`, more or less by up to `variation`, with a `delay` in seconds after each."""

    size: int
    variation: int = 0
    delay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.variation < self.size:
            raise ValueError("a slice holds at least one byte: variation lies from 0 to below size")

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """The slices."""
        begin = 0
        while begin < len(data):
            end = begin + self.size + passage.random.randint(-self.variation, self.variation)
            await send(data[begin:end])
            await passage.sleep(self.delay)
            begin = end


@dataclass(frozen=True)
class LimitData(Toxic):
    """The connection ends, by a FIN, once so many bytes have passed."""

    most: int

    async def carry(self, data: bytes, passage: Passage, send: Send) -> None:
        """The bytes up to the limit."""
        left = self.most - passage.passed[self]
        if left > 0:
            passage.passed[self] += min(left, len(data))
            await send(data[:left])
        if left <= len(data):
            raise EndOfLink(reset=False)
