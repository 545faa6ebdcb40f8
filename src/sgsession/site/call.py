"""What every remote call of the site is handed: who asks, and the data it works on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .schema import SchemaMap
    from .tables import Tables

__all__ = ["Call", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The effective user of a call, and the script behind it when that user is impersonated."""

    type: str
    id: int
    name: str
    session_uuid: str | None = None
    actual: tuple[str, int, str] | None = None
    writes_events: bool = True


@dataclass(slots=True)
class Call:
    """One remote call in progress: who asks, against which schema, on which connection."""

    method: str
    schema: SchemaMap
    tables: Tables
    connection: Connection
    caller: Caller
    now: datetime
