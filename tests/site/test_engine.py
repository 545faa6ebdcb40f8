"""The engine: one payload in, one envelope out, whatever the payload is."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgsession.site import LocalSite
from sgsession.site.faults import ruby, ruby_class

METHODS = (
    "info",
    "read",
    "create",
    "update",
    "delete",
    "revive",
    "batch",
    "summarize",
    "schema_read",
    "schema_entity_read",
    "schema_field_read",
    "query_display_name_cache",
    "activity_stream",
    "note_thread_contents",
    "follow",
    "unfollow",
    "followers",
    "following",
    "work_schedule_read",
    "work_schedule_update",
    "preferences_read",
    "user_subscriptions_read",
    "user_subscriptions_create",
    "update_project_last_accessed_by_current_user",
    "nav_expand",
    "nav_search",
    "export_page",
)


def ask(site: LocalSite, method: Any, params: Any = None) -> dict[str, Any]:
    """The envelope for a call by the site's own script."""
    credentials = {"script_name": site.script_name, "script_key": site.api_key}
    return site.engine.answer({"method_name": method, "params": [credentials, params]})


def assert_envelope(envelope: Any) -> None:
    """An envelope is a result or a refusal, travels as JSON, and quotes nothing of the machinery."""
    text = json.dumps(envelope, allow_nan=False)
    assert set(envelope) in ({"results"}, {"exception", "message", "error_code"})
    if "exception" in envelope:
        assert envelope["exception"] is True
        assert isinstance(envelope["error_code"], int)
        for word in ("Traceback", "SELECT ", "sqlite", "sqlalchemy"):
            assert word not in text


@pytest.mark.parametrize("payload", [None, True, 3, 2.5, "read", [], [{}], {}, {"method_name": None}])
def test_what_is_no_request_is_refused(demo_site: LocalSite, payload: Any) -> None:
    """A payload without a method is answered with a validation fault."""
    envelope = demo_site.engine.answer(payload)
    assert_envelope(envelope)
    assert envelope["error_code"] == 103


@pytest.mark.parametrize("params", [{}, "x", 1, True, [{}, {}, {}]])
def test_params_must_be_a_short_list(demo_site: LocalSite, params: Any) -> None:
    """`params` of another shape are refused without being quoted, for they may hold a key."""
    envelope = demo_site.engine.answer({"method_name": "read", "params": params})
    message = "API read() expects 'params' as an array of at most two elements."
    assert envelope == {"exception": True, "message": message, "error_code": 103}


def test_an_unknown_method_is_named(demo_site: LocalSite) -> None:
    """A method that the site does not have is refused by name."""
    envelope = ask(demo_site, "grant_wishes", {"wishes": 3})
    assert envelope["error_code"] == 103
    assert '"grant_wishes"' in envelope["message"]


def test_arguments_of_the_wrong_kind_are_refused(demo_site: LocalSite) -> None:
    """`read` takes a hash, `batch` an array; the message says what came instead."""
    message = "API read() expected Hash params but got Array: [1]"
    assert ask(demo_site, "read", [1]) == {"exception": True, "message": message, "error_code": 103}
    message = 'API batch() expected Array params but got Hash: {"a"=>1}'
    assert ask(demo_site, "batch", {"a": 1}) == {"exception": True, "message": message, "error_code": 103}


def test_info_needs_no_credentials(demo_site: LocalSite) -> None:
    """`info` is answered to anybody, with integers as its version."""
    results = demo_site.engine.answer({"method_name": "info", "params": []})["results"]
    assert results["version"] == [8, 89, 0]
    assert results["api_max_entities_per_page"] == 500
    assert results["s3_direct_uploads_enabled"] is False
    assert results["user_authentication_method"] == "default"


@pytest.mark.parametrize("method", METHODS[1:])
def test_every_method_but_info_wants_credentials(demo_site: LocalSite, method: str) -> None:
    """Without credentials every other method is refused with code 102."""
    envelope = demo_site.engine.answer({"method_name": method, "params": []})
    message = "Missing or invalid authentication arguments"
    assert envelope == {"exception": True, "message": message, "error_code": 102}


def test_a_defect_is_logged_and_not_told(site: LocalSite, caplog: pytest.LogCaptureFixture) -> None:
    """When the site itself fails, the log has the reason and the wire a plain refusal."""
    tables = site.engine.store.tables
    with site.engine.store.writing() as connection:
        tables.of("Shot").drop(connection)
    with caplog.at_level(logging.ERROR, logger="sgsession.site"):
        envelope = ask(site, "create", {"type": "Shot", "fields": []} | {"fields": _fields(site)})
    assert_envelope(envelope)
    message = "API create() could not be executed; the site logged the reason."
    assert envelope == {"exception": True, "message": message, "error_code": 104}
    assert "Traceback" in caplog.text
    assert site.api_key not in caplog.text


def _fields(site: LocalSite) -> list[dict[str, Any]]:
    project = ask(site, "create", {"type": "Project", "fields": [{"field_name": "name", "value": "P"}]})
    return [{"field_name": "project", "value": {"type": "Project", "id": project["results"]["id"]}}]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["Shot", "Task", "code", "and", "is", "active", "entity.Shot.code"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "id",
                    "filters",
                    "conditions",
                    "logical_operator",
                    "path",
                    "relation",
                    "values",
                    "paging",
                    "return_fields",
                    "fields",
                    "field_name",
                    "value",
                    "sorts",
                    "summaries",
                    "grouping",
                    "request_type",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=st.sampled_from(METHODS), params=JSON)
def test_any_json_gets_an_envelope(demo_site: LocalSite, method: str, params: Any) -> None:
    """Arguments of any JSON shape are answered or refused, and never raise."""
    assert_envelope(ask(demo_site, method, params))


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (None, "nil"),
        (True, "true"),
        (3, "3"),
        (2.0, "2.0"),
        (1e20, "1.0e+20"),
        ('a"b\\\n', '"a\\"b\\\\\\n"'),
        ("#{x}", '"\\#{x}"'),
        ("é", '"é"'),
        ("\x00", '"\\u0000"'),
        ({"path": "code", "values": ["a", 1]}, '{"path"=>"code", "values"=>["a", 1]}'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_ruby_prints_values_as_a_site_does(value: Any, printed: str) -> None:
    """Messages quote values as Ruby's inspect does."""
    assert ruby(value) == printed


def test_ruby_stops_in_time() -> None:
    """A dump of something huge or deep stays short."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(ruby(deep)) < 5000
    assert len(ruby(["x" * 1_000_000] * 3)) < 5000


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "NilClass"),
        (True, "TrueClass"),
        (False, "FalseClass"),
        (1, "Integer"),
        (1.0, "Float"),
        ("", "String"),
        ({}, "Hash"),
        ([], "Array"),
    ],
)
def test_ruby_class_names(value: Any, name: str) -> None:
    """JSON values have the class names that the recorded messages use."""
    assert ruby_class(value) == name
