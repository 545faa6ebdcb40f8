"""The log of a test's operations and its checkers: what must pass passes, and what must fail fails."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sgsession.testing.consistency import (
    Violation,
    check_monotonic_reads,
    check_read_your_writes,
    check_set,
    check_staleness,
)
from sgsession.testing.history import History, Operation
from sgsession.testing.interruption import switch_interval
from sgsession.testing.linearizability import UndecidedError, check_register


def history_of(*lines: str) -> History:
    """A history, written down: each line is one process, each column one moment.

    `[w1---]` is a write of 1 from its first to its last column, `[r1]` a read; the last sign is `]` for ok,
    `!` for a failure and `?` for an end that nobody knows.
    """
    history = History()
    open_operations: dict[int, tuple[Operation, Any]] = {}
    for column in range(max(map(len, lines))):
        for process, line in enumerate(lines):
            sign = line[column : column + 1]
            if sign == "[":
                kind = "write" if line[column + 1] == "w" else "read"
                value = None if line[column + 2] == "." else int(line[column + 2])
                given = value if kind == "write" else None
                operation = history.invoke(kind, "x", given, process=process)  # type: ignore[arg-type]
                open_operations[process] = operation, value
            elif sign and sign in "]!?":
                operation, value = open_operations.pop(process)
                {"]": lambda o, v: o.ok(v), "!": lambda o, v: o.fail(), "?": lambda o, v: o.info()}[sign](
                    operation, value
                )
    return history


# The log


def test_operations_are_logged_in_order_with_their_ends() -> None:
    """Begins and ends count the events of the whole history, and each line of the text is one operation."""
    history = History(clock=iter([1.0, 2.0, 3.0, 4.0]).__next__)
    first = history.invoke("write", "sh010", "ip", process="a")
    second = history.invoke("read", "sh010", process="b")
    second.ok("wtg")
    first.info("timed out")
    assert [(each.began, each.ended) for each in history.operations()] == [(1, 4), (2, 3)]
    assert (first.began_at, first.ended_at, second.began_at, second.ended_at) == (1.0, 4.0, 2.0, 3.0)
    assert history.operations("read") == [second]
    assert str(history).splitlines() == [
        "[1-4] a: write sh010 = 'ip': info timed out",
        "[2-3] b: read sh010 = 'wtg': ok",
    ]


def test_an_operation_ends_once() -> None:
    """A second end is a mistake of the test."""
    operation = History().invoke("add", "a")
    operation.ok()
    with pytest.raises(ValueError, match="ended already"):
        operation.fail()


def test_performing_notes_how_a_function_ended() -> None:
    """What it returns, what certainly did not happen, and what may have; Ctrl-C is noted and goes on."""
    history = History(fails=(KeyError,))

    def raising(error: BaseException) -> Callable[[], Any]:
        def function() -> Any:
            raise error

        return function

    assert history.perform("read", "x", lambda: 7).value == 7
    assert history.perform("add", "a", lambda: 7).value is None
    assert history.perform("write", "x", raising(KeyError("no")), 3).outcome == "fail"
    unknown = history.perform("write", "x", raising(OSError("gone")), 3)
    assert (unknown.outcome, unknown.error) == ("info", "OSError: gone")
    with pytest.raises(KeyboardInterrupt):
        history.perform("write", "x", raising(KeyboardInterrupt()), 4)
    assert history.operations()[-1].outcome == "info"


def test_many_threads_may_log() -> None:
    """Each event has its own number, and each thread is a process."""
    history = History()

    def work() -> None:
        for number in range(200):
            history.perform("add", number, lambda: None)

    with switch_interval():
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    operations = history.operations()
    events = [number for each in operations for number in (each.began, each.ended)]
    assert sorted(events) == list(range(1, 3201))
    assert [each.began for each in operations] == sorted(each.began for each in operations)
    assert len({each.process for each in operations}) == 8


# Sets


def added(**outcomes: str) -> History:
    """A history of adds, by their elements."""
    history = History()
    for key, ends in outcomes.items():
        for end in ends.split():
            operation = history.invoke("add", key)
            if end != "pending":
                getattr(operation, end)()
    return history


@pytest.mark.parametrize(
    ("outcome", "count", "promise"),
    [
        ("ok", 1, None),
        ("ok", 0, "lost"),
        ("ok", 2, "duplicated"),
        ("fail", 0, None),
        ("fail", 1, "failed, but there"),
        ("info", 0, None),
        ("info", 1, None),
        ("info", 2, "duplicated"),
        ("pending", 1, None),
        ("pending", 2, "duplicated"),
        ("fail ok", 1, None),
        ("info ok", 2, None),
        ("info ok", 0, "lost"),
        ("ok ok", 1, "lost"),
        ("fail fail", 2, "duplicated"),
    ],
)
def test_a_set_holds_what_was_added(outcome: str, count: int, promise: str | None) -> None:
    """As often as it must, and no more often than it may."""
    found = check_set(added(a=outcome, b="ok"), ["b", *["a"] * count])
    assert [each.promise for each in found] == ([promise] if promise else [])
    if found:
        assert f"'a' is there {count} times" in str(found[0])
        assert len(found[0].operations) == len(outcome.split())


def test_what_nobody_added_is_named() -> None:
    """It may be another test's, or a wrong answer."""
    (found,) = check_set(added(a="ok"), ["a", "b"])
    assert str(found) == "from nowhere: 'b' is there, and nobody added it"


outcomes = st.sampled_from(["ok", "fail", "info"])


@given(st.lists(outcomes, max_size=30), st.randoms())
def test_a_set_of_a_true_run_passes_and_each_change_of_it_fails(
    ends: list[str], chance: random.Random
) -> None:
    """Whatever the unknown ones did; one that is lost, doubled or made up is found, by its name."""
    history = added(**{f"t{number}": end for number, end in enumerate(ends)})
    contents = [
        f"t{number}"
        for number, end in enumerate(ends)
        if end == "ok" or (end == "info" and chance.random() < 0.5)
    ]
    assert check_set(history, contents) == []
    for key in contents:
        assert [each.operations[0].key for each in check_set(history, [*contents, key])] == [key]
        if ends[int(key[1:])] == "ok":
            without = [each for each in contents if each != key]
            assert [each.promise for each in check_set(history, without)] == ["lost"]
    assert len(check_set(history, [*contents, "stranger"])) == 1


# Registers

LINEARIZABLE = {
    "one after the other": ("[w1] [r1] [w2] [r2]",),
    "the initial value": ("[r.] [w1]",),
    "a read within a write sees either": ("[w1----------]", "   [r.] [r1]"),
    "two writes at once, either order": ("[w1----]     [r1]", "[w2----]"),
    "an unknown write that happened late": ("[w1?              ", "     [r.] [r1] [r1]"),
    "an unknown write that never happened": ("[w1]  [w2?", "             [r1] [r1]"),
    "a failed write": ("[w1] [w2!", "            [r1]"),
    "a write without an end": ("[w1] [w2", "            [r1] [r2]"),
    "the read ends before the write does": ("[w1            ]", "    [r1]  [r1]"),
}

NOT_LINEARIZABLE = {
    "a lost write": ("[w1] [w2]", "           [r1]"),
    "a read from nowhere": ("[w1]  [r9]",),
    "back to the initial value": ("[w1]  [r1]  [r.]",),
    "there and gone again": ("[w1----------------]", "   [r1]  [r.]"),
    "two readers see two orders": ("[w1--]", "[w2--]", "       [r1] [r2]"),
    "a failed write that is seen": ("[w1] [w2!", "            [r2]"),
    "an unknown write that comes and goes": ("[w1] [w2?", "            [r2] [r1]"),
    "read before it was written": ("     [w1]", "[r1]"),
}


@pytest.mark.parametrize("lines", LINEARIZABLE.values(), ids=LINEARIZABLE.keys())
def test_a_register_that_can_be_explained(lines: tuple[str, ...]) -> None:
    """There is an order of the operations in which each read gives the latest write."""
    assert check_register(history_of(*lines)) == []


@pytest.mark.parametrize("lines", NOT_LINEARIZABLE.values(), ids=NOT_LINEARIZABLE.keys())
def test_a_register_that_cannot_be_explained(lines: tuple[str, ...]) -> None:
    """There is none, and the operation that fits nowhere is named."""
    (found,) = check_register(history_of(*lines))
    assert found.promise == "linearizability"
    assert "fits nowhere" in str(found)
    assert found.operations


def test_a_violation_can_be_read() -> None:
    """It says who did what, and shows the operations with their times."""
    (found,) = check_register(history_of("[w1] [w2]", "           [r1]"))
    assert str(found) == (
        "linearizability: read of 1 by 1 on 'x' fits nowhere; the longest order that explains the rest ends with 2\n"
        "    [1-2] 0: write x = 1: ok\n"
        "    [3-4] 0: write x = 2: ok\n"
        "    [5-6] 1: read x = 1: ok"
    )


def test_each_register_is_judged_by_itself() -> None:
    """One bad key among good ones, and values that cannot be hashed."""
    history = History()
    for key in ("a", "b", "c"):
        history.perform("write", key, lambda: None, {"type": "Shot", "id": 1})
        history.perform("read", key, lambda key=key: {"type": "Shot", "id": 2 if key == "b" else 1})  # type: ignore[misc]
    assert [each.operations[-1].key for each in check_register(history)] == ["b"]


@st.composite
def true_runs(draw: st.DrawFn, most_steps: int = 40) -> History:
    """Histories of a register that really was one: each operation takes effect at one moment inside it."""
    chance = draw(st.randoms(use_true_random=False))
    history, value, free = History(), 0, list(range(draw(st.integers(1, 5))))
    under_way: list[tuple[int, Operation, bool]] = []
    written = 0
    for _ in range(draw(st.integers(1, most_steps))):
        if free and (not under_way or chance.random() < 0.5):
            process = free.pop(chance.randrange(len(free)))
            if chance.random() < 0.5:
                written += 1
                under_way.append((process, history.invoke("write", "x", written, process=process), False))
            else:
                under_way.append((process, history.invoke("read", "x", process=process), False))
            continue
        at = chance.randrange(len(under_way))
        process, operation, happened = under_way.pop(at)
        if not happened and not (operation.kind == "write" and chance.random() < 0.15):
            # The moment at which it takes effect; the answer comes later.
            if operation.kind == "write":
                value = operation.value
            else:
                operation.value = value
            under_way.append((process, operation, True))
            continue
        free.append(process)
        if happened and chance.random() < 0.85:
            operation.ok(operation.value)
        elif happened or chance.random() < 0.5:
            operation.info()
        else:
            operation.fail()
    return history


@given(true_runs())
def test_a_true_run_passes_every_checker(history: History) -> None:
    """No checker accuses a register that was one, whatever overlapped or got lost."""
    assert check_register(history, 0) == []
    assert check_monotonic_reads(history, 0) == []
    assert check_read_your_writes(history, 0) == []
    assert check_staleness(history, 0, 0) == []


@given(true_runs(most_steps=18), st.randoms(use_true_random=False))
def test_a_changed_run_is_judged_as_by_trying_every_order(history: History, chance: random.Random) -> None:
    """After one answer was replaced by another value the search says what brute force says."""
    # One more read for certain, so that there is an answer to change.
    history.perform("read", "x", lambda: chance.randrange(0, 5), process="last")
    reads = [each for each in history.operations("read") if each.outcome == "ok"]
    matter = [each for each in history.operations() if each.outcome == "ok" or each.kind == "write"]
    assume(len(matter) <= 7)
    chance.choice(reads).value = chance.randrange(0, 5)
    assert bool(check_register(history, 0)) == (not explained(matter, 0))


def explained(operations: list[Operation], initial: Any) -> bool:
    """Whether any order of the operations, with or without each unknown write, explains all reads."""
    sure = [each for each in operations if each.outcome == "ok"]
    unknown = [each for each in operations if each.outcome in ("info", "pending") and each.kind == "write"]
    for mask in range(2 ** len(unknown)):
        chosen = sure + [each for bit, each in enumerate(unknown) if mask >> bit & 1]
        if any(_explains(order, initial) for order in permutations(chosen)):
            return True
    return False


def _explains(order: tuple[Operation, ...], initial: Any) -> bool:
    value = initial
    for at, operation in enumerate(order):
        later = order[at + 1 :]
        if any(each.outcome == "ok" and (each.ended or 0) < operation.began for each in later):
            return False
        if operation.kind == "write":
            value = operation.value
        elif operation.value != value:
            return False
    return True


def test_a_dozen_operations_at_a_time_are_decided_quickly() -> None:
    """Of 12 clients on one register, over 600 operations, true and false ones."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    history, value = History(), 0
    under_way: list[Operation] = []
    for number in range(1, 601):
        if len(under_way) == 12:
            operation = under_way.pop(chance.randrange(12))
            if operation.kind == "write":
                value = operation.value
                operation.ok()
            else:
                operation.ok(value)
        kind: Any = chance.choice(["read", "write"])
        under_way.append(history.invoke(kind, "x", number if kind == "write" else None, process=number))
    began = time.perf_counter()
    assert check_register(history, 0) == [], f"seed {seed}"
    next(each for each in history.operations("read") if each.outcome == "ok").value = -1
    assert len(check_register(history, 0)) == 1, f"seed {seed}"
    assert time.perf_counter() - began < 10


def test_far_too_many_at_a_time_are_refused() -> None:
    """An answer that would take for ever is not begun."""
    history = History()
    writes = [history.invoke("write", "x", number, process=number) for number in range(40)]
    reads = [history.invoke("read", "x", process=100 + number) for number in range(40)]
    for number, read in enumerate(reads):
        read.ok(number)
    for write in writes:
        write.ok()
    # No order gives this: all was written once, and 0 is read again after everything.
    for value in (0, 1):
        history.perform("read", "x", lambda value=value: value)  # type: ignore[misc]
    with pytest.raises(UndecidedError, match="overlap"):
        check_register(history)


# Sessions and time


@pytest.mark.parametrize(
    ("lines", "broken"),
    [
        (("[w1] [w2]", "          [r2] [r1]"), True),
        (("[w1] [w2]", "          [r1] [r2]"), False),
        (("[w1] [w2]", "          [r2]", "               [r1]"), False),
        (("[w1]", "     [r1] [r.]"), True),
        (("[w1--]", "[w2--]", "      [r1] [r2] [r1]"), False),
        (("[w1]  [w2?", "          [r2] [r1]"), True),
        (("[w1?  [w2]", "          [r2] [r1]"), False),
    ],
)
def test_monotonic_reads(lines: tuple[str, ...], broken: bool) -> None:
    """A process that has seen a value sees none that was certainly gone before it; another process may."""
    found = check_monotonic_reads(history_of(*lines))
    assert bool(found) == broken
    if broken:
        assert str(found[0]).startswith("monotonic reads: ")


@pytest.mark.parametrize(
    ("lines", "broken"),
    [
        (("[w1] [w2] [r1]",), True),
        (("[w1] [w2]", "          [r1]"), False),
        (("[w1] [r.]",), True),
        (("[w1] [r1]",), False),
        (("[w1]   [r2]", "   [w2]"), False),
        (("     [w1] [r2]", "[w2]"), True),
        (("     [w1? [r2]", "[w2]"), False),
    ],
)
def test_reading_ones_own_writes(lines: tuple[str, ...], broken: bool) -> None:
    """After a write its process sees that value, or another that is not certainly older."""
    found = check_read_your_writes(history_of(*lines))
    assert bool(found) == broken
    if broken:
        assert "after it had written" in str(found[0])


def test_staleness_has_a_bound() -> None:
    """A value may be read so many seconds after it was overwritten, and no longer."""
    now = [0.0]
    history = History(clock=lambda: now[0])
    for value in (1, 2):
        history.perform("write", "x", lambda: None, value)
    now[0] = 3.0
    history.perform("read", "x", lambda: 1)
    assert check_staleness(history, 3.0) == []
    (found,) = check_staleness(history, 2.9)
    assert str(found).startswith("staleness: 1 was read 3.000 s after 2 was there (bound: 2.9 s)\n")
    assert Counter(each.kind for each in found.operations) == {"write": 1, "read": 1}
    assert isinstance(found, Violation)
