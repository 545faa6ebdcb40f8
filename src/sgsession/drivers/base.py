"""What Session and AsyncSession have in common: all that cannot cause a request."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timezone
from typing import Any, ClassVar

from .. import importance
from ..entity import Entity, is_raw_entity
from ..errors import ConfigurationError, NoSiteError, SyntaxProblem
from ..graph.copies import copied
from ..graph.graph import Graph
from ..plans.fields import own_entities
from ..pool import ShotgunPool
from ..schema import Schema
from ..syntax.instants import instant
from ..transport.after_fork import renew_after_fork
from ..transport.client import local_instant, without_credentials
from .threads import Threads

__all__ = ["SessionBase"]

_UNDECIDED = object()


class _Link:
    """What stands for an entity in a pickle."""

    def __init__(self, entity_type: str, entity_id: int) -> None:
        self.key = (entity_type, entity_id)


class _Moment:
    """What stands for an aware datetime in a pickle: the zones of two machines may differ."""

    def __init__(self, utc: str) -> None:
        self.utc = utc


# What begins anew in an unpickled session; a subclass's own attributes travel like those of any object.
_NOT_PICKLED = frozenset(
    {"graph", "_connect", "_connecting", "_guessed_users", "_lock", "_own_pool", "_shotgun", "_threads"}
)


class SessionBase:
    """The graph of a session, its client, and what can be said without asking a site."""

    important_fields_for_all: Sequence[str] = importance.FIELDS_FOR_ALL
    important_fields: Mapping[str, Sequence[str]] = importance.FIELDS
    important_links: Mapping[str, Mapping[str, Sequence[str]]] = importance.LINKS
    parent_fields: Mapping[str, str | None] = importance.PARENTS

    entity_class: ClassVar[type[Entity]] = Entity

    def __init__(
        self,
        shotgun: Any = None,
        schema: Schema | Mapping[str, Any] | None = None,
        *args: Any,
        dir_map: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        self.dir_map = dict(dir_map or {})
        self._site_url: str | None = None
        self._name: str | None = None
        self._connect: Callable[[], Any] = self._reconnect
        self._shotgun: Any = _UNDECIDED
        self._own_pool: ShotgunPool | None = None
        self._begin(schema if isinstance(schema, Schema) else Schema(schema))
        if isinstance(shotgun, str):
            self._name = shotgun
            self.shotgun = _connected(shotgun, *args, **kwargs)
        elif shotgun is None:
            self._connect = lambda: _connected(None, *args, **kwargs)
        else:
            if shotgun is True or (isinstance(shotgun, (int, float, bytes)) and shotgun is not False):
                raise ConfigurationError(f"{shotgun!r} is neither a client nor the name of a site.")
            if args or kwargs:
                raise TypeError(
                    "Further arguments are for connect(), and so need the name of a site as the first."
                )
            self.shotgun = None if shotgun is False else shotgun

    def _begin(self, schema: Schema) -> None:
        self._lock = threading.RLock()
        self._connecting = threading.RLock()
        self.graph = Graph(self, schema, self.entity_class, self._lock)
        self._threads = Threads()
        self._guessed_users: dict[Any, Any] = {}
        renew_after_fork(self)

    def renew(self) -> None:
        """Renew locks and threads; a forked child does this by itself. What is known stays known."""
        self._lock = threading.RLock()
        self._connecting = threading.RLock()
        self.graph.renew(self._lock)
        self._threads.renew()

    def __repr__(self) -> str:
        shotgun = vars(self).get("_shotgun")
        site = (
            "not connected yet" if shotgun is _UNDECIDED else "no site" if shotgun is None else repr(shotgun)
        )
        return f"<{type(self).__name__} of {len(self.graph.identity)} entities, {site}>"

    # The client

    @property
    def shotgun(self) -> Any:
        """The pool, or whatever was given in the place of a client; None for a session without a site."""
        if self._shotgun is _UNDECIDED:
            # A lock of its own: connecting may run a studio's code, and merging must not wait for that.
            with self._connecting:
                if self._shotgun is _UNDECIDED:
                    try:
                        self.shotgun = self._connect()
                    except AttributeError as problem:
                        # Out of a property, it would be taken for a missing attribute of the session.
                        raise ConfigurationError(
                            f"Connecting failed in the studio's code: {problem}."
                        ) from problem
        return self._shotgun

    @shotgun.setter
    def shotgun(self, client: Any) -> None:
        given, client = client, ShotgunPool.wrap(client)
        url = without_credentials(getattr(client, "base_url", None))
        if url is not None and self._site_url is not None and _same_site(url) != _same_site(self._site_url):
            raise ConfigurationError(
                f"What this session knows comes from {self._site_url}; it cannot go on with {url}."
            )
        self._site_url = url or self._site_url
        self._shotgun = client
        # A pool that was handed in may serve other sessions; only one that was made here is closed here.
        self._own_pool = client if client is not given else None

    @property
    def is_connected(self) -> bool:
        """True when it is decided which client the requests go through, or that there is none."""
        return self._shotgun is not _UNDECIDED

    def _client(self) -> Any:
        """The client for a request.

        Raises:
            NoSiteError: the session was made without one.
        """
        client = self.shotgun
        if client is None:
            raise NoSiteError("This session was made without a site, Session(False); this needs one.")
        return client

    def _requests_at_once(self) -> int:
        """How many requests may be under way at once. Connects; the graph's lock is not to be held then."""
        client = self.shotgun
        return client.max_connections if isinstance(client, ShotgunPool) else 1

    def _pages_at_once(self) -> int:
        """How many pages of one find may be asked for at once: one, where the client says nothing of the next page."""
        client = self.shotgun
        return client.max_connections if isinstance(client, ShotgunPool) and client.hands_over_rows else 1

    def _proxied(self, name: str, call: Callable[..., Any]) -> Any:
        """An attribute of the client; a method of it is called by `call(name, args, kwargs)`."""
        # Copy and pickle look for hooks before there is anything to proxy.
        if name.startswith("_") or "_shotgun" not in vars(self):
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        attribute = getattr(self._client(), name)
        if not callable(attribute):
            return attribute

        def proxied(*args: Any, **kwargs: Any) -> Any:
            return call(name, args, kwargs)

        proxied.__name__ = proxied.__qualname__ = name
        proxied.__doc__ = attribute.__doc__
        return proxied

    def _note_called(self, method: str) -> None:
        """Learn from a method of the client that was called, also from one of which nobody knows how it ended."""
        if method.startswith("schema_field_") and method != "schema_field_read":
            with self._lock:
                self.graph.fields_edited()

    def close(self) -> None:
        """Close the connections and let the threads end; what is known stays readable.

        A `ShotgunPool` that the session was given stays open: it is its maker's.
        """
        self._threads.close()
        if self._own_pool is not None:
            self._own_pool.close()

    # What is known

    @property
    def schema(self) -> Schema:
        """What is known of the site's types and fields."""
        return self.graph.schema

    @property
    def importance(self) -> importance.Importance:
        """The class attributes of importance as they are at this moment."""
        return importance.Importance(
            self.important_fields_for_all,
            self.important_fields,
            self.important_links,
            self.parent_fields,
            self.schema.path,
        )

    def merge(self, data: Any, over: bool | None = None, created_at: Any = None, resolve: bool = True) -> Any:
        """Merge raw entities into the session; costs no request.

        Args:
            data: a raw entity, or any nesting of lists, tuples and dicts that holds some. Cycles are fine.
            over: True for new values to win over known ones, False for known ones to stay, None for the
                newer to win, by `updated_at`; a row without any age was read now and wins.
            created_at: how old rows are that do not say their own `updated_at`: a datetime (naive is UTC),
                an ISO text, or seconds since 1970.
            resolve: whether names may be aliases of the schema, `$name`.

        Returns:
            A copy of `data` in which each raw entity is the session's `Entity`: the one that it already
            has, where it has one.

        Raises:
            ValueError: it holds an entity of another session.
        """
        if created_at is not None and instant(created_at) is None:
            raise SyntaxProblem(f"created_at={created_at!r} is not a moment.")
        with self._lock:
            return self.graph.merge(data, over, created_at, resolve)

    def forget(self, entities: Entity | Iterable[Entity]) -> None:
        """Drop entities from the session; the next answer that speaks of them makes new objects."""
        with self._lock:
            self.graph.forget(own_entities(self.graph, entities))

    def parse_user_input(
        self, text: str, entity_types: Sequence[str] | None = None, fetch_project_from_page: bool = False
    ) -> Entity:
        """The entity that a person named: `Shot:7`, an address of the site, JSON, a bare id.

        Args:
            text: see `sgsession.syntax.references.parse_reference` for all forms.
            entity_types: the types that are accepted; a bare id is accepted where it is exactly one.
            fetch_project_from_page: for the address of a page on which no entity is open, give the page's
                project. This alone costs a request, and only a `Session` can make it.

        Raises:
            ValueError: the text names no entity, or none of these types.
        """
        # Here: its patterns are compiled at import, and only tools for people need them.
        from ..syntax.references import PageReference, Reference, parse_reference

        known = self.schema.types or None
        entity_types = [entity_types] if isinstance(entity_types, str) else entity_types
        reference = parse_reference(text, known if entity_types is None else entity_types)
        if isinstance(reference, PageReference):
            if fetch_project_from_page and entity_types is not None and "Project" not in entity_types:
                raise SyntaxProblem(
                    f"{text!r} leads to a project; wanted is {' or '.join(sorted(entity_types))}."
                )
            return self._entity_of_page(reference, text, fetch_project_from_page)
        self.schema.type_name(reference["type"])
        entity: Entity = self.merge(Reference(reference))
        return entity

    def _entity_of_page(self, page_id: int, text: str, fetch_project: bool) -> Entity:
        raise SyntaxProblem(
            f"{text!r} is a page on which no entity is open; open one and copy the address again."
        )

    def get_url(self, entity: Mapping[str, Any]) -> str:
        """The address of an entity's page on the site; costs no request."""
        if not is_raw_entity(entity):
            raise SyntaxProblem(f"{entity!r} names no entity.")
        if self._site_url is None:
            self._client()  # connects, which says where the site is
        if self._site_url is None:
            raise NoSiteError(
                f"{self.shotgun!r} does not say where its site is; its entities have no address."
            )
        place = "page" if entity["type"] == "Page" else f"detail/{entity['type']}"
        return f"{str(self._site_url).rstrip('/')}/{place}/{entity['id']}"

    def map_path(self, path: str) -> str:
        """The path as this machine sees it: the longest directory of `dir_map` that it begins with is replaced."""
        path = os.fspath(path)
        slashed = path.replace("\\", "/")
        for directory in sorted(self.dir_map, key=len, reverse=True):
            root = directory.replace("\\", "/").rstrip("/")
            if slashed == root or slashed.startswith(root + "/"):
                return self.dir_map[directory].rstrip("/\\") + slashed[len(root) :] or self.dir_map[directory]
        return path

    @staticmethod
    def _login() -> str:
        """The name under which somebody is logged in to this machine."""
        import getpass  # here: it brings terminal modules that no other operation needs

        try:
            return getpass.getuser()
        except (KeyError, OSError, ImportError):
            raise ConfigurationError("Nothing on this machine says who is logged in; set USER.") from None

    # Pickling

    def __getstate__(self) -> dict[str, Any]:
        """All that is known, flat, and the site's address; no client, since it holds credentials."""
        with self._lock:
            own = {name: value for name, value in vars(self).items() if name not in _NOT_PICKLED}
            rows = [
                (
                    entity.key,
                    copied(dict(entity), _to_pickle),
                    entity._exists,
                    entity._age,
                    copied(entity._aside, _to_pickle),
                )
                for entity in self.graph.identity
            ]
            return {
                "own": own,
                "schema": self.schema,
                "no_site": self._shotgun is None,
                "rows": rows,
                "left_out": deepcopy(self.graph.left_out),
            }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state["own"])
        self._shotgun = None if state["no_site"] else _UNDECIDED
        self._connect = self._reconnect
        self._own_pool = None
        self._begin(state["schema"])
        graph = self.graph
        # All entities first, so that links find them; then the fields, which makes the back-references.
        for key, *_ in state["rows"]:
            graph.entity(key)

        def from_pickle(value: Any) -> Any:
            if isinstance(value, _Link):
                return graph.entity(value.key)
            return local_instant(instant(value.utc)) if isinstance(value, _Moment) else value

        for key, fields, exists, age, aside in state["rows"]:
            entity = graph.entity(key)
            graph.merge_fields(entity, copied(fields, from_pickle))
            entity._exists, entity._age, entity._aside = exists, age, copied(aside, from_pickle)
        graph.left_out = state.get("left_out", graph.left_out)  # pickles of before have none

    def _reconnect(self) -> Any:
        return _connected(self._name)


def _connected(name: str | None, *args: Any, **kwargs: Any) -> Any:
    from ..transport.connect import connect  # here: a session that is given its client needs none of it

    return connect(name, *args, **kwargs)


def _same_site(address: str) -> str:
    """An address without what two spellings of it may differ in."""
    return address.rstrip("/").lower()


def _to_pickle(value: Any) -> Any:
    if isinstance(value, Entity):
        return _Link(*value.key)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return _Moment(value.astimezone(timezone.utc).isoformat())
    return value
