"""A socket on which neither a silence nor the whole may take too long."""

from __future__ import annotations

import io
import socket
import time
from typing import Any

__all__ = ["AnswerFile", "TimedSocket"]


class TimedSocket:
    """A socket on which neither a silence nor the whole may take too long.

    A timeout of the socket alone ends only silences: a byte a second would keep a call busy for ever.
    """

    def __init__(self, connection: socket.socket, deadline: float, silence: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._silence = silence
        self.sent = 0
        self.answer: AnswerFile | None = None

    def left(self) -> float:
        """The timeout for the next step, in seconds."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline passed")
        return min(left, self._silence)

    def sendall(self, piece: bytes) -> None:
        """Hand all bytes to the kernel."""
        view = memoryview(piece)
        while view:
            self._connection.settimeout(self.left())
            count = self._connection.send(view)
            self.sent += count
            view = view[count:]

    def receive_into(self, buffer: Any) -> int:
        """Read some bytes; 0 at the end."""
        self._connection.settimeout(self.left())
        return self._connection.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What `http.client` reads from."""
        self.answer = AnswerFile(_Incoming(self))
        return self.answer


class _Incoming(io.RawIOBase):
    """Bytes as they come."""

    def __init__(self, timed: TimedSocket) -> None:
        self._timed = timed
        self.finished = False
        self.anything_came = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.finished:
            return None
        count = self._timed.receive_into(buffer)
        self.anything_came = self.anything_came or count > 0
        return count


class AnswerFile(io.BufferedReader):
    """The file that `http.client` reads an answer from, and closes at its end."""

    raw: _Incoming
    too_much_came = False

    def close(self) -> None:
        """Look whether bytes came after the answer: the next request would take them for its own."""
        if not self.closed:
            self.raw.finished = True
            self.too_much_came = bool(self.peek(1))
        super().close()
