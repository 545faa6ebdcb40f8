"""How fast the embedded site reads: pages of the large demo inside the server, and small reads over HTTP.

    python benchmarks/site_speed.py [--rounds 15]

Prints the median and the spread (10th to 90th percentile) of each, beside its target. `cpu` is what the
process spent on the fastest round, or on a read over HTTP on average: on a machine that is busy with other things,
it is nearer to what the figure would be alone. The load of the machine is said before and after.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sgsession.site import LocalSite
from sgsession.site.engine import Engine

PAGE = 500
READS = 200  # of a round over HTTP
DEEP_FIELDS = [
    "project.Project.name",
    "project.Project.sg_status",
    "step.Step.code",
    "step.Step.short_name",
    "step.Step.list_order",
    "entity.Shot.code",
    "entity.Shot.sg_status_list",
    "entity.Shot.sg_cut_in",
    "entity.Shot.sg_cut_out",
    "entity.Shot.sg_sequence",
    "entity.Shot.sg_sequence.Sequence.code",
    "entity.Shot.sg_sequence.Sequence.sg_status_list",
]
FILTERS: dict[str, list[dict[str, Any]]] = {
    "no filter": [],
    "deep filter": [
        {"path": "entity.Shot.sg_sequence.Sequence.code", "relation": "is_not", "values": ["nothing"]}
    ],
    "deep filter that most shots pass": [
        {"path": "entity.Shot.sg_cut_in", "relation": "greater_than", "values": [0]}
    ],
    "deep filter that half of the shots pass": [
        {"path": "entity.Shot.sg_cut_out", "relation": "greater_than", "values": [1120]}
    ],
    "deep filter that all but five sequences pass": [
        {"path": "entity.Shot.sg_sequence.Sequence.code", "relation": "is_not", "values": ["S007"]}
    ],
    "deep filter, 500 of 100,000": [
        {"path": "entity.Shot.sg_sequence.Sequence.id", "relation": "is", "values": [7]}
    ],
}
PAGE_TARGET = "at most 20 ms"
SMALL_TARGET = "at least 1,000 a second"


def page_of_tasks(conditions: list[dict[str, Any]], number: int) -> dict[str, Any]:
    """The params of a read of one page, as the official client sends them."""
    return {
        "type": "Task",
        "return_fields": ["content", "sg_status_list", "entity", *DEEP_FIELDS],
        "filters": {"logical_operator": "and", "conditions": conditions},
        "return_only": "active",
        "paging": {"entities_per_page": PAGE, "current_page": number},
        "return_paging_info_without_counts": True,
        "api_return_image_urls": True,
    }


@dataclass(frozen=True)
class Measured:
    """Rounds of something: how long each took, and what the processor spent on the fastest, in milliseconds."""

    elapsed: list[float]
    cpu: float

    def shown(self, name: str, target: str, *, per_second: int = 0) -> None:
        """One line: median, spread, processor, target; or the rate, where a round makes so many."""
        values, cpu, unit = self.elapsed, self.cpu, "ms"
        if per_second:
            values = [1000 * per_second / each for each in values]
            cpu, unit = 1000 * per_second / cpu, "/s"
        tenths = statistics.quantiles(values, n=10)
        spread = f"{tenths[0]:.1f} to {tenths[-1]:.1f}"
        print(f"{name:<60} {statistics.median(values):>8.1f} {unit:<3} {spread:>18} {cpu:>8.1f}   {target}")


def measured(what: Callable[[], Any], rounds: int) -> Measured:
    """Rounds of a function of this process; what the first one costs is not counted."""
    what()
    elapsed, spent = [], []
    for _ in range(rounds):
        began, processor = time.perf_counter(), time.process_time()
        what()
        spent.append((time.process_time() - processor) * 1000)
        elapsed.append((time.perf_counter() - began) * 1000)
    return Measured(elapsed, min(spent))


def pages(engine: Engine, credentials: dict[str, str], rounds: int) -> None:
    """Pages inside the server: from the decoded request to the envelope, encoded."""
    for name, conditions in FILTERS.items():
        counted = {
            "type": "Task",
            "filters": page_of_tasks(conditions, 1)["filters"],
            "summaries": [{"field": "id", "type": "count"}],
        }
        count = asked(engine, credentials, "summarize", counted)["summaries"]["id"]
        last = max(1, -(-count // PAGE))
        for label, number in {"first": 1, "middle": (last + 1) // 2, "last": last}.items():
            params = page_of_tasks(conditions, number)
            rows = asked(engine, credentials, "read", params)["entities"]

            def read(params: dict[str, Any] = params) -> None:
                json.dumps(asked(engine, credentials, "read", params))

            measured(read, rounds).shown(f"{label} page, {name} ({len(rows)} rows of {count:,})", PAGE_TARGET)


def asked(engine: Engine, credentials: dict[str, str], method: str, params: dict[str, Any]) -> Any:
    """The results of one call; a refusal ends the benchmark."""
    envelope = engine.answer({"method_name": method, "params": [credentials, params]})
    if "results" not in envelope:
        raise SystemExit(f"{method} was refused: {envelope['message']}")
    return envelope["results"]


def small_reads(site: LocalSite, credentials: dict[str, str], rounds: int) -> None:
    """One shot by id, again and again; and one by its name, which is left to a worker of the server."""
    by_id = shot_where("id", 4711)
    inside = measured(lambda: asked(site.engine, credentials, "read", by_id), 40 * rounds)
    inside.shown("one small read inside the server", "")
    for name, params in (("small reads", by_id), ("reads by name", shot_where("code", "S007_0070"))):
        for connections in (1, 4):
            _over_http(site, name, [json.dumps(credentials), json.dumps(params), str(rounds)], connections)


def shot_where(path: str, value: Any) -> dict[str, Any]:
    """The params of `find_one` with three fields."""
    return {
        "type": "Shot",
        "return_fields": ["code", "sg_status_list", "sg_cut_in"],
        "filters": {
            "logical_operator": "and",
            "conditions": [{"path": path, "relation": "is", "values": [value]}],
        },
        "return_only": "active",
        "paging": {"entities_per_page": 1, "current_page": 1},
        "return_paging_info_without_counts": True,
        "api_return_image_urls": True,
    }


def _over_http(site: LocalSite, name: str, arguments: list[str], connections: int) -> None:
    """The rate over that many connections, each from another process: a client in this one would share its lock."""
    command = [sys.executable, __file__, "--load", site.url.removeprefix("http://"), *arguments]
    processor = time.process_time()
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(connections)]
    spent = [json.loads(client.communicate()[0]) for client in clients]
    rounds = len(spent[0])
    cpu = (time.process_time() - processor) * 1000 / (rounds + 1) / connections
    # Side by side: so many connections make so many rounds in the time of one.
    elapsed = [statistics.mean(each) / connections for each in zip(*spent, strict=True)]
    name += " over keep-alive, " + ("one connection" if connections == 1 else f"{connections} connections")
    Measured(elapsed, cpu).shown(name, SMALL_TARGET, per_second=READS)


def load(address: str, credentials: str, params: str, rounds: str) -> None:
    """Send small reads on one connection; print how many milliseconds each round of them takes."""
    body = json.dumps({"method_name": "read", "params": [json.loads(credentials), json.loads(params)]})
    connection = http.client.HTTPConnection(address)
    spent = []
    for _ in range(int(rounds) + 1):
        began = time.perf_counter()
        for _ in range(READS):
            connection.request("POST", "/api3/json", body, {"Content-Type": "application/json"})
            if b'"results"' not in connection.getresponse().read():
                raise SystemExit("a small read was refused")
        spent.append((time.perf_counter() - began) * 1000)
    print(json.dumps(spent[1:]))


def main() -> None:
    """Make the large demo, and measure."""
    if sys.argv[1:2] == ["--load"]:
        load(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="how often each is measured")
    rounds = parser.parse_args().rounds
    began = time.perf_counter()
    with LocalSite(demo="large") as site:
        print(f"the large demo was made in {time.perf_counter() - began:.1f} s; {busy()}\n")
        print(f"{'':<60} {'median':>12} {'10 % to 90 %':>18} {'cpu':>8}   target")
        credentials = {"script_name": site.script_name, "script_key": site.api_key}
        pages(site.engine, credentials, rounds)
        small_reads(site, credentials, rounds)
        print(f"\n{busy()}")


def busy() -> str:
    """How busy the machine is, where that can be known."""
    if not hasattr(os, "getloadavg"):
        return f"{os.cpu_count()} processors"
    return f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
