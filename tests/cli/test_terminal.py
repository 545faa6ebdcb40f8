"""What a person sees: tables, trees, colours and a sign of life, on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import TextIOWrapper
from pathlib import Path

import pytest

from sgsession.cli import main
from sgsession.cli.printing import Printer
from sgsession.site import LocalSite

from .conftest import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

Terminal = Callable[..., Run]


class Screen:
    """A pseudo-terminal and all that was written to it."""

    def __init__(self) -> None:
        import pty

        self._outer, inner = pty.openpty()
        self.stream = TextIOWrapper(os.fdopen(inner, "wb", buffering=0), encoding="utf-8", write_through=True)
        self._read = b""
        # Read meanwhile: a terminal that nobody reads holds a few kilobytes and then blocks who writes.
        self._reader = threading.Thread(target=self._drain)
        self._reader.start()

    def _drain(self) -> None:
        try:
            while piece := os.read(self._outer, 65536):
                self._read += piece
        except OSError:
            pass  # how Linux says that the other end was closed

    def close(self) -> str:
        """The text, when all of it was written."""
        self.stream.close()
        self._reader.join()
        os.close(self._outer)
        return self._read.decode().replace("\r\n", "\n")


@pytest.fixture
def on_terminal(
    environment: dict[str, str], demo_site: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """Run the command with standard output and standard error on terminals of 100 columns."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words: str) -> Run:
        demo_site.reset_requests()
        out, err = Screen(), Screen()
        try:
            with monkeypatch.context() as streams:
                streams.setattr(sys, "stdout", out.stream)
                streams.setattr(sys, "stderr", err.stream)
                status = main(words)
        finally:
            said = out.close(), err.close()
        return Run(status, *said)

    return run


@pytest.fixture
def slow(demo_site: LocalSite) -> Iterator[None]:
    """Each answer takes long enough for a command of two requests to need a sign of life."""
    demo_site.latency = 0.7
    yield
    demo_site.latency = 0.0


def test_a_table(on_terminal: Terminal) -> None:
    """A header, a rule, a row for each shot and cells below their names; the first column is coloured."""
    run = on_terminal("find", "Shot", "-f", "code,sg_sequence", "--limit", "2")
    _, header, rule, *rows = [line.rstrip() for line in _plain(run.out).splitlines()]
    assert header.split() == ["id", "code", "sg_sequence"]
    assert set(rule.strip()) == {"─"}
    assert [row.split() for row in rows if row] == [["234", "AA_001", "AA"], ["235", "AA_002", "AA"]]
    assert rows[0].index("AA_001") == header.index("code")
    assert "\x1b[36m234" in run.out
    assert run.err == "2 Shots\n"


def test_a_table_without_rows(on_terminal: Terminal) -> None:
    """Nothing found is no empty table: the count alone says so."""
    assert on_terminal("find", "Shot", "code=NOPE") == (0, "", "0 Shots\n")


def test_a_table_with_a_title(on_terminal: Terminal) -> None:
    """One entity is a table of its fields under its name."""
    lines = _plain(on_terminal("get", "Shot:234", "code").out).split("\n")
    assert lines[0].strip() == "Shot:234"
    assert ["code", "AA_001"] in [line.split() for line in lines]


def test_numbers_stand_to_the_right(on_terminal: Terminal) -> None:
    """The demo's requests and times line up at their last digit."""
    run = on_terminal("demo", "--latency", "0", "--no-color")
    lines = _plain(run.out).splitlines()
    header = next(line for line in lines if line.split()[:2] == ["way", "requests"])
    end = header.index("requests") + len("requests")
    table = lines[lines.index(header) + 2 :]
    # A cell that is too long for the terminal goes on in another line, which has no number.
    figures = [
        line[end - 2 : end].strip() for line in table[: table.index("")] if line[end - 1 :][:1].isdigit()
    ]
    assert figures == ["2", "1", "6", "25"]


def test_a_tree(on_terminal: Terminal) -> None:
    """Branches are drawn, in order; types and ids are bold, names paler."""
    run = on_terminal("tree", "Shot:234", "--backrefs", "Task.entity")
    assert [line.rstrip() for line in _plain(run.out).splitlines()] == [
        "Project:123  Demo Project",
        "└── Sequence:201  AA",
        "    └── Shot:234  AA_001",
        "        └── Task.entity  3",
        "            ├── Task:456  Matchmove",
        "            ├── Task:457  Animation",
        "            └── Task:458  Compositing",
    ]
    assert "\x1b[1mProject:123" in run.out


@pytest.mark.parametrize(
    "words",
    [
        ["find", "Shot", "--limit", "1"],
        ["get", "Shot:234"],
        ["tree", "Shot:234"],
        ["demo", "--latency", "0"],
    ],
    ids=lambda words: words[0],
)
def test_no_color(on_terminal: Terminal, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--no-color, and NO_COLOR in the environment, leave every colour out, and the text as it is."""
    colored = on_terminal(*words)
    plain = on_terminal(*words, "--no-color")
    monkeypatch.setenv("NO_COLOR", "1")
    also_plain = on_terminal(*words)
    for run in (plain, also_plain):
        assert not _colors(run.out)
        assert _plain(run.out).split()[:3] == _plain(colored.out).split()[:3]


def test_values_do_not_act_on_the_terminal(on_terminal: Terminal, demo_site: LocalSite) -> None:
    """Escape characters and markup inside a value are shown, in a table and in a tree."""
    client = demo_site.connect()
    project = {"type": "Project", "id": 124}
    shot = client.create("Shot", {"code": "a\x1b[31m[red]b", "project": project})
    table = on_terminal("find", "Shot", f"id={shot['id']}", "-f", "code", "--no-color")
    tree = on_terminal("tree", f"Shot:{shot['id']}", "--no-color")
    client.delete("Shot", shot["id"])
    client.close()
    for run in (table, tree):
        assert "a\\x1b[31m[red]b" in run.out


@pytest.mark.usefixtures("slow")
def test_a_slow_site_gets_a_sign_of_life(on_terminal: Terminal) -> None:
    """After a second stderr says what goes on; it is gone before the result is told."""
    run = on_terminal("find", "Shot", "-f", "code", "--limit", "1")
    assert run.status == 0
    assert "Reading Shots" in run.err
    assert "0:00:0" in run.err
    assert run.err.endswith("1 Shot\n")
    assert "Reading Shots" not in run.out
    assert "AA_001" in run.out


def test_a_sign_of_life_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once somebody knows how much of a demo or dump is loaded, the bar has a percentage; it is gone at the end."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    screen, arguments = Screen(), Namespace(no_color=True)
    with redirect_stderr(screen.stream), Printer(arguments).waiting("Loading site.jsonl") as advance:
        advance(0.125)
        advance(0.25)
        time.sleep(1.5)
    said = screen.close()
    assert "Loading site.jsonl" in _plain(said)
    assert " 25%" in _plain(said)
    assert said.endswith("\x1b[2K")  # the line is empty again


def test_a_password_is_asked_for_twice(environment: dict[str, str], tmp_path: Path) -> None:
    """On a terminal the password is typed unseen, and again; two that differ change nothing."""
    database = tmp_path / "film.sqlite"
    LocalSite(database, demo="small", serve=False).close()
    words = ["account", "ada.lindqvist", "--database", str(database), "--password"]
    status, said = _typing(words, "one", "other")
    assert (status, said.splitlines()[-1]) == (2, "sgsession: these are not the same; nothing was changed.")
    status, said = _typing(words, "s3cret", "s3cret")
    assert (status, "s3cret" in said) == (0, False)
    assert said.startswith("Password of ada.lindqvist: ")
    with LocalSite(database) as site:
        client = site.connect(login="ada.lindqvist", password="s3cret")
        assert client.find_one("Shot", []) is not None
        client.close()


def _typing(words: list[str], *typed: str) -> tuple[int, str]:
    """The exit status of a command, and what its terminal shows, when somebody types a line at each prompt."""
    import pty

    code = "import sys; from sgsession.cli import main; sys.exit(main())"
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - the other process
        os.execv(sys.executable, [sys.executable, "-c", code, *words])
    shown = b""
    try:
        for line in typed:
            # What is typed before the prompt would be seen, and thrown away.
            while not shown.endswith(b": "):
                shown += os.read(terminal, 1024)
            os.write(terminal, f"{line}\n".encode())
            shown += os.read(terminal, 1024)
        while piece := os.read(terminal, 1024):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end was closed
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown.decode().replace("\r\n", "\n")


def test_a_quick_site_gets_none(on_terminal: Terminal) -> None:
    """What is answered within the second is not announced."""
    assert on_terminal("find", "Shot", "--limit", "1").err == "1 Shot\n"


@pytest.mark.usefixtures("slow")
def test_a_sign_of_life_is_no_condition(on_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rich a slow command that draws nothing goes on as it is."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
    run = on_terminal("find", "Shot", "-f", "code", "--limit", "1", "--csv")
    assert (run.status, run.out, run.err) == (0, "id,code\n234,AA_001\n", "1 Shot\n")


def test_a_table_needs_rich(on_terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be drawn is refused in one line with the command that installs what is missing."""
    monkeypatch.setitem(sys.modules, "rich.box", None)
    run = on_terminal("find", "Shot", "--limit", "1")
    assert (run.status, run.out) == (2, "")
    assert run.err.endswith('which is not installed: pip install "sgsession[cli,site]"\n')


def _plain(text: str) -> str:
    """The text without the codes that a terminal does not show."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _colors(text: str) -> list[str]:
    """The codes that set a colour; bold and dim are none."""
    codes = [code for found in re.findall(r"\x1b\[([0-9;]*)m", text) for code in found.split(";")]
    return [code for code in codes if (code[:1] in ("3", "4", "9") and len(code) > 1) or code == "38"]
