"""What is not merged equals, value for value, what the official client makes of the same answer."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shotgun_api3
from hypothesis import given
from hypothesis import strategies as st

from sgsession import Session, ShotgunPool
from sgsession.transport.calling import envelope

from ..scripted_client import ScriptedClient, entities


@pytest.fixture(scope="module", params=["json", "orjson"], autouse=True)
def decoder(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test runs without the extra `fast`, and with it."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "json":
            patch.setattr(envelope, "quick_decoder", lambda: None)
        yield


# All sorts of texts of 20 characters, which is how long instants are, and of what the client replaces.
_TWENTY = [
    "2026-11-23T20:08:20Z",
    "2026-02-30T00:00:00Z",
    "2026-11-23T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-11-23 20:08:20Z",
    "2026-11-23T20-08-20Z",
    "2026-11-23t20:08:20z",
    "2026/11/23T20:08:20Z",
    "2026-11-23T20:08:20+",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "1883-11-18T17:00:00Z",
    "20261123T200820.123Z",
    "2026-11-2320:08:20.1",
    "\u0662\u0660\u0662\u0666-\u0661\u0661-\u0662\u0663T20:08:20Z",
    "2026-11-23T20:08:2\u0663Z",
    "2026-1-023T20:08:20Z",
    " 026-11-23T20:08:20Z",
    "2026-11-23T20:08: 2Z",
    "2026-11-23T+0:08:20Z",
    "2026-11-23T20:08:20\n",
    "a &lt; b &lt; c &gt;",
    "x" * 20,
    "\U0001f3ac" * 20,
    "&lt;" * 5,
]
texts = (
    st.sampled_from(_TWENTY)
    | st.datetimes(datetime.datetime(1000, 1, 1)).map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z".zfill(20))
    | st.text("0123456789-T:Z. ", min_size=20, max_size=20)
    | st.text(min_size=20, max_size=20)
    | st.text(max_size=5)
    | st.sampled_from(["&lt;", "a &lt;b&gt; &amp;lt; c", "<", "", "&lt", "\ud800"])
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
PATHS = ["local_path_linux", "local_path_mac", "local_path_windows"]
local_files = st.fixed_dictionaries(
    {"link_type": st.sampled_from(["local", "upload", "web"]) | scalars},
    optional={
        **dict.fromkeys(PATHS, st.none() | texts),
        "local_path": texts,
        "url": texts,
        "name": texts,
        "type": st.just("Attachment"),
        "id": st.integers(1, 9),
    },
)
links = st.fixed_dictionaries({"type": st.just("Shot"), "id": st.integers(1, 9), "name": texts})
values = st.recursive(
    scalars | links | local_files,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("name"), inner, max_size=3),
    max_leaves=6,
)
fields = st.dictionaries(
    st.sampled_from(["code", "image", "updated_at", "url", "entity", "entity.Shot.code", "links"]) | texts,
    values,
    max_size=6,
)
rows = st.lists(
    st.builds(lambda more, id: {**more, "type": "Shot", "id": id}, fields, st.integers(1, 99)), max_size=4
)


def assert_same(ours: Any, theirs: Any) -> None:
    """Equal, of the same types, in the same order, instants in the same zone."""
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            assert_same(ours[key], theirs[key])
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    elif isinstance(theirs, datetime.datetime):
        assert (ours.replace(tzinfo=None), ours.tzinfo, ours.fold) == (
            theirs.replace(tzinfo=None),
            theirs.tzinfo,
            theirs.fold,
        )
    else:
        assert ours == theirs
        assert repr(ours) == repr(theirs)  # -0.0, too


def clients(results: Any, to_local: bool) -> tuple[Any, ShotgunPool]:
    """The official client, and a pool of such clients, on a site that gives this answer to all."""

    def made() -> ScriptedClient:
        return ScriptedClient(lambda method, params: results, convert_datetimes_to_utc=to_local)

    return made(), ShotgunPool(made())


READS: dict[str, Callable[[Session], Any]] = {
    "find": lambda session: session.find("Shot", [], merge=False),
    "find_iter": lambda session: list(session.find_iter("Shot", [], merge=False)),
    "find_iter, by number": lambda session: list(
        session.find_iter("Shot", [], merge=False, order=[{"field_name": "id", "direction": "asc"}])
    ),
    "find of the pool": lambda session: session.shotgun.find("Shot", []),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("to_local", [True, False])
@given(rows)
def test_rows_of_finds(read: str, to_local: bool, found: list[dict[str, Any]]) -> None:
    """Whatever a site may send in a row: the same values of the same types."""
    if read == "find_iter, by number":
        # Which drops what comes twice.
        found = list({row["id"]: row for row in found}.values())
    client, pool = clients(entities(found), to_local)
    assert_same(READS[read](Session(pool)), client.find("Shot", []))
    pool.close()


@pytest.mark.parametrize("to_local", [True, False])
@given(rows)
def test_one_row(to_local: bool, found: list[dict[str, Any]]) -> None:
    """`find_one`, where there is one and where there is none."""
    client, pool = clients(entities(found), to_local)
    assert_same(Session(pool).find_one("Shot", [], merge=False), client.find_one("Shot", []))
    pool.close()


# Method → its arguments, and what a site answers: the value, where it may be any.
PROXIED: dict[str, tuple[tuple[Any, ...], Callable[[Any], Any]]] = {
    "schema_field_read": (("Shot",), lambda value: {"code": value}),
    "schema_read": ((), lambda value: {"Shot": {"code": value}}),
    "note_thread_read": ((7,), lambda value: [{"type": "Reply", "id": 1, "content": value}]),
    "work_schedule_read": (("2026-01-01", "2026-01-02"), lambda value: {"2026-01-01": value}),
    "preferences_read": ((), lambda value: {"zone": value}),
    "nav_expand": (("/",), lambda value: {"children": value}),
    "summarize": (
        ("Shot", [], [{"field": "id", "type": "count"}]),
        lambda value: {"summaries": {"id": value}},
    ),
    "followers": (
        ({"type": "Shot", "id": 7},),
        lambda value: [{"type": "HumanUser", "id": 1, "name": value}],
    ),
    "text_search": (("bunny", {"Shot": []}), lambda value: {"matches": [value], "terms": ["bunny"]}),
    "activity_stream_read": (
        ("Shot", 7),
        lambda value: {"entity_id": 7, "entity_type": "Shot", "updates": [{"meta": value}]},
    ),
}


@pytest.mark.parametrize("method", PROXIED)
@given(value=values, to_local=st.booleans())
def test_proxied_methods(method: str, value: Any, to_local: bool) -> None:
    """What is passed on to the client comes back as the client gives it."""
    arguments, results = PROXIED[method]
    client, pool = clients(results(value), to_local)
    assert_same(
        getattr(Session(pool), method)(*copy.deepcopy(arguments)),
        getattr(client, method)(*copy.deepcopy(arguments)),
    )
    pool.close()


@given(row=fields, to_local=st.booleans())
def test_writes_of_the_pool(row: dict[str, Any], to_local: bool) -> None:
    """What the site answers to a create, an update and a batch."""
    made = {**row, "type": "Shot", "id": 7}
    client, pool = clients(made, to_local)
    for method, *arguments in (("create", "Shot", {"code": "AA"}), ("update", "Shot", 7, {"code": "AA"})):
        assert_same(getattr(pool, method)(*arguments), getattr(client, method)(*arguments))
    pool.close()
    client, pool = clients([made, made], to_local)
    batch = [{"request_type": "update", "entity_type": "Shot", "entity_id": 7, "data": {"code": "AA"}}] * 2
    assert_same(pool.batch(copy.deepcopy(batch)), client.batch(copy.deepcopy(batch)))
    pool.close()


@pytest.mark.parametrize("field", PATHS)
def test_local_paths_of_another_system(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """Links to local files get the path of the system that the client thinks it is on."""
    file = {"link_type": "local", "local_path_linux": "/a", "local_path_windows": "A:\\", "name": "a"}
    client, pool = clients(entities([{"type": "Version", "id": 1, "sg_file": file}]), True)
    for each in (client, pool._prototype):
        monkeypatch.setattr(each.client_caps, "local_path_field", field)
    assert_same(Session(pool).find("Version", [], merge=False), client.find("Version", []))
    pool.close()


def test_the_client_is_the_judge() -> None:
    """The scripted client converts at all: or the tests above would compare nothing."""
    found = [{"type": "Shot", "id": 1, "code": "a &lt; b", "updated_at": _TWENTY[0]}]
    [row] = ScriptedClient(lambda method, params: entities(found)).find("Shot", [])
    assert row["code"] == "a < b"
    assert isinstance(row["updated_at"], datetime.datetime)
    assert row["updated_at"].tzinfo is shotgun_api3.sg_timezone.local
