"""What to ask for: the caller's fields, the important ones, and the links that deep fields need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..entity import Entity
from ..errors import NotAnEntityError, SyntaxProblem
from ..graph.graph import Graph
from ..importance import Importance
from ..syntax.braces import expand_braces
from ..syntax.filters import check_filters, map_paths
from ..syntax.paths import is_deep, links_on_the_way

__all__ = [
    "asked_fields",
    "asked_filters",
    "asked_order",
    "expanded",
    "lacked_by_any",
    "own_entities",
    "with_links",
]


def expanded(graph: Graph, entity_type: str, fields: Any) -> list[str]:
    """The caller's fields with braces expanded and aliases resolved.

    Raises:
        SyntaxProblem: not a text or a list of texts, braces that do not match, a path with a step missing.
        UnknownNameError: a given schema says that the site does not have a field.
    """
    if fields is None:
        return []
    if isinstance(fields, str):
        fields = [fields]
    if not isinstance(fields, Iterable):
        raise SyntaxProblem(f"Fields are named by texts, not by {fields!r}.")
    paths: dict[str, None] = {}
    for written in fields:
        if not isinstance(written, str) or not written:
            raise SyntaxProblem(f"Fields are named by texts, not by {written!r}.")
        for path in expand_braces(written):
            for _ in links_on_the_way(path):
                pass  # refuses a deep path with a step missing, before the site silently leaves it out
            paths[graph.schema.path(entity_type, path)] = None
    graph.schema.check_paths(entity_type, paths)
    return list(paths)


def asked_fields(
    importance: Importance, entity_type: str, paths: Iterable[str], add_default_fields: bool = True
) -> list[str]:
    """All fields to ask a site for, where `paths` are wanted."""
    return with_links([*paths, *(importance.core_fields(entity_type) if add_default_fields else ())])


def with_links(paths: Iterable[str]) -> list[str]:
    """These paths, each once, and the links on the way of the deep ones.

    Without its link a deep value has nowhere to go, and a link brings the display name of what it holds.
    """
    wanted = dict.fromkeys(paths)
    for path in list(wanted):
        if is_deep(path):
            wanted.update(dict.fromkeys(links_on_the_way(path)))
    return list(wanted)


def lacked_by_any(graph: Graph, entities: Iterable[Entity | None], paths: Iterable[str]) -> list[str]:
    """Those of `paths` that are not known of at least one of these entities; None stands for an unknown one."""
    entities = list(entities)
    return [
        path
        for path in paths
        if any(entity is None or graph.unknown_paths(entity, (path,)) for entity in entities)
    ]


def asked_filters(graph: Graph, entity_type: str, filters: Any) -> Any:
    """The caller's filters, checked as far as they can be without asking, with aliases resolved.

    Raises:
        SyntaxProblem: they are not filters.
        UnknownNameError: a given schema says that the site does not have a field.
    """
    check_filters(filters)

    def site_path(path: str) -> str:
        found = path if path.startswith("$FROM$") else graph.schema.path(entity_type, path)
        graph.schema.check_paths(entity_type, [found])
        return found

    return map_paths(filters, site_path)


def asked_order(graph: Graph, entity_type: str, order: Any) -> Any:
    """The caller's order with aliases resolved; a copy, since the client writes into it."""
    if not order:
        return None
    if not isinstance(order, (list, tuple)):
        raise SyntaxProblem(
            f"An order is a list like [{{'field_name': 'code', 'direction': 'asc'}}], not {order!r}."
        )
    copied = []
    for sort in order:
        named = sort.get("field_name", sort.get("column")) if isinstance(sort, dict) else None
        if not isinstance(named, str):
            raise SyntaxProblem(
                f"An order is a list like [{{'field_name': 'code', 'direction': 'asc'}}], not {order!r}."
            )
        field = graph.schema.path(entity_type, named)
        graph.schema.check_paths(entity_type, [field])
        copied.append({"field_name": field, "direction": sort.get("direction", "asc")})
    return copied


def own_entities(graph: Graph, entities: Any) -> list[Entity]:
    """Entities of this session, each once, in their order; a single one counts as a list of one.

    Raises:
        NotAnEntityError: a TypeError; something is not an entity.
        ForeignEntityError: a ValueError; an entity belongs to another session, or was forgotten.
    """
    if isinstance(entities, dict):
        entities = [entities]
    if isinstance(entities, str) or not isinstance(entities, Iterable):
        raise NotAnEntityError(f"{entities!r} is not an entity or a list of entities.")
    found: dict[int, Entity] = {}
    for entity in entities:
        if not isinstance(entity, Entity):
            raise NotAnEntityError(
                f"{entity!r} is not an entity of this session; session.merge() makes one of a dict."
            )
        graph.own(entity)
        found[id(entity)] = entity
    return list(found.values())
