"""The command as a process of its own: pipes, signals, and what it says of missing packages."""

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

_RUN = "import sys; from sgsession.cli import main; sys.exit(main())"


def _command(*words: str, code: str = _RUN) -> list[str]:
    return [sys.executable, "-c", code, *words]


@pytest.fixture
def variables(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a child."""
    return {**os.environ, **environment, "COLUMNS": "100", "TERM": "xterm"}


def test_piped_output_is_plain(variables: dict[str, str]) -> None:
    """A pipe gets tabs and line ends, no drawings, no colours."""
    done = subprocess.run(
        _command("find", "Shot", "code=AA_001"), env=variables, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("234\tAA_001\tDemo Project\tAA\n", "1 Shot\n")


def test_a_reader_who_goes_away(variables: dict[str, str]) -> None:
    """A broken pipe ends the command quietly, with the status of a process that SIGPIPE ended."""
    child = subprocess.Popen(
        _command("find", "Version"), env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout
    child.stdout.close()
    assert child.stderr
    said = child.stderr.read().decode()
    child.stderr.close()
    assert child.wait() == 141
    assert "Traceback" not in said
    assert "BrokenPipe" not in said


def test_a_terminal_gets_a_table(variables: dict[str, str]) -> None:
    """On a terminal there is a header and a ruled table; --no-color leaves the colours out."""
    colored = _on_terminal(variables, "find", "Shot", "code=AA_001")
    plain = _on_terminal(variables, "find", "Shot", "code=AA_001", "--no-color")
    assert "sg_sequence" in plain
    assert "───" in plain
    assert "\x1b[36m" in colored
    assert "\x1b[36m" not in plain


def _on_terminal(variables: dict[str, str], *words: str) -> str:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    outer, inner = pty.openpty()
    child = subprocess.Popen(_command(*words), env=variables, stdout=inner, stderr=subprocess.DEVNULL)
    os.close(inner)
    read = b""
    try:
        while piece := os.read(outer, 4096):
            read += piece
    except OSError:
        pass  # how Linux says that the other end was closed
    os.close(outer)
    assert child.wait() == 0
    return read.decode()


@pytest.mark.parametrize(("missing", "words"), [("uvicorn", ["demo"]), ("sqlalchemy", ["site"])])
def test_a_missing_extra(variables: dict[str, str], missing: str, words: list[str]) -> None:
    """Without the packages of an extra: one line with the command that installs them."""
    code = f"import sys; sys.modules[{missing!r}] = None; {_RUN}"
    done = subprocess.run(_command(*words, code=code), env=variables, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        f'sgsession: this needs {missing}, which is not installed: pip install "sgsession[cli,site]"\n'
    )


def test_help_loads_neither_site_nor_rich(variables: dict[str, str]) -> None:
    """--help imports nothing of the extras, and pipes need no rich."""
    code = (
        "import sys; from sgsession.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('rich', 'sqlalchemy', 'uvicorn', 'asyncio') if name in sys.modules])"
    )
    for words in (["--help"], ["get", "Shot:234"]):
        done = subprocess.run(
            _command(*words, code=code), env=variables, capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_site_serves_until_it_is_ended(
    variables: dict[str, str], ending: signal.Signals, tmp_path: Path
) -> None:
    """The site prints how to reach it, answers the official client, and ends cleanly."""
    words = ("site", "--demo", "small", "--json", "--database", str(tmp_path / "site.db"))
    child = subprocess.Popen(_command(*words), env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout
    assert child.stderr
    reach: dict[str, Any] = json.loads(child.stdout.readline())
    client = Shotgun(reach["url"], script_name=reach["script_name"], api_key=reach["api_key"])
    assert client.find_one("Shot", [["id", "is", 234]], ["code"])["code"] == "AA_001"
    client.close()
    child.send_signal(ending)
    assert child.wait(30) == 0
    assert child.stderr.read() == b""
    child.stdout.close()
    child.stderr.close()


def test_the_printed_environment_reaches_the_site(variables: dict[str, str]) -> None:
    """The export lines, copied to another shell, are all that the command needs."""
    child = subprocess.Popen(
        _command("site", "--demo", "small"), env=variables, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    copied: dict[str, str] = {}
    assert "Open that address in a browser" in child.stdout.readline() + child.stdout.readline()
    while len(copied) < 3:
        words = child.stdout.readline().split(maxsplit=1)
        if words and words[0] == "export":
            name, _, value = words[1].strip().partition("=")
            copied[name] = value
    done = subprocess.run(
        _command("get", "Task:456", "content"),
        env={**variables, **copied},
        capture_output=True,
        text=True,
        check=True,
    )
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 0
    child.stdout.close()
    assert done.stdout == "type\tTask\nid\t456\ncontent\tMatchmove\n"


def test_ctrl_c_while_waiting_for_an_answer(variables: dict[str, str], demo_site: Any) -> None:
    """Ctrl-C ends the command with one line and status 130."""
    with demo_site.hold("read") as held:
        with subprocess.Popen(
            _command("find", "Shot"), env=variables, stderr=subprocess.PIPE, text=True
        ) as child:
            held.wait()
            child.send_signal(signal.SIGINT)
            assert child.stderr
            said = child.stderr.read()
        assert child.returncode == 130
    assert said == "sgsession: interrupted.\n"


def test_a_port_in_use(variables: dict[str, str], demo_site: Any) -> None:
    """A port that another program has: one line that names it."""
    port = demo_site.url.rpartition(":")[2]
    done = subprocess.run(_command("site", "--port", port), env=variables, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"sgsession: cannot serve on 127.0.0.1 port {port}: ")
    assert done.stderr.count("\n") == 1
