"""The official client on a site of scripted answers: all of it but the socket, and whoever asks is noted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import shotgun_api3

INFO = {"version": [8, 89, 0], "s3_uploads_enabled": False}

Answering = Callable[[str, dict[str, Any]], Any]


class ScriptedClient(shotgun_api3.Shotgun):  # type: ignore[misc]
    """A client whose remote calls `answering(method, params)` answers: results, or an exception to tell.

    Clients that are made from it share what it notes.
    """

    sends_once = True

    def __init__(self, answering: Answering, **arguments: Any) -> None:
        self._answering = answering
        self.asked: list[tuple[str, Any]] = []
        """Each call, in the order of their beginning."""
        self.counts = {"under way": 0, "most at once": 0}
        self._noting = threading.Lock()
        arguments = {"script_name": "tester", "api_key": "none", "connect": False, **arguments}
        super().__init__("http://studio.example", **arguments)

    def _http_request(
        self, verb: str, path: str, body: Any, headers: dict[str, Any]
    ) -> tuple[tuple[int, str], dict[str, str], bytes]:
        call = json.loads(body)
        method = call["method_name"]
        if method == "info":
            return _answer({"results": INFO})
        params = call["params"][-1]
        with self._noting:
            self.asked.append((method, params))
            self.counts["under way"] += 1
            self.counts["most at once"] = max(self.counts.values())
        try:
            return _answer({"results": self._answering(method, params)})
        except shotgun_api3.Fault as fault:
            return _answer({"exception": True, "message": str(fault), "error_code": 104})
        finally:
            with self._noting:
                self.counts["under way"] -= 1

    @property
    def pages(self) -> list[int]:
        """The pages that were asked for."""
        return [params["paging"]["current_page"] for method, params in self.asked if method == "read"]


def _answer(envelope: Any) -> tuple[tuple[int, str], dict[str, str], bytes]:
    return (200, "OK"), {"content-type": "application/json"}, json.dumps(envelope).encode()


def entities(rows: list[dict[str, Any]], has_next_page: bool = False) -> dict[str, Any]:
    """The results of a read."""
    return {"entities": rows, "paging_info": {"has_next_page": has_next_page}}
