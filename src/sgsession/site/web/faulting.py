"""Misbehaving on demand: what a broken network, proxy or site would answer, for tests of clients."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from http import HTTPStatus

__all__ = ["JSON", "Answer", "Failure"]

JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_FAILING = frozenset(status for status in HTTPStatus if status >= 300)


@dataclass(frozen=True, slots=True)
class Answer:
    """What leaves for one request. Of a broken one only the first `kept` bytes do; then the connection ends."""

    body: bytes
    status: int = 200
    media_type: str = JSON
    kept: int | None = None


@dataclass(slots=True)
class Failure:
    """The next requests of one method fail in one way, before or after they were executed.

    Exactly one way is named: an HTTP `status` with an error page, a JSON `fault`, an `html` page instead of
    JSON, a body `truncated` in the middle (of the true answer, so the request is always executed), or the
    connection `dropped` before the first byte.
    """

    method: str
    status: int | None = None
    fault: str | None = None
    html: bool = False
    truncated: bool = False
    dropped: bool = False
    after: bool = False
    times: int = 1

    def __post_init__(self) -> None:
        ways = self.status is not None, self.fault is not None, self.html, self.truncated, self.dropped
        if sum(ways) != 1:
            raise ValueError("name one way to fail: status, fault, html, truncated or dropped")
        if self.status is not None and self.status not in _FAILING:
            raise ValueError(f"a failure has a known HTTP status from 300 on, not {self.status}")
        if self.times < 1:
            raise ValueError(f"a failure happens once or more often, not {self.times} times")

    @property
    def executes(self) -> bool:
        """Whether the request has its effect all the same."""
        return self.after or self.truncated

    def claims(self, method: str) -> bool:
        """True if this request is one that is to fail; then there is one less to come."""
        if self.method != method or not self.times:
            return False
        self.times -= 1
        return True

    def spoiled(self, answer: Answer | None) -> Answer:
        """What leaves instead of the true answer, which is None where the request was not executed."""
        if self.status is not None:
            return Answer(_page(HTTPStatus(self.status).phrase), self.status, _HTML)
        if self.fault is not None:
            envelope = {"exception": True, "message": self.fault, "error_code": 104}
            return Answer(json.dumps(envelope).encode())
        if self.html:
            return Answer(_page("Please sign in"), 200, _HTML)
        if self.truncated and answer is not None:
            return replace(answer, kept=len(answer.body) // 2)
        return Answer(b"", kept=0)


def _page(title: str) -> bytes:
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>".encode()
