"""`additional_filter_presets`: the latest of what the filters leave (wire.md 3.4)."""

from __future__ import annotations

from typing import Any

from .moments import moment
from .production import Production, Row


def narrowed(production: Production, rows: list[Row], presets: list[dict[str, Any]]) -> list[Row]:
    """The rows that each preset leaves."""
    for preset in presets:
        rows = _LATEST[preset["latest_by"]](production, rows)
    return rows


def newest_of_each_entity(production: Production, rows: list[Row]) -> list[Row]:
    """`ENTITIES_CREATED_AT`: the newest row of each linked entity."""
    return _best_of_each(rows, _age)


def of_the_last_step(production: Production, rows: list[Row]) -> list[Row]:
    """`BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT`: the highest step first, then the newest."""

    def rank(row: Row) -> Any:
        task = production.row(row.get("sg_task"))
        step = production.row(task.get("step")) if task else None
        order = step.get("list_order") if step else None
        return (order is not None, order or 0, _age(row))

    return _best_of_each(rows, rank)


def of_the_highest_version(production: Production, rows: list[Row]) -> list[Row]:
    """`VERSION_NUMBER`: the highest number among the rows of the query."""
    numbers = [row["version_number"] for row in rows if row.get("version_number") is not None]
    # Where no row has a number, none is higher than another.
    return [row for row in rows if row.get("version_number") == max(numbers, default=None)]


def _age(row: Row) -> Any:
    made = row.get("created_at")
    return made is not None, made and moment(made), row["id"]


def _best_of_each(rows: list[Row], rank: Any) -> list[Row]:
    best: dict[Any, Row] = {}
    for row in rows:
        # A PublishedFile goes by its version where it is linked to no entity. That a link to a retired row
        # still keeps its rows together is not recorded.
        link = row.get("entity") or row.get("version")
        key = None if link is None else (link["type"], link["id"])
        if key not in best or rank(row) > rank(best[key]):
            best[key] = row
    kept = {row["id"] for row in best.values()}
    return [row for row in rows if row["id"] in kept]


_LATEST = {
    "ENTITIES_CREATED_AT": newest_of_each_entity,
    "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT": of_the_last_step,
    "VERSION_NUMBER": of_the_highest_version,
}
