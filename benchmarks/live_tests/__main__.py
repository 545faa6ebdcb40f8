"""Run the official client's own live-site tests against the embedded site, and print what passed.

    python -m benchmarks.live_tests [--json]

Fetches the source release of the shotgun_api3 that is installed here from PyPI, and runs the live tests in it
twice: with uploads by form, and by signed address. Ends with 1 when a test failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from .suite import NoLiveTests, client_version, fetch, run

WAYS = {"uploads by form": False, "uploads by signed address": True}


def main() -> int:
    """Print the table, or JSON, and give the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_tests", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--json", action="store_true", help="print the outcome of each test as JSON")
    as_json = parser.parse_args().json
    with tempfile.TemporaryDirectory() as temporary:
        try:
            place = fetch(Path(temporary))
        except NoLiveTests as problem:
            print(problem, file=sys.stderr)
            return 2
        came: dict[str, dict[str, str]] = {}
        seconds: dict[str, float] = {}
        for way, direct in WAYS.items():
            began = time.monotonic()
            came[way] = run(place, direct_uploads=direct)
            seconds[way] = time.monotonic() - began
    failed = any(outcome != "passed" for outcomes in came.values() for outcome in outcomes.values())
    if as_json:
        print(json.dumps(came, indent=2))
        return int(failed)
    print(f"The live tests of shotgun_api3 {client_version()}\n")
    print("| against the embedded site | tests | passed | seconds |\n|---|---|---|---|")
    for way, outcomes in came.items():
        passed = sum(outcome == "passed" for outcome in outcomes.values())
        print(f"| {way} | {len(outcomes)} | {passed} | {seconds[way]:.0f} |")
    for way, outcomes in came.items():
        for test, outcome in outcomes.items():
            if outcome != "passed":
                print(f"\n{way}: {test}\n  {outcome}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
