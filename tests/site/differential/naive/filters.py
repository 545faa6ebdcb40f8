"""Filters: groups, conditions, and paths through links (wire.md 3.1, 3.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .model import LISTS, TYPES, Field
from .operands import check
from .operators import ASSERTIONS, NEGATIONS
from .production import Production, Row
from .refusals import Refused


@dataclass(frozen=True)
class Path:
    """A path, taken apart: hops of (type, field, type that it leads to), then the type and name of the leaf."""

    hops: tuple[tuple[str, str, str], ...]
    leaf_type: str
    leaf: str
    # A hop that is real, but not among what its field may link: no row, whatever the operator.
    possible: bool

    @property
    def field(self) -> Field:
        return TYPES[self.leaf_type][self.leaf]


def parse(entity_type: str, path: str) -> Path:
    """The path, or the refusal of one that does not exist; the whole dotted path is quoted."""
    unknown = Refused(f"{entity_type}.{path} doesn't exist")
    hops: list[tuple[str, str, str]] = []
    possible, here, rest = True, entity_type, path
    while True:
        if rest.startswith("$FROM$"):
            other, field, rest = rest.removeprefix("$FROM$").split(".", 2)
            if field not in TYPES.get(other, {}):
                raise unknown
            hops.append((here, f"$FROM${field}", other))
            here = other
            continue
        field, _, behind = rest.partition(".")
        if field not in TYPES[here]:
            raise unknown
        if not behind:
            return Path(tuple(hops), here, field, possible)
        target, _, rest = behind.partition(".")
        if target not in TYPES or not rest or TYPES[here][field].data_type not in {"entity", *LISTS}:
            raise unknown
        possible = possible and (TYPES[here][field].any_type or target in TYPES[here][field].targets)
        hops.append((here, field, target))
        here = target


def check_filters(entity_type: str, node: Any) -> None:
    """Refuse what cannot be asked, whatever the rows."""
    if "path" in node:
        path = parse(entity_type, node["path"])
        field = f"{path.leaf_type}.{path.leaf}"
        check(entity_type, field, path.field.data_type, node["relation"], node["values"])
        return
    if "logical_operator" not in node:
        raise Refused("Missing logical operator")
    if node["logical_operator"] not in ("and", "or"):
        raise Refused(f"Invalid logical operator: {node['logical_operator']}")
    if "conditions" not in node:
        raise Refused("Missing conditions parameter")
    for each in node["conditions"]:
        check_filters(entity_type, each)


def holds(production: Production, entity_type: str, row: Row, node: Any) -> bool:
    """Whether a row passes; a group without conditions matches every row (wire.md 3.1)."""
    if "path" in node:
        return condition_holds(production, entity_type, row, node)
    if not node["conditions"]:
        return True
    sides = (holds(production, entity_type, row, each) for each in node["conditions"])
    return all(sides) if node["logical_operator"] == "and" else any(sides)


def condition_holds(production: Production, entity_type: str, row: Row, condition: Any) -> bool:
    """Some value at the end of the path matches; for a negation, none does (wire.md 3.2)."""
    path = parse(entity_type, condition["path"])
    if not path.possible:
        return False
    relation, operands = condition["relation"], condition["values"]
    if not isinstance(operands, list):
        operands = [operands]
    data_type = path.field.data_type
    found = list(leaves(production, path, path.hops, row))
    if relation == "in" and data_type in LISTS and _all_dead(production, operands):
        # The quirk of multi_entity: the rows linking nothing (4.2).
        return any(not links for links in found)
    assertion = ASSERTIONS[NEGATIONS.get(relation, relation)]
    matched = any(assertion(production, data_type, value, operands) for value in found)
    return not matched if relation in NEGATIONS else matched


def leaves(production: Production, path: Path, hops: tuple[Any, ...], row: Row | None) -> Iterator[Any]:
    """The values at the end of a path; where a link is null, the comparison sees null (wire.md 3.2)."""
    if not hops:
        if row is not None:
            yield production.value(path.leaf_type, row, path.leaf)
        else:
            yield [] if path.field.data_type in LISTS else None
        return
    (here, field, target), *rest = hops
    behind = tuple(rest)
    if field.startswith("$FROM$"):
        if row is not None:
            yield from _backwards(production, path, behind, here, row, field.removeprefix("$FROM$"), target)
        return
    if TYPES[here][field].data_type == "entity":
        link = None if row is None else production.value(here, row, field)
        led = production.row(link) if link is not None and link["type"] == target else None
        yield from leaves(production, path, behind, led)
        return
    for link in [] if row is None else production.value(here, row, field):
        if link["type"] == target:
            yield from leaves(production, path, behind, production.row(link))


def _backwards(
    production: Production,
    path: Path,
    behind: tuple[Any, ...],
    here: str,
    row: Row,
    field: str,
    other_type: str,
) -> Iterator[Any]:
    me = {"type": here, "id": row["id"]}
    for other in production.rows[other_type]:
        if not other["retired"] and production.refers(other_type, other, field, me):
            yield from leaves(production, path, behind, other)


def _all_dead(production: Production, operands: list[Any]) -> bool:
    return all(each is not None and production.row(each) is None for each in operands)
