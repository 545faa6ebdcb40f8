"""The site that all clients read from: the embedded one, behind a server that answers the second time from memory.

So the site's own work does not slow a client down, and a hundred thousand tasks answer like a million: pages
behind the last one are the recorded pages once more, with other ids.

What the server does itself must be next to nothing. On a machine whose two processors are the two threads of one
core, a busy server doubles what a client's work takes; and only a client that reads ahead works at the same time as
its server, so that it alone would be measured too slow.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any

from sgsession.site import LocalSite

__all__ = ["Recorder"]

PAGE = 500
# Stands where the number of a turn is written, before the seven digits of an id.
_MARK = b"\0"


class Recorder:
    """A server in front of a site.

    Attributes:
        url: where clients connect to.
        latency: seconds that each answer waits before it leaves.
        requests: how many of each method came since the last `clear`.
    """

    def __init__(self, site: LocalSite, tasks: int) -> None:
        self.latency = 0.0
        self.requests: Counter[str] = Counter()
        self._site = site
        self._pages = tasks // PAGE
        self._recorded: dict[str, _Answer] = {}
        self._to_site = threading.local()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """End the server; the site stays."""
        # Wakes the thread that accepts, which a close alone does not.
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Written out, since http.server takes as long for a request as a client for a hundred rows.
        self._open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection, connection.makefile("rb") as received:
                while received.readline():
                    length = 0
                    while (line := received.readline().strip().lower()) != b"":
                        if line.startswith(b"content-length:"):
                            length = int(line.partition(b":")[2])
                    answer = self.answer(received.read(length))
                    if self.latency:
                        time.sleep(self.latency)
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(answer)
                    )
                    connection.sendall(answer)
        except OSError:
            pass  # the client is gone, or the recorder was closed
        finally:
            self._open.discard(connection)

    def answer(self, body: bytes) -> bytes:
        """What the site says to a request, recorded or not."""
        call = json.loads(body)
        method, params = call["method_name"], call["params"][1:]
        self.requests[method] += 1
        turn, has_turns = 0, False
        if method == "read" and params[0]["type"] == "Task" and not params[0]["filters"]["conditions"]:
            has_turns = True
            paging = params[0]["paging"]
            turn, page = divmod(paging["current_page"] - 1, self._pages)
            paging["current_page"] = page + 1
        key = json.dumps([method, params])
        if key not in self._recorded:
            self._recorded[key] = _Answer(self._asked(json.dumps(call).encode()), has_turns)
        return self._recorded[key].in_turn(turn)

    def _asked(self, body: bytes) -> bytes:
        # A connection for each thread that serves one.
        if not hasattr(self._to_site, "connection"):
            self._to_site.connection = HTTPConnection(self._site.url.removeprefix("http://"))
        self._to_site.connection.request("POST", "/api3/json", body, {"Content-Type": "application/json"})
        response = self._to_site.connection.getresponse()
        answer: bytes = response.read()
        if response.status != 200:
            raise RuntimeError(f"The site said {response.status}: {answer[:200]!r}")
        return answer


class _Answer:
    """An answer that was recorded; of a page of tasks, that of a site that has more of them."""

    def __init__(self, answer: bytes, has_turns: bool) -> None:
        self._first = answer
        self._others = b""
        if not has_turns:
            return
        envelope: Any = json.loads(answer)
        results = envelope["results"]
        if "paging_info" in results:
            results["paging_info"]["has_next_page"] = True
        self._first = _compact(envelope)
        # With a mark where the number of the turn belongs: in the ids of tasks, and of what they are for.
        for row in results["entities"]:
            row["id"] = f"mark{row['id']:07d}"
            if row.get("entity"):
                row["entity"]["id"] = f"mark{row['entity']['id']:07d}"
        assert _MARK not in answer
        self._others = re.sub(rb'"mark(\d{7})"', _MARK + rb"\1", _compact(envelope))

    def in_turn(self, turn: int) -> bytes:
        """The answer with the ids of this turn, the first of which is 0: those of the site."""
        return self._others.replace(_MARK, b"%d" % turn) if turn else self._first


def _compact(envelope: Any) -> bytes:
    """As a site writes it."""
    return json.dumps(envelope, separators=(",", ":")).encode()
