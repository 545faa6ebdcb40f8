"""Checkers of a history: each gives the violations it can prove, in words, and an empty list if there are none.

They never accuse wrongly: where operations overlapped, or nobody knows whether a write happened, every order that
is possible is allowed. Values that are written to one register should differ; equal ones hide violations.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .history import History, Operation

__all__ = [
    "Violation",
    "check_monotonic_reads",
    "check_read_your_writes",
    "check_set",
    "check_staleness",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and the operations that show it."""

    promise: str
    what: str
    operations: tuple[Operation, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join([f"{self.promise}: {self.what}", *map(str, self.operations)])


def check_set(history: History, contents: Iterable[Hashable]) -> list[Violation]:
    """Nothing lost, nothing twice, nothing from nowhere: what a set holds at the end, against what was added.

    Each element whose "add" was ok is there once, one that failed is not, and one whose end nobody knows is
    there once or not at all. An element that was added several times may be there once for each.
    """
    adds: dict[Hashable, list[Operation]] = defaultdict(list)
    for operation in history.operations("add"):
        adds[operation.key].append(operation)
    counted = Counter(contents)
    violations = []
    for key, operations in adds.items():
        outcomes = Counter(each.outcome for each in operations)
        least = outcomes["ok"]
        most = least + outcomes["info"] + outcomes["pending"]
        if not least <= counted[key] <= most:
            allowed = f"{least}" if least == most else f"{least} to {most}"
            what = f"{key!r} is there {counted[key]} times; it should be {allowed}"
            promise = (
                "lost" if counted[key] < least else "duplicated" if counted[key] > 1 else "failed, but there"
            )
            violations.append(Violation(promise, what, tuple(operations)))
    strangers = [key for key in counted if key not in adds]
    violations += [Violation("from nowhere", f"{key!r} is there, and nobody added it") for key in strangers]
    return violations


def check_monotonic_reads(history: History, initial: Any = None) -> list[Violation]:
    """No process reads a value of a register, and later an older one. `initial` is what registers began with."""
    violations = []
    for register in _registers(history, initial):
        for process, reads in register.reads_by_process().items():
            latest: Operation | None = None
            for read in reads:
                if latest is not None and register.is_older(read.value, latest.value):
                    what = f"{process} read {read.value!r} after {latest.value!r}, which is newer"
                    violations.append(Violation("monotonic reads", what, (latest, read)))
                else:
                    latest = read
    return violations


def check_read_your_writes(history: History, initial: Any = None) -> list[Violation]:
    """No process writes a value to a register, and later reads an older one."""
    violations = []
    for register in _registers(history, initial):
        reads = register.reads_by_process()
        for write in register.writes:
            if write.outcome != "ok":
                continue
            for read in reads.get(write.process, ()):
                if read.began > _end(write) and register.is_older(read.value, write.value, write):
                    what = f"{read.process} read {read.value!r} after it had written {write.value!r}"
                    violations.append(Violation("read your writes", what, (write, read)))
                    break
    return violations


def check_staleness(history: History, bound: float, initial: Any = None) -> list[Violation]:
    """No read gives a value that had been overwritten for more than `bound` seconds when it began."""
    violations = []
    for register in _registers(history, initial):
        for read in register.reads:
            for write in register.writes:
                if write.outcome != "ok" or write.ended_at is None or read.began_at - write.ended_at <= bound:
                    continue
                if register.is_older(read.value, write.value, write):
                    age = read.began_at - write.ended_at
                    what = f"{read.value!r} was read {age:.3f} s after {write.value!r} was there (bound: {bound} s)"
                    violations.append(Violation("staleness", what, (write, read)))
                    break
    return violations


class _Register:
    """All operations on one register."""

    def __init__(self, initial: Any) -> None:
        self.initial = initial
        self.writes: list[Operation] = []
        self.reads: list[Operation] = []

    def reads_by_process(self) -> dict[Hashable, list[Operation]]:
        """The reads of each process that gave a value, in order."""
        found: dict[Hashable, list[Operation]] = defaultdict(list)
        for read in self.reads:
            found[read.process].append(read)
        return found

    def is_older(self, value: Any, than: Any, write: Operation | None = None) -> bool:
        """Whether a value was certainly gone before another one came, by `write` if that is known."""
        if value == than:
            return False
        happened = [each for each in self.writes if each.outcome != "fail"]
        newer = [write] if write is not None else [each for each in happened if each.value == than]
        if not newer:
            return False
        older = [each for each in happened if each.value == value]
        if not older:
            # Nobody wrote it: it was there at first, or it is another checker's business.
            return bool(value == self.initial)
        return max(map(_end, older)) < min(each.began for each in newer)


def _registers(history: History, initial: Any) -> Iterator[_Register]:
    registers: dict[Hashable, _Register] = {}
    for operation in history.operations("read", "write"):
        register = registers.setdefault(operation.key, _Register(initial))
        if operation.kind == "write":
            register.writes.append(operation)
        elif operation.outcome == "ok":
            register.reads.append(operation)
    yield from registers.values()


def _end(operation: Operation) -> float:
    """When an operation was certainly over; a write whose end nobody knows may still happen."""
    return operation.ended if operation.outcome == "ok" and operation.ended is not None else math.inf
