"""The pytest plugin, as a test suite of somebody else uses it: runs of pytest in processes of their own."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from ..site.served import tell

DOCUMENT = Path(__file__).parents[2] / "docs" / "testing.md"


def run(folder: Path, tests: str, *arguments: str, ini: str = "") -> str:
    """What pytest prints for a file with these tests, found without any configuration of ours."""
    (folder / "test_sample.py").write_text(tests, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    return done.stdout + done.stderr


def passed(output: str) -> int:
    """How many tests passed, of a run in which none failed."""
    found = re.search(r"(\d+) passed", output)
    assert found, output
    assert not re.search(r"\d+ (failed|error)", output), output
    return int(found[1])


def test_the_document_shows_tests_that_pass(tmp_path: Path) -> None:
    """The test file of docs/testing.md, as it stands."""
    tests = DOCUMENT.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert passed(run(tmp_path, tests)) == 3


ISOLATED = """
import json, pathlib, time
import pytest

seen = pathlib.Path("seen.json")

@pytest.mark.parametrize("number", range(20))
def test_nothing_is_left_of_other_tests(number, sg_site, sg, sg_session):
    assert sg.find("Project", []) == []
    assert sg_session.create("Project", {"name": f"Film {number}"})["id"] == 1
    assert sg.find_one("Project", [], ["name"])["name"] == f"Film {number}"
    sg_site.latency = 0.001
    sg_site.fail_next("update", status=502)
    known = json.loads(seen.read_text()) if seen.exists() else []
    seen.write_text(json.dumps([*known, [sg_site.url, sg_site.api_key]]))

def test_what_fresh_sites_cost(sg_site, monkeypatch):
    from sgsession.site import local_site
    from sgsession.site.database import sqlite
    made = {"tables": 0, "servers": 0}
    def counted(name, function):
        def call(*arguments):
            made[name] += 1
            return function(*arguments)
        return call
    monkeypatch.setattr(sqlite, "_create_tables", counted("tables", sqlite._create_tables))
    monkeypatch.setattr(local_site, "ServerThread", counted("servers", local_site.ServerThread))
    spent = []
    for _ in range(20):
        began = time.perf_counter()
        sg_site.start_over()
        spent.append(time.perf_counter() - began)
    pathlib.Path("cost.json").write_text(json.dumps({"made": made, "spent": spent}))
"""


def test_a_fresh_site_for_each_test_on_one_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tests share one address and nothing else; a fresh site makes no table and no server, but copies."""
    output = run(tmp_path, ISOLATED, "--durations=0", "--durations-min=0.0")
    assert passed(output) == 21
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert len(seen) == 20
    assert len({url for url, _ in seen}) == 1
    assert len({key for _, key in seen}) == 20
    cost = json.loads((tmp_path / "cost.json").read_text())
    assert cost["made"] == {"tables": 0, "servers": 0}
    # The goal is 20 ms on an idle machine; what is counted above is what keeps it, and does not depend on load.
    tell(capsys, f"a fresh site: {statistics.median(cost['spent']) * 1000:.1f} ms (goal: 20 ms)")


DEMO = """
def test_rows(sg):
    assert len(sg.find("Shot", [])) == 14
"""
OVERRIDDEN = """
import pytest

@pytest.fixture
def sg_site_demo():
    return "small"
"""


@pytest.mark.parametrize(
    ("argument", "ini", "tests"),
    [
        ("--sg-site-demo=small", "", DEMO),
        ("-q", "sg_site_demo = small", DEMO),
        ("--sg-site-demo=none", "sg_site_demo = none", OVERRIDDEN + DEMO),
    ],
    ids=["option", "ini", "fixture"],
)
def test_the_demo_is_chosen(tmp_path: Path, argument: str, ini: str, tests: str) -> None:
    """By the command line, the configuration file or a fixture of the same name."""
    assert passed(run(tmp_path, tests, argument, ini=ini)) == 1


def test_a_demo_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """The configuration file's mistake is told where the site is asked for."""
    assert "'tiny'" in run(tmp_path, DEMO, ini="sg_site_demo = tiny")
    assert "invalid choice: 'tiny'" in run(tmp_path, DEMO, "--sg-site-demo=tiny")


UNUSED = """
import sys

def test_nothing():
    loaded = {"sqlalchemy", "starlette", "uvicorn", "sgsession.site"}
    assert not loaded & set(sys.modules)
    assert "sgsession.testing.plugin" in sys.modules
"""


def test_who_does_not_use_it_pays_nothing(tmp_path: Path) -> None:
    """A run without these fixtures loads neither the site nor what it needs: only sgsession's core."""
    assert passed(run(tmp_path, UNUSED)) == 1


def test_the_help_names_the_fixtures(tmp_path: Path) -> None:
    """`pytest --fixtures` says what each gives, and `--help` the option."""
    fixtures = run(tmp_path, DEMO, "--fixtures")
    for name in ("sg_site", "sg_session", "sg_site_demo"):
        assert re.search(rf"^{name}\b", fixtures, re.MULTILINE)
    assert "--sg-site-demo" in run(tmp_path, DEMO, "--help")
