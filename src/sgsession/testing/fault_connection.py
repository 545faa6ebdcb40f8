"""One connection to a FaultSite: reads requests, answers them, and lets happen what is planned for each."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NoReturn, Protocol

from .fault_orders import Plan
from .faults import (
    Action,
    Answering,
    EndlessHeaders,
    Fin,
    Garbage,
    Given,
    Point,
    Reply,
    Reset,
    Slow,
    Stall,
    Status,
    SwappedAnswer,
    TlsEof,
)
from .received import Received, method_of
from .request_reading import BrokenRequestError, Head, Incoming

__all__ = ["Connection", "Served"]

# How long a connection that ends takes in what the client still sends. Without it the kernel would answer
# those bytes by a RST, and a Fin would not be one.
_LINGER = 1.0

# A slow connection passes its bytes in so many portions a second, or one by one.
_PORTIONS = 20


# The fields of C's `struct linger`.
_LINGER_FORMAT = "hh" if os.name == "nt" else "ii"


class Served(Protocol):
    """What a connection asks of its site."""

    closing: threading.Event
    context: ssl.SSLContext | None

    def plan(self, request: Received | None) -> Plan:
        """What is to happen to a request, or to a new connection."""

    def arrived(self, connection: int, verb: str, path: str, method: str) -> Received:
        """Note a request."""

    def execute(self, request: Received, head: Head, body: bytes) -> Given:
        """Carry a request out."""

    def other(self, request: Received, body: bytes) -> bytes:
        """The answer to another question than the one in `body`."""

    def struck(self, point: Point, action: Action, request: Received | None) -> None:
        """Note a fault that happens now."""


class _EndedError(Exception):
    """The connection is over."""


class Connection:
    """Serves one client until either side ends the connection."""

    def __init__(self, served: Served, accepted: socket.socket, number: int) -> None:
        self._served = served
        self._socket = accepted
        self._incoming = Incoming(self._receive)
        self._reading_rate: float | None = None
        self._sending_rate: float | None = None
        self.number = number

    def serve(self) -> None:
        """Answer one request after the other. Nothing is raised for what the client does."""
        # BrokenRequestError, OSError: the client hung up, or speaks another protocol.
        try:
            with suppress(_EndedError, BrokenRequestError, OSError):
                self._begin()
                while self._exchange():
                    pass
        finally:
            self._socket.close()

    def cut(self) -> None:
        """End the connection at once; called from other threads."""
        with suppress(OSError):
            # Not SSLSocket.shutdown(), which takes the TLS away under the thread that reads.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def abandon(self) -> None:
        """Let go of the descriptor and leave the connection alone: called in a process that was forked."""
        with suppress(OSError):
            self._socket.close()

    def _begin(self) -> None:
        # Otherwise an answer in two portions would wait 40 ms for the client's delayed acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plan = self._served.plan(None)
        self._pass("accept", plan, None)
        if self._served.context is None:
            return
        if not self._socket.recv(1, socket.MSG_PEEK):
            raise _EndedError
        action = self._pass("tls", plan, None)
        if isinstance(action, Garbage):
            self._socket.sendall(action.body)
            self._end(unread=True)
        self._socket = self._served.context.wrap_socket(self._socket, server_side=True)

    def _exchange(self) -> bool:
        """One request and its answer; False when it was the last one."""
        self._reading_rate = self._sending_rate = None
        head = self._incoming.head()
        if head is None:
            return False
        length = head.length
        # What a body in chunks holds is seen only when they have come: all points of it are reached then.
        body = self._incoming.body(None) if length is None else None
        method = self._method(head, length or 0) if body is None else method_of(head.verb, head.path, body)
        request = self._served.arrived(self.number, head.verb, head.path, method or head.verb)
        plan = self._served.plan(request)
        early = self._early(plan, request, length or 0)
        if early is not None:
            self._send(early, plan, request)
            self._end(unread=True)
        if body is None:
            body = self._incoming.body(length)
        reply = self._answer(head, body, plan, request)
        self._send(reply, plan, request)
        if not (reply.keeps and head.keeps):
            self._end()
        self._idle(plan, request, body)
        return True

    def _method(self, head: Head, length: int) -> str:
        # The name of a remote method stands in the body: no more of that is read than it takes to see it.
        while (method := method_of(head.verb, head.path, self._incoming.begin)) is None:
            if len(self._incoming.begin) >= length or not self._incoming.more():
                return head.verb
        return method

    def _early(self, plan: Plan, request: Received, length: int) -> Reply | None:
        """An answer that does not wait for the whole request, if one is planned."""
        if action := self._pass("headers", plan, request):
            return action.reply(Given())
        if "body" in plan:
            self._incoming.await_bytes(length // 2)
            if action := self._pass("body", plan, request):
                return action.reply(Given())
        return None

    def _answer(self, head: Head, body: bytes, plan: Plan, request: Received) -> Reply:
        if action := self._pass("before_execute", plan, request):
            return action.reply(Given(other=partial(self._served.other, request, body)))
        given = self._served.execute(request, head, body)
        if action := self._pass("after_execute", plan, request):
            return action.reply(replace(given, other=partial(self._served.other, request, body)))
        return given.reply()

    def _idle(self, plan: Plan, request: Received, body: bytes) -> None:
        action = self._pass("keepalive_idle", plan, request)
        if isinstance(action, Garbage):
            self._socket.sendall(action.body)
        elif isinstance(action, (Status, SwappedAnswer)):
            reply = action.reply(Given(other=partial(self._served.other, request, body)))
            assert isinstance(reply.body, bytes)
            self._socket.sendall(reply.head + reply.body)
            if isinstance(action, Status):
                self._end()

    def _pass(self, point: Point, plan: Plan, request: Received | None) -> Answering | None:
        """Let happen what is planned for a point; an action that answers is handed back."""
        action = plan.get(point)
        if action is None:
            return None
        self._served.struck(point, action, request)
        if isinstance(action, Answering):
            return action
        if isinstance(action, Stall):
            self._wait(action.seconds)
        elif isinstance(action, Slow):
            if point in ("headers", "body"):
                self._reading_rate = action.bytes_per_second
                # What the kernel had already handed over counts as if it came now.
                self._wait(len(self._incoming.begin) / action.bytes_per_second)
            else:
                self._sending_rate = action.bytes_per_second
        elif isinstance(action, Reset):
            self._reset()
        elif isinstance(action, (Fin, TlsEof)):
            unread = point in ("accept", "tls", "headers", "body")
            self._end(unread=unread, notify=isinstance(action, Fin))
        return None

    def _send(self, reply: Reply, plan: Plan, request: Received) -> None:
        body = reply.body
        planned = plan.get("after_execute") or plan.get("before_execute")
        if isinstance(planned, EndlessHeaders) and planned.bytes_per_second is not None:
            self._sending_rate = planned.bytes_per_second
        if isinstance(body, bytes):
            if self._sending_rate is None and not ("after_headers" in plan or "mid_body" in plan):
                # In one portion: the ordinary answer of a fast site.
                self._socket.sendall(reply.head + body)
                return
            half = len(body) // 2
            body = body[:half], body[half:]
        self._send_bytes(reply.head)
        self._pass_or_spoil("after_headers", plan, request)
        for number, block in enumerate(body):
            if number == 1:
                self._pass_or_spoil("mid_body", plan, request)
            self._send_bytes(block)

    def _pass_or_spoil(self, point: Point, plan: Plan, request: Received) -> None:
        action = self._pass(point, plan, request)
        if isinstance(action, Garbage):
            self._socket.sendall(action.body)
            self._end()

    def _send_bytes(self, data: bytes) -> None:
        rate = self._sending_rate
        if rate is None:
            self._socket.sendall(data)
            return
        portion = max(1, int(rate / _PORTIONS))
        for begin in range(0, len(data), portion):
            self._socket.sendall(data[begin : begin + portion])
            self._wait(portion / rate)

    def _receive(self, most: int) -> bytes:
        rate = self._reading_rate
        if rate is None:
            return self._socket.recv(most)
        data = self._socket.recv(min(most, max(1, int(rate / _PORTIONS))))
        self._wait(len(data) / rate)
        return data

    def _wait(self, seconds: float) -> None:
        if self._served.closing.wait(seconds):
            raise _EndedError

    def _reset(self) -> NoReturn:
        # To linger for no time at all is how a RST is asked for.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER_FORMAT, 1, 0))
        self._socket.close()
        raise _EndedError

    def _end(self, *, unread: bool = False, notify: bool = True) -> NoReturn:
        """A FIN; with `notify` after TLS's close_notify; with `unread` what the client sends is taken in."""
        if notify and isinstance(self._socket, ssl.SSLSocket):
            self._socket.settimeout(0)
            # The notification has left when it is found that the client's own has not come.
            with suppress(OSError):
                self._socket.unwrap()
        socket.socket.shutdown(self._socket, socket.SHUT_WR)
        if unread:
            self._socket.settimeout(0.05)
            end = time.monotonic() + _LINGER
            while time.monotonic() < end and not self._served.closing.is_set():
                with suppress(TimeoutError):
                    if not socket.socket.recv(self._socket, 65536):
                        break
        raise _EndedError
