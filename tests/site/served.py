"""Sites in processes of their own, which can be weighed and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

# Each site is forked from a process that has imported everything, so that it is up in a moment. All of them
# end with the test's process, whatever becomes of that: the launcher's standard input is then at its end.
_LAUNCHER = """
import json, os, signal, sys, threading, time
from sgsession.site.local_site import serve
from sgsession.site.schema.standard import standard_schema
from sgsession.site.database.store import Store

Store(None, standard_schema()).close()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
launcher = os.getpid()

def announce(site):
    said = {"url": site.url, "script_name": site.script_name, "api_key": site.api_key, "pid": os.getpid()}
    print(json.dumps(said), flush=True)

def end_with_the_launcher():
    while os.getppid() == launcher:
        time.sleep(0.2)
    os._exit(0)

for line in sys.stdin:
    if os.fork() == 0:
        threading.Thread(target=end_with_the_launcher, daemon=True).start()
        serve(**json.loads(line), announce=announce)
        os._exit(0)
"""


def tell(capsys: pytest.CaptureFixture[str], *lines: str) -> None:
    """Print figures of a test that passed, too, for a log of CI is where they are read."""
    with capsys.disabled():
        print("", *lines, sep="\n")  # noqa: T201


class Launcher:
    """Starts sites, each in a process of its own. `log` is the file that their standard error goes to."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _LAUNCHER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def serve(self, **arguments: Any) -> Served:
        """A site that answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        assert said, self.log.read_text(encoding="utf-8")
        return Served(json.loads(said))

    def close(self) -> None:
        """End all of them."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(20)


class Served:
    """A site in another process."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.url: str = said["url"]
        self.address = self.url.removeprefix("http://")
        self.credentials = {"script_name": said["script_name"], "script_key": said["api_key"]}
        self._process: int = said["pid"]

    def connect(self) -> shotgun_api3.Shotgun:
        """The official client on it."""
        return shotgun_api3.Shotgun(
            self.url, script_name=self.credentials["script_name"], api_key=self.credentials["script_key"]
        )

    def memory(self) -> int | None:
        """The resident bytes of its process, mapped files left out; None where the system does not tell."""
        try:
            status = Path(f"/proc/{self._process}/status").read_text(encoding="utf-8")
        except OSError:
            return None
        (line,) = [each for each in status.splitlines() if each.startswith("RssAnon:")]
        return int(line.split()[1]) * 1024

    def is_alive(self) -> bool:
        """Whether the process is there."""
        try:
            os.kill(self._process, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """End it at this instant, without a word; returns when it is gone."""
        os.kill(self._process, signal.SIGKILL)
        while self.is_alive():
            time.sleep(0.001)
