"""The house itself: its names, its documentation, its sizes, and what importing it costs."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import io
import pickle
import pkgutil
import subprocess
import sys
import tokenize
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sgsession
from sgsession import AsyncEntity, AsyncSession, Entity, Schema, Session, ShotgunPool
from sgsession.site import LocalSite

ROOT = Path(inspect.getfile(sgsession)).parent
MODULES = sorted(ROOT.rglob("*.py"))
NAMES = [
    "sgsession",
    *(
        found.name
        for found in pkgutil.walk_packages(sgsession.__path__, "sgsession.")
        if not found.name.endswith("__main__")
    ),
]

MOST_CODE_LINES = 350
LONGEST_FUNCTION = 60
# Reasoned exceptions: module, or module:function → why it may be longer.
LONGER: dict[str, str] = {}

NOT_WITH_THE_CORE = [
    "sqlite3", "sqlalchemy", "starlette", "uvicorn", "rich", "concurrent.futures.thread", "importlib.metadata",
    "http.server", "sgsession.aio", "sgsession.site", "sgsession.cli", "sgsession.drivers.awaiting",
]  # fmt: skip


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _docstring_lines(tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and ast.get_docstring(node) is not None
        ):
            text = node.body[0]
            found.update(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return found


def _code_lines(path: Path) -> set[int]:
    """Lines that are neither blank, nor a comment, nor a docstring."""
    source = path.read_text(encoding="utf-8")
    skipped = (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    )
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - _docstring_lines(ast.parse(source))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_the_exported_names_are_sorted_and_are_the_namespace() -> None:
    """`__all__` is what `sgsession.` offers, no more than twenty names, in order."""
    assert sgsession.__all__ == sorted(sgsession.__all__)
    assert len(sgsession.__all__) <= 20
    modules = {name for name, value in vars(sgsession).items() if isinstance(value, types.ModuleType)}
    public = (
        {name for name in dir(sgsession) if not name.startswith("_")}
        - modules
        - {"annotations", "TYPE_CHECKING", "Any"}
    )
    # What is imported when it is first asked for is not in the namespace before.
    lazy = {name for name in sgsession.__all__ if name not in vars(sgsession)}
    assert public | lazy | {"__version__"} == set(sgsession.__all__)
    for name in sgsession.__all__:
        assert getattr(sgsession, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """The lazy half of the package does not swallow misspellings."""
    with pytest.raises(AttributeError, match="Sessoin"):
        sgsession.Sessoin  # noqa: B018


@pytest.mark.parametrize("name", NAMES)
def test_what_a_module_exports_is_there_and_sorted(name: str) -> None:
    """Every `__all__` names what exists, in order: constants first, or by letters alone."""
    module = importlib.import_module(name)
    exported = list(getattr(module, "__all__", []))
    constants_first = sorted(exported, key=lambda each: (not each.isupper(), not each[0].isupper(), each))
    assert exported in (sorted(exported), constants_first)
    assert all(hasattr(module, each) for each in exported)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_every_module_says_what_it_is(path: Path) -> None:
    """A docstring whose first line is a sentence, and no longer than a line."""
    text = ast.get_docstring(_tree(path))
    assert text
    first = text.splitlines()[0]
    assert len(first) <= 120
    assert first[-1] in ".:?"


def _public_members(owner: Any, module: str) -> Iterator[tuple[str, Any]]:
    """The public classes, functions, methods and properties that are written in a module."""
    for name, member in vars(owner).items():
        if name.startswith("_"):
            continue
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if (inspect.isfunction(function) or inspect.isclass(function)) and function.__module__ == module:
            yield name, getattr(owner, name)
            if inspect.isclass(member):
                for inner, value in _public_members(member, module):
                    yield f"{name}.{inner}", value


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_is_documented(name: str) -> None:
    """Each public class, function, method and property says what it promises, itself or where it is declared first."""
    undocumented = [
        each
        for each, member in _public_members(importlib.import_module(name), name)
        if not inspect.getdoc(member)
    ]
    assert not undocumented


@pytest.mark.parametrize(
    "owner", [Session, AsyncSession, Entity, AsyncEntity, ShotgunPool, Schema, LocalSite]
)
def test_every_public_method_is_documented_where_it_is_asked(owner: type[Any]) -> None:
    """`help()` has something to say about each."""
    for name in dir(owner):
        if name.startswith("_"):
            continue
        member = inspect.getattr_static(owner, name)
        if isinstance(member, (property, classmethod, staticmethod)) or inspect.isfunction(member):
            assert inspect.getdoc(getattr(owner, name) if not isinstance(member, property) else member), name


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_are_short(path: Path) -> None:
    """At most 350 lines of code, unless there is a reason."""
    assert len(_code_lines(path)) <= MOST_CODE_LINES or _name(path) in LONGER


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_functions_are_short(path: Path) -> None:
    """At most 60 lines of code, docstring and comments left out, unless there is a reason."""
    code = _code_lines(path)
    for function in _functions(_tree(path)):
        length = sum(1 for line in code if function.lineno <= line <= (function.end_lineno or 0))
        assert length <= LONGEST_FUNCTION or f"{_name(path)}:{function.name}" in LONGER, function.name


def test_no_exception_from_the_sizes_is_stale() -> None:
    """What is listed as longer exists."""
    for name in LONGER:
        assert (ROOT / name.partition(":")[0]).exists()


def test_importing_the_package_loads_no_extra_and_no_event_loop() -> None:
    """Beyond what the client itself brings it is our own modules, and of the standard library one that is built in."""
    code = (
        "import sys, shotgun_api3\n"
        "before = set(sys.modules)\n"
        "from sgsession import Session, ShotgunPool, Entity, SessionError\n"
        "print(*sorted(set(sys.modules) - before), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "sgsession.session" in loaded
    assert [name for name in loaded if name.partition(".")[0] != "sgsession"] == ["gc"]
    assert not [name for name in loaded if name in NOT_WITH_THE_CORE]


def test_a_test_run_that_uses_no_site_does_not_pay_for_one() -> None:
    """pytest imports the plugin wherever the package is installed: that loads neither the client nor a session."""
    code = (
        "import sys, pytest\n"
        "before = set(sys.modules)\n"
        "import sgsession.testing.plugin\n"
        "print(*sorted(set(sys.modules) - before), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["sgsession", "sgsession.testing", "sgsession.testing.plugin"]


def test_names_that_are_imported_when_asked_for_are_like_others() -> None:
    """They are told by dir(), taken by `import *`, imported once, and unpickled in a process that has none yet."""
    code = (
        "import pickle, sys, sgsession\n"
        "assert set(sgsession.__all__) <= set(dir(sgsession)), dir(sgsession)\n"
        "assert 'Session' not in vars(sgsession)\n"
        "entity = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "assert isinstance(entity, sgsession.Entity)\n"
        "assert sgsession.Session is vars(sgsession)['Session']\n"
        "from sgsession import *\n"
        "assert all(name in globals() for name in sgsession.__all__)\n"
    )
    pickled = pickle.dumps(Session(False).merge({"type": "Shot", "id": 1, "code": "AA_010"}))
    subprocess.run([sys.executable, "-W", "error", "-c", code, pickled.hex()], check=True)


def test_a_session_without_a_site_loads_none_either() -> None:
    """Making a session, merging and pickling stay as light."""
    code = (
        "import sys, pickle, sgsession\n"
        "session = sgsession.Session(False)\n"
        "shot = session.merge({'type': 'Shot', 'id': 1})\n"
        "pickle.loads(pickle.dumps(shot)); shot.as_dict(); session.parse_user_input('Shot:1'); session.close()\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {
        "sqlite3",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "rich",
        "sgsession.aio",
        "sgsession.site",
        "concurrent.futures.thread",
    }
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("sgsession.cli.__main__",)])
def test_every_module_can_be_imported_first(name: str) -> None:
    """No module leans on another having been imported before: there are no hidden cycles."""
    assert importlib.util.find_spec(name) is not None
    importlib.import_module(name)
