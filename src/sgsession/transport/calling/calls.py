"""What a request is, as far as sending it again is concerned."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from .decisions import Effect

__all__ = ["Call", "effect_of"]

# reliability.md 5.1. Whatever is not named here is a write.
READS = frozenset(
    {
        "activity_stream",
        "export_page",
        "followers",
        "following",
        "info",
        "nav_expand",
        "nav_search",
        "note_thread_contents",
        "preferences_read",
        "query_display_name_cache",
        "read",
        "schema_entity_read",
        "schema_field_read",
        "schema_read",
        "summarize",
        "user_subscriptions_read",
        "work_schedule_read",
        # A second token leaves the first one valid.
        "get_session_token",
        # Steps of an upload that only hand out addresses, or put the same bytes in the same place.
        "upload address",
        "upload bytes",
    }
)
IDEMPOTENT = frozenset(
    {
        "delete",
        "follow",
        "revive",
        "schema_field_update",
        "unfollow",
        "update",
        "update_project_last_accessed_by_current_user",
        "work_schedule_update",
    }
)


_ASKS_FOR_PAGES = ("return_paging_info", "return_paging_info_without_counts")


class Call:
    """One request of the client, whatever number of attempts it takes."""

    attempts = 0
    in_doubt = False
    """Some attempt may have been executed."""
    started = 0.0
    waited = 0.0
    """Seconds that its caller had waited before that, which are part of its time."""
    one_time: bool
    """It goes with a one-time code, which a repetition would bring in vain."""

    def __init__(self, method: str, parameters: Any = None, *, one_time: bool = False) -> None:
        self.method = method
        self.parameters = parameters
        self.one_time = one_time
        self.request_id = uuid.uuid4().hex

    @property
    def entity_type(self) -> str | None:
        """The type of the row that is read or written, where there is one."""
        found: str | None = self._parameter("type", str) or self._parameter("entity_type", str)
        return found

    @property
    def entity_id(self) -> int | None:
        """The id of the row that is written, where it has one already."""
        found: int | None = self._parameter("id", int) or self._parameter("entity_id", int)
        return found

    @property
    def is_read(self) -> bool:
        """True where sending it twice does nothing."""
        return self.method in READS and not self.one_time

    @property
    def is_paged(self) -> bool:
        """True where the client goes by what the answer says of further rows."""
        asked = self.parameters if isinstance(self.parameters, Mapping) else {}
        return any(asked.get(name) is True for name in _ASKS_FOR_PAGES)

    @property
    def subject(self) -> str:
        """The request in few words, for logs and errors; no data and no credentials are in it."""
        return " ".join(str(part) for part in (self.method, self.entity_type, self.entity_id) if part)

    def _parameter(self, name: str, kind: type) -> Any:
        value = self.parameters.get(name) if isinstance(self.parameters, Mapping) else None
        return value if isinstance(value, kind) else None


def effect_of(call: Call, *, idempotent_writes: bool) -> Effect:
    """What sending this request twice would do."""
    if call.is_read:
        return Effect.READ
    if call.method == "batch" and isinstance(call.parameters, Sequence):
        kinds = {each.get("request_type") for each in call.parameters if isinstance(each, Mapping)}
        # A batch is one transaction: it is as safe as the least safe of what it holds.
        if idempotent_writes and kinds <= {"update", "delete"}:
            return Effect.IDEMPOTENT
    elif idempotent_writes and call.method in IDEMPOTENT:
        return Effect.IDEMPOTENT
    return Effect.WRITE
