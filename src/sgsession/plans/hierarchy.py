"""Plans that climb: to the parent, to the project, to everything above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..entity import Entity, Unknown, look_up
from ..graph.graph import Graph
from ..importance import Importance
from .fetching import Lacking, ask, refuse_missing
from .fields import own_entities
from .plan import IDS_PER_REQUEST, Plan

__all__ = ["fetch_hierarchy", "parent_of", "project_of"]


def fetch_hierarchy(
    graph: Graph, importance: Importance, entities: Entity | Iterable[Entity]
) -> Plan[list[Entity]]:
    """These entities and everything above them, each once, with their important fields.

    The first read asks for whole chains by deep fields through the types that important links name: one
    request for each 500 entities of a type. Only what no chain foresaw takes another. What is known
    costs nothing.
    """
    given = own_entities(graph, entities)
    gone: set[int] = set()
    while True:
        above, lacking = _climb(graph, importance, given, gone)
        if not lacking:
            return above
        # Asking for what lacks of the whole chain costs no more than asking for what lacks in its first link.
        missed = yield from ask(graph, importance, lacking, importance.hierarchy_fields)
        refuse_missing([entity for entity in missed if any(entity is one for one in given)])
        # A parent that is not on the site any more has nothing above it that could be asked for.
        gone.update(map(id, missed))


def _climb(
    graph: Graph, importance: Importance, entities: list[Entity], gone: set[int]
) -> tuple[list[Entity], Lacking]:
    """Everything above as far as it is known, and what has to be asked for to go on."""
    above: dict[int, Entity] = {}
    lacking: Lacking = {}
    core: dict[str, list[str]] = {}
    waiting = list(reversed(entities))
    while waiting:
        entity = waiting.pop()
        if id(entity) in above:
            continue
        above[id(entity)] = entity
        if id(entity) in gone:
            continue
        entity_type = entity["type"]
        if entity_type not in core:
            core[entity_type] = importance.core_fields(entity_type)
        missing = graph.unknown_paths(entity, core[entity_type])
        for link, parent in _upward_links(importance, entity):
            if parent is Unknown.NOT_LOADED:
                missing.append(link)
            elif isinstance(parent, Entity):
                waiting.append(parent)
                # A known parent is asked for what it lacks itself, once, and not through each of its children.
                missing = [path for path in missing if not path.startswith(f"{link}.")]
        if missing:
            lacking.setdefault(entity_type, {})[entity] = missing
    return list(above.values()), lacking


def _upward_links(importance: Importance, entity: Entity) -> Iterator[tuple[str, Any]]:
    """The links that lead up from an entity, with what is known of each: the parent, else the project."""
    link = importance.parent_field(entity["type"])
    if link is None:
        return
    value = look_up(entity, link)
    # A studio may name a list of links: then there are several parents, or none.
    parents = value if isinstance(value, (list, tuple)) else [value]
    yield from ((link, parent) for parent in parents)
    if link != "project" and all(parent is None or parent is Unknown.NOT_THERE for parent in parents):
        yield "project", look_up(entity, "project")


def parent_of(graph: Graph, importance: Importance, entity: Entity) -> Plan[Entity | None]:
    """The entity above this one, or None at the top; at most one request."""
    [entity] = own_entities(graph, entity)
    links = list(_upward_links(importance, entity))
    if any(value is Unknown.NOT_LOADED for _, value in links):
        missing = [link for link, _ in links] + ["project"]
        lacking = {entity["type"]: {entity: missing}}
        refuse_missing((yield from ask(graph, importance, lacking, importance.core_fields)))
        links = list(_upward_links(importance, entity))
    return next((value for _, value in links if isinstance(value, Entity)), None)


def project_of(
    graph: Graph, importance: Importance, entity: Entity, below: tuple[Entity, ...] = ()
) -> Plan[Entity | None]:
    """The project of an entity, or None where it has none; at most one request of each type.

    Whoever asks for one project will ask for the next: the entities above, and those beside it that hang
    on the same parent, are asked for theirs in the same breath.
    """
    [entity] = own_entities(graph, entity)
    if entity["type"] == "Project":
        return entity
    if any(entity is one for one in below):
        return None  # entities that hang on each other in a ring
    project = look_up(entity, "project")
    if project is Unknown.NOT_LOADED:
        lacking: Lacking = {}
        for near in _near(importance, entity):
            of_kind = lacking.setdefault(near["type"], {})
            if look_up(near, "project") is Unknown.NOT_LOADED and len(of_kind) < IDS_PER_REQUEST:
                of_kind[near] = ["project"]
        lacking = {kind: of_kind for kind, of_kind in lacking.items() if of_kind}
        missed = yield from ask(graph, importance, lacking, importance.core_fields)
        refuse_missing([one for one in missed if one is entity])
        project = look_up(entity, "project")
    if isinstance(project, Entity):
        return project
    # A type without the field (a Reply) belongs to the project of what it hangs on.
    parent = yield from parent_of(graph, importance, entity)
    return None if parent is None else (yield from project_of(graph, importance, parent, (*below, entity)))


def _near(importance: Importance, entity: Entity) -> Iterator[Entity]:
    """The entity, what is known above it, and what is known to hang on the same parent."""
    seen: set[int] = set()
    below: Entity | None = entity
    while below is not None and id(below) not in seen and below["type"] != "Project":
        seen.add(id(below))
        yield below
        link = importance.parent_field(below["type"])
        parent = dict.get(below, link) if link else None
        if isinstance(parent, Entity) and below is entity and parent["type"] != "Project":
            for sibling in parent.backrefs[(entity["type"], link or "")]:
                if sibling is not entity:
                    yield sibling
        below = parent if isinstance(parent, Entity) else None
