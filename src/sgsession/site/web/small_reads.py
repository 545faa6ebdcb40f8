"""Small reads, answered where they arrive: in the loop of the server, without a task or another thread.

Programs ask for a few fields of a row by its id more often than for anything else. To find it takes less time
than to hand the request to a worker, and its answer back. Whatever is not as plain as that goes the long way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ..engine import Engine
from ..faults import SiteFault
from .arrivals import Arrivals
from .host_names import HostNames
from .http import decoded, executed

__all__ = ["SmallReads"]

_LONGEST_BODY = 4096
_MOST_ROWS = 10
_MOST_FIELDS = 50

# A request that can be read in one way only; anything that HTTP allows besides is for a parser of HTTP.
_PLAIN_HEAD = re.compile(
    rb"POST [A-Za-z0-9/_.~-]*/api3/json HTTP/1\.1\r\n((?:[A-Za-z-]+: ?[!-~](?:[ -~]*[!-~])?\r\n)+)"
)
# Of these, only the last four say what the request is; a name that is not here may change what it means.
_PLAIN_NAMES = frozenset({
    "accept", "accept-encoding", "locale", "user-agent",
    "connection", "content-length", "content-type", "host",
})  # fmt: skip


class _Head(NamedTuple):
    origin: str
    length: int


class SmallReads:
    """Takes the bytes of a connection that waits for a request, and answers what is a small read."""

    def __init__(self, engine: Engine, arrivals: Arrivals, host: str) -> None:
        self._engine = engine
        self._arrivals = arrivals
        self._names = HostNames(host)
        # A program sends the same head each time, but for the length.
        self._head = lru_cache(maxsize=256)(self._plain_head)

    def answer(self, data: bytes) -> bytes | None:
        """The answer to what the bytes ask, empty while the rest of it is to come; None for all other bytes."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > _LONGEST_BODY or not self._engine.store.reads_at_once:
            return None
        head = self._head(data[: end + 2])
        if head is None:
            return None
        body = data[end + 4 :]
        if len(body) < head.length:
            return b""
        # A second request behind the first one is for a parser of HTTP, too.
        return self._answer(body, head.origin) if len(body) == head.length else None

    def _answer(self, body: bytes, origin: str) -> bytes | None:
        if b'"read"' not in body:
            return None
        try:
            payload = decoded(body)
        except SiteFault:
            return None
        if not self._is_small(payload) or not self._arrivals.passes(payload):
            return None
        answer = executed(self._engine, payload, origin)
        head = f"content-type: {answer.media_type}\r\ncontent-length: {len(answer.body)}"
        return b"HTTP/1.1 200 OK\r\n%b\r\n\r\n%b" % (head.encode("ascii"), answer.body)

    def _plain_head(self, data: bytes) -> _Head | None:
        matched = _PLAIN_HEAD.fullmatch(data)
        if matched is None:
            return None
        lines = [line.split(":", 1) for line in matched[1].decode("ascii").splitlines()]
        given = {name.lower(): value.strip() for name, value in lines}
        length, host = given.get("content-length", ""), given.get("host", "")
        media_type = given.get("content-type", "").partition(";")[0].strip().lower()
        plain = (
            len(given) == len(lines)
            and given.keys() <= _PLAIN_NAMES
            and given.get("connection", "keep-alive").lower() == "keep-alive"
            and media_type == "application/json"
            and length.isdigit()
            and len(length) <= 4
            and int(length) <= _LONGEST_BODY
            and self._names.include(host)
        )
        return _Head(f"http://{host}", int(length)) if plain else None

    def _is_small(self, payload: Any) -> bool:
        """Whether a request reads fields of a few rows by their ids, and proves no password, which takes long."""
        match payload:
            case {
                "method_name": "read",
                "params": [
                    dict(credentials),
                    {"type": str(kind), "filters": dict(filters), "return_fields": list(fields)} as params,
                ],
            }:
                asks_more = any(
                    params.get(name) for name in ("sorts", "additional_filter_presets", "return_paging_info")
                )
                return (
                    not asks_more
                    and not {"user_login", "user_password"} & credentials.keys()
                    and _names_few_rows(filters)
                    and len(fields) <= _MOST_FIELDS
                    and all(self._is_quick(kind, name) for name in fields)
                )
        return False

    def _is_quick(self, entity_type: str, name: Any) -> bool:
        """Whether a field is in the row itself: lists may be long, and each link of a path is another look-up."""
        if not isinstance(name, str):
            return False
        field = self._engine.store.schema.field(entity_type, name)
        return field.is_stored or name == "id" if field is not None else name == "type"


def _names_few_rows(filters: Mapping[str, Any]) -> bool:
    match filters:
        case {"conditions": [{"path": "id", "relation": "is" | "in", "values": list(values)}]}:
            return len(values) <= _MOST_ROWS
    return False
