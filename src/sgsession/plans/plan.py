"""What a plan is: it yields lists of requests and receives the list of their results.

Requests of one list are independent: whoever drives the plan may run them side by side. Between two
yields the driver holds the graph's lock, so a plan sees and changes the graph alone; across a yield it
does not. The list of results is the plan's own. A plan catches nothing that it cannot repair.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

__all__ = ["IDS_PER_REQUEST", "Plan", "Request", "chunks", "given"]

T = TypeVar("T")

# One page of a site (wire.md 1.7): more ids would only make the client ask for a second page, one after
# the other, where two requests can run side by side.
IDS_PER_REQUEST = 500


class Request(NamedTuple):
    """One call of a client's method."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = MappingProxyType({})


Plan = Generator[list[Request], list[Any], T]


def chunks(items: Iterable[T], size: int = IDS_PER_REQUEST) -> Iterator[Sequence[T]]:
    """Cut items into lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def given(options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The options that differ from the defaults: other clients (mocks, old ones) do not know them all."""
    return {name: value for name, value in options.items() if name not in defaults or value != defaults[name]}
