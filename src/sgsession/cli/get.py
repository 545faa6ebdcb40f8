"""sgsession get: one entity and its fields."""

from __future__ import annotations

import argparse
from typing import Any

from ..session import Session
from .arguments import entity_reference, field_paths, open_session
from .printing import Printer
from .problems import CommandError, clear_refusals, no_such_field
from .values import as_json, as_text, value_at

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "words",
        metavar="TYPE ID [FIELD ...]",
        nargs="+",
        help="the entity, also as TYPE:ID or the address of its page, and the fields to show; without any, "
        "the important ones",
    )
    parser.add_argument(
        "--all", action="store_true", help="show all fields; one request more, for the schema"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Read one entity and print it; one request."""
    printer = Printer(args)
    reference, words = entity_reference(args.words)
    entity_type, entity_id = reference["type"], reference["id"]
    fields = field_paths(words)
    with open_session(args) as session, clear_refusals(session, entity_type):
        with printer.waiting(f"Reading {entity_type}:{entity_id}"):
            if args.all:
                fields = list(dict.fromkeys([*fields, *sorted(session.schema_field_read(entity_type))]))
            asked = fields or session.importance.own_fields(entity_type)
            row = session.find_one(
                entity_type, [["id", "is", entity_id]], asked, merge=False, add_default_fields=False
            )
        if row is None:
            where = session.shotgun.base_url
            raise CommandError(f"{entity_type}:{entity_id} does not exist on {where}, or is retired.", 1)
        values = _values(session, entity_type, row, fields, args.all)
    if args.json:
        printer.json({path: as_json(value) for path, value in values.items()})
    else:
        rows = [(path, as_text(value)) for path, value in values.items()]
        printer.table(("field", "value"), rows, title=f"{entity_type}:{entity_id}")
    return 0


def _values(
    session: Session, entity_type: str, row: dict[str, Any], fields: list[str], lenient: bool
) -> dict[str, Any]:
    """The type, the id and the fields in the order in which they were asked for."""
    values = {"type": entity_type, "id": row["id"]}
    for path in fields or sorted(row):
        try:
            values[path] = value_at(row, path)
        except KeyError:
            if not lenient:
                raise no_such_field(session, entity_type, path) from None
    return values
