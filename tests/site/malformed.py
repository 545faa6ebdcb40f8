"""Ten thousand ways to ask wrongly: broken HTTP, wrong types at every place, bombs, names that try SQL."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

from sgsession.site import engine

from .test_http import mutated, ordinary_calls

# One of each JSON kind and its edges. SQL is spelled in small letters: capital ones on the wire are the site's.
JUNK = [
    None, True, False, 0, -1, 2**31, 2**63 - 1, -(2**63), 2.5, -0.0, 1e300, "", "x", "Shot", "code", "\x00", "%",
    "\u00df\u0130", "2025-13-45", "'; drop table shot; --", [], [[]], [None], {}, {"type": "Shot"}, {"id": 1},
    {"type": "Nope", "id": 1}, {"type": 7, "id": "x"}, [1, "DAY"], ["x"] * 50,
]  # fmt: skip

SQL = [
    "'; drop table shot; --", '"; delete from "Shot"; --', "id) union select 1, 2 --", "code; select 1", "1 or 1=1",
    "code' or ''='", 'code" is not null or "', "(select 1)", "Shot where 1=1", "sqlite_master", "script_key",
    "code`", "code\\", "code\x00", "id--", "id/**/", "rowid", "oid", "code__folded", "entity__type", "record.name",
    "Shot.code", "pg_sleep(9)", "printf('%s', 1)", "?", ":code", "%s", "%(id)s", "{code}", "$1", "[code]",
]  # fmt: skip


# Each makes a new table or column, a tenth of a second; once at every place is enough of them.
SLOW = frozenset({"schema_field_create", "schema_entity_create"})


def calls() -> list[tuple[str, Any]]:
    """Well-formed calls of the methods that are read closely, and plausible ones of all others."""
    known = ordinary_calls()
    plausible = {
        "type": "Shot", "entity_type": "Shot", "id": 234, "entity_id": 234, "record_id": 234, "note_id": 1,
        "field_name": "code", "text": "AA", "entity_types": {"Shot": []}, "max_results": 5, "paths": ["/"],
        "project": {"type": "Project", "id": 123}, "project_id": 123, "entity": {"type": "Shot", "id": 234},
        "user": {"type": "HumanUser", "id": 11}, "properties": [{"property_name": "name", "value": "X"}],
        "data_type": "text", "prefs": ["date_component_order"], "page_id": 1, "start_date": "2025-01-01",
        "end_date": "2025-02-01", "limit": 5, "column_entity": "Shot", "entity_fields": {"Shot": ["code"]},
    }  # fmt: skip
    seen = {name for name, _ in known}
    return [*known, *((name, plausible) for name in engine._METHODS if name not in seen)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value, itself included."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A copy of a JSON value with something else in one place."""
    if not path:
        return other
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = other
    return result


def wrong_types(chance: random.Random, count: int) -> Iterator[Any]:
    """Something else at every place of every call in turn; places first, so that none is left out."""
    everywhere = [(name, params, path) for name, params in calls() for path in places(params)]
    made = 0
    while made < count:
        chance.shuffle(everywhere)
        for name, params, path in everywhere[: count - made]:
            yield name, replaced(params, path, chance.choice(JUNK))
            made += 1
        everywhere = [each for each in everywhere if each[0] not in SLOW]


def mutations(chance: random.Random, count: int) -> Iterator[Any]:
    """Several things wrong at once: replaced, left out, doubled."""
    everything = [each for each in calls() if each[0] not in SLOW]
    for _ in range(count):
        name, params = chance.choice(everything)
        for _ in range(chance.randint(1, 4)):
            params = mutated(params, chance)
        yield name, params


def _read(**changes: Any) -> dict[str, Any]:
    read = {
        "type": "Shot",
        "return_fields": ["code"],
        "filters": {"logical_operator": "and", "conditions": []},
        "return_only": "active",
        "paging": {"entities_per_page": 5, "current_page": 1},
    }
    return {**read, **changes}


def _where(path: Any, relation: Any, values: Any) -> dict[str, Any]:
    condition = {"path": path, "relation": relation, "values": values}
    return _read(filters={"logical_operator": "and", "conditions": [condition]})


def sql_names(chance: random.Random, count: int) -> Iterator[Any]:
    """Names and words that try to be SQL, in every place that a name goes to."""
    for _ in range(count):
        bad = chance.choice(SQL)
        deep = chance.choice(
            [bad, f"sg_sequence.Sequence.{bad}", f"sg_sequence.{bad}.code", f"{bad}.Shot.code"]
        )
        grouped = {
            "field": bad,
            "type": chance.choice(["exact", bad]),
            "direction": chance.choice(["asc", bad]),
        }
        summary = {"field": chance.choice(["id", bad]), "type": chance.choice(["count", bad])}
        written = [{"field_name": chance.choice([bad, "code"]), "value": bad}]
        yield chance.choice(
            [
                ("read", _read(type=bad)),
                ("read", _read(return_fields=[deep])),
                ("read", _read(return_only=bad)),
                ("read", _read(sorts=[{"field_name": deep, "direction": chance.choice(["asc", bad])}])),
                ("read", _where(deep, "is", ["x"])),
                ("read", _where("code", bad, ["x"])),
                ("read", _where("code", chance.choice(["is", "contains", "starts_with", "in"]), [bad])),
                ("read", _where("sg_sequence", "is", [{"type": bad, "id": bad}])),
                ("read", _where("sg_sequence", "type_is", [bad])),
                ("summarize", {**_read(), "summaries": [summary], "grouping": [grouped]}),
                ("create", {"type": bad, "fields": written}),
                ("update", {"type": "Shot", "id": 234, "fields": written}),
                ("schema_field_read", {"type": bad, "field_name": bad}),
                (bad, {}),
            ]
        )


def bombs(chance: random.Random, count: int) -> Iterator[Any]:
    """What is small to send and large to answer: depth, long lists, many fields, endless paths."""
    hops = "sg_sequence.Sequence.shots.Shot." * 25
    deep_filter: Any = {"path": "code", "relation": "is", "values": ["x"]}
    for _ in range(300):
        deep_filter = {"logical_operator": "and", "conditions": [deep_filter]}
    many = [{"path": "code", "relation": "is_not", "values": [f"x{n}"]} for n in range(3000)]
    group = {"logical_operator": "or", "conditions": many}
    kinds = [
        lambda: ("read", _where("id", "in", list(range(chance.choice([10_000, 60_000]))))),
        lambda: ("read", _where("code", "in", [f"x{n}" for n in range(10_000)])),
        lambda: ("read", _where("sg_sequence", "in", [{"type": "Sequence", "id": n} for n in range(5000)])),
        lambda: ("read", _where(hops + "code", "is", ["x"])),
        lambda: ("read", _read(return_fields=[hops + "code"])),
        lambda: ("read", _read(return_fields=[f"no_field_{n}" for n in range(10_000)])),
        lambda: ("read", _read(return_fields=["code"] * 10_000)),
        lambda: ("read", _read(sorts=[{"field_name": "code", "direction": "asc"}] * 2000)),
        lambda: ("read", _read(filters=deep_filter)),
        lambda: ("read", _read(filters=group)),
        lambda: ("read", _read(paging={"entities_per_page": 10**9, "current_page": 10**12})),
        lambda: ("read", _where("code", "contains", ["%" * 5000])),
        lambda: ("read", _where("id", "is", [9 * 10**18])),
        lambda: ("create", {"type": "Shot", "fields": [{"field_name": f"x{n}", "value": n} for n in range(5000)]}),
        lambda: ("update", {"type": "Shot", "id": 234, "fields": [{"field_name": "code", "value": "x" * 10**6}]}),
        lambda: ("batch", [{"request_type": "delete", "type": "Shot", "id": 10**9 + n} for n in range(2000)]),
        lambda: ("summarize", {**_read(), "summaries": [{"field": "id", "type": "count"}] * 2000}),
    ]  # fmt: skip
    for number in range(count):
        yield kinds[number % len(kinds)]()


def broken_json(chance: random.Random, count: int) -> Iterator[bytes]:
    """Bodies that are no JSON, or hold what no site can keep: depth, huge numbers, surrogates, NUL."""
    good = json.dumps({"method_name": "read", "params": [{}, _read()]}).encode()
    fixed = [
        b"", b"\xff\xfe{}", b"[" * 100_000, b'{"a":' * 50_000, b'"' + b"\\ud800" * 100 + b'"', b'{"\\udfff": 1}',
        b'{"method_name": "info\\u0000"}', b'{"x": NaN}', b'{"x": -Infinity}', b'{"x": 1e999}', b"9" * 20_000,
        b'{"x": 99999999999999999999999}', b'{"method_name": ' + b'"x' * 5000, b"\x00" * 100, b"null", b"[]", b'"info"',
        b'{"method_name": ["info"]}', b'{"method_name": "read", "params": {}}', b"\xed\xa0\x80", b"{" * 2000,
        b'{"method_name": "read", "params": [1, 2, 3]}', b'{"method_name": 1e5}', b'{"method_name":"info"}{}',
    ]  # fmt: skip
    for number in range(count):
        if number < 2 * len(fixed):
            yield fixed[number % len(fixed)]
            continue
        body = bytearray(good)
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(len(body))
            if chance.random() < 0.5:
                body[place] = chance.randrange(256)
            else:
                del body[place : place + chance.randint(1, 30)]
        yield bytes(body)


def broken_http(chance: random.Random, count: int) -> Iterator[bytes]:
    """Bytes that are no request of HTTP, or one that can be read in two ways."""
    body = b'{"method_name": "info", "params": []}'
    host = b"Host: localhost\r\n"
    kind = b"Content-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    start = b"POST /api3/json HTTP/1.1\r\n"
    good = start + host + kind + length + b"\r\n" + body
    fixed = [
        b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, b"GET\r\n\r\n", b"\x00" * 500,
        b"POST /api3/json\r\n\r\n", b"POST /api3/json HTTP/9.9\r\n" + host + b"\r\n", b"X" * 70_000,
        b"POST  /api3/json  HTTP/1.1\r\n" + host + b"\r\n", start + kind + length + b"\r\n" + body,
        start + host + b"Content-Length: -1\r\n\r\n", start + host + b"Content-Length: x\r\n\r\n",
        start + host + b"Content-Length: 99999999999999999999\r\n\r\n", start + host + b"Content-Length: 1, 2\r\n\r\n",
        start + host + length + b"Content-Length: 5\r\n\r\n" + body,
        start + host + b"Content-Length: +5\r\n\r\n" + body,
        start + host + kind + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        start + host + kind + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n",
        start + host + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        start + host + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        start + host + b"Bad Header\r\n\r\n", start + host + b": empty\r\n\r\n", start + host + b"A: b\rc\r\n\r\n",
        start + host + b"A: \x00\r\n\r\n", start + host + b" folded: x\r\n\r\n", start + host + host + b"\r\n",
        start + host + b"A: " + b"x" * 70_000 + b"\r\n\r\n",
        start + host + b"".join(b"H%d: x\r\n" % n for n in range(10_000)) + b"\r\n",
        b"GET /api3/json HTTP/1.1\r\n" + host + b"\r\n", b"DELETE / HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /%00%ff/../../etc/passwd HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n",
        b"POST http://evil.example/api3/json HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n",
        b"POST /" + b"a" * 60_000 + b" HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n" + host + b"\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        start + b"Host: evil.example\r\n" + kind + length + b"\r\n" + body, good[:-10], good[:40],
        start + host + kind + b"Content-Encoding: gzip\r\n" + length + b"\r\n" + body,
    ]  # fmt: skip
    for number in range(count):
        if number < 2 * len(fixed):
            yield fixed[number % len(fixed)]
            continue
        broken = bytearray(good)
        # In the head: a body that is broken is another kind.
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(broken) - len(body))
            if chance.random() < 0.6:
                broken[place] = chance.randrange(256)
            else:
                del broken[place : place + chance.randint(1, 12)]
        yield bytes(broken)
