"""The order of rows (wire.md 3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from ..call import Call
from ..data_types import Given, Source, data_type
from ..faults import SiteFault, ruby
from ..requests import check_length
from .joining import Joined
from .paths import Path, resolve

_MOST_SORTS = 1_000
_REFUSED = ("uuid", "pivot_column")


def sorted_by(call: Call, source: Source, joined: Joined, sorts: Any) -> list[ColumnElement[Any]]:
    """The ORDER BY of a request: its sort keys, then ascending ids. What cannot be sorted by is ignored."""
    order: list[ColumnElement[Any]] = []
    for path, descending in _keys(call, source.entity_type, sorts):
        kind = data_type(path.field.data_type)
        if kind.name in _REFUSED:
            raise Given(call.method, f"{source.entity_type}.{path.text}", sorts).failed("Invalid statement.")
        key = kind.sort_key(path.field, joined.at_end_of(path))
        if key is None:
            continue
        directed = key.desc() if descending else key.asc()
        # `list_order` keeps its empty rows at the end both ways; other fields begin with them.
        last = descending or path.field.name == "list_order"
        order.append(directed.nulls_last() if last else directed.nulls_first())
    return [*order, source.column("id")]


def _keys(call: Call, entity_type: str, sorts: Any) -> list[tuple[Path, bool]]:
    if sorts is None:
        return []
    if not isinstance(sorts, list):
        raise SiteFault(f"API {call.method}() invalid/missing array 'sorts':\n{ruby(sorts)}")
    check_length(call, "sorts", sorts, _MOST_SORTS)
    keys: dict[str, tuple[Path, bool]] = {}
    for sort in sorts:
        name = sort.get("field_name") if isinstance(sort, Mapping) else None
        direction = sort.get("direction", "asc") if isinstance(sort, Mapping) else None
        if not isinstance(name, str) or direction not in ("asc", "desc"):
            raise SiteFault(f"API {call.method}() invalid/missing 'sorts' 'field_name':\n{ruby(sort)}")
        path = resolve(call.schema, entity_type, name)
        if path is not None and path.is_allowed and not path.is_many:
            # A second key on the same field could not change the order any more.
            keys.setdefault(name, (path, direction == "desc"))
    return list(keys.values())
