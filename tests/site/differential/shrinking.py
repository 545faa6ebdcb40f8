"""The smallest question and production that still go wrong, found greedily, and their description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from .generation.questions import Question
from .naive.production import Production

# Each trial of smaller data loads a site anew.
_MOST_LOADS = 150


def smaller_question(question: Question, fails: Callable[[Question], object]) -> Question:
    """A question that fails still and that no single omission makes smaller."""
    while True:
        for smaller in _omissions(question):
            if fails(smaller):
                question = smaller
                break
        else:
            return question


def smaller_production(
    production: Production, fails: Callable[[Production], object], loads: int = _MOST_LOADS
) -> Production:
    """A production with fewer rows and values that fails still."""
    size = 32
    while size:
        start = 0
        while start < len(names := _names(production)) and loads > 0:
            loads -= 1
            smaller = _without(production, set(names[start : start + size]))
            if fails(smaller):
                production = smaller
            else:
                start += size
        size //= 2
    for rows in production.rows.values():
        for row in rows:
            for name in [key for key, value in row.items() if key not in ("id", "retired") and value]:
                kept, row[name] = row[name], None
                loads -= 1
                # A site refuses to hold some rows without some values.
                if loads < 0 or not fails(production):
                    row[name] = kept
    return production


def described(production: Production, question: Question, wrong: str, seed: object) -> str:
    """The case for a reader: the question, the rows, and how to have it again."""
    lines = [f"{wrong}", "", f"seed {seed}, now {production.now.isoformat()}, {question.method}:"]
    lines.append(json.dumps(question.params, indent=1, ensure_ascii=False))
    for entity_type, rows in production.rows.items():
        for row in rows:
            values = {
                key: value for key, value in row.items() if value not in (None, [], False) and key != "id"
            }
            lines.append(f"{entity_type} {row['id']}: {json.dumps(values, ensure_ascii=False)}")
    return "\n".join(lines)


def _omissions(question: Question) -> Iterator[Question]:
    params = question.params
    for filters in _fewer_conditions(params["filters"]):
        yield replace(question, params={**params, "filters": filters})
    for name in ("sorts", "grouping", "summaries", "return_fields", "additional_filter_presets"):
        values = params.get(name) or []
        for number in range(len(values)):
            if name != "summaries" or len(values) > 1:
                fewer = values[:number] + values[number + 1 :]
                yield replace(question, params={**params, name: fewer})
    if params.get("include_archived_projects") is False:
        yield replace(question, params={k: v for k, v in params.items() if k != "include_archived_projects"})
    whole = {"entities_per_page": 500, "current_page": 1}
    if params.get("paging", whole) != whole:
        yield replace(question, params={**params, "paging": whole})
    if params.get("return_only") == "retired":
        yield replace(question, params={**params, "return_only": "active"})


def _fewer_conditions(group: dict[str, Any]) -> Iterator[dict[str, Any]]:
    nodes = group.get("conditions", [])
    for number, node in enumerate(nodes):
        before, after = nodes[:number], nodes[number + 1 :]
        yield {**group, "conditions": before + after}
        if "conditions" in node:
            yield {**group, "conditions": before + node["conditions"] + after}
            for fewer in _fewer_conditions(node):
                yield {**group, "conditions": [*before, fewer, *after]}
        elif isinstance(node.get("values"), list) and node.get("relation") in ("in", "not_in"):
            for place in range(len(node["values"])):
                if len(node["values"]) > 1:
                    values = node["values"][:place] + node["values"][place + 1 :]
                    yield {**group, "conditions": [*before, {**node, "values": values}, *after]}


def _names(production: Production) -> list[tuple[str, int]]:
    return [(entity_type, row["id"]) for entity_type, rows in production.rows.items() for row in rows]


def _without(production: Production, gone: set[tuple[str, int]]) -> Production:
    smaller = deepcopy(production)
    for entity_type, rows in smaller.rows.items():
        rows[:] = [row for row in rows if (entity_type, row["id"]) not in gone]
        for row in rows:
            for name, value in row.items():
                if isinstance(value, dict) and (value["type"], value["id"]) in gone:
                    row[name] = None
                elif isinstance(value, list):
                    row[name] = [each for each in value if (each["type"], each["id"]) not in gone]
    return smaller
