"""sgsession: one object per Flow Production Tracking entity, linked, merged and back-referenced.

from sgsession import Session

session = Session("studio")
for task in session.find("Task", [["sg_status_list", "is", "ip"]]):
    print(task["entity"].name, task["content"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .entity import Entity, minimize
from .errors import (
    ConfigurationError,
    EntityNotFoundError,
    FieldNotLoadedError,
    PoolError,
    SessionError,
    SiteUnavailable,
    SyntaxProblem,
    UnknownNameError,
)
from .pool import ShotgunPool
from .schema import Schema
from .session import Session

if TYPE_CHECKING:
    from .aio import AsyncEntity, AsyncSession
    from .transport.connect import connect

__version__ = "0.1.0"

__all__ = [
    "AsyncEntity",
    "AsyncSession",
    "ConfigurationError",
    "Entity",
    "EntityNotFoundError",
    "FieldNotLoadedError",
    "PoolError",
    "Schema",
    "Session",
    "SessionError",
    "ShotgunPool",
    "SiteUnavailable",
    "SyntaxProblem",
    "UnknownNameError",
    "__version__",
    "connect",
    "minimize",
]


def __getattr__(name: str) -> Any:
    # Imported when first asked for: asyncio and the search for sites cost more than all the rest.
    if name in ("AsyncEntity", "AsyncSession"):
        from . import aio

        return getattr(aio, name)
    if name == "connect":
        from .transport.connect import connect

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
