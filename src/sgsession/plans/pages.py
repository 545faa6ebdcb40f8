"""Finding page after page, whose rows are handed out as they come: by id where the order is free, else by number."""

from __future__ import annotations

from typing import Any

from ..errors import SyntaxProblem
from ..graph.graph import Graph
from ..graph.open_reads import OpenReads
from ..graph.wire import PageRows, WireRows
from ..importance import Importance
from .plan import HandedOut, Request, Stream
from .reading import after_id, find_request, page_of, taken

__all__ = ["find_iter"]

# In the site's own order, id ascending (wire.md 3.5), spelt out for clients that have another.
_BY_ID = [{"field_name": "id", "direction": "asc"}]


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
    connections: int = 1,
) -> Stream:
    """The rows that match, handed out page by page; see `Session.find_iter`.

    By number go pages in an order or of a preset, and several at once, as many as `async_count` and `connections`
    allow.
    """
    for name, value in (("per_page", per_page), ("async_count", async_count)):
        if not isinstance(value, int) or not 1 <= value <= 10_000:
            raise SyntaxProblem(f"{name} is a number from 1 to 10,000, not {value!r}.")
    if limit is not None and (not isinstance(limit, int) or limit < 0):
        raise SyntaxProblem(f"limit is None or a number from 0, not {limit!r}.")
    # A preset is applied to what the filters leave (wire.md 3.4): behind an id, other rows would be the latest.
    presets = options.get("additional_filter_presets")
    by_id = async_count == 1 and not options.get("order") and not presets
    if by_id:
        options = {**options, "order": _BY_ID}
    request = find_request(
        "find", graph, importance, entity_type, filters, fields, options, add_default_fields
    )
    if limit == 0:
        return
    if by_id:
        yield from _by_id(graph, request, limit, per_page, merge)
    else:
        yield from _by_number(graph, request, limit, per_page, min(async_count, connections), merge)


def _by_id(graph: Graph, first: Request, left: int | None, per_page: int, merge: bool) -> Stream:
    """Ask for what follows the last id: what is created or retired meanwhile moves no row to another page."""
    size = per_page if left is None else min(per_page, left)
    entity_type, filters, fields = first.args
    operator, last_id = first.kwargs.get("filter_operator"), 0
    request = first._replace(kwargs={**first.kwargs, "limit": size, "page": 1})
    while True:
        with graph.reading() as moment:
            rows = yield [request]
            has_next_page = _has_next_page(rows)
            found = taken(graph, rows, moment, request, merge)
            is_empty = not rows
            del rows
        # None that is behind the last one, of a client that does not look at filters: it has no others.
        found = [row for row in found if row["id"] > last_id]
        has_next_page = has_next_page and (is_empty or bool(found))
        kwargs = dict(request.kwargs)
        if found:
            last_id = max(row["id"] for row in found)
            beyond = after_id(filters, operator, last_id)
            kwargs.pop("filter_operator", None)  # it is in the group that the given filters have become
            request = Request(first.method, (entity_type, beyond, fields), {**kwargs, "page": 1})
        else:
            # A site may give fewer rows than asked for, and none (wire.md 2.1): the others are on the next page.
            request = request._replace(kwargs={**kwargs, "page": kwargs["page"] + 1})
        if left is not None:
            found = found[:left]
            left -= len(found)
        if found:
            yield HandedOut(found)
        if not has_next_page or left == 0:
            return


def _by_number(
    graph: Graph, request: Request, left: int | None, per_page: int, at_once: int, merge: bool
) -> Stream:
    """Ask for page after page, several at once; all but one of them go on while the caller takes rows."""
    request = request._replace(kwargs={**request.kwargs, "limit": per_page})
    begun = 0
    seen = _SeenIds()
    before: list[Any] = []
    reads = OpenReads(graph)
    try:
        while True:
            pages_left = at_once if left is None else -(-left // per_page)
            begin = [
                page_of(request, begun + more) for more in range(1, min(at_once, pages_left) - len(reads) + 1)
            ]
            begun += len(begin)
            reads.begin(len(begin))
            rows = yield begin
            has_next_page = _has_next_page(rows)
            found = taken(graph, rows, reads.first, request, merge)
            reads.end_first()
            if found and not isinstance(rows, WireRows):
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
        reads.clear()


def _has_next_page(rows: Any) -> bool:
    # A client that says nothing of the next page has one until a page is empty.
    return rows.has_next_page if isinstance(rows, PageRows) else bool(rows)


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
