"""What an attempt to ask a site brings: a whole answer, or how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

__all__ = ["Answer", "ExchangeFailed", "Happening"]


class Happening(Enum):
    """How one attempt to send a request and read its answer ended."""

    UNREACHABLE = "nobody answered there"
    """Name, connection, proxy or TLS handshake failed: not a byte of the request left."""
    UNTRUSTED = "its certificate is not trusted"
    UNSENT = "the connection broke while the request was being sent"
    SILENT = "no answer came"
    BROKEN = "its answer was not one of a site"
    TOO_LARGE = "its answer was larger than allowed"
    THROTTLED = "it turned the request down for now"
    MAINTENANCE = "it is down for maintenance or too busy"
    FAILED = "it failed over the request"
    GATEWAY = "the gateway before it gave up"
    IMPATIENT = "it did not wait for the whole request"
    """408: what is not whole is not executed. Some servers say so to a connection that idles, and then hang up."""
    REFUSED = "it refused the request"
    """Any other status that is no success: a definite no, nothing was done."""
    ANSWERED = "it answered"


class Answer(NamedTuple):
    """A whole answer: status, headers by their lower-case names, the unpacked body."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


class ExchangeFailed(Exception):
    """An exchange that brought no whole answer."""

    def __init__(self, happening: Happening, cause: BaseException | str) -> None:
        super().__init__(happening, str(cause) or type(cause).__name__)
        self.happening = happening
