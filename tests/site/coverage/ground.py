"""A site to probe, with the official client and bare requests at hand."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import shotgun_api3

from sgsession.site import LocalSite

Row = dict[str, Any]


@dataclass
class Ground:
    """A fresh site with one project; what a probe makes there concerns nobody else."""

    site: LocalSite
    folder: Path
    client: shotgun_api3.Shotgun
    project: Row = field(init=False)

    def __post_init__(self) -> None:
        self.project = link(self.client.create("Project", {"name": "demo"}))

    def make(self, entity_type: str, /, **values: Any) -> Row:
        """A new row of the project, as a link."""
        return link(self.client.create(entity_type, {"project": self.project, **values}))

    def make_global(self, entity_type: str, /, **values: Any) -> Row:
        """A new row of a type without projects, as a link."""
        return link(self.client.create(entity_type, values))

    def value(self, row: Row, name: str, **options: Any) -> Any:
        """One field of one row, as the client reads it."""
        found = self.client.find_one(row["type"], [["id", "is", row["id"]]], [name], **options)
        return found and found.get(name)

    def ids(self, entity_type: str, *filters: Any, **options: Any) -> list[int]:
        """The ids of the rows that the client finds."""
        return [row["id"] for row in self.client.find(entity_type, list(filters), **options)]

    def envelope(self, method: str, *params: Any) -> Any:
        """The decoded answer to a request that this test composes itself."""
        auth = {"script_name": self.site.script_name, "script_key": self.site.api_key}
        return self.envelope_as(auth, method, *params)

    def envelope_as(self, auth: Row, method: str, *params: Any) -> Any:
        """The decoded answer to a bare request of another caller."""
        payload = json.dumps({"method_name": method, "params": [auth, *params]}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{self.site.url}/api3/json", payload, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def results(self, method: str, *params: Any) -> Any:
        """The results of a bare request; a refusal fails."""
        answer = self.envelope(method, *params)
        assert "results" in answer, answer
        return answer["results"]

    def asked(self, method: str) -> int:
        """How many requests of that method arrived since the last `reset_requests()`."""
        return sum(request.method == method for request in self.site.requests)

    def picture(self) -> str:
        """The path of a small picture to upload."""
        from PIL import Image

        path = self.folder / "picture.png"
        Image.new("RGB", (64, 48), (200, 20, 20)).save(path)
        return str(path)


def link(row: Row) -> Row:
    """Type and id of a row."""
    return {"type": row["type"], "id": row["id"]}


def read_params(entity_type: str, *conditions: Row, **params: Any) -> Row:
    """What a `read` is sent with."""
    return {
        "type": entity_type,
        "return_fields": ["id"],
        "filters": {"logical_operator": "and", "conditions": list(conditions)},
        "return_only": "active",
        "paging": {"entities_per_page": 500, "current_page": 1},
        **params,
    }


@contextmanager
def ground() -> Iterator[Ground]:
    """A fresh site to probe, gone afterwards."""
    with LocalSite() as site, TemporaryDirectory() as folder:
        client = site.connect()
        try:
            yield Ground(site, Path(folder), client)
        finally:
            client.close()


def words(refusal: object) -> str:
    """A refusal as a table shows it: its first line, short."""
    line = str(refusal).split("\n", 1)[0].replace("|", "\\|")
    return line if len(line) <= 120 else line[:117] + "..."
