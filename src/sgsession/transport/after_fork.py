"""Locks, threads and connections do not survive a fork; what holds them is told in the child."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["renew_after_fork"]


class Renewable(Protocol):
    """Something that can start again in a forked child."""

    def renew(self) -> None:
        """Replace locks, which another thread of the parent may have held, and drop connections."""


_holders: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_after_fork(holder: Renewable) -> None:
    """Have `holder.renew()` called in each child that this process forks. Holds it weakly."""
    _holders.add(holder)


def _in_child() -> None:
    for holder in list(_holders):
        holder.renew()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_in_child)
