"""The remote call `read`: a page of rows (wire.md 2.1, 3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select

from ..call import Call
from ..data_types import Source
from ..faults import SiteFault, ruby
from ..requests import check_length
from .fetching import rows
from .joining import Joined
from .prepared import PageOfIds, page_of_ids, prepared_page
from .presets import with_presets
from .selecting import selected
from .sorting import sorted_by

__all__ = ["read", "rows"]

# Past this many rows there is nothing; a database takes no larger OFFSET.
_FARTHEST = 2**62
_MOST_FIELDS = 10_000


def read(call: Call, params: dict[str, Any]) -> dict[str, Any]:
    """One page of the rows that the filters let through, with the requested fields."""
    only = params.get("return_only", "active")
    if only not in ("active", "retired"):
        raise SiteFault(f"API read() invalid/missing 'return_only':\n{ruby(params)}")
    retired = only == "retired"
    asked = prepared_page(call, params, retired=retired)
    if asked is None:
        source, conditions = selected(call, params, retired=retired)
    fields = _return_fields(call, params)
    per_page, page = _paging(params)
    if asked is None:
        asked = _page(call, params, source, conditions)
    # One id more than the page holds tells whether a next page has any.
    window = {"most": min(per_page, _FARTHEST) + 1, "skipped": min((page - 1) * per_page, _FARTHEST)}
    ids = call.connection.execute(asked.query, {**asked.operands, **window}).scalars().all()
    call.image_ids = params.get("api_return_image_urls") is not True
    results: dict[str, Any] = {"entities": rows(call, asked.entity_type, ids[:per_page], fields)}
    if asked.counted is not None:
        total = call.connection.execute(asked.counted).scalar_one()
        results["paging_info"] = {
            "has_next_page": len(ids) > per_page,
            "current_page": page if total else 0,
            "page_count": math.ceil(total / per_page),
            "entity_count": total,
            "entities_per_page": per_page,
        }
    elif params.get("return_paging_info_without_counts"):
        results["paging_info"] = {"has_next_page": len(ids) > per_page}
    return results


def _page(
    call: Call, params: Mapping[str, Any], source: Source, conditions: list[ColumnElement[bool]]
) -> PageOfIds:
    """The ids of the selected rows in the requested order."""
    conditions = with_presets(call, source, conditions, params.get("additional_filter_presets"))
    joined = Joined(call, source)
    order = sorted_by(call, source, joined, params.get("sorts"))
    counted = None
    if params.get("return_paging_info"):
        counted = select(func.count()).select_from(source.table).where(*conditions)
    return PageOfIds(source.entity_type, page_of_ids(source, joined.rows, conditions, order), {}, counted)


def _return_fields(call: Call, params: Mapping[str, Any]) -> list[str]:
    fields = params.get("return_fields", ["id"])
    if not isinstance(fields, list):
        raise SiteFault(f"API read() invalid/missing array 'return_fields':\n{ruby(params)}")
    check_length(call, "return_fields", fields, _MOST_FIELDS)
    return [field for field in fields if isinstance(field, str)]


def _paging(params: Mapping[str, Any]) -> tuple[int, int]:
    paging = params.get("paging")
    given = paging if isinstance(paging, Mapping) else {}
    for name in ("entities_per_page", "current_page"):
        number = given.get(name)
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise SiteFault(f"API read() invalid/missing integer 'paging' '{name}':\n{ruby(paging)}")
    return given["entities_per_page"], given["current_page"]
