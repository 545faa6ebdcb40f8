"""What an answer to a remote call must look like before anybody takes it for one (wire.md 1.3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from ..collector import collector_paused
from ..line.answers import Answer, ExchangeFailed, Happening
from .calls import Call

__all__ = ["decoded", "happened", "quick_decoder", "results_of"]


def happened(answer: Answer) -> Happening:
    """What a status says of the request."""
    status = answer.status
    if status < 300:
        return Happening.ANSWERED
    if status == 408:
        return Happening.IMPATIENT
    if status == 429:
        return Happening.THROTTLED
    if status == 503:
        return Happening.MAINTENANCE
    if status in (502, 504):
        return Happening.GATEWAY
    return Happening.FAILED if status >= 500 else Happening.REFUSED


def results_of(answer: Answer, call: Call, decode: Callable[[bytes], Any] | None = None) -> Any:
    """The decoded envelope of a successful answer to this call.

    Args:
        answer: with a status below 300.
        call: what was asked.
        decode: what does the work of `decoded`, perhaps in another thread.

    Raises:
        ExchangeFailed: a login page, a cut or empty body, other JSON, results that do not fit what was asked:
            nothing that a site says.
    """
    method = call.method
    kind = answer.headers.get("content-type", "application/json").lower()
    if not kind.startswith(("application/json", "text/javascript")):
        if method == "export_page" and answer.body and "html" not in kind:
            return answer.body  # comma-separated values (wire.md 2.12)
        raise ExchangeFailed(Happening.BROKEN, f"it is {kind.split(';')[0] or 'of no type'}, not JSON")
    try:
        envelope = (decode or decoded)(answer.body)
    except (ValueError, RecursionError) as problem:
        raise ExchangeFailed(Happening.BROKEN, f"it is no JSON ({type(problem).__name__})") from None
    if isinstance(envelope, dict):
        # `info` may come without an envelope (wire.md 1.7).
        if envelope.get("exception") or (method == "info" and "results" not in envelope):
            return envelope
        if method == "batch" and isinstance(envelope.get("results"), list):
            _check_batch(envelope["results"], call.parameters)
            return envelope
        if "results" in envelope and _is_shaped(envelope["results"], method, call.is_paged):
            return envelope
    raise ExchangeFailed(Happening.BROKEN, "it is JSON, but not what a site answers to that")


def _is_shaped(results: Any, method: str, paged: bool) -> bool:
    """False where the client would fail over the results with an IndexError or the like."""
    if method == "read":
        if not isinstance(results, dict) or not isinstance(results.get("entities"), list):
            return False
        has_pages = not paged or isinstance(results.get("paging_info"), dict)
        # A type and an id are in every row (wire.md 3.3); True is no id.
        return has_pages and all(
            isinstance(row, dict) and row.get("id").__class__ is int and row.get("type").__class__ is str
            for row in results["entities"]
        )
    if method in ("create", "update"):
        return _is_row(results[0] if isinstance(results, list) and results else results)
    if method == "summarize":
        return isinstance(results, dict)
    if method == "get_session_token":
        return isinstance(results, dict) and isinstance(results.get("session_id"), str)
    return method != "batch"  # whose results are a list


def _check_batch(results: list[Any], requests: Any) -> None:
    """One result for each request: the caller takes them for its own by their places (wire.md 7.5)."""
    if not isinstance(requests, list):
        return
    if len(results) != len(requests):
        raise ExchangeFailed(Happening.BROKEN, f"it has {len(results)} results for {len(requests)} requests")
    for number, (result, request) in enumerate(zip(results, requests, strict=True), start=1):
        kind = request.get("request_type") if isinstance(request, dict) else None
        if kind in ("create", "update") and not _is_row(result):
            raise ExchangeFailed(Happening.BROKEN, f"its result {number} is not the row of the {kind}")


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), int)


def decoded(body: bytes) -> Any:
    """What the JSON in these bytes says.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deep to be read.
    """
    with collector_paused():
        quick = quick_decoder()
        # It makes floats of integers past 64 bits: those have 19 digits or more.
        if quick is not None and _LONG_NUMBER not in body.translate(_DIGITS):
            try:
                return quick(body)
            except ValueError:
                pass  # it refuses more than JSON does, lone surrogates say
        return _decoder.decode(body.decode("utf-8"))


# Each digit as a 0, all else as a space: that takes a twelfth of the time of a pattern, which would cost more than
# the quick decoder saves.
_DIGITS = bytes(ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 19


@cache
def quick_decoder() -> Callable[[bytes], Any] | None:
    """The decoder of the extra `fast`, where it is installed: it takes half the time of the standard one."""
    try:
        from orjson import loads
    except ImportError:
        return None
    return loads


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_number)
