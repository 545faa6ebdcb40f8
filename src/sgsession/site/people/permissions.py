"""What a caller may see and change: limited scripts, and people who are not administrators (wire.md 1.5)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, or_

from ..call import Call, Caller
from ..database.rows import Known, Reference
from ..database.tables import Tables
from ..requests import forbidden, is_open_to
from ..schema.schema_map import Field

# People who are not administrators change nothing here but their own row of HumanUser.
_OF_ADMINISTRATORS = frozenset({
    "ApiUser", "ClientUser", "HumanUser", "LocalStorage", "PermissionRuleSet", "Status",
})  # fmt: skip


def check_change(call: Call, row: Reference, project_id: int | None, verb: str) -> None:
    """Refuse to let the caller change a row of this project, in the recorded words."""
    caller = call.caller
    own = verb == "updated" and row == (caller.type, caller.id)
    reserved = row.type in _OF_ADMINISTRATORS and not caller.administers and not own
    if reserved or not caller.sees(project_id):
        raise forbidden(call, row.type, row.id, verb)


def check_schema_edit(call: Call, verb: str) -> None:
    """Refuse to let people who are not administrators change the fields of everybody."""
    if not call.caller.administers:
        # A field is a row of DisplayColumn to the event log, and to its permissions.
        raise forbidden(call, "DisplayColumn", 0, verb)


def may_write(caller: Caller, field: Field) -> bool:
    """Whether the caller may write a field in some row: what `editable` tells (wire.md 9.2)."""
    reserved = field.entity_type in _OF_ADMINISTRATORS - {caller.type} and not caller.administers
    return field.editable and is_open_to(caller, field) and not reserved


def is_there(call: Call, found: Known | None) -> bool:
    """Whether the caller may link a row: it lives, where the caller can see it."""
    return found is not None and not found.retired and call.caller.sees(found.project_id)


def visible(call: Call, entity_type: str, rows: Any) -> list[ColumnElement[bool]]:
    """The conditions that leave the rows of a type which the caller may see; none for most callers.

    `rows` is a table of the type, under whatever alias.
    """
    if call.caller.projects is None:
        return []
    if entity_type == "Project":
        return [rows.c.id.in_(call.caller.projects)]
    field = call.schema.field(entity_type, "project")
    if field is None or field.data_type != "entity":
        return []
    return [_of_projects(rows.c.project__id, call.caller.projects)]


def visible_links(call: Call, tables: Tables) -> list[ColumnElement[bool]]:
    """The conditions that leave the rows of `record` which the caller may see; none for most callers."""
    if call.caller.projects is None:
        return []
    return [_of_projects(tables.record.c.project_id, call.caller.projects)]


def _of_projects(project_id: ColumnElement[Any], projects: frozenset[int]) -> ColumnElement[bool]:
    # What belongs to no project is everybody's.
    return or_(project_id.is_(None), project_id.in_(projects) if projects else false())


__all__ = ["check_change", "check_schema_edit", "is_there", "may_write", "visible", "visible_links"]
