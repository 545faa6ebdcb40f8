"""The cyclic garbage collector, out of the way while thousands of rows are read and merged."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]

# Re-entrant: a signal's handler may read, too, in the thread that holds it.
_lock = threading.RLock()
_pausing: set[object] = set()
# What the user wants, and how we left the collector: where it is otherwise now, the user has had another word.
_wanted = False
_left_on = False
_since = 0.0
# Seconds. Where many threads read there may always be one in a block: then the end of any lets the collector run.
_LONGEST = 5.0


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection in the block, in any thread; what the user had set holds again when the last block ends.

    So does what the user sets in the meantime, but for a `gc.disable()` while it is paused, which nothing can tell
    from the pause. Where blocks overlap for longer than a few seconds, the collector may run from the end of one to
    the next begin.

    A page of rows makes ten thousand objects, none of them garbage; each run of the collector would look at
    all that a session knows: at a million rows that costs as much as the merging.
    """
    global _left_on, _since, _wanted
    block = object()
    try:
        with _lock:
            if not _pausing:
                _since = time.monotonic()
                _wanted = gc.isenabled()
            _look()
            _pausing.add(block)
            _left_on = False
            gc.disable()
        yield
    finally:
        try:
            _end(block)
        except BaseException:
            # An interrupt in there: a process must not stay without its collector for it.
            _end(block)
            raise


def _look() -> None:
    global _wanted
    if _pausing and gc.isenabled() is not _left_on:
        _wanted = gc.isenabled()


def _end(block: object) -> None:
    global _left_on, _since
    with _lock:
        now = time.monotonic()
        if block in _pausing:
            _look()
            if _wanted and (len(_pausing) == 1 or now - _since > _LONGEST):
                _since = now
                gc.enable()
                _left_on = True  # last: an interrupt before it is taken for the user's word, which it repeats
        _pausing.discard(block)


def _renew() -> None:
    """In a forked child: the blocks of other threads never end there, nor does one of them give the lock back."""
    global _lock
    _lock = threading.RLock()
    if _pausing and _wanted:
        gc.enable()
    _pausing.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
