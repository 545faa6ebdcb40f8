"""The key of a site's script, kept in a file that only its owner can read: databases hold digests alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ...errors import SessionError

__all__ = ["KeyFileError", "key_in"]


class KeyFileError(SessionError):
    """The file that should hold the key of a script does not, or cannot be read or written."""


def key_in(path: Path) -> str:
    """The key that the file holds; a missing or empty file gets a new one."""
    try:
        key = path.read_text(encoding="utf-8").strip() if path.exists() else ""
        if not key:
            key = secrets.token_hex(20)
            _write(path, key)
    except OSError as problem:
        raise KeyFileError(f"the key file {path} cannot be used: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise KeyFileError(f"the key file {path} holds no text") from None
    # Whatever else the file is, it shall not become a key that is printed and exported.
    if len(key.split()) > 1 or not key.isprintable():
        raise KeyFileError(f"the key file {path} holds more than one word; a key is one")
    return key


def _write(path: Path, key: str) -> None:
    # Not readable by others from the first moment on, and never half a key.
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{key}\n")
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
