"""The official client on a site in the same process: all of it but the socket."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .faulting import Answer

if TYPE_CHECKING:
    import shotgun_api3

__all__ = ["in_process_client"]

_ENDPOINT = "/api3/json"


def in_process_client(
    url: str, answered: Callable[[bytes], Answer], arguments: dict[str, Any]
) -> shotgun_api3.Shotgun:
    """A `shotgun_api3.Shotgun` whose requests go to `answered` instead of to a server.

    It encodes, converts and decodes as ever. Uploads and downloads, which the client sends past its one
    method for requests, need a server.
    """
    return _client_class()(url, answered, **arguments)


@cache
def _client_class() -> Any:
    from shotgun_api3 import Shotgun

    class InProcessShotgun(Shotgun):  # type: ignore[misc]
        # A pool of such clients may rely on it (transport/self_check.py).
        sends_once = True

        def __init__(self, url: str, answered: Callable[[bytes], Answer], **arguments: Any) -> None:
            # First: the constructor asks the site what it can do.
            self._answered = answered
            super().__init__(url, **arguments)

        def _http_request(
            self, verb: str, path: str, body: Any, headers: dict[str, Any]
        ) -> tuple[tuple[int, str], dict[str, str], bytes]:
            if verb != "POST" or not path.endswith(_ENDPOINT):
                return (404, "Not Found"), {"content-type": "text/plain; charset=utf-8"}, b"Not Found"
            answer = self._answered(body)
            if answer.kept is not None:
                raise _cut(answer)
            status = answer.status, HTTPStatus(answer.status).phrase
            return status, {"content-type": answer.media_type}, answer.body

    return InProcessShotgun


def _cut(answer: Answer) -> Exception:
    """What Python's HTTP says of a connection that ended too early."""
    if not answer.kept:
        return http.client.RemoteDisconnected("Remote end closed connection without response")
    return http.client.IncompleteRead(answer.body[: answer.kept], len(answer.body) - answer.kept)
