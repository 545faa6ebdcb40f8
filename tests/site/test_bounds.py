"""Requests that are small to send and large to answer: refused in words, or answered, before long."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sgsession.site import LocalSite

# The goal is 2 seconds of an idle machine; a run that measures coverage takes twice as long.
MOST_SECONDS = 4.0

Ask = Callable[[bytes], tuple[int, str]]


@pytest.fixture(scope="module")
def demo() -> Iterator[LocalSite]:
    """The small demo; nothing here changes it for good."""
    with LocalSite(demo="small") as site:
        yield site


@pytest.fixture
def ask(demo: LocalSite) -> Iterator[Ask]:
    """Send a body, and get the status and text of what comes back; it must not have taken long."""
    connection = http.client.HTTPConnection(demo.url.removeprefix("http://"), timeout=60)

    def asking(body: bytes) -> tuple[int, str]:
        # The time of this process, which is client and site: a busy machine makes nobody slower.
        began = time.process_time()
        connection.request("POST", "/api3/json", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = response.status, response.read().decode()
        assert time.process_time() - began < MOST_SECONDS
        return said

    yield asking
    connection.close()


def _body(demo: LocalSite, method: str, params: str) -> bytes:
    credentials = json.dumps({"script_name": demo.script_name, "script_key": demo.api_key})
    return f'{{"method_name":"{method}","params":[{credentials},{params}]}}'.encode()


def _read(entity_type: str = "Shot", **changes: Any) -> str:
    filters = {"logical_operator": "and", "conditions": []}
    paging = {"entities_per_page": 50, "current_page": 1}
    read = {"type": entity_type, "return_fields": ["code"], "filters": filters, "paging": paging}
    return json.dumps({**read, **changes})


def _where(path: str, relation: str, values: Any, count: int = 1, *, operator: str = "and") -> str:
    """A read with `count` conditions of one kind; `{}` in a value is the number of the condition."""
    conditions = []
    for number in range(count):
        numbered = [each.format(number) if isinstance(each, str) else each for each in values]
        conditions.append({"path": path, "relation": relation, "values": numbered})
    return _read(filters={"logical_operator": operator, "conditions": conditions})


def _nested(depth: int) -> str:
    inner = '{"path":"code","relation":"is","values":["x"]}'
    group = '{"logical_operator":"and","conditions":[' * depth + inner + "]}" * depth
    return _read().replace('{"logical_operator": "and", "conditions": []}', group)


LOOP = "sg_sequence.Sequence.shots.Shot."
SELF = "layout_project.Project."

REFUSED = {
    "lists-100000-deep": ("read", lambda: "[" * 100_000 + "]" * 100_000, "is not valid JSON"),
    "objects-100000-deep": ("read", lambda: '{"a":' * 100_000 + "1" + "}" * 100_000, "is not valid JSON"),
    "filters-100000-deep": ("read", lambda: _nested(100_000), "is not valid JSON"),
    "filters-300-deep": ("read", lambda: _nested(300), "nested more than 265 levels deep"),
    "number-of-100000-digits": ("read", lambda: "9" * 100_000, "is not valid JSON"),
    "number-of-4000-digits": ("read", lambda: "9" * 4_000, "an integer is too large"),
    "number-past-all-floats": ("read", lambda: "1e999999", "a number is too large"),
    "in-1000000": ("read", lambda: _where("id", "in", list(range(1_000_000))), "at most a 100000-element"),
    "not-in-1000000": ("read", lambda: _where("code", "not_in", ["x"] * 1_000_000), "at most a 100000-element"),
    "deep-in-1000000": ("read", lambda: _where(LOOP + "id", "in", [1] * 1_000_000), "at most a 100000-element"),
    "conditions-7000": ("read", lambda: _where("code", "is_not", ["x{}"], 7000), "more than 6000 conditions"),
    "deep-conditions-1000": (
        "read",
        lambda: _where("assets.Asset.shots.Shot.code", "contains", ["x{}"], 1000, operator="or"),
        "follows more than 300 links",
    ),
    "name-conditions-1000": (
        "read",
        lambda: _where("sg_sequence", "name_not_contains", ["x{}"], 1000),
        "follows more than 300 links",
    ),
    "fields-1000000": ("read", lambda: _read(return_fields=["x"] * 1_000_000), "at most 10000 are taken"),
    "sorts-10000": (
        "read",
        lambda: _read(sorts=[{"field_name": "code", "direction": "asc"}] * 10_000),
        "'sorts' holds 10000 elements; at most 1000 are taken",
    ),
    "long-sorts": (
        "read",
        lambda: _read(sorts=[{"field_name": f"project.Project.{SELF * n}name"} for n in range(58)]),
        "too many linked rows",
    ),
    "summaries-100000": (
        "summarize",
        lambda: _read(summaries=[{"field": "id", "type": "count"}] * 100_000),
        "'summaries' holds 100000 elements; at most 1000 are taken",
    ),
    "objects-1000000": ("read", lambda: "[" + "{}," * 1_000_000 + "{}]", "expected Hash params but got Array: [{}"),
    "name-of-10-megabytes": ("read", lambda: _read(entity_type="x" * 10**7), "missing string entity 'type'"),
}  # fmt: skip

ANSWERED = {
    "filters-265-deep": ("read", lambda: _nested(264)),
    "path-of-50-hops": ("read", lambda: _where(LOOP * 25 + "code", "is", ["x"])),
    "field-of-50-hops": ("read", lambda: _read(return_fields=["project.Project." + SELF * 49 + "name"])),
    "58-fields-of-58-hops": (
        "read",
        lambda: _read(return_fields=[f"project.Project.{SELF * n}name" for n in range(58)]),
    ),
    "in-100000": ("read", lambda: _where("id", "in", list(range(100_000)))),
    "in-100000-links": (
        "read",
        lambda: _where("sg_sequence", "in", [{"type": "Sequence", "id": n} for n in range(100_000)]),
    ),
    "conditions-1000": ("read", lambda: _where("code", "not_contains", ["x{}"], 1000)),
    "deep-alternatives-1000": (
        "read",
        lambda: _where("sg_sequence.Sequence.episode.Episode.code", "is", ["x{}"], 1000, operator="or"),
    ),
    "unknown-fields-10000": ("read", lambda: _read(return_fields=[f"no_{n}" for n in range(10_000)])),
    "number-of-18-digits": ("read", lambda: _where("id", "is", [10**18])),
    "text-of-10-megabytes": ("read", lambda: _where("code", "contains", ["%" * 10**7])),
    "page-of-a-billion": (
        "read",
        lambda: _read(paging={"entities_per_page": 10**9, "current_page": 10**9}),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_too_much_is_refused_in_words(demo: LocalSite, ask: Ask, name: str) -> None:
    """A JSON fault that names the limit, short whatever was sent, and soon."""
    method, params, words = REFUSED[name]
    status, text = ask(_body(demo, method, params()))
    fault = json.loads(text)
    assert (status, fault["exception"]) == (200, True)
    assert words in fault["message"]
    assert len(text) < 20_000


@pytest.mark.parametrize("name", ANSWERED)
def test_much_is_answered(demo: LocalSite, ask: Ask, name: str) -> None:
    """What is within the limits has its answer, and soon."""
    method, params = ANSWERED[name]
    status, text = ask(_body(demo, method, params()))
    assert status == 200
    assert list(json.loads(text)) == ["results"]


def test_a_hundred_megabytes_are_not_even_read(demo: LocalSite, ask: Ask) -> None:
    """A body past the limit is a clean 413, and the site goes on."""
    status, text = ask(_body(demo, "read", '"' + "x" * (17 * 2**20) + '"'))
    assert (status, text) == (413, "A request may hold at most 16777216 bytes.")
    client = demo.connect()
    assert client.find_one("Shot", [["id", "is", 234]], ["code"])["code"] == "AA_001"
    client.close()
