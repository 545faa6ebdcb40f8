"""What a site holds before anybody uses it: statuses, the script that signs in, a demo if wanted."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import sqlalchemy
from sqlalchemy import Connection

from . import bulk, demo
from .authentication import keep_script_key, prepare_script_keys
from .standard import STATUSES
from .store import Store
from .tables import Tables

__all__ = ["furnish"]


def furnish(store: Store, script_name: str, api_key: str, production: str | None) -> None:
    """Make the script sign in with this key; fill the site where that was not done before."""
    tables = store.tables
    with store.writing() as connection:
        prepare_script_keys(connection)
        if _is_empty(connection, tables, "Status"):
            _load(connection, store, "Status", _statuses())
        script_id = _script_id(connection, store, script_name)
        keep_script_key(connection, script_id, api_key)
        if production is not None and _is_empty(connection, tables, "Project"):
            creator = {"type": "ApiUser", "id": script_id}
            demo.load(connection, tables, store.schema, production, creator)


def _statuses() -> list[dict[str, Any]]:
    return [
        {"id": id, "code": code, "name": name, "system": True}
        for id, (code, (name, _)) in enumerate(STATUSES.items(), start=1)
    ]


def _script_id(connection: Connection, store: Store, name: str) -> int:
    scripts = store.tables.of("ApiUser")
    live = sqlalchemy.select(scripts.c.id).where(sqlalchemy.not_(scripts.c.retired))
    found = connection.scalar(live.where(scripts.c.firstname == name))
    if found is not None:
        return int(found)
    taken = connection.scalar(sqlalchemy.select(sqlalchemy.func.max(scripts.c.id))) or 0
    row = {"id": taken + 1, "firstname": name, "lastname": "1.0", "generate_event_log_entries": True}
    _load(connection, store, "ApiUser", [row])
    return int(row["id"])


def _load(connection: Connection, store: Store, entity_type: str, rows: list[dict[str, Any]]) -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0, tzinfo=None)
    bulk.load(connection, store.tables, store.schema, entity_type, rows, now=now)


def _is_empty(connection: Connection, tables: Tables, entity_type: str) -> bool:
    return connection.scalar(sqlalchemy.select(tables.of(entity_type).c.id).limit(1)) is None
