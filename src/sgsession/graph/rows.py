"""Merging the rows of an answer in one pass: from what JSON gave to entities, by a plan for each shape of row.

It does what `Merge` does with the same rows decoded (a property test holds them together), for the case that
nearly all rows are: flat, winning over what is known, with nothing written meanwhile. What is odd about a single
value is handed to a `Merge`; what is odd about a page, the whole page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..entity import Entity
from ..errors import SyntaxProblem
from ..syntax.paths import split_first_hop
from .links import LinkList, add_backref, add_backrefs, backrefs_of, drop_backrefs, mend
from .merge import Merge
from .wire import WireRows

if TYPE_CHECKING:
    from .graph import Graph

__all__ = ["RowMerge", "RowPlan", "plan_of"]

_NOTHING: Any = object()
_put = dict.__setitem__
_get = dict.get
_LINK = {"type", "id", "name"}
# The values that may lead to entities: of a tuple, only what somebody has set.
_MAY_LINK = (dict, list, tuple)


class RowPlan:
    """Where the values of rows with these keys go.

    Attributes:
        fields: for each field the key of the row, the name on the entity, and the key of its back-references.
        deep: for each link with deep values its field, the type that they are for, and the plan of these.
    """

    __slots__ = ("deep", "fields")

    def __init__(self, entity_type: str, paths: Iterable[tuple[str, str]]) -> None:
        self.fields: list[tuple[str, str, tuple[str, str]]] = []
        parts: dict[tuple[str, str], list[tuple[str, str]]] = {}
        links = set()
        for source, path in paths:
            if "." in path:
                link, linked_type, rest = split_first_hop(path)
                parts.setdefault((link, linked_type), []).append((source, rest))
            else:
                links.add(path)
                if path not in ("type", "id"):
                    self.fields.append((source, path, (entity_type, path)))
        unknown = {link for link, _ in parts} - links
        if unknown:
            # Their values wait for their links, beside the entity.
            raise SyntaxProblem(f"The rows have no {', '.join(sorted(unknown))}.")
        self.deep = [
            (link, linked_type, RowPlan(linked_type, [*part, ("", "id")]))
            for (link, linked_type), part in parts.items()
        ]


def plan_of(graph: Graph, entity_type: str, keys: tuple[str, ...]) -> RowPlan | None:
    """The plan for rows of a type with these keys; None for rows that need a `Merge`."""
    plans = graph.row_plans
    shape = (entity_type, keys)
    if shape not in plans:
        if len(plans) >= 1000:
            plans.clear()  # somebody asks for other fields each time
        try:
            plans[shape] = RowPlan(entity_type, [(key, key) for key in keys])
        except SyntaxProblem:
            plans[shape] = None
    return plans[shape]


# For each field the key of the row, the name on the entity, the key of its back-references, and what the page has
# linked to from it so far: id → the link, its entity, and what notes one more back-reference of that.
_Known = dict[Any, tuple[dict[str, Any], Entity, Callable[[Entity], None]]]
_Fields = list[tuple[str, str, tuple[str, str], _Known]]


class RowMerge:
    """One run of merging a page; made, run once under the graph's lock, and thrown away."""

    def __init__(self, graph: Graph, rows: WireRows, exist: bool) -> None:
        self._graph = graph
        self._rows = rows
        self._exist = exist
        self._top = rows.values.top
        self._nested = rows.values.nested
        self._odd: Merge | None = None
        # type → id → (name, entity): the links of a page are few and come again and again.
        self._links: dict[str, dict[int, tuple[Any, Entity]]] = {}
        self._filled: dict[RowPlan, set[int]] = defaultdict(set)
        self._known: list[_Known] = []
        self._forgotten = 0
        # What is being merged.
        self._row: dict[str, Any] = {}
        self._plan: RowPlan | None = None

    def run(self) -> list[Entity]:
        """The entities of the rows, in their order."""
        try:
            return self._run()
        except BaseException:
            key = (self._row.get("type", ""), self._row.get("id", 0))
            self._mend(self._graph.identity.get(key), self._plan)
            raise
        finally:
            if self._odd is not None:
                self._odd.work()  # also what comes before a row that cannot be merged is whole

    def _run(self) -> list[Entity]:
        graph, exist = self._graph, self._exist
        found: list[Entity] = []
        keys: tuple[str, ...] | None = None
        entity_type = ""
        plan: RowPlan | None = None
        fields: _Fields = []
        for row in self._rows:
            self._row = row
            if keys != (keys := tuple(row)) or row["type"] != entity_type:
                entity_type = row["type"]
                plan = self._plan = plan_of(graph, entity_type, keys)
                graph.row_came(entity_type, keys)
                fields = self._fields_of(plan)
                entities = graph.identity.of_type(entity_type)
                form = {"type": entity_type, "id": 0, **{field: None for _, field, _, _ in fields}}
            entity_id = row["id"]
            entity = entities.get(entity_id)
            if plan is None or (entity is not None and entity._aside):
                entity = self._merge_odd_row(row)
            elif entity is None:
                form["id"] = entity_id
                entity = self._new(row, fields, form, plan, entities)
            else:
                self._fill(entity, row, plan)
            entity._exists = exist
            found.append(entity)
        return found

    def _fields_of(self, plan: RowPlan | None) -> _Fields:
        if plan is None:
            return []
        known: list[_Known] = [{} for _ in plan.fields]
        self._known += known
        return [(*field, links) for field, links in zip(plan.fields, known, strict=True)]

    def _new(
        self,
        row: dict[str, Any],
        fields: _Fields,
        form: dict[str, Any],
        plan: RowPlan,
        entities: dict[int, Entity],
    ) -> Entity:
        """The entity of a row that nothing is known of: no value to compare, no link to undo.

        Its fields are put into `form`, which has them all already, and copied at once: a dict that grows field by
        field is built twice. Back-references come last, so that an interrupt leaves none from what is not there.
        """
        top = self._top
        forgotten = self._forgotten
        links_here: list[Callable[[Entity], None]] = []
        lists: list[tuple[str, Any]] = []
        is_first = False  # of the rows of this page with one of its links: the others say the same of what it leads to
        for source, field, key, links in fields:
            value = row[source]
            kind = value.__class__
            if kind is str:
                value = top[value]
            elif kind is dict:
                link_id = value.get("id")
                known = links.get(link_id) if link_id.__class__ is int else None
                # The link that this field had before in this page: most links are.
                if known is not None and known[0] == value:
                    value = known[1]
                    links_here.append(known[2])
                else:
                    is_first = True
                    value = self._new_target(value, key, links, links_here)
            elif kind is list:
                value = self._list(value)
                lists.append((field, value))
            form[field] = value
        entity_id = form["id"]
        if entity_id in entities or self._forgotten != forgotten:
            # A link led to the row itself, or changed what is noted of links: once more, field by field.
            entity = self._graph.entity((form["type"], entity_id))
            self._fill(entity, row, plan)
            return entity
        entity = entities[entity_id] = self._graph.entity_class.make(form, self._graph)
        for add in links_here:
            add(entity)
        for field, value in lists:
            add_backrefs(entity, field, None, value, self._graph.lock)
        if is_first and plan.deep:
            self._fill_deep(entity, row, plan)
        return entity

    def _new_target(
        self,
        link: dict[str, Any],
        key: tuple[str, str],
        links: _Known,
        links_here: list[Callable[[Entity], None]],
    ) -> Any:
        """What stands for a link that this field did not have yet in this page."""
        target = self._link(link)
        if isinstance(target, Entity):
            add = backrefs_of(target, key, self._graph.lock).quick_add()
            links_here.append(add)
            if link.keys() == _LINK:
                links[link["id"]] = (link, target, add)
        return target

    def _fill(self, entity: Entity, row: dict[str, Any], plan: RowPlan) -> None:
        """Take a row into an entity that has some fields."""
        top = self._top
        for source, field, key in plan.fields:
            value = row[source]
            kind = value.__class__
            if kind is str:
                value = top[value]
            elif kind is dict:
                value = self._link(value)
            elif kind is list:
                value = self._list(value)
            before = _get(entity, field, _NOTHING)
            if value is before and kind is not list:
                continue
            if isinstance(before, _MAY_LINK):
                drop_backrefs(entity, field, before, value)
                self._forget_known()
            _put(entity, field, value)
            if entity._aside:
                self._settle(entity, field, value)
            if before is _NOTHING and isinstance(value, Entity):
                add_backref(value, key, entity, self._graph.lock)
            elif kind is dict or kind is list:
                add_backrefs(entity, field, before, value, self._graph.lock)
        if plan.deep:
            self._fill_deep(entity, row, plan)

    def _fill_deep(self, entity: Entity, row: dict[str, Any], plan: RowPlan) -> None:
        """Hand deep values on to the entities that the links lead to, once for each in a page."""
        for link, linked_type, part in plan.deep:
            target = _get(entity, link)
            filled = self._filled[part]
            if id(target) in filled:
                continue
            # The identity map keeps entities alive, so that no other object gets their id.
            filled.add(id(target))
            # A value for another type than the link has says nothing.
            if isinstance(target, Entity) and _get(target, "type") == linked_type:
                self._fill(target, row, part)

    def _link(self, link: dict[str, Any]) -> Any:
        """What stands for a dict that is the value of a field: mostly the entity that it links to."""
        if len(link) == 3:
            try:
                name, known = self._links[link["type"]][link["id"]]
                if name == link["name"] and link["id"].__class__ is int:  # and not True, which is 1
                    return known
            except (KeyError, TypeError):
                pass
            if link.keys() == _LINK:
                return self._new_link(link)
        return self._odd_value(self._rows.values.field(link))

    def _new_link(self, link: dict[str, Any]) -> Any:
        """A link that this page has not had yet."""
        entity_type, entity_id, name = link["type"], link["id"], link["name"]
        if entity_type.__class__ is not str or entity_id.__class__ is not int:
            return self._odd_value(self._rows.values.field(link))
        graph = self._graph
        field = graph.schema.display_name_field(entity_type)
        value = self._nested[name] if name.__class__ is str else self._rows.values.value(name)
        entities = graph.identity.of_type(entity_type)
        target = entities.get(entity_id)
        if target is None:
            target = graph.entity_class.make({"type": entity_type, "id": entity_id}, graph)
            entities[entity_id] = target
        self._links.setdefault(entity_type, {})[entity_id] = (name, target)
        before = _get(target, field, _NOTHING)
        if before is not value:
            if isinstance(before, _MAY_LINK) or isinstance(value, _MAY_LINK):
                return self._odd_value({**link, "name": value})
            _put(target, field, value)
            if target._aside:
                self._settle(target, field, value)
        return target

    def _list(self, items: list[Any]) -> Any:
        """What stands for a list that is the value of a field."""
        if not items:
            return []
        values = self._rows.values
        links = LinkList()
        for item in items:
            if item.__class__ is not dict or item.keys() != _LINK:
                return self._odd_value(values.value(items))
            links.append(self._link(item))
        return links

    def _merge_odd_row(self, row: dict[str, Any]) -> Entity:
        """Merge a row in the other way, whole."""
        entity: Entity = self._graph.merge([self._rows.values.row(row)], over=True, resolve=False)[0]
        self._forget_known()
        return entity

    def _odd_value(self, value: Any) -> Any:
        if self._odd is None:
            self._odd = Merge(self._graph, True, None, False)
        return self._odd.value(value)

    def _settle(self, entity: Entity, field: str, value: Any) -> None:
        gaps = self._graph.settle_aside(entity, field, value)
        if gaps:
            self._graph.merge({"type": value["type"], "id": value["id"], **gaps}, over=True, resolve=False)
            self._forget_known()

    def _mend(self, entity: Entity | None, plan: RowPlan | None) -> None:
        """Whatever was interrupted in the merging of a row: what it has linked has its back-references."""
        if entity is None or plan is None:
            return
        mend(entity, self._graph.lock)
        for link, _, part in plan.deep:
            target = _get(entity, link)
            if isinstance(target, Entity):
                self._mend(target, part)

    def _forget_known(self) -> None:
        """A link went away: that may have changed the form of back-references, and what was noted of them with it."""
        self._forgotten += 1
        for links in self._known:
            links.clear()
