"""The rows that entity links lead to, joined to a query that sorts or groups by their fields."""

from __future__ import annotations

from sqlalchemy import FromClause, and_, false

from ..call import Call
from ..data_types import Source
from ..faults import SiteFault
from ..people.permissions import visible
from .conditions import source_of
from .paths import Path

# SQLite joins 64 tables at most; a few are left for what the keys themselves look up.
_MOST_JOINS = 50


class Joined:
    """A query's rows, and the linked rows beside them. A join of one by one never multiplies rows."""

    def __init__(self, call: Call, source: Source) -> None:
        self._call = call
        self._sources: dict[tuple[str, ...], Source] = {(): source}
        self.rows: FromClause = source.table

    def at_end_of(self, path: Path) -> Source:
        """Where the field of a path through entity links stands; an empty link gives nulls."""
        steps: tuple[str, ...] = ()
        source = self._sources[steps]
        for hop in path.hops:
            steps = (*steps, hop.field.name, hop.entity_type)
            if steps not in self._sources:
                self._sources[steps] = self._join(source, hop.field.name, hop.entity_type)
            source = self._sources[steps]
        return source

    def _join(self, source: Source, link: str, entity_type: str) -> Source:
        if len(self._sources) > _MOST_JOINS:
            words = f"Read failed for entity type [{self._sources[()].entity_type}]: too many linked rows"
            raise SiteFault(f"API {self._call.method}() CRUD ERROR #1: {words}", 104)
        target = source_of(self._call, entity_type)
        followed = and_(
            target.column("id") == source.column(f"{link}__id"),
            source.column(f"{link}__type") == entity_type,
            target.column("retired") == false(),
            *visible(self._call, entity_type, target.table),
        )
        self.rows = self.rows.outerjoin(target.table, followed)
        return target
