"""Seeing to it that the installed client really sends its requests through our transport."""

from __future__ import annotations

import logging
import warnings
from functools import cache
from typing import Any

import shotgun_api3

from .safe_client import SEAMS, SafeClient

__all__ = ["UnsafeTransportWarning", "check_override"]

log = logging.getLogger("sgsession.transport")

# Reserved (RFC 2606): should the check ever reach a network, it finds nobody there.
_NOWHERE = "https://self-check.invalid"


class UnsafeTransportWarning(UserWarning):
    """Requests of pooled clients do not go through the safe transport; writes may be sent twice."""


def check_override(pooled: type[Any], prototype_class: type[Any]) -> None:
    """Warn when a pooled class would not use our transport: another client version, or a studio's own class."""
    missing = [name for name in SEAMS if not hasattr(prototype_class, name)]
    if missing:
        _warn(f"it has no {', '.join(missing)}")
    elif not _is_used():
        _warn("its requests pass the transport by")
    elif pooled.own_transport and not getattr(prototype_class, "sends_once", False):
        _say(
            f"{prototype_class.__qualname__} has an _http_request of its own, and its pooled clients use it. If that "
            f"sends a request again by itself, or passes it on to shotgun_api3's, writes may be sent twice, and "
            f"deadlines do not hold. Let the class say `sends_once = True` if it does not."
        )


@cache
def _is_used() -> bool:
    """True when a remote call of the official client arrives where ours would be sent."""
    arrived = []

    class Recorder(SafeClient, shotgun_api3.Shotgun):  # type: ignore[misc]
        def _call_rpc(
            self, method: str, params: Any, include_auth_params: bool = True, first: bool = False
        ) -> Any:
            return shotgun_api3.Shotgun._call_rpc(self, method, params, include_auth_params, first)

        def _http_request(self, verb: str, path: str, body: Any, headers: Any) -> Any:
            arrived.append(body)
            return (200, "OK"), {"content-type": "application/json"}, b'{"results": 7}'

        def _get_connection(self) -> Any:
            raise ConnectionError("the stock transport was used")

    client = Recorder(_NOWHERE, "script", "key", connect=False)
    try:
        return client._call_rpc("info", None, False) == 7 and len(arrived) == 1
    except (AttributeError, TypeError, ConnectionError):
        return False


def _warn(reason: str) -> None:
    version = getattr(shotgun_api3, "__version__", "of unknown version")
    _say(
        f"sgsession cannot make shotgun_api3 {version} safe: {reason}. Writes may be sent twice. "
        f"Use a version that sgsession was tested with."
    )


def _say(text: str) -> None:
    log.error("%s", text)
    warnings.warn(text, UnsafeTransportWarning, stacklevel=6)
