"""The rows that a request names by `{"type", "id"}`, and what answers tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..call import Call
from ..database.rows import Reference, by_type, known
from ..faults import SiteFault, ruby
from ..people.permissions import is_there
from ..requests import missing_row
from .fetching import rows


def requested_row(call: Call, params: Mapping[str, Any], name: str, *types: str) -> Reference:
    """The living row that a parameter names, of one of these types if any are given."""
    row = named_row(call, params, name, *types)
    found = known(call.connection, call.tables, [row]).get(row)
    if not is_there(call, found):
        raise missing_row(call, *row)
    return row


def named_row(call: Call, params: Mapping[str, Any], name: str, *types: str) -> Reference:
    """The type and id that a parameter holds; there need not be such a row."""
    value = params.get(name)
    kind = value.get("type") if isinstance(value, Mapping) else None
    row_id = value.get("id") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or isinstance(row_id, bool) or not isinstance(row_id, int):
        raise SiteFault(f"API {call.method}() invalid/missing entity hash '{name}':\n{ruby(params)}")
    if call.schema.type(kind) is None or (types and kind not in types):
        raise SiteFault(f"API {call.method}() invalid/missing string '{name}' 'type':\n{ruby(value)}")
    return Reference(kind, row_id)


def requested_entity_fields(call: Call, params: Mapping[str, Any]) -> dict[str, list[str]]:
    """The further fields that a request wants of each entity type; none when it does not say."""
    given = params.get("entity_fields")
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(_are_names(names) for names in given.values()):
        raise SiteFault(f"API {call.method}() invalid/missing hash 'entity_fields':\n{ruby(given)}")
    return {kind: list(names) for kind, names in given.items()}


def described(
    call: Call,
    references: Iterable[Reference],
    *fields: str,
    more: Mapping[str, Sequence[str]] | None = None,
) -> dict[Reference, dict[str, Any]]:
    """Each row, retired or not, with its `name`, its `status`, and further fields: of all types, and by type.

    A field that the type lacks reads null; of those in `more`, unknown ones are left out.
    """
    found: dict[Reference, dict[str, Any]] = {}
    for kind, ids in by_type(references):
        if call.schema.type(kind) is None:
            continue
        own = (more or {}).get(kind, ())
        for row in rows(call, kind, ids, ["cached_display_name", "sg_status_list", *fields, *own]):
            name, status = row.get("cached_display_name"), row.get("sg_status_list")
            shown = {each: row.get(each) for each in fields}
            extra = {each: row[each] for each in own if each in row}
            described = {"type": kind, "id": row["id"], "name": name, "status": status, **shown, **extra}
            found[Reference(kind, row["id"])] = described
    return found


def _are_names(names: Any) -> bool:
    return isinstance(names, list) and all(isinstance(each, str) for each in names)
