"""The proxy that the environment names: the client's uploads go by it, its remote calls do not."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from .addresses import Address

__all__ = ["proxy_of_environment"]


def proxy_of_environment(scheme: str, host: str) -> tuple[tuple[str, int] | None, str | None]:
    """Where it is and what it is told, from `https_proxy`, `no_proxy` and the like; None where there is none."""
    named = getproxies().get(scheme)
    if not named or proxy_bypass(host):
        return None, None
    parts = urlsplit(named if "://" in named else f"//{named}")
    if not parts.hostname:
        return None, None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return (parts.hostname, parts.port or 80), Address.credentials(user, password)
