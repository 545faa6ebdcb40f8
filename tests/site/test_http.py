"""The HTTP shell: what reaches the engine, what is turned away, and that neither ends the site."""

from __future__ import annotations

import http.client
import json
import random
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sgsession.site import LocalSite
from sgsession.site.faults import SiteFault
from sgsession.site.web.http import LARGEST_BODY, decoded

JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


class Wire:
    """One keep-alive connection to a site."""

    def __init__(self, site: LocalSite) -> None:
        self.connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=10)
        self.credentials = {"script_name": site.script_name, "script_key": site.api_key}

    def send(
        self, body: bytes, path: str = "/api3/json", method: str = "POST", headers: Any = JSON_TYPE
    ) -> tuple[int, bytes]:
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        self.headers = response.headers
        return response.status, response.read()

    def call(self, payload: Any, **options: Any) -> Any:
        status, body = self.send(json.dumps(payload).encode(), **options)
        assert status == 200
        return json.loads(body)


@pytest.fixture
def wire(demo_site: LocalSite) -> Iterator[Wire]:
    wire = Wire(demo_site)
    yield wire
    wire.connection.close()


def test_an_answer_is_json_on_a_connection_that_stays(wire: Wire) -> None:
    """Answers carry the recorded content type and leave the connection open."""
    assert wire.call({"method_name": "info", "params": []})["results"]["version"] == [8, 89, 0]
    assert wire.headers["content-type"] == "application/json; charset=utf-8"
    port = wire.connection.sock.getsockname()
    wire.call({"method_name": "info", "params": []})
    assert wire.connection.sock.getsockname() == port


@pytest.mark.parametrize("path", ["/api3/json", "/studio/api3/json", "/a/b/api3/json"])
def test_any_prefix_is_served(wire: Wire, path: str) -> None:
    """A base URL with a path reaches the same site."""
    assert "results" in wire.call({"method_name": "info", "params": []}, path=path)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api3/json", 405),
        ("PUT", "/api3/json", 405),
        ("POST", "/", 405),
        ("POST", "/api3/json/", 404),
        ("POST", "/api3/jsonx", 404),
        ("GET", "/api3", 404),
    ],
)
def test_other_requests_are_turned_away(wire: Wire, method: str, path: str, status: int) -> None:
    """Only a POST to the endpoint is answered; anything else is a 4xx."""
    assert wire.send(b"{}", path, method)[0] == status


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_other_content_types_are_turned_away(wire: Wire, media_type: str) -> None:
    """A body that does not claim to be JSON is refused: web pages may send those without asking."""
    assert wire.send(b"{}", headers={"Content-Type": media_type})[0] == 415


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::2]"])
def test_other_host_names_are_turned_away(wire: Wire, host: str) -> None:
    """A name that was not bound is refused, so no page reaches a loopback site under its own name."""
    assert wire.send(b"{}", headers={**JSON_TYPE, "Host": host})[0] == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080"])
def test_loopback_names_are_served(wire: Wire, host: str) -> None:
    """Every name of the loopback reaches the site, whatever the port."""
    body = b'{"method_name": "info", "params": []}'
    assert wire.send(body, headers={**JSON_TYPE, "Host": host})[0] == 200


MALFORMED = [
    b"",
    b"{",
    b"nonsense",
    b"\xff\xfe",
    b'{"method_name": "info"',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"method_name": "info", "params": [], "x": NaN}',
    b'{"x": Infinity}',
    b'{"x": -Infinity}',
    b'{"x": 1e999}',
    b'{"x": -1E+400}',
    b'{"x": "\\ud800"}',
    b'{"\\uDFFF": 1}',
    b'{"x": 99999999999999999999}',
    b"9" * 5000,
    b'{"x": ' + b"9" * 400 + b".5}",
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:24]))
def test_what_is_not_json_is_refused_in_an_envelope(wire: Wire, body: bytes) -> None:
    """Malformed JSON, lone surrogates and numbers no site can keep get an envelope, and the site lives on."""
    status, answer = wire.send(body)
    assert status == 200
    envelope = json.loads(answer)
    assert envelope["exception"] is True
    assert envelope["error_code"] == 103
    assert "results" in wire.call({"method_name": "info", "params": []})


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": "\\ud83d\\ude00"}',
        b'{"x": 9223372036854775807}',
        b'{"x": 1e-999}',
        b'{"x": 1e100}',
        '"é"'.encode(),
    ],
)
def test_unusual_values_that_can_be_kept_are_read(body: bytes) -> None:
    """Surrogate pairs, 64-bit integers and large floats are ordinary values."""
    assert decoded(body) == json.loads(body)


def test_a_body_that_is_too_large_is_turned_away(demo_site: LocalSite) -> None:
    """A body over the limit is refused by its announced length, before it is read."""
    host, port = demo_site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            f"POST /api3/json HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {LARGEST_BODY + 1}\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_body_of_unknown_length_has_the_same_limit(
    demo_site: LocalSite, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body sent in chunks is refused as soon as it grows too large."""
    monkeypatch.setattr("sgsession.site.web.http.LARGEST_BODY", 1000)
    chunks = iter([b" " * 600] * 2)
    wire.connection.request("POST", "/api3/json", chunks, JSON_TYPE, encode_chunked=True)
    assert wire.connection.getresponse().status == 413


def test_an_answer_that_is_not_json_becomes_a_refusal(
    site: LocalSite, caplog: pytest.LogCaptureFixture
) -> None:
    """If the rows hold what JSON cannot say, the client still gets an envelope, and the log the reason."""
    wire = Wire(site)
    fields = [{"field_name": "name", "value": "One"}, {"field_name": "tracking_settings", "value": {"a": 1}}]
    create = {"type": "Project", "fields": fields}
    assert "results" in wire.call({"method_name": "create", "params": [wire.credentials, create]})
    with site.engine.store.writing() as connection:
        project = site.engine.store.tables.of("Project")
        connection.execute(project.update().values(tracking_settings='{"a": NaN}'))
    read = {
        "type": "Project",
        "return_fields": ["tracking_settings"],
        "filters": {"logical_operator": "and", "conditions": []},
        "return_only": "active",
        "paging": {"entities_per_page": 1, "current_page": 1},
    }
    envelope = wire.call({"method_name": "read", "params": [wire.credentials, read]})
    wire.connection.close()
    assert envelope["error_code"] == 104
    assert "could not be encoded" in caplog.text


def test_a_large_body_is_read(wire: Wire) -> None:
    """A body of several megabytes arrives whole."""
    envelope = wire.call({"method_name": "x" * 3_000_000, "params": []})
    assert envelope["error_code"] == 103
    assert len(envelope["message"]) < 5000


def test_half_a_request_disturbs_nobody(demo_site: LocalSite, wire: Wire) -> None:
    """A client that disappears in the middle of its body leaves the site as it was."""
    host, port = demo_site.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /api3/json HTTP/1.1\r\nHost: {host}\r\nContent-Length: 50\r\n\r\n"
        connection.sendall(head.encode() + b'{"method')
    assert "results" in wire.call({"method_name": "info", "params": []})


def mutated(value: Any, chance: random.Random) -> Any:
    """A copy of a JSON value in which something, somewhere, is of another kind, missing or doubled."""
    junk = [None, True, 0, -1, 2**31, 2.5, "", "x", "Shot", [], {}, [[]], {"type": "Shot"}, {"id": 1}, "\x00"]
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        if chance.random() < 0.15:
            return {other: kept for other, kept in value.items() if other != key}
        return {**value, key: mutated(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        place = chance.randrange(len(value))
        if chance.random() < 0.15:
            return value + value
        return [*value[:place], mutated(value[place], chance), *value[place + 1 :]]
    return chance.choice(junk)


def ordinary_calls() -> list[tuple[str, Any]]:
    """One well-formed call of each method, for a site that has the small demo."""
    filters = {
        "logical_operator": "and",
        "conditions": [
            {"path": "entity.Shot.code", "relation": "starts_with", "values": ["AA"]},
            {"path": "project", "relation": "is", "values": [{"type": "Project", "id": 123}]},
            {
                "logical_operator": "or",
                "conditions": [{"path": "id", "relation": "in", "values": [456, 457]}],
            },
        ],
    }
    read = {
        "type": "Task",
        "return_fields": ["content", "entity.Shot.code", "task_assignees"],
        "filters": filters,
        "return_only": "active",
        "paging": {"entities_per_page": 5, "current_page": 1},
        "sorts": [{"field_name": "content", "direction": "asc"}],
        "return_paging_info_without_counts": True,
        "api_return_image_urls": True,
        "include_archived_projects": False,
    }
    fields = [
        {"field_name": "code", "value": "new"},
        {"field_name": "project", "value": {"type": "Project", "id": 123}},
        {"field_name": "assets", "value": [{"type": "Asset", "id": 301}], "multi_entity_update_mode": "add"},
    ]
    create = {"type": "Shot", "fields": fields, "return_fields": ["sg_status_list"]}
    update = {"type": "Shot", "id": 234, "fields": fields}
    summarize = {
        "type": "Task",
        "filters": filters,
        "summaries": [{"field": "id", "type": "count"}],
        "grouping": [{"field": "entity", "type": "exact", "direction": "asc"}],
    }
    return [
        ("read", read),
        ("create", create),
        ("update", update),
        ("delete", {"type": "Shot", "id": 235}),
        ("revive", {"type": "Shot", "id": 235}),
        ("batch", [{"request_type": "create", **create}, {"request_type": "update", **update}]),
        ("summarize", summarize),
        ("schema_read", {"project": {"type": "Project", "id": 123}}),
        ("schema_entity_read", {"project": {"type": "Project", "id": 123}}),
        ("schema_field_read", {"type": "Shot", "field_name": "code"}),
    ]


@pytest.mark.parametrize("number", range(len(ordinary_calls())))
def test_mutated_requests_get_envelopes(number: int, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong in a request, the answer is an envelope in the site's own words."""
    method, params = ordinary_calls()[number]
    # pytest-randomly prints the seed that this one follows from.
    chance = random.Random(random.randrange(2**32))
    with LocalSite(demo="small") as site, ExitStack() as opened:
        wire = Wire(site)
        opened.callback(wire.connection.close)
        assert "results" in wire.call({"method_name": method, "params": [wire.credentials, params]}), method
        for _ in range(80):
            broken = mutated(params, chance)
            if chance.random() < 0.3:
                broken = mutated(broken, chance)
            envelope = wire.call({"method_name": method, "params": [wire.credentials, broken]})
            assert set(envelope) in ({"results"}, {"exception", "message", "error_code"}), broken
            # A refusal by the catch-all would mean that the site met something it had not thought of.
            assert "logged the reason" not in str(envelope.get("message")), (broken, caplog.text)


def test_the_endpoint_refuses_by_type_without_engine() -> None:
    """Decoding alone refuses what JSON cannot say."""
    with pytest.raises(SiteFault) as caught:
        decoded(b"NaN")
    assert caught.value.error_code == 103
