"""The command line as a whole: its parser, its global options, and how a run ends."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .. import __version__
from . import account, demo, find, get, site, tree
from .problems import problem_of

__all__ = ["main"]

# Conventions of shells: 128 plus the number of the signal that would have ended the process.
_INTERRUPTED = 130
_BROKEN_PIPE = 141


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Refuse wrong usage in one line, like everything else that is refused."""
        self.exit(2, f"sgsession: {message}; see {self.prog} --help.\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; SystemExit is raised for --help and wrong usage only.

    0: done. 1: the entity does not exist. 2: refused, with one line on stderr. 130: Ctrl-C. 141: whoever
    read the output has gone away.
    """
    parser = _parser()
    words = _joined(sys.argv[1:] if argv is None else argv)
    args, left = parser.parse_known_args(words)
    # argparse takes positional arguments in one piece only; what stands behind an option is left over.
    if left and (any(word.startswith("-") for word in left) or not hasattr(args, "words")):
        parser.error(f"unrecognized arguments: {' '.join(left)}")
    if left:
        args.words += left
    with _told_in_lines(args.verbose):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    _print_whatever_the_encoding()
    try:
        status: int = args.run(args)
        # Here, and not when the interpreter ends, so that a reader who has gone is noticed.
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _drop_output()
        return _BROKEN_PIPE
    except KeyboardInterrupt:
        print("sgsession: interrupted.", file=sys.stderr)
        return _INTERRUPTED
    except Exception as exception:
        if args.traceback:
            raise
        message, status = problem_of(exception)
        print(f"sgsession: {message}", file=sys.stderr)
        return status


def _parser() -> _Parser:
    parser = _Parser(
        prog="sgsession",
        description="Read a Flow Production Tracking (ShotGrid) site, or run one on this machine.",
        epilog="The site is --site NAME, else the profile `default`, else SGSESSION_URL, SGSESSION_SCRIPT_NAME "
        "and SGSESSION_API_KEY. On a terminal results are tables; piped they are plain lines, columns "
        "separated by tabs, without a header.",
        parents=[_shared(names_site=True)],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sgsession {__version__}")
    parser.set_defaults(site=None, verbose=False, no_color=False, traceback=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (demo, site, account, get, find, tree):
        promise = str(module.__doc__).splitlines()[0].partition(": ")[2].rstrip(".")
        command = commands.add_parser(
            module.__name__.rpartition(".")[2],
            parents=[_shared(names_site=module in (get, find, tree))],
            help=promise,
            description=f"{promise[:1].upper()}{promise[1:]}.",
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _shared(names_site: bool) -> _Parser:
    """The options that may stand before and behind the command.

    Made anew for each parser: the defaults of the outermost would else become the others' too, and what was
    said before the command would be overwritten behind it.
    """
    shared = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    if names_site:
        shared.add_argument("--site", metavar="NAME", help="the site: a name for connect(), or an address")
    shared.add_argument("-v", "--verbose", action="store_true", help="tell each request on stderr")
    shared.add_argument("--no-color", action="store_true", help="no colours; NO_COLOR does the same")
    shared.add_argument("--traceback", action="store_true", help=argparse.SUPPRESS)
    return shared


def _joined(words: Sequence[str]) -> list[str]:
    """`--order -due_date` as `--order=-due_date`, since argparse takes the former for another option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--order" and word.startswith("-"):
            joined[-1] = f"--order={word}"
        else:
            joined.append(word)
    return joined


@contextmanager
def _told_in_lines(verbose: bool) -> Iterator[None]:
    """Warnings, and with --verbose the library's log, as lines on stderr."""
    log = logging.getLogger("sgsession")
    before = log.level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    if verbose:
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(before)


def _show_warning(message: Warning | str, *_: Any) -> None:
    print(f"sgsession: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _print_whatever_the_encoding() -> None:
    """A name that the terminal's encoding does not have is printed with escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) == "strict":
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _drop_output() -> None:
    """Send what is still buffered nowhere, or the interpreter would complain about it when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # standard output is no file
