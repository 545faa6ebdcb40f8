"""Clients whose class sends requests in its own way: what they bring is held to the same rules as an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shotgun_api3 import ShotgunError

from .answers import Answer, ExchangeFailed, Happening
from .exchange import Line

__all__ = ["answer_of"]


def answer_of(send: Callable[[], tuple[tuple[int, str], Any, Any]], line: Line) -> Answer:
    """The answer that a studio's `_http_request` returned.

    Raises:
        ExchangeFailed: it raised. Where a connection was refused nothing was sent; of all else that is unknown.
    """
    line.sent = True
    try:
        (status, reason), headers, body = send()
    except ShotgunError:
        raise
    except ConnectionRefusedError as problem:
        raise ExchangeFailed(Happening.UNREACHABLE, problem) from problem
    except Exception as problem:
        raise ExchangeFailed(Happening.SILENT, problem) from problem
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    return Answer(status, reason, named, body.encode("utf-8") if isinstance(body, str) else body or b"")
