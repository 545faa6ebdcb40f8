"""Session tokens: handed out on request, kept as digests, refused once expired (wire.md 1.2, 2.11)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, select

from ..call import Call
from ..database.tables import Tables

# An expired session can still be renewed by clients that do not reject it; so long, then it is forgotten.
_KEPT = timedelta(days=30)


def get_session_token(call: Call, params: Mapping[str, Any]) -> dict[str, str]:
    """A new session for the caller, which lives as long as the site lets sessions live."""
    caller, session = call.caller, call.tables.session
    token = secrets.token_hex(16)
    call.connection.execute(delete(session).where(session.c.expires_at < call.now - _KEPT))
    row = {
        "digest": _digest(token),
        "user_type": caller.type,
        "user_id": caller.id,
        "actual_type": caller.actual[0] if caller.actual else None,
        "actual_id": caller.actual[1] if caller.actual else None,
        "expires_at": call.now + timedelta(seconds=call.session_lifetime),
    }
    call.connection.execute(session.insert(), row)
    return {"session_id": token}


def session_of(connection: Connection, tables: Tables, token: str) -> Row[Any] | None:
    """The session that the token opens, expired or not."""
    # The token is 128 random bits: one look at its digest in an index tells nothing about another's.
    return connection.execute(_find(tables), {"given_digest": _digest(token)}).first()


@lru_cache(maxsize=4)
def _find(tables: Tables) -> Select[Any]:
    return select(tables.session).where(tables.session.c.digest == bindparam("given_digest"))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
