"""AsyncSession: the operations of a Session, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from .drivers.awaiting import call_in_thread, run, stream
from .drivers.base import SessionBase
from .entity import Entity
from .plans import fetching, hierarchy, pages, people, reading, writing
from .plans.plan import Plan, Request

__all__ = ["AsyncEntity", "AsyncSession"]

T = TypeVar("T")
Filters = Sequence[Any] | Mapping[str, Any]
Fields = str | Iterable[str] | None
Order = Sequence[dict[str, str]] | None
Entities = Entity | Iterable[Entity]


class AsyncEntity(Entity):
    """An `Entity` whose shortcuts to the session are awaited."""

    __slots__ = ()

    async def exists(self, check: bool = True, force: bool = False) -> bool | None:  # type: ignore[override]
        """See `Entity.exists`."""
        await self.session.filter_exists([self], check=check, force=force)
        return self._exists

    async def fetch(self, fields: Any, default: Any = None, force: bool = False) -> Any:
        """See `Entity.fetch`."""
        fields = list(fields) if isinstance(fields, Iterator) else fields
        await self.session.fetch([self], fields, force=force)
        return self.get(fields, default)

    async def fetch_core(self) -> None:  # type: ignore[override]
        """See `Entity.fetch_core`."""
        await self.session.fetch_core([self])

    async def fetch_backrefs(self, backref_type: str, field: str) -> None:  # type: ignore[override]
        """See `Entity.fetch_backrefs`."""
        await self.session.fetch_backrefs([self], backref_type, field)

    async def fetch_heirarchy(self) -> list[Entity]:  # type: ignore[override]
        """See `Entity.fetch_heirarchy`."""
        found: list[Entity] = await self.session.fetch_hierarchy([self])
        return found

    fetch_hierarchy = fetch_heirarchy  # type: ignore[assignment]

    async def parent(self) -> Entity | None:  # type: ignore[override]
        """See `Entity.parent`."""
        parent: Entity | None = await self.session.parent_of(self)
        return parent

    async def project(self) -> Entity | None:  # type: ignore[override]
        """See `Entity.project`."""
        project: Entity | None = await self.session.project_of(self)
        return project


class AsyncSession(SessionBase):
    """A `Session` whose operations are awaited; the requests run in the threads of its pool.

    Answers are decoded and merged in the event loop's thread: some milliseconds for a page of 500 rows.

    Names, parameters and results are those of `Session`. What causes no request (`merge`, `get_url` …) is
    a plain method here, too.

    Args: as for `Session`.
    """

    entity_class = AsyncEntity

    async def _when_connected(self, ask: Callable[[], T]) -> T:
        if self.is_connected:
            return ask()
        # Finding the site may run a studio's code, read files, ask; none of it in the event loop.
        return await asyncio.to_thread(ask)

    async def _connected(self) -> Any:
        return await self._when_connected(self._client)

    async def _run(self, plan: Plan[T]) -> T:
        return await run(plan, self._threads, self._connected, lambda: self._lock)

    async def __aenter__(self) -> AsyncSession:
        return self

    async def __aexit__(self, *exception: object) -> None:
        # It waits for calls that a cancelled task has left behind.
        await asyncio.to_thread(self.close)

    def __getattr__(self, name: str) -> Any:
        return self._proxied(name, self._call)

    async def _call(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return await call_in_thread(self._threads, self._connected, Request(method, args, kwargs))
        finally:
            self._note_called(method)

    async def find(
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
        """The entities that match. See `Session`."""
        options = {
            "order": order,
            "filter_operator": filter_operator,
            "limit": limit,
            "retired_only": retired_only,
            "page": page,
            "include_archived_projects": include_archived_projects,
            "additional_filter_presets": additional_filter_presets,
        }
        return await self._run(
            reading.find(
                self.graph,
                self.importance,
                entity_type,
                filters,
                fields,
                options,
                merge,
                add_default_fields,
                await self._when_connected(self._pages_at_once),
            )
        )

    async def find_one(
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
        return await self._run(
            reading.find_one(
                self.graph, self.importance, entity_type, filters, fields, options, merge, add_default_fields
            )
        )

    async def find_iter(
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
    ) -> AsyncIterator[Any]:
        """The entities that match, one page of them at a time. See `Session`."""
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
            connections=await self._when_connected(self._requests_at_once),
        )
        async with aclosing(stream(plan, self._threads, self._connected, lambda: self._lock)) as rows:
            async for row in rows:
                yield row

    async def summarize(
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
        return await self._run(reading.summarize(self.graph, entity_type, filters, summary_fields, options))

    async def get(self, type: str, id: Any, fields: Fields = None, fetch: bool = True) -> Any:
        """The entity of a type and id, or of several ids. See `Session`."""
        return await self._run(reading.get(self.graph, self.importance, type, id, fields, fetch))

    async def filter_exists(self, entities: Entities, check: bool = True, force: bool = False) -> set[Any]:
        """Those of the entities that are on the site, not retired, or of which it is not known. See `Session`."""
        return await self._run(fetching.filter_exists(self.graph, entities, check, force))

    async def fetch(self, to_fetch: Entities, fields: Fields, force: bool = False) -> None:
        """Have fields of entities known; asks the site only for what is not. See `Session`."""
        await self._run(fetching.fetch(self.graph, self.importance, to_fetch, fields, force))

    async def fetch_core(self, to_fetch: Entities) -> None:
        """Have all important fields known, of the entities and of what their important links hold. See `Session`."""
        await self._run(fetching.fetch_core(self.graph, self.importance, to_fetch))

    async def fetch_backrefs(self, to_fetch: Entities, backref_type: str, field: str) -> None:
        """Load what links to entities: afterwards it is in their `backrefs[(backref_type, field)]`. See `Session`."""
        connections = await self._when_connected(self._pages_at_once)
        plan = fetching.fetch_backrefs(
            self.graph, self.importance, to_fetch, backref_type, field, connections
        )
        await self._run(plan)

    async def fetch_hierarchy(self, to_fetch: Entities) -> list[Any]:
        """Have everything above entities known, up to their projects, with the important fields. See `Session`."""
        return await self._run(hierarchy.fetch_hierarchy(self.graph, self.importance, to_fetch))

    fetch_heirarchy = fetch_hierarchy

    async def parent_of(self, entity: Entity) -> Any:
        """The entity above one, or None; see `Entity.parent`. At most one request."""
        return await self._run(hierarchy.parent_of(self.graph, self.importance, entity))

    async def project_of(self, entity: Entity) -> Any:
        """The project of an entity, or None; see `Entity.project`. At most one request for each type."""
        return await self._run(hierarchy.project_of(self.graph, self.importance, entity))

    async def create(
        self,
        entity_type: str,
        data: Mapping[str, Any] | None = None,
        return_fields: Fields = None,
        **fields: Any,
    ) -> Any:
        """Create an entity and return it, with its important fields; one request. See `Session`."""
        return await self._run(
            writing.create(self.graph, self.importance, entity_type, data, return_fields, fields)
        )

    async def update(
        self,
        entity_type: Any,
        entity_id: Any = None,
        data: Mapping[str, Any] | None = None,
        multi_entity_update_modes: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Any:
        """Write fields on the site, of one entity or of several. See `Session`."""
        plan = writing.update(self.graph, entity_type, entity_id, data, multi_entity_update_modes, fields)
        return await self._run(plan)

    async def delete(self, entity_type: Any, entity_id: int | None = None) -> bool:
        """Retire an entity on the site: `delete(type, id)` or `delete(entity)`; one request. See `Session`."""
        return await self._run(writing.retire(self.graph, entity_type, entity_id))

    async def revive(self, entity_type: Any, entity_id: int | None = None) -> bool:
        """Bring a retired entity back: `revive(type, id)` or `revive(entity)`; one request. See `Session`."""
        return await self._run(writing.revive(self.graph, entity_type, entity_id))

    async def batch(self, requests: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Several writes in one transaction: all happen, or none; one request. See `Session`."""
        return await self._run(writing.batch(self.graph, self.importance, requests))

    async def guess_user(
        self,
        filter: Sequence[str] = ("email", "starts_with", "{login}@"),
        fields: Sequence[str] = (),
        fetch: bool = True,
    ) -> Any:
        """The person who is logged in to this machine, as far as the site knows; one request, once. See `Session`."""
        key = (login := self._login(), repr(filter), repr(fields))
        if key not in self._guessed_users and fetch:
            plan = people.guess_user(self.graph, self.importance, login, filter, fields)
            self._guessed_users[key] = await self._run(plan)
        return self._guessed_users.get(key)
