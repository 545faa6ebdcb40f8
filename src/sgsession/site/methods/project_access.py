"""The remote call that notes when a person last opened a project (wire.md 2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..call import Call
from ..database.rows import Reference, known
from ..faults import SiteFault, ruby
from ..people.permissions import is_there
from ..people.personal import set_personal
from ..requests import forbidden, missing_row

_FIELD = "last_accessed_by_current_user"


def update_project_last_accessed_by_current_user(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """The project, opened this moment by the person named, or else by the caller."""
    project = Reference("Project", _integer(call, params, "project_id"))
    person = Reference(call.caller.type, call.caller.id)
    if params.get("user_id") is not None:
        person = Reference("HumanUser", _integer(call, params, "user_id"))
    found = known(call.connection, call.tables, [project, person])
    for each in (project, person):
        if not is_there(call, found.get(each)):
            raise missing_row(call, *each)
    if person != (call.caller.type, call.caller.id) and not call.caller.administers:
        raise forbidden(call, *person, "updated")
    opened_at = f"{call.now.isoformat()}Z"
    as_person = replace(call, caller=replace(call.caller, type=person.type, id=person.id))
    set_personal(as_person, project, _FIELD, opened_at)
    return {"type": project.type, "id": project.id, _FIELD: opened_at}


def _integer(call: Call, params: Mapping[str, Any], name: str) -> int:
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SiteFault(f"API {call.method}() invalid/missing integer '{name}':\n{ruby(params)}")
    return value
