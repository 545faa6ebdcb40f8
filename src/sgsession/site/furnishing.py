"""What a site holds before anybody uses it: statuses, the script that signs in, a demo if wanted."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import sqlalchemy
from sqlalchemy import Connection

from . import demo
from .database.opening import Template
from .database.store import Store
from .database.tables import Tables
from .people.authentication import keep_script_key
from .schema.schema_map import SchemaMap
from .schema.standard import PERMISSION_GROUPS, STATUSES
from .transfer import bulk

__all__ = ["SCRIPT_NAME", "furnish", "template"]

SCRIPT_NAME = "sgsession"

# Furnished databases: what each later site of this process starts from.
_templates: dict[tuple[SchemaMap, str | None], Template] = {}
_templates_lock = threading.Lock()

# The large demo is no template: it would stay in memory for the life of the process.
_KEPT = frozenset({None, "small"})


def furnish(
    store: Store,
    script_name: str,
    api_key: str,
    production: str | None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Make the script sign in with this key; fill the site where that was not done before."""
    tables = store.tables
    with store.writing() as connection:
        if _is_empty(connection, tables, "Status"):
            _load(connection, store, "Status", _statuses())
        if _is_empty(connection, tables, "PermissionRuleSet"):
            _load(connection, store, "PermissionRuleSet", _permission_groups())
        script_id = _script_id(connection, store, script_name)
        keep_script_key(connection, tables, script_id, api_key)
        if production is not None and _is_empty(connection, tables, "Project"):
            creator = {"type": "ApiUser", "id": script_id}
            demo.load(connection, tables, store.schema, production, creator, progress)


def template(schema: SchemaMap, production: str | None) -> Template | None:
    """A database that is furnished, with a key that nobody knows; None for a production too large to keep."""
    if production not in _KEPT:
        return None
    with _templates_lock:
        made = _templates.get((schema, production))
        if made is None:
            store = Store(None, schema)
            furnish(store, SCRIPT_NAME, secrets.token_hex(20), production)
            made = _templates[schema, production] = store.freeze()
        return made


def _statuses() -> list[dict[str, Any]]:
    return [
        {"id": id, "code": code, "name": name, "system": True}
        for id, (code, (name, _)) in enumerate(STATUSES.items(), start=1)
    ]


def _permission_groups() -> list[dict[str, Any]]:
    return [
        {"id": id, "code": code, "display_name": name, "entity_type": entity_type}
        for id, (code, name, entity_type) in enumerate(PERMISSION_GROUPS, start=1)
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
