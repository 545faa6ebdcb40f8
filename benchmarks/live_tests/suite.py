"""Fetch the official client's live tests, and run them against an embedded site.

The tests stand in the source release of shotgun_api3 on PyPI. They are fetched, never kept: only `base.py`, the
fixture that the release leaves out, is ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sgsession.site import LocalSite

MODULES = ("test_api", "test_api_long")
LOGIN, NAME, PASSWORD = "live_person", "Live Person", "Live-Password-1"
POOL = "sgsession:ShotgunPool"
# What the tests upload; the release leaves the pictures out, too.
PICTURES = ("sg_logo.jpg", "Noëlご.jpg")
# These put something of their own in the place of a part of the client that a pool does without: its HTTP
# connection, or the methods that send a request or a form. So they say nothing of a pool.
REPLACING_PARTS = {
    "tests.test_api.TestErrors": ("test_make_call_retry", "test_status_not_200"),
    "tests.test_api.TestExportPage": ("test_export_page_without_layout_name",),
    "tests.test_api.TestShotgunApi": (
        "test_get_attachment_upload_info_thumbnail_with_created_at",
        "test_get_attachment_upload_info_with_created_at",
        "test_get_attachment_upload_info_without_created_at",
        "test_share_thumbnail_not_ready",
        "test_share_thumbnail_returns_error",
        "test_upload_to_sg",
        "test_upload_to_sg_with_created_at",
        "test_upload_to_sg_without_created_at",
        "test_upload_to_storage_with_created_at",
        "test_upload_to_storage_without_created_at",
    ),
}


class NoLiveTests(Exception):
    """The release could not be fetched, or has no live tests in it."""


def client_version() -> str:
    """The version of the official client in this environment, whose tests are run."""
    return version("shotgun_api3")


def replaces_parts(test: str) -> bool:
    """Whether this test puts something in the place of a part of the client."""
    case, _, name = test.rpartition(".")
    return name in REPLACING_PARTS.get(case, ())


def fetch(folder: Path) -> Path:
    """Fetch the client's source release into `folder`, and give the folder from which its tests run.

    Raises NoLiveTests when PyPI cannot be reached or the release has no live tests.
    """
    wanted = f"shotgun_api3=={client_version()}"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]
    done = subprocess.run(
        [*pip, "--no-binary", ":all:", "-d", folder, wanted], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise NoLiveTests(f"{wanted} could not be fetched from PyPI: {said[-1]}")
    place = folder / "live"
    tests = place / "tests"
    tests.mkdir(parents=True)
    with tarfile.open(next(folder.glob("shotgun_api3-*.tar.gz"))) as release:
        for module in MODULES:
            _extract(release, f"{module}.py", tests)
    (tests / "__init__.py").touch()
    ours = Path(__file__).parent
    shutil.copy(ours / "base.py", tests)
    shutil.copy(ours / "run_tests.py", place)
    for name in PICTURES:
        _picture(tests / name)
    return place


def run(place: Path, *, through: str = "", **site_arguments: Any) -> dict[str, str]:
    """What came of each test, by its name, on a fresh site: "passed", or the first line of what went wrong.

    `through` names the class that stands in for a client and is made from one, such as POOL.
    `site_arguments` go to LocalSite. The dots of the run go to standard error.
    """
    with LocalSite(demo="small", **site_arguments) as site, tempfile.TemporaryDirectory() as temporary:
        site.person(NAME, {"login": LOGIN, "email": "live@example.com"})
        site.set_password(LOGIN, PASSWORD)
        outcomes = Path(temporary) / "outcomes.json"
        modules = [f"tests.{module}" for module in MODULES]
        subprocess.run(
            [sys.executable, "run_tests.py", outcomes, *modules],
            cwd=place,
            # What the tests print of their progress is not ours to show.
            stdout=subprocess.DEVNULL,
            env={
                **os.environ,
                "LIVE_THROUGH": through,
                "LIVE_URL": site.url,
                "LIVE_SCRIPT": site.script_name,
                "LIVE_KEY": site.api_key,
                "LIVE_LOGIN": LOGIN,
                "LIVE_NAME": NAME,
                "LIVE_PASSWORD": PASSWORD,
            },
            check=True,
        )
        came: dict[str, str] = json.loads(outcomes.read_text(encoding="utf-8"))
        return came


def _extract(release: tarfile.TarFile, name: str, folder: Path) -> None:
    member = next((each for each in release.getmembers() if each.name.endswith(f"/tests/{name}")), None)
    source = None if member is None else release.extractfile(member)
    if source is None:
        raise NoLiveTests(f"shotgun_api3 {client_version()} has no tests/{name} in its source release")
    (folder / name).write_bytes(source.read())


def _picture(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (320, 200), (200, 30, 30)).save(path)
