"""What an attempt to ask a site brings: a whole answer, or how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .decisions import Happening

__all__ = ["Answer", "ExchangeFailed"]


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
