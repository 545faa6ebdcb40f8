"""One JSON request in, one JSON envelope out; no socket is needed to ask a site."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from .call import Call, Caller
from .database.store import Store
from .faults import SiteFault, ruby, ruby_class
from .methods import (
    activity_stream,
    exporting,
    following,
    navigation,
    note_threads,
    preferences,
    project_access,
    schema_editing,
    schema_reading,
    subscriptions,
    text_search,
    work_schedule,
)
from .methods.information import information
from .people import sessions
from .people.authentication import authenticate
from .queries import reading, summaries
from .writes import batching, retirement, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database.tables import Tables

__all__ = ["Engine", "refusal"]

T = TypeVar("T")

_log = logging.getLogger("sgsession.site")


# Whoever opens an address that is shown to everyone.
_ANYBODY = Caller("ApiUser", 0, "", writes_events=False)


@dataclass(frozen=True, slots=True)
class _Method:
    """A remote method: what answers it, whether it writes, and what its arguments arrive as."""

    function: Callable[[Call, Any], Any]
    writes: bool = False
    arguments: type[dict[str, Any]] | type[list[Any]] = dict


_METHODS: Mapping[str, _Method] = {
    "read": _Method(reading.read),
    "create": _Method(writing.create, writes=True),
    "update": _Method(writing.update, writes=True),
    "delete": _Method(retirement.delete, writes=True),
    "revive": _Method(retirement.revive, writes=True),
    "batch": _Method(batching.batch, writes=True, arguments=list),
    "summarize": _Method(summaries.summarize),
    "schema_read": _Method(schema_reading.schema_read),
    "schema_entity_read": _Method(schema_reading.schema_entity_read),
    "schema_field_read": _Method(schema_reading.schema_field_read),
    "schema_field_create": _Method(schema_editing.schema_field_create, writes=True),
    "schema_field_update": _Method(schema_editing.schema_field_update, writes=True),
    "schema_field_delete": _Method(schema_editing.schema_field_delete, writes=True),
    "schema_field_revive": _Method(schema_editing.schema_field_revive, writes=True),
    "query_display_name_cache": _Method(text_search.query_display_name_cache),
    "activity_stream": _Method(activity_stream.activity_stream),
    "note_thread_contents": _Method(note_threads.note_thread_contents),
    "follow": _Method(following.follow, writes=True),
    "unfollow": _Method(following.unfollow, writes=True),
    "followers": _Method(following.followers),
    "following": _Method(following.following),
    "work_schedule_read": _Method(work_schedule.work_schedule_read),
    "work_schedule_update": _Method(work_schedule.work_schedule_update, writes=True),
    "preferences_read": _Method(preferences.preferences_read),
    "update_project_last_accessed_by_current_user": _Method(
        project_access.update_project_last_accessed_by_current_user, writes=True
    ),
    "get_session_token": _Method(sessions.get_session_token, writes=True),
    "user_subscriptions_read": _Method(subscriptions.user_subscriptions_read),
    "user_subscriptions_create": _Method(subscriptions.user_subscriptions_create, writes=True),
    "nav_expand": _Method(navigation.nav_expand),
    "nav_search": _Method(navigation.nav_search),
    "export_page": _Method(exporting.export_page),
}


def refusal(fault: SiteFault) -> dict[str, Any]:
    """The error envelope, which travels with HTTP status 200 (wire.md 1.3)."""
    return {"exception": True, "message": fault.message, "error_code": fault.error_code}


class Engine:
    """Answers the requests of one site. Any number of threads may ask at once."""

    def __init__(self, store: Store, *, direct_uploads: bool = False) -> None:
        self.store = store
        self.origin = ""  # the site's own address, once it has one
        self.session_lifetime = 24 * 3600.0
        self._direct_uploads = direct_uploads

    def answer(self, payload: Any, origin: str = "") -> dict[str, Any]:
        """The envelope for a decoded request; whatever the request holds, nothing is ever raised.

        `origin` is how the caller reaches the site, where it is not by the site's own address.
        """
        method = "request"
        try:
            method, params = _request(payload)
            if method == "info":
                return {"results": information(direct_uploads=self._direct_uploads)}
            return {"results": self._perform(method, params, origin)}
        except SiteFault as fault:
            return refusal(fault)
        except Exception:
            # The reason may quote SQL or file names, so it goes to the site's log and not to the wire.
            _log.exception("%s() failed", method)
            return refusal(
                SiteFault(f"API {method}() could not be executed; the site logged the reason.", 104)
            )

    def _perform(self, name: str, params: list[Any], origin: str) -> Any:
        method = _METHODS.get(name)
        if method is None:
            raise SiteFault(f"API method {ruby(name)} does not exist on this site.")
        arguments = _arguments(name, method, params)
        credentials = params[0] if params else None
        return self.perform(
            name, method.function, credentials, arguments, writes=method.writes, origin=origin
        )

    def perform(
        self,
        name: str,
        function: Callable[[Call, Any], T],
        credentials: Any,
        arguments: Any,
        *,
        writes: bool = True,
        origin: str = "",
    ) -> T:
        """What a function gives for the caller whom the credentials prove; all it writes, or nothing."""
        if writes and isinstance(credentials, Mapping) and "user_login" in credentials:
            # To prove a password takes a tenth of a second, once: nobody who writes need wait for it.
            with self.store.reading() as connection:
                authenticate(connection, self.store.tables, credentials)
        connect = self.store.writing if writes else self.store.reading
        with connect() as connection:
            # Once, and before the first statement: the rows that are seen are never older than the tables.
            tables = self.store.tables
            caller = authenticate(connection, tables, credentials)
            call = self._call(name, connection, tables, caller, origin)
            results = function(call, arguments)
            if call.edited is not None:
                self.store.swap_after_commit(call.edited)
            return results

    def show(self, name: str, function: Callable[[Call, Any], T], arguments: Any) -> T:
        """What a function reads that anybody may read."""
        with self.store.reading() as connection:
            return function(self._call(name, connection, self.store.tables, _ANYBODY), arguments)

    def now(self) -> datetime:
        """The moment of a call."""
        # Real sites keep whole seconds; without a zone, as the columns hold UTC.
        return datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)

    def _call(
        self, name: str, connection: Connection, tables: Tables, caller: Caller, origin: str = ""
    ) -> Call:
        return Call(
            method=name,
            schema=tables.schema,
            tables=tables,
            connection=connection,
            caller=caller,
            now=self.now(),
            files=self.store.files,
            origin=origin or self.origin,
            session_lifetime=self.session_lifetime,
        )


def _request(payload: Any) -> tuple[str, list[Any]]:
    if not isinstance(payload, dict):
        raise SiteFault(f"API request expected a Hash but got {ruby_class(payload)}: {ruby(payload)}")
    method = payload.get("method_name")
    if not isinstance(method, str) or not method:
        raise SiteFault(f"API request invalid/missing string 'method_name': {ruby(method)}")
    params = payload.get("params")
    if params is None:
        params = []
    # The elements are not quoted in this message: the first one holds the credentials.
    if not isinstance(params, list) or len(params) > 2:
        raise SiteFault(f"API {_shown(method)}() expects 'params' as an array of at most two elements.")
    return method, params


def _arguments(name: str, method: _Method, params: list[Any]) -> dict[str, Any] | list[Any]:
    # The client leaves empty arguments out, so a missing element means none were given.
    given = params[1] if len(params) > 1 and params[1] is not None else method.arguments()
    if not isinstance(given, method.arguments):
        expected = ruby_class(method.arguments())
        raise SiteFault(f"API {name}() expected {expected} params but got {ruby_class(given)}: {ruby(given)}")
    return given


def _shown(method: str) -> str:
    return method if method in _METHODS or method == "info" else "request"
