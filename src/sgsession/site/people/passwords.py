"""Passwords of people: kept as slow hashes where no read can reach them (wire.md 5.1, 6.7)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import Connection, delete

from ..database.rows import Reference
from ..database.tables import Tables

# What OWASP asks of PBKDF2 with SHA-512. Not scrypt: its 16 MB for each guess stay with every thread of the
# server, and a burst of wrong passwords would then cost the site a quarter of a gigabyte.
_ROUNDS = 210_000

# What was proven once is recognised in microseconds, by a digest under a key that dies with the process.
_KEY = secrets.token_bytes(32)
_proven: dict[str, bytes] = {}
_MOST_PROVEN = 10_000


def hashed(password: str) -> str:
    """What may be stored of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_slow_digest(salt, password).hex()}"


# No password has this hash: an unknown login costs a guess as much time as a known one.
NOBODY = f"{bytes(16).hex()}${bytes(64).hex()}"


def proves(password: str, stored: str) -> bool:
    """Whether this is the password that was stored."""
    seen = hmac.digest(_KEY, stored.encode() + _bytes(password), "sha256")
    if hmac.compare_digest(_proven.get(stored, b""), seen):
        return True
    salt, _, digest = stored.partition("$")
    if not hmac.compare_digest(bytes.fromhex(digest), _slow_digest(bytes.fromhex(salt), password)):
        return False
    if len(_proven) >= _MOST_PROVEN:
        _proven.clear()
    _proven[stored] = seen
    return True


def keep_password(connection: Connection, tables: Tables, person: Reference, password: str) -> None:
    """Let the person sign in with this password from now on; with an empty one, not at all."""
    table = tables.password
    mine = (table.c.person_type == person.type, table.c.person_id == person.id)
    if not password:
        connection.execute(delete(table).where(*mine))
        return
    stored = hashed(password)
    if not connection.execute(table.update().where(*mine).values(hashed=stored)).rowcount:
        row = {"person_type": person.type, "person_id": person.id, "hashed": stored}
        connection.execute(table.insert(), row)


def _slow_digest(salt: bytes, password: str) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", _bytes(password), salt, _ROUNDS)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
