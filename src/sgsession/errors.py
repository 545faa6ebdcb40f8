"""Every error that sgsession raises by itself. What the site refuses stays the client's own `Fault`.

    shotgun_api3.ShotgunError
    ├── Fault …                       the site said no (the client's own classes, untouched)
    └── SessionError                  sgsession said no, or could not
        ├── EntityNotFoundError       also a ValueError: no such row on the site, or it is retired
        ├── FieldNotLoadedError       also a KeyError: never fetched; the text says what would fetch it
        ├── UnknownNameError          also a ValueError: no such type or field; names the nearest
        ├── SyntaxProblem             also a ValueError: text, a path or a filter that does not parse
        ├── ForeignEntityError        also a ValueError: an entity of another session
        ├── NotAnEntityError          also a TypeError
        ├── ConfigurationError        nothing says which site to connect to, or what says so is wrong
        ├── NoSiteError               also an AttributeError: the session was made without a site
        ├── SiteUnavailable           the site does not serve; nothing was changed, safe to try again
        ├── SiteRefusal               also a Fault and a ProtocolError: an HTTP status that says no
        ├── AmbiguousWrite            sent, and its outcome is unknown; `reconcile()` looks for it
        │   └── InterruptedWrite      also a KeyboardInterrupt: Ctrl-C while a write was under way
        ├── PartialWrite              some steps were done; names what exists, `resume()` does the rest
        ├── ReconciliationError
        │   ├── WriteNotFoundError    the site has no trace of the write
        │   └── SeveralMatchesError   more than one row could be it
        └── PoolError
            ├── PoolClosedError
            └── PoolTimeoutError      also a TimeoutError

`except shotgun_api3.ShotgunError` catches all of them. All of them can be pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from shotgun_api3 import Fault, ProtocolError, ShotgunError

__all__ = [
    "AmbiguousWrite",
    "ConfigurationError",
    "EntityNotFoundError",
    "FieldNotLoadedError",
    "ForeignEntityError",
    "InterruptedWrite",
    "NoSiteError",
    "NotAnEntityError",
    "PartialWrite",
    "PoolClosedError",
    "PoolError",
    "PoolTimeoutError",
    "ReconciliationError",
    "SessionError",
    "SeveralMatchesError",
    "SiteRefusal",
    "SiteUnavailable",
    "SyntaxProblem",
    "UnknownNameError",
    "WriteNotFoundError",
]


class SessionError(ShotgunError):  # type: ignore[misc]
    """The root of all that sgsession raises by itself."""

    def __str__(self) -> str:
        # A KeyError prints the repr of its argument; these texts are for people.
        return str(self.args[0]) if self.args else ""


class EntityNotFoundError(SessionError, ValueError):
    """Rows that were asked for are not on the site, or are retired. `keys` names them as (type, id)."""

    def __init__(self, message: str, keys: Iterable[tuple[str, int]] = ()) -> None:
        super().__init__(message)
        self.keys = tuple(keys)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.keys)


class FieldNotLoadedError(SessionError, KeyError):
    """A field of an entity that this session has not fetched."""


class UnknownNameError(SessionError, ValueError):
    """A type or field that the site does not have."""


class SyntaxProblem(SessionError, ValueError):
    """A field path, brace expression, filter or reference that cannot be read."""


class ForeignEntityError(SessionError, ValueError):
    """An entity of another session was handed in."""


class NotAnEntityError(SessionError, TypeError):
    """Something that is not an entity was handed in."""


class ConfigurationError(SessionError):
    """No site is configured, or its configuration is wrong."""


class NoSiteError(SessionError, AttributeError):
    """The session has no site, and the operation, or the attribute of a client, needs one."""


class SiteUnavailable(SessionError):
    """The site does not serve now, and nothing was changed: the request can be made again.

    Attributes:
        attempts: how often it was tried.
        phase: how the last attempt ended, in words.
        retry_after: seconds after which trying again has a chance, where that is known.
    """

    def __init__(
        self, message: str, *, attempts: int = 0, phase: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.attempts = attempts
        self.phase = phase
        self.retry_after = retry_after


class SiteRefusal(SessionError, Fault, ProtocolError):  # type: ignore[misc]
    """The site, or what stands before it, refused the request by an HTTP status; nothing was done.

    Attributes:
        errcode: the status, 403 say.
    """

    def __init__(self, message: str, url: str = "", errcode: int = 0, errmsg: str = "") -> None:
        Exception.__init__(self, message)
        self.url, self.errcode, self.errmsg = url, errcode, errmsg
        self.headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.args[0]!r})"


class Reconciliation(Protocol):
    """What `AmbiguousWrite.reconcile` asks; the transport has it."""

    def run(self, client: Any, match: Sequence[str] | None, window: float | None, wait: float | None) -> Any:
        """Ask the client, and return what the write would have returned."""
        ...


class AmbiguousWrite(SessionError):
    """A write was sent and no answer came: it may have been executed, and it was not sent again.

    Attributes:
        request_id: names the write in the log, and in `TransportOptions.dedupe_field` if that is set.
        method: the remote call, "create" say.
        entity_type: the type of the row, where there is one.
        entity_id: the id of the row, where it has one already.
        phase: how far the request came, in words.
        elapsed: seconds from the first attempt to the end.
    """

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        method: str = "",
        entity_type: str | None = None,
        entity_id: int | None = None,
        phase: str = "",
        elapsed: float = 0.0,
        reconciliation: Reconciliation | None = None,
    ) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.method = method
        self.entity_type = entity_type
        self.entity_id = entity_id
        self.phase = phase
        self.elapsed = elapsed
        self._reconciliation = reconciliation
        self._client: Any = None

    def reconcile(
        self,
        client: Any = None,
        *,
        match: Sequence[str] | None = None,
        window: float | None = 600.0,
        wait: float | None = None,
    ) -> Any:
        """Ask the site whether the write was done, and return what the write would have returned.

        One read, after a pause in which a write that is still running can end.

        Args:
            client: what to ask; the pool that sent the write, by default. Needed after unpickling.
            match: the fields by which a created row is recognised; by default all that can be compared.
            window: how many seconds before the write a matching row may have been made; None: ever.
            wait: seconds from the end of the write until the site is asked; 5 or more by default.

        Raises:
            WriteNotFoundError: it was not done; it is safe to write again.
            SeveralMatchesError: more than one row matches.
            ReconciliationError: the site cannot tell, for this kind of write.
        """
        asked = client if client is not None else self._client
        if asked is None or self._reconciliation is None:
            raise ReconciliationError(f"{self} Hand a client or a pool to reconcile().")
        return self._reconciliation.run(asked, match, window, wait)

    def belongs_to(self, client: Any) -> None:
        """Let this client be asked where none is named; the pool tells it by itself."""
        self._client = client

    def __getstate__(self) -> dict[str, Any]:
        # A connection cannot be pickled, and must not be: it knows the key.
        return {**vars(self), "_client": None}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__getstate__()


class InterruptedWrite(AmbiguousWrite, KeyboardInterrupt):
    """Ctrl-C came while a write was under way; it may have been executed.

    `SystemExit` and the like leave as themselves, with an `AmbiguousWrite` as their `__cause__`.
    """


class PartialWrite(SessionError):
    """A call of several steps stopped midway: some of it is on the site.

    Attributes:
        entity_type: the type of the row that exists.
        entity_id: its id.
        step: the step that failed, in words.
        result: what the steps before it returned.
    """

    def __init__(
        self,
        message: str,
        *,
        entity_type: str | None = None,
        entity_id: int | None = None,
        step: str = "",
        result: Any = None,
        rest: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.entity_type = entity_type
        self.entity_id = entity_id
        self.step = step
        self.result = result
        self._rest = rest
        self._client: Any = None

    def resume(self, client: Any = None) -> Any:
        """Do the steps that are missing, and return what the whole call would have returned.

        Args:
            client: what to do it with; the pool that was used, by default. Needed after unpickling.
        """
        used = client if client is not None else self._client
        if used is None or self._rest is None:
            raise ReconciliationError(f"{self} Hand a client or a pool to resume().")
        return self._rest(used)

    def belongs_to(self, client: Any) -> None:
        """Let this client be asked where none is named; the pool tells it by itself."""
        self._client = client

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_client": None}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__getstate__()


class ReconciliationError(SessionError):
    """It could not be found out whether a write was done."""


class WriteNotFoundError(ReconciliationError):
    """The site has no trace of the write: it was not done, and may be made again."""


class SeveralMatchesError(ReconciliationError):
    """More than one row could be what the write made. `rows` has them."""

    def __init__(self, message: str, rows: Iterable[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.rows = list(rows)


class PoolError(SessionError):
    """The connection pool could not give a connection."""


class PoolClosedError(PoolError):
    """The pool was closed; make a new one."""


class PoolTimeoutError(PoolError, TimeoutError):
    """All connections were in use for as long as the caller was willing to wait."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error text that names what is spelt most like `name`; empty when nothing is near."""
    from difflib import get_close_matches  # here: only errors need it, and imports are counted

    candidates = {candidate.lower(): candidate for candidate in known}
    near = get_close_matches(name.lower(), candidates, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(candidates[match] for match in near)}?" if near else ""
