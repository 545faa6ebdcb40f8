"""The thin shell of HTTP round an engine: `POST /api3/json`, under any prefix (wire.md 1.1, 1.3, 1.6)."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..engine import Engine, refusal
from ..faults import SiteFault
from ..methods.exporting import RawBody
from ..pages.routes import Pages
from .arrivals import Arrival
from .faulting import JSON, Answer
from .file_routes import file_routes
from .host_names import HostNames
from .server import CUT

__all__ = ["LARGEST_BODY", "Arrived", "answered", "application", "decoded", "encoded", "executed"]

_log = logging.getLogger("sgsession.site")

# Files come another way. A request of this size may become some twenty times as much in memory once it is read.
LARGEST_BODY = 16 * 1024 * 1024

# What such a request asks is kept in the caches of statements, bound values and all, for the next one like it;
# but it is seldom followed by another, and to make the caches anew takes less time than it took.
_LARGE_BODY = 128 * 1024

_REMOTE_CALLS = "/api3/json"

# What JSON may spell and the site may not hold: lone surrogates, integers past 64 bits, and numbers that
# overflow to infinity. Only a body with one of these spellings is walked, so ordinary ones cost one scan.
_SUSPECT = re.compile(rb"\\u[dD][89abAB]|[0-9]{19}|[eE]\+?[0-9]{3}")

Arrived = Callable[[Any], Arrival]


def application(
    engine: Engine, arrived: Arrived, workers: Executor, host: str, largest_upload: int
) -> ASGIApp:
    """The ASGI application of a site that is bound to `host`.

    `arrived` is told each decoded request before the engine runs, and says what becomes of it besides; that is
    awaited before the answer leaves. The engine blocks, so it runs in `workers`: a slow call delays no other.
    """
    is_ours = HostNames(host).include
    calls = _RemoteCalls(engine, arrived, workers, is_ours)
    files = file_routes(engine, workers, is_ours, largest_upload)
    pages = Pages(engine, workers, is_ours, host)
    application = Starlette(
        routes=[
            # Only for what is no POST: `front` takes those.
            Route(_REMOTE_CALLS, calls.post, methods=["POST"]),
            Route("/{prefix:path}" + _REMOTE_CALLS, calls.post, methods=["POST"]),
            *files,
            *pages.routes(),
        ],
        exception_handlers={404: pages.missing},
    )
    # The client follows no redirect on a POST, so a near miss is a plain 404.
    application.router.redirect_slashes = False

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        # Remote calls go past the layers and routes of the pages: small ones spend a tenth of their time there.
        if scope["method"] == "POST" and scope["path"].endswith(_REMOTE_CALLS):
            response = await calls.post(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await application(scope, receive, send)

    return front


def decoded(body: bytes) -> Any:
    """The request that a body holds; SiteFault for what is not JSON or holds values no site can keep."""
    try:
        payload = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        if _SUSPECT.search(body):
            _refuse_unstorable(payload)
    # ValueError: bad JSON, bad UTF-8, thousands of digits. RecursionError: a hundred thousand brackets.
    except (ValueError, RecursionError) as error:
        raise SiteFault(f"API request is not valid JSON: {error}") from None
    return payload


def encoded(envelope: dict[str, Any]) -> bytes:
    """The envelope as UTF-8 JSON, without NaN, infinity or a byte that is not UTF-8."""
    text = json.dumps(envelope, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def answered(
    engine: Engine, arrived: Arrived, body: bytes, origin: str = ""
) -> tuple[Answer, Arrival | None]:
    """What leaves for the bytes of a request, and what it waits for before; no server is needed."""
    try:
        payload = decoded(body)
    except SiteFault as fault:
        return Answer(encoded(refusal(fault))), None
    arrival = arrived(payload)
    failure = arrival.failure
    try:
        if failure is None:
            return executed(engine, payload, origin), arrival
        return failure.spoiled(executed(engine, payload, origin) if failure.executes else None), arrival
    finally:
        if len(body) > _LARGE_BODY:
            engine.store.shed()


def executed(engine: Engine, payload: Any, origin: str) -> Answer:
    """The answer to a decoded request."""
    envelope = engine.answer(payload, origin)
    results = envelope.get("results")
    if isinstance(results, RawBody):
        return Answer(results.content, media_type=results.media_type)
    try:
        return Answer(encoded(envelope))
    except (TypeError, ValueError, RecursionError):
        _log.exception("an answer could not be encoded")
        unsaid = SiteFault("API answer could not be encoded; the site logged the reason.", 104)
        return Answer(encoded(refusal(unsaid)))


class _Cut(Response):
    """A response that breaks off: its head promises a length that does not come, or nothing comes at all."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.body:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            await send({"type": "http.response.body", "body": self.body, "more_body": True})
        scope["extensions"][CUT]()
        # Returning before the connection is gone would count as a mistake of the application.
        while (await receive())["type"] != "http.disconnect":
            pass


class _RemoteCalls:
    """The endpoint that takes every remote call."""

    def __init__(
        self, engine: Engine, arrived: Arrived, workers: Executor, is_ours: Callable[[str], bool]
    ) -> None:
        self._engine = engine
        self._arrived = arrived
        self._workers = workers
        self._is_ours = is_ours

    async def post(self, request: Request) -> Response:
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("This site does not answer under that host name.", 421)
        media_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type != "application/json":
            return PlainTextResponse("Send Content-Type: application/json.", 415)
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return PlainTextResponse(f"A request may hold at most {LARGEST_BODY} bytes.", 413)
        loop = asyncio.get_running_loop()
        # Behind a forwarded port the caller knows another address than the site does.
        origin = f"{request.scope['scheme']}://{host}"
        answer, arrival = await loop.run_in_executor(
            self._workers, answered, self._engine, self._arrived, body, origin
        )
        if arrival is not None:
            await arrival.leaving()
        headers = {"content-type": answer.media_type}
        if answer.kept is not None:
            return _Cut(
                answer.body[: answer.kept],
                answer.status,
                {**headers, "content-length": str(len(answer.body))},
            )
        return Response(answer.body, answer.status, headers)


async def _body(request: Request) -> bytes | None:
    """The body, or None once it proves too large; what follows is left unread."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_BODY:
        return None
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def _refuse_unstorable(payload: Any) -> None:
    waiting = [payload]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.keys())
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            value.encode("utf-8")
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number is too large")
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise ValueError("an integer is too large")
