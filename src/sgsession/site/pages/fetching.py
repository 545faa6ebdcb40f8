"""Rows for the parts of a page, read as a client reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..call import Call
from ..queries.reading import read

__all__ = ["Reading", "linking"]

Reading = tuple[list[dict[str, Any]], int]


def linking(
    call: Call,
    entity_type: str,
    paths: Sequence[str],
    targets: Sequence[dict[str, Any]],
    fields: Sequence[str],
    limit: int,
    order: str = "id",
) -> Reading:
    """The first rows that name one of the targets in one of these fields, and how many there are."""
    conditions = [
        {"path": path, "relation": "in", "values": list(targets)}
        if len(targets) > 1
        else {"path": path, "relation": "is", "values": list(targets)}
        for path in paths
    ]
    direction = "desc" if order.startswith("-") else "asc"
    answer = read(
        call,
        {
            "type": entity_type,
            "filters": {"logical_operator": "or", "conditions": conditions},
            "return_fields": list(fields),
            "sorts": [{"field_name": order.removeprefix("-"), "direction": direction}],
            "paging": {"entities_per_page": limit, "current_page": 1},
            "return_paging_info": True,
        },
    )
    return answer["entities"], answer["paging_info"]["entity_count"]
