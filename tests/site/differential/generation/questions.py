"""Random questions: reads and summaries with filters, sorts, pages and groupings."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from ..naive.model import LISTS, NUMBERS, TYPES, UNFILTERABLE
from ..naive.operands import OPERATORS
from ..naive.production import Production
from .faults import faulty_condition
from .operands import operands
from .paths import path_to


@dataclass
class Question:
    """A remote call."""

    method: str
    params: dict[str, Any]


# The types with most fields and links are asked about most.
_ASKED = [*TYPES, *["Shot"] * 6, *["Task"] * 5, *["Version"] * 4, *["Note"] * 2, *["Asset"] * 2]
_FILTERABLE = set(OPERATORS)
_SORTABLE = {
    "text", "number", "float", "percent", "duration", "timecode", "currency", "footage", "date", "date_time", "list",
    "status_list", "checkbox", "entity", "color", "entity_type",
}  # fmt: skip
_SUMMARIES = {
    **{kind: ["sum", "maximum", "minimum", "average", "count"] for kind in NUMBERS},
    **{kind: ["earliest", "latest", "count"] for kind in ["date", "date_time"]},
    "checkbox": ["checked", "unchecked", "percentage", "count"],
    "status_list": ["status_list", "status_percentage", "status_percentage_as_float", "count"],
    **{kind: ["count", "record_count"] for kind in ["text", "list", "entity", "multi_entity"]},
}
_RANGES = ["tens", "hundreds", "thousands", "tensofthousands", "hundredsofthousands", "millions"]
_PERIODS = ["day", "oneday", "fivedays", "week", "month", "quarter", "year", "clustered_date"]
_GROUPINGS = {
    "text": ["exact", "firstletter"],
    **{kind: ["exact"] for kind in ["list", "status_list", "checkbox"]},
    "entity": ["exact", "exact", "entitytype", "firstletter"],
    "number": ["exact", *_RANGES],
    "float": _RANGES,
    "date": ["exact", *_PERIODS],
    "date_time": _PERIODS,
}
_PRESETS = {
    "Version": ["ENTITIES_CREATED_AT", "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT"],
    "PublishedFile": ["ENTITIES_CREATED_AT", "VERSION_NUMBER"],
}


def random_question(chance: random.Random, production: Production) -> Question:
    entity_type = chance.choice(_ASKED)
    params: dict[str, Any] = {"type": entity_type, "filters": _filters(chance, production, entity_type)}
    if chance.random() < 0.12:
        params["include_archived_projects"] = False
    if chance.random() < 0.3:
        return Question("summarize", {**params, **_summaries(chance, entity_type)})
    return Question("read", {**params, **_reading(chance, entity_type)})


def _filters(chance: random.Random, production: Production, entity_type: str) -> dict[str, Any]:
    filters = _group(chance, production, entity_type, depth=0)
    if chance.random() < 0.04:
        filters = {
            "logical_operator": "and",
            "conditions": [*filters["conditions"], faulty_condition(chance, entity_type)],
        }
    return filters


def _group(chance: random.Random, production: Production, entity_type: str, depth: int) -> dict[str, Any]:
    nodes = []
    for _ in range(chance.choice([0, 1, 1, 1, 1, 1, 2, 2, 3] if depth == 0 else [0, 1, 1, 2, 2, 3])):
        if depth < 3 and chance.random() < 0.15:
            nodes.append(_group(chance, production, entity_type, depth + 1))
        else:
            nodes.extend(_conditions(chance, production, entity_type))
    return {"logical_operator": chance.choice(["and", "or"]), "conditions": nodes}


def _conditions(chance: random.Random, production: Production, entity_type: str) -> list[dict[str, Any]]:
    """A condition; now and then another one on the same path, for a site may take the two together."""
    found = None
    while found is None:
        found = path_to(chance, entity_type, _FILTERABLE, through_lists=True)
    relations = OPERATORS[found.field.data_type]
    relation = chance.choice(relations)
    chosen = [relation]
    if chance.random() < 0.1:
        chosen.append(chance.choice([relation, relation, chance.choice(relations)]))
    return [
        {"path": found.path, "relation": each, "values": operands(chance, production, found, each)}
        for each in chosen
    ]


def _reading(chance: random.Random, entity_type: str) -> dict[str, Any]:
    params: dict[str, Any] = {
        "return_fields": _fields(chance, entity_type),
        "return_only": "retired" if chance.random() < 0.12 else "active",
        "paging": {"entities_per_page": 500, "current_page": 1},
        "return_paging_info_without_counts": chance.random() < 0.5,
    }
    if chance.random() < 0.35:
        params["paging"] = {"entities_per_page": chance.randint(1, 5), "current_page": chance.randint(1, 3)}
    sorts = [path_to(chance, entity_type, _SORTABLE) for _ in range(chance.choice([0, 0, 1, 1, 2, 3]))]
    params["sorts"] = [
        {"field_name": found.path, "direction": chance.choice(["asc", "desc"])} for found in sorts if found
    ]
    if chance.random() < 0.04:
        ignored = chance.choice(["bogus", "sg_uploaded_movie", "open_notes_count", "uuid"])
        params["sorts"].append({"field_name": ignored, "direction": "desc"})
    if entity_type in _PRESETS and chance.random() < 0.2:
        latest_by = chance.choice(_PRESETS[entity_type])
        params["additional_filter_presets"] = [{"preset_name": "LATEST", "latest_by": latest_by}]
    return params


def _fields(chance: random.Random, entity_type: str) -> list[str]:
    fields = []
    for _ in range(chance.choice([0, 1, 1, 2, 4])):
        found = path_to(chance, entity_type, _FILTERABLE | UNFILTERABLE, through_lists=chance.random() < 0.1)
        # Backward walks are for filters.
        if found is not None and "$FROM$" not in found.path:
            fields.append(found.path)
    if chance.random() < 0.1:
        fields.append(
            chance.choice(["bogus", "project.Project.bogus", "project.Bogus.name", "code.Shot.code"])
        )
    return fields


def _summaries(chance: random.Random, entity_type: str) -> dict[str, Any]:
    summaries = [{"field": "id", "type": "count"}]
    for _ in range(chance.choice([0, 1, 2])):
        found = path_to(chance, entity_type, set(_SUMMARIES))
        if found is not None and not (found.field.data_type in LISTS and "." in found.path):
            kind = chance.choice(_SUMMARIES[found.field.data_type])
            summaries.append({"field": found.path, "type": kind})
    grouping = []
    for _ in range(chance.choice([0, 1, 1, 2])):
        found = path_to(chance, entity_type, set(_GROUPINGS))
        if found is not None:
            grouping.append({
                "field": found.path,
                "type": chance.choice(_GROUPINGS[found.field.data_type]),
                "direction": chance.choice(["asc", "desc"]),
            })  # fmt: skip
    if chance.random() < 0.02 and "image" in TYPES[entity_type]:
        grouping.append({"field": "image", "type": "exact", "direction": "asc"})
    return {"summaries": summaries, **({"grouping": grouping} if grouping else {})}
