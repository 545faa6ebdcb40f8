"""Functions run in forked processes, with what they return, what they raise, and a limit to their time."""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["ForkTimeoutError", "ForkedError", "in_forks"]


class ForkedError(Exception):
    """A forked process raised an exception, whose traceback is the text of this one, or died."""


class ForkTimeoutError(ForkedError):
    """A forked process did not end in time, and was killed."""


def in_forks(function: Callable[[int], Any], count: int = 1, *, timeout: float = 30.0) -> list[Any]:
    """Fork `count` times and call `function` in each child, all at once, with the child's number from 0.

    Gives what each returned, which has to be picklable. The children share what the parent had open, and have
    none of its threads; they end without cleaning up. None of them is left when this function is left.

    Raises:
        ForkedError: `function` raised in a child, or the child died.
        ForkTimeoutError: a child had not ended after `timeout` seconds.
        NotImplementedError: this platform cannot fork.
    """
    if not hasattr(os, "fork"):
        raise NotImplementedError("this platform cannot fork")
    end = time.monotonic() + timeout
    children: list[_Child] = []
    try:
        children.extend(_Child(function, number) for number in range(count))
        _receive(children, end)
        for child in children:
            if not child.ended:
                raise ForkTimeoutError(f"child {child.number} did not end within {timeout:g} seconds")
        return [child.result() for child in children]
    finally:
        for child in children:
            child.remove()


class _Child:
    """One forked process, and the pipe that its result comes through."""

    def __init__(self, function: Callable[[int], Any], number: int) -> None:
        self.number = number
        self.ended = False
        self.received = b""
        self.pipe, into = os.pipe()
        with warnings.catch_warnings():
            # Python warns of forks while threads run: that they do is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if self._process == 0:
            _run(function, number, into)
        os.close(into)

    def result(self) -> Any:
        """What the function returned; ForkedError with what it raised."""
        if not self.received:
            raise ForkedError(f"child {self.number} died without a word")
        succeeded, value = pickle.loads(self.received)
        if not succeeded:
            raise ForkedError(f"child {self.number} raised:\n{value}")
        return value

    def remove(self) -> None:
        """End the process if it has not ended."""
        os.close(self.pipe)
        if not self.ended:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _run(function: Callable[[int], Any], number: int, into: int) -> None:
    """The life of a child: never returns."""
    try:
        try:
            said = pickle.dumps((True, function(number)))
        except BaseException:
            said = pickle.dumps((False, traceback.format_exc()))
        while said:
            said = said[os.write(into, said) :]
    finally:
        # Not sys.exit(): what the parent has registered for its own end is not to happen here.
        os._exit(0)


def _receive(children: list[_Child], end: float) -> None:
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.pipe, selectors.EVENT_READ, child)
        while selector.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                block = os.read(key.fd, 65536)
                key.data.received += block
                if not block:
                    key.data.ended = True
                    selector.unregister(key.fd)
