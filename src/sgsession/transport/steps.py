"""Calls of several steps: what of them is done when one fails, and what is left to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..errors import (
    AmbiguousWrite,
    InterruptedWrite,
    PartialWrite,
    SessionError,
    SiteRefusal,
    SiteUnavailable,
    WriteNotFoundError,
)
from .calling.reconciling import UploadedFile

__all__ = ["MissingLink", "MissingThumbnails", "Steps"]

# How far the clocks of this machine and of the site may be apart, in seconds.
_WINDOW = 60.0
# The fields that a create or update takes a picture in, and the fields that an upload of one names.
_THUMBNAILS = {"image": "thumb_image", "filmstrip_image": "filmstrip_thumb_image"}


class Steps:
    """What the call under way has done so far. One thread at a time uses it."""

    _row: dict[str, Any] | None = None
    _uploaded: tuple[str | None, ...] = ()
    _step = ""
    _link: tuple[str, dict[str, Any]] | None = None

    def wrote(self, method: str, results: Any) -> None:
        """Note the row that a remote call made or changed."""
        if method in ("create", "update") and isinstance(results, Mapping):
            self._row = dict(results)

    def begins(self, step: str, path: str, form: Mapping[str, Any]) -> None:
        """Note the step of an upload that comes next."""
        self._step = step
        if step == "upload link":
            kept = {
                name: value
                for name, value in form.items()
                if name in ("entity_type", "entity_id", "upload_link_info", "filmstrip", "field_name")
                or name in ("display_name", "tag_list", "created_at")
            }
            self._link = (path, kept)

    def _begin(self) -> None:
        self._row, self._uploaded = None, ()

    def _begin_upload(self) -> None:
        self._step, self._link = "", None

    @contextmanager
    def of_row(self, entity_type: str, data: Any) -> Iterator[None]:
        """Raise `PartialWrite` when the row was written and a thumbnail of it was not."""
        self._begin()
        try:
            yield
        except InterruptedWrite:
            raise
        except Exception as problem:
            row = self._row
            wanted = [name for name in _THUMBNAILS if isinstance(data, Mapping) and data.get(name)]
            if row is None or not wanted:
                raise
            left = {name: data[name] for name in wanted if _THUMBNAILS[name] not in self._uploaded}
            raise PartialWrite(
                f"{entity_type} {row['id']} was written, but not all of {' and '.join(wanted)} followed: "
                f"{problem} resume() does the rest.",
                entity_type=entity_type,
                entity_id=row["id"],
                step=f"upload of {' and '.join(left or wanted)}",
                result=row,
                rest=MissingThumbnails(entity_type, row["id"], left, tuple(wanted), row).resume,
            ) from problem

    @contextmanager
    def of_upload(self, entity_type: str, entity_id: int, field_name: str | None) -> Iterator[None]:
        """Tell what an upload that stopped has left: nothing, or a file that hangs nowhere."""
        self._begin_upload()
        try:
            yield
        except InterruptedWrite:
            raise
        except (SiteUnavailable, SiteRefusal, AmbiguousWrite) as problem:
            if self._step == "upload completion" and isinstance(problem, AmbiguousWrite):
                # Whether the storage put the parts together or not, no row knows of them.
                raise SiteUnavailable(
                    f"The file for {entity_type} {entity_id} could not be completed: {problem.phase}. "
                    f"Nothing was changed."
                ) from problem
            if self._step != "upload link" or self._link is None:
                raise
            path, form = self._link
            in_doubt = isinstance(problem, AmbiguousWrite)
            linked = "it is unknown whether it was linked" if in_doubt else "it was not linked"
            raise PartialWrite(
                f"The file for {entity_type} {entity_id} was sent, but {linked}: {problem} "
                f"resume() links it{' if it was not' if in_doubt else ''}.",
                entity_type=entity_type,
                entity_id=entity_id,
                step="link of the file",
                rest=MissingLink(path, form, in_doubt, time.time(), getattr(problem, "elapsed", 0.0)).resume,
            ) from problem
        else:
            self._uploaded += (field_name,)


class MissingThumbnails(NamedTuple):
    """The thumbnails that a written row lacks."""

    entity_type: str
    entity_id: int
    paths: Mapping[str, str]
    names: tuple[str, ...]
    row: Mapping[str, Any]

    def resume(self, client: Any) -> dict[str, Any]:
        """Upload them; returns the row with their addresses, as the whole call would have."""
        row = dict(self.row)
        for name, path in self.paths.items():
            client.upload(self.entity_type, self.entity_id, path, _THUMBNAILS[name])
        found = client.find_one(self.entity_type, [["id", "is", self.entity_id]], list(self.names))
        row.update({name: (found or {}).get(name) for name in self.names})
        return row


class MissingLink(NamedTuple):
    """A file that lies in the storage and was perhaps linked to its row."""

    path: str
    form: Mapping[str, Any]
    in_doubt: bool = True
    ended: float = 0.0
    elapsed: float = 0.0

    def __repr__(self) -> str:
        return f"MissingLink({self.path!r})"  # what was sent is not for logs

    def resume(self, client: Any) -> int:
        """Link it, unless it is linked already; returns the id of its Attachment."""
        if self.in_doubt and "display_name" in self.form:
            looked_for = self._file()
            try:
                # Not one of the same name that hung there before.
                return int(looked_for.run(client, None, _WINDOW, None))
            except WriteNotFoundError:
                pass
        config = client.config
        answer = client.call("_send_form", f"{config.scheme}://{config.server}{self.path}", dict(self.form))
        if not answer.startswith("1"):
            raise SessionError(f"The site did not link the file: {' '.join(answer.split())[:200]}")
        return int(answer.split(":", 2)[1].split("\n", 1)[0])

    def _file(self) -> UploadedFile:
        form = self.form
        name = form["display_name"]
        return UploadedFile(form["entity_type"], form["entity_id"], name, self.ended, self.elapsed)
