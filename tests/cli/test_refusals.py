"""Every refusal is one line that names the thing, an exit status, and never a traceback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["find", "Tsk"], "the site has no type 'Tsk'. Did you mean Task?"),
        (["find", "Task", "contents=x"], "Task has no field 'contents'. Did you mean content"),
        (["find", "Task", "entity.Shot.cod=x"], "Shot has no field 'cod'. Did you mean code?"),
        (["find", "Task", "-f", "entity.Shot.cod"], "Shot has no field 'cod'. Did you mean code?"),
        (["find", "Task", "-f", "entity.Sht.code"], "Task.entity does not link to 'Sht'. Did you mean Shot?"),
        (["find", "Task", "-f", "task_assignees.HumanUser.name"], "deep fields go through single links only"),
        (["find", "Task", "-f", "entity.Shot"], "'entity.Shot' is not a field path"),
        (["find", "Task", "-f", "entity.{Shot"], "the braces do not match"),
        (["find", "Task", "-f", "zzz"], "Task has no field 'zzz'. sgsession get Task ID --all shows"),
        (["find", "Task", "--order", "stepp"], "Task has no field 'stepp'. Did you mean step?"),
        (["find", "Task", "!!"], "'!!' is not a filter: write FIELD=VALUE"),
        (["find", "Task", "id contains x"], "'number' data type doesn't support 'contains'"),
        (["find", "Task", "due_date=yesterday"], "the site refuses: Invalid date format: yesterday"),
        (["find", "Task", "--limit", "0"], "'0' is not a number from 1"),
        (["find", "Task", "--bogus"], "unrecognized arguments: --bogus"),
        (["find", "Task", "--json", "--csv"], "not allowed with"),
        (["get", "Shot"], "'Shot' lacks an id: write Shot 7, or Shot:7."),
        (["get", "Sht:3"], "the site has no type 'Sht'. Did you mean Shot?"),
        (["get", "https://x.example.com/page/7"], "a page on which no entity is open"),
        (["get", "7"], "is an id without a type"),
        (["tree", "Shot:234", "Shot:235"], "tree shows one entity"),
        (["demo", "--latency", "-1"], "'-1' is not a number of seconds"),
        (["site", "--port", "70000"], "'70000' is not a port"),
        (["site", "--host", "0.0.0.0"], "add --allow-remote"),
        (["--site", "ftp://x", "find", "Shot"], "'ftp://x' is not the address of a site"),
        (["find", "Shot", "--site", "nowhere"], "No site is called 'nowhere'"),
        (["--site", "http://127.0.0.1:1", "get", "Shot:1"], "Nobody answers at http://127.0.0.1:1"),
        (["fnd"], "invalid choice: 'fnd'"),
    ],
)
def test_what_is_refused_is_refused_in_one_line(sgsession: Any, words: list[str], said: str) -> None:
    """Status 2, nothing on stdout, and one line on stderr that names what is wrong."""
    run = sgsession(*words)
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith("sgsession: ")
    assert run.err.count("\n") == 1
    assert said in run.err


def test_wrong_key(sgsession: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the site does not take: the line names the script and where the key is read from."""
    monkeypatch.setenv("SGSESSION_API_KEY", "wrong")
    run = sgsession("find", "Shot")
    assert run.status == 2
    assert (
        "Can't authenticate script 'sgsession'. Check SGSESSION_SCRIPT_NAME and SGSESSION_API_KEY" in run.err
    )


def test_nothing_configured(sgsession: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a site: the line names the variables to set."""
    monkeypatch.delenv("SGSESSION_URL")
    run = sgsession("find", "Shot")
    assert (run.status, run.out) == (2, "")
    assert "set SGSESSION_URL, or write a profile" in run.err


def test_an_unknown_name_costs_the_schema_only_afterwards(sgsession: Any, demo_site: Any) -> None:
    """The schema is read once the site has refused, of that one type."""
    sgsession("find", "Task", "contents=x")
    methods = [request.method for request in demo_site.requests if request.method != "info"]
    assert methods == ["read", "schema_field_read"]


@contextmanager
def _answering(status: int, body: bytes, content_type: str) -> Iterator[str]:
    """A web server that is no site."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "content_type", "said"),
    [
        (200, b"<html>Welcome</html>", "text/html", ""),
        (404, b"nothing here", "text/plain", "HTTP 404 Not Found"),
        (302, b"", "text/html", "HTTP 302 Found"),
        (200, b'{"results": {}}', "application/json", ""),
        (200, b'{"resul', "application/json", ""),
    ],
)
def test_an_address_that_is_no_site(
    sgsession: Any, status: int, body: bytes, content_type: str, said: str
) -> None:
    """Pages, redirects and foreign JSON: one line with the address, saying that this is no site."""
    with _answering(status, body, content_type) as address:
        run = sgsession("--site", address, "find", "Shot")
    assert run.status == 2
    assert run.err.startswith(f"sgsession: {address} does not answer like a Flow Production Tracking site")
    assert said in run.err
    assert run.err.count("\n") == 1


def test_a_warning_is_one_line(sgsession: Any, environment: dict[str, str]) -> None:
    """What the library warns of is a line too, and the command goes on."""
    profiles = Path(environment["SGSESSION_CONFIG"])
    profiles.write_text(
        f"[studio]\nurl = {environment['SGSESSION_URL']}\n"
        f"script_name = {environment['SGSESSION_SCRIPT_NAME']}\napi_key = {environment['SGSESSION_API_KEY']}\n"
    )
    profiles.chmod(0o644)
    run = sgsession("find", "Shot", "--site", "studio", "--limit", "1")
    warning, counted = run.err.splitlines()
    assert run.status == 0
    assert warning.startswith("sgsession: warning: ")
    assert "chmod 600" in warning
    assert counted == "1 Shot"


@pytest.mark.parametrize("before", [True, False])
def test_verbose_tells_each_request(sgsession: Any, before: bool) -> None:
    """-v, before or behind the command, writes a line for each request to stderr, for this run only."""
    words = ["find", "Shot", "--limit", "2"]
    run = sgsession("-v", *words) if before else sgsession(*words, "-v")
    assert "find Shot: 2 rows in" in run.err
    assert "find Shot" not in sgsession(*words).err


def test_version_and_help(sgsession: Any) -> None:
    """--version and --help answer on stdout with status 0."""
    version, help = sgsession("--version"), sgsession("--help")
    assert (version.status, version.out[:10]) == (0, "sgsession ")
    assert help.status == 0
    for command in ("demo", "site", "get", "find", "tree"):
        assert f"\n    {command} " in help.out
