"""Merging: raw answers into entities, which value wins, and why.

One `Merge` takes one answer. It never recurses, whatever the depth or the cycles of the answer: what is
nested is adopted at once as an empty shell, and filled later from a queue.
"""

from __future__ import annotations

from collections import deque
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ..entity import Entity, Unknown, is_raw_entity, look_up
from ..errors import SyntaxProblem
from ..syntax.instants import instant
from ..syntax.paths import split_first_hop
from .copies import rebuilt
from .links import LinkList, add_backrefs, drop_backrefs, mend

if TYPE_CHECKING:
    from .graph import Graph

__all__ = ["Merge"]

_PLAIN = frozenset({str, int, float, bool, type(None), datetime, date, bytes})
_NOTHING = Unknown.NOT_LOADED
# What a site puts beside type, id and name into a link (wire.md 3.3); a link with these alone is not a row.
_LINK_KEYS = frozenset({"type", "id", "name", "valid", "status", "template_task_id"})


class _Gaps(dict[str, Any]):
    """Values that had waited for their link: older than whatever is known by the time that they are filled in."""


class Merge:
    """One run of merging into a graph; made, run once, and thrown away.

    Args:
        graph: where the entities are.
        over: True when the new values win, False when the old do, None when the newer do.
        created_at: the age of rows that do not say their own, in any form that `instant` reads.
        resolve: whether field names may be aliases of the schema.
        moment: when the request behind these values started, on the graph's own count; fields that this
            session has written since keep their values.
    """

    __slots__ = (
        "_answered", "_by_hand", "_created_at", "_graph", "_jobs", "_kept", "_memo", "_moment", "_over", "_resolve",
        "_shape", "taken",
    )  # fmt: skip

    def __init__(
        self, graph: Graph, over: bool | None, created_at: Any, resolve: bool, moment: int | None = None
    ) -> None:
        self._graph = graph
        self._over = over
        self._created_at = instant(created_at)
        self._resolve = resolve
        self._moment = moment
        self._jobs: deque[tuple[Any, Any, Any]] = deque()
        # By id(): `data` keeps every nested object alive until the run ends.
        self._memo: dict[int, Any] = {}
        self._answered: set[int] = set()
        self._kept: list[Any] = []
        self._by_hand = False
        # Type and keys of the last row: those of an answer mostly have the same.
        self._shape: tuple[Any, ...] = ()
        self.taken: list[tuple[Entity, str]] = []

    def run(self, data: Any) -> Any:
        """Merge all entities in a nested structure; return its copy, in which they are the session's."""
        # Rows that were asked for are no links, even where they hold a name and nothing else.
        self._answered = {id(row) for row in data} if isinstance(data, (list, tuple)) else {id(data)}
        result = self._adopt(data, None)
        self.work()
        return result

    def assign(self, entity: Entity, row: dict[str, Any]) -> None:
        """Merge fields that were set on an entity by hand; `taken` says which fields of which entities changed."""
        self._by_hand = True
        self._jobs.append((entity, row, None))
        self.work()

    def value(self, value: Any) -> Any:
        """What stands for the value of a field; `work` fills what is nested in it."""
        # By id(), and nobody else may keep it alive until then.
        self._kept.append(value)
        return self._field_value(value, None)

    def work(self) -> None:
        """Fill what was adopted so far."""
        jobs = self._jobs
        while jobs:
            shell, source, age = jobs.popleft()
            if isinstance(shell, Entity):
                try:
                    self._fill_entity(shell, source, age)
                except BaseException:
                    mend(shell, self._graph.lock)
                    raise
            elif isinstance(shell, dict):
                for key, value in source.items():
                    shell[key] = value if value.__class__ in _PLAIN else self._adopt(value, age)
            else:
                shell.extend(self._adopt(item, age) for item in source)

    def _adopt(self, value: Any, age: Any) -> Any:
        """What stands for `value` in the copy; containers are filled when their turn comes."""
        if value.__class__ in _PLAIN:
            return value
        if isinstance(value, Entity):
            self._graph.own(value)
            return value
        if not isinstance(value, (dict, list, tuple)):
            return value
        known = self._memo.get(id(value))
        if known is not None:
            return known
        shell: Any
        if isinstance(value, tuple):
            shell = rebuilt(value, lambda item: self._adopt(item, age))
            self._memo[id(value)] = shell
            return shell
        if isinstance(value, dict) and is_raw_entity(value):
            entity_type = value["type"]
            if self._resolve and entity_type[:1] == "$":
                entity_type = self._graph.schema.type_name(entity_type)
            shell = self._graph.entity((entity_type, value["id"]))
            self._memo[id(value)] = shell
            if len(value) > 2:
                self._jobs.append((shell, value, age))
            return shell
        shell = [] if isinstance(value, list) else {}
        self._memo[id(value)] = shell
        self._jobs.append((shell, value, age))
        return shell

    def _field_value(self, value: Any, age: Any) -> Any:
        """Like `_adopt`, but a list is filled at once: its links must be known to move back-references."""
        if isinstance(value, list):
            # Never one that was mentioned before: it may be unfilled yet, and each field has links of its own.
            links = LinkList() if any(isinstance(item, dict) for item in value) else []
            self._memo.setdefault(id(value), links)
            links.extend([self._adopt(item, age) for item in value])
            return links
        return self._adopt(value, age)

    def _fill_entity(self, entity: Entity, row: dict[str, Any], age: Any) -> None:
        if isinstance(row, _Gaps):
            # What stands before it in the queue may have filled them.
            row = {path: value for path, value in row.items() if look_up(entity, path) is Unknown.NOT_LOADED}
        wins, age = self._wins(entity, row, age)
        graph = self._graph
        known = dict.get
        is_answer = id(row) in self._answered
        if self._resolve and graph.schema.has_aliases:
            row = {graph.schema.path(entity["type"], path): value for path, value in row.items()}
        if is_answer:
            # Not what is nested in it: links bring display names, and attachments keys, that are no fields.
            shape = (entity["type"], *row)
            if shape != self._shape:
                self._shape = shape
                graph.row_came(shape[0], shape[1:])
        elif "name" in row and "id" in row and row.keys() <= _LINK_KEYS:
            row = self._link_row(entity, row)
        deep = {path: value for path, value in row.items() if path.__class__ is str and "." in path}
        links = self._links_by_id(row, deep) if deep else None
        if links:
            row = {**links, **row}
        newer_here: list[tuple[Entity, _Gaps, Any]] = []
        writes = graph.writes if self._moment is not None else None
        for field, value in row.items():
            if field == "type" or field == "id" or (deep and field in deep):
                continue
            before = known(entity, field, _NOTHING)
            is_known = before is not _NOTHING
            if (is_known and not wins) or (
                writes and graph.written_since(entity.key, field, self._moment or 0)
            ):
                # The value is not taken, but the entities that it speaks of are merged all the same.
                if value.__class__ not in _PLAIN:
                    self._field_value(value, age)
                continue
            if value is before and not isinstance(value, list):
                if self._by_hand:
                    self.taken.append((entity, field))  # somebody means it, whatever is read meanwhile
                continue
            after = value if value.__class__ in _PLAIN else self._field_value(value, age)
            if is_known and before.__class__ not in _PLAIN:
                drop_backrefs(entity, field, before, after)
            dict.__setitem__(entity, field, after)
            if self._by_hand:
                self.taken.append((entity, field))
            if entity._aside:
                gaps = graph.settle_aside(entity, field, after)
                if gaps:
                    job = (after, _Gaps({"type": after["type"], **gaps}), age)
                    if wins:
                        newer_here.append(job)
                    else:
                        self._jobs.append(job)
            if after.__class__ not in _PLAIN:
                add_backrefs(entity, field, before, after, graph.lock)
        if deep:
            self._fill_deep(entity, row, deep, age, wins)
        self._jobs.extend(newer_here)  # last: what this row says of the same fields is newer

    def _wins(self, entity: Entity, row: dict[str, Any], around: Any) -> tuple[bool, Any]:
        """Whether the row's values replace known ones, and how old the row is."""
        if self._over is not None:
            return self._over, None
        own = instant(row.get("updated_at"))
        age = own or self._created_at or around
        if age is None:
            return True, None  # without any age it was read now
        known = _age_of(entity)
        wins = known is None or age > known
        if wins and own is None:
            entity._age = age
        return wins, age

    def _link_row(self, entity: Entity, row: dict[str, Any]) -> dict[str, Any]:
        """A link's `name` is the display name, which is not the field `name` of every type."""
        field = self._graph.schema.display_name_field(entity["type"])
        # A nested {type, id, name} of a PublishedFile may also be a row of which only the field `name` is
        # known. Nothing tells the two apart; sites send links so, and rows with their important fields.
        if field == "name":
            return row
        return {field if key == "name" else key: value for key, value in row.items()}

    def _links_by_id(self, row: dict[str, Any], deep: dict[str, Any]) -> dict[str, Any]:
        """The links of which a row says the id alone: `entity.Shot.id`."""
        found: dict[str, Any] = {}
        for path, value in deep.items():
            if path.endswith(".id") and value.__class__ is int:
                link, _, rest = path.partition(".")
                linked_type, _, field = rest.partition(".")
                if field == "id" and link and linked_type and link not in row:
                    found[link] = self._graph.entity((linked_type, value))
        return found

    def _fill_deep(
        self, entity: Entity, row: dict[str, Any], deep: dict[str, Any], age: Any, wins: bool
    ) -> None:
        """Hand deep values on to the linked entities, as a row for each."""
        is_older = not wins and age is not None and age < _age_of(entity)
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for path, value in deep.items():
            try:
                link, linked_type, rest = split_first_hop(path)
            except SyntaxProblem:
                # Not a deep path after all, and not ours to lose.
                dict.__setitem__(entity, path, value)
                continue
            rows.setdefault((link, linked_type), {})[rest] = value
        for (link, linked_type), part in rows.items():
            # The row's own link comes first: where an older row lost, the entity's link is another one.
            target = self._adopt(row[link], age) if link in row else dict.get(entity, link, _NOTHING)
            if is_older and link not in row and target is not _NOTHING:
                continue  # of when the link may have been another one
            part.pop("id", None)  # which the link has
            if isinstance(target, Entity):
                # A value for another type than the link has says nothing.
                if target["type"] == linked_type:
                    self._jobs.append((target, {"type": linked_type, **part}, age))
            elif target is _NOTHING:
                if entity._aside is None:
                    entity._aside = {}
                for rest, value in part.items():
                    path = f"{link}.{linked_type}.{rest}"
                    if wins or path not in entity._aside:
                        entity._aside[path] = self._field_value(value, age)


def _age_of(entity: Entity) -> Any:
    """The moment of the newest values that the entity took, or None."""
    known = (instant(dict.get(entity, "updated_at")), entity._age)
    return max((moment for moment in known if moment is not None), default=None)
