"""Run the live tests in the folder of this process, and write what came of each into a JSON file.

The runner copies this file beside the tests and starts it there; it imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
import unittest
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any


class Outcomes(unittest.TestResult):
    """The outcome of each test by its name; a failure with its first line."""

    def __init__(self) -> None:
        super().__init__()
        self.of: dict[str, str] = {}

    def stopTest(self, test: unittest.TestCase) -> None:
        """Keep "passed", unless something else was kept for this test, and show that time passes."""
        self.of.setdefault(test.id(), "passed")
        print(".", end="", file=sys.stderr, flush=True)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        """Keep the first line of the failure."""
        problem = err[1]
        self.of[test.id()] = f"{type(problem).__name__}: {problem}".splitlines()[0]

    addError = addFailure

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        """A test fails with any part of it."""
        if err is not None:
            self.addFailure(test, err)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """Keep the reason."""
        self.of[test.id()] = f"skipped: {reason}"


def main() -> None:
    """Run the named test modules."""
    outcomes = Outcomes()
    warnings.simplefilter("ignore")
    # Only here, beside the tests, there is such a package.
    import_module("tests.base").give_the_script_a_thumbnail()
    unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:]).run(outcomes)
    print(file=sys.stderr)
    Path(sys.argv[1]).write_text(json.dumps(outcomes.of), encoding="utf-8")


if __name__ == "__main__":
    main()
