"""sgsession tree: what stands above an entity, up to its project, and what links to it from below."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..entity import Entity
from ..errors import EntityNotFoundError, SyntaxProblem
from ..importance import LINKS, PARENTS
from ..session import Session
from ..transport.client import Fault
from .arguments import count, entity_reference, open_session, type_name
from .printing import Branch, Printer
from .problems import CommandError, clear_refusals

__all__ = ["add_arguments", "run"]

Backref = tuple[str, str]

# What is worth seeing below a task, though its place in the hierarchy is below the shot.
_BESIDE_PARENTS: dict[str, list[Backref]] = {"Task": [("Version", "sg_task"), ("PublishedFile", "task")]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "words", metavar="ENTITY", nargs="+", help="TYPE:ID, TYPE ID, or the address of its page"
    )
    parser.add_argument(
        "--backrefs",
        metavar="TYPE.FIELD",
        action="append",
        default=[],
        help="show what links to it from this field, instead of the usual; may be repeated",
    )
    parser.add_argument("--depth", metavar="N", type=_depth, default=1, help="levels below it; default: 1")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the tree. One request for what is above, and one for each kind of back-reference and level."""
    printer = Printer(args)
    reference, words = entity_reference(args.words)
    if words:
        raise CommandError(f"tree shows one entity; {' '.join(words)!r} is more.")
    chosen = [_backref(text) for text in args.backrefs]
    with open_session(args) as session, clear_refusals(session, reference["type"]):
        with printer.waiting("Reading the tree"):
            entity = session.merge({"type": reference["type"], "id": reference["id"]})
            try:
                session.fetch_hierarchy([entity])
            except EntityNotFoundError:
                where = session.shotgun.base_url
                raise CommandError(
                    f"{entity['type']}:{entity['id']} does not exist on {where}, or is retired.", 1
                ) from None
            below = _fetch_below(session, entity, chosen, args.depth)
        above = list(_above(entity))
    if args.json:
        printer.json(_as_json(entity, below) | {"above": [_named(one) for one in above]})
        return 0
    root = branch = _branch(entity, below)
    for one in above:
        root = Branch(_label(one), one.name or "", [branch])
        branch = root
    printer.tree(root)
    return 0


def _above(entity: Entity) -> Iterator[Entity]:
    """What stands above, nearest first; all of it is known."""
    seen = {entity}
    parent = entity.parent()
    while parent is not None and parent not in seen:
        yield parent
        seen.add(parent)
        parent = parent.parent()


def _fetch_below(
    session: Session, entity: Entity, chosen: list[Backref], depth: int
) -> dict[Entity, list[Backref]]:
    """Load level after level, each in bulk; which back-references to show for which entity."""
    shown: dict[Entity, list[Backref]] = {}
    level = [entity]
    for _ in range(depth):
        by_type: dict[str, list[Entity]] = {}
        for one in level:
            if one not in shown:
                by_type.setdefault(one["type"], []).append(one)
        level = []
        for entity_type, entities in by_type.items():
            for backref in chosen or _usual_backrefs(entity_type):
                if not _fetch_backref(session, entities, backref, must=bool(chosen)):
                    continue
                for one in entities:
                    shown.setdefault(one, []).append(backref)
                    level.extend(one.backrefs[backref])
        chosen = []
    return shown


def _fetch_backref(session: Session, entities: list[Entity], backref: Backref, must: bool) -> bool:
    """False where the site does not have such a type; not every site has all that could link here."""
    try:
        with clear_refusals(session, backref[0]):
            session.fetch_backrefs(entities, *backref)
    except CommandError as problem:
        if must or not isinstance(problem.__cause__, Fault):
            raise
        return False
    return True


def _usual_backrefs(entity_type: str) -> list[Backref]:
    """The links that lead up to a type, turned round."""
    found = [
        (below, link)
        for below, link in PARENTS.items()
        if link is not None
        and entity_type in (LINKS.get(below, {}).get(link) or (["Project"] if link == "project" else []))
    ]
    return [*found, *_BESIDE_PARENTS.get(entity_type, [])]


def _label(entity: Entity) -> str:
    return f"{entity['type']}:{entity['id']}"


def _branch(entity: Entity, below: dict[Entity, list[Backref]]) -> Branch:
    """The entity with what links to it; each is opened once, so that cycles of links end."""
    root = Branch(_label(entity), entity.name or "")
    opened = {entity}
    waiting = [(root, entity)]
    while waiting:
        branch, one = waiting.pop()
        for backref in below.get(one, ()):
            linked = list(one.backrefs[backref])
            if not linked:
                continue
            group = Branch(".".join(backref), f"{len(linked)}")
            branch.branches.append(group)
            for each in linked:
                group.branches.append(Branch(_label(each), each.name or ""))
                if each not in opened:
                    opened.add(each)
                    waiting.append((group.branches[-1], each))
    return root


def _as_json(entity: Entity, below: dict[Entity, list[Backref]]) -> dict[str, Any]:
    """The same as nested dicts: `backrefs` maps TYPE.FIELD to what links from there."""
    root = _named(entity)
    opened = {entity}
    waiting = [(root, entity)]
    while waiting:
        row, one = waiting.pop()
        if one not in below:
            continue
        row["backrefs"] = {}
        for backref in below[one]:
            rows = row["backrefs"][".".join(backref)] = []
            for each in one.backrefs[backref]:
                rows.append(_named(each))
                if each not in opened:
                    opened.add(each)
                    waiting.append((rows[-1], each))
    return root


def _named(entity: Entity) -> dict[str, Any]:
    return {**entity.minimal, "name": entity.name}


def _backref(text: str) -> Backref:
    entity_type, dot, field = text.partition(".")
    if not (dot and entity_type.isidentifier() and field.isidentifier()):
        raise SyntaxProblem(f"{text!r} is not TYPE.FIELD, such as Task.entity.")
    return type_name(entity_type), field


def _depth(text: str) -> int:
    return 0 if text == "0" else count(text)
