"""The names under which a site answers: others are turned away, for a web page may control them."""

from __future__ import annotations

import ipaddress
import socket

__all__ = ["HostNames"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WILDCARDS = frozenset({"0.0.0.0", "::"})


class HostNames:
    """The names of a site that is bound to `host`."""

    def __init__(self, host: str) -> None:
        self._any_address = host in _WILDCARDS
        own = (socket.gethostname(), socket.getfqdn()) if self._any_address else (host,)
        self._names = _LOOPBACK | {each.lower() for each in own}

    def include(self, host: str) -> bool:
        """Refuse foreign names, or a web page could reach a loopback site through a name it controls."""
        name = _without_port(host)
        return name in self._names or (self._any_address and _is_address(name))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
