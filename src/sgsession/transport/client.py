"""The clients that a pool lends: like its prototype, without a connection of their own yet."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import shotgun_api3
from shotgun_api3 import Fault, ShotgunError

from ..errors import ConfigurationError, SiteRefusal, SiteUnavailable
from .calling.attempts import Attempts
from .line.answers import Happening
from .line.secrets import hide_address, hide_arguments, hide_settings
from .safe_client import SafeClient
from .self_check import check_override

__all__ = [
    "LOCAL_METHODS",
    "Fault",
    "check_client",
    "follow_prototype",
    "hands_over_rows",
    "is_official_client",
    "knows_capabilities",
    "learn_capabilities",
    "local_instant",
    "make_client",
    "make_prototype",
    "pooled_client",
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
    base_url, kwargs = hide_address(base_url), hide_arguments(kwargs)
    address = urlsplit(without_credentials(base_url) if isinstance(base_url, str) else "")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ConfigurationError(
            f"{without_credentials(base_url)!r} is not the address of a site: write https://studio.example.com."
        )
    try:
        _ = address.port  # a ValueError where it is no number
        return shotgun_api3.Shotgun(base_url, *args, **{"connect": False, **kwargs})
    except (TypeError, ValueError) as problem:
        raise ConfigurationError(
            f"The client does not take these arguments for {without_credentials(base_url)}: {problem}."
        ) from None


def make_prototype(base_url: Any = None, *args: Any, **kwargs: Any) -> Any:
    """As `make_client`, for a pool, whose first call signs in where a one-time code is given.

    The client's constructor would do so on a connection of its own, which nothing bounds.

    Raises:
        ConfigurationError: the address or another argument cannot be right.
    """
    base_url, kwargs = hide_address(base_url), hide_arguments(kwargs)
    code = kwargs.pop("auth_token", None)
    prototype = make_client(base_url, *args, **kwargs)
    if code is not None:
        if not prototype.config.user_login:
            raise ConfigurationError("An auth_token goes with a login and a password.")
        prototype.config.auth_token = code
    return prototype


@cache
def _pooled_class(prototype_class: Any) -> type[Any]:
    """A subclass of the prototype's own class, so that what a studio overrode stays overridden."""
    own = prototype_class._http_request is not shotgun_api3.Shotgun._http_request
    pooled = type(f"Pooled{prototype_class.__name__}", (SafeClient, prototype_class), {"own_transport": own})
    check_override(pooled, prototype_class)
    return pooled


def check_client(prototype: Any) -> None:
    """Warn, the first time for each class of clients, when pooled ones would not be safe."""
    prototype_class: Any = type(prototype)
    _pooled_class(prototype_class)


def pooled_client(prototype: Any, attempts: Attempts) -> Any:
    """A client like the prototype: the same state and the same `config` object, no connection, no request.

    The constructor is not run, since it may ask the site; certificates and the like are in the state.
    """
    prototype_class: Any = type(prototype)
    pooled_class: type[Any] = _pooled_class(prototype_class)
    client: Any = object.__new__(pooled_class)
    vars(client).update(vars(prototype))
    client.prepare(attempts)
    return client


def hands_over_rows(prototype: Any) -> bool:
    """True where nothing that a studio overrode, in the class or on the client, would see the rows of a `find`."""
    prototype_class, own = type(prototype), vars(prototype)
    seams = ("find", "_call_rpc", "_parse_records", "_transform_inbound", "_visit_data")
    return all(
        name not in own and getattr(prototype_class, name) is getattr(shotgun_api3.Shotgun, name)
        for name in seams
    )


def follow_prototype(client: Any, prototype: Any) -> None:
    """Bring a pooled client up to date with what was changed on its prototype since it was last lent."""
    hide_settings(prototype.config)
    client._user_agents = prototype._user_agents
    client._server_caps = prototype._server_caps
    client._written = None


def learn_capabilities(client: Any, prototype: Any) -> None:
    """Ask for the site's capabilities through a pooled client, for the prototype and all clients like it.

    Then sign in, where a one-time code says that this can be done only once.

    `config` asks its own client, the prototype, for the page size; with the capabilities in place it
    answers without opening a socket.

    Raises:
        ConfigurationError: what answers there is not a site.
    """
    try:
        prototype._server_caps = client.server_caps
    except SiteRefusal as problem:
        raise ConfigurationError(_no_site(prototype, f"HTTP {problem.errcode} {problem.errmsg}")) from problem
    except SiteUnavailable as problem:
        if problem.phase != Happening.BROKEN.value:
            raise  # a site that is down
        raise ConfigurationError(_no_site(prototype, "not with its JSON")) from problem
    except Fault:
        raise
    except (ShotgunError, AttributeError, KeyError, TypeError, ValueError) as problem:
        # Other JSON: the client fails over it in many ways.
        # What the client says then is about itself ("'str' object has no attribute …"), not about the answer.
        raise ConfigurationError(_no_site(prototype, "not with its JSON")) from problem
    config = prototype.config
    if config.auth_token is not None:
        config.session_token = client.get_session_token()
        config.user_login = config.user_password = config.auth_token = None


def _no_site(prototype: Any, answer: str) -> str:
    said = " ".join(answer.split())
    address = without_credentials(prototype.base_url)
    return f"{address} does not answer like a Flow Production Tracking site ({said}). Check the address."


def knows_capabilities(prototype: Any) -> bool:
    """True when the prototype needs no request to answer what the site can do, and nobody has to sign in first."""
    known, config = prototype._server_caps, prototype.config
    return known is not None and known.host == config.server and config.auth_token is None


def without_credentials(address: Any) -> Any:
    """An address as it may be shown: `http://user:password@host` names a password."""
    if not isinstance(address, str) or "@" not in address:
        return address
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def local_instant(moment: Any) -> Any:
    """An aware datetime in the form in which the client gives them: in the local time zone."""
    return moment.astimezone(shotgun_api3.sg_timezone.local)
