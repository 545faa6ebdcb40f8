"""Each fault at each operation, once and always, plain and over TLS, awaited or not: the outcome and the rows."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from sgsession import ShotgunPool, SiteUnavailable
from sgsession.pool import TransportOptions
from sgsession.testing.faults import Reset

from .expected import ATTEMPTS, FAULTS, LARGEST, TABLE, Expected, Fault, How
from .operations import CALLERS, OPERATIONS, Caller, Ground, Operation, becomes, found_outcome, see_the_end

HOW: tuple[How, ...] = ("once", "always")


def options_for(fault: Fault) -> TransportOptions:
    """Short pauses, and no restraint that would let one case tell upon the next."""
    return TransportOptions(
        deadline=fault.deadline,
        inactivity_timeout=fault.silence,
        attempts=ATTEMPTS,
        backoff_base=0.001,
        backoff_cap=0.002,
        retry_budget=1000,
        breaker_failures=1000,
        breaker_least=1000,
        largest_answer=LARGEST,
    )


@dataclass(frozen=True)
class Cell:
    """One square of the matrix."""

    fault: Fault
    how: How
    operation: Operation
    tls: bool
    caller: Caller

    def __str__(self) -> str:
        line = "TLS" if self.tls else "plain"
        return f"{self.fault.name} {self.how} / {self.operation.name} / {line} / {self.caller}"

    @property
    def expected(self) -> Expected:
        """What the contract says."""
        return TABLE[self.fault.row][self.how, "write" if self.operation.writes else "read"]

    @property
    def expected_rows(self) -> int:
        """How often the write is done."""
        if not self.operation.writes:
            return 0
        if self.expected.outcome == "value":
            return 1
        return int(self.fault.lets_it_happen)

    def run(self, ground: Ground) -> list[str]:
        """What is wrong, in words; nothing if all is right."""
        site, operation, fault = ground.site, self.operation, self.fault
        site.calm()
        site.forget()
        arguments = operation.prepare(ground)
        times = 1 if self.how == "once" else None
        connecting = fault.row == "not reached"
        idle = fault.row == "idle"
        if idle:
            # Between the pages of one read nothing idles: bytes that cross the next request are taken for its answer
            # by all of HTTP. So there only what came before the read is struck.
            method = "info" if operation.method == "read" else None
            site.inject(fault.point, fault.action, method=method, times=times)
        with ground.pool(options_for(fault)) as pool:
            if connecting:
                site.drop_connections()
                see_the_end(pool._leases.idle[-1])
                site.inject(fault.point, fault.action, times=times)
            elif idle:
                see_the_end(pool._leases.idle[-1])
            else:
                site.inject(
                    fault.point, fault.action, method=operation.method, nth=operation.nth, times=times
                )
            outcome, answer = found_outcome(
                self.caller, pool, lambda client: operation.call(client, ground, *arguments)
            )
            # Pages that were asked for side by side end by themselves.
            becomes(lambda: pool.stats()["lent"] == 0)
            site.calm()
            lent = pool.stats()["lent"]
        return list(self._judged(ground, arguments, outcome, answer, lent))

    def _judged(
        self, ground: Ground, arguments: tuple[object, ...], outcome: str, answer: object, lent: int
    ) -> Iterator[str]:
        expected, site = self.expected, ground.site
        if not site.faults:
            yield "the fault did not strike"
        if outcome != expected.outcome:
            yield f"{outcome}, not {expected.outcome}: {answer}"
        elif outcome == "value" and not self.operation.is_right(answer, ground, *arguments):
            yield f"wrong answer {answer!r}"
        if lent:
            yield f"{lent} connections are still lent"
        requests, least = len(site.received(self.operation.method)), expected.requests
        if self.operation.method == "read" and expected.outcome == "value":
            least += 2
        elif self.operation.nth > 1 and self.fault.row != "not reached":
            least += 1
        # A session asks for pages side by side, and for some beyond the end.
        exact = self.caller == "pool" or self.operation.method != "read"
        if requests != least if exact else requests < least:
            yield f"{requests} requests, not {least}"
        if self.operation.writes:
            rows = self.expected_rows
            if not becomes(lambda: self.operation.count(ground, *arguments) == rows, 2.0):
                yield f"done {self.operation.count(ground, *arguments)} times, not {rows}"
        if max(site.executions.values(), default=0) > 1:
            yield f"executed twice: {site.executions}"


def test_nobody_listens() -> None:
    """A refused connection is proof that nothing was done, for reads and writes alike; 0 % are ambiguous."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    fault = Fault("refused", "accept", Reset(), "not reached")
    with ShotgunPool(address, script_name="s", api_key="k", options=options_for(fault)) as pool:
        for call in (lambda: pool.create("Shot", {"code": "a"}), lambda: pool.find("Shot", [])):
            with pytest.raises(SiteUnavailable) as caught:
                call()
            assert caught.value.attempts == ATTEMPTS


def lines_of(fault: Fault) -> tuple[bool, ...]:
    """Without TLS and with it, where the fault exists in both."""
    return (True,) if fault.tls_only else (False, True)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_has_the_outcome_of_the_table(fault: Fault, grounds: dict[bool, Ground]) -> None:
    """One of five outcomes, the right one; no row twice; awaited the same as called. Lines and callers rotate."""
    wrong = []
    turns = itertools.cycle(itertools.product(("pool", "session"), lines_of(fault)))
    for how, operation in itertools.product(HOW, OPERATIONS):
        caller, tls = next(turns)
        for each in (caller, "async session"):
            if fault.takes_time and (caller == "pool") == (each == "pool"):
                continue  # one of both, in turns
            cell = Cell(fault, how, operation, tls, each)
            wrong += [f"{cell}: {what}" for what in cell.run(grounds[tls])]
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_whole_product(fault: Fault, grounds: dict[bool, Ground]) -> None:
    """Each operation by each kind of client, with TLS and without."""
    wrong = []
    for how, operation, tls, caller in itertools.product(HOW, OPERATIONS, lines_of(fault), CALLERS):
        cell = Cell(fault, how, operation, tls, caller)
        wrong += [f"{cell}: {what}" for what in cell.run(grounds[tls])]
    assert not wrong, "\n".join(wrong)


def test_the_matrix_is_as_large_as_was_promised() -> None:
    """At least 17 faults, eight operations and the second page; every row of the table is used."""
    assert len(FAULTS) >= 17
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len(OPERATIONS) == 9
    assert {fault.row for fault in FAULTS} == set(TABLE)
