"""What the contract runs on: the embedded site through the official client, and Mockgun."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from shotgun_api3.lib import mockgun

from sgsession.site import LocalSite


class Target(Protocol):
    """Somewhere a session can be run on."""

    name: str

    def client(self) -> Any:
        """What a `Session` is given."""

    def judge(self) -> Any:
        """A client that reads and writes the same data behind the session's back."""

    def close(self) -> None:
        """Let go of what it opened."""


class OverHttp:
    """The official client, over HTTP, in a pool."""

    name = "http"

    def __init__(self, site: LocalSite) -> None:
        self._site = site
        self._judge: Any = None

    def client(self) -> Any:
        """A client for a pool."""
        return self._site.connect(connect=False)

    def judge(self) -> Any:
        """Another client on the same site."""
        if self._judge is None:
            self._judge = self._site.connect()
        return self._judge

    def close(self) -> None:
        """Close the other client."""
        if self._judge is not None:
            self._judge.close()


class InMockgun:
    """The client's own mock, which is used as it is."""

    name = "mockgun"

    def __init__(self, shotgun: Any) -> None:
        self._shotgun = shotgun

    def client(self) -> Any:
        """The mock itself."""
        return self._shotgun

    def judge(self) -> Any:
        """The same mock: its data has no other door."""
        return self._shotgun

    def close(self) -> None:
        """There is nothing to close."""


def mockgun_like(site: LocalSite, folder: Path) -> Any:
    """An empty Mockgun with the schema of a site, written the way Mockgun's own tool writes it."""
    paths = str(folder / "schema"), str(folder / "schema_entity")
    client = site.connect()
    mockgun.generate_schema(client, *paths)
    client.close()
    mockgun.Shotgun.set_schema_paths(*paths)
    return mockgun.Shotgun("http://mockgun.example", "script", "key")


def furnish(client: Any) -> dict[str, Any]:
    """A little production through any client: name → its type and id."""
    made: dict[str, Any] = {}

    def create(key: str, entity_type: str, /, **data: Any) -> None:
        row = client.create(entity_type, data)
        made[key] = {"type": row["type"], "id": row["id"]}

    create("project", "Project", name="Film")
    create("step", "Step", code="Animation", short_name="Anim", entity_type="Shot")
    create("sequence", "Sequence", code="AA", project=made["project"])
    for name in ("AA_010", "AA_020"):
        create(name, "Shot", code=name, project=made["project"], sg_sequence=made["sequence"], sg_cut_in=1001)
    create("lone", "Shot", code="LONE", project=made["project"])
    create("asset", "Asset", code="Mira", project=made["project"], sg_asset_type="Character")
    for shot in ("AA_010", "AA_020"):
        create(
            f"task of {shot}",
            "Task",
            content="Anim",
            project=made["project"],
            entity=made[shot],
            step=made["step"],
        )
    create(
        "task of asset",
        "Task",
        content="Model",
        project=made["project"],
        entity=made["asset"],
        step=made["step"],
    )
    return made
