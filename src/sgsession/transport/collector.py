"""The cyclic garbage collector, out of the way while thousands of rows are read and merged."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]

_lock = threading.Lock()
_pausing = 0
_was_on = False


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection in the block, in any thread; what the user had set holds again when the last block ends.

    A page of rows makes ten thousand objects, none of them garbage; each run of the collector would look at
    all that a session knows: at a million rows that costs as much as the merging.
    """
    global _pausing, _was_on
    with _lock:
        if _pausing == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _pausing += 1
    try:
        yield
    finally:
        with _lock:
            _pausing -= 1
            if _pausing == 0 and _was_on:
                gc.enable()
