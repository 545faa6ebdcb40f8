"""Upload forms that no client sends: refused in words, under status 200, and nothing is left behind."""

from __future__ import annotations

import http.client
import socket
import time
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite
from sgsession.site.database.stored_files import Files

Answer = tuple[int, str]


@pytest.fixture
def project(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project to upload to."""
    row: dict[str, Any] = shotgun.create("Project", {"name": "demo"})
    return row


def post(site: LocalSite, path: str, body: bytes, content_type: str | None, method: str = "POST") -> Answer:
    connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=20)
    connection.request(method, path, body, {} if content_type is None else {"Content-Type": content_type})
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def posted(site: LocalSite, path: str, **fields: Any) -> Answer:
    form = {"script_name": site.script_name, "script_key": site.api_key, **fields}
    body = urllib.parse.urlencode(form).encode()
    return post(site, path, body, "application/x-www-form-urlencoded")


def part(name: str, value: str, filename: str | None = None) -> str:
    shown = "" if filename is None else f'; filename="{filename}"'
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n{value}\r\n'


def multipart(site: LocalSite, *parts: str, **fields: Any) -> bytes:
    form = {"script_name": site.script_name, "script_key": site.api_key, **fields}
    return ("".join(part(name, str(value)) for name, value in form.items()) + "".join(parts)).encode()


def files_of(site: LocalSite) -> list[str]:
    folder = site.engine.store.files.folder()
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "key"]


MULTIPART = "multipart/form-data; boundary=b"
END = b"--b--\r\n"


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        (MULTIPART, b"no form at all", "no multipart"),
        (MULTIPART, b"--b\r\n", "breaks off"),
        (MULTIPART, b"", "breaks off"),
        ("multipart/form-data", b"--b--\r\n", "no boundary"),
        ("multipart/form-data; boundary=" + "b" * 5000, b"", "boundary|breaks off"),
        (MULTIPART, END, "invalid/missing 'file'"),
        (MULTIPART, b"".join(part(f"f{i}", "x").encode() for i in range(200)) + END, "too many fields"),
        (MULTIPART, part("f", "x" * 2_000_000).encode() + END, "too long"),
        (MULTIPART, b"".join(part(f"f{i}", "x" * 50_000).encode() for i in range(50)) + END, "too long"),
        (MULTIPART, b"--b\r\n" + b"A: b\r\n" * 500_000 + b"\r\n" + END, "too long|no multipart"),
        (MULTIPART, part("file", "x", "a.txt").encode() + END, "Missing or invalid authentication"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 200), "too many fields"),
        ("application/x-www-form-urlencoded", b"a" * 2_000_000, "too long"),
        ("application/json", b"[]", "invalid/missing 'file'"),
        (None, b"\xff\xfe", "invalid/missing 'file'"),
    ],
)
def test_forms_that_are_none(site: LocalSite, content_type: str | None, body: bytes, words: str) -> None:
    """Whatever stands in the body, the answer says what is wrong with it and nothing stays on the disk."""
    status, text = post(site, "/upload/upload_file", body, content_type)
    assert status == 200
    assert text.startswith("0\n")
    assert any(each in text for each in words.split("|")), text
    assert files_of(site) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"entity_id": "x"}, "invalid/missing integer 'id'"),
        ({"entity_id": "9" * 5000}, "invalid/missing integer 'id'"),
        ({"entity_id": "99999999999"}, "does not exist"),
        ({"entity_type": "Project'; DROP TABLE Project"}, "entity 'type'"),
        ({"field_name": "billboard; --"}, "doesn't exist"),
        ({"created_at": "yesterday"}, "Invalid date time format"),
        ({"display_name": "a\x00b"}, "null byte"),
        ({"script_key": "wrong"}, "Can't authenticate script"),
    ],
)
def test_fields_that_are_refused(
    site: LocalSite, project: dict[str, Any], fields: dict[str, str], words: str
) -> None:
    """Each field is checked as in any other call; a refused upload leaves no file and no row."""
    given = {"entity_type": "Project", "entity_id": project["id"], **fields}
    body = multipart(site, part("file", "data", "a.txt"), **given) + END
    status, text = post(site, "/upload/upload_file", body, MULTIPART)
    assert status == 200
    assert text.startswith("0\n")
    assert words in text
    assert "sqlite" not in text.lower()
    assert files_of(site) == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([part("file", "", "a.txt")], "invalid/missing 'file'"),
        ([part("file", "x", "a.txt"), part("file", "y", "b.txt")], "more than one file"),
    ],
)
def test_forms_with_other_than_one_file(site: LocalSite, files: list[str], words: str) -> None:
    """A form brings one file with something in it."""
    status, text = post(site, "/upload/upload_file", multipart(site, *files) + END, MULTIPART)
    assert (status, text[:2]) == (200, "0\n")
    assert words in text
    assert files_of(site) == []


def test_names_in_a_form_stay_names(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """A path in place of a name leads nowhere: its last part is what the file is called."""
    file = part("file", "data", "../../../../tmp/evil.txt")
    body = multipart(site, file, entity_type="Project", entity_id=project["id"]) + END
    status, text = post(site, "/upload/upload_file", body, MULTIPART)
    assert (status, text) == (200, "1:1\n")
    assert shotgun.find_one("Attachment", [], ["filename", "display_name"])["filename"] == "evil.txt"
    assert files_of(site) == ["original"]


def test_a_client_that_goes_away(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """An upload that breaks off leaves nothing, and the site goes on."""
    host, _, port = site.url.removeprefix("http://").partition(":")
    head = multipart(site, entity_type="Project", entity_id=project["id"])
    head += part("file", "x" * 3_000_000, "a.bin").encode()
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /upload/upload_file HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000\r\n\r\n" + head
        )
    deadline = time.monotonic() + 10
    while files_of(site) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert files_of(site) == []
    assert shotgun.find_one("Project", []) is not None


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("api_get_upload_link_info", {"upload_type": "Movie", "filename": "a"}, "'upload_type'"),
        ("api_get_upload_link_info", {"upload_type": "Attachment"}, "'filename'"),
        ("api_get_upload_link_for_part", {"upload_id": "../../key"}, "no such upload"),
        ("api_get_upload_link_for_part", {"upload_id": "0" * 32}, "no such upload"),
        ("api_complete_multipart_upload", {}, "no such upload"),
        ("api_link_file", {"upload_link_info": "1\nx\ny\nz\n.."}, "no such upload"),
        ("api_link_file", {"upload_link_info": "1"}, "no such upload"),
        ("share_thumbnail", {"entities": "Shot", "source_entity": "Project_1"}, "entity 'type'"),
        ("share_thumbnail", {}, "entity 'type'"),
        ("publish_thumbnail", {}, "'thumb_image'"),
    ],
)
def test_requests_out_of_order(
    site: LocalSite, project: dict[str, Any], path: str, fields: dict[str, str], words: str
) -> None:
    """A step without the one before it is refused in words."""
    status, text = posted(site, f"/upload/{path}", **fields)
    assert (status, text[:2]) == (200, "0\n")
    assert words in text


def begun(site: LocalSite, multipart_upload: bool) -> tuple[str, list[str]]:
    """A direct upload that has begun: the answer as it came, and its lines."""
    fields = {"upload_type": "Attachment", "filename": "a.txt", "multipart_upload": multipart_upload}
    status, text = posted(site, "/upload/api_get_upload_link_info", **fields)
    assert (status, text[:2]) == (200, "1\n")
    return text, text.split("\n")


def test_signed_addresses(site: LocalSite, project: dict[str, Any]) -> None:
    """Only the address that was given out takes bytes, and only until they are linked."""
    info, lines = begun(site, multipart_upload=False)
    target = {"entity_type": "Project", "entity_id": project["id"], "upload_link_info": info}
    path = lines[1].removeprefix(site.url)
    assert posted(site, "/upload/api_link_file", **target)[1].startswith("0\nThe file of this upload")
    info, lines = begun(site, multipart_upload=False)
    target["upload_link_info"] = info
    path = lines[1].removeprefix(site.url)
    assert post(site, path[:-1] + "!", b"data", None, "PUT")[0] == 403
    assert post(site, path.replace("/0/", "/1/"), b"data", None, "PUT")[0] == 403
    assert post(site, path, b"data", None, "PUT")[0] == 200
    assert posted(site, "/upload/api_link_file", **target) == (200, "1:1\n")
    assert post(site, path, b"data", None, "PUT")[0] == 404
    assert posted(site, "/upload/api_link_file", **target)[1].startswith("0\nThere is no such upload")


def test_parts_that_differ_from_their_etags(site: LocalSite) -> None:
    """Parts are joined only when all arrived as the client says, and part numbers have an end."""
    _, lines = begun(site, multipart_upload=True)
    assert post(site, lines[1].removeprefix(site.url), b"data", None, "PUT")[0] == 200
    for etags in ("wrong", "", "8d777f385d3dfec8815d20f7496026dc,8d777f385d3dfec8815d20f7496026dc"):
        answer = posted(site, "/upload/api_complete_multipart_upload", upload_id=lines[4], etags=etags)
        assert "has not arrived as its ETag says" in answer[1]
    done = posted(
        site,
        "/upload/api_complete_multipart_upload",
        upload_id=lines[4],
        etags='"8d777f385d3dfec8815d20f7496026dc"',
    )
    assert done == (200, "1\n")
    for number in ("0", "-1", "x", "10001", "9" * 5000):
        answer = posted(site, "/upload/api_get_upload_link_for_part", upload_id=lines[4], part_number=number)
        assert "'part_number'" in answer[1]


def test_strangers_store_nothing(site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends no credentials before the file is refused before a byte of it reaches the disk."""
    made: list[str] = []
    files = site.engine.store.files
    arriving = files.arriving
    monkeypatch.setattr(files, "arriving", lambda name, limit: made.append(name) or arriving(name, limit))
    file, end = part("file", "data", "a.txt").encode(), END
    stranger = part("script_name", "robot").encode() + part("script_key", "guess").encode()
    for body in (file + end, stranger + file + end, file + multipart(site) + end):
        status, text = post(site, "/upload/upload_file", body, MULTIPART)
        assert (status, text[:2]) == (200, "0\n")
        assert "authenticat" in text
    assert made == []
    post(site, "/upload/upload_file", multipart(site) + file + end, MULTIPART)
    assert made == ["a.txt"]


def test_a_disk_that_takes_nothing(site: LocalSite, project: dict[str, Any], tmp_path: Path) -> None:
    """When a file cannot be written the caller is told so in the usual way, and not why."""
    site.engine.store.files = Files(tmp_path / "file" / "below")
    (tmp_path / "file").write_text("no folder")
    body = multipart(site, part("file", "data", "a.txt"), entity_type="Project", entity_id=project["id"])
    status, text = post(site, "/upload/upload_file", body + END, MULTIPART)
    assert (status, text) == (200, "0\nThe upload could not be stored; the site logged the reason.\n")
