"""Finding out, by reading, whether a write was done whose answer never came."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...errors import ReconciliationError, SeveralMatchesError, WriteNotFoundError
from .calls import Call

__all__ = ["UploadedFile", "WrittenRow", "reconciliation_of"]

# A write that is still running on the site when nobody waits for it any more has this long to end.
_SHORTEST_WAIT = 5.0
# What is told to nobody: not kept, so in no pickle, and not read back.
_SECRET = ("password", "salted", "api_key", "secret", "token")
# Values that come back as something else than was sent.
_CHANGED_ON_THE_WAY = frozenset({"image", "filmstrip_image", "thumb_image"})


class WrittenRow(NamedTuple):
    """What a write was to leave on the site. Can be pickled; knows no connection and no secret.

    Args:
        method: "create", "update", "delete" or "revive"; anything else cannot be looked for.
        entity_type: of the row.
        entity_id: of the row, where it had one.
        values: what was written, by field.
        modes: the fields of which the write added to or removed from a list.
        mark: a field that holds a text unique to this write, and that text.
        ended: when the write was given up, by the clock of this machine (`time.time()`).
        elapsed: how many seconds it had taken.
    """

    method: str
    entity_type: str | None
    entity_id: int | None
    values: Mapping[str, Any]
    modes: frozenset[str] = frozenset()
    mark: tuple[str, str] | None = None
    ended: float = 0.0
    elapsed: float = 0.0

    def __repr__(self) -> str:
        return f"WrittenRow({self.method!r}, {self.entity_type!r}, {self.entity_id!r})"  # values are not for logs

    def run(self, client: Any, match: Sequence[str] | None, window: float | None, wait: float | None) -> Any:
        """See `AmbiguousWrite.reconcile`."""
        look = {"create": self._created, "update": self._updated, "delete": self._gone, "revive": self._back}
        if self.method not in look or self.entity_type is None:
            raise ReconciliationError(
                f"The site cannot tell whether {self.method!r} was done; look at what it was to change."
            )
        _let_end(self.ended, self.elapsed, wait)
        return look[self.method](client, match, window)

    def _created(self, client: Any, match: Sequence[str] | None, window: float | None) -> Any:
        filters = self._filters(match)
        if window is not None and self.mark is None:
            filters.append(["created_at", "greater_than", _moment(self.ended - self.elapsed - window)])
        rows = client.find(self.entity_type, filters, list(self.values), limit=2)
        if not rows:
            raise WriteNotFoundError(
                f"No {self.entity_type} was made in that time that matches; it is safe to create it again."
            )
        if len(rows) > 1:
            raise SeveralMatchesError(
                f"Several {self.entity_type} rows match, {rows[0]['id']} and {rows[1]['id']} among them; "
                f"name fields that tell them apart: reconcile(match=[…]).",
                rows,
            )
        return rows[0]

    def _filters(self, match: Sequence[str] | None) -> list[list[Any]]:
        if self.mark is not None:
            return [[self.mark[0], "is", self.mark[1]]]
        if match is None:
            names = [name for name, value in self.values.items() if _is_comparable(name, value)]
        else:
            unknown = sorted(set(match) - set(self.values))
            if unknown:
                raise ReconciliationError(f"The write did not set {', '.join(unknown)}.")
            names = list(match)
        if not names:
            raise ReconciliationError(
                f"Nothing that was written to this {self.entity_type} can be looked for; set "
                f"TransportOptions.dedupe_field to be able to."
            )
        return [[name, "is", self.values[name]] for name in names]

    def _updated(self, client: Any, match: Sequence[str] | None, _window: float | None) -> Any:
        names = [
            name
            for name, value in self.values.items()
            if name not in self.modes and _is_comparable(name, value)
        ]
        names = list(match) if match is not None else names
        if not names:
            raise ReconciliationError("None of the written values can be compared with what the site has.")
        filters = [["id", "is", self.entity_id], *([name, "is", self.values[name]] for name in names)]
        row = client.find_one(self.entity_type, filters, list(self.values))
        if row is None:
            raise WriteNotFoundError(
                f"{self.entity_type} {self.entity_id} does not have the values that were written: the update "
                f"was not done, or somebody changed them since."
            )
        return row

    def _gone(self, client: Any, _match: Sequence[str] | None, _window: float | None) -> Any:
        row = client.find_one(self.entity_type, [["id", "is", self.entity_id]], ["id"], retired_only=True)
        if row is None:
            raise WriteNotFoundError(f"{self.entity_type} {self.entity_id} is not retired.")
        return True

    def _back(self, client: Any, _match: Sequence[str] | None, _window: float | None) -> Any:
        if client.find_one(self.entity_type, [["id", "is", self.entity_id]], ["id"]) is None:
            raise WriteNotFoundError(f"{self.entity_type} {self.entity_id} is still retired.")
        return True


def reconciliation_of(call: Call, elapsed: float, dedupe_field: str | None) -> WrittenRow | UploadedFile:
    """What to look for when the outcome of this call is unknown after so many seconds."""
    now = time.time()
    if call.method == "upload":
        return UploadedFile(
            call.entity_type, call.entity_id, call.parameters.get("display_name"), now, elapsed
        )
    method, parameters = call.method, call.parameters
    if method == "batch" and isinstance(parameters, Sequence) and parameters:
        # One transaction: where the first of its writes is, all are (wire.md 7.5).
        first = parameters[0]
        method, parameters = str(first.get("request_type")), first
    asked = Call(method, parameters)
    fields = parameters.get("fields") if isinstance(parameters, Mapping) else None
    values: dict[str, Any] = {}
    modes: set[str] = set()
    for each in fields if isinstance(fields, Sequence) else ():
        name = each.get("field_name")
        if isinstance(name, str) and not any(part in name for part in _SECRET):
            values[name] = each.get("value")
            if "multi_entity_update_mode" in each:
                modes.add(name)
    mark = None
    if method == "create" and dedupe_field is not None and isinstance(values.get(dedupe_field), str):
        mark = (dedupe_field, values[dedupe_field])
    return WrittenRow(
        method, asked.entity_type, asked.entity_id, values, frozenset(modes), mark, now, elapsed
    )


class UploadedFile(NamedTuple):
    """A file that was to be attached to a row."""

    entity_type: str | None
    entity_id: int | None
    name: str | None
    ended: float
    elapsed: float

    def run(self, client: Any, match: Sequence[str] | None, window: float | None, wait: float | None) -> Any:
        """See `AmbiguousWrite.reconcile`; returns the id of the Attachment."""
        if self.name is None or self.entity_type is None:
            raise ReconciliationError("A thumbnail leaves nothing to look for; upload it again.")
        _let_end(self.ended, self.elapsed, wait)
        row = {"type": self.entity_type, "id": self.entity_id}
        filters: list[list[Any]] = [["attachment_links", "is", row], ["display_name", "is", self.name]]
        if window is not None:
            filters.append(["created_at", "greater_than", _moment(self.ended - self.elapsed - window)])
        found = client.find("Attachment", filters, ["display_name"], limit=2)
        if not found:
            raise WriteNotFoundError(f"No file {self.name!r} hangs on {self.entity_type} {self.entity_id}.")
        if len(found) > 1:
            raise SeveralMatchesError(f"Several files {self.name!r} hang on that row.", found)
        return found[0]["id"]


def _let_end(ended: float, elapsed: float, wait: float | None) -> None:
    """Wait until a write that is still running on the site has had its time."""
    pause = max(_SHORTEST_WAIT, 2 * elapsed) if wait is None else wait
    left = ended + pause - time.time()
    if left > 0:
        time.sleep(left)


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def _is_comparable(name: str, value: Any) -> bool:
    if name in _CHANGED_ON_THE_WAY:
        return False
    if isinstance(value, Mapping):
        return isinstance(value.get("type"), str) and isinstance(value.get("id"), int)
    # Numbers with a fraction may be rounded; lists and files are compared by no filter as a whole.
    return isinstance(value, (str, int, datetime.date)) and value != ""
