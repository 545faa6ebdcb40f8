"""sgsession site: serve a site on this machine until Ctrl-C, for work without a network."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .arguments import seconds
from .printing import Printer
from .problems import CommandError

if TYPE_CHECKING:
    from ..site import LocalSite

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--database", metavar="PATH", help="keep the data in this file; default: in memory")
    parser.add_argument(
        "--demo", choices=("small", "large"), help="fill an empty site with a demo production"
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
    with ExitStack() as loading:
        what = f"Filling the site with the {args.demo} demo" if args.demo else "Opening the site"
        loading.enter_context(printer.waiting(what))

        def announce(site: LocalSite) -> None:
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
                announce=announce,
            )
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


def _announce(site: LocalSite, printer: Printer, args: argparse.Namespace) -> None:
    if args.json:
        import json

        print(json.dumps({"url": site.url, "script_name": site.script_name, "api_key": site.api_key}))
    else:
        printer.text(f"A site answers at {site.url} until Ctrl-C.", "bold")
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
