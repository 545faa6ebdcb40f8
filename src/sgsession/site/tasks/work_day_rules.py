"""What was said of single days; all others follow the work week (wire.md 2.11).

The work week of the studio is Monday to Friday. Something else may be said of a day for a person, for a project
or for the whole studio; the most specific word counts.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import and_, or_, select

from ..call import Call
from ..database.rows import storable_id

# The levels from the most general to the most specific, and what their exceptions are called.
_REASONS = {"Studio": "STUDIO_EXCEPTION", "Project": "PROJECT_EXCEPTION", "HumanUser": "USER_EXCEPTION"}
# Whose words are those for everybody: a level, and the id of its owner.
STUDIO = ("Studio", 0)


class WorkDay(NamedTuple):
    """What was said of a day."""

    working: bool
    description: str | None
    reason: str


def of_the_week(day: date) -> WorkDay:
    """What the work week says of a day."""
    return WorkDay(day.weekday() < 5, None, "STUDIO_WORK_WEEK")


def exceptions(
    call: Call,
    project: int | None = None,
    person: int | None = None,
    *,
    first: date = date.min,
    last: date = date.max,
) -> dict[date, WorkDay]:
    """The days of a span that do not follow the work week, for that person in that project."""
    table = call.tables.work_day
    owners = [STUDIO]
    owners += [("Project", project)] if project is not None and storable_id(project) else []
    owners += [("HumanUser", person)] if person is not None and storable_id(person) else []
    mine = or_(*(and_(table.c.level == level, table.c.owner_id == owner_id) for level, owner_id in owners))
    query = select(table.c.level, table.c.date, table.c.working, table.c.description)
    within = table.c.date.between(first.isoformat(), last.isoformat())
    found = call.connection.execute(query.where(mine, within)).all()
    levels = list(_REASONS)
    # The most specific level comes last, and stays.
    return {
        date.fromisoformat(row.date): WorkDay(row.working, row.description, _REASONS[row.level])
        for row in sorted(found, key=lambda row: levels.index(row.level))
    }
