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
        ├── SiteUnavailable           nobody answers there; proven not executed, safe to try again
        └── PoolError
            ├── PoolClosedError
            └── PoolTimeoutError      also a TimeoutError

`except shotgun_api3.ShotgunError` catches all of them. All of them can be pickled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shotgun_api3 import ShotgunError

__all__ = [
    "ConfigurationError",
    "EntityNotFoundError",
    "FieldNotLoadedError",
    "ForeignEntityError",
    "NoSiteError",
    "NotAnEntityError",
    "PoolClosedError",
    "PoolError",
    "PoolTimeoutError",
    "SessionError",
    "SiteUnavailable",
    "SyntaxProblem",
    "UnknownNameError",
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
    """The site could not be reached, and the request was provably not executed; safe to try again."""


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
