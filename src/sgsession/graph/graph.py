"""Graph: all that one session knows, and the few ways in which it changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from weakref import ref

from ..entity import Entity, Key, Unknown, look_up
from ..errors import ForeignEntityError
from ..schema import Schema
from ..syntax.paths import links_on_the_way
from . import walks
from .copies import copied
from .identity import IdentityMap
from .left_out import LeftOut, ends_on_the_way
from .links import BackrefMap, drop_backrefs, mend
from .merge import Merge
from .open_reads import OpenReads
from .rows import RowMerge, RowPlan
from .wire import WireRows

__all__ = ["EXISTENCE", "Graph"]

# The fields that give a type its display name (wire.md 6.3) where it is not `code`.
_DISPLAY_FIELDS = {
    "Task": "content",
    "Booking": "note",
    "ClientUser": "name",
    "Department": "name",
    "HumanUser": "name",
    "Icon": "name",
    "Page": "name",
    "Project": "name",
    "Status": "name",
    "Tag": "name",
}
_PERSON = {
    "cached_display_name": frozenset({"firstname", "lastname", "name", "login", "email"}),
    "name": frozenset({"firstname", "lastname"}),
    "firstname": frozenset({"name"}),
    "lastname": frozenset({"name"}),
}
# What a site makes of other fields, and of which: those are old once one of these was written.
_MADE_OF = {
    "ClientUser": _PERSON,
    "HumanUser": _PERSON,
    **{
        # A name of several parts, or of a part of one, that is known only where a link brought it.
        entity_type: dict.fromkeys(("cached_display_name", "name"), frozenset(parts))
        for entity_type, parts in {
            "ApiUser": ("firstname", "lastname"),
            "Attachment": ("display_name", "filename", "this_file"),
            "Delivery": ("title",),
            "EventLogEntry": ("description",),
            "Note": ("subject", "content"),
            "Reply": ("content",),
            "Ticket": ("title",),
            "TimeLog": ("description",),
        }.items()
    },
}
_COMPOSED = _MADE_OF.keys() - _DISPLAY_FIELDS.keys()
# The "field" under which `writes` keeps that an entity was created, deleted or revived.
EXISTENCE = ""


class Graph:
    """The entities of one session. Callers that share it between threads hold `lock` while they use it.

    Args:
        session: what the entities call their session.
        schema: what is known of the site.
        entity_class: the class of the entities.
        lock: re-entrant; the graph itself takes it only where an entity is used outside the session.
    """

    def __init__(
        self, session: Any, schema: Schema, entity_class: type[Entity], lock: AbstractContextManager[Any]
    ) -> None:
        self.session = session
        self.schema = schema
        self.entity_class = entity_class
        self.lock = lock
        self.identity = IdentityMap()
        self.row_plans: dict[tuple[str, tuple[str, ...]], RowPlan | None] = {}
        # When this session wrote which field, on its own count. Kept only while a read is under way that
        # started earlier: only such a read can bring an older value back.
        self.writes: dict[Key, dict[str, int]] = {}
        self.left_out = LeftOut()
        # When the site's fields were edited, on the same count; and, while reads overlap, when a field last came.
        self._fields_edited = 0
        self._came: dict[tuple[str, str], int] = {}
        self._count = 0
        self._last_write = 0
        self._open: list[ref[OpenReads]] = []
        self._oldest_read = 0

    def renew(self, lock: AbstractContextManager[Any]) -> None:
        """Go on with another lock, in a forked child: nothing that was under way goes on there."""
        self.lock = lock
        self._open.clear()
        self.writes.clear()
        for entity in self.identity:
            for members in (entity._backrefs or {}).values():
                members.renew(lock)

    # Entities

    def entity(self, key: Key) -> Entity:
        """The entity of this type and id, made if the session does not have it."""
        found = self.identity.get(key)
        if found is None:
            entity_type, entity_id = key
            found = self.entity_class.make({"type": entity_type, "id": entity_id}, self)
            self.identity.add(found)
        return found

    def own(self, entity: Entity) -> None:
        """Refuse an entity that is not, or not any more, the one of its type and id here.

        Raises:
            ForeignEntityError: a ValueError. Taken in, it would be a second object for one entity.
        """
        if self.identity.get(entity.key) is not entity:
            raise ForeignEntityError(
                f"{entity['type']}:{entity['id']} belongs to another session, or this one has forgotten it; "
                f"session.merge(entity.as_dict()) brings it in."
            )

    def holds(self, value: Any) -> bool:
        """False for a link, or a list with one, to what was forgotten since."""
        links = value if isinstance(value, (list, tuple)) else (value,)
        return all(self.identity.get(one.key) is one for one in links if isinstance(one, Entity))

    def forget(self, entities: Iterable[Entity]) -> None:
        """Drop entities from the session: their links and the links to them go with them."""
        for entity in entities:
            try:
                for field, value in dict(entity).items():
                    drop_backrefs(entity, field, value, None)
                for (_, field), sources in list((entity._backrefs or {}).items()):
                    for source in sources:
                        # What linked to it is not known any more: a list without it would be a wrong answer.
                        self.remove_field(source, field)
                entity._backrefs = None
                self.left_out.forget(entity.key)
                self.writes.pop(entity.key, None)
                self.identity.discard(entity)
            except BaseException:
                if self.identity.get(entity.key) is entity:
                    mend(entity, self.lock)  # it stays, with what it links to
                raise

    # Changes

    def merge(
        self,
        data: Any,
        over: bool | None = None,
        created_at: Any = None,
        resolve: bool = True,
        moment: int | None = None,
    ) -> Any:
        """Merge raw entities; see `Session.merge`. `moment` is that of `reading`."""
        return Merge(self, over, created_at, resolve, moment).run(data)

    def merge_answer(self, rows: list[dict[str, Any]], moment: int, exist: bool) -> list[Entity]:
        """Merge the rows of an answer whose request started at this moment: they win over what is known.

        Args:
            rows: as the client gives them, or as the site sent them.
            moment: of `reading`; fields that were written since keep their values.
            exist: whether rows of this answer are on the site, or retired.
        """
        # What was written while the answer was under way is rare, and needs a look at each field.
        if isinstance(rows, WireRows):
            if self._last_write < moment:
                return RowMerge(self, rows, exist).run()
            rows = rows.decoded()
        entities: list[Entity] = self.merge(rows, over=True, resolve=False, moment=moment)
        self.saw(entities, exist, moment)
        return entities

    def assign(self, entity: Entity, fields: dict[Any, Any]) -> None:
        """Merge fields that somebody sets on an entity."""
        for name in ("type", "id"):
            if name in fields and fields[name] != entity[name]:
                raise ValueError(f"The {name} of an entity cannot be changed.")
        with self.lock:
            self.own(entity)
            merge = Merge(self, True, None, True)
            try:
                merge.assign(entity, fields)
            finally:
                # Also those that were set before one that is refused.
                for changed, field in merge.taken:
                    self.wrote(changed, (field,))

    def merge_fields(self, entity: Entity, fields: dict[str, Any]) -> None:
        """Put back fields that this graph had before, under the names that they had."""
        # Without the id: with it, a few fields beside a name would look like a link.
        Merge(self, True, None, False).assign(entity, {key: fields[key] for key in fields if key != "id"})

    def remove_field(self, entity: Entity, field: str) -> None:
        """Forget the value of a field."""
        try:
            drop_backrefs(entity, field, dict.get(entity, field), None)
            dict.pop(entity, field)
        except BaseException:
            mend(entity, self.lock)
            raise

    def note_left_out(
        self, rows: Sequence[dict[str, Any]], entities: Sequence[Entity], asked: Iterable[str], moment: int
    ) -> None:
        """Remember which of the paths that were asked for the rows of an answer do not have.

        Args:
            rows: at least one.
            entities: what they were merged into.
            asked: field paths.
            moment: of `reading`; what was left out before somebody edited the site's fields, or by an answer that a
                newer one with the field has overtaken, says nothing.
        """
        if moment < self._fields_edited:
            return
        alike = isinstance(rows, WireRows)
        for path in asked:
            if self._came and self._came.get(ends_on_the_way(rows[0]["type"], path)[-1], moment) > moment:
                continue
            # A site leaves fields that it does not have out of every row alike (wire.md 3.3). Who else answers may
            # know one row better than another. And a display name, for which a site has no field on most types, comes
            # with its link: only where the link had none is it left out.
            if alike and not path.endswith(".name"):
                if path not in rows[0] and all(link in rows[0] for link in links_on_the_way(path)):
                    self.left_out.note(rows[0]["type"], path)
                continue
            if self._last_write > moment:
                continue  # perhaps of the link on the way: what was left out was that of another entity
            for row, entity in zip(rows, entities, strict=True):
                if (
                    path not in row
                    and look_up(entity, path) is Unknown.NOT_LOADED
                    and not any(isinstance(look_up(entity, link), Unknown) for link in links_on_the_way(path))
                ):
                    self.left_out.note(entity["type"], path, entity["id"])

    def row_came(self, entity_type: str, keys: tuple[Any, ...]) -> None:
        """Rows with these keys have come: what was noted of these fields is void."""
        paths = [key for key in keys if isinstance(key, str)]
        self.left_out.row_came(entity_type, paths)
        if len(self.under_way()) > 1:
            self._came.update((ends_on_the_way(entity_type, path)[-1], self._count) for path in paths)

    def fields_edited(self) -> None:
        """Somebody edited the site's fields: what it left out it may have now, but for answers that are under way."""
        self._count += 1
        self._fields_edited = self._count
        self.left_out.clear()

    @staticmethod
    def settle_aside(entity: Entity, field: str, value: Any) -> dict[str, Any]:
        """What was noted beside a field is void once the field has a value.

        Returns:
            The deep values that came before their link and fill gaps of what the link turns out to hold.
        """
        aside = entity._aside or {}
        gaps: dict[str, Any] = {}
        for path in [path for path in aside if path == field or path.startswith(f"{field}.")]:
            noted = aside.pop(path)
            if path != field and isinstance(value, Entity):
                _, linked_type, rest = path.split(".", 2)
                if value["type"] == linked_type and look_up(value, rest) is Unknown.NOT_LOADED:
                    # By type and id: an entity may have been forgotten meanwhile.
                    gaps[rest] = copied(noted, lambda one: one.minimal if isinstance(one, Entity) else one)
        return gaps

    # Time

    @contextmanager
    def reading(self) -> Iterator[int]:
        """While answers to requests that begin now are under way: the moment to give to `merge` when they arrive."""
        reads = OpenReads(self)
        try:
            reads.begin(1)
            yield reads.first
            reads.end_first()
        finally:
            reads.clear()

    def next_moment(self) -> int:
        """A moment later than all before it."""
        self._count += 1
        return self._count

    def note_open(self, reads: OpenReads) -> None:
        """Know of reads as long as somebody holds them; from before their requests are made."""
        self.drop_old()
        if not any(one() is reads for one in self._open):
            self._open.append(ref(reads))

    def drop_old(self) -> None:
        """Let go of what no read that is under way could undo or deny."""
        self._open = [one for one in self._open if one()]
        under_way = self.under_way()
        if not under_way:
            self.writes.clear()
            self._came.clear()
        elif self.writes and self._oldest_read != (oldest := min(under_way)):
            # Where reads overlap without end, as in an iteration, there is never a moment without any.
            self._oldest_read = oldest
            self.writes = {
                key: later
                for key, written in self.writes.items()
                if (later := {field: when for field, when in written.items() if when > oldest})
            }

    def under_way(self) -> list[int]:
        """The moments of all reads that are under way."""
        # By tuple(), at one blow: whoever gives reads up may do so without the lock.
        return [moment for one in self._open for moment in tuple(one() or ())]

    def wrote(self, entity: Entity, fields: Iterable[str]) -> None:
        """Note that this session wrote fields: reads that are under way must not bring old values back."""
        if self.under_way():
            self._count += 1
            self._last_write = self._count
            self.writes.setdefault(entity.key, {}).update(dict.fromkeys(fields, self._count))

    def written_since(self, key: Key, field: str, moment: int) -> bool:
        """True when this session wrote a field after a moment of `reading`."""
        written = self.writes.get(key)
        return written is not None and written.get(field, -1) > moment

    def saw(self, entities: Iterable[Entity], exist: bool, moment: int | None = None) -> None:
        """Note whether entities are on the site, as the answer to a request of this moment says."""
        for entity in entities:
            if moment is None or not self.written_since(entity.key, EXISTENCE, moment):
                entity._exists = exist

    # Views

    def display_name(self, entity: Entity) -> str | None:
        """What a site would show as the entity's name, as far as it is known."""
        entity_type = entity["type"]
        fields = ["cached_display_name", self.schema.display_name_field(entity_type)]
        if entity_type not in _COMPOSED:
            # Where one field gives the name it is the newer: updates reach it, but not the names in links.
            fields.insert(0, _DISPLAY_FIELDS.get(entity_type, "code"))
        for field in fields:
            name = dict.get(entity, field)
            if isinstance(name, str):
                return name
        return None

    def rename(self, entity: Entity, written: Collection[str]) -> list[str]:
        """After an update, names that are made of what was written are old; one that is a copy of it follows.

        Returns:
            The fields that are others now, or not known any more: an answer that is under way has the old ones.
        """
        entity_type = entity["type"]
        source = _DISPLAY_FIELDS.get(entity_type, "code")
        made_of = _MADE_OF.get(entity_type, {"cached_display_name": frozenset({source})})
        old = [
            field
            for field, parts in made_of.items()
            if field not in written and not parts.isdisjoint(written)
        ]
        for field in old:
            if dict.__contains__(entity, field):
                self.remove_field(entity, field)
        is_copied = entity_type not in _MADE_OF and self.schema.display_name_field(entity_type) == "name"
        new = dict.get(entity, source)
        if source in written and is_copied and isinstance(new, str):
            old.append("name")
            if dict.__contains__(entity, "name"):
                dict.__setitem__(entity, "name", new)
        return old

    def link_name(self, entity: Entity, otherwise: Any) -> Any:
        """The display name of a linked entity, where its type has no other field called `name`."""
        if self.schema.display_name_field(entity["type"]) != "name":
            return otherwise
        name = self.display_name(entity)
        return otherwise if name is None else name

    def backrefs(self, entity: Entity) -> BackrefMap:
        """The entity's back-references, as a mapping that follows them."""
        return BackrefMap(entity, self.lock)

    def as_dict(self, entity: Entity) -> dict[str, Any]:
        """See `Entity.as_dict`. A snapshot."""
        with self.lock:
            return walks.as_dict(entity)

    def pretty_lines(self, entity: Entity, backrefs: walks.BackrefChoice, depth: int) -> list[str]:
        """See `Entity.pprint`. A snapshot."""
        with self.lock:
            return list(walks.pretty_lines(entity, backrefs, depth))

    def unknown_paths(self, entity: Entity, paths: Iterable[str]) -> list[str]:
        """Those of `paths` that the site would have to be asked for."""
        return [path for path in paths if look_up(entity, path) is Unknown.NOT_LOADED]
