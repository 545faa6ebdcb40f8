"""sgsession account: say how a person or a script signs in to an embedded site with a database."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from .printing import Printer
from .problems import CommandError

if TYPE_CHECKING:
    from ..site.database.store import Store

__all__ = ["add_arguments", "run"]

_WORDS = {"password": "password", "one_time_code": "one-time code", "group": "permission group"}
_GROUPS = ("admin", "manager", "artist", "vendor")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    # Secrets are never arguments: other users of a machine see these, and shells remember them.
    parser.epilog = (
        "Passwords and codes are asked for on a terminal, and else read from standard input, a line each. "
        "A site that is being served need not be stopped."
    )
    parser.add_argument("login", metavar="LOGIN", nargs="?", help="the person")
    parser.add_argument("--database", metavar="PATH", required=True, help="the database of the site")
    parser.add_argument("--password", action="store_true", help="give the person a password")
    code = parser.add_mutually_exclusive_group()
    code.add_argument(
        "--one-time-code", action="store_true", help="ask the person for a code beside the password"
    )
    code.add_argument("--no-one-time-code", action="store_true", help="ask for none any more")
    parser.add_argument("--group", choices=_GROUPS, help="give the person the rights of this group")
    parser.add_argument(
        "--script", metavar="NAME", help="make a new key for this script, and print it; the old one is void"
    )
    parser.add_argument("--json", action="store_true", help="print what was done as one line of JSON")


def run(args: argparse.Namespace) -> int:
    """Change the account, and tell what was changed."""
    for_person = args.password or args.one_time_code or args.no_one_time_code or args.group
    if args.script is None and not (args.login and for_person):
        raise CommandError(
            "say who and what: LOGIN with --password, --one-time-code or --group, or --script."
        )
    if args.script is not None and (args.login or for_person):
        raise CommandError("--script is for scripts alone; change people in another call.")
    if "://" not in args.database and not Path(args.database).expanduser().is_file():
        raise CommandError(f"{args.database} does not exist; sgsession site --database makes one.")
    if args.script is None:
        _change_person(args)
    else:
        _change_script(args)
    return 0


def _change_person(args: argparse.Namespace) -> None:
    from ..site.people import accounts

    # Asked for before the site is opened: nobody waits for a person who types.
    password = _secret("Password", args) if args.password else None
    code = _secret("One-time code", args) if args.one_time_code else None
    changed = []
    with _opened(args) as store:
        if password is not None:
            accounts.set_password(store, args.login, password)
            changed.append("password")
        if code is not None or args.no_one_time_code:
            accounts.require_one_time_code(store, args.login, code)
            changed.append("one_time_code")
        if args.group:
            accounts.set_permission_group(store, args.login, args.group)
            changed.append("group")
    if args.json:
        _print_json({"login": args.login, "changed": changed})
    else:
        words = ", ".join(_WORDS[name] for name in changed)
        Printer(args).note(f"Changed for {args.login}: {words}.")


def _change_script(args: argparse.Namespace) -> None:
    from ..site.furnishing import SCRIPT_NAME
    from ..site.people import accounts

    if args.script == SCRIPT_NAME:
        # The site would replace it by that of its key file when it is started again.
        raise CommandError(
            f"the key of {SCRIPT_NAME!r} is kept by sgsession site, beside a database file or in its "
            "--key-file; where that file is missing, the next start makes a new one."
        )
    with _opened(args) as store:
        key = accounts.new_script_key(store, args.script)
    if args.json:
        _print_json({"script_name": args.script, "api_key": key})
    else:
        # Alone on its line, so that a shell can keep it: KEY=$(sgsession account ...)
        Printer(args).text(key)


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Store]:
    """The rows of the site, and no site on them: that would give its own script a key, which others may use."""
    from ..site.database.store import Store
    from ..site.schema.standard import standard_schema

    with closing(Store(args.database, standard_schema())) as store:
        try:
            yield store
        except ValueError as problem:
            raise CommandError(f"{problem}.") from None


def _secret(what: str, args: argparse.Namespace) -> str:
    """What nobody may read over a shoulder, in a process list or in a shell's history."""
    if sys.stdin.isatty():
        text = getpass(f"{what} of {args.login}: ")
        if text and getpass("Again: ") != text:
            raise CommandError("these are not the same; nothing was changed.")
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise CommandError(f"no {what.lower()} was given; nothing was changed.")
    return text


def _print_json(value: object) -> None:
    import json

    print(json.dumps(value))
