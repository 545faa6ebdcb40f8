"""The numbers that the pool's connections go by, in one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TransportOptions"]


@dataclass(frozen=True)
class TransportOptions:
    """How long calls may take, what is repeated, and how a suffering site is spared. All times are seconds.

    The defaults suit an interactive tool and a farm job alike. Change one with
    `TransportOptions(deadline=30)`, and hand it to `ShotgunPool(…, options=…)`.
    """

    deadline: float = 120.0
    """The most that one request may take, from the wait for a connection to the last byte, its repetitions included."""
    upload_rate: float = 262_144.0
    """Bytes a second that an upload is granted beyond `deadline`; a slower line runs out of time."""
    connect_timeout: float = 10.0
    """The most that connecting may take, from the look-up of the name to TLS."""
    inactivity_timeout: float = 60.0
    """The longest silence on an open connection. The client's own `config.timeout_secs`, if set, wins."""
    attempts: int = 4
    """How often a request is sent at most, where sending it again cannot do anything twice."""
    backoff_base: float = 0.5
    """The first pause is random below this; each further one may be twice as long."""
    backoff_cap: float = 20.0
    """No pause is longer."""
    longest_retry_after: float = 60.0
    """What a site may ask for by `Retry-After`; if it asks for more, the call fails at once and says so."""
    retry_budget: float = 10.0
    """How many repetitions the pool has in reserve; each call adds `retry_refill`, each repetition takes one."""
    retry_refill: float = 0.1
    """So a site where everything fails gets at most a tenth more requests than there were calls."""
    breaker_failures: int = 10
    """After so many failures in a row the pool stops asking and fails at once, until a probe succeeds.

    Connections that break together, as when a site restarts, are one failure.
    """
    breaker_share: float = 0.5
    """It stops as well when this share of the requests of `breaker_window` failed, of `breaker_least` or more."""
    breaker_least: int = 20
    breaker_window: float = 30.0
    breaker_pause: tuple[float, float] = (5.0, 9.0)
    """How long it stops, drawn at random so that a farm does not come back as one."""
    recover_every: float = 10.0
    """A site that says "too many requests" halves the connections in use; one comes back after each such time."""
    idle_reuse_reads: float = 60.0
    """A connection that was idle for longer is replaced before a read …"""
    idle_reuse_writes: float = 5.0
    """… and before a write, which could not be sent again if the connection broke under it."""
    longest_life: float = 600.0
    """A connection that is older is replaced, since names may lead to another machine by then."""
    largest_answer: int = 256 * 2**20
    """Bytes of an answer, unpacked, before it is given up."""
    idempotent_writes: bool = False
    """Send updates, deletes, revivals and follows again where it is unknown whether they were done.

    They then may overwrite what somebody else wrote meanwhile. Creating is never repeated.
    """
    maintenance_is_rejection: bool = False
    """Take 503 as proof that a write was not done. True of a site behind a proxy that answers for it."""
    dedupe_field: str | None = None
    """A text field that each created row gets a unique id in, so that `reconcile()` finds it for certain."""
    startup_spread: float = 0.0
    """The first request waits a random time below this, so that a thousand farm jobs do not start as one."""
    renew_credentials: Callable[[], Mapping[str, Any]] | None = None
    """Called when the site no longer takes the credentials; returns new ones as attributes of `config`.

    `lambda: {"session_token": fetch_token()}`, say. Called by one thread at a time; the others wait for it.
    """

    def __post_init__(self) -> None:
        for name in ("deadline", "connect_timeout", "inactivity_timeout", "upload_rate", "largest_answer"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)!r}.")
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, not {self.attempts!r}.")
