"""Thumbnails: made of uploaded images, pending at first, shared, cleared (wire.md 2.13, 8.3)."""

from __future__ import annotations

import io
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import shotgun_api3
from PIL import Image
from shotgun_api3 import ShotgunError
from shotgun_api3.shotgun import ShotgunThumbnailNotReady

from sgsession.site import LocalSite
from sgsession.site.files import pictures

# The official client leaves the files it sends and the answers it reads to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.usefixtures("loose_ends")]

TRANSIENT = "images/status/transient"


@pytest.fixture
def project(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project to work in."""
    row: dict[str, Any] = shotgun.create("Project", {"name": "demo"})
    return {"type": "Project", "id": row["id"]}


@pytest.fixture
def version(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> dict[str, Any]:
    """A version without a thumbnail."""
    row = shotgun.create("Version", {"code": "v1", "project": project})
    return {"type": "Version", "id": row["id"]}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A picture twice as wide as high, with a transparent half."""
    path = tmp_path / "picture.png"
    picture = Image.new("RGBA", (1200, 600), (200, 20, 20, 255))
    picture.paste((0, 0, 0, 0), (600, 0, 1200, 600))
    picture.save(path)
    return path


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A file that is no picture."""
    path = tmp_path / "notes.exr"
    path.write_bytes(b"no picture at all")
    return path


def shown(shotgun: shotgun_api3.Shotgun, link: dict[str, Any], field: str = "image") -> Any:
    return shotgun.find_one(link["type"], [["id", "is", link["id"]]], [field])[field]


def fetched(url: str) -> tuple[str, Image.Image]:
    with urllib.request.urlopen(url) as answer:
        return answer.headers["content-type"], Image.open(io.BytesIO(answer.read()))


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_thumbnail_is_pending_at_first(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path
) -> None:
    """The first read shows the transient picture, later ones the thumbnail; each is served to anybody."""
    assert shown(shotgun, version) is None
    shotgun.upload_thumbnail("Version", version["id"], str(image))
    pending = shown(shotgun, version)
    assert TRANSIENT in pending
    assert fetched(pending)[0] == "image/png"
    ready = shown(shotgun, version)
    assert TRANSIENT not in ready
    assert shown(shotgun, version) == ready
    content_type, picture = fetched(ready)
    assert content_type == "image/jpeg"
    assert picture.size == (512, 256)


def test_the_address_of_a_thumbnail_cannot_be_guessed(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path
) -> None:
    """Without the signature the site gave out, or with another one's, nothing is served."""
    for _ in range(2):
        shotgun.upload_thumbnail("Version", version["id"], str(image))
    shown(shotgun, version)
    url = shown(shotgun, version)
    assert status_of(url) == 200
    assert status_of(re.sub(r"/thumbnails/\d+/", "/thumbnails/1/", url)) == 403
    assert status_of(re.sub(r"[0-9a-f]{32}", "0" * 32, url)) == 403


def test_a_project_shows_through_its_rows(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], version: dict[str, Any], image: Path
) -> None:
    """`project.Project.image` reads like the project's own image, pending state included."""
    shotgun.upload_thumbnail("Project", project["id"], str(image))
    assert TRANSIENT in shown(shotgun, version, "project.Project.image")
    assert shown(shotgun, version, "project.Project.image") == shown(shotgun, project)
    assert shown(shotgun, version) is None


def test_images_given_to_create_and_update(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], image: Path
) -> None:
    """The client uploads a path that stands for an image; the other values are written as ever."""
    values = {"code": "v2", "project": project, "image": str(image)}
    made = shotgun.create("Version", values, ["code", "image"])
    assert made["code"] == "v2"
    assert TRANSIENT in made["image"]
    first = shown(shotgun, made)
    changed = shotgun.update("Version", made["id"], {"image": str(image), "description": "new"})
    assert TRANSIENT in changed["image"]
    assert shown(shotgun, made) != first
    assert shown(shotgun, made, "description") == "new"


def test_clearing_an_image(shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path) -> None:
    """None clears the image and with it the filmstrip."""
    shotgun.upload_thumbnail("Version", version["id"], str(image))
    shotgun.upload_filmstrip_thumbnail("Version", version["id"], str(image))
    answer = shotgun.update("Version", version["id"], {"image": None})
    assert answer == {"type": "Version", "id": version["id"], "image": None}
    assert shown(shotgun, version) is None
    assert shown(shotgun, version, "filmstrip_image") is None


def test_a_filmstrip_keeps_its_frames(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], tmp_path: Path
) -> None:
    """A filmstrip is served as wide as it came, and leaves the image alone."""
    path = tmp_path / "strip.jpg"
    Image.new("RGB", (240 * 6, 135)).save(path)
    shotgun.upload_filmstrip_thumbnail("Version", version["id"], str(path))
    assert TRANSIENT in shown(shotgun, version, "filmstrip_image")
    assert fetched(shown(shotgun, version, "filmstrip_image"))[1].size == (240 * 6, 135)
    assert shown(shotgun, version) is None


def test_what_pillow_cannot_read_stays_pending(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], document: Path
) -> None:
    """The upload succeeds, the image is there for filters, and its thumbnail never gets ready."""
    attachment = shotgun.upload_thumbnail("Version", version["id"], str(document))
    for _ in range(3):
        assert TRANSIENT in shown(shotgun, version)
    assert shotgun.find_one("Version", [["image", "is_not", None]]) is not None
    row = shotgun.find_one("Attachment", [["id", "is", attachment]], ["processing_status", "image"])
    assert row["processing_status"] == "thumbnail_pending_us"
    assert row["image"] is None
    with pytest.raises(ShotgunThumbnailNotReady):
        shotgun.share_thumbnail([version], source_entity=version)


def test_an_uploaded_picture_is_its_own_thumbnail(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path
) -> None:
    """The Attachment of an image file shows it."""
    attachment = shotgun.upload("Version", version["id"], str(image))
    assert fetched(shown(shotgun, {"type": "Attachment", "id": attachment}))[1].size == (512, 256)


def test_sharing_the_thumbnail_of_a_row(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], version: dict[str, Any], image: Path
) -> None:
    """The others show the same picture and say whose it is; sharing none clears theirs."""
    shots = [shotgun.create("Shot", {"code": code, "project": project}) for code in ("s1", "s2")]
    attachment = shotgun.upload_thumbnail("Version", version["id"], str(image))
    assert shotgun.share_thumbnail(list(shots), source_entity=version) == attachment
    shown(shotgun, version)
    addresses = {shown(shotgun, link) for link in (*shots, version)}
    assert len(addresses) == 1
    source = shown(shotgun, shots[0], "image_source_entity")
    assert (source["type"], source["id"]) == ("Version", version["id"])
    shotgun.update("Version", version["id"], {"image": None})
    assert shotgun.share_thumbnail(shots[:1], source_entity=version) is None
    assert [shown(shotgun, link) is None for link in shots] == [True, False]


def test_sharing_a_file(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], version: dict[str, Any], image: Path
) -> None:
    """A file goes to the first row and from there to the others; the filmstrip likewise."""
    shot = shotgun.create("Shot", {"code": "s1", "project": project})
    attachment = shotgun.share_thumbnail([version, shot], str(image))
    shown(shotgun, version)
    assert f"/thumbnails/{attachment}/" in shown(shotgun, version)
    assert shown(shotgun, version) == shown(shotgun, shot)
    shotgun.share_thumbnail([version, shot], str(image), filmstrip_thumbnail=True)
    shown(shotgun, version, "filmstrip_image")
    assert shown(shotgun, version, "filmstrip_image") == shown(shotgun, shot, "filmstrip_image")
    assert shown(shotgun, version, "filmstrip_image") != shown(shotgun, version)


@pytest.mark.parametrize(
    ("kind", "words"), [("Shot", "does not exist"), ("Nothing", "entity 'type'"), ("", "entity 'type'")]
)
def test_sharing_with_nobody(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path, kind: str, words: str
) -> None:
    """A row that is not there is refused, and nobody gains a thumbnail."""
    shotgun.upload_thumbnail("Version", version["id"], str(image))
    with pytest.raises(ShotgunError, match=words):
        shotgun.share_thumbnail([version, {"type": kind, "id": 9}], source_entity=version)


def test_a_type_without_images(shotgun: shotgun_api3.Shotgun, image: Path) -> None:
    """A row that can show no image is refused one."""
    step = shotgun.create("Step", {"code": "Light", "entity_type": "Shot"})
    with pytest.raises(ShotgunError, match=r"Step.image doesn't exist"):
        shotgun.upload_thumbnail("Step", step["id"], str(image))
    assert shotgun.find("Attachment", []) == []


def test_the_events_of_a_thumbnail(
    shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path
) -> None:
    """Two Changes: one while it is made, with the former image, one once it is there (wire.md 8.3)."""
    first = shotgun.upload_thumbnail("Version", version["id"], str(image))
    second = shotgun.upload_thumbnail("Version", version["id"], str(image))
    shotgun.update("Version", version["id"], {"image": None})
    filters = [["event_type", "is", "Shotgun_Version_Change"], ["attribute_name", "is", "image"]]
    metas = [event["meta"] for event in shotgun.find("EventLogEntry", filters, ["meta"])]
    values = [(each["old_value"], each["new_value"], each.get("is_transient")) for each in metas]
    assert values == [
        (None, first, True),
        (None, first, False),
        (first, second, True),
        (None, second, False),
        (second, None, None),
    ]
    assert {each["field_data_type"] for each in metas} == {"image"}


def test_images_as_ids(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path
) -> None:
    """A read that asks for no addresses gets the Attachment's id, as text (wire.md 3.4)."""
    attachment = shotgun.upload_thumbnail("Version", version["id"], str(image))
    params = {
        "type": "Version",
        "return_fields": ["image"],
        "filters": {"logical_operator": "and", "conditions": []},
        "paging": {"entities_per_page": 1, "current_page": 1},
    }
    (row,) = shotgun._call_rpc("read", params)["entities"]
    assert row["image"] == str(attachment)


def test_old_clients_ask_for_one_thumbnail_at_a_time(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, version: dict[str, Any], image: Path
) -> None:
    """The path of a thumbnail stands in the second line, or the reason why there is none."""

    def answer(query: str) -> list[str]:
        with urllib.request.urlopen(f"{site.url}/upload/get_thumbnail_url?{query}") as response:
            return response.read().decode().splitlines()

    query = f"entity_type=Version&entity_id={version['id']}"
    assert answer(query) == ["0", f"Version {version['id']} has no thumbnail."]
    shotgun.upload_thumbnail("Version", version["id"], str(image))
    code, path = answer(query)
    assert code == "1"
    assert fetched(site.url + path)[1].size == (512, 256)
    assert answer("entity_type=Version")[0] == answer("")[0] == "0"


def test_a_picture_that_would_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that claims more pixels than allowed is not unpacked; the allowed ones are."""
    path = tmp_path / "bomb.png"
    Image.new("1", (400, 300)).save(path)
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 400 * 300 - 1)
    assert pictures.made_picture(path, whole=True) is None
    assert [each.name for each in tmp_path.iterdir()] == ["bomb.png"]
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 400 * 300)
    made = pictures.made_picture(path, whole=True)
    assert made is not None
    with Image.open(made) as picture:
        assert picture.size == (400, 300)


@pytest.mark.parametrize(
    ("mode", "kind"), [("P", "gif"), ("L", "png"), ("CMYK", "jpg"), ("RGBA", "tif"), ("RGB", "bmp")]
)
def test_pictures_of_many_kinds(tmp_path: Path, mode: str, kind: str) -> None:
    """Whatever colours a picture is made of, its thumbnail is an RGB JPEG."""
    path = tmp_path / f"picture.{kind}"
    Image.new(mode, (1024, 512)).save(path)
    made = pictures.made_picture(path, whole=False)
    assert made is not None
    with Image.open(made) as picture:
        assert (picture.mode, picture.size, picture.format) == ("RGB", (512, 256), "JPEG")
