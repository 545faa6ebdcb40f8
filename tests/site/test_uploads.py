"""Files that the official client uploads, by the classic forms and by signed addresses (wire.md 2.13)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3
from shotgun_api3 import ShotgunError

from sgsession.site import LocalSite

# The official client leaves the files it sends and the answers it reads to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.usefixtures("loose_ends")]

CONTENT = bytes(range(256)) * 40


@pytest.fixture(params=[False, True], ids=["classic", "direct"])
def any_site(request: pytest.FixtureRequest) -> Iterator[LocalSite]:
    """A fresh site that takes uploads one way, then one that takes them the other."""
    with LocalSite(direct_uploads=request.param) as site:
        yield site


@pytest.fixture
def client(any_site: LocalSite, connect: Any) -> shotgun_api3.Shotgun:
    """The official client on either site."""
    return connect(any_site)


@pytest.fixture
def project(client: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project to work in."""
    row: dict[str, Any] = client.create("Project", {"name": "demo"})
    return {"type": "Project", "id": row["id"]}


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    """A file with every byte in it, under a name that needs escaping."""
    path = tmp_path / "dailies ä 01.mov"
    path.write_bytes(CONTENT)
    return path


def make(client: shotgun_api3.Shotgun, project: dict[str, Any], kind: str, **values: Any) -> dict[str, Any]:
    row = client.create(kind, {"project": project, **values})
    return {"type": kind, "id": row["id"]}


def read(client: shotgun_api3.Shotgun, link: dict[str, Any], *fields: str) -> dict[str, Any]:
    found: dict[str, Any] = client.find_one(link["type"], [["id", "is", link["id"]]], list(fields))
    return found


def stored_files(site: LocalSite) -> list[str]:
    """Every uploaded file on the site's disk, whole or in parts."""
    folder = site.engine.store.files.folder()
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name != "key"]


def events_since(client: shotgun_api3.Shotgun, last: int) -> list[dict[str, Any]]:
    fields = ["event_type", "attribute_name", "meta", "entity"]
    return client.find("EventLogEntry", [["id", "greater_than", last]], fields)


def test_the_site_says_which_way_uploads_go(any_site: LocalSite, client: shotgun_api3.Shotgun) -> None:
    """`info` tells the client whether to use signed addresses."""
    direct = client.info()["s3_direct_uploads_enabled"]
    client.find_one("Project", [])
    assert direct == bool(client.info()["s3_enabled_upload_types"])
    assert direct == client._requires_direct_s3_upload("Shot", None)


def test_a_file_in_a_url_field(client: shotgun_api3.Shotgun, project: dict[str, Any], movie: Path) -> None:
    """The field reads the uploaded file, whose Attachment knows its name, size and project."""
    version = make(client, project, "Version", code="v1")
    attachment = client.upload("Version", version["id"], str(movie), "sg_uploaded_movie")
    value = read(client, version, "sg_uploaded_movie")["sg_uploaded_movie"]
    assert value.pop("url").endswith("/dailies%20%C3%A4%2001.mov")
    assert value == {
        "name": movie.name,
        "content_type": "video/quicktime",
        "link_type": "upload",
        "type": "Attachment",
        "id": attachment,
    }
    fields = ("filename", "original_fname", "display_name", "file_size", "file_extension", "project")
    row = read(client, {"type": "Attachment", "id": attachment}, *fields, "attachment_links")
    assert [row[name] for name in fields[:3]] == [movie.name] * 3
    assert (row["file_size"], row["file_extension"]) == (len(CONTENT), "mov")
    assert row["project"]["id"] == project["id"]
    assert row["attachment_links"] == []


def test_a_file_without_a_field(client: shotgun_api3.Shotgun, project: dict[str, Any], movie: Path) -> None:
    """The file is joined to the record; each further one joins as well."""
    note = make(client, project, "Note", subject="look", content="at this")
    first = client.upload("Note", note["id"], str(movie))
    second = client.upload("Note", note["id"], str(movie))
    assert [each["id"] for each in read(client, note, "attachments")["attachments"]] == [first, second]
    (link,) = read(client, {"type": "Attachment", "id": first}, "attachment_links")["attachment_links"]
    assert (link["type"], link["id"]) == ("Note", note["id"])


def test_a_file_in_a_list_of_attachments(
    client: shotgun_api3.Shotgun, project: dict[str, Any], movie: Path
) -> None:
    """A list of Attachments gains the file, with its name, tags and date as the caller gave them."""
    ticket = make(client, project, "Ticket", title="broken")
    moment = datetime(2024, 5, 1, 10, tzinfo=timezone.utc)
    options = {"display_name": "Take 1", "tag_list": "monkeys, everywhere", "created_at": moment}
    attachment = client.upload("Ticket", ticket["id"], str(movie), "attachments", **options)
    assert read(client, ticket, "attachments")["attachments"][0]["name"] == "Take 1"
    link = {"type": "Attachment", "id": attachment}
    row = read(client, link, "tag_list", "this_file", "created_at", "filename")
    assert sorted(row["tag_list"]) == ["everywhere", "monkeys"]
    assert row["this_file"]["name"] == "Take 1"
    assert row["created_at"] == moment
    assert row["filename"] == movie.name


def test_a_large_file_arrives_in_parts(
    any_site: LocalSite, client: shotgun_api3.Shotgun, project: dict[str, Any], movie: Path
) -> None:
    """Parts are put together in their order, and nothing of them is left."""
    client._MULTIPART_UPLOAD_CHUNK_SIZE = 3000
    shot = make(client, project, "Shot", code="s1")
    attachment = client.upload("Shot", shot["id"], str(movie))
    assert any_site.engine.store.files.original(attachment).read_bytes() == CONTENT
    assert stored_files(any_site) == ["original"]


def test_uploading_writes_events(client: shotgun_api3.Shotgun, project: dict[str, Any], movie: Path) -> None:
    """The Attachment's New comes first, with its Changes, then the Change of the field."""
    version = make(client, project, "Version", code="v1")
    last = client.find_one("EventLogEntry", [], [], order=[{"field_name": "id", "direction": "desc"}])["id"]
    attachment = client.upload("Version", version["id"], str(movie), "sg_uploaded_movie")
    events = events_since(client, last)
    assert events[0]["event_type"] == "Shotgun_Attachment_New"
    assert events[0]["entity"]["id"] == attachment
    changed = {event["attribute_name"] for event in events[1:-1]}
    assert {"this_file", "display_name", "filename"} <= changed
    assert events[-1]["event_type"] == "Shotgun_Version_Change"
    assert events[-1]["meta"]["old_value"] is None
    assert events[-1]["meta"]["new_value"]["id"] == attachment


def test_replacing_a_file_mints_an_attachment(
    client: shotgun_api3.Shotgun, project: dict[str, Any], movie: Path
) -> None:
    """The field shows the newer file; the older Attachment stays."""
    version = make(client, project, "Version", code="v1")
    first = client.upload("Version", version["id"], str(movie), "sg_uploaded_movie")
    second = client.upload("Version", version["id"], str(movie), "sg_uploaded_movie")
    assert read(client, version, "sg_uploaded_movie")["sg_uploaded_movie"]["id"] == second != first
    assert client.find_one("Attachment", [["id", "is", first]]) is not None


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        ("Version", "sg_nothing", "Version.sg_nothing doesn't exist"),
        ("Version", "code", "Version.code is not a field that files can be uploaded to"),
        ("Attachment", "this_file", "Attachment.this_file is editable on create only"),
        ("Nothing", "sg_uploaded_movie", "invalid/missing string entity 'type'"),
        ("EventLogEntry", None, "can not be updated by this user"),
        ("Shot", None, r"Entity of type \[Shot\] with id=1 does not exist."),
    ],
)
def test_a_refused_upload_leaves_nothing(
    any_site: LocalSite,
    client: shotgun_api3.Shotgun,
    project: dict[str, Any],
    movie: Path,
    kind: str,
    field: str | None,
    words: str,
) -> None:
    """The reason reaches the caller at once; no file and no row stay."""
    version = make(client, project, "Version", code="v1")
    client.upload("Version", version["id"], str(movie))
    with pytest.raises(ShotgunError, match=words):
        client.upload(kind, 1, str(movie), field)
    assert stored_files(any_site) == ["original"]
    assert len(client.find("Attachment", [])) == 1


def test_a_file_over_the_limit(tmp_path: Path, connect: Any) -> None:
    """A file that is too large is refused in words and leaves nothing, however it is sent."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 2001)
    for direct in (False, True):
        with LocalSite(max_upload=2000, direct_uploads=direct) as site:
            client = connect(site)
            project = client.create("Project", {"name": "demo"})
            with pytest.raises(ShotgunError, match=r"at most 2000 bytes|413"):
                client.upload("Project", project["id"], str(path))
            assert [name for name in stored_files(site) if name != "about.json"] == []
            path.write_bytes(b"x" * 2000)
            assert client.upload("Project", project["id"], str(path))
            path.write_bytes(b"x" * 2001)


def test_parts_count_together(tmp_path: Path, connect: Any) -> None:
    """The limit holds for the whole file, in however many parts it comes."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * 2001)
    with LocalSite(max_upload=2000, direct_uploads=True) as site:
        client = connect(site)
        client._MULTIPART_UPLOAD_CHUNK_SIZE = 900
        project = client.create("Project", {"name": "demo"})
        with pytest.raises(ShotgunError, match="413"):
            client.upload("Project", project["id"], str(path))


def test_wrong_credentials(any_site: LocalSite, connect: Any, movie: Path) -> None:
    """A stranger's upload is refused in the words of any other call, and leaves nothing."""
    stranger = connect(any_site, script_name="sgsession", api_key="wrong")
    with pytest.raises(ShotgunError, match="Can't authenticate script 'sgsession'"):
        stranger.upload("Project", 1, str(movie))
    assert stored_files(any_site) == []


def test_a_restart_finds_the_files(tmp_path: Path, connect: Any, movie: Path) -> None:
    """Files lie beside the database; after a restart their addresses differ in nothing but the port."""
    database = tmp_path / "site.sqlite"
    addresses = []
    for again in (False, True):
        with LocalSite(database) as site:
            client = connect(site)
            if not again:
                project = client.create("Project", {"name": "demo"})
                client.upload("Project", project["id"], str(movie), "billboard")
            url = client.find_one("Project", [], ["billboard"])["billboard"]["url"]
            addresses.append(url.removeprefix(site.url))
            assert url.startswith(site.url)
    assert addresses[0] == addresses[1]
    assert (tmp_path / "site.sqlite.files" / "000000" / "1" / "original").read_bytes() == CONTENT


def test_a_folder_of_their_own(tmp_path: Path, connect: Any, movie: Path) -> None:
    """Files go to the folder that was named for them, and stay when the site is closed."""
    folder = tmp_path / "deep" / "uploads"
    with LocalSite(files=folder) as site:
        client = connect(site)
        project = client.create("Project", {"name": "demo"})
        attachment = client.upload("Project", project["id"], str(movie))
        kept = site.engine.store.files.original(attachment)
    assert folder in kept.parents
    assert kept.read_bytes() == CONTENT


def test_a_private_site_takes_its_files_along(connect: Any, movie: Path) -> None:
    """Nothing of a site without a database of its own is left on the disk."""
    with LocalSite() as site:
        client = connect(site)
        project = client.create("Project", {"name": "demo"})
        client.upload("Project", project["id"], str(movie))
        folder = site.engine.store.files.folder()
        assert folder.exists()
    assert not folder.exists()


def test_starting_over_forgets_the_files(connect: Any, movie: Path) -> None:
    """A site that starts over has none of the files it had, and takes new ones."""
    with LocalSite() as site:
        for _ in range(2):
            client = connect(site)
            project = client.create("Project", {"name": "demo"})
            assert client.upload("Project", project["id"], str(movie)) == 1
            kept = site.engine.store.files.original(1)
            assert kept.read_bytes() == CONTENT
            site.start_over()
            assert not kept.exists()


_FLAT = """
import http.client, resource
from sgsession.site import LocalSite
MEGABYTE = b"x" * (1 << 20)
with LocalSite() as site:
    client = site.connect()
    project = client.create("Project", {"name": "demo"})
    fields = {"script_name": "sgsession", "script_key": site.api_key, "entity_type": "Project",
              "entity_id": str(project["id"])}
    parts = [f'--b\\r\\nContent-Disposition: form-data; name="{k}"\\r\\n\\r\\n{v}\\r\\n' for k, v in fields.items()]
    head = "".join(parts) + '--b\\r\\nContent-Disposition: form-data; name="file"; filename="a.bin"\\r\\n\\r\\n'
    def body(megabytes):
        yield head.encode()
        for _ in range(megabytes):
            yield MEGABYTE
        yield b"\\r\\n--b--\\r\\n"
    def send(megabytes):
        connection = http.client.HTTPConnection(site.url.removeprefix("http://"))
        connection.request("POST", "/upload/upload_file", body(megabytes),
                           {"Content-Type": "multipart/form-data; boundary=b"}, encode_chunked=True)
        answer = connection.getresponse().read()
        assert answer.startswith(b"1:"), answer
    send(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    send(150)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in the units of Linux")
def test_memory_stays_flat() -> None:
    """150 megabytes pass through the site in far less memory."""
    done = subprocess.run([sys.executable, "-c", _FLAT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 30 * 1024


def test_uploads_by_session_token(any_site: LocalSite, client: shotgun_api3.Shotgun, movie: Path) -> None:
    """A form may carry any credentials that a call may; the caller becomes the file's author."""
    project = client.create("Project", {"name": "demo"})
    other = shotgun_api3.Shotgun(any_site.url, session_token=client.get_session_token())
    attachment = other.upload("Project", project["id"], str(movie))
    row = read(other, {"type": "Attachment", "id": attachment}, "created_by", "project")
    assert row["created_by"] == read(client, project, "created_by")["created_by"]
    assert row["project"]["id"] == project["id"]
    other.close()


def test_a_site_under_a_prefix(any_site: LocalSite, client: shotgun_api3.Shotgun, movie: Path) -> None:
    """A base URL with a path serves calls below it, and uploads and downloads at the root (trap 16)."""
    keys = {"script_name": any_site.script_name, "api_key": any_site.api_key}
    prefixed = shotgun_api3.Shotgun(f"{any_site.url}/studio/", **keys)
    assert prefixed.config.api_path == "/studio/api3/json"
    project = prefixed.create("Project", {"name": "demo"})
    attachment = prefixed.upload("Project", project["id"], str(movie))
    assert prefixed.download_attachment(attachment) == CONTENT
    prefixed.close()


def test_uploads_at_once(any_site: LocalSite, client: shotgun_api3.Shotgun, tmp_path: Path) -> None:
    """Uploads that overlap each keep their own bytes."""
    project = client.create("Project", {"name": "demo"})

    def uploaded(number: int) -> bool:
        path = tmp_path / f"{number}.bin"
        path.write_bytes(bytes([number]) * 300_000)
        own = any_site.connect()
        attachment = own.upload("Project", project["id"], str(path))
        own.close()
        return any_site.engine.store.files.original(attachment).read_bytes() == path.read_bytes()

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(uploaded, range(12)))


def test_a_limited_script(
    any_site: LocalSite, client: shotgun_api3.Shotgun, connect: Any, movie: Path
) -> None:
    """Nobody uploads to a row that he may not change, nor shares the thumbnail of one he cannot see."""
    ours, theirs = (client.create("Project", {"name": name}) for name in ("Ours", "Theirs"))
    client.create("ApiUser", {"firstname": "robot", "projects": [ours]})
    limited = connect(any_site, script_name="robot", api_key=any_site.new_script_key("robot"))
    for refused in (
        lambda: limited.upload("Project", theirs["id"], str(movie)),
        lambda: limited.upload_thumbnail("Project", theirs["id"], str(movie)),
        lambda: limited.share_thumbnail([theirs], source_entity=ours),
    ):
        with pytest.raises(ShotgunError, match=f"Project {theirs['id']} can not be updated by this user"):
            refused()
    with pytest.raises(ShotgunError, match="does not exist"):
        limited.share_thumbnail([ours], source_entity=theirs)
    assert limited.upload("Project", ours["id"], str(movie))
    assert stored_files(any_site) == ["original"]
