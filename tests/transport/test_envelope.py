"""Envelopes: what is taken for an answer, by either decoder."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession.transport.calling import envelope
from sgsession.transport.calling.calls import Call
from sgsession.transport.line.answers import Answer, ExchangeFailed, Happening

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def answer(body: bytes) -> Answer:
    """A whole answer of JSON."""
    return Answer(200, "OK", {"content-type": "application/json"}, body)


@pytest.fixture(params=["orjson", "json"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Once with the extra `fast`, once without it."""
    if request.param == "json":
        monkeypatch.setattr(envelope, "quick_decoder", lambda: None)
    else:
        pytest.importorskip("orjson")
    return str(request.param)


@given(values)
def test_both_decoders_read_the_same(value: Any) -> None:
    """Whatever JSON holds, huge integers and lone surrogates too, comes out the same, type for type."""
    body = json.dumps({"results": value}).encode()
    slow = envelope._decoder.decode(body.decode())
    assert repr(envelope.decoded(body)) == repr(slow)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"results": NaN}',
        b'{"results": -Infinity}',
        b'{"other": 1}',
        b'{"results": "\xff"}',
        b"[" * 100_000,
        b'{"results": ' + b"9" * 10_000 + b"}",
        b'{"results": 1} {"results": 2}',
    ],
    ids=["empty", "cut", "list", "number", "NaN", "infinite", "foreign", "no UTF-8", "deep", "huge", "two"],
)
def test_what_is_no_envelope_is_told_apart(decoder: str, body: bytes) -> None:
    """None of these is handed on as an answer, and none ends in a bare Python error."""
    with pytest.raises(ExchangeFailed) as caught:
        envelope.results_of(answer(body), Call("schema_read"))
    assert caught.value.happening is Happening.BROKEN


@pytest.mark.parametrize(
    "row", [{}, {"id": 1}, {"type": "Shot"}, {"type": "Shot", "id": True}, {"type": 1, "id": 1}, 5]
)
def test_rows_have_a_type_and_an_id(decoder: str, row: Any) -> None:
    """Every row of a site has both (wire.md 3.3): what has not is no answer of a site."""
    results = {"entities": [{"type": "Shot", "id": 1}, row], "paging_info": {"has_next_page": False}}
    with pytest.raises(ExchangeFailed, match="not what a site answers"):
        envelope.results_of(answer(json.dumps({"results": results}).encode()), Call("read"))


def test_an_envelope_is_an_answer(decoder: str) -> None:
    """Integers past 64 bits are numbers like others."""
    assert envelope.results_of(answer(b'{"results": 36893488147419103232}'), Call("schema_read")) == {
        "results": 2**65
    }


def batch_of(*kinds: str) -> Call:
    """A batch of so many requests."""
    return Call("batch", [{"request_type": kind, "type": "Shot", "id": 7} for kind in kinds])


@pytest.mark.parametrize(
    "results",
    [
        [{"type": "Shot", "id": 7}],
        [{"type": "Shot", "id": 7}, True, True],
        [{"type": "Shot"}, True],
        [None, True],
        {},
        None,
    ],
    ids=["shorter", "longer", "without an id", "no row", "no list", "nothing"],
)
def test_a_batch_has_one_result_for_each_request(results: Any) -> None:
    """Results that do not fit their requests are no answer: they would be taken for those of others."""
    body = json.dumps({"results": results}).encode()
    with pytest.raises(ExchangeFailed) as caught:
        envelope.results_of(answer(body), batch_of("create", "delete"))
    assert caught.value.happening is Happening.BROKEN


def test_the_results_of_a_batch_fit(decoder: str) -> None:
    """A row for each that writes one; whatever the site says of a row that is retired."""
    results = [{"type": "Shot", "id": 7}, False, {"type": "Shot", "id": 8}]
    found = envelope.results_of(
        answer(json.dumps({"results": results}).encode()), batch_of("create", "delete", "update")
    )
    assert found == {"results": results}
