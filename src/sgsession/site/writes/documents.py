"""What a `url` field stores: each written link to a page or a file mints an Attachment (wire.md 5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import false, select

from ..call import Call
from ..data_types import Given, data_type
from ..database.rows import Reference, blank_row, insert_rows, named, reserve_ids
from ..events.event_log import EventLog
from ..faults import SiteFault, ruby
from ..schema.schema_map import Field
from .links import stamp

_ROOTS = ("mac_path", "windows_path", "linux_path")


def minted(call: Call, log: EventLog, owner: Reference, field: Field, value: Any, project: int | None) -> Any:
    """The stored form of a written `url` value, its Attachment made; null and refused forms pass unchanged."""
    # The data type refuses what is no document at all, before an Attachment is made for it.
    data_type("url").stored(field, value, call.method)
    if not isinstance(value, Mapping):
        return value
    document = _local(call, field, value) if _is_local(value) else _web(value)
    own = owner.type == "Attachment" and field.name == "this_file"
    if own:
        return {**document, "type": "Attachment", "id": owner.id}
    (attachment,) = reserve_ids(call.connection, call.tables, "Attachment")
    document = {**document, "type": "Attachment", "id": attachment}
    _insert(call, attachment, document, project)
    log.created(Reference("Attachment", attachment))
    return document


def published_path(document: Any) -> dict[str, Any]:
    """The fields of a PublishedFile that follow from its `path`: where it lies, seen from its storage."""
    if not isinstance(document, Mapping) or document.get("link_type") != "local":
        return {}
    return {"path_cache": document["relative_path"], "path_cache_storage": document["local_storage"]}


def rerooted(call: Call, values: Mapping[int, Any]) -> dict[int, Any]:
    """The values of a `url` field as they are read: files lie where their storages are now (wire.md 5.3)."""
    if not any(isinstance(value, dict) and value.get("link_type") == "local" for value in values.values()):
        return dict(values)
    storages = {storage["id"]: storage for storage in _storages(call)}
    found: dict[int, Any] = {}
    for row_id, value in values.items():
        found[row_id] = value
        if isinstance(value, dict) and value.get("link_type") == "local":
            storage = storages.get(value["local_storage"]["id"])
            if storage is not None:
                found[row_id] = {**value, **_paths(storage, value["relative_path"])}
    return found


def _is_local(value: Mapping[str, Any]) -> bool:
    return any(isinstance(value.get(key), str) for key in ("local_path", "relative_path"))


def _web(value: Mapping[str, Any]) -> dict[str, Any]:
    name = value.get("name")
    return {
        "url": value["url"],
        "name": name if isinstance(name, str) and name else value["url"],
        "content_type": value.get("content_type"),
        "link_type": "web",
    }


def _local(call: Call, field: Field, value: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value.get("local_path"), str):
        storage, relative = _storage_of(call, value["local_path"])
    else:
        storage, relative = _named_storage(call, field, value), value["relative_path"].lstrip("/")
    given_name = value.get("name")
    name = given_name if isinstance(given_name, str) and given_name else relative.rsplit("/", 1)[-1]
    return {
        "content_type": value.get("content_type"),
        "link_type": "local",
        "name": name,
        "local_storage": {"type": "LocalStorage", "id": storage["id"], "name": storage["code"]},
        "relative_path": relative,
        **_paths(storage, relative),
    }


def _paths(storage: Mapping[str, Any], relative: str) -> dict[str, str | None]:
    """Where a file of a storage lies, on each platform."""
    return {
        f"local_path_{root.removesuffix('_path')}": None
        if storage[root] is None
        else f"{storage[root].rstrip('/')}/{relative}"
        for root in _ROOTS
    }


def _storages(call: Call) -> Iterator[Mapping[str, Any]]:
    table = call.tables.of("LocalStorage")
    query = select(table.c.id, table.c.code, *(table.c[root] for root in _ROOTS)).where(
        table.c.retired == false()
    )
    yield from (dict(row) for row in call.connection.execute(query).mappings())


def _storage_of(call: Call, path: str) -> tuple[Mapping[str, Any], str]:
    """The storage with the deepest root above the path, and the path below it."""
    best: tuple[int, int] | None = None
    found: tuple[Mapping[str, Any], str] | None = None
    for storage in _storages(call):
        for root in filter(None, (storage[each] for each in _ROOTS)):
            folder = root.replace("\\", "/").rstrip("/") + "/"
            # The same root twice: the newer storage wins (wire.md 5.3).
            rank = (len(folder), storage["id"])
            # A hosted site takes no backslashes: Windows users send `C:/...` (wire.md 5.3).
            if "\\" not in path and path.startswith(folder) and (best is None or rank > best):
                best, found = rank, (storage, path[len(folder) :])
    if found is None:
        raise SiteFault(
            f"API {call.method}() CRUD ERROR #6: Create failed for [Attachment]: "
            f"Path {path} doesn't match any defined Local Storage.",
            104,
        )
    return found


def _named_storage(call: Call, field: Field, value: Mapping[str, Any]) -> Mapping[str, Any]:
    named_storage = value.get("local_storage")
    wanted = named_storage.get("id") if isinstance(named_storage, Mapping) else None
    for storage in _storages(call):
        if storage["id"] == wanted:
            return storage
    raise Given.to_write(field, value, call.method).invalid(
        f"invalid/missing url hash 'local_storage': {ruby(value)}"
    )


def _insert(call: Call, attachment: int, document: Mapping[str, Any], project: int | None) -> None:
    entity_type = call.schema.types["Attachment"]
    written: dict[str, Any] = {
        "this_file": document,
        "display_name": document["name"],
        "sg_status_list": "na",
    }
    if document["link_type"] == "local":
        written["local_storage"] = document["local_storage"]
    row = {**blank_row(entity_type), **stamp(call, "Attachment"), "id": attachment}
    row.update(created_at=row["updated_at"], created_by__type=call.caller.type, created_by__id=call.caller.id)
    for name, value in written.items():
        row.update(
            data_type(entity_type.fields[name].data_type).stored(entity_type.fields[name], value, call.method)
        )
    row.update(project__type=None if project is None else "Project", project__id=project)
    insert_rows(call.connection, call.tables, "Attachment", [{**row, **named(str(document["name"]))}])
