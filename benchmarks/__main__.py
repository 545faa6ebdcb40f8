"""What reading costs, beside other clients; prints the tables and writes docs/speed.md.

    python -m benchmarks [--quick] [--rounds 6] [--keep FOLDER] [--page docs/speed.md] [--json FILE]

Needs `pip install -e .[site,dev]`, PyPI for the other clients, 12 GB of memory and some twenty minutes. With `--quick`
the million rows are left out, and with them most of both.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from .speed.measuring import measured
from .speed.page import page

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"
BEGAN = time.monotonic()


def busy() -> float:
    """How busy the machine is, where that can be known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def say(what: str) -> None:
    """Show what is going on and since when, beside the tables."""
    minutes, seconds = divmod(int(time.monotonic() - BEGAN), 60)
    print(f"{minutes:3}:{seconds:02} {what}", file=sys.stderr, flush=True)


def at_least_one(text: str) -> int:
    """A number of rounds."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a number from 1, not {text!r}")
    return int(text)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out the million rows")
    parser.add_argument("--rounds", type=at_least_one, default=6, help="how often each is measured")
    parser.add_argument("--keep", type=Path, help="keep the environments in this folder, for the next time")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page is written")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    given = parser.parse_args()
    for file in (given.page, given.json):
        if file and not file.parent.is_dir():  # told now, and not after twenty minutes
            parser.error(f"there is no folder {file.parent} to write {file.name} into")
    before = busy()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for results in measured(folder, given.rounds, given.quick, say):
            text = "\n".join(page(results, (before, busy()))) + "\n"
            given.page.write_text(text, encoding="utf-8")
            if given.json:
                given.json.write_text(json.dumps(dataclasses.asdict(results), indent=1), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
