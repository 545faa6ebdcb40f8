"""What a test's clients did and were told, in order: the log that the checkers of consistency read.

    history = History(fails=(SiteUnavailable, Fault))
    history.perform("add", code, lambda: client.create("Shot", {"code": code, "project": project}))
    ...                                         # from any number of threads
    assert not check_set(history, [row["code"] for row in truth])

The checkers are in `consistency.py` and `linearizability.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["History", "Kind", "Operation", "Outcome"]

Kind = Literal["add", "write", "read"]
"""What an operation does: puts a new element into a set, gives a register a value, or asks for its value."""

Outcome = Literal["pending", "ok", "fail", "info"]
"""How it ended: it has not; it happened; it certainly did not happen; nobody knows, now or later."""


@dataclass(eq=False, slots=True)
class Operation:
    """One operation of one process: from `began` to `ended`, which count the events of the whole history.

    `key` is the element that is added, or the register. `value` is what is written, or what a read has given
    once it is ok. `began_at` and `ended_at` are moments of the history's clock, in seconds.
    """

    history: History = field(repr=False)
    process: Hashable
    kind: Kind
    key: Hashable
    value: Any
    began: int
    began_at: float
    outcome: Outcome = "pending"
    ended: int | None = None
    ended_at: float | None = None
    error: str = ""

    def ok(self, value: Any = None) -> None:
        """It happened; a read gave `value`."""
        self._end("ok")
        if self.kind == "read":
            self.value = value

    def fail(self, error: object = "") -> None:
        """It certainly did not happen."""
        self._end("fail", error)

    def info(self, error: object = "") -> None:
        """It may have happened, or may still happen."""
        self._end("info", error)

    def __str__(self) -> str:
        end = "…" if self.ended is None else self.ended
        said = f" {self.error}" if self.error else ""
        # An element that is added has no value besides.
        what = self.key if self.kind == "add" else f"{self.key} = {self.value!r}"
        return f"[{self.began}-{end}] {self.process}: {self.kind} {what}: {self.outcome}{said}"

    def _end(self, outcome: Outcome, error: object = "") -> None:
        with self.history._lock:
            if self.outcome != "pending":
                raise ValueError(f"this operation has ended already: {self}")
            self.outcome, self.error = outcome, str(error)
            self.ended, self.ended_at = self.history._event(), self.history._clock()


class History:
    """A log of operations, which any number of threads may write to.

    `fails` are the exceptions after which an operation of `perform` certainly did not happen. `clock` gives
    seconds.
    """

    def __init__(
        self, *, fails: tuple[type[BaseException], ...] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fails = fails
        self._clock = clock
        self._lock = threading.Lock()
        self._operations: list[Operation] = []
        self._events = 0

    def invoke(
        self, kind: Kind, key: Hashable, value: Any = None, *, process: Hashable | None = None
    ) -> Operation:
        """Note that an operation begins; tell the one that is given back how it ended.

        Unless `process` names another one, each thread counts as a process.
        """
        if process is None:
            process = threading.current_thread().name
        with self._lock:
            moment = self._clock()
            operation = Operation(self, process, kind, key, value, self._event(), moment)
            self._operations.append(operation)
        return operation

    def perform(
        self,
        kind: Kind,
        key: Hashable,
        function: Callable[[], Any],
        value: Any = None,
        *,
        process: Hashable | None = None,
    ) -> Operation:
        """Carry an operation out and note how it ended; what a read gives is what `function` returns.

        An Exception is noted and not raised: as a failure if it is one of `fails`, else as an unknown end.
        """
        operation = self.invoke(kind, key, value, process=process)
        try:
            result = function()
        except self._fails as error:
            operation.fail(f"{type(error).__name__}: {error}")
        except Exception as error:
            operation.info(f"{type(error).__name__}: {error}")
        except BaseException as error:
            operation.info(type(error).__name__)
            raise
        else:
            operation.ok(result)
        return operation

    def operations(self, *kinds: Kind) -> list[Operation]:
        """The operations so far, in the order in which they began: of these kinds, or all."""
        with self._lock:
            return [each for each in self._operations if not kinds or each.kind in kinds]

    def __str__(self) -> str:
        return "\n".join(str(each) for each in self.operations())

    def _event(self) -> int:
        self._events += 1
        return self._events
