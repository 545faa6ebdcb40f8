"""The site that all clients read from: the embedded one, behind a server that answers the second time from memory.

So the site's own work does not slow a client down, and a hundred thousand tasks answer like a million: pages
behind the last one are the recorded pages once more, with other ids.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sgsession.site import LocalSite

__all__ = ["Recorder"]

PAGE = 500


class Recorder:
    """A server in front of a site.

    Attributes:
        url: where clients connect to.
        latency: seconds that each answer waits before it leaves.
        requests: how many of each method came since the last `reset`.
    """

    def __init__(self, site: LocalSite, tasks: int) -> None:
        self.latency = 0.0
        self.requests: Counter[str] = Counter()
        self._site = site
        self._pages = tasks // PAGE
        self._recorded: dict[str, bytes] = {}
        self._to_site = threading.local()
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Headers and body leave together: or the kernel waits for an acknowledgement between them.
            wbufsize = -1

            def setup(self) -> None:
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def do_POST(self) -> None:
                answer = recorder.answer(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(recorder.latency)
                self.send_response(200)
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                self.wfile.flush()

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 50

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """End the server; the site stays."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body: bytes) -> bytes:
        """What the site says to a request, recorded or not."""
        call = json.loads(body)
        method, params = call["method_name"], call["params"][1:]
        self.requests[method] += 1
        turn, last = 0, False
        if method == "read" and params[0]["type"] == "Task" and not params[0]["filters"]["conditions"]:
            paging = params[0]["paging"]
            turn, page = divmod(paging["current_page"] - 1, self._pages)
            last = page == self._pages - 1
            paging["current_page"] = page + 1
        key = json.dumps([method, params])
        if key not in self._recorded:
            self._recorded[key] = self._asked(json.dumps(call).encode())
        answer = self._recorded[key]
        return _shifted(answer, turn) if turn or last else answer

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


def _shifted(answer: bytes, turn: int) -> bytes:
    """A recorded page as one of a site with more tasks: other ids of tasks and of what they are for, and no end."""
    envelope = json.loads(answer)
    results = envelope["results"]
    for row in results["entities"]:
        row["id"] += turn * 10_000_000
        if row.get("entity"):
            row["entity"]["id"] += turn * 10_000_000
    if "paging_info" in results:
        results["paging_info"]["has_next_page"] = True
    return json.dumps(envelope).encode()
