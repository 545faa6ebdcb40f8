"""Plans that climb: to the parent, to the project, to everything above."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..entity import Entity, Unknown, look_up
from ..graph.graph import Graph
from ..importance import Importance
from ..syntax.paths import is_deep, split_first_hop
from .fetching import Lacking, ask, refuse_missing
from .fields import own_entities
from .plan import IDS_PER_REQUEST, Plan

__all__ = ["fetch_hierarchy", "parent_of", "project_of"]


def fetch_hierarchy(
    graph: Graph, importance: Importance, entities: Entity | Iterable[Entity]
) -> Plan[list[Entity]]:
    """These entities and everything above them, each once, with their important fields.

    The first read asks for whole chains by deep fields: one request for each 500 entities of a type. Only what no
    chain foresaw takes another. What is known costs nothing.
    """
    given = own_entities(graph, entities)
    given_ids = set(map(id, given))
    asked: set[tuple[int, str]] = set()
    while True:
        above, lacking = _climb(graph, importance, given, asked)
        if not lacking:
            return above
        # Asking for what lacks of the whole chain costs no more than asking for what lacks in its first link.
        missed = yield from ask(graph, importance, lacking, importance.hierarchy_fields)
        refuse_missing([entity for entity in missed if id(entity) in given_ids])
        # Each is asked for once, whatever the answers are: they may be those of a stub, or cross with writes.
        for of_kind in lacking.values():
            asked.update((id(entity), path) for entity, missing in of_kind.items() for path in missing)


def _climb(
    graph: Graph, importance: Importance, entities: list[Entity], asked: set[tuple[int, str]]
) -> tuple[list[Entity], Lacking]:
    """Everything above as far as it is known, and what has to be asked for to go on."""
    above: dict[int, Entity] = {}
    lacking: Lacking = {}
    core: dict[str, dict[str, None]] = {}
    parents: dict[int, list[tuple[str, Entity]]] = {}
    given = set(map(id, entities))
    waiting = list(reversed(entities))
    while waiting:
        entity = waiting.pop()
        if id(entity) in above:
            continue
        above[id(entity)] = entity
        entity_type = entity["type"]
        if entity_type not in core:
            core[entity_type] = dict.fromkeys(importance.core_fields(entity_type))
        missing = graph.unknown_paths(entity, core[entity_type])
        found: list[Entity] = []
        for link, parent in _upward_links(importance, entity):
            if parent is Unknown.NOT_LOADED:
                missing.append(link)
            elif isinstance(parent, Entity):
                found.append(parent)
                if not isinstance(dict.get(entity, link), (list, tuple)):  # no deep path leads through a list
                    parents.setdefault(id(entity), []).append((link, parent))
        waiting.extend(reversed(found))
        if entity._exists is False and id(entity) not in given:
            continue  # what is retired cannot be asked for anything
        missing = [path for path in missing if (id(entity), path) not in asked]
        if missing:
            lacking.setdefault(entity_type, {})[entity] = missing
    own: Lacking = {}
    for kind, of_kind in lacking.items():
        for entity, missing in of_kind.items():
            paths = [path for path in missing if not _is_of_another(entity, path, above, core)]
            if paths:
                own.setdefault(kind, {})[entity] = paths
    return list(above.values()), _without_foreseen(importance, own, parents)


def _is_of_another(
    entity: Entity, path: str, above: dict[int, Entity], core: dict[str, dict[str, None]]
) -> bool:
    """True for a deep path to what another of them has to know itself: that is asked for it once, if it lacks it."""
    if not is_deep(path):
        return False
    link, linked_type, rest = split_first_hop(path)
    target = dict.get(entity, link)
    return (
        isinstance(target, Entity)
        and id(target) in above
        and target["type"] == linked_type
        and rest in core[linked_type]
    )


def _without_foreseen(
    importance: Importance, lacking: Lacking, parents: dict[int, list[tuple[str, Entity]]]
) -> Lacking:
    """Those that have to be asked themselves: what they lack does not come with the chain of one below them."""
    foreseen: set[int] = set()
    for kind, of_kind in lacking.items():
        chain = set(importance.hierarchy_fields(kind))
        for entity in of_kind:
            seen = {id(entity)}
            waiting = [(entity, "")]
            while waiting:
                below, prefix = waiting.pop()
                for link, parent in parents.get(id(below), ()):
                    path = f"{prefix}{link}.{parent['type']}."
                    lacks = lacking.get(parent["type"], {}).get(parent, ())
                    if id(parent) not in seen and all(path + field in chain for field in lacks):
                        seen.add(id(parent))
                        waiting.append((parent, path))
            foreseen |= seen - {id(entity)}
    themselves = {
        kind: {entity: missing for entity, missing in of_kind.items() if id(entity) not in foreseen}
        for kind, of_kind in lacking.items()
    }
    # In a ring each is above all others, and none would be asked.
    return {kind: of_kind for kind, of_kind in themselves.items() if of_kind} or lacking


def _upward_links(importance: Importance, entity: Entity) -> Iterator[tuple[str, Any]]:
    """The links that lead up from an entity, with what is known of each: the parent, else the project."""
    link = importance.parent_field(entity["type"])
    if link is None:
        return
    value = look_up(entity, link)
    # The link may hold a list: then there are several parents, or none.
    parents = value if isinstance(value, (list, tuple)) else [value]
    yield from ((link, parent) for parent in parents)
    if link != "project" and not any(map(_leads_up, parents)):
        yield "project", look_up(entity, "project")


def _leads_up(parent: Any) -> bool:
    """False where nothing stands above by this link: a site shows a link to what is retired as empty (wire.md 3.3)."""
    if isinstance(parent, Entity):
        return parent._exists is not False
    return parent is not None and parent is not Unknown.NOT_THERE


def parent_of(graph: Graph, importance: Importance, entity: Entity) -> Plan[Entity | None]:
    """The entity above this one, or None at the top; at most one request."""
    [entity] = own_entities(graph, entity)
    links = list(_upward_links(importance, entity))
    if any(value is Unknown.NOT_LOADED for _, value in links):
        missing = graph.unknown_paths(entity, [*(link for link, _ in links), "project"])
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
                # And what it hangs on, whose project it belongs to where its type has none.
                of_kind[near] = graph.unknown_paths(
                    near, ["project", importance.parent_field(near["type"]) or "project"]
                )
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
