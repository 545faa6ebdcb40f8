"""sgsession: one object per Flow Production Tracking entity, linked, merged and back-referenced.

from sgsession import Session

session = Session("studio")
for task in session.find("Task", [["sg_status_list", "is", "ip"]]):
    print(task["entity"].name, task["content"])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .aio import AsyncEntity, AsyncSession
    from .entity import Entity, minimize
    from .errors import (
        AmbiguousWrite,
        ConfigurationError,
        EntityNotFoundError,
        FieldNotLoadedError,
        PartialWrite,
        PoolError,
        SessionError,
        SiteUnavailable,
        SyntaxProblem,
        UnknownNameError,
    )
    from .pool import ShotgunPool
    from .schema import Schema
    from .session import Session
    from .transport.connect import connect

__version__ = "0.1.0"

__all__ = [
    "AmbiguousWrite",
    "AsyncEntity",
    "AsyncSession",
    "ConfigurationError",
    "Entity",
    "EntityNotFoundError",
    "FieldNotLoadedError",
    "PartialWrite",
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


# Where the names live that are imported when they are first asked for (PEP 562): the pytest plugin is loaded in
# every test run of a machine, and must not cost the client and the session where nobody uses them. What is not
# listed is one of errors.
_HOMES = {
    "AsyncEntity": "aio",
    "AsyncSession": "aio",
    "Entity": "entity",
    "Schema": "schema",
    "Session": "session",
    "ShotgunPool": "pool",
    "connect": "transport.connect",
    "minimize": "entity",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
