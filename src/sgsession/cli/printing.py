"""Results on standard output: tables, trees and colours on a terminal, plain lines elsewhere.

Piped, a table is one line for each row, without a header, with tabs between the columns, and no value is
cut, wrapped or coloured; a tree is indented by two spaces. `rich` is needed on a terminal only.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from .values import one_line

__all__ = ["Branch", "Printer"]

# What takes longer than this is accompanied by a sign of life.
_PATIENCE = 1.0
_REDRAWN = 0.1


@dataclass
class Branch:
    """A node of a tree: what it is called, what goes beside it in a paler colour, and what hangs on it."""

    label: str
    aside: str = ""
    branches: list[Branch] = field(default_factory=list)


class Printer:
    """Prints the results of one command."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._no_color: bool = args.no_color
        self.is_terminal = sys.stdout.isatty()

    def text(self, line: str = "", style: str = "") -> None:
        """Print one line of text, on a terminal in the style."""
        if self.is_terminal and style:
            self._console().print(line, style=style, markup=False, soft_wrap=True)
        else:
            print(line)

    def json(self, value: Any) -> None:
        """Print a value as JSON."""
        print(json.dumps(value, indent=2, ensure_ascii=False))

    def csv(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print rows as CSV, with a header."""
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

    def table(
        self,
        header: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        title: str = "",
        numbers: Sequence[str] = (),
    ) -> None:
        """Print rows as a table; the columns named in `numbers` are set to the right."""
        if not self.is_terminal:
            for row in rows:
                print("\t".join(map(one_line, row)))
            return
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left", title_style="bold"
        )
        for index, name in enumerate(header):
            table.add_column(
                Text(name),
                justify="right" if name in numbers else "left",
                overflow="fold",
                style="cyan" if index == 0 else "",
            )
        for row in rows:
            table.add_row(*[Text(one_line(cell)) for cell in row])
        self._console().print(table)

    def tree(self, root: Branch) -> None:
        """Print a tree."""
        if not self.is_terminal:
            for depth, branch in _walk(root):
                aside = f"  {one_line(branch.aside)}" if branch.aside else ""
                print(f"{'  ' * depth}{one_line(branch.label)}{aside}")
            return
        from rich.text import Text
        from rich.tree import Tree

        def label(branch: Branch) -> Text:
            return Text.assemble((one_line(branch.label), "bold"), ("  " + one_line(branch.aside), "dim"))

        drawn = Tree(label(root), guide_style="dim")
        waiting = [(drawn, root)]
        while waiting:
            parent, branch = waiting.pop()
            waiting.extend((parent.add(label(below)), below) for below in branch.branches)
        self._console().print(drawn)

    def note(self, line: str) -> None:
        """Print a line about the result, beside it: on stderr."""
        print(line, file=sys.stderr)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[float], None]]:
        """Show on stderr, after a second, that `what` is going on, and for how long.

        Gives a function that is told which share of it is done, from 0 to 1, by whoever knows that.
        """
        shares: deque[float] = deque(maxlen=1)
        if not sys.stderr.isatty():
            yield shares.append
            return
        done = Event()
        watcher = Thread(target=self._show_life, args=(what, shares, done), daemon=True)
        watcher.start()
        try:
            yield shares.append
        finally:
            done.set()
            watcher.join()

    def _show_life(self, what: str, shares: Sequence[float], done: Event) -> None:
        if done.wait(_PATIENCE):
            return
        try:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
        except ModuleNotFoundError:
            return  # who prints the result will say so, where it matters
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        console = Console(stderr=True, no_color=self._no_color or None)
        with Progress(*columns, console=console, transient=True) as progress:
            shown = progress.add_task(what, total=None)
            while not done.wait(_REDRAWN):
                if shares:
                    progress.update(shown, completed=shares[-1], total=1.0)

    def _console(self) -> Any:
        from rich.console import Console

        return Console(no_color=self._no_color or None, highlight=False)


def _walk(root: Branch) -> Iterator[tuple[int, Branch]]:
    """Each branch with its depth, as they are read from top to bottom."""
    waiting = [(0, root)]
    while waiting:
        depth, branch = waiting.pop()
        yield depth, branch
        waiting.extend((depth + 1, below) for below in reversed(branch.branches))
