"""What follows from the way a request went: the whole policy of repetition, as one pure function.

The table is reliability.md 5.2. One rule stands above it: a write of which anything may have been executed is
not sent again, and whoever asked for it is told that its outcome is unknown.

Not in it: new credentials. They change the request, and so make another call (`SafeClient._call_rpc`).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from ..line.answers import Happening
from .options import TransportOptions

__all__ = ["Decision", "Effect", "Verdict", "decide", "leaves_doubt"]


class Effect(Enum):
    """What sending a request twice would do."""

    READ = "read"
    """Nothing: it changes nothing."""
    IDEMPOTENT = "idempotent"
    """Nothing more than sending it once, for whoever accepts that it may undo what others did meanwhile."""
    WRITE = "write"
    """Possibly everything twice. What is not known to be a read is this."""


class Verdict(Enum):
    """What to do after an attempt."""

    DONE = "done"
    REPEAT = "repeat"
    UNAVAILABLE = "raise SiteUnavailable"
    AMBIGUOUS = "raise AmbiguousWrite"
    REFUSED = "raise what the site said"


class Decision(NamedTuple):
    """A verdict, and how many seconds to wait before it is carried out."""

    verdict: Verdict
    pause: float = 0.0


# Proof that the request was not executed, whatever it was.
_NOT_EXECUTED = frozenset(
    {
        Happening.UNREACHABLE,
        Happening.UNTRUSTED,
        Happening.THROTTLED,
        Happening.IMPATIENT,
        Happening.REFUSED,
    }
)
# These say all there is to say, and the same again if asked again.
_FINAL = frozenset({Happening.UNTRUSTED, Happening.TOO_LARGE})


def decide(
    happening: Happening,
    *,
    effect: Effect,
    attempt: int,
    time_left: float,
    options: TransportOptions,
    chance: float = 0.0,
    retry_after: float | None = None,
    in_doubt: bool = False,
    may_repeat: bool = True,
) -> Decision:
    """What follows from one attempt. Pure: the same arguments give the same decision.

    Args:
        happening: how the attempt ended.
        effect: what sending the request again would do.
        attempt: how many attempts were made, this one included.
        time_left: seconds until the call's deadline.
        options: the numbers.
        chance: a random number from 0 to 1, for the jitter of the pause.
        retry_after: seconds that the site asked to wait, if it did.
        in_doubt: an earlier attempt of this call may have been executed.
        may_repeat: the retry budget has something left, and the breaker is closed.
    """
    if happening is Happening.ANSWERED:
        return Decision(Verdict.DONE)
    if happening is Happening.REFUSED:
        # A no to a repetition says nothing of the attempt before it.
        unknown = in_doubt and effect is not Effect.READ
        return Decision(Verdict.AMBIGUOUS if unknown else Verdict.REFUSED)

    doubtful = in_doubt or leaves_doubt(happening, options)
    if doubtful and effect is Effect.WRITE:
        return Decision(Verdict.AMBIGUOUS)
    pause = _pause(attempt, chance, retry_after, options)
    if (
        may_repeat
        and happening not in _FINAL
        and attempt < _most_attempts(happening, options)
        and pause < time_left
        and (retry_after is None or retry_after <= options.longest_retry_after)
    ):
        return Decision(Verdict.REPEAT, pause)
    unknown = doubtful and effect is not Effect.READ
    return Decision(Verdict.AMBIGUOUS if unknown else Verdict.UNAVAILABLE)


def leaves_doubt(happening: Happening, options: TransportOptions) -> bool:
    """True where a request that ended so may have been executed."""
    if happening is Happening.MAINTENANCE and options.maintenance_is_rejection:
        return False
    return happening not in _NOT_EXECUTED


def _most_attempts(happening: Happening, options: TransportOptions) -> int:
    # A site that fails over a request will most likely fail over it again; once more is enough.
    return min(2, options.attempts) if happening is Happening.FAILED else options.attempts


def _pause(attempt: int, chance: float, retry_after: float | None, options: TransportOptions) -> float:
    # Full jitter: a farm whose calls all failed at one moment must not come back at one moment.
    pause = chance * min(options.backoff_cap, options.backoff_base * 2.0 ** min(attempt - 1, 30))
    return pause if retry_after is None else retry_after + pause
