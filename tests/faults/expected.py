"""What must come of each fault, written down by hand from the contract and not from the code that keeps it.

The rows of TABLE are those of the decision table (reliability.md 5.2): what is known of a request that met such
a fault, and from that what a caller may be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sgsession.testing.faults import (
    Action,
    BadChunking,
    BadGzip,
    Empty,
    EndlessHeaders,
    Fin,
    Garbage,
    Html,
    Huge,
    NotTheEnvelope,
    Point,
    Redirect,
    Reset,
    Slow,
    Stall,
    Status,
    SwappedAnswer,
    TlsEof,
    Truncated,
    WrongLength,
)

__all__ = ["ATTEMPTS", "FAULTS", "LARGEST", "TABLE", "Expected", "Fault", "How", "Outcome", "Row"]

How = Literal["once", "always"]
Outcome = Literal["value", "unavailable", "ambiguous", "refused", "partial"]
Row = Literal["not reached", "idle", "unknown", "failed", "throttled", "refused", "too large", "too late"]

ATTEMPTS = 3
"""How often the pools of these tests try."""
LARGEST = 100_000
"""Bytes of an answer that they take."""


@dataclass(frozen=True)
class Expected:
    """What a caller is told, and how many requests the site gets."""

    outcome: Outcome
    requests: int


@dataclass(frozen=True)
class Fault:
    """A fault, and what the client can know of a request that met it.

    Args:
        name: of the case.
        point: where in the request's life.
        action: what happens there.
        row: of TABLE.
        silence: the longest silence on a connection that the pool bears, in seconds.
        deadline: of a call, in seconds.
        tls_only: there is no such thing without TLS.
    """

    name: str
    point: Point
    action: Action
    row: Row
    silence: float = 10.0
    deadline: float = 20.0
    tls_only: bool = False

    @property
    def takes_time(self) -> bool:
        """True where a client has to wait until it gives up."""
        return self.deadline < 1 or self.silence < 1

    @property
    def lets_it_happen(self) -> bool:
        """True where the site carries the request out, before the fault or after it."""
        late = isinstance(self.action, (Slow, Stall)) and self.point == "before_execute"
        return late or self.point in ("after_execute", "after_headers", "mid_body")


# For each row: a read and a write that meet the fault once, a read and a write that meet it always.
TABLE: dict[Row, dict[tuple[How, Literal["read", "write"]], Expected]] = {
    "not reached": {
        ("once", "read"): Expected("value", 1),
        ("once", "write"): Expected("value", 1),
        ("always", "read"): Expected("unavailable", 0),
        ("always", "write"): Expected("unavailable", 0),
    },
    "idle": {
        ("once", "read"): Expected("value", 1),
        ("once", "write"): Expected("value", 1),
        ("always", "read"): Expected("value", 1),
        ("always", "write"): Expected("value", 1),
    },
    "unknown": {
        ("once", "read"): Expected("value", 2),
        ("once", "write"): Expected("ambiguous", 1),
        ("always", "read"): Expected("unavailable", ATTEMPTS),
        ("always", "write"): Expected("ambiguous", 1),
    },
    "failed": {
        ("once", "read"): Expected("value", 2),
        ("once", "write"): Expected("ambiguous", 1),
        ("always", "read"): Expected("unavailable", 2),
        ("always", "write"): Expected("ambiguous", 1),
    },
    "throttled": {
        ("once", "read"): Expected("value", 2),
        ("once", "write"): Expected("value", 2),
        ("always", "read"): Expected("unavailable", ATTEMPTS),
        ("always", "write"): Expected("unavailable", ATTEMPTS),
    },
    "refused": {
        ("once", "read"): Expected("refused", 1),
        ("once", "write"): Expected("refused", 1),
        ("always", "read"): Expected("refused", 1),
        ("always", "write"): Expected("refused", 1),
    },
    "too large": {
        ("once", "read"): Expected("unavailable", 1),
        ("once", "write"): Expected("ambiguous", 1),
        ("always", "read"): Expected("unavailable", 1),
        ("always", "write"): Expected("ambiguous", 1),
    },
    "too late": {
        ("once", "read"): Expected("unavailable", 1),
        ("once", "write"): Expected("ambiguous", 1),
        ("always", "read"): Expected("unavailable", 1),
        ("always", "write"): Expected("ambiguous", 1),
    },
}

FAULTS = [
    # Without TLS a connection that the kernel took, and that then is reset, has already been sent the request.
    Fault("reset when connecting", "accept", Reset(), "not reached", tls_only=True),
    Fault("FIN when connecting", "accept", Fin(), "not reached", tls_only=True),
    Fault("reset in the handshake", "tls", Reset(), "not reached", tls_only=True),
    Fault("garbage in the handshake", "tls", Garbage(), "not reached", tls_only=True),
    Fault("FIN while idle", "keepalive_idle", Fin(), "idle"),
    Fault("reset while idle", "keepalive_idle", Reset(), "idle"),
    Fault("408 while idle", "keepalive_idle", Status(408), "idle"),
    Fault("garbage while idle", "keepalive_idle", Garbage(), "idle"),
    Fault("another's answer while idle", "keepalive_idle", SwappedAnswer(), "idle"),
    Fault("reset at the head", "headers", Reset(), "unknown"),
    Fault("FIN in the body", "body", Fin(), "unknown"),
    Fault("FIN before executing", "before_execute", Fin(), "unknown"),
    Fault("FIN after executing", "after_execute", Fin(), "unknown"),
    Fault("reset before executing", "before_execute", Reset(), "unknown"),
    Fault("reset after executing", "after_execute", Reset(), "unknown"),
    Fault("TLS EOF after executing", "after_execute", TlsEof(), "unknown", tls_only=True),
    Fault("FIN after the head", "after_headers", Fin(), "unknown"),
    Fault("reset in the answer", "mid_body", Reset(), "unknown"),
    Fault("no answer", "after_execute", Stall(0.5), "unknown", silence=0.2),
    Fault("executed late", "before_execute", Stall(0.5), "unknown", silence=0.2),
    Fault("slow answer", "after_headers", Slow(1.0), "too late", silence=2.0, deadline=0.3),
    Fault("endless headers", "after_execute", EndlessHeaders(most=2**22), "unknown"),
    Fault("endless headers, slowly", "after_execute", EndlessHeaders(100.0), "too late", deadline=0.3),
    Fault("502", "after_execute", Status(502), "unknown"),
    Fault("504", "after_execute", Status(504), "unknown"),
    Fault("503", "after_execute", Status(503, retry_after=0), "unknown"),
    Fault("503 before executing", "before_execute", Status(503), "unknown"),
    Fault("500", "after_execute", Status(500), "failed"),
    Fault("429", "headers", Status(429, retry_after=0.01), "throttled"),
    Fault("408", "headers", Status(408), "throttled"),
    Fault("400", "headers", Status(400), "refused"),
    Fault("403", "before_execute", Status(403), "refused"),
    Fault("404", "before_execute", Status(404), "refused"),
    Fault("413", "headers", Status(413), "refused"),
    Fault("302", "before_execute", Redirect("http://127.0.0.1:9/elsewhere"), "refused"),
    Fault("web page", "after_execute", Html(), "unknown"),
    Fault("empty answer", "after_execute", Empty(), "unknown"),
    Fault("garbage", "after_execute", Garbage(), "unknown"),
    Fault("other JSON", "after_execute", NotTheEnvelope(), "unknown"),
    Fault("half an answer", "after_execute", Truncated(), "unknown"),
    Fault("length too large", "after_execute", WrongLength(+20), "unknown"),
    Fault("length too small", "after_execute", WrongLength(-20), "unknown"),
    Fault("bad chunks", "after_execute", BadChunking(), "unknown"),
    Fault("bad gzip", "after_execute", BadGzip(), "unknown"),
    Fault("huge answer", "after_execute", Huge(4 * LARGEST), "too large"),
]
