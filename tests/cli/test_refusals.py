"""Every refusal is one line that names the thing, an exit status, and never a traceback."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from shotgun_api3 import Fault

from sgsession.cli.problems import CommandError, problem_of
from sgsession.errors import EntityNotFoundError, SiteUnavailable, SyntaxProblem

from ..answering import Answer, answering


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
    with answering((status, body, content_type)) as address:
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
    for command in ("demo", "site", "account", "get", "find", "tree"):
        assert f"\n    {command} " in help.out


def _json(results: Any) -> Answer:
    return 200, json.dumps(results).encode(), "application/json"


# What a site says of itself, so that the next answer is the one to the read.
INFO = _json({"version": [8, 40, 0], "s3_uploads_enabled": False})
HALF = (200, b'{"resul', "application/json")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([INFO, (404, b"gone", "text/plain")], "refused read Shot: HTTP 404 Not Found, gone."),
        ([(500, b"sorry", "text/plain")], "did not serve info after 2 attempts: it failed over the request"),
        ([(503, b"busy", "text/plain")], "it is down for maintenance or too busy (HTTP 503"),
        ([INFO, HALF], "its answer was not one of a site (it is no JSON"),
        ([INFO, (200, b"<html>Please log in</html>", "text/html")], "(it is text/html, not JSON)"),
        ([INFO, None], "did not serve read Shot after 4 attempts: no answer came"),
        ([INFO, None], "Check the address, and that the site is running."),
    ],
)
def test_a_site_that_goes_wrong_in_between(sgsession: Any, answers: list[Answer | None], said: str) -> None:
    """Errors of HTTP, half an answer, a connection that is hung up: one line with the address, status 2."""
    with answering(*answers) as address:
        run = sgsession("--site", address, "find", "Shot")
    assert (run.status, run.out) == (2, "")
    assert run.err.startswith(f"sgsession: {address} ")
    assert run.err.count("\n") == 1
    assert said in run.err


NO_TYPE = _json(
    {"exception": True, "message": "API read() invalid/missing string entity 'type':\n{}", "error_code": 103}
)
NO_SCHEMA = _json({"exception": True, "message": "API schema_read() may not be asked.", "error_code": 103})


def test_a_refusal_where_the_schema_may_not_be_read(sgsession: Any) -> None:
    """Without the schema nothing nearer can be said: the site's own words are the line."""
    with answering(INFO, NO_TYPE, NO_SCHEMA) as address:
        run = sgsession("--site", address, "find", "Tsk")
    assert (run.status, run.out) == (2, "")
    assert run.err == "sgsession: the site refuses: invalid/missing string entity 'type'.\n"


NEVER_GIVEN = _json({"results": {"cod": {"data_type": {"value": "text"}}}})


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (NO_SCHEMA, "Shot has no field 'cod'."),
        (NEVER_GIVEN, "the site does not give Shot.cod here."),
    ],
)
def test_a_field_that_a_site_leaves_out(sgsession: Any, schema: Answer, said: str) -> None:
    """It is named, where the schema may not be read, and where the schema has it all the same."""
    paging = {"current_page": 1, "page_count": 1, "entity_count": 1, "entities_per_page": 500}
    row = {"type": "Shot", "id": 1}
    found = _json({"results": {"entities": [row], "paging_info": {**paging, "has_next_page": False}}})
    with answering(INFO, found, schema) as address:
        run = sgsession("--site", address, "find", "Shot", "-f", "cod")
    assert (run.status, run.out, run.err) == (2, "", f"sgsession: {said}\n")


@pytest.mark.parametrize(
    ("problem", "line", "status"),
    [
        (CommandError("no such\nthing", 1), "no such thing", 1),
        (EntityNotFoundError("The site has no Shot:1."), "The site has no Shot:1.", 1),
        (SyntaxProblem("'x' is no path."), "'x' is no path.", 2),
        (
            SiteUnavailable("Nobody answers at https://x."),
            "Nobody answers at https://x. Check the address, and that the site is running.",
            2,
        ),
        (
            ModuleNotFoundError("No module named 'rich.table'", name="rich.table"),
            'this needs rich.table, which is not installed: pip install "sgsession[cli,site]"',
            2,
        ),
        (
            Fault("API read() CRUD ERROR #3: no such row: {...}\n a dump"),
            "the site refuses: no such row: {...}.",
            2,
        ),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device.", 2),
        (TimeoutError(), "TimeoutError.", 2),
        (
            ModuleNotFoundError("No module named 'studio'", name="studio"),
            "ModuleNotFoundError: No module named 'studio' (--traceback shows where)",
            2,
        ),
        (KeyError("x"), "KeyError: 'x' (--traceback shows where)", 2),
    ],
    ids=repr,
)
def test_the_line_of_each_problem(problem: Exception, line: str, status: int) -> None:
    """One line, even of a text with several; what is nobody's mistake leads to --traceback."""
    assert problem_of(problem) == (line, status)


def test_a_mistake_of_a_studio_s_own_code(
    sgsession: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that fails is one line that says how to see where; --traceback shows it."""
    (tmp_path / "shotgun_api3_registry.py").write_text("def connect(*args):\n    return 1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        run = sgsession("find", "Shot")
        assert (run.status, run.out) == (2, "")
        assert run.err == "sgsession: ZeroDivisionError: division by zero (--traceback shows where)\n"
        with pytest.raises(ZeroDivisionError):
            sgsession("find", "Shot", "--traceback")
    finally:
        sys.modules.pop("shotgun_api3_registry", None)
