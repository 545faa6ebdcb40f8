"""Run the official client's own live-site tests against the embedded site, and print what passed.

    python -m benchmarks.live_tests [--json]

Fetches the source release of the shotgun_api3 that is installed here from PyPI, and runs the live tests in it
three times: with uploads by form, by signed address, and with one of our pools in the client's place (without the
tests that replace a part of the client). Ends with 1 when a test failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .suite import POOL, NoLiveTests, client_version, fetch, replaces_parts, run

# What the tests talk through, and how the site takes uploads.
WAYS: dict[str, dict[str, Any]] = {
    "the client, uploads by form": {"direct_uploads": False},
    "the client, uploads by signed address": {"direct_uploads": True},
    "a pool of ours, uploads by form": {"through": POOL, "direct_uploads": False},
}


def main() -> int:
    """Print the table, or JSON, and give the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_tests", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="print the outcome of each test as JSON")
    as_json = parser.parse_args().json
    came: dict[str, dict[str, str]] = {}
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        try:
            place = fetch(Path(temporary))
        except NoLiveTests as problem:
            print(problem, file=sys.stderr)
            return 2
        for way, arguments in WAYS.items():
            began = time.monotonic()
            came[way] = outcomes = run(place, **arguments)
            seconds[way] = time.monotonic() - began
            if arguments.get("through"):
                came[way] = {test: came for test, came in outcomes.items() if not replaces_parts(test)}
    print(json.dumps(came, indent=2) if as_json else "\n".join(_table(came, seconds)))
    return int(any(outcome != "passed" for outcomes in came.values() for outcome in outcomes.values()))


def _table(came: dict[str, dict[str, str]], seconds: dict[str, float]) -> Iterator[str]:
    yield f"| the live tests of shotgun_api3 {client_version()} through | tests | passed | seconds |"
    yield "|---|---|---|---|"
    for way, outcomes in came.items():
        passed = sum(outcome == "passed" for outcome in outcomes.values())
        yield f"| {way} | {len(outcomes)} | {passed} | {seconds[way]:.0f} |"
    for way, outcomes in came.items():
        for test, outcome in outcomes.items():
            if outcome != "passed":
                yield f"\n{way}: {test}\n  {outcome}"


if __name__ == "__main__":
    sys.exit(main())
