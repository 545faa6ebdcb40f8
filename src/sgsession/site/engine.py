"""One JSON request in, one JSON envelope out; no socket is needed to ask a site."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from . import batching, reading, retirement, schema_reading, summaries, writing
from .authentication import authenticate
from .call import Call
from .faults import SiteFault, ruby, ruby_class
from .information import information
from .store import Store

__all__ = ["Engine", "refusal"]

_log = logging.getLogger("sgsession.site")


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
}


def refusal(fault: SiteFault) -> dict[str, Any]:
    """The error envelope, which travels with HTTP status 200 (wire.md 1.3)."""
    return {"exception": True, "message": fault.message, "error_code": fault.error_code}


class Engine:
    """Answers the requests of one site. Any number of threads may ask at once."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def answer(self, payload: Any) -> dict[str, Any]:
        """The envelope for a decoded request; whatever the request holds, nothing is ever raised."""
        method = "request"
        try:
            method, params = _request(payload)
            if method == "info":
                return {"results": information()}
            return {"results": self._perform(method, params)}
        except SiteFault as fault:
            return refusal(fault)
        except Exception:
            # The reason may quote SQL or file names, so it goes to the site's log and not to the wire.
            _log.exception("%s() failed", method)
            return refusal(
                SiteFault(f"API {method}() could not be executed; the site logged the reason.", 104)
            )

    def _perform(self, name: str, params: list[Any]) -> Any:
        method = _METHODS.get(name)
        if method is None:
            raise SiteFault(f"API method {ruby(name)} does not exist on this site.")
        arguments = _arguments(name, method, params)
        connect = self.store.writing if method.writes else self.store.reading
        with connect() as connection:
            tables = self.store.tables
            call = Call(
                method=name,
                schema=self.store.schema,
                tables=tables,
                connection=connection,
                caller=authenticate(connection, tables, params[0] if params else None),
                # Real sites keep whole seconds; without a zone, as the columns hold UTC.
                now=datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None),
            )
            return method.function(call, arguments)


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
