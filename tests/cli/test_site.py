"""`sgsession site` with data that comes from elsewhere and goes elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3 import Shotgun

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
