"""What every remote call of the site is handed: who asks, and the data it works on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database.stored_files import Files
    from .database.tables import Tables
    from .schema.schema_map import SchemaMap

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
    group: str | None = None  # the code of the permission group
    projects: frozenset[int] | None = None  # a limited script sees nothing outside of these

    @property
    def administers(self) -> bool:
        """Whether everything is allowed that the site allows at all; scripts may do all that."""
        return self.type == "ApiUser" or self.group == "admin"

    def sees(self, project_id: int | None) -> bool:
        """Whether the rows of a project, or those of none, are there for this caller."""
        return self.projects is None or project_id is None or project_id in self.projects


@dataclass(slots=True)
class Call:
    """One remote call in progress: who asks, against which schema, on which connection."""

    method: str
    schema: SchemaMap
    tables: Tables
    connection: Connection
    caller: Caller
    now: datetime
    files: Files | None = None
    origin: str = ""  # what the addresses of files begin with
    session_lifetime: float = 24 * 3600.0  # seconds that a new session lives
    image_ids: bool = False  # images read as the ids of their Attachments
    # How often each type stands in queries so far: each time under an alias of its own.
    aliases: Counter[str] = field(default_factory=Counter)
    conditions: int = 0  # of filters, so far
    # What a schema edit leaves for later calls: the tables of the new map, in force once this call is committed.
    edited: Tables | None = None
