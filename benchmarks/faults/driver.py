"""One client in a process of its own, told by lines of JSON what to do. Run by clients.py, in each environment.

It imports nothing but the standard library and the client that it drives.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

# What the clients are told, so that no case takes minutes: how long to wait for an answer, and between attempts.
SILENCE = 2.0
PAUSE_MILLISECONDS = 20


def plain_client(url: str, script: str, key: str, ca_certs: str | None) -> Any:
    """A client of the package shotgun_api3, which is the vendor's or sg-python-api's."""
    from shotgun_api3 import Shotgun

    client = Shotgun(url, script_name=script, api_key=key, ca_certs=ca_certs, connect=False)
    # Before the first connection: later it would reach no open one.
    client.config.timeout_secs = SILENCE
    client.config.rpc_attempt_interval = PAUSE_MILLISECONDS
    return client


def pooled_client(url: str, script: str, key: str, ca_certs: str | None) -> Any:
    """A pool of sgsession."""
    from sgsession import ShotgunPool
    from sgsession.pool import TransportOptions

    options = TransportOptions(inactivity_timeout=SILENCE, backoff_base=PAUSE_MILLISECONDS / 1000)
    return ShotgunPool(plain_client(url, script, key, ca_certs), options=options)


def create(client: Any, case: dict[str, Any]) -> Any:
    """A shot with the case's code."""
    return client.create("Shot", {"code": case["token"], "project": case["project"]})


def find(client: Any, case: dict[str, Any]) -> Any:
    """The shots of the case's sequence."""
    return client.find("Shot", [["sg_sequence", "is", case["sequence"]]], ["code"])


def update(client: Any, case: dict[str, Any]) -> Any:
    """The description of the case's shot."""
    return client.update("Shot", case["shot"], {"description": case["token"]})


def upload(client: Any, case: dict[str, Any]) -> Any:
    """A file for the case's shot."""
    return client.upload("Shot", case["shot"], case["path"])


OPERATIONS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "create": create,
    "find": find,
    "update": update,
    "upload": upload,
}


def connected(client: Any, _: dict[str, Any]) -> None:
    """Have the client know what the site can do, on a connection that is kept."""
    client.find_one("Shot", [["id", "is", 0]])


def shared(client: Any, order: dict[str, Any]) -> dict[str, int]:
    """One client object, many threads, each find for a code of its own: how many answers were right."""
    counts: Counter[str] = Counter()
    adding = threading.Lock()

    def work(codes: list[str]) -> None:
        mine = _asked(client, codes)
        with adding:
            counts.update(mine)

    codes, threads = order["codes"], order["threads"]
    workers = [threading.Thread(target=work, args=(codes[n::threads],), daemon=True) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return dict(counts)


def forked(client: Any, order: dict[str, Any]) -> dict[str, int]:
    """A warm client, then fork(), in several rounds: how many answers were right that the children got."""
    counts: Counter[str] = Counter()
    for number in range(order["rounds"]):
        client = order["make"]()
        connected(client, {})
        counts += _forked_once(client, order["codes"][number :: order["rounds"]], order["children"])
    return dict(counts)


def _forked_once(client: Any, codes: list[str], children: int) -> Counter[str]:
    reading, writing = os.pipe()
    numbers = []
    for number in range(children):
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, json.dumps(_asked(client, codes[number::children])).encode() + b"\n")
            finally:
                os._exit(0)
        numbers.append(child)
    os.close(writing)
    with os.fdopen(reading) as lines:
        counts = sum((Counter(json.loads(line)) for line in lines), Counter())
    for child in numbers:
        os.waitpid(child, 0)
    return counts


def _asked(client: Any, codes: list[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for code in codes:
        try:
            rows = client.find("Shot", [["code", "is", code]], ["code"])
        except Exception:
            # Any error at all: what counts here is whether a caller can be misled.
            counts["error"] += 1
        else:
            right = isinstance(rows, list) and [row["code"] for row in rows] == [code]
            counts["right" if right else "wrong"] += 1
    return counts


def speed(client: Any, order: dict[str, Any]) -> dict[str, list[float]]:
    """A keep-alive read by this client and by a bare one, in turns: the ratios of each round's time and work."""
    bare = plain_client(*order["bare"])
    code = order["codes"][0]

    def spent(reader: Any) -> tuple[float, float]:
        began, worked = time.perf_counter(), time.process_time()
        for _ in range(order["reads"]):
            reader.find_one("Shot", [["code", "is", code]], ["code"])
        return time.perf_counter() - began, time.process_time() - worked

    spent(bare), spent(client)
    ratios: dict[str, list[float]] = {"time": [], "work": []}
    for number in range(order["rounds"]):
        # Who comes first changes: what else the machine does must not favour one of them.
        first, second = (bare, client) if number % 2 else (client, bare)
        took = {id(first): spent(first), id(second): spent(second)}
        for name, ours, theirs in zip(ratios, took[id(client)], took[id(bare)], strict=True):
            ratios[name].append(ours / theirs)
    return ratios


ORDERS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    **OPERATIONS,
    "connect": connected,
    "share": shared,
    "fork": forked,
    "speed": speed,
}


def main() -> None:
    """Do what each line says, and print a line of what came of it."""
    make = pooled_client if sys.argv[1] == "sgsession" else plain_client
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a client prints is no answer
    client: Any = None
    for line in sys.stdin:
        order = json.loads(line)
        began = time.monotonic()
        try:
            if "site" in order:
                order["make"] = functools.partial(make, *order["site"])
                client = order["make"]()
            told = {"value": ORDERS[order["do"]](client, order)}
        except Exception as problem:
            # Whatever it is, it is what the caller is told.
            told = {"error": type(problem).__name__, "typed": _is_typed(problem), "text": str(problem)[:200]}
        told["seconds"] = round(time.monotonic() - began, 2)
        out.write(json.dumps(told, default=repr) + "\n")
        out.flush()


def _is_typed(problem: Exception) -> bool:
    """Whether the error is of a class of the client's own, which its documentation tells to catch."""
    from shotgun_api3 import ProtocolError, ShotgunError

    return isinstance(problem, (ShotgunError, ProtocolError))


if __name__ == "__main__":
    main()
