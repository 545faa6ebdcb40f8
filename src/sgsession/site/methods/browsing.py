"""What stands in the tree of a project: its nodes, what is below them, and where a row is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, and_, false, select

from ..call import Call
from ..data_types import Given
from ..data_types.refusals import storable
from ..data_types.texts import contains, folded
from ..database.portable import among
from ..database.rows import Reference, by_type, known
from ..faults import SiteFault, ruby
from ..queries.references import described
from ..queries.selecting import selected
from ..requests import missing_row
from .hierarchy import ALWAYS_SHOWN, Group, Place, browsable_types, grouping

# So many rows of each type a search finds at most.
_MOST_FOUND = 100


@dataclass(frozen=True, slots=True)
class Tree:
    """The nodes of the tree, as far as they are to be shown."""

    call: Call
    targets: frozenset[str] | None
    entity_fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def check(self, place: Place) -> None:
        """Refuse a place in a project, or below a row, that does not exist."""
        named = [Reference("Project", place.project)] if place.project is not None else []
        named += [place.group] if isinstance(place.group, Reference) else []
        named += [Reference(place.entity_type, place.row)] if place.row is not None else []
        named += [Reference("Task", place.task)] if place.task is not None else []
        found = known(self.call.connection, self.call.tables, named)
        for each in named:
            if each in found and not found[each].retired:
                continue
            if each.type == "Project":
                raise SiteFault(f"Unexpected result looking for project: {each.id}: 0 found.", 107)
            raise missing_row(self.call, *each)
        if place.row is not None and place not in self._standing(place):
            raise SiteFault(f"API {self.call.method}() invalid path: {ruby(place.path)}")

    def children(self, place: Place) -> list[Place]:
        """What stands directly below, in the order in which it is shown."""
        if place.project is None:
            source, conditions = selected(self.call, {"type": "Project"})
            query = select(source.column("id")).where(*conditions)
            ids = self.call.connection.execute(query.order_by(source.column("name__folded"))).scalars()
            return [Place(each) for each in ids]
        if not place.entity_type:
            return [
                replace(place, entity_type=each) for each in self._types_of([place.project])[place.project]
            ]
        if place.row is not None:
            tasks = self._tasks([place.row], place.entity_type) if place.task is None else {}
            return [replace(place, task=each) for each in self._by_name("Task", tasks.get(place.row, []))]
        if not place.grouped and grouping(self.call.schema, place.entity_type) is not None:
            return [replace(place, grouped=True, group=each) for each in self._groups(place)]
        query, record = self._rows(place)
        ids = self.call.connection.execute(query.order_by(record.c.name__folded, record.c.id)).scalars()
        return [replace(place, row=each) for each in ids]

    def with_children(self, places: Sequence[Place]) -> set[Place]:
        """Those of these siblings that have something below them."""
        if not places or places[0].task is not None:
            return set()
        first = places[0]
        if first.row is not None:
            tasks = self._tasks([each.row for each in places if each.row is not None], first.entity_type)
            return {each for each in places if tasks.get(each.row or 0)}
        if first.grouped:
            # A group is made by the rows in it.
            return set(places)
        if first.entity_type:
            return {each for each in places if self._first_row(each) is not None}
        # The first two types of a project always show.
        types = self._types_of([each.project for each in places if each.project is not None])
        return {each for each in places if types[each.project or 0]}

    def nodes(self, places: Iterable[Place]) -> dict[Place, dict[str, Any]]:
        """What is shown of each place."""
        refs = {place: _row_at(place) for place in places}
        about = described(self.call, {each for each in refs.values() if each}, more=self.entity_fields)
        nodes = {}
        for place, row in refs.items():
            if row is not None:
                extra = {
                    name: about[row].get(name)
                    for name in self.entity_fields.get(row.type, ())
                    if name in about[row]
                }
                label, ref = about[row]["name"], ("entity", {**row._asdict(), **extra})
            else:
                label, ref = self._label(place)
            nodes[place] = {"label": label, "path": place.path, "ref": {"kind": ref[0], "value": ref[1]}}
        return nodes

    def named(self, text: Any, project: int | None) -> list[Reference]:
        """The rows in the tree whose name holds the text."""
        if not isinstance(text, str) or not text.strip():
            raise SiteFault(f"API {self.call.method}() invalid/missing string 'search_string': {ruby(text)}")
        wanted = folded(storable(text.strip(), Given(self.call.method, "search_string", text)))
        record = self.call.tables.record
        found: list[Reference] = []
        for kind in [*self._shown_types(), *(["Task"] if self._shows_tasks() else [])]:
            query = select(record.c.id).where(
                record.c.type == kind,
                record.c.retired == false(),
                contains(record.c.name__folded, wanted),
            )
            if project is not None:
                query = query.where(record.c.project_id == project)
            query = query.order_by(record.c.name__folded, record.c.id).limit(_MOST_FOUND)
            found += [Reference(kind, each) for each in self.call.connection.execute(query).scalars()]
        return found

    def places(self, found: Iterable[Reference]) -> list[Place]:
        """Where these rows stand in the tree; those that are not in it are left out."""
        found = list(found)
        places: dict[Reference, Place] = {}
        for kind, ids in by_type(found):
            if kind == "Task" and self._shows_tasks():
                places.update(self._places_of_tasks(ids))
            elif kind in self._shown_types():
                places.update(self._places_of_rows(kind, ids))
        return [places[each] for each in found if each in places]

    def _standing(self, place: Place) -> Iterable[Place]:
        """Where the row that a place names stands by now: things move to other groups and projects."""
        if place.task is not None:
            return self._places_of_tasks([place.task]).values()
        return self._places_of_rows(place.entity_type, [place.row or 0]).values()

    def _places_of_rows(self, kind: str, ids: Sequence[int]) -> dict[Reference, Place]:
        table = self.call.tables.of(kind)
        columns = [table.c.id, table.c.project__id]
        group = grouping(self.call.schema, kind)
        if group is not None:
            own = (
                (f"{group.name}__type", f"{group.name}__id") if group.data_type == "entity" else (group.name,)
            )
            columns += [table.c[name] for name in own]
        query = select(*columns).where(
            among(table.c.id, ids), table.c.retired == false(), table.c.project__id.is_not(None)
        )
        found = [(row[0], row[1], tuple(row[2:])) for row in self.call.connection.execute(query)]
        links = {Reference(*each[2]) for each in found if len(each[2]) == 2 and each[2][0] is not None}
        alive = known(self.call.connection, self.call.tables, links)
        places = {}
        for row_id, project, value in found:
            named: Group = None
            if len(value) == 2 and value[0] is not None:
                link = Reference(*value)
                named = link if link in alive and not alive[link].retired else None
            elif len(value) == 1:
                named = value[0]
            places[Reference(kind, row_id)] = Place(project, kind, group is not None, named, row_id)
        return places

    def _places_of_tasks(self, ids: Sequence[int]) -> dict[Reference, Place]:
        task = self.call.tables.of("Task")
        query = select(task.c.id, task.c.entity__type, task.c.entity__id).where(
            among(task.c.id, ids), task.c.retired == false(), task.c.entity__id.is_not(None)
        )
        parents = {row[0]: Reference(row[1], row[2]) for row in self.call.connection.execute(query)}
        places: dict[Reference, Place] = {}
        for kind, parent_ids in by_type(parents.values()):
            if kind in browsable_types(self.call.schema):
                places.update(self._places_of_rows(kind, parent_ids))
        return {
            Reference("Task", row_id): replace(places[parent], task=row_id)
            for row_id, parent in parents.items()
            if parent in places
        }

    def _shown_types(self) -> list[str]:
        """The types that show: all, or those that the seed is about, or all because Tasks stand below them."""
        types = browsable_types(self.call.schema)
        if self.targets is None or "Task" in self.targets:
            return types
        return [each for each in types if each in self.targets]

    def _shows_tasks(self) -> bool:
        return self.targets is None or "Task" in self.targets

    def _types_of(self, projects: Sequence[int]) -> dict[int, list[str]]:
        """The types that show below each project."""
        record, shown = self.call.tables.record, self._shown_types()
        query = select(record.c.project_id, record.c.type).where(
            among(record.c.project_id, projects), record.c.type.in_(shown), record.c.retired == false()
        )
        there = {(project, kind) for project, kind in self.call.connection.execute(query.distinct())}
        return {
            project: [kind for kind in shown if kind in ALWAYS_SHOWN or (project, kind) in there]
            for project in projects
        }

    def _rows(self, place: Place) -> tuple[Select[Any], Any]:
        """The ids of the rows of a type, or of one group of them, and the `record` that names them."""
        table = self.call.tables.of(place.entity_type)
        record, parent = self.call.tables.record.alias(), self.call.tables.record.alias()
        is_twin = and_(record.c.type == place.entity_type, record.c.id == table.c.id)
        joined = table.join(record, is_twin)
        conditions = [table.c.retired == false(), table.c.project__id == place.project]
        group = grouping(self.call.schema, place.entity_type)
        if place.grouped and group is not None:
            if group.data_type == "list":
                conditions.append(table.c[group.name] == place.group)
            elif isinstance(place.group, Reference):
                conditions.append(table.c[f"{group.name}__type"] == place.group.type)
                conditions.append(table.c[f"{group.name}__id"] == place.group.id)
            else:
                joined = joined.outerjoin(parent, self._names(parent, table, group.name))
                conditions.append(parent.c.id.is_(None))
        return select(table.c.id).select_from(joined).where(*conditions), record

    def _groups(self, place: Place) -> list[Group]:
        """The values that group the rows of a type, in the order of their names; rows without one come last."""
        table, group = self.call.tables.of(place.entity_type), grouping(self.call.schema, place.entity_type)
        assert group is not None
        mine = (table.c.retired == false(), table.c.project__id == place.project)
        if group.data_type == "list":
            values = self.call.connection.execute(
                select(table.c[group.name]).where(*mine).distinct()
            ).scalars()
            found: list[Group] = sorted(values, key=lambda value: (value is None, value or ""))
            return found
        parent = self.call.tables.record.alias()
        joined = table.outerjoin(parent, self._names(parent, table, group.name))
        query = select(parent.c.type, parent.c.id, parent.c.name__folded).select_from(joined).where(*mine)
        links = sorted(
            self.call.connection.execute(query.distinct()),
            key=lambda row: (row[1] is None, row[2] or "", row[1] or 0),
        )
        return [None if row[0] is None else Reference(row[0], row[1]) for row in links]

    @staticmethod
    def _names(parent: Any, table: Any, link: str) -> Any:
        """Whether a record is the living row that a link names: one to a retired row reads null."""
        return and_(
            parent.c.type == table.c[f"{link}__type"],
            parent.c.id == table.c[f"{link}__id"],
            parent.c.retired == false(),
        )

    def _first_row(self, place: Place) -> int | None:
        query, _ = self._rows(place)
        return self.call.connection.execute(query.limit(1)).scalar()

    def _tasks(self, row_ids: Sequence[int], entity_type: str) -> dict[int, list[int]]:
        """The Tasks of each row."""
        if not self._shows_tasks():
            return {}
        task = self.call.tables.of("Task")
        query = select(task.c.entity__id, task.c.id).where(
            task.c.entity__type == entity_type, among(task.c.entity__id, row_ids), task.c.retired == false()
        )
        tasks: dict[int, list[int]] = {}
        for row_id, task_id in self.call.connection.execute(query):
            tasks.setdefault(row_id, []).append(task_id)
        return tasks

    def _by_name(self, kind: str, ids: Iterable[int]) -> list[int]:
        # Sorted here: the database would rather walk all names than look a few up.
        found = known(self.call.connection, self.call.tables, [Reference(kind, each) for each in ids])
        return [row.id for row in sorted(found, key=lambda row: (folded(found[row].name or ""), row.id))]

    def _label(self, place: Place) -> tuple[str, tuple[str, Any]]:
        """The label and the reference of a node that is no row."""
        if place.project is None:
            return "Site", ("root", None)
        if not place.grouped:
            display_name = self.call.schema.types[place.entity_type].display_name
            return f"{display_name}s", ("entity_type", place.entity_type)
        if place.group is None:
            group = grouping(self.call.schema, place.entity_type)
            return f"No {group.display_name if group else ''}", ("empty", None)
        return str(place.group), ("list", place.group)


def _row_at(place: Place) -> Reference | None:
    """The row that a place stands for."""
    if place.task is not None:
        return Reference("Task", place.task)
    if place.row is not None:
        return Reference(place.entity_type, place.row)
    if place.grouped:
        return place.group if isinstance(place.group, Reference) else None
    if place.entity_type or place.project is None:
        return None
    return Reference("Project", place.project)
