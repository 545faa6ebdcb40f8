"""Links to files in local storages, as the official client sees them (wire.md 5.3, 6.7; trap 41)."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import shotgun_api3

# The client leaves the answer to a failed download to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.usefixtures("loose_ends")]

Client = shotgun_api3.Shotgun


@pytest.fixture
def project(shotgun: Client) -> dict[str, Any]:
    """A project to publish in."""
    row: dict[str, Any] = shotgun.create("Project", {"name": "demo"})
    return row


def storage(shotgun: Client, code: str, root: str) -> dict[str, Any]:
    roots = {"linux_path": root, "mac_path": f"/Volumes{root}", "windows_path": f"X:{root}"}
    return {"type": "LocalStorage", "id": shotgun.create("LocalStorage", {"code": code, **roots})["id"]}


def published(shotgun: Client, project: dict[str, Any], path: dict[str, Any]) -> dict[str, Any]:
    made = shotgun.create("PublishedFile", {"code": "p", "project": project, "path": path})
    fields = ["path", "path_cache", "path_cache_storage"]
    row: dict[str, Any] = shotgun.find_one("PublishedFile", [["id", "is", made["id"]]], fields)
    return row


@pytest.mark.skipif(sys.platform != "linux", reason="the client shows the path of its own platform")
def test_the_client_finds_the_file(shotgun: Client, project: dict[str, Any]) -> None:
    """The client adds `url` and `local_path`; the site gives the path on every platform."""
    primary = storage(shotgun, "primary", "/mnt/show")
    row = published(shotgun, project, {"local_path": "/mnt/show/a/b.ma"})
    path = row["path"]
    assert path["url"] == "file:///mnt/show/a/b.ma"
    assert path["local_path"] == path["local_path_linux"] == "/mnt/show/a/b.ma"
    assert path["local_path_mac"] == "/Volumes/mnt/show/a/b.ma"
    assert path["local_path_windows"] == "X:/mnt/show/a/b.ma"
    assert (path["name"], path["relative_path"], path["link_type"]) == ("b.ma", "a/b.ma", "local")
    assert row["path_cache"] == "a/b.ma"
    assert row["path_cache_storage"]["id"] == path["local_storage"]["id"] == primary["id"]


def test_the_deepest_root_wins(shotgun: Client, project: dict[str, Any]) -> None:
    """Roots match by whole folders, the deepest first; of equal ones the newer storage."""
    storage(shotgun, "shallow", "/mnt")
    deep = storage(shotgun, "deep", "/mnt/show")
    path = published(shotgun, project, {"local_path": "/mnt/show/a.ma"})["path"]
    assert path["local_storage"]["id"] == deep["id"]
    path = published(shotgun, project, {"local_path": "/mnt/shows/a.ma"})["path"]
    assert (path["local_storage"]["name"], path["relative_path"]) == ("shallow", "shows/a.ma")
    newer = storage(shotgun, "newer", "/mnt/show/")
    path = published(shotgun, project, {"local_path": "/mnt/show/a.ma"})["path"]
    assert path["local_storage"]["id"] == newer["id"]


def test_a_path_below_a_named_storage(shotgun: Client, project: dict[str, Any]) -> None:
    """`relative_path` and `local_storage` name the file without its root."""
    primary = storage(shotgun, "primary", "/mnt/show")
    given = {"relative_path": "a/b.ma", "local_storage": primary, "name": "scene"}
    row = published(shotgun, project, given)
    assert row["path"]["local_path_linux"] == "/mnt/show/a/b.ma"
    assert (row["path"]["name"], row["path_cache"]) == ("scene", "a/b.ma")


def test_a_root_that_moves_takes_its_files_along(shotgun: Client, project: dict[str, Any]) -> None:
    """Existing links follow their storage; those of a deleted one keep the paths they had."""
    primary = storage(shotgun, "primary", "/mnt/show")
    row = published(shotgun, project, {"local_path": "/mnt/show/a.ma"})
    shotgun.update("LocalStorage", primary["id"], {"linux_path": "/srv/new", "windows_path": None})

    def path() -> tuple[str, str | None]:
        value = shotgun.find_one("PublishedFile", [["id", "is", row["id"]]], ["path"])["path"]
        return value["local_path_linux"], value["local_path_windows"]

    assert path() == ("/srv/new/a.ma", None)
    shotgun.delete("LocalStorage", primary["id"])
    assert path() == ("/mnt/show/a.ma", "X:/mnt/show/a.ma")


@pytest.mark.parametrize(
    "path", ["/srv/a.ma", "/mnt/showreel/a.ma", "X:\\mnt\\show\\a.ma", "/mnt/show/a\\b.ma"]
)
def test_paths_of_no_storage(shotgun: Client, project: dict[str, Any], path: str) -> None:
    """A path outside all roots, or one with backslashes, is refused in the recorded words."""
    storage(shotgun, "primary", "/mnt/show")
    with pytest.raises(shotgun_api3.Fault) as caught:
        published(shotgun, project, {"local_path": path})
    words = f"Create failed for [Attachment]: Path {path} doesn't match any defined Local Storage."
    assert words in str(caught.value)
    assert shotgun.find("Attachment", []) == []


def test_a_local_file_cannot_be_downloaded(shotgun: Client, project: dict[str, Any]) -> None:
    """The site has no such file, and says so as the client expects."""
    storage(shotgun, "primary", "/mnt/show")
    path = published(shotgun, project, {"local_path": "/mnt/show/a.ma"})["path"]
    with pytest.raises(shotgun_api3.ShotgunFileDownloadError, match="local file"):
        shotgun.download_attachment(path["id"])
