"""One client, in a process and an environment of its own: does what it is told, and says what that cost.

    python client.py NAME URL SCRIPT_NAME API_KEY

Reads a JSON object from each line of its input, and answers each with one. It needs nothing but the client.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

# With `type` and `id` these are 16 keys, 8 of them deep.
FIELDS = [
    "content",
    "sg_status_list",
    "updated_at",
    "project",
    "entity",
    "step",
    "project.Project.name",
    "step.Step.code",
    "step.Step.short_name",
    "entity.Shot.code",
    "entity.Shot.updated_at",
    "entity.Shot.project",
    "entity.Shot.sg_sequence",
    "entity.Shot.sg_sequence.Sequence.code",
]
IDS = 500


class Official:
    """shotgun_api3, and what takes its place: rows are dicts."""

    def __init__(self, url: str, script: str, key: str) -> None:
        from shotgun_api3 import Shotgun

        self.shotgun = Shotgun(url, script_name=script, api_key=key)

    def find(self, rows: int) -> Any:
        """So many tasks with their fields; what is returned keeps them alive."""
        return self.shotgun.find("Task", [], FIELDS, limit=rows)

    def hierarchy(self, tasks: int) -> int:
        """All that is above so many tasks, level by level, as one writes it by hand; how many entities that are."""
        links = {"Task": "entity", "Shot": "sg_sequence", "Asset": "project", "Sequence": "project"}
        level = {("Task", task) for task in range(1, tasks + 1)}
        found: set[tuple[str, int]] = set()
        while level:
            found |= level
            above = set()
            for kind in sorted({kind for kind, _ in level}):
                ids = sorted(number for of_kind, number in level if of_kind == kind)
                fields = ["code", "content", "name", "updated_at", links.get(kind, "name")]
                for start in range(0, len(ids), IDS):
                    chunk = [["id", "in", ids[start : start + IDS]]]
                    for row in self.shotgun.find(kind, chunk, fields):
                        parent = row.get(links.get(kind, ""))
                        if parent:
                            above.add((parent["type"], parent["id"]))
            level = above - found
        return len(found)


class Sgsession:
    """Rows are entities of a session, merged and linked."""

    def __init__(self, url: str, script: str, key: str) -> None:
        from shotgun_api3 import Shotgun

        from sgsession import ShotgunPool

        self.pool = ShotgunPool(Shotgun(url, script_name=script, api_key=key, connect=False))

    def find(self, rows: int) -> Any:
        """See `Official`."""
        from sgsession import Session

        session = Session(self.pool)
        return session.find("Task", [], FIELDS, limit=rows, add_default_fields=False), session

    def hierarchy(self, tasks: int) -> int:
        """See `Official`."""
        from sgsession import Session

        session = Session(self.pool)
        bare = [{"type": "Task", "id": task} for task in range(1, tasks + 1)]
        return len(session.fetch_hierarchy(session.merge(bare)))


class Fast(Sgsession):
    """The same, with the decoder of the extra `fast`."""

    def __init__(self, url: str, script: str, key: str) -> None:
        import orjson

        assert orjson.loads(b"[]") == []
        super().__init__(url, script, key)


class Sgalchemy:
    """Rows are objects of reflected classes. Links of several types it does not follow: the flat fields alone."""

    def __init__(self, url: str, script: str, key: str) -> None:
        from sgalchemy import create_engine
        from shotgun_api3 import Shotgun

        # It refuses keys over plain HTTP, so it is handed a client.
        client = Shotgun(url, script_name=script, api_key=key)
        with tempfile.TemporaryDirectory() as cache:
            self.engine = create_engine(connection=client, cache_root=Path(cache))
            self.engine.load_schema()

    def find(self, rows: int) -> Any:
        """See `Official`."""
        from sgalchemy import Session, load_only, select
        from sgalchemy.entities import Task

        flat = [getattr(Task, field) for field in FIELDS if "." not in field]
        session = Session(self.engine)
        return list(session.scalars(select(Task).options(load_only(*flat)).limit(rows))), session


class Pyshotgrid:
    """Rows are objects without values, which are asked for one by one."""

    def __init__(self, url: str, script: str, key: str) -> None:
        import pyshotgrid

        self.site = pyshotgrid.new_site(base_url=url, script_name=script, api_key=key)

    def find(self, rows: int) -> Any:
        """See `Official`."""
        return [task.get(FIELDS) for task in self.site.find("Task", [], limit=rows)]


CLIENTS: dict[str, Callable[[str, str, str], Any]] = {
    "shotgun_api3": Official,
    "sgsession": Sgsession,
    "sgsession[fast]": Fast,
    "sg-python-api": Official,
    "sgalchemy": Sgalchemy,
    "pyshotgrid": Pyshotgrid,
}


def size(found: Any) -> int:
    """How many rows a find gave."""
    return len(found[0]) if isinstance(found, tuple) else len(found)


def done(client: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Do one thing; what it cost."""
    count = order["count"]
    gc.collect()
    if order["do"] == "hierarchy":
        return {"entities": client.hierarchy(count)}
    if order["do"] == "memory":
        tracemalloc.start()
        found = client.find(count)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return {"rows": size(found), "bytes": kept}
    wall, cpu = time.perf_counter(), time.process_time()
    found = client.find(count)
    # Whoever kept the collector from running has it run now, and not behind the clock's back.
    kept: list[list[None]] = [[] for _ in range(2000)]
    cost = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    del kept
    return {"rows": size(found), **cost}


def main(name: str, url: str, script: str, key: str, orders: Iterable[str]) -> None:
    """Follow orders until they end."""
    if name == "sgsession":
        # As without the extra `fast`, wherever this runs: to import it is an ImportError then.
        sys.modules["orjson"] = None  # type: ignore[assignment]
    client = CLIENTS[name](url, script, key)
    for order in orders:
        print(json.dumps(done(client, json.loads(order))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:], orders=sys.stdin)  # type: ignore[misc]
