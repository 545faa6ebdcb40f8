"""Session: the client's operations on entities that are linked, merged and known once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from .drivers.base import SessionBase
from .drivers.steps import call
from .entity import Entity
from .errors import SyntaxProblem
from .plans import fetching, hierarchy, pages, people, reading, writing
from .plans.plan import Plan, Request

__all__ = ["Session"]

T = TypeVar("T")
Filters = Sequence[Any] | Mapping[str, Any]
Fields = str | Iterable[str] | None
Order = Sequence[dict[str, str]] | None
Entities = Entity | Iterable[Entity]


class Session(SessionBase):
    """A session on a site: use it as you would a `shotgun_api3.Shotgun`, and get linked entities.

    One session may be used by many threads. It is meant for one task: it remembers what it has read, and
    asks again only when it is told to. What is not written out here is passed on to the client.

    Args:
        shotgun: a client; one of the official class is wrapped in a `ShotgunPool`, anything else (a mock,
            another client) is used as it is. A text names a site for `connect()`, which gets the further
            arguments. Nothing connects from the environment, at first use. False: without a site.
        schema: a `Schema`, or what the client's `schema_read()` returns: names are then checked before
            they are sent.
        dir_map: directories as others write them → as this machine sees them; see `map_path`.
    """

    def _run(self, plan: Plan[T]) -> T:
        return self._threads.run(plan, self._client, lambda: self._lock)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        return self._proxied(name, self._call)

    def _call(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return call(self._client(), Request(method, args, kwargs))
        finally:
            self._note_called(method)

    def _entity_of_page(self, page_id: int, text: str, fetch_project: bool) -> Any:
        if not fetch_project:
            return super()._entity_of_page(page_id, text, fetch_project)
        project = self._run(people.project_of_page(self.graph, self.importance, page_id))
        if project is None:
            raise SyntaxProblem(f"{text!r} is a page without a project.")
        return project

    def find(
        self,
        entity_type: str,
        filters: Filters,
        fields: Fields = None,
        order: Order = None,
        filter_operator: str | None = None,
        limit: int = 0,
        retired_only: bool = False,
        page: int = 0,
        include_archived_projects: bool = True,
        additional_filter_presets: Sequence[dict[str, Any]] | None = None,
        *,
        merge: bool = True,
        add_default_fields: bool = True,
    ) -> list[Any]:
        """The entities that match.

        Args:
            entity_type: the type to look for.
            filters: the client's filters; entities are taken as values.
            fields: field paths. Braces expand: `entity.{Asset,Shot}.{name,code}`. The important fields
                come along, also without any.
            order: the client's order, `[{"field_name": "code", "direction": "asc"}]`.
            filter_operator: `all` or `any`, over the outermost filters.
            limit: how many at most; 0 for all.
            retired_only: look among the retired ones.
            page: the number of the page of `limit` rows, from 1; 0 for all pages.
            include_archived_projects: False leaves archived projects out.
            additional_filter_presets: the client's presets.
            merge: False gives the client's raw rows and leaves the session as it is.
            add_default_fields: False asks for no important fields.

        Returns:
            Entities in the site's order. One request where a page of 500 rows holds them all. Else a request for each
            page, as many under way as the pool has connections; all but one of these may be for pages behind the
            last. A `limit` that can be reached asks for no page that it does not need.

        Raises:
            SyntaxProblem: filters, fields or order cannot be read; nothing was sent.
            UnknownNameError: a given schema does not have a name; nothing was sent.
            shotgun_api3.Fault: the site refuses.
        """
        options = {
            "order": order,
            "filter_operator": filter_operator,
            "limit": limit,
            "retired_only": retired_only,
            "page": page,
            "include_archived_projects": include_archived_projects,
            "additional_filter_presets": additional_filter_presets,
        }
        return self._run(
            reading.find(
                self.graph,
                self.importance,
                entity_type,
                filters,
                fields,
                options,
                merge,
                add_default_fields,
                self._pages_at_once(),
            )
        )

    def find_one(
        self,
        entity_type: str,
        filters: Filters,
        fields: Fields = None,
        order: Order = None,
        filter_operator: str | None = None,
        retired_only: bool = False,
        include_archived_projects: bool = True,
        additional_filter_presets: Sequence[dict[str, Any]] | None = None,
        *,
        merge: bool = True,
        add_default_fields: bool = True,
    ) -> Any:
        """The first entity that matches, or None; one request. Parameters and errors as for `find`."""
        options = {
            "order": order,
            "filter_operator": filter_operator,
            "retired_only": retired_only,
            "include_archived_projects": include_archived_projects,
            "additional_filter_presets": additional_filter_presets,
        }
        return self._run(
            reading.find_one(
                self.graph, self.importance, entity_type, filters, fields, options, merge, add_default_fields
            )
        )

    def find_iter(
        self,
        entity_type: str,
        filters: Filters,
        fields: Fields = None,
        order: Order = None,
        filter_operator: str | None = None,
        retired_only: bool = False,
        include_archived_projects: bool = True,
        additional_filter_presets: Sequence[dict[str, Any]] | None = None,
        *,
        limit: int | None = None,
        per_page: int = 500,
        async_count: int = 1,
        merge: bool = True,
        add_default_fields: bool = True,
    ) -> Iterator[Any]:
        """The entities that match, one page of them at a time.

        By default the pages go by id, so that rows which are created or retired meanwhile are neither
        skipped nor doubled. With an order, a preset, or several pages at once, they go by number: what then
        turns up twice is given once, but a row is skipped where one before it was retired meanwhile.

        Args:
            limit: how many at most; None for all.
            per_page: rows asked for in one request; a site may give fewer.
            async_count: how many pages to ask for side by side; more than the pool has connections are of no use.

        Returns:
            An iterator. One request for each page, when it is its turn; with `async_count` the others go on while rows
            of one are taken, and at most all but one of these are for pages behind the last. What is not merged is
            not kept, but for the ids where pages go by number: 0.3 MB for a million.
        """
        options = {
            "order": order,
            "filter_operator": filter_operator,
            "retired_only": retired_only,
            "include_archived_projects": include_archived_projects,
            "additional_filter_presets": additional_filter_presets,
        }
        plan = pages.find_iter(
            self.graph,
            self.importance,
            entity_type,
            filters,
            fields,
            options,
            limit=limit,
            per_page=per_page,
            async_count=async_count,
            merge=merge,
            add_default_fields=add_default_fields,
            connections=self._requests_at_once(),
        )
        yield from self._threads.stream(plan, self._client, lambda: self._lock)

    def summarize(
        self,
        entity_type: str,
        filters: Filters,
        summary_fields: Sequence[dict[str, str]],
        filter_operator: str | None = None,
        grouping: Sequence[dict[str, str]] | None = None,
        include_archived_projects: bool = True,
    ) -> Any:
        """Sums, counts and the like of what matches, as the client gives them; one request."""
        options = {
            "filter_operator": filter_operator,
            "grouping": grouping,
            "include_archived_projects": include_archived_projects,
        }
        return self._run(reading.summarize(self.graph, entity_type, filters, summary_fields, options))

    def get(self, type: str, id: Any, fields: Fields = None, fetch: bool = True) -> Any:
        """The entity of a type and id, or of several ids.

        Args:
            type: its type.
            id: an id, or a list or tuple of ids.
            fields: field paths to have known as well.
            fetch: ask the site for what the session does not have; one request for each 500 of the ids.

        Returns:
            The entity, or None where it does not exist; for a list or tuple the same kind of sequence, in
            its order.
        """
        return self._run(reading.get(self.graph, self.importance, type, id, fields, fetch))

    def filter_exists(self, entities: Entities, check: bool = True, force: bool = False) -> set[Any]:
        """Those of the entities that are on the site, not retired, or of which it is not known.

        Args:
            entities: of any types.
            check: ask the site about those of which it is not known.
            force: ask the site about all.

        Returns:
            A set. One request for each type and 500 of its entities, all side by side.
        """
        return self._run(fetching.filter_exists(self.graph, entities, check, force))

    def fetch(self, to_fetch: Entities, fields: Fields, force: bool = False) -> None:
        """Have fields of entities known; asks the site only for what is not.

        Args:
            to_fetch: entities, of any types.
            fields: field paths; braces expand.
            force: ask for all of them again.

        Raises:
            EntityNotFoundError: a ValueError; the site does not have some of them. The others are fetched.

        One request for each type and 500 of its entities, all side by side. What the site does not have
        is known afterwards, too.
        """
        self._run(fetching.fetch(self.graph, self.importance, to_fetch, fields, force))

    def fetch_core(self, to_fetch: Entities) -> None:
        """Have all important fields known, of the entities and of what their important links hold.

        Requests and errors as for `fetch`.
        """
        self._run(fetching.fetch_core(self.graph, self.importance, to_fetch))

    def fetch_backrefs(self, to_fetch: Entities, backref_type: str, field: str) -> None:
        """Load what links to entities: afterwards it is in their `backrefs[(backref_type, field)]`.

        One request for each 500 of them, and for each further page of what links to these; where there are several of
        these, some behind the last are asked for, too, as by `find`.
        """
        plan = fetching.fetch_backrefs(
            self.graph, self.importance, to_fetch, backref_type, field, self._pages_at_once()
        )
        self._run(plan)

    def fetch_hierarchy(self, to_fetch: Entities) -> list[Any]:
        """Have everything above entities known, up to their projects, with the important fields.

        What stands above what is said by `parent_fields`; an empty link leads to the project.

        Returns:
            The entities and everything above them, each once. One request for each 500 entities of a
            type; more only where a link leads to a type that neither `important_links` nor `parent_fields` foresees,
            or holds a list, or where the site has no such field. A type of which `important_links` names one
            parent's type is taken at its word.
        """
        return self._run(hierarchy.fetch_hierarchy(self.graph, self.importance, to_fetch))

    fetch_heirarchy = fetch_hierarchy

    def parent_of(self, entity: Entity) -> Any:
        """The entity above one, or None; see `Entity.parent`. At most one request."""
        return self._run(hierarchy.parent_of(self.graph, self.importance, entity))

    def project_of(self, entity: Entity) -> Any:
        """The project of an entity, or None; see `Entity.project`. At most one request for each type."""
        return self._run(hierarchy.project_of(self.graph, self.importance, entity))

    def create(
        self,
        entity_type: str,
        data: Mapping[str, Any] | None = None,
        return_fields: Fields = None,
        **fields: Any,
    ) -> Any:
        """Create an entity and return it, with its important fields; one request.

        Args:
            entity_type: its type.
            data: fields and values; entities are taken as values.
            return_fields: further fields to return.
            **fields: more fields and values.
        """
        return self._run(
            writing.create(self.graph, self.importance, entity_type, data, return_fields, fields)
        )

    def update(
        self,
        entity_type: Any,
        entity_id: Any = None,
        data: Mapping[str, Any] | None = None,
        multi_entity_update_modes: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Any:
        """Write fields on the site: `update(type, id, data)`, `update(entity, data)`, `update([entities], data)`.

        Args:
            entity_type: a type; or an entity, or a list of them.
            entity_id: the id; with entities the data may stand here.
            data: fields and values; entities are taken as values.
            multi_entity_update_modes: field → `set`, `add` or `remove`.
            **fields: more fields and values.

        Returns:
            The entity, or the list of entities. One request; several entities are one transaction.
        """
        plan = writing.update(self.graph, entity_type, entity_id, data, multi_entity_update_modes, fields)
        return self._run(plan)

    def delete(self, entity_type: Any, entity_id: int | None = None) -> bool:
        """Retire an entity on the site: `delete(type, id)` or `delete(entity)`; one request.

        The session does not forget it, and links to it stay.

        Returns:
            False when it was retired already.
        """
        return self._run(writing.retire(self.graph, entity_type, entity_id))

    def revive(self, entity_type: Any, entity_id: int | None = None) -> bool:
        """Bring a retired entity back: `revive(type, id)` or `revive(entity)`; one request.

        Returns:
            False when it was not retired.
        """
        return self._run(writing.revive(self.graph, entity_type, entity_id))

    def batch(self, requests: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Several writes in one transaction: all happen, or none; one request.

        Args:
            requests: the client's dicts with `request_type`, `entity_type`, `entity_id`, `data` ….

        Returns:
            An entity for each create and update, a bool for each delete, in their order.
        """
        return self._run(writing.batch(self.graph, self.importance, requests))

    def guess_user(
        self,
        filter: Sequence[str] = ("email", "starts_with", "{login}@"),
        fields: Sequence[str] = (),
        fetch: bool = True,
    ) -> Any:
        """The person who is logged in to this machine, as far as the site knows; one request, once.

        Args:
            filter: a condition in which `{login}` stands for the name; it holds beside `login is …`.
            fields: fields to fetch as well.
            fetch: ask the site when it has not been asked before.
        """
        key = (login := self._login(), repr(filter), repr(fields))
        if key not in self._guessed_users and fetch:
            plan = people.guess_user(self.graph, self.importance, login, filter, fields)
            self._guessed_users[key] = self._run(plan)
        return self._guessed_users.get(key)
