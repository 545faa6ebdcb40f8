"""The traps of wire.md 10: where they are written down, and how one is sprung."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .ground import Ground, ground, words

Spring = Callable[[Ground], None]


class Trap(NamedTuple):
    """A trap of the contract and the small test that springs it: an error means that the site is not there yet."""

    number: int
    title: str
    spring: Spring
    client_side: bool


TRAPS: dict[int, Trap] = {}


def trap(number: int, title: str, *, client_side: bool = False) -> Callable[[Spring], Spring]:
    """Note a test as that of a trap; `client_side` where it is the client that falls into it, on any site."""

    def noted(spring: Spring) -> Spring:
        assert number not in TRAPS, f"trap {number} has a test"
        TRAPS[number] = Trap(number, title, spring, client_side)
        return spring

    return noted


def trap_outcome(number: int) -> str:
    """What the table shows: "as recorded", "client side", or "not yet" with the reason."""
    found = TRAPS[number]
    with ground() as site:
        try:
            found.spring(site)
        except Exception as problem:
            return f"not yet: {words(problem) or type(problem).__name__}"
    return "client side" if found.client_side else "as recorded"


def refusal(action: Callable[..., object], *arguments: object) -> Exception:
    """What the action was refused with."""
    try:
        action(*arguments)
    except Exception as refused:
        return refused
    raise AssertionError("it was not refused")
