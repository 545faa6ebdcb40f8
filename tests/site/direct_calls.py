"""A site's store with its remote calls at hand: no server, no client, the functions themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sgsession.site.call import Call, Caller
from sgsession.site.database.store import Store
from sgsession.site.methods import schema_editing, schema_reading
from sgsession.site.queries import reading
from sgsession.site.schema.standard import standard_schema
from sgsession.site.transfer import bulk
from sgsession.site.writes import batching, retirement, writing

ROBOT = Caller("ApiUser", 1, "robot 1.0")
_FUNCTIONS = {
    "batch": batching.batch,
    "create": writing.create,
    "delete": retirement.delete,
    "read": reading.read,
    "revive": retirement.revive,
    "schema_entity_read": schema_reading.schema_entity_read,
    "schema_field_create": schema_editing.schema_field_create,
    "schema_field_delete": schema_editing.schema_field_delete,
    "schema_field_read": schema_reading.schema_field_read,
    "schema_field_revive": schema_editing.schema_field_revive,
    "schema_field_update": schema_editing.schema_field_update,
    "schema_read": schema_reading.schema_read,
    "update": writing.update,
}


class Direct:
    """A fresh store with one script and one project; `now` moves only when a test moves it."""

    def __init__(self, database: Path | None = None, custom: tuple[str, ...] = ()) -> None:
        self.store = Store(database, standard_schema(custom))
        self.caller = ROBOT
        self.now = datetime(2024, 5, 1, 10)
        with self.store.writing() as connection:
            script = {"id": 1, "firstname": "robot", "lastname": "1.0"}
            bulk.load(connection, self.store.tables, self.store.schema, "ApiUser", [script], now=self.now)
        self.project = self.link(self.create("Project", name="demo"))

    def call(self, method: str, params: Any) -> Any:
        with self.store.writing() as connection:
            call = Call(method, self.store.schema, self.store.tables, connection, self.caller, self.now)
            results = _FUNCTIONS[method](call, params)
            if call.edited is not None:
                self.store.swap_after_commit(call.edited)
            return results

    def create(
        self, entity_type: str, /, return_fields: list[str] | None = None, **values: Any
    ) -> dict[str, Any]:
        params = {"type": entity_type, "fields": _fields(values), "return_fields": return_fields or ["id"]}
        return self.call("create", params)

    def make(self, entity_type: str, **values: Any) -> dict[str, Any]:
        """A new row of the project, as a link."""
        return self.link(self.create(entity_type, project=self.project, **values))

    def make_any(self, entity_type: str) -> dict[str, Any]:
        """A new row of any type, in the project where the type needs one."""
        in_project = self.store.schema.types[entity_type].project_required
        return self.make(entity_type) if in_project else self.link(self.create(entity_type))

    def update(self, link: Mapping[str, Any], modes: Mapping[str, str] | None = None, **values: Any) -> Any:
        fields = _fields(values)
        for each in fields:
            if modes and each["field_name"] in modes:
                each["multi_entity_update_mode"] = modes[each["field_name"]]
        return self.call("update", {"type": link["type"], "id": link["id"], "fields": fields})

    def delete(self, link: Mapping[str, Any]) -> bool:
        return self.call("delete", {"type": link["type"], "id": link["id"]})

    def revive(self, link: Mapping[str, Any]) -> bool:
        return self.call("revive", {"type": link["type"], "id": link["id"]})

    def batch(self, *requests: Mapping[str, Any]) -> list[Any]:
        return self.call("batch", list(requests))

    def find(self, entity_type: str, *fields: str, return_only: str = "active") -> list[dict[str, Any]]:
        params = {
            "type": entity_type,
            "return_fields": list(fields),
            "filters": {"logical_operator": "and", "conditions": []},
            "return_only": return_only,
            "paging": {"entities_per_page": 500, "current_page": 1},
        }
        return self.call("read", params)["entities"]

    def value(self, link: Mapping[str, Any], field: str) -> Any:
        """One field of one living row."""
        (row,) = [each for each in self.find(link["type"], field) if each["id"] == link["id"]]
        return row[field]

    def names(self, link: Mapping[str, Any], field: str) -> list[str]:
        """The names of the rows that a list links to, sorted."""
        return sorted(each["name"] for each in self.value(link, field))

    def events(self, *fields: str) -> list[dict[str, Any]]:
        return self.find("EventLogEntry", *(fields or ("event_type", "attribute_name", "meta", "entity")))

    def events_of(self, action: Any) -> list[dict[str, Any]]:
        """The events that were written while `action` ran."""
        before = len(self.events())
        action()
        return self.events(
            "event_type", "attribute_name", "meta", "entity", "description", "project", "user"
        )[before:]

    def later(self, **duration: int) -> str:
        """Move the clock; gives the new moment as it is read."""
        self.now += timedelta(**(duration or {"minutes": 1}))
        return f"{self.now.isoformat()}Z"

    def become(self, **changes: Any) -> None:
        """Go on as another caller."""
        self.caller = replace(self.caller, **changes)

    @staticmethod
    def link(row: Mapping[str, Any]) -> dict[str, Any]:
        return {"type": row["type"], "id": row["id"]}


def _fields(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"field_name": name, "value": value} for name, value in values.items()]
