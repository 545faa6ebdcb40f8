"""A canary in every key: the run fails if any of it is found where no secret may be (reliability.md G-27).

Each script key and session token of the run's sites begins with the same random text. All of the library and
of the client logs at DEBUG meanwhile, and that text is looked for in what is logged, in errors that tests await
and their tracebacks with all variables, in reprs, in pickles, in what tests print, and in the files that are left.
"""

from __future__ import annotations

import builtins
import logging
import os
import pickle
import secrets
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

import pytest

import sgsession
from sgsession.transport.safe_client import SafeClient

__all__ = ["Canary", "WholeRun"]

_LIBRARY = str(Path(sgsession.__file__).parent)
# The site knows keys, and the tools that stand for one.
_SITE = (f"{_LIBRARY}/site/", f"{_LIBRARY}/testing/", str(Path(__file__).parent))
_LOGS = ("sgsession", "shotgun_api3")
_OURS = logging.DEBUG - 1
_KEY_BYTES = 20
# Files that people write their keys into.
_OF_KEYS = frozenset({"profiles.ini"})
# Of tracebacks that came the same way, so many are looked at.
_ALIKE = 2
_LARGEST_FILE = 2**26


class Canary:
    """Looks for its `text`, wherever it is told of something and, while it watches, in all that it can see."""

    def __init__(self) -> None:
        self.text = secrets.token_hex(6)
        self.found: list[str] = []
        self.looked: Counter[str] = Counter()
        self.test = ""
        self._undo: list[Callable[[], None]] = []
        self._seen: Counter[tuple[CodeType | int, ...]] = Counter()

    # Looking

    def look(self, text: str | bytes, kind: str) -> None:
        """Note a find if the text holds the canary."""
        self.looked[kind] += 1
        wanted: Any = self.text if isinstance(text, str) else self.text.encode()
        at = text.find(wanted)
        if at >= 0:
            self.found.append(f"{kind}, {self.test}: …{text[max(0, at - 300) : at + 60]!r}…")

    def look_at_error(self, error: BaseException, trace: TracebackType | None) -> None:
        """Look at what an error says, what it would be pickled as, and the variables of the library's frames."""
        frames: list[CodeType | int] = []
        link = trace
        while link is not None:
            frames += (link.tb_frame.f_code, link.tb_lineno)
            link = link.tb_next
        self._seen[tuple(frames)] += 1
        if self._seen[tuple(frames)] > _ALIKE or not any(_is_library(each) for each in frames):
            return
        each: BaseException | None = error
        while each is not None:
            if isinstance(each, sgsession.errors.SessionError):
                self.look(f"{each} {each!r} {vars(each)!r}", "error")
                with suppress(Exception):
                    self.look(_dumps(each), "pickle")
            for frame, _ in traceback.walk_tb(trace if each is error else each.__traceback__):
                code = frame.f_code
                # Of the client and of the standard library, only what was called by the library.
                if _is_library(code) or (not _is_sites(code) and _caller_is_library(frame)):
                    for name, value in list(frame.f_locals.items()):
                        self.look(
                            f"{code.co_qualname if sys.version_info >= (3, 11) else code.co_name}: "
                            f"{name} = {_shown(value)}",
                            "variable",
                        )
            each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)

    def look_at_files(self, folder: Path) -> None:
        """Look at all that lies there, but for the files of keys: databases and their logs, too."""
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                if (
                    name in _OF_KEYS
                    or path.is_symlink()
                    or not path.is_file()
                    or path.stat().st_size > _LARGEST_FILE
                ):
                    continue
                content = path.read_bytes()
                if len(content) > 100:  # a file of a key holds that alone
                    self.test = str(path)
                    self.look(content, "file")

    # Watching

    def watch(self) -> None:
        """Be in every key from now on, and look at all that is logged, raised, shown or pickled."""
        self._replace(secrets, "token_hex", self._token_hex)
        self._replace(pickle, "dumps", self._dumps)
        raises = type(pytest.raises(Exception))
        leave = raises.__exit__

        def left(block: Any, kind: Any, error: Any, trace: Any) -> Any:
            if error is not None:
                self.look_at_error(error, trace)
            return leave(block, kind, error, trace)

        self._replace(raises, "__exit__", left)
        for shown in (sgsession.ShotgunPool, sgsession.Session, sgsession.AsyncSession):
            self._replace(shown, "__repr__", self._observed_repr(shown.__repr__))
        for name in [*_LOGS, *(each for each in logging.root.manager.loggerDict if each.startswith(_LOGS))]:
            self._listen(logging.getLogger(name))
        for name in _LOGS:
            log = logging.getLogger(name)
            self._undo.append(lambda log=log, level=log.level: log.setLevel(level))
            log.setLevel(_OURS)

    def leave(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def _listen(self, log: logging.Logger) -> None:
        listener = _Listener(self, log)
        log.filters.insert(0, listener)  # before one of a canary that watches already
        self._undo.append(lambda: log.removeFilter(listener))

    def _replace(self, owner: Any, name: str, new: Any) -> None:
        old = getattr(owner, name)
        setattr(owner, name, new)
        self._undo.append(lambda: setattr(owner, name, old))

    def _token_hex(self, nbytes: int | None = None) -> str:
        is_key = nbytes == _KEY_BYTES or sys._getframe(1).f_globals["__name__"].endswith("people.sessions")
        token = _token_hex(nbytes)
        return self.text + token[len(self.text) :] if is_key else token

    def _dumps(self, value: Any, *arguments: Any, **named: Any) -> bytes:
        pickled = _dumps(value, *arguments, **named)
        self.look(pickled, "pickle")
        return pickled

    def _observed_repr(self, of: Callable[[Any], str]) -> Callable[[Any], str]:
        def observed(value: Any) -> str:
            shown = of(value)
            self.look(shown, "repr")
            return shown

        return observed


class WholeRun:
    """A plugin of pytest: a canary that watches all tests, and lets the run fail where it was found.

    `-p no:canary` runs without it, to see what it costs.
    """

    def __init__(self) -> None:
        self.canary = Canary()

    def pytest_sessionstart(self) -> None:
        """Be there before the first site is made."""
        self.canary.watch()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say where finds are from."""
        self.canary.test = nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at what a test printed."""
        for name, text in report.sections:
            if "log" not in name:  # in which the bare client tells its key
                self.canary.look(text, name)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at what all tests left."""
        self.canary.leave()
        base = session.config._tmp_path_factory._basetemp  # type: ignore[attr-defined]
        if base is not None:
            self.canary.look_at_files(base)
        if self.canary.found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where keys were told."""
        found = self.canary.found
        if found:
            terminalreporter.section("keys that were told (tests/canary.py)", red=True, bold=True)
        for each in found[:20]:
            terminalreporter.write_line(each)
        looked = sum(self.canary.looked.values())
        terminalreporter.write_line(f"canary: {len(found)} keys told in {looked:,} texts")


class _Listener(logging.Filter):
    """Looks at each record, and lets pass those that would have been made without it: the others are many."""

    def __init__(self, canary: Canary, log: logging.Logger) -> None:
        super().__init__()
        self._canary = canary
        self._log = log
        self._level = log.getEffectiveLevel()

    def filter(self, record: logging.LogRecord) -> bool:
        """Look at it, unless the bare client says it: that one tells its key."""
        if record.name.startswith("sgsession") or _in_pooled_client():
            self._canary.look(f"{record.getMessage()} {record.args!r}", "log")
            if record.exc_info and record.exc_info[1] is not None:
                self._canary.look_at_error(record.exc_info[1], record.exc_info[2])
        # A test may have set a level of its own.
        return record.levelno >= self._level or self._log.getEffectiveLevel() != _OURS


_token_hex = secrets.token_hex
_dumps = pickle.dumps


def _in_pooled_client() -> bool:
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__") == "shotgun_api3.shotgun":
            return isinstance(frame.f_locals.get("self"), SafeClient)
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _is_sites(code: CodeType) -> bool:
    return code.co_filename.startswith(_SITE)


def _is_library(code: CodeType | int) -> bool:
    return isinstance(code, CodeType) and code.co_filename.startswith(_LIBRARY) and not _is_sites(code)


def _caller_is_library(frame: Any) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_LIBRARY):
            return _is_library(frame.f_code)
        frame = frame.f_back
    return False


def _shown(value: Any) -> str:
    try:
        return builtins.repr(value)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
