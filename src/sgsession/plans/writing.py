"""Plans that change the site, and bring the session in step with what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..entity import Entity
from ..errors import SyntaxProblem
from ..graph.graph import EXISTENCE, Graph
from ..importance import Importance
from .fields import expanded, own_entities
from .plan import Plan, Request

__all__ = ["batch", "create", "retire", "revive", "update"]


def create(
    graph: Graph,
    importance: Importance,
    entity_type: str,
    data: Mapping[str, Any] | None,
    return_fields: Any,
    fields: Mapping[str, Any],
) -> Plan[Entity]:
    """A new entity, with its important fields; one request."""
    entity_type = graph.schema.type_name(entity_type)
    values = _site_fields(graph, entity_type, {**_fields(data), **fields})
    wanted = _returned(graph, importance, entity_type, return_fields)
    with graph.reading() as moment:
        row = yield [Request("create", (entity_type, values, wanted))]
        return _note_written(graph, [_merge_written(graph, row, moment, is_new=True)])[0]


def update(
    graph: Graph,
    target: Any,
    entity_id: Any,
    data: Any,
    modes: Mapping[str, str] | None,
    fields: Mapping[str, Any],
) -> Plan[Any]:
    """Write fields of one entity, or the same ones of several; one request either way.

    `target` is a type, and then `entity_id` says which; or an entity, or a list of entities, and then
    `entity_id` may hold the data.
    """
    if isinstance(target, str):
        keys = [_key(graph, target, entity_id)]
    else:
        if entity_id is not None:
            if data is not None:
                raise SyntaxProblem("update(entity, data) takes no id: the entity has one.")
            data = entity_id
        keys = [entity.key for entity in own_entities(graph, target)]
    values = {**_fields(data), **fields}
    several = not isinstance(target, (str, Entity))
    if modes is not None and not isinstance(modes, Mapping):
        raise SyntaxProblem(f"multi_entity_update_modes is a dict of field and mode, not {modes!r}.")
    extra = {"multi_entity_update_modes": dict(modes)} if modes else {}
    if not several:
        [(entity_type, one_id)] = keys
        request = Request("update", (entity_type, one_id, _site_fields(graph, entity_type, values)), extra)
        with graph.reading() as moment:
            row = yield [request]
            return _note_written(graph, [_merge_written(graph, row, moment)])[0]
    if not keys:
        return []
    updates = [
        {
            "request_type": "update",
            "entity_type": entity_type,
            "entity_id": one_id,
            "data": _site_fields(graph, entity_type, values),
            **extra,
        }
        for entity_type, one_id in keys
    ]
    with graph.reading() as moment:
        rows = yield [Request("batch", (updates,))]
        return _note_written(graph, [_merge_written(graph, row, moment) for row in rows])


def retire(graph: Graph, target: Any, entity_id: int | None) -> Plan[bool]:
    """Retire one entity on the site; False when it was retired already. The session keeps it."""
    key = _target_key(graph, target, entity_id)
    with graph.reading() as moment:
        changed = yield [Request("delete", key)]
        _note_written(graph, [_note_existence(graph, key, False, moment)])
    return bool(changed)


def revive(graph: Graph, target: Any, entity_id: int | None) -> Plan[bool]:
    """Bring one retired entity back; False when it was not retired."""
    key = _target_key(graph, target, entity_id)
    with graph.reading() as moment:
        changed = yield [Request("revive", key)]
        _note_written(graph, [_note_existence(graph, key, True, moment)])
    return bool(changed)


def batch(graph: Graph, importance: Importance, requests: Sequence[Mapping[str, Any]]) -> Plan[list[Any]]:
    """Several writes in one transaction: an entity for each create and update, a bool for each delete."""
    if not isinstance(requests, (list, tuple)) or not all(
        isinstance(request, Mapping) for request in requests
    ):
        raise SyntaxProblem(f"batch() takes a list of dicts, each with a request_type, not {requests!r}.")
    copied = [_site_request(graph, importance, request) for request in requests]
    if not copied:
        return []
    with graph.reading() as moment:
        results = yield [Request("batch", (copied,))]
        written = [
            _note_existence(graph, (request["entity_type"], request["entity_id"]), False, moment)
            if request["request_type"] == "delete"
            else _merge_written(graph, result, moment, is_new=request["request_type"] == "create")
            for request, result in zip(copied, results, strict=True)
        ]
        entities = _note_written(graph, written)
    return [
        result if request["request_type"] == "delete" else entity
        for request, result, entity in zip(copied, results, entities, strict=True)
    ]


def _site_request(graph: Graph, importance: Importance, request: Mapping[str, Any]) -> dict[str, Any]:
    copied = dict(request)
    kind, entity_type = copied.get("request_type"), copied.get("entity_type")
    if kind not in ("create", "update", "delete") or not isinstance(entity_type, str):
        raise SyntaxProblem(
            f"A request of a batch has a request_type of create, update or delete, and an entity_type: {copied!r}."
        )
    copied["entity_type"] = entity_type = graph.schema.type_name(entity_type)
    needed = {"create": ("data",), "update": ("entity_id", "data"), "delete": ("entity_id",)}[kind]
    missing = [name for name in needed if name not in copied]
    if missing:
        raise SyntaxProblem(f"A {kind} of a batch needs {' and '.join(missing)}: {copied!r}.")
    if "data" in copied:
        copied["data"] = _site_fields(graph, entity_type, _fields(copied["data"]))
    if kind == "create":
        copied["return_fields"] = _returned(graph, importance, entity_type, copied.get("return_fields"))
    return copied


def _fields(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise SyntaxProblem(f"Data is a dict of fields and values, not {data!r}.")
    return dict(data)


def _site_fields(graph: Graph, entity_type: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The data under the site's names, refused where a given schema knows better."""
    renamed = {graph.schema.path(entity_type, field): value for field, value in values.items()}
    graph.schema.check_paths(entity_type, renamed)
    return renamed


def _returned(graph: Graph, importance: Importance, entity_type: str, return_fields: Any) -> list[str]:
    """What a create returns. Deep important fields stay out: a site does not resolve them (wire.md 2.2)."""
    wanted = [*expanded(graph, entity_type, return_fields), *importance.own_fields(entity_type)]
    return list(dict.fromkeys(wanted))


Written = tuple[Entity, list[str]]
"""An entity, and the fields that it took from the answer of a write."""


def _merge_written(graph: Graph, row: Any, moment: int, is_new: bool = False) -> Written:
    """Merge the answer of a write, but for what was written after it had started.

    Which of two writes that overlap came last on the site, nobody here knows; the one that started later
    is the better guess.
    """
    # The client gives old lists of one row for some sites (wire.md 7.1).
    row = row[0] if isinstance(row, list) else row
    key = (row["type"], row["id"])
    taken = [field for field in (*row, EXISTENCE) if not graph.written_since(key, field, moment)]
    entity: Entity = graph.merge(row, over=True, resolve=False, moment=moment)
    graph.saw([entity], True, moment)
    # No answer can have an older name of what did not exist.
    return entity, taken if is_new else [*taken, *graph.rename(entity, taken)]


def _note_existence(graph: Graph, key: tuple[str, int], exists: bool, moment: int) -> Written:
    entity = graph.entity(key)
    taken = [] if graph.written_since(key, EXISTENCE, moment) else [EXISTENCE]
    graph.saw([entity], exists, moment)
    return entity, taken


def _note_written(graph: Graph, written: Sequence[Written]) -> list[Entity]:
    """No read that started before may undo these. Noted last: requests of one batch follow each other."""
    for entity, taken in written:
        graph.wrote(entity, taken)
    return [entity for entity, _ in written]


def _target_key(graph: Graph, target: Any, entity_id: int | None) -> tuple[str, int]:
    if isinstance(target, str):
        return _key(graph, target, entity_id)
    if not isinstance(target, Entity) or entity_id is not None:
        raise SyntaxProblem(
            f"Write (type, id) or (entity), one at a time, not ({target!r}, {entity_id!r}); batch() takes several."
        )
    graph.own(target)
    return target.key


def _key(graph: Graph, entity_type: str, entity_id: Any) -> tuple[str, int]:
    if not isinstance(entity_id, int) or isinstance(entity_id, bool):
        raise SyntaxProblem(f"An id is an integer, not {entity_id!r}.")
    return graph.schema.type_name(entity_type), entity_id
