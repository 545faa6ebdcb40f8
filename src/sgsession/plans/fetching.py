"""Plans that fill in what is not known yet of entities that the session has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..entity import Entity
from ..errors import EntityNotFoundError, SyntaxProblem
from ..graph.graph import Graph
from ..graph.open_reads import OpenReads
from ..graph.wire import WireRows
from ..importance import Importance
from .fields import asked_fields, expanded, lacked_by_any, own_entities, with_links
from .plan import Plan, Request, chunks
from .reading import merge_rows, page_of

__all__ = ["ask", "fetch", "fetch_backrefs", "fetch_core", "filter_exists"]

Lacking = dict[str, dict[Entity, list[str]]]
"""Type → entity → the paths that the site has to be asked for."""


def fetch(
    graph: Graph,
    importance: Importance,
    entities: Entity | Iterable[Entity],
    fields: Any,
    force: bool = False,
) -> Plan[None]:
    """Have these fields of these entities known; asks only for those that are not."""
    named = list(fields) if isinstance(fields, Iterator) else fields  # read once, for all types
    yield from _complete(graph, importance, entities, lambda kind: expanded(graph, kind, named), force)


def fetch_core(graph: Graph, importance: Importance, entities: Entity | Iterable[Entity]) -> Plan[None]:
    """Have the important fields known, those of what important links hold included."""
    yield from _complete(graph, importance, entities, importance.core_fields, False)


def _complete(
    graph: Graph,
    importance: Importance,
    entities: Entity | Iterable[Entity],
    paths_of: Callable[[str], list[str]],
    force: bool,
) -> Plan[None]:
    lacking: Lacking = {}
    paths_by_type: dict[str, list[str]] = {}
    for entity in own_entities(graph, entities):
        entity_type = entity["type"]
        if entity_type not in paths_by_type:
            paths_by_type[entity_type] = paths_of(entity_type)
        paths = paths_by_type[entity_type]
        missing = paths if force else graph.unknown_paths(entity, paths)
        if missing:
            lacking.setdefault(entity_type, {})[entity] = missing
    missed = yield from ask(graph, importance, lacking, importance.core_fields)
    refuse_missing(missed)


def ask(
    graph: Graph, importance: Importance, lacking: Lacking, along: Callable[[str], list[str]]
) -> Plan[list[Entity]]:
    """Ask for what is lacking: one request for each type and chunk of ids, all side by side.

    What the site does not answer is remembered, so that it is not asked again.

    Args:
        graph: what is known.
        importance: of the session.
        lacking: what has to be known afterwards.
        along: what else is asked of a type in the same breath, where one of its entities lacks it.

    Returns:
        The entities that the site does not have.
    """
    asked: list[tuple[Sequence[Entity], list[str]]] = []
    requests = []
    for entity_type, entities in lacking.items():
        for chunk in chunks(entities):
            paths = [path for entity in chunk for path in entities[entity]]
            # What is important for all comes with every row: `updated_at` says how old it is.
            more = [
                *importance.own_fields_for_all(entity_type),
                *lacked_by_any(graph, chunk, along(entity_type)),
            ]
            asked.append((chunk, with_links([*paths, *more])))
            ids = [entity["id"] for entity in chunk]
            requests.append(Request("find", (entity_type, [["id", "in", ids]], asked[-1][1])))
    if not requests:
        return []
    missed: list[Entity] = []
    with graph.reading() as moment:
        for chunk, fields in asked:
            rows = yield requests
            requests = []
            # By key: one that was forgotten meanwhile is another object now, but it is on the site.
            present = {entity.key for entity in merge_rows(graph, rows, moment, fields)}
            del rows
            missed += [entity for entity in chunk if entity.key not in present]
        graph.saw(missed, False, moment)
    return missed


def refuse_missing(missed: Sequence[Entity]) -> None:
    """Raise for entities that a site does not have, naming them."""
    if missed:
        names = ", ".join(f"{entity['type']}:{entity['id']}" for entity in missed[:10])
        more = f" and {len(missed) - 10} more" if len(missed) > 10 else ""
        raise EntityNotFoundError(
            f"The site has no {names}{more}, or they are retired.", [entity.key for entity in missed]
        )


def filter_exists(
    graph: Graph, entities: Entity | Iterable[Entity], check: bool, force: bool
) -> Plan[set[Entity]]:
    """The entities that are on the site, or of which it is not known; see `Session.filter_exists`."""
    own = own_entities(graph, entities)
    unsure: Lacking = {}
    for entity in own:
        if force or (check and entity._exists is None):
            unsure.setdefault(entity["type"], {})[entity] = []
    asked = [(kind, chunk) for kind, of_kind in unsure.items() for chunk in chunks(of_kind)]
    if asked:
        with graph.reading() as moment:
            begin = [
                Request("find", (kind, [["id", "in", [entity["id"] for entity in chunk]]], ["id"]))
                for kind, chunk in asked
            ]
            for _, chunk in asked:
                rows = yield begin
                begin = []
                present = {row["id"] for row in rows}
                del rows
                graph.saw([entity for entity in chunk if entity["id"] in present], True, moment)
                graph.saw([entity for entity in chunk if entity["id"] not in present], False, moment)
    return {entity for entity in own if entity._exists is not False}


def fetch_backrefs(
    graph: Graph,
    importance: Importance,
    entities: Entity | Iterable[Entity],
    backref_type: str,
    field: str,
    connections: int = 1,
) -> Plan[None]:
    """Load what links to these entities from a field of a type; a find for each 500 of them, all side by side.

    Where one of them has more pages, twice as many of these at once as have come, up to as many as are allowed.
    """
    backref_type = graph.schema.type_name(backref_type)
    paths = expanded(graph, backref_type, field)
    if len(paths) != 1:
        raise SyntaxProblem(f"Back-references come from one field, not from {field!r}.")
    [field] = paths
    fields = asked_fields(importance, backref_type, [field])
    requests = [
        Request("find", (backref_type, [[field, "in", [entity.minimal for entity in chunk]]], fields))
        for chunk in chunks(own_entities(graph, entities))
    ]
    next_pages = {index: range(1, 2) for index in range(len(requests))}
    reads = OpenReads(graph)
    try:
        while next_pages:
            asked = [(index, number) for index, numbers in next_pages.items() for number in numbers]
            finds = [(requests[index], number) for index, number in asked]
            # A client that tells nothing of pages goes through them by itself.
            begin = [page_of(request, number) if connections > 1 else request for request, number in finds]
            reads.begin(len(begin))
            for index, _ in asked:
                rows = yield begin
                begin = []
                merge_rows(graph, rows, reads.first, fields)
                reads.end_first()
                if connections < 2 or not isinstance(rows, WireRows) or not rows.has_next_page:
                    next_pages.pop(index, None)
                del rows
            allowed = connections // max(1, len(next_pages)) or 1
            next_pages = {
                index: range(numbers.stop, numbers.stop + min(allowed, 2 * (numbers.stop - 1)))
                for index, numbers in next_pages.items()
            }
    finally:
        reads.clear()
