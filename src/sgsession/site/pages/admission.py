"""Who may look: everybody on a site that only its own machine reaches, and who has credentials on others."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..call import Call
from ..engine import Engine
from ..faults import SiteFault

__all__ = ["Refusal", "is_loopback", "performed"]

T = TypeVar("T")

# Not proven, or only half: HTTP Basic has no place for a one-time code.
_REFUSED = frozenset({102, 106})


class Refusal(Exception):
    """The page needs credentials, or others than those that came."""


def is_loopback(host: str) -> bool:
    """Whether a site that is bound to this host can be reached from its own machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def performed(
    engine: Engine,
    function: Callable[[Call, Any], T],
    arguments: Any,
    authorization: str | None,
    *,
    open: bool,
) -> T:
    """What a function reads: for anybody on an `open` site, else for whom an Authorization header proves."""
    if open:
        return engine.show("read", function, arguments)
    for credentials in _credentials(authorization):
        try:
            return engine.perform("read", function, credentials, arguments, writes=False)
        except SiteFault as fault:
            if fault.error_code not in _REFUSED:
                raise
    raise Refusal


def _credentials(authorization: str | None) -> list[Mapping[str, str]]:
    """What HTTP Basic names: a script with its key or a person with a password, in this order."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return []
    if not colon or "\x00" in name + secret:
        return []
    # The script first: to prove a password takes a tenth of a second, to prove a key nothing.
    return [{"script_name": name, "script_key": secret}, {"user_login": name, "user_password": secret}]
