"""A bare store with one entity type that has a field of every data type, read without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest

from sgsession.site.call import Call, Caller
from sgsession.site.data_types import DATA_TYPES
from sgsession.site.database.store import Store
from sgsession.site.faults import SiteFault
from sgsession.site.queries import reading, summaries
from sgsession.site.schema.schema_map import EntityType, Field, SchemaMap
from sgsession.site.schema.standard import standard_schema
from sgsession.site.transfer.bulk import load

# A Wednesday, so that weeks, months and days differ.
NOW = datetime(2024, 5, 15, 12, 0, 0)

LINK_TARGETS = ("Shot", "Asset", "Project")


@cache
def schema() -> SchemaMap:
    """The standard types, and `Specimen`: its fields are named after their data types."""
    standard = standard_schema()
    fields = {"id": Field("Specimen", "id", "number", "Id", editable=False)}
    fields["code"] = Field("Specimen", "code", "text", "Code")
    fields["cached_display_name"] = Field("Specimen", "cached_display_name", "text", "Name")
    for name in DATA_TYPES:
        valid_types = LINK_TARGETS if name in ("entity", "multi_entity") else ()
        valid_values = ("wtg", "ip", "fin") if name == "status_list" else ("Alpha", "beta")
        fields[name] = Field(
            "Specimen", name, name, name.title(), valid_types=valid_types, valid_values=valid_values
        )
    # What `tag_list` shows as names is stored as links, under the name `tags`.
    fields["tags"] = Field("Specimen", "tags", "multi_entity", "Tags", valid_types=("Tag",))
    fields["later"] = replace(fields["number"], name="later")
    fields["list_order"] = replace(fields["number"], name="list_order")
    specimen = EntityType("Specimen", "Specimen", fields, identity="code")
    return SchemaMap({**standard.types, "Specimen": specimen}, standard.relations)


def all_of(*nodes: Any) -> dict[str, Any]:
    """A group whose nodes must all hold; a tuple is a condition: path, relation, values."""
    return {"logical_operator": "and", "conditions": [_node(node) for node in nodes]}


def any_of(*nodes: Any) -> dict[str, Any]:
    """A group of which one node must hold."""
    return {"logical_operator": "or", "conditions": [_node(node) for node in nodes]}


def _node(node: Any) -> Any:
    if not isinstance(node, tuple):
        return node
    path, relation, *values = node
    return {"path": path, "relation": relation, "values": values}


class Site:
    """Rows to read, and the calls that read them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def load(self, entity_type: str, *rows: Mapping[str, Any]) -> None:
        """Add rows as they travel on the wire."""
        with self.store.writing() as connection:
            load(connection, self.store.tables, self.store.schema, entity_type, rows, now=NOW)

    def retire(self, entity_type: str, *ids: int, retired: bool = True) -> None:
        """Mark rows as retired, as `delete` does."""
        tables = self.store.tables
        with self.store.writing() as connection:
            for table, of_type in ((tables.of(entity_type), None), (tables.record, entity_type)):
                change = table.update().where(table.c.id.in_(ids)).values(retired=retired)
                if of_type is not None:
                    change = change.where(table.c.type == of_type)
                connection.execute(change)

    @contextmanager
    def call(self, method: str) -> Iterator[Call]:
        with self.store.reading() as connection:
            caller = Caller("ApiUser", 1, "robot 1.0")
            yield Call(method, self.store.schema, self.store.tables, connection, caller, NOW)

    def read(self, entity_type: str, filters: Any = None, **params: Any) -> dict[str, Any]:
        """The results of a `read`; 500 rows unless `paging` says otherwise."""
        params.setdefault("paging", {"entities_per_page": 500, "current_page": 1})
        with self.call("read") as call:
            given = {"type": entity_type, "filters": filters or all_of(), "return_only": "active", **params}
            return reading.read(call, given)

    def ids(self, entity_type: str, *nodes: Any, **params: Any) -> list[int]:
        """The ids of the rows that satisfy all nodes."""
        return [row["id"] for row in self.read(entity_type, all_of(*nodes), **params)["entities"]]

    def row(self, entity_type: str, row_id: int, *fields: str) -> dict[str, Any]:
        """One row with these fields."""
        found = self.read(entity_type, all_of(("id", "is", row_id)), return_fields=list(fields))
        (row,) = found["entities"]
        return row

    def values(self, entity_type: str, field: str, *nodes: Any, **params: Any) -> list[Any]:
        """The values of one field, row by row."""
        found = self.read(entity_type, all_of(*nodes), return_fields=[field], **params)
        return [row[field] for row in found["entities"]]

    def summarize(self, entity_type: str, *nodes: Any, **params: Any) -> dict[str, Any]:
        """The results of a `summarize`."""
        with self.call("summarize") as call:
            return summaries.summarize(call, {"type": entity_type, "filters": all_of(*nodes), **params})

    def refusal(self, entity_type: str, *nodes: Any, **params: Any) -> str:
        """The words in which a `read` with these nodes is refused."""
        with pytest.raises(SiteFault) as caught:
            self.read(entity_type, all_of(*nodes), **params)
        return caught.value.message


def link(entity_type: str, row_id: int) -> dict[str, Any]:
    """A link as it is written."""
    return {"type": entity_type, "id": row_id}


@contextmanager
def stored(*batches: tuple[str, Iterable[Mapping[str, Any]]]) -> Iterator[Site]:
    """A site of its own that holds these rows."""
    store = Store(None, schema())
    try:
        site = Site(store)
        for entity_type, rows in batches:
            site.load(entity_type, *rows)
        yield site
    finally:
        store.close()
