"""The clients that a pool lends: like its prototype, without a connection of their own yet."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import shotgun_api3
from shotgun_api3 import Fault, ProtocolError, ShotgunError

from ..errors import ConfigurationError, SiteUnavailable

__all__ = [
    "LOCAL_METHODS",
    "Fault",
    "begin_call",
    "follow_prototype",
    "is_official_client",
    "knows_capabilities",
    "learn_capabilities",
    "local_instant",
    "make_client",
    "pooled_client",
    "unavailable",
    "without_credentials",
]

# Methods of the client that only change its settings: they belong to the prototype, which the pooled
# clients follow.
LOCAL_METHODS = frozenset({"add_user_agent", "reset_user_agent", "set_session_uuid"})


def is_official_client(value: Any) -> bool:
    """True for an instance of the official client's class or of one that derives from it."""
    return isinstance(value, shotgun_api3.Shotgun)


def make_client(base_url: Any = None, *args: Any, **kwargs: Any) -> Any:
    """A client of the official class that has not asked its site for anything yet.

    Raises:
        ConfigurationError: the address or another argument cannot be right.
    """
    address = urlsplit(base_url) if isinstance(base_url, str) else urlsplit("")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigurationError(
            f"{base_url!r} is not the address of a site: write https://studio.example.com."
        )
    kwargs.setdefault("connect", False)
    try:
        return shotgun_api3.Shotgun(base_url, *args, **kwargs)
    except (TypeError, ValueError) as problem:
        raise ConfigurationError(
            f"The client does not take these arguments for {base_url}: {problem}."
        ) from None


@cache
def _pooled_class(prototype_class: Any) -> type[Any]:
    """A subclass of the prototype's own class, so that what a studio overrode stays overridden.

    This is where a transport and a decoding of our own take the place of the stock ones.
    """
    return type(f"Pooled{prototype_class.__name__}", (_Counting, prototype_class), {})


class _Counting:
    """Counts the requests that a client begins, so that a failure can be told from a failure of a repetition."""

    begun = 0

    def _http_request(self, *args: Any) -> Any:
        self.begun += 1
        return super()._http_request(*args)  # type: ignore[misc]


def pooled_client(prototype: Any) -> Any:
    """A client like the prototype: the same state and the same `config` object, no connection, no request.

    The constructor is not run, since it may ask the site; certificates and the like are in the state.
    """
    prototype_class: Any = type(prototype)
    pooled_class: type[Any] = _pooled_class(prototype_class)
    client: Any = object.__new__(pooled_class)
    vars(client).update(vars(prototype))
    client._connection = None
    return client


def follow_prototype(client: Any, prototype: Any) -> None:
    """Bring a pooled client up to date with what was changed on its prototype since it was last lent."""
    client._user_agents = prototype._user_agents
    client._server_caps = prototype._server_caps


def learn_capabilities(client: Any, prototype: Any) -> None:
    """Ask for the site's capabilities through a pooled client, for the prototype and all clients like it.

    `config` asks its own client, the prototype, for the page size; with the capabilities in place it
    answers without opening a socket.

    Raises:
        ConfigurationError: what answers there is not a site.
    """
    try:
        prototype._server_caps = client.server_caps
    except Fault:
        raise
    except ProtocolError as problem:
        if problem.errcode >= 500:
            raise  # a site that is down
        raise ConfigurationError(_no_site(prototype, f"HTTP {problem.errcode} {problem.errmsg}")) from None
    except (ShotgunError, AttributeError, KeyError, TypeError, ValueError) as problem:
        # Another web server's page, or other JSON: the client fails over it in many ways.
        # What the client says then is about itself ("'str' object has no attribute …"), not about the answer.
        raise ConfigurationError(_no_site(prototype, "not with its JSON")) from problem


def _no_site(prototype: Any, answer: str) -> str:
    said = " ".join(answer.split())
    address = without_credentials(prototype.base_url)
    return f"{address} does not answer like a Flow Production Tracking site ({said}). Check the address."


def knows_capabilities(prototype: Any) -> bool:
    """True when the prototype needs no request to answer what the site can do."""
    known = prototype._server_caps
    return known is not None and known.host == prototype.config.server


def without_credentials(address: Any) -> Any:
    """An address as it may be shown: `http://user:password@host` names a password."""
    if not isinstance(address, str) or "@" not in address:
        return address
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def begin_call(client: Any) -> None:
    """Note that a call begins; `unavailable` tells how far it came."""
    # A connection that was open may have carried the request before it was found closed.
    client.begun = 0 if client._connection is None else 1


def unavailable(client: Any, problem: Exception) -> SiteUnavailable | None:
    """The error for a call that provably sent nothing, or None where that is not certain.

    The client repeats a request after some failures, writes too: only when its first attempt, on a
    connection that was not open yet, found nobody, was nothing executed.
    """
    if client.begun > 1:
        return None
    # The client's HTTP library says that a name did not resolve by an error of its own, found by name
    # here because studios carry that library in several places.
    if isinstance(problem, ConnectionRefusedError) or type(problem).__name__ in (
        "gaierror",
        "ServerNotFoundError",
    ):
        return SiteUnavailable(
            f"Nobody answers at {without_credentials(client.base_url)}: {problem}. Nothing was sent."
        )
    return None


def local_instant(moment: Any) -> Any:
    """An aware datetime in the form in which the client gives them: in the local time zone."""
    return moment.astimezone(shotgun_api3.sg_timezone.local)
