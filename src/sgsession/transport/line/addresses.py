"""Where requests go, and by which way."""

from __future__ import annotations

from base64 import b64encode
from typing import NamedTuple

from .answers import ExchangeFailed, Happening
from .secrets import Hidden

__all__ = ["Address", "network_name"]


class Address(NamedTuple):
    """Where requests go: the host, and how it is reached."""

    scheme: str
    host: str
    port: int
    proxy: tuple[str, int] | None = None
    proxy_authorization: str | None = None
    certificates: str | None = None

    def __repr__(self) -> str:
        return f"Address({self.shown!r}, proxy={self.proxy!r})"  # without what the proxy is told

    @staticmethod
    def credentials(user: str | None, password: str | None) -> str | None:
        """What a proxy is told, or None where it asks for nothing."""
        if not user:
            return None
        return Hidden("Basic " + b64encode(f"{user}:{password or ''}".encode()).decode("ascii"))

    @property
    def host_in_headers(self) -> str:
        """The host as a request names it.

        Raises:
            ExchangeFailed: no host can be called so.
        """
        return f"[{self.host}]" if ":" in self.host else network_name(self.host)

    @property
    def shown(self) -> str:
        """The address as people write it; no credentials are in it."""
        usual = 443 if self.scheme == "https" else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")


def network_name(host: str) -> str:
    """A host as the network knows it: `bücher.example` is `xn--bcher-kva.example` there.

    Raises:
        ExchangeFailed: no host can be called so. Nobody answers there, as where a name leads nowhere.
    """
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as problem:
        raise ExchangeFailed(Happening.UNREACHABLE, problem) from None
