"""What an answer to a remote call must look like before anybody takes it for one (wire.md 1.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from .decisions import Happening
from .exchange import Answer, ExchangeFailed

__all__ = ["happened", "results_of"]


def happened(answer: Answer) -> Happening:
    """What a status says of the request."""
    status = answer.status
    if status < 300:
        return Happening.ANSWERED
    if status == 429:
        return Happening.THROTTLED
    if status == 503:
        return Happening.MAINTENANCE
    if status in (502, 504):
        return Happening.GATEWAY
    return Happening.FAILED if status >= 500 else Happening.REFUSED


def results_of(answer: Answer, method: str, *, paged: bool = False) -> Any:
    """The decoded envelope of a successful answer; a `paged` one has to say how many rows there are.

    Raises:
        ExchangeFailed: a login page, a cut or empty body, other JSON: nothing that a site says.
    """
    kind = answer.headers.get("content-type", "application/json").lower()
    if not kind.startswith(("application/json", "text/javascript")):
        if method == "export_page" and answer.body and "html" not in kind:
            return answer.body  # comma-separated values (wire.md 2.12)
        raise ExchangeFailed(Happening.BROKEN, f"it is {kind.split(';')[0] or 'of no type'}, not JSON")
    try:
        envelope = _decoded(answer.body)
    except (ValueError, RecursionError) as problem:
        raise ExchangeFailed(Happening.BROKEN, f"it is no JSON ({type(problem).__name__})") from None
    if isinstance(envelope, dict):
        # `info` may come without an envelope (wire.md 1.7).
        if envelope.get("exception") or (method == "info" and "results" not in envelope):
            return envelope
        if "results" in envelope and _is_shaped(envelope["results"], method, paged):
            return envelope
    raise ExchangeFailed(Happening.BROKEN, "it is JSON, but not what a site answers to that")


def _is_shaped(results: Any, method: str, paged: bool) -> bool:
    """False where the client would fail over the results with an IndexError or the like."""
    if method == "read":
        if not isinstance(results, dict) or not isinstance(results.get("entities"), list):
            return False
        has_pages = not paged or isinstance(results.get("paging_info"), dict)
        return has_pages and all(isinstance(row, dict) for row in results["entities"])
    if method in ("create", "update"):
        row = results[0] if isinstance(results, list) and results else results
        return isinstance(row, dict) and isinstance(row.get("id"), int)
    if method == "summarize":
        return isinstance(results, dict)
    return isinstance(results, list) if method == "batch" else True


def _decoded(body: bytes) -> Any:
    quick = _quick_decoder()
    # It makes floats of some integers past 64 bits.
    if quick is not None and not _long_number().search(body):
        try:
            return quick(body)
        except ValueError:
            pass  # it refuses more than JSON does, lone surrogates say
    return _decoder.decode(body.decode("utf-8"))


@cache
def _long_number() -> re.Pattern[bytes]:
    return re.compile(rb"[0-9]{19}")


@cache
def _quick_decoder() -> Callable[[bytes], Any] | None:
    """The decoder of the extra `fast`, where it is installed: it takes half the time of the standard one."""
    try:
        from orjson import loads
    except ImportError:
        return None
    return loads


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_no_number)
