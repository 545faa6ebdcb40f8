"""Which rows a `read` or a `summarize` is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, false, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from ..call import Call
from ..data_types import Source
from ..faults import SiteFault, ruby
from ..people.permissions import visible
from .conditions import source_of
from .filters import filtered, mentions


def entity_type_of(call: Call, params: Mapping[str, Any]) -> str:
    """The entity type that the request names."""
    name = params.get("type")
    if not isinstance(name, str) or call.schema.type(name) is None:
        raise SiteFault(f"API {call.method}() invalid/missing string entity 'type':\n{ruby(params)}")
    return name


def selected(
    call: Call, params: Mapping[str, Any], *, retired: bool = False
) -> tuple[Source, list[ColumnElement[bool]]]:
    """The rows of the requested type, and the conditions that leave those that are asked for."""
    source = source_of(call, entity_type_of(call, params))
    filters = params.get("filters")
    conditions: list[ColumnElement[bool]] = [source.column("retired") == (true() if retired else false())]
    conditions.extend(visible(call, source.entity_type, source.table))
    requested = filtered(call, source, filters)
    if requested is not None:
        conditions.append(requested)
    if params.get("include_archived_projects") is False:
        conditions.extend(_outside_archived_projects(call, source))
    if source.entity_type == "Project" and not mentions(filters, "is_template"):
        # Template projects show only to those who ask for them (wire.md 3.4).
        conditions.extend(_unset(call, source, "is_template"))
    return source, conditions


def _outside_archived_projects(call: Call, source: Source) -> list[ColumnElement[bool]]:
    if source.entity_type == "Project":
        return _unset(call, source, "archived")
    field = call.schema.field(source.entity_type, "project")
    if field is None or field.data_type != "entity" or call.schema.field("Project", "archived") is None:
        return []
    project = source_of(call, "Project")
    archived = select(project.column("id")).where(project.column("archived") == true())
    of_project, project_id = source.column("project__type"), source.column("project__id")
    inside = and_(of_project == "Project", project_id.in_(archived))
    return [or_(project_id.is_(None), inside.is_not(true()))]


def _unset(call: Call, source: Source, checkbox: str) -> list[ColumnElement[bool]]:
    if call.schema.field(source.entity_type, checkbox) is None:
        return []
    return [source.column(checkbox) == false()]
