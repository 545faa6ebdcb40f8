"""Downloads by the official client, and what GET refuses (wire.md 2.13, 10)."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3
from shotgun_api3.shotgun import ShotgunFileDownloadError

from sgsession.site import LocalSite
from sgsession.site.database.stored_files import Files, safe_name

# The official client leaves the files it sends and the answers it reads to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.usefixtures("loose_ends")]

CONTENT = bytes(range(256)) * 300


@pytest.fixture
def uploaded(shotgun: shotgun_api3.Shotgun, tmp_path: Path) -> dict[str, Any]:
    """A Version with an uploaded file, as it reads."""
    path = tmp_path / "take 1.html"
    path.write_bytes(CONTENT)
    project = shotgun.create("Project", {"name": "demo"})
    version = shotgun.create("Version", {"code": "v1", "project": project})
    shotgun.upload("Version", version["id"], str(path), "sg_uploaded_movie")
    row: dict[str, Any] = shotgun.find_one("Version", [], ["sg_uploaded_movie"])
    return row["sg_uploaded_movie"]


def test_downloading_to_memory_and_to_a_file(
    shotgun: shotgun_api3.Shotgun, uploaded: dict[str, Any], tmp_path: Path
) -> None:
    """The bytes come back as they went, by id, by entity and by the address in the field."""
    assert shotgun.download_attachment(uploaded["id"]) == CONTENT
    assert shotgun.download_attachment({"type": "Attachment", "id": uploaded["id"]}) == CONTENT
    target = tmp_path / "copy"
    assert shotgun.download_attachment(uploaded, file_path=str(target)) == str(target)
    assert target.read_bytes() == CONTENT


def test_no_such_file(shotgun: shotgun_api3.Shotgun, uploaded: dict[str, Any]) -> None:
    """An id without a file is the client's own error: unknown, deleted, or a link to a page."""
    version = shotgun.find_one("Version", [])
    link = {"url": "https://example.com", "name": "page"}
    shotgun.update("Version", version["id"], {"sg_uploaded_movie": link})
    page = shotgun.find_one("Version", [], ["sg_uploaded_movie"])["sg_uploaded_movie"]
    shotgun.delete("Attachment", uploaded["id"])
    for attachment in (99999999, page["id"], uploaded["id"]):
        with pytest.raises(ShotgunFileDownloadError, match="may not exist or is a local file"):
            shotgun.download_attachment(attachment)


@pytest.mark.parametrize(
    "path",
    ["/file_serve/attachment/x", "/file_serve/attachment/" + "9" * 5000, "/file_serve/attachment/-1",
     "/file_serve/attachment/..%2f..%2fkey", "/file_serve/attachment/%00"],
)  # fmt: skip
def test_what_is_no_id(site: LocalSite, path: str) -> None:
    """Whatever stands for the id, the answer is a clean refusal."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(site.url + path)
    with caught.value as answer:
        assert answer.code in (400, 404)
        assert b"Traceback" not in answer.read()


def test_an_address_with_a_wrong_signature(uploaded: dict[str, Any]) -> None:
    """The address in a field is served to those who were given it, and to no other."""
    with urllib.request.urlopen(uploaded["url"]) as answer:
        assert answer.read() == CONTENT
        # A page that somebody uploaded must not act as a page of the site.
        assert answer.headers["content-disposition"].startswith("attachment; filename")
        assert answer.headers["x-content-type-options"] == "nosniff"
    head, signature, name = uploaded["url"].rsplit("/", 2)
    for wrong in (f"{head}/{'0' * 32}/{name}", f"{head}1/{signature}/{name}", f"{head}/%C3%A4/{name}"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(wrong)
        with caught.value:
            assert caught.value.code == 403


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_foreign_host_name(site: LocalSite, method: str) -> None:
    """A web page that points its own name at the site reaches no file and no form."""
    path = {"GET": "/file_serve/attachment/1", "POST": "/upload/upload_file", "PUT": "/storage/1/0/1"}[method]
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"))
    connection.request(method, path, headers={"Host": "evil.example"})
    assert connection.getresponse().status == 421
    connection.close()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("plate.0001.exr", "plate.0001.exr"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("..", "file"),
        ("", "file"),
        ("x/", "file"),
        ("n\x00ul", "nul"),
        ("ä" * 300, "ä" * 255),
    ],
)
def test_names_of_files(name: str, safe: str) -> None:
    """A name is only shown: folders, control characters and what is too long are cut off."""
    assert safe_name(name) == safe


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    """Files lie under ids, whatever they are called, and a discarded one is gone from its place."""
    files = Files(tmp_path / "site.files", durable=False)
    arriving = files.arriving("../../../outside", 100)
    arriving.write(b"data")
    upload = arriving.finish()
    upload.keep(1234567)
    assert files.original(1234567) == tmp_path / "site.files" / "001234" / "1234567" / "original"
    assert files.original(1234567).read_bytes() == b"data"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["site.files"]
    upload.discard()
    assert not files.place(1234567).exists()


def test_what_was_abandoned_is_removed(tmp_path: Path) -> None:
    """A site that starts removes uploads that broke off long ago, and leaves those of today."""
    incoming = Files(tmp_path).incoming()
    for name, age in (("old", 2 * 86400), ("new", 3600)):
        (incoming / name).write_bytes(b"x")
        (incoming / f"{name} parts").mkdir()
        (incoming / f"{name} parts" / "part-00001").write_bytes(b"x")
        for path in (incoming / name, incoming / f"{name} parts"):
            os.utime(path, (time.time() - age,) * 2)
    assert sorted(path.name for path in Files(tmp_path).incoming().iterdir()) == ["new", "new parts"]


def test_a_key_that_was_cut_short(tmp_path: Path) -> None:
    """A site that died while it made its key makes another; otherwise the key stays."""
    first = Files(tmp_path).signature("x")
    assert Files(tmp_path).signature("x") == first
    (tmp_path / "key").write_bytes(b"short")
    assert Files(tmp_path).signature("x") != first


def test_addresses_follow_the_name_of_the_site(
    site: LocalSite, uploaded: dict[str, Any], tmp_path: Path
) -> None:
    """A client that knows the site by another name is shown files under that name."""
    other = site.url.replace("127.0.0.1", "localhost")
    client = shotgun_api3.Shotgun(other, script_name=site.script_name, api_key=site.api_key)
    url = client.find_one("Version", [], ["sg_uploaded_movie"])["sg_uploaded_movie"]["url"]
    assert url == uploaded["url"].replace("127.0.0.1", "localhost")
    assert client.download_attachment({"url": url}) == CONTENT
    client.close()
