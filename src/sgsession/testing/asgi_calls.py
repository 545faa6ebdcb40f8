"""An ASGI application asked without a server: one request in, the whole answer out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any
from urllib.parse import unquote

from .request_reading import Head

__all__ = ["CallersThread", "asked"]

Answered = tuple[int, tuple[tuple[str, str], ...], bytes]


class CallersThread(Executor):
    """Runs what is submitted at once, in the thread that submits it."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The result, or the exception, in a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def asked(application: Any, head: Head, body: bytes, scheme: str, client: tuple[str, int]) -> Answered:
    """Status, headers and body for a request; Content-Length is left out of the headers.

    It blocks, and runs an event loop of its own: not for a thread that has one.
    """
    path, _, query = head.target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": head.verb,
        "scheme": scheme,
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers.items()
        ],
        "client": client,
        "server": None,
    }
    sent: list[dict[str, Any]] = []
    coming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if coming:
            return coming.pop()
        # The client does not hang up before it is answered.
        await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    start, *parts = sent
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in start["headers"]
        if name.lower() != b"content-length"
    )
    return start["status"], headers, b"".join(part.get("body", b"") for part in parts)
