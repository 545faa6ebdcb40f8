"""Entity: the dict that a client would give, with one identity in its session, links and shortcuts."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .errors import FieldNotLoadedError, NotAnEntityError, SessionError, SyntaxProblem, UnknownNameError
from .syntax.braces import expand_braces
from .syntax.paths import is_deep, links_on_the_way, split_first_hop

if TYPE_CHECKING:
    from .graph.graph import Graph
    from .graph.links import BackrefMap

__all__ = ["Entity", "Unknown", "is_raw_entity", "look_up", "minimize", "same_identity"]

Key = tuple[str, int]

# The client walks what it sends by recursion, two calls for each level.
_DEEPEST = 400
_take = dict.update
E = TypeVar("E", bound="Entity")


class Unknown(Enum):
    """Why a path has no value."""

    NOT_LOADED = "nobody has asked the site for it"
    NOT_THERE = "the site was asked and has no such field"


def is_raw_entity(value: Any) -> bool:
    """True for a dict that names an entity: a text as `type`, an integer as `id`."""
    if not isinstance(value, dict):
        return False
    entity_id = dict.get(value, "id")
    return (
        isinstance(dict.get(value, "type"), str)
        and isinstance(entity_id, int)
        and type(entity_id) is not bool
    )


class Entity(dict[str, Any]):
    """One entity of a session: a dict of its fields, linked to the other entities.

    It is made by the session: two answers that speak of the same type and id give the same object.
    Deep paths read through the links: `task['entity.Shot.code']`. A field that was never fetched raises
    a `FieldNotLoadedError`, which is a `KeyError`. Setting a field merges the value, so that a raw link
    becomes the session's entity; the site learns of it only by `Session.update`.

    Args:
        type_: the type.
        id_: the id.
        session: the session that it becomes a part of.

    Raises:
        ValueError: the session already has an entity of that type and id; ask it by `merge` or `get`.
    """

    __slots__ = ("_age", "_aside", "_backrefs", "_exists", "_graph")

    _graph: Graph
    # What is known under a path that is no key: deep values whose link is not known yet.
    _aside: dict[str, Any] | None
    _backrefs: dict[tuple[str, str], Any] | None
    _exists: bool | None
    # The age of the newest row that won a merge and had no `updated_at` of its own.
    _age: Any

    # What a plain dict would give, and deepcopy of one graph node would mean a copy of the whole graph.
    fromkeys: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, type_: str, id_: int, session: Any) -> None:
        if not is_raw_entity({"type": type_, "id": id_}):
            raise NotAnEntityError(
                f"An entity has a text as type and an integer as id, not {type_!r}, {id_!r}."
            )
        self._begin(type_, id_, session.graph)
        with self._graph.lock:
            self._graph.identity.add(self)

    @classmethod
    def make(cls: type[E], fields: dict[str, Any], graph: Graph) -> E:
        """An entity of these fields, type and id first, not yet in any identity map; only the graph calls this."""
        # `_begin` written out: a call less for each entity of a large find.
        entity = cls.__new__(cls)
        _take(entity, fields)  # into an empty dict: the table of the other is copied as a whole
        entity._graph = graph
        entity._aside = entity._backrefs = entity._exists = entity._age = None
        return entity

    def _begin(self, entity_type: str, entity_id: int, graph: Graph) -> None:
        dict.__setitem__(self, "type", entity_type)
        dict.__setitem__(self, "id", entity_id)
        self._graph = graph
        self._aside = self._backrefs = self._exists = self._age = None

    # Identity

    @property
    def session(self) -> Any:
        """The session that this entity belongs to."""
        return self._graph.session

    @property
    def key(self) -> Key:
        """The type and the id."""
        return dict.__getitem__(self, "type"), dict.__getitem__(self, "id")

    @property
    def minimal(self) -> dict[str, Any]:
        """A plain dict of type and id."""
        return {"type": dict.__getitem__(self, "type"), "id": dict.__getitem__(self, "id")}

    @property
    def name(self) -> str | None:
        """The display name as far as it is known; costs no request."""
        return self._graph.display_name(self)

    @property
    def url(self) -> str:
        """The address of this entity's page on its site."""
        address: str = self.session.get_url(self)
        return address

    def is_same_entity(self, other: Mapping[str, Any]) -> bool:
        """True when the other is of the same type and id, whatever else either holds."""
        return same_identity(self, other)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Entity):
            return self._graph is other._graph and self.key == other.key
        if not isinstance(other, dict):
            return NotImplemented
        # A copy, which is made at once: other threads may merge while the values are compared.
        mine = dict(self)
        return mine.keys() == other.keys() and all(
            _same_value(value, other[key]) for key, value in mine.items()
        )

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __repr__(self) -> str:
        name = self.name
        return f"<{type(self).__name__} {self['type']}:{self['id']}{f' {name!r}' if name else ''}>"

    # Fields

    def __missing__(self, path: str) -> Any:
        value = look_up(self, path) if isinstance(path, str) else Unknown.NOT_LOADED
        if not isinstance(value, Unknown):
            return value
        where = f"{self['type']}:{self['id']}"
        if value is Unknown.NOT_THERE:
            raise FieldNotLoadedError(f"{where}: the site has no field {path!r} on it.")
        raise FieldNotLoadedError(
            f"{where} has no {path!r} yet; entity.fetch({path!r}) asks the site for it."
        )

    def __contains__(self, path: object) -> bool:
        if dict.__contains__(self, path):
            return True
        return isinstance(path, str) and not isinstance(look_up(self, path), Unknown)

    def get(self, fields: Any, default: Any = None) -> Any:
        """The value of a field as far as it is known, else the default; costs no request.

        Args:
            fields: one field path, or a collection of them. Braces stand for several.
            default: given for each path that is not known.

        Returns:
            The value; for several paths, a tuple of values in their order.
        """
        if isinstance(fields, str):
            if "{" not in fields:
                value = look_up(self, fields)
                return default if isinstance(value, Unknown) else value
            fields = expand_braces(fields)
        if not isinstance(fields, Iterable):
            return default
        return tuple(self.get(field, default) for field in fields)

    def __setitem__(self, field: str, value: Any) -> None:
        self._graph.assign(self, {field: value})

    def update(self, *args: Any, **fields: Any) -> None:
        """Merge fields, as `dict.update` would set them. The site is not told."""
        self._graph.assign(self, dict(*args, **fields))

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc]
        self.update(other)
        return self

    def setdefault(self, field: str, default: Any = None) -> Any:
        """The value of a field; where it is not known, the default, merged as the value."""
        with self._graph.lock:
            if field not in self:
                self[field] = default
            return self[field]

    def __delitem__(self, field: str) -> None:
        with self._graph.lock:
            held = self._held(field)
            if held in ("type", "id"):
                raise ValueError(f"The {held} of an entity cannot be removed.")
            if not dict.__contains__(self, held):
                raise FieldNotLoadedError(f"{self['type']}:{self['id']} holds no field {field!r} to remove.")
            self._graph.remove_field(self, held)

    def pop(self, field: str, *default: Any) -> Any:
        """Remove a field from what is known and return its value."""
        with self._graph.lock:
            held = self._held(field)
            if not dict.__contains__(self, held) and default:
                return default[0]
            value = dict.get(self, held)
            del self[field]
            return value

    def _held(self, field: str) -> str:
        """The key of a field that may be written as an alias."""
        if isinstance(field, str) and "$" in field and not dict.__contains__(self, field):
            with suppress(UnknownNameError, SyntaxProblem):
                return self._graph.schema.path(self["type"], field)
        return field

    def popitem(self) -> Any:
        """Refused: an entity always has its type and id."""
        raise TypeError("popitem() of an entity could take its type or id; name the field: pop(field).")

    def clear(self) -> None:
        """Forget every field but type and id; the entity stays in its session."""
        with self._graph.lock:
            for field in [*dict.keys(self)]:
                if field not in ("type", "id"):
                    del self[field]
            self._aside = None
            self._graph.left_out.forget(self.key)

    # Copies

    def copy(self) -> dict[str, Any]:
        """A plain dict of the same fields; the linked entities are the session's own."""
        return dict(self)

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> Any:
        raise SessionError("A deep copy of an entity would copy all that it is linked to; use as_dict().")

    def as_dict(self) -> dict[str, Any]:
        """This entity and all that it is linked to, as plain dicts.

        The first mention of an entity has all its fields, later ones only its type and id. Merging the
        result into a session gives an equal graph.
        """
        return self._graph.as_dict(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # An entity takes its session along: pickled one by one, linked entities would recurse, and
        # several of one session would lose that they belong together.
        return _entity_of, (self.session, *self.key)

    def pprint(
        self, backrefs: bool | int | Collection[tuple[str, str]] | None = None, depth: int = 0
    ) -> None:
        """Print this entity, all that it is linked to, and optionally what is linked to it.

        Args:
            backrefs: True for those of every entity; a number n for those of entities fewer than n links
                away; a collection of (type, field) for those alone.
            depth: the level of indentation to begin at.
        """
        sys.stdout.writelines(line + "\n" for line in self._graph.pretty_lines(self, backrefs, depth))

    @property
    def backrefs(self) -> BackrefMap:
        """What is known to link here: `shot.backrefs[('Task', 'entity')]` is a sequence of entities."""
        return self._graph.backrefs(self)

    # Shortcuts to the session

    def exists(self, check: bool = True, force: bool = False) -> bool | None:
        """Whether the site has this entity, not retired; None when it is not known and not asked.

        Args:
            check: ask the site when it is not known. At most one request.
            force: ask the site in any case.
        """
        self.session.filter_exists([self], check=check, force=force)
        return self._exists

    def fetch(self, fields: Any, default: Any = None, force: bool = False) -> Any:
        """The value of a field, asked of the site where it is not known.

        Args:
            fields: one field path, or a collection of them. Braces stand for several.
            default: given for a field that the site does not have.
            force: ask the site in any case.

        Returns:
            The value; for several paths, a tuple of values in their order. At most one request.

        Raises:
            EntityNotFoundError: the site has no such entity.
        """
        fields = list(fields) if isinstance(fields, Iterator) else fields
        self.session.fetch([self], fields, force=force)
        return self.get(fields, default)

    def fetch_core(self) -> None:
        """Have all important fields, of this entity and of what its important links hold; one request."""
        self.session.fetch_core([self])

    def fetch_backrefs(self, backref_type: str, field: str) -> None:
        """Load what links here from a field of a type; one request. See `backrefs`."""
        self.session.fetch_backrefs([self], backref_type, field)

    def fetch_heirarchy(self) -> list[Entity]:
        """Load everything above this entity, up to its project; see `Session.fetch_hierarchy`."""
        found: list[Entity] = self.session.fetch_hierarchy([self])
        return found

    fetch_hierarchy = fetch_heirarchy

    def parent(self) -> Entity | None:
        """The entity above this one, asked of the site where it is not known; at most one request."""
        return self.session.parent_of(self)  # type: ignore[no-any-return]

    def project(self) -> Entity | None:
        """The project of this entity; where it is not known, one request asks for it, and for that of
        the entities beside and above it."""
        return self.session.project_of(self)  # type: ignore[no-any-return]


def _entity_of(session: Any, entity_type: str, entity_id: int) -> Entity:
    """What an entity's pickle calls: the one of this type and id in the session that came along."""
    entity: Entity = session.graph.identity.get((entity_type, entity_id)) or session.graph.entity(
        (entity_type, entity_id)
    )
    return entity


def look_up(entity: Entity, path: str) -> Any:
    """The value of a path as far as this session knows it, else an `Unknown`; never a request.

    A null link, or one to another type than the path says, makes the value None: so does a site
    (wire.md 3.3). A path through a list of links has no value.
    """
    value = _value_of(entity, path)
    return Unknown.NOT_THERE if value is Unknown.NOT_LOADED and _was_left_out(entity, path) else value


def _value_of(entity: Entity, path: str) -> Any:
    through_link = False
    while True:
        if through_link and path == "name":
            # As the last step of a deep path, `name` is the display name, also where a site has no such field.
            return entity._graph.link_name(entity, dict.get(entity, path, Unknown.NOT_LOADED))
        value = dict.get(entity, path, Unknown.NOT_LOADED)
        if value is not Unknown.NOT_LOADED:
            return value
        noted = entity._aside.get(path, value) if entity._aside else value
        if noted is not Unknown.NOT_LOADED and entity._graph.holds(noted):
            return noted
        if "$" in path and entity._graph.schema.has_aliases:
            try:
                resolved = entity._graph.schema.path(entity["type"], path)
            except (UnknownNameError, SyntaxProblem):
                return Unknown.NOT_LOADED  # looking never raises; asking for it will
            if resolved != path:
                path = resolved
                continue
        if not is_deep(path):
            return value
        try:
            link, linked_type, rest = split_first_hop(path)
        except SyntaxProblem:
            return value  # looking never raises; asking for it will
        target = look_up(entity, link)
        if target is None:
            return None
        if not isinstance(target, Entity):
            return target if isinstance(target, Unknown) else Unknown.NOT_THERE
        if target["type"] != linked_type:
            return None
        entity, path, through_link = target, rest, True


def _was_left_out(entity: Entity, path: str) -> bool:
    """Whether a site was asked in vain for a path that has no value here, or for the rest of it from a link on.

    A path left out says nothing of what it leads to: sites leave deep urls out that the linked row has (wire.md 3.3).
    """
    schema = entity._graph.schema
    if "$" in path and schema.has_aliases:
        with suppress(UnknownNameError, SyntaxProblem):
            path = schema.path(entity["type"], path)
    left_out = entity._graph.left_out
    behind_link = False
    while left_out.may_say(entity["type"], path):
        if behind_link and path == "name":
            return False  # there it is the display name: that a type has no such field says nothing of it
        if not is_deep(path):
            return left_out.of_one(entity.key, path) or left_out.of_type(entity["type"], path)
        try:
            link, _, rest = split_first_hop(path)
        except SyntaxProblem:
            return left_out.of_type(entity["type"], path)
        # What comes through a link does not come where the link itself was left out.
        paths = [path, *links_on_the_way(path)]
        if any(left_out.of_one(entity.key, each) for each in paths):
            return True
        target = dict.get(entity, link)
        if not isinstance(target, Entity):
            return False  # the link has to be asked for, and says more: it may be empty
        if any(left_out.of_type(entity["type"], each) for each in paths):
            return True
        path, entity, behind_link = rest, target, True
    return False


def same_identity(one: Any, other: Any) -> bool:
    """True when both name the same type and id."""
    return (
        is_raw_entity(one)
        and is_raw_entity(other)
        and one["type"] == other["type"]
        and one["id"] == other["id"]
    )


def _same_value(one: Any, other: Any) -> bool:
    """Equality in which links compare by type and id, and nothing recurses."""
    waiting = [(one, other)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, Entity) or isinstance(other, Entity):
            if not same_identity(one, other):
                return False
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            # Plain dicts may be cyclic too; a pair under comparison need not be compared again.
            if (id(one), id(other)) not in seen:
                seen.add((id(one), id(other)))
                waiting.extend((value, other[key]) for key, value in one.items())
        elif isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
            if isinstance(one, list) is not isinstance(other, list) or len(one) != len(other):
                return False
            if (id(one), id(other)) not in seen:
                seen.add((id(one), id(other)))
                waiting.extend(zip(one, other, strict=True))
        elif one != other:
            return False
    return True


def minimize(value: Any) -> Any:
    """A copy of `value` in which each entity, at any depth, is a plain dict of its type and id.

    Attachments keep their other keys, since a site needs them (wire.md 2.3). Raw dicts stay as they are.

    Raises:
        SyntaxProblem: a ValueError; a plain list or dict holds itself, or is nested over 400 deep.
    """
    return _minimize(value, ())


def _minimize(value: Any, around: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, (str, int, float, bytes)):
        return value
    if isinstance(value, Entity):
        if value["type"] != "Attachment" or id(value) in around:
            return value.minimal
        around = (*around, id(value))
        return {
            key: item.minimal if isinstance(item, Entity) else _minimize(item, around)
            for key, item in dict(value).items()
        }
    if not isinstance(value, (dict, Sequence, Set, Iterator)):
        return value
    if id(value) in around:
        raise SyntaxProblem("A list or dict that holds itself cannot be sent to a site.")
    if len(around) >= _DEEPEST:
        raise SyntaxProblem(
            f"Lists and dicts nested over {_DEEPEST} deep cannot be sent: the client recurses over them."
        )
    around = (*around, id(value))
    if isinstance(value, dict):
        return {key: _minimize(item, around) for key, item in value.items()}
    # Sets, back-references and generators too: they come from this session, and JSON has lists for them all.
    copied = [_minimize(item, around) for item in value]
    return tuple(copied) if isinstance(value, tuple) else copied
