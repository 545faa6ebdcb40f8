"""sgsession find: the entities of a type that match filters, as a table, JSON or CSV."""

from __future__ import annotations

import argparse
from typing import Any

from ..session import Session
from ..syntax.filter_text import parse_filter
from .arguments import count, field_paths, open_session, type_name
from .printing import Printer
from .problems import clear_refusals, no_such_field
from .values import as_json, as_text, value_at

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("type", metavar="TYPE", help="the type of the entities, such as Shot")
    parser.add_argument(
        "words",
        metavar="FILTER",
        nargs="*",
        help="code=AA_010, 'sg_status_list in ip,fin', entity=Shot:7, code~=AA (contains), id>5, or JSON",
    )
    parser.add_argument(
        "-f",
        "--fields",
        metavar="FIELDS",
        action="append",
        default=[],
        help="fields to show, separated by commas; deep ones and braces work: entity.{Asset,Shot}.code",
    )
    parser.add_argument("--order", metavar="FIELD", help="sort by a field; -FIELD from the last to the first")
    parser.add_argument("--limit", metavar="N", type=count, default=0, help="at most so many")
    parser.add_argument("--any", action="store_true", help="one filter that matches is enough")
    parser.add_argument("--retired", action="store_true", help="among the retired (deleted) ones")
    parser.add_argument("--no-archived", action="store_true", help="leave archived projects out")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV, with a header")


def run(args: argparse.Namespace) -> int:
    """Find, print, and tell the number of rows on stderr; one request for each page of rows."""
    printer = Printer(args)
    entity_type = type_name(args.type)
    filters = [parse_filter(text) for text in args.words]
    fields = field_paths(args.fields)
    order = _order(args.order)
    with open_session(args) as session:
        fields = fields or _usual_fields(session, entity_type)
        # A site passes over an order by a field that it does not have; asked for, such a field is missed.
        sorted_by = [sort["field_name"] for sort in order]
        with clear_refusals(session, entity_type), printer.waiting(f"Reading {entity_type}s"):
            rows = session.find(
                entity_type,
                filters,
                [*fields, *sorted_by],
                order,
                "any" if args.any else "all",
                args.limit,
                args.retired,
                include_archived_projects=not args.no_archived,
                merge=False,
                add_default_fields=False,
            )
            _refuse_missing_fields(session, entity_type, rows, [*fields, *sorted_by])
    _print(args, printer, entity_type, fields, rows)
    printer.note(f"{len(rows):,} {entity_type}{'' if len(rows) == 1 else 's'}")
    return 0


def _order(text: str | None) -> list[dict[str, str]]:
    if not text:
        return []
    return [{"field_name": text.lstrip("-"), "direction": "desc" if text.startswith("-") else "asc"}]


def _usual_fields(session: Session, entity_type: str) -> list[str]:
    """The important fields; the display name for a type of which nothing is known to be important."""
    fields = [field for field in session.importance.own_fields(entity_type) if field != "updated_at"]
    return fields or ["cached_display_name"]


def _refuse_missing_fields(
    session: Session, entity_type: str, rows: list[dict[str, Any]], fields: list[str]
) -> None:
    # A site leaves what it does not have out of every row alike.
    for path in fields if rows else ():
        try:
            value_at(rows[0], path)
        except KeyError:
            raise no_such_field(session, entity_type, path) from None


def _print(
    args: argparse.Namespace,
    printer: Printer,
    entity_type: str,
    fields: list[str],
    rows: list[dict[str, Any]],
) -> None:
    if args.json:
        printer.json(
            [
                {"type": entity_type, "id": row["id"]}
                | {path: as_json(value_at(row, path)) for path in fields}
                for row in rows
            ]
        )
        return
    header = ["id", *[path for path in fields if path != "id"]]
    texts = ([as_text(value_at(row, path)) for path in header] for row in rows)
    if args.csv:
        printer.csv(header, texts)
    elif rows or not printer.is_terminal:
        printer.table(header, texts)
