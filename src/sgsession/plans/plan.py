"""What a plan is: it yields requests to begin, and receives the answer of the one that was begun first.

A yield of several requests begins all of them; one of none waits for the next answer. Those that were begun are
independent: whoever drives the plan may run them side by side. Answers come in the order in which they were asked
for, each once, and belong to the plan. It lets go of one before it yields for the next: a page of rows is decoded
into the memory that the page before it leaves. A plan may end before it had all its answers.

A stream is a plan that hands out rows on its way, which its caller takes before it goes on. It may be given up at any
of these points by the garbage collector, where nothing may be waited for: then it is closed without the lock.

Between two yields the driver holds the graph's lock, so a plan sees and changes the graph alone; across a yield it
does not. A plan catches nothing that it cannot repair.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

__all__ = ["IDS_PER_REQUEST", "HandedOut", "Plan", "Request", "Stream", "chunks", "given"]

T = TypeVar("T")

# One page of a site (wire.md 1.7): more ids would only make the client ask for a second page, one after
# the other, where two requests can run side by side.
IDS_PER_REQUEST = 500


class Request(NamedTuple):
    """One call of a client's method."""

    method: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = MappingProxyType({})


class HandedOut(NamedTuple):
    """Rows that a stream gives its caller before it ends."""

    rows: Sequence[Any]


Plan = Generator[list[Request], Any, T]
Stream = Generator[list[Request] | HandedOut, Any, None]


def chunks(items: Iterable[T], size: int = IDS_PER_REQUEST) -> Iterator[Sequence[T]]:
    """Cut items into lists of at most `size`."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def given(options: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The options that differ from the defaults: other clients (mocks, old ones) do not know them all."""
    return {name: value for name, value in options.items() if name not in defaults or value != defaults[name]}
