"""sgsession site: serve a site on this machine until Ctrl-C, for work without a network."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SessionError
from .arguments import byte_count, lifetime, seconds
from .printing import Printer
from .problems import CommandError, clear_refusals

if TYPE_CHECKING:
    from ..site import LocalSite

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--database", metavar="PATH", help="keep the data in this file; default: in memory")
    parser.add_argument(
        "--demo", choices=("small", "large"), help="fill an empty site with a demo production"
    )
    parser.add_argument(
        "--schema-from", metavar="SITE", help="take the types and fields of this site, or of a FILE.json"
    )
    parser.add_argument("--load", metavar="FILE", help="add the rows of a dump")
    parser.add_argument("--dump", metavar="FILE", help="write all rows as JSON lines, and end")
    parser.add_argument(
        "--files",
        metavar="FOLDER",
        help="keep uploaded files in this folder; default: beside the database file",
    )
    parser.add_argument(
        "--key-file",
        metavar="FILE",
        help="keep the script's key in this file; default: beside the database file, else a new key each time",
    )
    parser.add_argument(
        "--max-upload",
        metavar="SIZE",
        type=byte_count,
        default=2**31,
        help="refuse larger files: bytes, 500M, 4G; default: 2G",
    )
    parser.add_argument(
        "--direct-uploads",
        action="store_true",
        help="let clients upload to signed addresses, as hosted sites do; default: by forms",
    )
    parser.add_argument(
        "--session-lifetime",
        metavar="T",
        type=lifetime,
        default=86400.0,
        help="how long the sessions last that people sign in for: seconds, 30m, 8h; default: 24h",
    )
    parser.add_argument("--port", metavar="N", type=_port, default=0, help="default: a free one")
    parser.add_argument(
        "--host", metavar="H", default="127.0.0.1", help="default: 127.0.0.1, this machine only"
    )
    parser.add_argument("--allow-remote", action="store_true", help="permit a --host that others can reach")
    parser.add_argument(
        "--latency", metavar="S", type=seconds, default=0.0, help="delay each answer, in seconds"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the address and the key as one line of JSON"
    )


def run(args: argparse.Namespace) -> int:
    """Serve, and print how to reach the site as soon as it answers."""
    from ..site import serve

    printer = Printer(args)
    if args.files and Path(args.files).exists() and not Path(args.files).is_dir():
        raise CommandError(f"--files {args.files} is no folder.")
    schema = _schema(args.schema_from)
    if args.dump:
        return _dump(args, printer, schema)
    with ExitStack() as loading:
        what = f"Filling the site with the {args.demo} demo" if args.demo else "Opening the site"
        progress = loading.enter_context(printer.waiting(what))

        def announce(site: LocalSite) -> None:
            _load(site, args.load, progress)
            loading.close()
            _announce(site, printer, args)

        try:
            serve(
                args.database,
                port=args.port,
                host=args.host,
                demo=args.demo,
                latency=args.latency,
                allow_remote=args.allow_remote,
                files=args.files,
                key_file=args.key_file,
                direct_uploads=args.direct_uploads,
                max_upload=args.max_upload,
                session_lifetime=args.session_lifetime,
                schema=schema,
                progress=progress,
                announce=announce,
            )
        except SessionError:
            raise
        except ValueError:
            if args.allow_remote:
                raise
            raise CommandError(
                f"{args.host!r} can be reached from other machines; add --allow-remote to permit that."
            ) from None
        except OSError as problem:
            raise CommandError(
                f"cannot serve on {args.host} port {args.port}: {problem.strerror or problem}."
            ) from None
    return 0


def _schema(source: str | None) -> Any:
    """What LocalSite takes as a schema: that of a site by name, or the path of a file."""
    if source is None:
        return None
    if source.endswith(".json") or Path(source).is_file():
        from ..site.transfer.whole_sites import read_schema

        try:
            return read_schema(source)
        except OSError as problem:
            raise CommandError(f"cannot read {source}: {problem.strerror or problem}.") from None
    from .. import Session, connect

    with Session(connect(source)) as session, clear_refusals(session, ""):
        return session.shotgun.schema_read()


def _load(site: LocalSite, path: str | None, progress: Callable[[float], None]) -> None:
    if path is None:
        return
    try:
        site.load(path, progress=progress)
    except OSError as problem:
        raise CommandError(f"cannot read {path}: {problem.strerror or problem}.") from None


def _dump(args: argparse.Namespace, printer: Printer, schema: Any) -> int:
    """Write a dump of the site, without serving it."""
    from ..site import LocalSite

    with printer.waiting(f"Writing {args.dump}") as progress:
        options = {"files": args.files, "key_file": args.key_file, "progress": progress}
        site = LocalSite(args.database, demo=args.demo, schema=schema, serve=False, **options)
        with site:
            _load(site, args.load, progress)
            try:
                site.dump(args.dump)
            except OSError as problem:
                raise CommandError(f"cannot write {args.dump}: {problem.strerror or problem}.") from None
    return 0


def _announce(site: LocalSite, printer: Printer, args: argparse.Namespace) -> None:
    if args.json:
        import json

        print(json.dumps({"url": site.url, "script_name": site.script_name, "api_key": site.api_key}))
    else:
        printer.text(f"A site answers at {site.url} until Ctrl-C.", "bold")
        printer.text("Open that address in a browser to look at it, or connect as its script:")
        printer.text(f"  script name  {site.script_name}")
        printer.text(f"  script key   {site.api_key}")
        printer.text()
        printer.text("To use it from another shell:", "dim")
        for name, value in (
            ("SGSESSION_URL", site.url),
            ("SGSESSION_SCRIPT_NAME", site.script_name),
            ("SGSESSION_API_KEY", site.api_key),
        ):
            printer.text(f'$env:{name} = "{value}"' if os.name == "nt" else f"export {name}={value}")
    sys.stdout.flush()


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; ports go from 0 (a free one) to 65535")
    return int(text)
