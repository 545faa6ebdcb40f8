"""The decision table, all of it, against the rules of reliability.md 5.1 and 5.2."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession.transport.calling.calls import IDEMPOTENT, READS, Call, effect_of
from sgsession.transport.calling.decisions import Decision, Effect, Verdict, decide, leaves_doubt
from sgsession.transport.calling.options import TransportOptions
from sgsession.transport.line.answers import Happening

PLAIN = TransportOptions()
REJECTING = TransportOptions(maintenance_is_rejection=True)
ONCE = TransportOptions(attempts=1)

# Said by the contract, not by the code: what proves that nothing was done.
NOTHING_LEFT = {Happening.UNREACHABLE, Happening.UNTRUSTED}
REJECTED = {Happening.THROTTLED, Happening.REFUSED, Happening.IMPATIENT}


@dataclass(frozen=True)
class Row:
    """One line of the table: what was asked, and what was decided."""

    happening: Happening
    effect: Effect
    attempt: int
    time_left: float
    retry_after: float | None
    in_doubt: bool
    may_repeat: bool
    options: TransportOptions
    chance: float
    decision: Decision

    @property
    def may_be_executed(self) -> bool:
        """Whether this attempt or an earlier one may have been done."""
        rejected = self.happening in NOTHING_LEFT | REJECTED
        if self.happening is Happening.MAINTENANCE and self.options.maintenance_is_rejection:
            rejected = True
        return self.in_doubt or not rejected


def table() -> Iterator[Row]:
    """Every combination."""
    combinations = itertools.product(
        Happening,
        Effect,
        (1, 2, 3, 4, 5),
        (-1.0, 0.0, 3.0, 120.0),
        (None, 0.0, 2.0, 61.0),
        (False, True),
        (False, True),
        (PLAIN, REJECTING, ONCE),
    )
    for number, arguments in enumerate(combinations):
        happening, effect, attempt, time_left, retry_after, in_doubt, may_repeat, options = arguments
        chance = (number % 11) / 10
        decision = decide(
            happening,
            effect=effect,
            attempt=attempt,
            time_left=time_left,
            options=options,
            chance=chance,
            retry_after=retry_after,
            in_doubt=in_doubt,
            may_repeat=may_repeat,
        )
        yield Row(*arguments[:7], options, chance, decision)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The table, once for all tests."""
    return [*table()]


def test_the_table_is_exhaustive(rows: list[Row]) -> None:
    """Some 37,000 rows, and every verdict is in it."""
    assert len(rows) > 20_000
    assert {row.decision.verdict for row in rows} == set(Verdict)


def test_a_write_of_which_anything_may_be_done_is_not_sent_again(rows: list[Row]) -> None:
    """The one rule above all: no repetition, whatever budget, time and attempts are left."""
    asked = [row for row in rows if row.effect is Effect.WRITE and row.may_be_executed]
    assert asked
    again = (Verdict.REPEAT, Verdict.UNAVAILABLE)
    assert not [
        row for row in asked if row.happening is not Happening.ANSWERED and row.decision.verdict in again
    ]


def test_what_was_answered_is_done(rows: list[Row]) -> None:
    """An answer ends a call at once, and nothing else is taken for an answer."""
    for row in rows:
        assert (row.decision.verdict is Verdict.DONE) == (row.happening is Happening.ANSWERED), row


def test_a_definite_rejection_is_never_ambiguous(rows: list[Row]) -> None:
    """Where no earlier attempt is in doubt, a no is told as a no."""
    for row in rows:
        if not row.may_be_executed:
            assert row.decision.verdict is not Verdict.AMBIGUOUS, row


def test_nothing_that_may_be_done_is_told_as_not_done(rows: list[Row]) -> None:
    """A write in doubt is neither "unavailable" nor "refused", both of which say that nothing was changed."""
    for row in rows:
        if row.effect is not Effect.READ and row.may_be_executed:
            assert row.decision.verdict not in (Verdict.UNAVAILABLE, Verdict.REFUSED), row


def test_a_read_is_never_ambiguous(rows: list[Row]) -> None:
    """There is nothing about a read that could be in doubt."""
    assert not [
        row for row in rows if row.effect is Effect.READ and row.decision.verdict is Verdict.AMBIGUOUS
    ]


def test_reads_are_repeated_while_there_is_leave(rows: list[Row]) -> None:
    """Attempts, time, budget and a Retry-After that can be honoured: then a read is sent again."""
    transient = set(Happening) - REJECTED - {Happening.ANSWERED, Happening.UNTRUSTED, Happening.TOO_LARGE}
    for row in rows:
        if row.effect is Effect.READ and row.happening in transient | {
            Happening.THROTTLED,
            Happening.IMPATIENT,
        }:
            most = min(2, row.options.attempts) if row.happening is Happening.FAILED else row.options.attempts
            room = row.time_left - (row.retry_after or 0.0)
            left = row.attempt < most and row.may_repeat and room >= 100 and row.retry_after != 61.0
            if left:
                assert row.decision.verdict is Verdict.REPEAT, row
            if row.attempt >= most or not row.may_repeat or row.time_left <= 0 or row.retry_after == 61.0:
                assert row.decision.verdict is Verdict.UNAVAILABLE, row


def test_a_rejected_write_is_repeated_as_a_read_is(rows: list[Row]) -> None:
    """A write that found nobody, or was throttled, was not done: it goes the way of a read."""
    as_read = {
        (row.happening, row.attempt, row.time_left, row.retry_after, row.may_repeat, row.options.attempts): (
            row.decision.verdict
        )
        for row in rows
        if row.effect is Effect.READ and row.options is not REJECTING
    }
    for row in rows:
        turned_down = (Happening.UNREACHABLE, Happening.THROTTLED, Happening.IMPATIENT)
        fits = row.happening in turned_down and not row.in_doubt
        if row.effect is Effect.WRITE and fits and row.options is not REJECTING and row.time_left > 100:
            key = (
                row.happening,
                row.attempt,
                row.time_left,
                row.retry_after,
                row.may_repeat,
                row.options.attempts,
            )
            assert row.decision.verdict is as_read[key], row


def test_pauses_are_bounded(rows: list[Row]) -> None:
    """Only a repetition waits: less than the time left, at most the cap beyond what the site asked for."""
    for row in rows:
        decision = row.decision
        if decision.verdict is not Verdict.REPEAT:
            assert decision.pause == 0.0, row
            continue
        asked = row.retry_after or 0.0
        assert 0.0 <= decision.pause < row.time_left, row
        assert asked <= decision.pause <= asked + row.options.backoff_cap, row
        assert decision.pause <= asked + row.options.backoff_base * 2 ** (row.attempt - 1), row


def test_what_says_all_there_is_to_say_is_not_asked_again(rows: list[Row]) -> None:
    """A wrong certificate, an answer that is too large, and any refusal are told at once."""
    final = (Happening.UNTRUSTED, Happening.TOO_LARGE, Happening.REFUSED)
    assert not [row for row in rows if row.happening in final and row.decision.verdict is Verdict.REPEAT]


def test_a_last_attempt_is_not_repeated(rows: list[Row]) -> None:
    """No more attempts than the options allow, and no more than two where the site failed."""
    for row in rows:
        if row.decision.verdict is Verdict.REPEAT:
            assert row.attempt < row.options.attempts, row
            assert row.attempt < 2 or row.happening is not Happening.FAILED, row


def test_doubt_is_consistent_with_the_verdict(rows: list[Row]) -> None:
    """What leaves a doubt is what an unrepeatable write becomes ambiguous by, and nothing else."""
    for row in rows:
        if row.happening in (Happening.ANSWERED, Happening.REFUSED) or row.in_doubt:
            continue
        doubt = leaves_doubt(row.happening, row.options)
        assert doubt == row.may_be_executed, row
        if row.effect is Effect.WRITE:
            assert doubt == (row.decision.verdict is Verdict.AMBIGUOUS), row


def test_the_decision_is_a_function(rows: list[Row]) -> None:
    """The same arguments give the same decision."""
    assert [row.decision for row in table()] == [row.decision for row in rows]


HAPPENINGS = st.lists(st.sampled_from(sorted(set(Happening) - {Happening.ANSWERED}, key=str)), max_size=6)


@given(happenings=HAPPENINGS, options=st.sampled_from([PLAIN, REJECTING, ONCE]), chance=st.floats(0, 1))
def test_a_write_is_sent_once_at_most(
    happenings: list[Happening], options: TransportOptions, chance: float
) -> None:
    """Whatever happens to the attempts of a call in turn: at most one of them may have been executed."""
    may_be_executed = 0
    in_doubt = False
    for number, happening in enumerate(happenings, start=1):
        may_be_executed += leaves_doubt(happening, options)
        decision = decide(
            happening,
            effect=Effect.WRITE,
            attempt=number,
            time_left=100.0,
            options=options,
            chance=chance,
            in_doubt=in_doubt,
        )
        in_doubt = in_doubt or leaves_doubt(happening, options)
        if decision.verdict is not Verdict.REPEAT:
            break
        assert may_be_executed == 0
    assert may_be_executed <= 1


@pytest.mark.parametrize(
    "method",
    ["create", "batch", "what_no_version_knows", "", "authenticate", "schema_field_create", "upload"],
)
@pytest.mark.parametrize("allowed", [False, True])
def test_what_is_not_known_is_a_write(method: str, allowed: bool) -> None:
    """A method that nobody named a read is one that must not be sent twice."""
    call = Call(method, [{"request_type": "create"}])
    assert effect_of(call, idempotent_writes=allowed) is Effect.WRITE


def test_what_may_be_repeated_is_disjoint() -> None:
    """Nothing is both a read and a write; without leave no write is repeated, with it those that are listed."""
    assert not READS & IDEMPOTENT
    for method in IDEMPOTENT:
        assert effect_of(Call(method), idempotent_writes=False) is Effect.WRITE
        assert effect_of(Call(method), idempotent_writes=True) is Effect.IDEMPOTENT
    for method in READS:
        assert effect_of(Call(method), idempotent_writes=False) is Effect.READ


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["update", "delete"], Effect.IDEMPOTENT),
        (["update", "create"], Effect.WRITE),
        (["update", None], Effect.WRITE),
        ([], Effect.IDEMPOTENT),
    ],
)
def test_a_batch_is_as_safe_as_its_least_safe_member(kinds: list[Any], expected: Effect) -> None:
    """One create among updates makes all of it unrepeatable."""
    call = Call("batch", [{"request_type": kind} for kind in kinds])
    assert effect_of(call, idempotent_writes=True) is expected


@pytest.mark.parametrize("name", ["deadline", "connect_timeout", "inactivity_timeout", "largest_answer"])
def test_options_that_cannot_work_are_refused(name: str) -> None:
    """No time and no room at all are mistakes, and are told by the name of the option."""
    with pytest.raises(ValueError, match=name):
        TransportOptions(**{name: 0})
    with pytest.raises(ValueError, match="attempts"):
        TransportOptions(attempts=0)
