"""docs/speed.md, written from what was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from .measuring import HIERARCHY_OF, NAMES, OURS, PAGES_AT_A_DISTANCE, Results, spread

__all__ = ["page"]

INTRODUCTION = """\
# What reading costs

This page is written by a program: `python -m benchmarks` serves the large demo of the embedded site, lets each client
read it in a process (and an environment) of its own, and writes what that cost here. Anybody can run it again.

The work is a find of tasks with {keys} keys to a row, 8 of them deep: what a tool shows beside a task. The official
client and sg-python-api give it as dicts; a session gives it as entities, each once, linked and with back-references.

A session reads JSON with the standard library, or with orjson where that is installed: `pip install sgsession[fast]`.
"""

NOTES = """\
- **Cost** is what the processor spends in the client's process for a row, from the bytes on the socket to the answer:
  HTTP, JSON, and whatever the client makes of it. The site is in another process and answers from memory; both share
  one processor, where the system can be told so.
- **Memory** is what Python's allocator counts as kept for a row of {pages} pages when the find has ended.
- **Wall time** is for {pages} pages of 500 rows, each answer held back for so long.
- **Import**, beyond that of the official client, is what importing ours takes in a process that has imported the
  official client already.
- In each cell: the median, and the least and the most of all rounds. Clients take turns within a round; the ratios
  above are taken round by round, so that what slows the machine down does not favour anybody.
- A million rows are the hundred thousand of the demo ten times over, with other ids. For the comparison with ten
  thousand they are stopped every second, and a second process finds those: one after the other, what else the machine
  does in the meantime would decide.
"""

FOOTNOTES = """\
¹ The fields of a task alone, 6 of the 14: sgalchemy does not follow links of several types, which `Task.entity` is.
So it does less work than the others here, and cannot climb from tasks to what is above them.

² pyshotgrid finds entities without values, and asks for those of each entity by itself: 1,001 requests for 1,000 rows.
More than that is not measured.

³ The other two know no hierarchies: level by level, as one writes it by hand, 500 ids at a time.

⁴ Processors are often the threads of one core in pairs, and then work takes up to twice as long while the other
thread is busy, or only polls for work. A client that waits for each answer has the core to itself while it works; one
that reads ahead shares it with the server. That belongs to the machine. What belongs to the client is that its threads
then hand the interpreter to each other across processors.
"""

_MARKS = {"sgalchemy": " ¹", "pyshotgrid": " ²"}


@dataclass(frozen=True)
class Target:
    """A ratio to reach."""

    what: str
    wanted: str
    most: float
    ratios: list[float]

    def line(self) -> str:
        """A line of the table; it says so where the target is missed."""
        middle, least, greatest = spread(self.ratios)
        verdict = "reached" if middle <= self.most else "**missed**"
        return f"| {self.what} | {self.wanted} | {middle:.3g} ({least:.3g} to {greatest:.3g}) | {verdict} |"


def targets(results: Results) -> Iterator[Target]:
    """What the design promises, as far as it was measured."""
    theirs = "of the official client's"
    for name, wanted, most in zip(OURS, ("1/4", "1/5"), (0.25, 0.2), strict=True):
        for size, figures in results.rows.items():
            what = f"cost of a row, {size:,} rows, {name}"
            yield Target(what, f"≤ {wanted} {theirs}", most, results.ratios(figures, name))
        what = f"cost of a row, 100,000 rows, all processors ⁴, {name}"
        yield Target(what, f"≤ {wanted} {theirs}", most, results.ratios(results.spread_out, name))
        if name in results.growth:
            what = f"cost of a row, 1,000,000 rows, {name}"
            yield Target(what, "≤ 1.3 of that at 10,000", 1.3, results.growth[name])
    memory = results.ratios(results.memory, "sgsession")
    yield Target("memory of a row", f"≤ 0.4 {theirs}", 0.4, memory)
    for latency, figures in results.wall.items():
        if latency != "0":
            what = f"{PAGES_AT_A_DISTANCE} pages at {latency} ms"
            yield Target(what, f"≤ 1/5 {theirs}", 0.2, results.ratios(figures, "sgsession"))
    requests = results.hierarchy["sgsession"]
    fewest = HIERARCHY_OF // 500
    yield Target(f"hierarchy of {HIERARCHY_OF:,} tasks", f"≤ {fewest} requests", fewest, requests)
    yield Target("import, beyond that of the official client", "≤ 20 ms", 20, results.import_beyond)


def page(results: Results, busy: tuple[float, float]) -> Iterator[str]:
    """The lines of the page; `busy` is the load of the machine before and after."""
    yield INTRODUCTION.format(keys=16)
    yield "## Targets\n"
    yield "| what | target | measured | |"
    yield "|---|---|---|---|"
    for target in targets(results):
        yield target.line()
    if 1_000_000 not in results.rows:
        yield "\nA million rows were not measured this time, by `--quick`."
    yield "\n## Figures\n"
    heads = [f"{name} {results.versions[name]}{_MARKS.get(name, '')}" for name in NAMES]
    yield f"| | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(NAMES)}"
    for size, figures in results.rows.items():
        yield _line(f"cost of a row, {size:,} rows, µs", figures)
    yield _line("the same for 100,000, all processors, µs ⁴", results.spread_out)
    if results.growth:
        yield _line("cost of a row, 1,000,000 by 10,000", results.growth)
    yield _line("memory of a row, bytes", results.memory)
    for latency, figures in results.wall.items():
        yield _line(f"{PAGES_AT_A_DISTANCE} pages at {latency} ms, s", figures)
    yield _line(f"requests for the hierarchy of {HIERARCHY_OF:,} tasks ³", results.hierarchy)
    yield _line("import, ms", results.imports)
    yield ""
    yield NOTES.format(pages=PAGES_AT_A_DISTANCE)
    yield FOOTNOTES
    yield (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, Python {platform.python_version()} on {platform.system()}, "
        f"{platform.machine()}, {os.cpu_count()} processors, load {busy[0]:.1f} before and {busy[1]:.1f} after."
    )


def _line(what: str, figures: dict[str, list[float]]) -> str:
    return f"| {what} | {' | '.join(_cell(figures.get(name)) for name in NAMES)} |"


def _cell(figures: list[float] | None) -> str:
    if not figures:
        return "–"  # noqa: RUF001
    middle, least, greatest = spread(figures)
    if least == greatest:
        return _shown(middle)
    return f"{_shown(middle)} ({_shown(least)} to {_shown(greatest)})"


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 or figure == int(figure) else f"{figure:.3g}"
