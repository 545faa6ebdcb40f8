"""Links and their far side: what a field links to, and what is linked from where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, overload

from ..entity import Entity, is_raw_entity
from ..errors import SyntaxProblem

__all__ = [
    "BackrefMap",
    "Backrefs",
    "LinkList",
    "add_backref",
    "add_backrefs",
    "backrefs_of",
    "drop_backrefs",
    "mend",
]

Lock = AbstractContextManager[Any]


class Backrefs(Sequence[Entity]):
    """The entities that link here from one field of one type, in the order in which they were seen.

    `in` takes constant time. Iterating takes a snapshot, so that other threads may merge meanwhile.
    """

    __slots__ = ("_lock", "_members", "_snapshot")

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        # A list while members only come, a dict by id() once one is looked for or goes: most never are, and
        # a list takes a tenth of the room. An Entity's own hash would be a Python call.
        self._members: list[Entity] | dict[int, Entity] = []
        self._snapshot: tuple[Entity, ...] | None = None

    def add(self, entity: Entity) -> None:
        """Note that `entity`, which did not, links here; only the graph calls this, under the lock."""
        self._snapshot = None  # first: an interrupt in between must not leave an old one
        members = self._members
        if members.__class__ is list:
            members.append(entity)
        else:
            members[id(entity)] = entity

    def quick_add(self) -> Callable[[Entity], None]:
        """`add`, for whoever holds the lock until the last call, with nothing discarded in between."""
        members = self._members
        if isinstance(members, dict):
            return self.add
        self._snapshot = None
        return members.append

    def discard(self, entity: Entity) -> None:
        """Note that `entity` links here no more; only the graph calls this, under the lock."""
        self._snapshot = None
        self._by_id().pop(id(entity), None)

    def _by_id(self) -> dict[int, Entity]:
        members = self._members
        if isinstance(members, list):
            members = self._members = {id(member): member for member in members}
        return members

    def renew(self, lock: Lock) -> None:
        """Go on with another lock."""
        self._lock = lock

    def snapshot(self) -> tuple[Entity, ...]:
        """The members at this moment."""
        found = self._snapshot
        if found is None:
            with self._lock:
                members = self._members
                found = self._snapshot = tuple(members if isinstance(members, list) else members.values())
        return found

    def __contains__(self, entity: object) -> bool:
        if isinstance(entity, Entity):
            with self._lock:
                return id(entity) in self._by_id()
        return is_raw_entity(entity) and any(member.is_same_entity(entity) for member in self.snapshot())  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Entity]:
        return iter(self.snapshot())

    def __len__(self) -> int:
        return len(self._members)

    @overload
    def __getitem__(self, index: int) -> Entity: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entity, ...]: ...
    def __getitem__(self, index: int | slice) -> Entity | tuple[Entity, ...]:
        return self.snapshot()[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Backrefs):
            return self.snapshot() == other.snapshot()
        if isinstance(other, (list, tuple)):
            return self.snapshot() == tuple(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return tuple, (self.snapshot(),)

    def __repr__(self) -> str:
        return f"Backrefs({list(self.snapshot())!r})"


class BackrefMap(Mapping[tuple[str, str], Backrefs]):
    """(type, field) → what is known to link here from it. A pair from which nothing does gives an empty one.

    Raises:
        SyntaxProblem: a ValueError; it is looked up by something else than such a pair.
    """

    __slots__ = ("_entity", "_lock")

    def __init__(self, entity: Entity, lock: Lock) -> None:
        self._entity = entity
        self._lock = lock

    def __getitem__(self, key: tuple[str, str]) -> Backrefs:
        found: Backrefs | None = (self._entity._backrefs or {}).get(key)
        if found is not None:
            return found
        asked: Any = key
        if not isinstance(asked, tuple) or [*map(type, asked)] != [str, str]:
            raise SyntaxProblem(
                f"Back-references are looked up by type and field, backrefs['Task', 'entity'], not by {key!r}."
            )
        # Kept, so that whoever holds it sees what comes.
        with self._lock:
            return backrefs_of(self._entity, key, self._lock)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        with self._lock:
            return iter([key for key, members in (self._entity._backrefs or {}).items() if members])

    def __contains__(self, key: object) -> bool:
        return bool((self._entity._backrefs or {}).get(key))  # type: ignore[call-overload]

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        """What links here from (type, field), or the default where nothing is known to."""
        return self[key] if key in self else default  # noqa: SIM401  # self[key] never raises a KeyError

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"BackrefMap({ {key: list(self[key]) for key in self}!r})"


class LinkList(list[Any]):
    """The value of a field that holds several links: a list which remembers whom it has back-references with.

    Somebody may have changed it in place since; the next merge must still find all that it had linked.
    """

    __slots__ = ("linked",)

    linked: Sequence[Entity] | None
    """None until it has back-references with any."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.linked = None

    def __reduce__(self) -> Any:
        return list, (list(self),)


def targets(value: Any) -> Sequence[Entity]:
    """The entities that a field with this value links to."""
    if isinstance(value, Entity):
        return (value,)
    if isinstance(value, (list, tuple)):
        return [item for item in value if isinstance(item, Entity)]
    return ()


def linked_by(value: Any) -> Sequence[Entity]:
    """The entities that have back-references from a field with this value.

    Somebody may have changed a list in place since; one that held no links when it was merged is a plain list.
    """
    if isinstance(value, LinkList):
        return value.linked or ()
    return () if isinstance(value, list) else targets(value)


def drop_backrefs(source: Entity, field: str, before: Any, after: Any) -> None:
    """Take back those back-references of a field that its next value will not have."""
    old = linked_by(before)
    if not old:
        return
    key = (source["type"], field)
    kept = {id(target) for target in targets(after)}
    for target in old:
        if id(target) not in kept and target._backrefs and key in target._backrefs:
            target._backrefs[key].discard(source)


def add_backrefs(source: Entity, field: str, before: Any, after: Any, lock: Lock) -> None:
    """Note those back-references of a field that its value before did not have."""
    new = targets(after)
    if isinstance(after, LinkList):
        after.linked = new
    key = (source["type"], field)
    known = {id(target) for target in linked_by(before)}
    for target in new:
        if id(target) not in known:
            known.add(id(target))
            add_backref(target, key, source, lock)


def mend(source: Entity, lock: Lock) -> None:
    """Note what an interrupt between a link and its back-reference has left out.

    Whoever changes a field drops back-references first and adds them last: there is never one without its link.
    """
    for field, value in dict(source).items():
        if isinstance(value, LinkList) and value.linked is None:
            value.linked = targets(value)
        for target in linked_by(value):
            members = backrefs_of(target, (source["type"], field), lock)
            if source not in members:
                members.add(source)


def add_backref(target: Entity, key: tuple[str, str], source: Entity, lock: Lock) -> None:
    """Note that an entity of this type links to the target from this field, which it did not before."""
    backrefs_of(target, key, lock).add(source)


def backrefs_of(target: Entity, key: tuple[str, str], lock: Lock) -> Backrefs:
    """What is known to link to the target from this field, to add to."""
    if target._backrefs is None:
        target._backrefs = {}
    members = target._backrefs.get(key)
    if members is None:
        members = target._backrefs[key] = Backrefs(lock)
    return members
