"""`sgsession site` with data that comes from elsewhere and goes elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3 import AuthenticationFault, Shotgun, ShotgunError

from sgsession.cli.arguments import byte_count, lifetime
from sgsession.site import LocalSite

_RUN = "import sys; from sgsession.cli import main; sys.exit(main())"


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """The dump of a site with one shot and a custom field."""
    path = tmp_path / "site.jsonl"
    with LocalSite(serve=False) as site:
        site.connect(in_process=True).schema_field_create("Shot", "text", "Look")
        site.project("Demo").shot("010", sg_look="grim")
        site.dump(path)
    return path


def _shots(database: Path) -> list[tuple[Any, Any]]:
    with LocalSite(database, serve=False) as site:
        rows = site.connect(in_process=True).find("Shot", [], ["code", "sg_look"])
    return [(row["code"], row["sg_look"]) for row in rows]


def test_load_and_dump(sgsession: Any, dump: Path, tmp_path: Path) -> None:
    """--load fills a database, --dump writes the same again and ends without serving."""
    again, database = tmp_path / "again.jsonl", tmp_path / "site.db"
    done = sgsession("site", "--load", str(dump), "--database", str(database), "--dump", str(again))
    assert done == (0, "", "")
    assert again.read_text() == dump.read_text()
    assert _shots(database) == [("010", "grim")]


def test_a_loaded_site_serves(environment: dict[str, str], dump: Path) -> None:
    """A site that loads a dump serves its rows by the time it says how to reach it."""
    words = [sys.executable, "-c", _RUN, "site", "--json", "--load", str(dump)]
    child = subprocess.Popen(words, env={**os.environ, **environment}, stdout=subprocess.PIPE)
    assert child.stdout
    reach = json.loads(child.stdout.readline())
    client = Shotgun(reach["url"], script_name=reach["script_name"], api_key=reach["api_key"])
    assert client.find_one("Shot", [], ["sg_look"])["sg_look"] == "grim"
    client.close()
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 0
    child.stdout.close()


@contextmanager
def _serving(environment: dict[str, str], *words: str) -> Iterator[dict[str, str]]:
    """How to reach a site that `sgsession site` serves."""
    said = [sys.executable, "-c", _RUN, "site", "--json", *words]
    with subprocess.Popen(said, env={**os.environ, **environment}, stdout=subprocess.PIPE) as child:
        assert child.stdout
        try:
            yield json.loads(child.stdout.readline())
        finally:
            child.send_signal(signal.SIGINT)
    assert child.returncode == 0


def test_a_key_survives_a_restart(environment: dict[str, str], tmp_path: Path) -> None:
    """What was exported for a site with a database works for the next one on it; --key-file says where it lies."""
    film, key = str(tmp_path / "film.sqlite"), str(tmp_path / "mine")
    with (
        _serving(environment, "--database", film) as first,
        _serving(environment, "--key-file", key) as other,
    ):
        assert Path(key).read_text().strip() == other["api_key"] != first["api_key"]
    with _serving(environment, "--database", film) as second:
        assert second["api_key"] == first["api_key"]
        client = Shotgun(second["url"], script_name=first["script_name"], api_key=first["api_key"])
        assert client.find("Shot", []) == []
        client.close()


def test_how_files_and_sessions_are_kept(environment: dict[str, str], tmp_path: Path) -> None:
    """Direct uploads, the largest file, the folder of files and the life of sessions are as the options say."""
    small, large = tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_bytes(b"s" * 1024)
    large.write_bytes(b"l" * 1025)
    files = tmp_path / "kept"
    words = ("--direct-uploads", "--max-upload", "1k", "--files", str(files), "--session-lifetime", "1s")
    with _serving(environment, *words) as reach:
        client = Shotgun(reach["url"], script_name=reach["script_name"], api_key=reach["api_key"])
        assert client.info()["s3_direct_uploads_enabled"] is True
        version = client.create("Version", {"project": client.create("Project", {"name": "Film"})})
        client.upload("Version", version["id"], str(small), "sg_uploaded_movie")
        with pytest.raises(ShotgunError):
            client.upload("Version", version["id"], str(large), "sg_uploaded_movie")
        kept = [path.read_bytes() for path in files.rglob("*") if path.is_file()]
        assert (small.read_bytes() in kept, large.read_bytes() in kept) == (True, False)
        token = client.get_session_token()
        time.sleep(1.1)
        late = Shotgun(reach["url"], session_token=token, connect=False)
        with pytest.raises(AuthenticationFault):
            late.find("Shot", [])
        late.close()
        client.close()


def test_the_schema_of_a_site(sgsession: Any, tmp_path: Path) -> None:
    """--schema-from takes the fields of a site, named as for connect()."""
    database = tmp_path / "site.db"
    with LocalSite() as real:
        client = real.connect()
        client.schema_field_create("Shot", "text", "Look")
        client.close()
        Path(os.environ["SGSESSION_CONFIG"]).write_text(
            f"[real]\nurl = {real.url}\nscript_name = {real.script_name}\napi_key = {real.api_key}\n"
        )
        Path(os.environ["SGSESSION_CONFIG"]).chmod(0o600)
        done = sgsession(
            "site", "--schema-from", "real", "--database", str(database), "--dump", str(tmp_path / "x")
        )
    assert done == (0, "", "")
    assert _shots(database) == []
    with LocalSite(database, serve=False) as site:
        assert "sg_look" in site.connect(in_process=True).schema_field_read("Shot")


def test_the_schema_of_a_file(sgsession: Any, tmp_path: Path) -> None:
    """--schema-from takes a file as well, and a warning names what cannot be had."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"Shot": {"sg_x": {"data_type": {"value": "hologram"}}}}))
    done = sgsession("site", "--schema-from", str(path), "--dump", str(tmp_path / "x"))
    assert (done.status, done.out) == (0, "")
    assert done.err == (
        "sgsession: warning: 1 things of the schema are left out or differ: "
        "Shot.sg_x (unknown data type hologram)\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--load", "nowhere.jsonl", "--dump", "x"], "cannot read nowhere.jsonl: No such file or directory."),
        (["--load", "nowhere.jsonl"], "cannot read nowhere.jsonl: No such file or directory."),
        (["--load", "bad.jsonl"], "line 1 of the dump: not JSON: Expecting value: line 1 column 1 (char 0)"),
        (["--dump", "no/where"], "cannot write no/where: No such file or directory."),
        (["--schema-from", "nowhere.json"], "cannot read nowhere.json: No such file or directory."),
        (["--schema-from", "bad.jsonl"], "bad.jsonl is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (["--schema-from", "nobody"], "No site is called 'nobody'"),
        (["--files", "bad.jsonl"], "--files bad.jsonl is no folder."),
        (["--key-file", "no/where"], "the key file no/where cannot be used: No such file or directory"),
        (["--max-upload", "2X"], "argument --max-upload: '2X' is not a size; write bytes, or 500M, or 2G"),
        (["--max-upload", "0"], "argument --max-upload: '0' is not a size"),
        (["--session-lifetime", "1w"], "argument --session-lifetime: '1w' is not a duration; write seconds"),
        (["--session-lifetime", "0h"], "argument --session-lifetime: '0h' is not a duration"),
    ],
)
def test_files_that_are_not_there(
    sgsession: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    """What cannot be read or written: status 2 and one line that names it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_text("nope")
    done = sgsession("site", *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"sgsession: {said}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("500M", 500 * 2**20),
        ("2G", 2**31),
        ("1.5k", 1536),
        ("3 GiB", 3 * 2**30),
        ("7mb", 7 * 2**20),
    ],
)
def test_sizes(text: str, size: int) -> None:
    """Bytes, or powers of 1024 with their letter, as people write them."""
    assert byte_count(text) == size


@pytest.mark.parametrize(("text", "length"), [("90", 90), ("30m", 1800), ("8h", 28800), ("7d", 604800)])
def test_durations(text: str, length: float) -> None:
    """Seconds, or a number with the letter of its unit."""
    assert lifetime(text) == length
