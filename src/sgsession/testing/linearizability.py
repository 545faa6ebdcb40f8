"""The register checker: is there an order of the operations that explains every answer?

Linearizable means that each operation seems to happen in one moment between its begin and its end. The search is
that of Wing and Gong with Lowe's memory of configurations that were seen: operations are tried in turn as the next
one, and those that must have happened by now but fit nowhere make it go back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import Any

from .consistency import Violation
from .history import History, Operation

__all__ = ["UndecidedError", "check_register"]

# Configurations that are looked at for one register: these, and so many more for each operation on it. A dozen
# operations at a time stay far below.
_MOST_CONFIGURATIONS = 100_000
_MORE_FOR_EACH = 500


class UndecidedError(Exception):
    """Too many operations on one register overlap for an answer in reasonable time."""


def check_register(history: History, initial: Any = None) -> list[Violation]:
    """Each register (key) by itself is linearizable: every read gives the latest value written.

    A write that failed did not happen; one whose end nobody knows happened at any time after its begin, or
    never; a read without an answer says nothing. `initial` is what a register begins with. Up to a dozen
    operations on one key may overlap.

    Raises:
        UndecidedError: far more than a dozen did.
    """
    operations: dict[Hashable, list[Operation]] = defaultdict(list)
    for each in history.operations("read", "write"):
        if each.outcome == "ok" or (each.kind == "write" and each.outcome != "fail"):
            operations[each.key].append(each)
    found = (_Search(_that_matter(each), initial).run() for each in operations.values())
    return [violation for violation in found if violation is not None]


def _that_matter(operations: list[Operation]) -> list[Operation]:
    """Without the writes of unknown end whose value nobody read: that they never happened explains all."""
    read = {_hashable(each.value) for each in operations if each.kind == "read"}
    return [each for each in operations if each.outcome == "ok" or _hashable(each.value) in read]


class _Event:
    """The begin or the end of an operation, in a list from which operations are lifted out and put back."""

    __slots__ = ("end", "is_end", "next", "operation", "previous")

    def __init__(self, operation: Operation | None, *, is_end: bool) -> None:
        self.operation = operation
        self.is_end = is_end
        self.end: _Event | None = None
        self.previous: _Event = self
        self.next: _Event | None = None

    def lift(self) -> None:
        self.previous.next = self.next
        if self.next is not None:
            self.next.previous = self.previous

    def put_back(self) -> None:
        self.previous.next = self
        if self.next is not None:
            self.next.previous = self


class _Search:
    """The search for an order of the operations on one register."""

    def __init__(self, operations: list[Operation], initial: Any) -> None:
        self._state = _hashable(initial)
        self._values = {id(each): _hashable(each.value) for each in operations}
        self._bits = {id(each): 1 << number for number, each in enumerate(operations)}
        self._head = _linked(operations)
        self._most = _MOST_CONFIGURATIONS + _MORE_FOR_EACH * len(operations)
        self._placed = 0
        self._order: list[tuple[_Event, Hashable]] = []
        self._seen: set[tuple[int, Hashable]] = set()
        # The longest order that was found, and what fitted nowhere after it.
        self._longest: list[Operation] = []
        self._misfit: Operation | None = None

    def run(self) -> Violation | None:
        """None if there is an order; else what is wrong with the longest one."""
        event = self._head.next
        while event is not None:
            if event.is_end:
                self._remember(event)
                if not self._order:
                    return self._violation()
                event = self._take_back().next
            elif self._place(event):
                event = self._head.next
            else:
                event = event.next
        # What is left are writes that need not have happened.
        return None

    def _place(self, event: _Event) -> bool:
        operation = event.operation
        assert operation is not None
        value = self._values[id(operation)]
        if operation.kind == "read" and value != self._state:
            return False
        placed = self._placed | self._bits[id(operation)]
        if (placed, value) in self._seen:
            return False
        if len(self._seen) >= self._most:
            raise UndecidedError(f"too many operations on {operation.key!r} overlap")
        self._seen.add((placed, value))
        self._order.append((event, self._state))
        self._placed, self._state = placed, value
        event.lift()
        if event.end is not None:
            event.end.lift()
        return True

    def _take_back(self) -> _Event:
        event, self._state = self._order.pop()
        assert event.operation is not None
        self._placed &= ~self._bits[id(event.operation)]
        if event.end is not None:
            event.end.put_back()
        event.put_back()
        return event

    def _remember(self, misfit: _Event) -> None:
        if self._misfit is None or len(self._order) > len(self._longest):
            self._longest = [event.operation for event, _ in self._order if event.operation is not None]
            self._misfit = misfit.operation

    def _violation(self) -> Violation:
        misfit = self._misfit
        assert misfit is not None
        before = self._longest[-3:]
        what = f"{misfit.kind} of {misfit.value!r} by {misfit.process} on {misfit.key!r} fits nowhere"
        if before:
            what += f"; the longest order that explains the rest ends with {before[-1].value!r}"
        return Violation("linearizability", what, (*before, misfit))


def _linked(operations: list[Operation]) -> _Event:
    """The events of the operations in order, behind an empty one."""
    events: list[tuple[int, _Event]] = []
    for each in operations:
        begin = _Event(each, is_end=False)
        events.append((each.began, begin))
        if each.outcome == "ok" and each.ended is not None:
            begin.end = _Event(each, is_end=True)
            events.append((each.ended, begin.end))
    head = last = _Event(None, is_end=False)
    for _, event in sorted(events, key=lambda pair: pair[0]):
        last.next, event.previous = event, last
        last = event
    return head


def _hashable(value: Any) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value  # type: ignore[no-any-return]
