"""Carrying out a call: as many attempts as its decisions allow, and one of five outcomes."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from ...errors import AmbiguousWrite, InterruptedWrite, SiteRefusal, SiteUnavailable
from ...graph.wire import WireValues
from ..line.answers import Answer, ExchangeFailed, Happening
from ..line.bell import Bell
from ..line.exchange import Line
from ..line.refusal_pages import words_of
from ..line.secrets import hide_settings
from .calls import Call, effect_of
from .decisions import Decision, Effect, Verdict, decide, leaves_doubt
from .envelope import happened, quick_decoder
from .moments import reader_of_moments
from .options import TransportOptions
from .reconciling import reconciliation_of
from .restraint import Restraint

__all__ = ["Attempts"]

log = logging.getLogger("sgsession.transport")

# One attempt: it is handed the deadline, and returns the answer and what was read out of it.
Attempt = Callable[[float], tuple[Answer, Any]]


class Attempts:
    """How the calls of a pool are carried out. Safe to use from many threads.

    Args:
        options: the numbers.
        most: how many connections the pool may have.
        clock: seconds that only go forward.
        chance: random numbers from 0 to 1.
        sleep: waits so many seconds; tests put a virtual clock in its place.
    """

    def __init__(
        self,
        options: TransportOptions,
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Any] | None = None,
    ) -> None:
        # Imported now, not in the middle of the first call: an interrupt there may leave the lock of all imports taken.
        quick_decoder()
        self.options = options
        self.restraint = Restraint(options, most, clock, chance)
        self._clock = clock
        self._chance = chance
        self._closed = False
        self._closing = Bell()
        self._sleep = sleep or self._sleep_unless_closed
        self._spread = options.startup_spread
        self._wire_values: tuple[Any, WireValues] | None = None
        self._renewing = threading.RLock()
        self._renews = False
        self._renewals = 0
        self.credentials_age = 0
        """Grows with each renewal."""

    def close(self) -> None:
        """End the pauses of calls under way: they fail at once."""
        self._closed = True
        self._closing.ring()

    def wire_values(self, to_local: bool, local_path_field: str | None) -> WireValues:
        """What turns the texts of rows into values; one for all pages, so that equal values are one object."""
        wanted = (to_local, local_path_field, time.tzname)
        if self._wire_values is None or self._wire_values[0] != wanted:
            self._wire_values = wanted, WireValues(reader_of_moments(to_local), local_path_field)
        return self._wire_values[1]

    def renew_credentials(self, config: Any, refused: int) -> bool:
        """Put new credentials into `config`; False where there is no way to get any.

        One thread renews, the others wait for it and use what it got: a farm process must not storm the
        login, nor lock an account out.

        Args:
            config: the settings that all clients of the pool share.
            refused: `credentials_age` when the refused request was made.
        """
        if self.options.renew_credentials is None:
            return False
        renewals = self._renewals
        # In time: what renews may itself wait for a thread that waits here.
        if not self._renewing.acquire(timeout=self.options.deadline):
            return False
        try:
            if self._renews:
                return False  # what renews was itself refused, on this very pool
            if self.credentials_age != refused:
                return True
            if self._renewals != renewals:
                return False  # somebody tried meanwhile, in vain
            self._renews = True
            try:
                found = self.options.renew_credentials()
            finally:
                self._renews = False
                self._renewals += 1
            for name, value in found.items():
                setattr(config, name, value)
            hide_settings(config)
            self.credentials_age += 1
            return True
        finally:
            self._renewing.release()

    def carry_out(self, call: Call, attempt: Attempt, line: Line, *, where: str, size: int = 0) -> Any:
        """Make attempts until one is answered, or a decision ends the call; returns what was read.

        Args:
            call: what is asked; its attempts and doubts are noted in it.
            attempt: makes one.
            line: the connection that attempts are made on, asked after an interrupt.
            where: the address, for errors.
            size: how many bytes are uploaded, for the deadline.

        Raises:
            SiteUnavailable: nothing was changed.
            AmbiguousWrite: it may have been executed.
            SiteRefusal: a status that says no.
        """
        effect = effect_of(call, idempotent_writes=self.options.idempotent_writes)
        if call.in_doubt and effect is Effect.WRITE:
            # A loop of the client's, or of a studio's class, around what has ended in doubt.
            raise self._ambiguous(call, "it was sent, and something wanted to send it again")
        self._begin(call, where)
        deadline = call.started + self.options.deadline + size / self.options.upload_rate
        while True:
            call.attempts += 1
            answer, read, happening, said = self._attempted(call, attempt, line, effect, deadline)
            retry_after = _retry_after(answer)
            decision = self._decide(happening, call, effect, deadline, retry_after)
            if decision.verdict is Verdict.DONE:
                return read
            call.in_doubt = call.in_doubt or leaves_doubt(happening, self.options)
            if decision.verdict is not Verdict.REPEAT:
                raise self._problem(decision.verdict, call, happening, said, where, retry_after, answer)
            log.info(
                "%s: %s; again in %.2f s (attempt %d of %d)",
                call.subject,
                happening.value,
                decision.pause,
                call.attempts,
                self.options.attempts,
            )
            self._pause(decision.pause, call, effect, where)

    def _begin(self, call: Call, where: str) -> None:
        if self._spread:
            spread, self._spread = self._spread, 0.0
            self._sleep(self._chance() * spread)
        if not call.attempts:  # a second time, with new credentials, it still has to end in time
            call.started = self._clock() - call.waited
        wait = self.restraint.admit()
        if wait > 0:
            raise SiteUnavailable(
                f"{where} failed too often just now; it is left alone for {wait:.1f} s more. "
                f"{call.subject} was not sent.",
                retry_after=wait,
            )

    def _attempted(
        self, call: Call, attempt: Attempt, line: Line, effect: Effect, deadline: float
    ) -> tuple[Answer | None, Any, Happening, str]:
        answer: Answer | None = None
        read = None
        said = ""
        line.sent = False
        began = self._clock()
        try:
            answer, read = attempt(deadline)
            happening = happened(answer)
        except ExchangeFailed as failure:
            happening, said = failure.happening, str(failure.args[1])
        except BaseException as interrupt:
            if effect is Effect.READ or not (line.sent or call.in_doubt):
                raise
            self.tell_of_interrupt(call, interrupt)
            raise
        self.restraint.note(happening, began)
        return answer, read, happening, said

    def _decide(
        self, happening: Happening, call: Call, effect: Effect, deadline: float, retry_after: float | None
    ) -> Decision:
        decision = decide(
            happening,
            effect=effect,
            attempt=call.attempts,
            time_left=deadline - self._clock(),
            options=self.options,
            chance=self._chance(),
            retry_after=retry_after,
            in_doubt=call.in_doubt,
        )
        if decision.verdict is not Verdict.REPEAT or self.restraint.spend():
            return decision
        return decide(
            happening,
            effect=effect,
            attempt=call.attempts,
            time_left=0.0,
            options=self.options,
            in_doubt=call.in_doubt,
            may_repeat=False,
        )

    def _sleep_unless_closed(self, seconds: float) -> None:
        if self._closing.wait(seconds):
            self._closing.ring()  # for the next that sleeps

    def _pause(self, seconds: float, call: Call, effect: Effect, where: str) -> None:
        try:
            self._sleep(seconds)
        except BaseException as interrupt:
            if effect is Effect.READ or not call.in_doubt:
                raise
            self.tell_of_interrupt(call, interrupt)
            raise
        if not self._closed:
            return
        if call.in_doubt and effect is not Effect.READ:
            raise self._ambiguous(call, "the pool was closed before the write could be repeated")
        raise SiteUnavailable(
            f"The pool was closed while {call.subject} waited for {where}. Nothing was changed."
        )

    def _problem(
        self,
        verdict: Verdict,
        call: Call,
        happening: Happening,
        said: str,
        where: str,
        retry_after: float | None,
        answer: Answer | None,
    ) -> Exception:
        status = f"HTTP {answer.status} {answer.reason}" if answer is not None else ""
        detail = ", ".join(part for part in (status, said, words_of(answer)) if part)
        if verdict is Verdict.AMBIGUOUS:
            return self._ambiguous(call, f"{happening.value} ({detail})" if detail else happening.value)
        if verdict is Verdict.REFUSED and answer is not None:
            return SiteRefusal(
                f"{where} refused {call.subject}: {detail}. Nothing was changed.",
                where,
                answer.status,
                answer.reason,
            )
        often = f" after {call.attempts} attempts" if call.attempts > 1 else ""
        if happening is Happening.UNREACHABLE:
            text = f"Nobody answers at {where}{often}: {detail}. Nothing was sent."
        else:
            text = (
                f"{where} did not serve {call.subject}{often}: {happening.value} ({detail}). "
                f"Nothing was changed."
            )
        return SiteUnavailable(text, attempts=call.attempts, phase=happening.value, retry_after=retry_after)

    def _ambiguous(
        self, call: Call, phase: str, kind: type[AmbiguousWrite] = AmbiguousWrite
    ) -> AmbiguousWrite:
        elapsed = self._clock() - call.started
        problem = kind(
            f"It is unknown whether {call.subject} was done: {phase}. It was not sent again; "
            f"reconcile() asks the site.",
            request_id=call.request_id,
            method=call.method,
            entity_type=call.entity_type,
            entity_id=call.entity_id,
            phase=phase,
            elapsed=elapsed,
            reconciliation=reconciliation_of(call, elapsed, self.options.dedupe_field),
        )
        log.warning("%s (request %s)", problem, call.request_id)
        return problem

    def tell_of_interrupt(self, call: Call, interrupt: BaseException) -> None:
        """Raise what an interrupt that came after a write was sent is to leave as; return where that is itself.

        Ctrl-C is both: whoever catches `KeyboardInterrupt` still does, and whoever catches `AmbiguousWrite` learns of
        the write. What else is no `Exception` ends the thread or the process, as `SystemExit` of a handler of SIGTERM:
        no `except Exception` may hold that up, so what is known of the write is its cause.
        """
        told = f"{type(interrupt).__name__} came while it was under way"
        if isinstance(interrupt, KeyboardInterrupt):
            raise self._ambiguous(call, told, InterruptedWrite) from interrupt
        if isinstance(interrupt, Exception):
            raise self._ambiguous(call, told) from interrupt
        if not isinstance(interrupt.__cause__, AmbiguousWrite):
            interrupt.__cause__ = self._ambiguous(call, told)


def _retry_after(answer: Answer | None) -> float | None:
    """Seconds that the site asks to wait; only the form in seconds, the clocks of both may differ."""
    if answer is None:
        return None
    try:
        seconds = float(answer.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e6 else None
