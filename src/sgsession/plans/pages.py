"""Going through pages: by id where the order is free, else by number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import SyntaxProblem
from .reading import after_id

__all__ = ["Pages"]


class Pages:
    """Which pages to ask for next, and which of their rows are new.

    Attributes:
        filters: the filters of the next pages.
        options: the options of each of the next pages; empty when there are no more.
    """

    def __init__(
        self,
        order: Any,
        filters: Any,
        filter_operator: str | None,
        limit: int | None,
        per_page: int,
        async_count: int,
    ) -> None:
        for name, value in (("per_page", per_page), ("async_count", async_count)):
            if not isinstance(value, int) or not 1 <= value <= 10_000:
                raise SyntaxProblem(f"{name} is a number from 1 to 10,000, not {value!r}.")
        if limit is not None and (not isinstance(limit, int) or limit < 0):
            raise SyntaxProblem(f"limit is None or a number from 0, not {limit!r}.")
        self._given = (filters, filter_operator)
        self._by_id = not order and async_count == 1
        self._order = order
        self._left = limit
        self._per_page = per_page
        self._side_by_side = async_count
        self._number = 1
        self._seen: set[int] = set()
        self.filters = filters
        self.options: list[dict[str, Any]] = []
        if limit != 0:
            self.options = self._first_options()

    def _first_options(self) -> list[dict[str, Any]]:
        if self._by_id:
            # In the site's own order, id ascending (wire.md 3.5), spelt out for clients that have another.
            by_id = [{"field_name": "id", "direction": "asc"}]
            operator = self._given[1]
            size = self._per_page if self._left is None else min(self._per_page, self._left)
            return [{"order": by_id, "limit": size, "page": 1, "filter_operator": operator}]
        return self._numbered()

    def _numbered(self) -> list[dict[str, Any]]:
        numbers = range(self._number, self._number + self._side_by_side)
        common = {"order": self._order, "limit": self._per_page, "filter_operator": self._given[1]}
        return [{**common, "page": number} for number in numbers]

    def new_rows(self, pages: list[tuple[list[Any], bool]]) -> Iterator[Any]:
        """The rows of the answered pages that were not given before, up to the limit; turns to the next."""
        rows = [row for page, _ in pages for row in page]
        # A short page is not the last: a site may give fewer rows than asked for (wire.md 2.1).
        ended = not all(has_next for _, has_next in pages)
        if self._by_id:
            if rows:
                filters, operator = self._given
                self.filters = after_id(filters, operator, rows[-1]["id"])
                self.options = [{**self.options[0], "filter_operator": None}]
        else:
            self._number += self._side_by_side
            fresh = []
            for row in rows:
                if row["id"] not in self._seen:
                    self._seen.add(row["id"])
                    fresh.append(row)
            rows = fresh
            self.options = self._numbered()
        if self._left is not None:
            rows = rows[: self._left]
            self._left -= len(rows)
        if ended or self._left == 0:
            self.options = []
        yield from rows
