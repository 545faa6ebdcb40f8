"""The uploaded files of a site, in one folder beside its database.

A file lies under the id of its Attachment. What it was called is metadata: no name from a request ever
becomes part of a path.
"""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["Arriving", "Files", "Upload", "safe_name"]

# A client that died in the middle of a direct upload never comes back for its parts.
_ABANDONED = 24 * 3600.0

# How many thumbnails may wait for their first read; nobody polls one that is older than these.
_LONGEST_QUEUE = 10_000

_ORIGINAL, _PICTURE = "original", "picture.jpg"


class Files:
    """The folder of uploaded files. Nothing is made on disk before the first upload."""

    def __init__(self, folder: Path | None, *, durable: bool = True) -> None:
        """`folder` None takes a temporary one, which `close` removes."""
        self._folder = folder
        self._own: str | None = None
        self._durable = durable
        self._key: bytes | None = None
        self._lock = threading.Lock()
        self._fresh: dict[tuple[str, int, str], None] = {}

    def original(self, attachment: int) -> Path:
        """Where the file of that Attachment lies, byte by byte as it came."""
        return self.place(attachment) / _ORIGINAL

    def picture(self, attachment: int) -> Path:
        """Where the thumbnail that was made of it lies, if one could be made."""
        return self.place(attachment) / _PICTURE

    def has_picture(self, attachment: int) -> bool:
        """Whether a thumbnail was made of it."""
        # A page of rows asks this of each: text is several times quicker to put together than a Path.
        return os.path.exists(f"{self.folder()}/{attachment // 1000:06d}/{attachment}/{_PICTURE}")

    def place(self, attachment: int) -> Path:
        """The folder of one Attachment; a thousand of them share a folder, which file systems like."""
        return self.folder() / f"{attachment // 1000:06d}/{attachment}"

    def arriving(self, name: str, limit: int) -> Arriving:
        """A new file to write what arrives into."""
        return Arriving(self, self.incoming() / secrets.token_hex(16), name, limit, durable=self._durable)

    def incoming(self) -> Path:
        """The folder for what belongs to no row yet."""
        return self.folder() / "incoming"

    def signature(self, purpose: str) -> str:
        """The part of an address that nobody can guess; the same for the same purpose."""
        return hmac.digest(self._secret(), purpose.encode(), "sha256").hex()[:32]

    def is_signed(self, purpose: str, signature: str) -> bool:
        """Whether this site gave that address out."""
        return hmac.compare_digest(self.signature(purpose).encode(), signature.encode())

    def announce(self, entity_type: str, row_id: int, field: str) -> None:
        """Let the next read of that image show the transient state (wire.md 10, trap 37)."""
        with self._lock:
            self._fresh[entity_type, row_id, field] = None
            if len(self._fresh) > _LONGEST_QUEUE:
                del self._fresh[next(iter(self._fresh))]

    def is_fresh(self, entity_type: str, row_id: int, field: str) -> bool:
        """Whether nobody has read that image since its upload; true once only."""
        key = (entity_type, row_id, field)
        if key not in self._fresh:
            return False
        with self._lock:
            return self._fresh.pop(key, self) is None

    def folder(self) -> Path:
        """The folder itself, made when it is first wanted."""
        if self._key is not None and self._folder is not None:
            return self._folder
        with self._lock:
            if self._folder is None:
                self._own = tempfile.mkdtemp(prefix="sgsession-files-")
                self._folder = Path(self._own)
            incoming = self._folder / "incoming"
            if self._key is None:
                incoming.mkdir(parents=True, exist_ok=True)
                _remove_abandoned(incoming)
                self._key = _kept_key(self._folder / "key")
            return self._folder

    def close(self) -> None:
        """Remove the folder, if it is a temporary one."""
        own, self._own = self._own, None
        if own is not None:
            shutil.rmtree(own, ignore_errors=True)

    def _secret(self) -> bytes:
        self.folder()
        assert self._key is not None
        return self._key


class Arriving:
    """A file on its way in: its bytes go straight to disk, and no more of them than allowed."""

    def __init__(self, files: Files, path: Path, name: str, limit: int, *, durable: bool) -> None:
        self.path = path
        self.size = 0
        self.is_too_large = False
        self.is_finished = False
        self._digest = hashlib.md5(usedforsecurity=False)
        self._files = files
        self._name = name
        self._limit = limit
        self._durable = durable
        self._stream = path.open("wb")

    def write(self, data: bytes) -> None:
        """Add to the file; past the limit it is given up, and what follows is thrown away."""
        self.size += len(data)
        if self.size > self._limit:
            self.is_too_large = True
            self.discard()
        else:
            self._digest.update(data)
            self._stream.write(data)

    def finish(self) -> Upload:
        """The whole file, safe on disk."""
        self._stream.flush()
        if self._durable:
            # As safe as the rows that are going to tell of it (store.py).
            os.fsync(self._stream.fileno())
        self._stream.close()
        self.is_finished = True
        return Upload(self._files, self.path, self._name, self.size, self._digest.hexdigest())

    def discard(self) -> None:
        """Give the file up; harmless when it is gone."""
        self._stream.close()
        self.path.unlink(missing_ok=True)


class Upload:
    """A file that arrived whole and waits for its Attachment."""

    def __init__(self, files: Files, path: Path, name: str, size: int, digest: str) -> None:
        self.files = files
        self.path = path
        self.name = safe_name(name)
        self.size = size
        self.digest = digest
        self.content_type = mimetypes.guess_type(self.name)[0] or "application/octet-stream"
        self.picture: Path | None = None
        self._place: Path | None = None

    def keep(self, attachment: int) -> None:
        """Move to where the Attachment's file lies; `discard` still undoes it."""
        place = self.files.place(attachment)
        # What lies there is of a transaction that was cut short: the ids of those are given again.
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        self._place = place
        self.path.replace(place / _ORIGINAL)
        if self.picture is not None:
            self.picture.replace(place / _PICTURE)

    def discard(self) -> None:
        """Remove the file, wherever it has got to."""
        for path in (self.path, self.picture):
            if path is not None:
                path.unlink(missing_ok=True)
        if self._place is not None:
            shutil.rmtree(self._place, ignore_errors=True)


def safe_name(name: str) -> str:
    """The last part of a name, fit to be shown and sent in a header; `file` where nothing is left of it."""
    last = re.split(r"[\\/]", name)[-1]
    shown = "".join(each for each in last if each.isprintable()).strip()[:255]
    return "file" if shown in ("", ".", "..") else shown


def _remove_abandoned(incoming: Path) -> None:
    oldest = time.time() - _ABANDONED
    for each in incoming.iterdir():
        # OSError: another process that serves the same files was quicker.
        with suppress(OSError):
            if each.stat().st_mtime < oldest:
                if each.is_dir():
                    shutil.rmtree(each, ignore_errors=True)
                else:
                    each.unlink()


def _kept_key(path: Path) -> bytes:
    """The key that addresses are signed with; it stays with the files, so that addresses outlive a restart."""
    if path.exists() and len(found := path.read_bytes()) == 32:
        return found
    key = secrets.token_bytes(32)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key)
    return key
