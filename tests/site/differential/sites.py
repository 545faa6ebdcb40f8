"""Sites that hold a production, and are asked as clients ask them, without a socket."""

from __future__ import annotations

import io
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sgsession.site import LocalSite
from sgsession.site.database.store import Store
from sgsession.site.engine import Engine

from ..postgresql import Server
from .naive.model import CUSTOM, TYPES, Field
from .naive.production import Production

# Lists whose links are rows of a connection type, with the names of their two ends (wire.md 6.5).
_CONNECTIONS = {
    ("Shot", "assets"): ("AssetShotConnection", "shot", "asset"),
    ("Sequence", "assets"): ("AssetSequenceConnection", "sequence", "asset"),
    ("Asset", "assets"): ("AssetAssetConnection", "parent", "asset"),
    ("Shot", "shots"): ("ShotShotConnection", "parent_shot", "shot"),
    ("Project", "users"): ("ProjectUserConnection", "project", "user"),
    ("Group", "users"): ("GroupUserConnection", "group", "user"),
    ("Playlist", "versions"): ("PlaylistVersionConnection", "playlist", "version"),
    ("Shot", "sg_similar"): ("Shot_sg_similar_Connection", "shot", "asset"),
    ("Task", "upstream_tasks"): ("TaskDependency", "task", "dependent_task"),
}
_UNSTORED = {"image", "url", "serializable", "summary", "calculated", "password", "pivot_column"}


class _StandingClock(Engine):
    """The engine of a site at a moment of the test's choice."""

    def __init__(self, store: Store, moment: datetime) -> None:
        super().__init__(store)
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


class Asked:
    """A site with a production in it; `ask` is a remote call, less its encoding."""

    def __init__(
        self, database: str | Path, production: Production, removed: Callable[[], None] = lambda: None
    ) -> None:
        self._removed = removed
        self._site = LocalSite(database, serve=False)
        try:
            self._site.load(io.StringIO("\n".join(dumped(production))))
        except BaseException:
            self._site.close()
            raise
        self._engine = _StandingClock(self._site.engine.store, production.now)
        self._credentials = {"script_name": self._site.script_name, "script_key": self._site.api_key}

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        return self._engine.answer({"method_name": method, "params": [self._credentials, params]})

    def close(self) -> None:
        self._site.close()
        self._removed()


class SqliteSites:
    """Makes sites in SQLite files: copies of one that has the custom fields."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.sqlite"
        self._numbers = itertools.count()
        make_custom_fields(self._template)

    def site(self, production: Production) -> Asked:
        path = self._template.with_name(f"{next(self._numbers)}.sqlite")
        shutil.copyfile(self._template, path)
        return Asked(path, production)


class PostgresqlSites:
    """Makes sites in databases of a PostgreSQL server: copies of one that has the custom fields."""

    name = "PostgreSQL"

    def __init__(self, server: Server) -> None:
        self._server = server
        template = server.new_database()
        make_custom_fields(template.render_as_string(hide_password=False))
        self._template = str(template.database)

    def site(self, production: Production) -> Asked:
        url = self._server.new_database(like=self._template)
        return Asked(url.render_as_string(hide_password=False), production, lambda: self._server.drop(url))


def make_custom_fields(database: str | Path) -> None:
    """A new site with the custom fields, by remote calls."""
    with LocalSite(database, serve=False) as site:
        credentials = {"script_name": site.script_name, "script_key": site.api_key}
        for entity_type, fields in CUSTOM.items():
            for name, field in fields.items():
                params = {
                    "type": entity_type,
                    "data_type": field.data_type,
                    "properties": _properties(name, field),
                }
                payload = {"method_name": "schema_field_create", "params": [credentials, params]}
                assert site.engine.answer(payload) == {"results": name}


def _properties(name: str, field: Field) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"name": name.removeprefix("sg_").replace("_", " ").title()}
    if field.targets:
        given["valid_types"] = list(field.targets)
    if field.data_type == "checkbox":
        given["default_value"] = False
    if field.values:
        given["valid_values"] = list(field.values)
    return [{"property_name": key, "value": value} for key, value in given.items()]


def dumped(production: Production) -> Iterator[str]:
    """A production as the lines of a dump, which keeps ids and retired rows."""
    yield json.dumps({"sgsession_site": 1})
    connections: dict[str, list[dict[str, Any]]] = {}
    for entity_type, rows in production.rows.items():
        for row in rows:
            values: dict[str, Any] = {}
            for name, field in TYPES[entity_type].items():
                value = row.get(name)
                if name == "id" or field.other_end or field.data_type in _UNSTORED or value in (None, []):
                    continue
                if (entity_type, name) in _CONNECTIONS:
                    kind, here, there = _CONNECTIONS[entity_type, name]
                    me = {"type": entity_type, "id": row["id"]}
                    connections.setdefault(kind, []).extend({here: me, there: each} for each in value)
                else:
                    values[name] = value
            line = {"type": entity_type, "id": row["id"], "values": values}
            if row["retired"]:
                line["retired"] = {"at": "2024-01-01T00:00:00", "with": None}
            yield json.dumps(line)
    for kind, pairs in connections.items():
        for number, ends in enumerate(pairs, 1):
            yield json.dumps({"type": kind, "id": number, "values": ends})
