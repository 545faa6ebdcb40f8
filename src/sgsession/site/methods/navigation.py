"""Browsing a project and searching its tree: `nav_expand` and `nav_search` (wire.md 2.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..call import Call
from ..faults import SiteFault, ruby
from ..queries.paths import resolve
from ..queries.references import named_row, requested_entity_fields
from .browsing import Tree
from .hierarchy import Place, place_at


def nav_expand(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """A node of the tree and what stands directly below it."""
    place = place_at(call, params.get("path"))
    tree = Tree(call, _targets(call, params), requested_entity_fields(call, params))
    tree.check(place)
    children = tree.children(place)
    parents = tree.with_children(children)
    nodes = tree.nodes([place, *children])
    shown = [{**nodes[each], "has_children": each in parents} for each in children]
    return {**nodes[place], "has_children": bool(shown), "children": shown}


def nav_search(call: Call, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes below a path that a text or an entity leads to, each with the way to it."""
    root = place_at(call, params.get("root_path"))
    tree = Tree(call, _targets(call, params))
    tree.check(root)
    criteria = params.get("search_criteria")
    if not isinstance(criteria, Mapping) or not criteria.keys() & {"search_string", "entity"}:
        raise SiteFault(f"API {call.method}() invalid/missing hash 'search_criteria':\n{ruby(params)}")
    if "entity" in criteria:
        found = [named_row(call, criteria, "entity")]
    else:
        found = tree.named(criteria["search_string"], root.project)
    places = [place for place in tree.places(found) if root in (Place(), *place.way)]
    nodes = tree.nodes({each for place in places for each in place.way})
    return [
        {
            "label": nodes[place]["label"],
            "incremental_path": [each.path for each in place.way],
            "path_label": " > ".join(nodes[each]["label"] for each in place.way[1:-1]),
            "ref": nodes[place]["ref"],
            "project_id": place.project,
        }
        for place in places
    ]


def _targets(call: Call, params: Mapping[str, Any]) -> frozenset[str] | None:
    """The types that the seed field is about, which alone are then shown; None for all."""
    seed = params.get("seed_entity_field")
    if seed is None:
        return None
    entity_type, _, name = seed.partition(".") if isinstance(seed, str) else ("", "", "")
    path = resolve(call.schema, entity_type, name)
    if path is None:
        raise SiteFault(f"API {call.method}() invalid 'seed_entity_field': {ruby(seed)}")
    if path.field.data_type != "entity" and not path.field.is_list:
        return frozenset({path.field.entity_type})
    return frozenset(path.field.valid_types) or None
