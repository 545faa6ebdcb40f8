"""docs/faults.md, written from what was measured."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone

from .clients import LIMIT, NAMES
from .driver import SILENCE
from .matrix import FAULTS, HOW, OPERATIONS, Cell
from .sharing import CHILDREN, FORK_ROUNDS, FORKED_READS, READS, SPEED_READS, Shared

__all__ = ["Results", "page"]

INTRODUCTION = """\
# What clients do when something breaks

This page is written by a program: `python -m benchmarks.faults` installs the official client and sg-python-api
from PyPI into environments of their own, lets each client make the same calls on a site that misbehaves on
demand (`sgsession.testing.fault_site`), counts the rows on that site afterwards, and writes what came of it here.
Anybody can run it again; it takes some five minutes.
"""

SETTINGS = """\
Each client is in its default state but for waiting: {silence:g} seconds for an answer (`config.timeout_secs`, set
before the first connection, as it reaches no open one; by default the official client waits for ever) and 20
milliseconds between attempts where that can be set. Uploads go the direct way, which sg-python-api needs, and the
fault strikes the step that hangs the file on its row.
"""

HOW_TO_READ = """\
In each cell: how often the site did it, and what the caller was told. "once" is a fault that strikes the first
attempt alone, "always" one that strikes every attempt. **Bold** is what no caller can have expected: done twice,
a success that is none, an error of no class of the client's own, or a call that does not come back in {limit:g}
seconds.
`AmbiguousWrite` and `PartialWrite` say that it may be done, and can find out (`reconcile()`) or do the rest
(`resume()`). Some errors of other clients hint at it by their kind, such as `SendError` of sg-python-api ("may have
started transmitting"); whether it was done is then for the caller to find out.
"""


@dataclass
class Results:
    """All that was measured."""

    seed: int
    versions: dict[str, str]
    cells: list[Cell] = field(default_factory=list)
    shared: list[Shared] = field(default_factory=list)
    ratios: dict[str, list[float]] = field(default_factory=dict)

    def of(self, client: str) -> list[Cell]:
        """The cells of one client."""
        return [cell for cell in self.cells if cell.client == client]


def page(results: Results) -> str:
    """The whole page."""
    parts = [
        INTRODUCTION,
        f"Run on {datetime.now(timezone.utc):%Y-%m-%d} with Python {platform.python_version()} on "
        f"{platform.system()}, seed {results.seed}:\n"
        + ", ".join(f"{name} {version}" for name, version in results.versions.items())
        + ".\n",
        "## In short\n",
        "\n".join(_summary(results)) + "\n",
        f"The matrix has {len(FAULTS)} faults, each once and always, at {len(OPERATIONS)} operations: "
        f"{len(FAULTS) * len(HOW) * len(OPERATIONS)} calls by each client.\n",
        "## One client in several hands\n",
        "\n".join(_sharing(results)) + "\n",
        "## What it costs\n",
        _speed(results),
        "## The matrix\n",
        HOW_TO_READ.format(limit=LIMIT),
        SETTINGS.format(silence=SILENCE),
    ]
    for operation in OPERATIONS:
        parts += [f"### {operation}\n", "\n".join(_matrix(results, operation)) + "\n"]
    return "\n".join(parts)


def _summary(results: Results) -> Iterator[str]:
    yield _row("", *NAMES)
    yield _rule(len(NAMES))
    counted = {
        "creates that made two rows or more": lambda cell: cell.operation == "create" and cell.twice,
        "… and of these, told as a success": lambda cell: (
            cell.operation == "create" and cell.twice and cell.told == "success"
        ),
        "updates and uploads done twice or more": lambda cell: cell.operation != "create" and cell.twice,
        "successes that are none (a web page as a row, say)": lambda cell: cell.wrong,
        "errors of no class of the client's (`IndexError`, `ConnectionResetError` …)": lambda cell: (
            not cell.typed
        ),
        "calls that did not come back": lambda cell: cell.hung,
        f"reads that survive a fault that strikes once, of {len(FAULTS)}": lambda cell: (
            (cell.operation, cell.how, cell.told) == ("find", "once", "success")
        ),
        "writes that were done, and told as perhaps or partly done": lambda cell: (
            cell.rows > 0 and cell.told in ("AmbiguousWrite", "PartialWrite")
        ),
        "writes that were done, and told by another error": lambda cell: (
            cell.rows > 0
            and cell.told not in ("AmbiguousWrite", "PartialWrite", "success")
            and not cell.wrong
        ),
    }
    for what, test in counted.items():
        yield _row(what, *(sum(map(test, results.of(name))) for name in NAMES))


def _sharing(results: Results) -> Iterator[str]:
    yield f"One client object, {READS:,} finds for rows of different names by 2 or 8 threads at once; and {FORK_ROUNDS}"
    yield f"times a warm client, then `fork()` into {CHILDREN} children, {FORKED_READS:,} finds in all. A wrong answer"
    yield "is the row of another find, without any error. Of 1,000 reads:\n"
    yield _row("", *(f"{name}: wrong | error" for name in NAMES))
    yield _rule(2 * len(NAMES))
    for situation in dict.fromkeys(each.situation for each in results.shared):
        found = {each.client: each for each in results.shared if each.situation == situation}
        columns = []
        for name in NAMES:
            each = found[name]
            wrong, error = each.per_thousand(each.wrong), each.per_thousand(each.error)
            columns += ["hangs", "hangs"] if each.hung else [f"**{wrong}**" if each.wrong else wrong, error]
        yield _row(situation, *columns)
    yield "\nHow many are wrong changes with the timing from run to run. The official client's documentation"
    yield "tells not to share it between threads; nothing in it notices."


def _speed(results: Results) -> str:
    elapsed, work = results.ratios["time"], results.ratios["work"]
    return (
        f"A small keep-alive read through the pool takes **{statistics.median(elapsed):.2f} times** as long as one\n"
        f"by the bare official client ({_spread(elapsed)}), and {statistics.median(work):.2f} times the work of the\n"
        f"processor ({_spread(work)}): medians of {len(elapsed)} rounds of {SPEED_READS} reads each, in turns, and\n"
        f"10 % to 90 % of them. The goal is at most 1.2.\n"
    )


def _spread(values: list[float]) -> str:
    tenths = statistics.quantiles(values, n=10)
    return f"{tenths[0]:.2f} to {tenths[-1]:.2f}"


def _matrix(results: Results, operation: str) -> Iterator[str]:
    yield _row("fault", "", *NAMES)
    yield _rule(1 + len(NAMES))
    found = {
        (cell.client, cell.fault.name, cell.how): cell
        for cell in results.cells
        if cell.operation == operation
    }
    for fault in FAULTS:
        for how in HOW:
            cells = (found.get((name, fault.name, how)) for name in NAMES)
            yield _row(fault.name, how, *("not run" if cell is None else cell for cell in cells))


def _row(*columns: object) -> str:
    return f"| {' | '.join(map(str, columns))} |"


def _rule(columns: int) -> str:
    return "|---|" + "---|" * columns
