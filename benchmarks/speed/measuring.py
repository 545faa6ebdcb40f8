"""Measure the clients in turns, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.third_party_clients import environment

from sgsession import __version__
from sgsession.site import LocalSite

from .recorder import Recorder

__all__ = ["NAMES", "OURS", "Results", "Worker", "measured", "spread"]

# Column → the client, and what pip installs for it; None is the environment that runs this.
_INSTALLED: dict[str, list[str] | None] = {
    "shotgun_api3": None,
    "sgsession": None,
    "sgsession[fast]": None,
    "sg-python-api": ["sg-python-api"],
    "sgalchemy": ["sgalchemy[official]"],
    "pyshotgrid": ["pyshotgrid"],
}
NAMES = list(_INSTALLED)
OURS = ["sgsession", "sgsession[fast]"]
IMPORTS = {
    "shotgun_api3": "import shotgun_api3",
    "sgsession": "import sgsession; sgsession.Session",
    "sgsession[fast]": "import sgsession; sgsession.Session",
    "sg-python-api": "import shotgun_api3",
    "sgalchemy": "import sgalchemy, shotgun_api3",
    "pyshotgrid": "import pyshotgrid",
}
# Which clients can do a piece of work in the time that there is; the page says why the others cannot.
EVERY_SIZE = ["shotgun_api3", *OURS, "sg-python-api", "sgalchemy"]
SPREAD_OUT = ["shotgun_api3", *OURS]
HIERARCHIES = ["shotgun_api3", *OURS, "sg-python-api"]

_CLIENT = Path(__file__).with_name("client.py")
TASKS = 100_000  # of the large demo
PAGES_AT_A_DISTANCE = 40
HIERARCHY_OF = 1000
LATENCY = 0.1
IMPORT_ROUNDS = 15
ROUNDS_OF_A_MILLION = 3
# How long a million rows are read before ten thousand are read in between.
SECONDS_OF_A_MILLION = 0.7


@dataclass
class Results:
    """What was measured: piece of work → client → each round."""

    versions: dict[str, str] = field(default_factory=dict)
    rows: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    """Microseconds of the processor for a row, by number of rows; client and site share one processor."""
    growth: dict[str, list[float]] = field(default_factory=dict)
    """That of a million rows by that of ten thousand, found in between."""
    spread_out: dict[str, list[float]] = field(default_factory=dict)
    """Microseconds for a row of a hundred thousand, with all processors for client and site."""
    memory: dict[str, list[float]] = field(default_factory=dict)
    """Bytes kept for a row."""
    wall: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Seconds for 40 pages, by latency in milliseconds."""
    hierarchy: dict[str, list[float]] = field(default_factory=dict)
    """Requests."""
    imports: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds."""
    import_beyond: list[float] = field(default_factory=list)
    """Milliseconds that ours takes where the official client is imported already."""

    def ratios(self, figures: dict[str, list[float]], name: str) -> list[float]:
        """One of ours by the official client's, round by round: what slows a round down slows both."""
        pairs = zip(figures[name], figures["shotgun_api3"], strict=True)
        return [ours / theirs for ours, theirs in pairs]


class Worker:
    """A client in its own process."""

    def __init__(self, python: Path, name: str, url: str, site: LocalSite) -> None:
        command = [str(python), str(_CLIENT), name, url, site.script_name, site.api_key]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.name = name

    def do(self, what: str, count: int) -> dict[str, Any]:
        """Have it do something, and say what that cost."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, "count": count}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended in the middle of {what} of {count}")
        cost: dict[str, Any] = json.loads(line)
        if cost.get("rows", count) != count:
            raise RuntimeError(f"{self.name} found {cost['rows']} rows of {count}")
        return cost

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@contextmanager
def _workers(
    pythons: dict[str, Path], recorder: Recorder, site: LocalSite, names: Sequence[str]
) -> Iterator[list[Worker]]:
    with ExitStack() as opened:
        workers = []
        for name in names:
            workers.append(Worker(pythons[name], name, recorder.url, site))
            opened.callback(workers[-1].close)
        yield workers


def measured(folder: Path, rounds: int, quick: bool, say: Any) -> Iterator[Results]:
    """Measure everything; what there is, and once more with the million rows, which take long.

    Args:
        folder: for the environments of the other clients.
        rounds: how often each is measured; more often what takes a moment, a third as often what takes long.
        quick: without the million rows.
        say: is told what is being measured.
    """
    results = Results()
    pythons = {}
    for name, packages in _INSTALLED.items():
        say(f"the environment of {name}")
        if packages is None:
            pythons[name] = Path(sys.executable)
            results.versions[name] = __version__
        else:
            pythons[name], results.versions[name] = environment(folder / name, packages)
    results.versions["shotgun_api3"] = _version(pythons["shotgun_api3"], "shotgun_api3")
    say("importing")
    for turn in range(IMPORT_ROUNDS + 1):
        for name, python in pythons.items():
            took = _import_time(python, "", IMPORTS[name], folder)
            if turn:  # the first one compiles
                results.imports.setdefault(name, []).append(took)
        # In one process: the difference of two processes is mostly that of the moments in which they ran.
        for _ in range(3):
            took = _import_time(pythons["sgsession"], IMPORTS["shotgun_api3"], IMPORTS["sgsession"], folder)
            results.import_beyond.append(took)
    say("the large demo")
    with LocalSite(demo="large") as site, ExitStack() as opened:
        recorder = Recorder(site, TASKS)
        opened.callback(recorder.close)
        workers = opened.enter_context(_workers(pythons, recorder, site, NAMES))
        few = max(3, rounds // 3)
        with one_processor([os.getpid(), *(worker.process for worker in workers)]):
            for size, names, times in (
                (1000, NAMES, 3 * rounds),
                (10_000, EVERY_SIZE, 2 * rounds),
                (TASKS, EVERY_SIZE, few),
            ):
                say(f"{size:,} rows")
                # The first round records what the site says.
                _rows(workers, size, names)
                results.rows[size] = _rounds(workers, size, names, times)
        say(f"{TASKS:,} rows on all processors")
        results.spread_out = _rounds(workers, TASKS, SPREAD_OUT, few)
        _measure(results, recorder, workers, few, say)
        yield results
        if not quick:
            say("1,000,000 rows")
            with one_processor([os.getpid(), *(worker.process for worker in workers)]):
                results.rows[1_000_000] = _rounds(workers, 1_000_000, EVERY_SIZE, ROUNDS_OF_A_MILLION)
                say("1,000,000 rows, and 10,000 in between")
                results.growth = _growth(workers, site)
            yield results


@contextmanager
def one_processor(processes: Iterable[int]) -> Iterator[None]:
    """Let processes share one processor, where the system can be told so.

    Two processors are often two threads of one core, and then each takes up to twice as long for the same work while
    the other is busy. A client that reads ahead works at the same time as its server; one that waits for each answer
    does not. On one processor, each pays for its own work alone.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    processes, everywhere = list(processes), os.sched_getaffinity(0)

    def put(where: set[int]) -> None:
        for process in processes:
            for thread in Path(f"/proc/{process}/task").iterdir():
                with suppress(ProcessLookupError):  # it has ended meanwhile
                    os.sched_setaffinity(int(thread.name), where)

    put({min(everywhere)})
    try:
        yield
    finally:
        put(everywhere)


def _growth(workers: list[Worker], site: LocalSite) -> dict[str, list[float]]:
    """The cost of a row of a million by that of ten thousand, for which the million is stopped again and again.

    One after the other, a machine that does other people's work as well would decide: it is half as fast now as it
    was a moment ago.
    """
    growth: dict[str, list[float]] = defaultdict(list)
    if not hasattr(signal, "SIGSTOP"):
        return {}
    with ExitStack() as opened:
        recorder = Recorder(site, TASKS)
        opened.callback(recorder.close)
        threads = opened.enter_context(ThreadPoolExecutor())
        for worker in workers:
            if worker.name not in OURS:
                continue
            beside = Worker(Path(sys.executable), worker.name, recorder.url, site)
            opened.callback(beside.close)
            for _ in range(ROUNDS_OF_A_MILLION):
                million = threads.submit(_cost, worker, 1_000_000)
                few: list[float] = []
                while not million.done():
                    time.sleep(SECONDS_OF_A_MILLION)
                    os.kill(worker.process, signal.SIGSTOP)
                    try:
                        _cost(beside, 10_000)  # what the other one left in the caches is not to count
                        few.append(_cost(beside, 10_000))
                    finally:
                        os.kill(worker.process, signal.SIGCONT)
                growth[worker.name].append(million.result() / statistics.mean(few))
    return dict(growth)


def _rounds(workers: list[Worker], size: int, names: Sequence[str], times: int) -> dict[str, list[float]]:
    costs = defaultdict(list)
    for _ in range(times):
        for name, cost in _rows(workers, size, names).items():
            costs[name].append(cost)
    return dict(costs)


def _rows(workers: list[Worker], size: int, names: Sequence[str]) -> dict[str, float]:
    """One round: microseconds of the processor for a row."""
    return {worker.name: _cost(worker, size) for worker in workers if worker.name in names}


def _cost(worker: Worker, size: int) -> float:
    cost: float = worker.do("find", size)["cpu"] / size * 1e6
    return cost


def _measure(results: Results, recorder: Recorder, workers: list[Worker], few: int, say: Any) -> None:
    everywhere = [worker for worker in workers if worker.name in EVERY_SIZE]
    pages = PAGES_AT_A_DISTANCE * 500
    for latency in (0.0, LATENCY):
        say(f"{PAGES_AT_A_DISTANCE} pages at {latency * 1000:g} ms")
        recorder.latency = latency
        walls = defaultdict(list)
        for _ in range(few):
            for worker in everywhere:
                walls[worker.name].append(worker.do("find", pages)["wall"])
        results.wall[f"{latency * 1000:g}"] = dict(walls)
    recorder.latency = 0.0
    say(f"the hierarchy of {HIERARCHY_OF:,} tasks")
    for worker in workers:
        if worker.name in HIERARCHIES:
            recorder.requests.clear()
            worker.do("hierarchy", HIERARCHY_OF)
            results.hierarchy[worker.name] = [recorder.requests["read"]]
    say("memory")
    for _ in range(3):
        for worker in everywhere:
            kept = worker.do("memory", pages)["bytes"] / pages
            results.memory.setdefault(worker.name, []).append(kept)


def _import_time(python: Path, before: str, what: str, folder: Path) -> float:
    # With compiled modules, as an installed package has them, wherever this runs.
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    code = f"{before}\nimport time; began = time.perf_counter(); {what}; print(time.perf_counter() - began)"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=environ)
    return float(done.stdout) * 1000


def _version(python: Path, package: str) -> str:
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def spread(figures: Sequence[float]) -> tuple[float, float, float]:
    """Median, least and most."""
    return statistics.median(figures), min(figures), max(figures)
