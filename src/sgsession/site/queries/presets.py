"""`additional_filter_presets`: ready-made filters over what the other filters leave (wire.md 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, case, false, func, select
from sqlalchemy.sql.elements import ColumnElement

from ..call import Call
from ..data_types import Source
from ..faults import SiteFault, ruby
from .conditions import source_of

Conditions = list[ColumnElement[bool]]


def with_presets(call: Call, source: Source, conditions: Conditions, presets: Any) -> Conditions:
    """The conditions, narrowed by the presets of a request."""
    if presets is None:
        return conditions
    if not isinstance(presets, list) or not all(isinstance(preset, Mapping) for preset in presets):
        raise _refused(call, "expects an array of hashes", presets)
    latest = [preset for preset in presets if preset.get("preset_name") == "LATEST"]
    if len(latest) > 1:
        raise _refused(call, "accepts one LATEST preset only", presets)
    for preset in presets:
        name = preset.get("preset_name")
        if not isinstance(name, str):
            raise _refused(call, "invalid/missing string 'preset_name'", preset)
        if name == "CUT_SHOT_VERSIONS":
            conditions = [*conditions, _versions_of_cut(call, source, preset)]
        elif name != "LATEST":
            raise _refused(call, f"unknown 'preset_name' {ruby(name)}", preset)
    # Last, for it keeps the newest of the rows that all the others leave.
    return _latest(call, source, conditions, latest[0]) if latest else conditions


def _versions_of_cut(call: Call, source: Source, preset: Mapping[str, Any]) -> ColumnElement[bool]:
    cut_id = preset.get("cut_id")
    if isinstance(cut_id, bool) or not isinstance(cut_id, int) or abs(cut_id) >= 2**63:
        raise _refused(call, "invalid/missing integer 'cut_id'", preset)
    if source.entity_type != "Version":
        raise _refused(call, f"preset does not apply to {source.entity_type}", preset)
    item = source_of(call, "CutItem")
    shots = select(item.column("shot__id")).where(
        item.column("cut__type") == "Cut",
        item.column("cut__id") == cut_id,
        item.column("shot__type") == "Shot",
        item.column("retired") == false(),
    )
    return and_(source.column("entity__type") == "Shot", source.column("entity__id").in_(shots))


def _latest(call: Call, source: Source, conditions: Conditions, preset: Mapping[str, Any]) -> Conditions:
    key = (source.entity_type, preset.get("latest_by"))
    if key == ("PublishedFile", "VERSION_NUMBER"):
        return [*conditions, _highest(source, conditions, "version_number")]
    if key == ("Cut", "REVISION_NUMBER"):
        return [*conditions, _highest(source, conditions, "revision_number")]
    if key in (("Version", "ENTITIES_CREATED_AT"), ("PublishedFile", "ENTITIES_CREATED_AT")):
        return [*conditions, _newest_per_link(source, conditions)]
    if key == ("Version", "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT"):
        return [*conditions, _newest_per_link(source, conditions, _step_order(call, source))]
    raise _refused(call, "invalid/missing 'latest_by' for this entity type", preset)


def _highest(source: Source, conditions: Conditions, number: str) -> ColumnElement[bool]:
    column = source.column(number)
    ranked = (
        select(source.column("id"), func.rank().over(order_by=column.desc().nulls_last()).label("place"))
        .where(*conditions)
        .subquery()
    )
    return source.column("id").in_(select(ranked.c.id).where(ranked.c.place == 1))


def _newest_per_link(
    source: Source, conditions: Conditions, first: ColumnElement[Any] | None = None
) -> ColumnElement[bool]:
    newest = [source.column("created_at").desc().nulls_last(), source.column("id").desc()]
    order = newest if first is None else [first.desc().nulls_last(), *newest]
    links = [source.column("entity__type"), source.column("entity__id")]
    if source.entity_type == "PublishedFile":
        # By its version, where it is linked to no entity.
        links.append(case((source.column("entity__id").is_(None), source.column("version__id"))))
    ranked = (
        select(source.column("id"), func.row_number().over(partition_by=links, order_by=order).label("place"))
        .where(*conditions)
        .subquery()
    )
    return source.column("id").in_(select(ranked.c.id).where(ranked.c.place == 1))


def _step_order(call: Call, source: Source) -> ColumnElement[Any]:
    """The `list_order` of the pipeline step of a Version's Task."""
    task, step = source_of(call, "Task"), source_of(call, "Step")
    return (
        select(step.column("list_order"))
        .select_from(task.table)
        .join(step.table, task.column("step__id") == step.column("id"))
        .where(
            task.column("id") == source.column("sg_task__id"),
            source.column("sg_task__type") == "Task",
            task.column("retired") == false(),
            step.column("retired") == false(),
        )
        .correlate(source.table)
        .scalar_subquery()
    )


def _refused(call: Call, words: str, offending: Any) -> SiteFault:
    return SiteFault(f"API {call.method}() 'additional_filter_presets' {words}:\n{ruby(offending)}")
