"""Finding page after page, whose rows are handed out as they come: by id where the order is free, else by number."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ..errors import SyntaxProblem
from ..graph.graph import Graph
from ..graph.wire import WireRows
from ..importance import Importance
from .plan import HandedOut, Request, Stream
from .reading import after_id, find_request, taken

__all__ = ["find_iter"]

# In the site's own order, id ascending (wire.md 3.5), spelt out for clients that have another.
_BY_ID = [{"field_name": "id", "direction": "asc"}]

Find = Callable[[Any, dict[str, Any]], Request]
"""Filters and options → the request."""


def find_iter(
    graph: Graph,
    importance: Importance,
    entity_type: str,
    filters: Any,
    fields: Any,
    options: dict[str, Any],
    *,
    limit: int | None = None,
    per_page: int = 500,
    async_count: int = 1,
    merge: bool = True,
    add_default_fields: bool = True,
) -> Stream:
    """The rows that match, handed out page by page; see `Session.find_iter`."""
    for name, value in (("per_page", per_page), ("async_count", async_count)):
        if not isinstance(value, int) or not 1 <= value <= 10_000:
            raise SyntaxProblem(f"{name} is a number from 1 to 10,000, not {value!r}.")
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise SyntaxProblem(f"limit is None or a number from 0, not {limit!r}.")

    def find(filters: Any, of_page: dict[str, Any]) -> Request:
        merged = {**options, **of_page}
        return find_request(
            "find", graph, importance, entity_type, filters, fields, merged, add_default_fields
        )

    if limit == 0:
        find(filters, {})  # what cannot be asked for is refused all the same
    elif options.get("order") or async_count > 1:
        yield from _by_number(graph, find, filters, limit, per_page, async_count, merge)
    else:
        operator = options.get("filter_operator")
        yield from _by_id(graph, find, filters, operator, limit, per_page, merge)


def _by_id(
    graph: Graph,
    find: Find,
    filters: Any,
    filter_operator: str | None,
    left: int | None,
    per_page: int,
    merge: bool,
) -> Stream:
    """Ask for what follows the last id: what is created or retired meanwhile moves no row to another page."""
    size = per_page if left is None else min(per_page, left)
    beyond = filters
    of_page: dict[str, Any] = {"order": _BY_ID, "limit": size, "page": 1}
    while True:
        request = find(beyond, of_page)
        with graph.reading() as moment:
            rows = yield [request]
            has_next_page = _has_next_page(rows)
            found = taken(graph, rows, moment, request, merge)
            del rows
        if found:
            beyond = after_id(filters, filter_operator, found[-1]["id"])
            of_page = {**of_page, "filter_operator": None, "page": 1}
        else:
            # A site may give fewer rows than asked for, and none (wire.md 2.1): the others are on the next page.
            of_page["page"] += 1
        if left is not None:
            found = found[:left]
            left -= len(found)
        if found:
            yield HandedOut(found)
        if not has_next_page or left == 0:
            return


def _by_number(
    graph: Graph,
    find: Find,
    filters: Any,
    left: int | None,
    per_page: int,
    at_once: int,
    merge: bool,
) -> Stream:
    """Ask for page after page, several at once; all but one of them go on while the caller takes rows."""
    under_way: deque[tuple[Request, int]] = deque()
    begun = 0
    seen = _SeenIds()
    before: list[Any] = []
    try:
        while True:
            begin = []
            pages_left = at_once if left is None else -(-left // per_page)
            while len(under_way) < min(at_once, pages_left):
                begun += 1
                begin.append(find(filters, {"limit": per_page, "page": begun}))
                under_way.append((begin[-1], graph.begin_read()))
            rows = yield begin
            request, moment = under_way.popleft()
            try:
                has_next_page = _has_next_page(rows)
                found = taken(graph, rows, moment, request, merge)
            finally:
                graph.end_read(moment)
            if not isinstance(rows, WireRows):
                # A client that knows no pages (Mockgun) would give the same rows for ever.
                before, same = [row["id"] for row in found], before
                has_next_page = has_next_page and before != same
            del rows
            found = [row for row in found if seen.add(row["id"])][:left]
            if left is not None:
                left -= len(found)
            if found:
                yield HandedOut(found)
            if not has_next_page or left == 0:
                return
    finally:
        for _, moment in under_way:
            graph.abandon_read(moment)


def _has_next_page(rows: Any) -> bool:
    # A client that hides what the site says of the next page has one until a page is empty.
    return rows.has_next_page if isinstance(rows, WireRows) else bool(rows)


class _SeenIds:
    """Which ids came already: a bit for each, since ids lie close together and a set takes 500 times the room."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, entity_id: int) -> bool:
        """Note an id; False where it was noted before."""
        block = self._blocks.get(entity_id >> 10)
        if block is None:
            block = self._blocks[entity_id >> 10] = bytearray(128)
        byte, bit = entity_id >> 3 & 127, 1 << (entity_id & 7)
        is_new = not block[byte] & bit
        block[byte] |= bit
        return is_new
