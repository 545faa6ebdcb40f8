"""Traps that lie in the client or between client and site: connections, cookies, times, files."""

from __future__ import annotations

import socket
import sys
from datetime import datetime, timezone
from pathlib import Path
from threading import Thread

import shotgun_api3

from .ground import Ground, link, read_params
from .traps import refusal, trap


def _swallow(server: socket.socket) -> None:
    """Read what comes, until nothing more does, and hang up."""
    with server:
        server.settimeout(0.2)
        try:
            while server.recv(65536):
                pass
        except TimeoutError:
            pass


@trap(8, "Any 20-character ISO string in an answer becomes a datetime", client_side=True)
def _(g: Ground) -> None:
    shot = g.make("Shot", description="2024-05-01T10:00:00Z")
    assert isinstance(g.value(shot, "description"), datetime)
    (row,) = g.results("read", read_params("Shot", return_fields=["description"]))["entities"]
    assert row["description"] == "2024-05-01T10:00:00Z"


@trap(9, "A datetime without a zone is taken as local time", client_side=True)
def _(g: Ground) -> None:
    local = datetime(2024, 5, 1, 10)
    g.make("Version", client_approved_at=local)
    (row,) = g.results("read", read_params("Version", return_fields=["client_approved_at"]))["entities"]
    assert row["client_approved_at"] == local.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@trap(13, "Downloads come without the session cookie, and are served")
def _(g: Ground) -> None:
    path = g.folder / "notes.txt"
    path.write_text("seen", encoding="utf-8")
    attachment = g.client.upload("Shot", g.make("Shot")["id"], str(path))
    assert g.client.download_attachment(attachment) == b"seen"


@trap(15, "Plain http works; https with an own certificate would need `ca_certs`", client_side=True)
def _(g: Ground) -> None:
    assert g.site.url.startswith("http://")
    assert g.client.find_one("Project", []) == g.project


@trap(16, "A base URL without a trailing slash loses its path, and still reaches the site", client_side=True)
def _(g: Ground) -> None:
    client = shotgun_api3.Shotgun(f"{g.site.url}/studio", g.site.script_name, g.site.api_key)
    try:
        assert client.find_one("Project", []) == g.project
    finally:
        client.close()


@trap(18, "`update` with nothing sends nothing; `find_one` by nothing gives the first row by id")
def _(g: Ground) -> None:
    shot = g.make("Shot")
    g.make("Shot")
    g.site.reset_requests()
    assert g.client.update("Shot", shot["id"], {}) == shot
    assert g.asked("update") == 0
    assert g.client.find_one("Shot", []) == shot


@trap(20, "`dependency_type` in `upstream_tasks` is stripped by the client on update", client_side=True)
def _(g: Ground) -> None:
    first, second, third = (g.make("Task") for _ in range(3))
    g.client.update(
        "Task", second["id"], {"upstream_tasks": [{**first, "dependency_type": "start-to-start"}]}
    )
    sent = {**third, "fields": [
        {"field_name": "upstream_tasks", "value": [{**first, "dependency_type": "start-to-start"}]}]}  # fmt: skip
    g.results("update", sent)
    kinds = [row["dependency_type"] for row in g.client.find("TaskDependency", [], ["dependency_type"])]
    assert kinds == ["finish-to-start-next-day", "start-to-start"]


@trap(35, "`export_page` answers with a content type that is no JSON")
def _(g: Ground) -> None:
    page = g.make("Page", name="Shots", page_type="entity_query", entity_type="Shot", shared=True)
    g.make("Shot", code="sh_1")
    assert b"sh_1" in g.client.export_page(page["id"], "csv")


@trap(36, "`update_project_last_accessed` gets an answer that is not null")
def _(g: Ground) -> None:
    g.make_global("HumanUser", login="ann", name="Ann A")
    client = g.site.connect(sudo_as_login="ann")
    try:
        client.update_project_last_accessed(g.project)
        filters = [["id", "is", g.project["id"]]]
        field = "last_accessed_by_current_user"
        assert client.find_one("Project", filters, [field])[field] is not None
    finally:
        client.close()


@trap(39, "A stale connection makes the client send once more: the write happens once", client_side=True)
def _(g: Ground) -> None:
    g.make("Shot")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        (connection,) = g.client._connection.connections.values()
        connection.sock.close()
        connection.sock = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        # A server that gave the connection up: what is sent is lost, and no status line comes.
        lost = Thread(target=_swallow, args=(server,))
        lost.start()
        g.make("Shot")
        lost.join()
    assert len(g.ids("Shot")) == 2


@trap(41, "Local files have the `local_path_<platform>` that the client makes a `url` of")
def _(g: Ground) -> None:
    name = {"linux": "linux_path", "darwin": "mac_path", "win32": "windows_path"}[sys.platform]
    g.make_global("LocalStorage", code="main", **{name: "/mnt/show"})
    file = g.make("PublishedFile", path={"local_path": "/mnt/show/a/b.ma"})
    path = g.value(file, "path")
    assert (path["local_path"], path["url"]) == ("/mnt/show/a/b.ma", "file:///mnt/show/a/b.ma")
    assert (g.value(file, "path_cache"), Path(path["relative_path"]).name) == ("a/b.ma", "b.ma")


@trap(43, "The client replaces `&lt;` in every text", client_side=True)
def _(g: Ground) -> None:
    shot = g.make("Shot", description="a &lt; b")
    assert g.value(shot, "description") == "a < b"
    (row,) = g.results("read", read_params("Shot", return_fields=["description"]))["entities"]
    assert row["description"] == "a &lt; b"
    assert link(row) == shot
    assert refusal(g.client.find, "Nonsense", [])
