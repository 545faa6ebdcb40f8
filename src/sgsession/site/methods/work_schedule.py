"""Which days are worked: `work_schedule_read` and `work_schedule_update` (wire.md 2.11)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select

from ..call import Call
from ..data_types import Given
from ..data_types.refusals import storable
from ..database.rows import Reference
from ..faults import SiteFault, ruby
from ..queries.references import described, named_row, requested_row
from ..tasks.work_day_rules import STUDIO, exceptions, of_the_week
from ..writes import writing

# What is recalculated → what is written again for that: the duration follows from the due date, and back.
_RECALCULATED = {"duration": "due_date", "due_date": "duration"}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A century; what asks for more wants to fill the memory.
_MOST_DAYS = 36_600


def work_schedule_read(call: Call, params: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Whether each day of a span is worked, and why."""
    first, last = _requested_day(call, params, "start_date"), _requested_day(call, params, "end_date")
    if last < first:
        words = "'end_date' must be greater than or equal to 'start_date'"
        raise SiteFault(f"API {call.method}() {words}:\n{ruby(params)}")
    if (last - first).days >= _MOST_DAYS:
        raise SiteFault(f"API {call.method}() spans at most {_MOST_DAYS} days:\n{ruby(params)}")
    owners = (_requested_owner(call, params, "project"), _requested_owner(call, params, "user"))
    said = exceptions(call, *(owner.id if owner else None for owner in owners), first=first, last=last)
    return {day.isoformat(): (said.get(day) or of_the_week(day))._asdict() for day in _days(first, last)}


def work_schedule_update(call: Call, params: Mapping[str, Any]) -> dict[str, Any]:
    """Say of one day whether it is worked, in the studio, in a project or by a person."""
    day, working = _requested_day(call, params, "date"), params.get("working")
    description, recalculated = params.get("description"), params.get("recalculate_field")
    if not isinstance(working, bool):
        raise SiteFault(f"API {call.method}() invalid/missing boolean 'working':\n{ruby(params)}")
    if description is not None:
        if not isinstance(description, str):
            raise SiteFault(f"API {call.method}() invalid/missing string 'description':\n{ruby(params)}")
        storable(description, Given(call.method, "WorkDayRule.description", params))
    if recalculated is not None and recalculated not in list(_RECALCULATED):
        raise SiteFault(f"API {call.method}() invalid 'recalculate_field':\n{ruby(params)}")
    if params.get("project") is not None and params.get("user") is not None:
        words = "'project' and 'user' exclude each other"
        raise SiteFault(f"API {call.method}() {words}:\n{ruby(params)}")
    # Unlike a read, a write for nobody does not fall back to the calendar of the whole studio.
    owner = {
        name: requested_row(call, params, name, kind)
        for name, kind in (("project", "Project"), ("user", "HumanUser"))
        if params.get(name) is not None
    }
    level, owner_id = next(iter(owner.values()), STUDIO)
    table = call.tables.work_day
    key = {"level": level, "owner_id": owner_id, "date": day.isoformat()}
    call.connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
    call.connection.execute(table.insert(), {**key, "working": working, "description": description})
    # Without the word of the request, a site goes by a preference: ours leaves the dates as they are.
    if recalculated is not None:
        _recalculate(call, day, owner.get("project"), _RECALCULATED[recalculated])
    return {
        "date": day.isoformat(),
        "description": description,
        "project": _shown(call, owner.get("project")),
        "user": _shown(call, owner.get("user")),
        "working": working,
    }


def _recalculate(call: Call, day: date, project: Reference | None, written: str) -> None:
    """Count the Tasks anew that are worked on that day, by writing one of their dates once more."""
    task = call.tables.of("Task")
    query = select(task.c.id, task.c[written]).where(
        task.c.start_date <= day.isoformat(),
        task.c.due_date >= day.isoformat(),
        task.c[written].is_not(None),
        task.c.retired.is_(False),
    )
    if project is not None:
        query = query.where(task.c.project__id == project.id)
    updating = replace(call, method="update")
    for row_id, value in call.connection.execute(query.order_by(task.c.id)).all():
        fields = [{"field_name": written, "value": value}]
        writing.update(updating, {"type": "Task", "id": row_id, "fields": fields})


def _days(first: date, last: date) -> Iterator[date]:
    for each in range((last - first).days + 1):
        yield first + timedelta(days=each)


def _requested_day(call: Call, params: Mapping[str, Any], name: str) -> date:
    text = params.get(name)
    try:
        if isinstance(text, str) and _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise SiteFault(f"API {call.method}() invalid/missing date '{name}':\n{ruby(params)}")


def _requested_owner(call: Call, params: Mapping[str, Any], name: str) -> Reference | None:
    """Whose calendar is read; for one that does not exist it is the studio's, without a word."""
    if params.get(name) is None:
        return None
    return named_row(call, params, name, "Project" if name == "project" else "HumanUser")


def _shown(call: Call, row: Reference | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"type": row.type, "id": row.id, "name": described(call, [row])[row]["name"]}
