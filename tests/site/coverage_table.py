"""What the embedded site answers, as a page of tables: every row comes from a probe of the running site.

`python -m tests.site.coverage_table > docs/site-coverage.md` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

# Each of these modules notes its traps when it is imported.
from .coverage import traps_of_clients, traps_of_reading, traps_of_writing
from .coverage.methods import (
    CLIENT_CALLS,
    METHODS,
    client_call_outcome,
    method_outcome,
    page_export_outcome,
    unknown_method_outcome,
)
from .coverage.operators import GROUPS, RECORDED, cell, outcome, specimens
from .coverage.traps import TRAPS, trap_outcome
from .coverage.types import CUSTOM, STEPS, lives
from .coverage.types import RECORDED as RECORDED_TYPES
from .direct_calls import Direct

__all__ = ["page", "traps_of_clients", "traps_of_reading", "traps_of_writing"]

_HEAD = """\
# What the embedded site answers

Each row of these tables is a probe of the running site, and a test compares this page with what the probes find.
To write it anew: `python -m tests.site.coverage_table > docs/site-coverage.md`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join((_HEAD, *_methods(), *_operators(), *_types(), *_traps()))


@cache
def methods() -> dict[str, tuple[str, str]]:
    """By Python method: the remote method, and what the site does with it."""
    found = {each.python: (f"`{each.wire}`", method_outcome(each)) for each in METHODS}
    found["`export_page`"] = ("`export_page`", page_export_outcome())
    for name in CLIENT_CALLS:
        sent = "`read`" if name == "`authenticate_human_user`" else "forms"
        found[name] = (sent, client_call_outcome(name))
    found["any other"] = ("-", unknown_method_outcome())
    return found


@cache
def operators() -> dict[str, dict[str, str]]:
    """By data type and group of operators: Y where they find the right rows, - where they are refused."""
    with specimens() as site:
        return {
            data_type: {
                group: cell({each: outcome(site, data_type, each) for each in members})
                for group, members in GROUPS.items()
            }
            for data_type in RECORDED
        }


@cache
def types() -> dict[str, dict[str, str]]:
    """By entity type: what becomes of a row at each step of its life."""
    direct = Direct(custom=CUSTOM)
    try:
        return {
            name: lives(direct, name)
            if name in direct.store.schema.types
            else dict.fromkeys(STEPS, "not yet")
            for name in (*RECORDED_TYPES, *_further(direct))
        }
    finally:
        direct.store.close()


@cache
def trap(number: int) -> str:
    """What the site does at a trap."""
    return trap_outcome(number)


def _further(direct: Direct) -> list[str]:
    """Types that the site has beyond those of wire.md 6.2: link targets and connections."""
    return [name for name in direct.store.schema.types if name not in RECORDED_TYPES]


def _methods() -> Iterator[str]:
    yield "## Methods\n"
    yield 'The arguments are those that the official client sends; "answers" means in the recorded form.\n'
    yield from _table(
        ("Python", "sent as", "the site"), ((name, *found) for name, found in methods().items())
    )


def _operators() -> Iterator[str]:
    yield "## Filter operators by data type\n"
    yield (
        "Tried on a row with a value and on one without. Y: each finds the right ones of them; negations include\n"
        "the one without. -: refused in the recorded words. `image` takes null as its only operand.\n"
    )
    rows = ((f"`{name}`", *found.values()) for name, found in operators().items())
    yield from _table(("data type", *GROUPS), rows)


def _types() -> Iterator[str]:
    yield "## Entity types\n"
    yield "Of the numbered types the first and the last; they exist once they are switched on.\n"
    yield from _table(("type", *STEPS), ((f"`{name}`", *found.values()) for name, found in types().items()))


def _traps() -> Iterator[str]:
    yield "## Traps\n"
    yield '"Client side": the client falls into it on any site, and the test shows it.\n'
    rows = ((str(number), TRAPS[number].title, trap(number)) for number in sorted(TRAPS))
    yield from _table(("#", "trap", "the site"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
