"""How many living rows there are, by type and by project: what a menu of a site says."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import false, func, select

from ..call import Call
from ..people.permissions import visible_links

__all__ = ["rows_by_project", "rows_by_type"]


def rows_by_type(call: Call, project: int | None = None) -> Counter[str]:
    """The number of rows of each type that has any, in the whole site or in one project."""
    record = call.tables.record
    query = (
        select(record.c.type, func.count())
        .where(record.c.retired == false(), *visible_links(call, call.tables))
        .group_by(record.c.type)
    )
    if project is not None:
        query = query.where(record.c.project_id == project)
    return Counter({row[0]: row[1] for row in call.connection.execute(query)})


def rows_by_project(call: Call) -> dict[int | None, Counter[str]]:
    """The number of rows of each type, by project; under None of what belongs to none."""
    record = call.tables.record
    query = (
        select(record.c.project_id, record.c.type, func.count())
        .where(record.c.retired == false(), *visible_links(call, call.tables))
        .group_by(record.c.project_id, record.c.type)
    )
    found: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
    for project, kind, count in call.connection.execute(query).all():
        found[project][kind] = count
    return dict(found)
