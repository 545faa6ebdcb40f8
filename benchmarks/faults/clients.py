"""The clients that are compared, each in an environment and a process of its own, with a limit to each call."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from benchmarks.third_party_clients import environment

__all__ = ["LIMIT", "NAMES", "Client", "HangError"]

NAMES = ("shotgun_api3", "sg-python-api", "sgsession")
LIMIT = 9.0
"""Seconds after which a call that was told to wait two counts as hanging."""
DRIVER = Path(__file__).with_name("driver.py")


class HangError(Exception):
    """The client did not come back."""


class Client:
    """A process that drives one client, started anew after a hang.

    Args:
        name: one of NAMES; the first two are installed from PyPI, the last is the project at hand.
        folder: where environments are made, or found from the last time.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        if name == "sgsession":
            from sgsession import __version__

            self.python, self.version = Path(sys.executable), __version__
        else:
            self.python, self.version = environment(folder / name, [name])
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def do(self, what: str, limit: float = LIMIT, **order: Any) -> dict[str, Any]:
        """Have the client do something: a `value` or an `error`, and the `seconds` that it took.

        Raises:
            HangError: it took longer than the limit.
            RuntimeError: the process died.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        process.stdin.flush()
        try:
            line = self._lines.get(timeout=limit)
        except queue.Empty:
            self.close()
            raise HangError(f"{self.name} did not come back from {what!r} in {limit:g} s") from None
        if not line:
            self.close()
            raise RuntimeError(f"the process of {self.name} died")
        told: dict[str, Any] = json.loads(line)
        return told

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [self.python, str(DRIVER), self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._process, self._lines = process, queue.Queue()
        threading.Thread(target=_read, args=(process, self._lines), daemon=True).start()
        return process


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put("")
