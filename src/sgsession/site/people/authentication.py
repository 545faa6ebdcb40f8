"""Who is asking: the first element of a request's params, checked on every call (wire.md 1.2)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from ..call import Caller
from ..database.tables import Tables
from ..faults import SiteFault
from .callers import (
    caller_of_session,
    impersonated,
    may_sign_in,
    person_caller,
    person_named,
    script_caller,
    script_named,
)
from .passwords import NOBODY, proves
from .sessions import session_of

__all__ = ["authenticate", "keep_script_key"]

_REFUSED = 102
_SECOND_FACTOR_MISSING = 106


def keep_script_key(connection: Connection, tables: Tables, api_user_id: int, key: str) -> None:
    """Let the script sign in with this key from now on, and with no other."""
    salt, table = secrets.token_bytes(16), tables.script_key
    connection.execute(table.delete().where(table.c.api_user_id == api_user_id))
    connection.execute(
        table.insert(), {"api_user_id": api_user_id, "salt": salt, "digest": _digest(salt, key)}
    )


def authenticate(
    connection: Connection, tables: Tables, credentials: Any, now: datetime | None = None
) -> Caller:
    """The caller these credentials prove, or a SiteFault 102 in the words of a real site."""
    if not isinstance(credentials, Mapping):
        raise _unusable()
    now = now or datetime.now(timezone.utc).replace(tzinfo=None)
    caller = _signed_in(connection, tables, credentials, now)
    login = credentials.get("sudo_as_login")
    return caller if login is None else _impersonated(connection, tables, caller, login)


def _signed_in(
    connection: Connection, tables: Tables, credentials: Mapping[str, Any], now: datetime
) -> Caller:
    session_uuid = _session_uuid(credentials)
    # The client's own order: a person goes before a script, a script before a session token.
    if "user_login" in credentials or "user_password" in credentials:
        login, password = credentials.get("user_login"), credentials.get("user_password")
        if not isinstance(login, str) or not isinstance(password, str):
            raise _unusable()
        return _person(connection, tables, login, password, credentials.get("auth_token"), session_uuid, now)
    if "script_name" in credentials or "script_key" in credentials:
        name, key = credentials.get("script_name"), credentials.get("script_key")
        if not isinstance(name, str) or not isinstance(key, str):
            raise _unusable()
        return _script(connection, tables, name, key, session_uuid)
    token = credentials.get("session_token")
    if not isinstance(token, str) or not token:
        raise _unusable()
    rejects_expired = bool(credentials.get("reject_if_expired"))
    return _session(connection, tables, token, rejects_expired, session_uuid, now)


def _person(
    connection: Connection,
    tables: Tables,
    login: str,
    password: str,
    code: Any,
    session_uuid: str | None,
    now: datetime,
) -> Caller:
    person = person_named(connection, tables, login)
    hashed = None if person is None else person.hashed
    proven = proves(password, hashed or NOBODY)
    if person is None or hashed is None or not proven or not may_sign_in(person, now):
        raise SiteFault(f"Can't authenticate user '{login}'.", _REFUSED)
    # Only who knows the password is told that a code is wanted, too.
    if person.one_time_code is not None and code != person.one_time_code:
        raise SiteFault(f"Two-factor authentication is required for user '{login}'.", _SECOND_FACTOR_MISSING)
    return person_caller(person, session_uuid)


def _script(connection: Connection, tables: Tables, name: str, key: str, session_uuid: str | None) -> Caller:
    script = script_named(connection, tables, name)
    # A key is 128 random bits or more, so one salted SHA-256 is as safe as a slow hash and costs
    # microseconds: nothing about a proven key needs to be remembered between requests.
    if script is None or not hmac.compare_digest(script.digest, _digest(script.salt, key)):
        raise SiteFault(f"Can't authenticate script '{name}'", _REFUSED)
    return script_caller(connection, tables, script, session_uuid)


def _session(
    connection: Connection,
    tables: Tables,
    token: str,
    rejects_expired: bool,
    session_uuid: str | None,
    now: datetime,
) -> Caller:
    session = session_of(connection, tables, token)
    # A client that does not reject an expired session has it renewed, and so goes on (wire.md 10, #47).
    if session is not None and not (rejects_expired and session.expires_at <= now):
        caller = caller_of_session(connection, tables, session, now, session_uuid)
        if caller is not None:
            return caller
    raise SiteFault(f"Can't authenticate session token ending with '{token[-4:]}'", _REFUSED)


def _impersonated(connection: Connection, tables: Tables, caller: Caller, login: Any) -> Caller:
    if not caller.administers:
        raise SiteFault(f"The user does not have permission to 'sudo': {caller.name}", _REFUSED)
    person = person_named(connection, tables, login) if isinstance(login, str) else None
    if person is None:
        raise SiteFault(f"Cannot 'sudo' - unknown or retired user: '{login}'", _REFUSED)
    if person.can_impersonate_this_user is not None and not person.can_impersonate_this_user:
        raise SiteFault(f"The user does not have permission to 'sudo': {login}", _REFUSED)
    return impersonated(person, caller)


def _session_uuid(credentials: Mapping[str, Any]) -> str | None:
    """The uuid that ties events to one sitting; what is none is ignored, as other unknown keys are."""
    given = credentials.get("session_uuid")
    try:
        return str(UUID(given)) if isinstance(given, str) else None
    except ValueError:
        return None


def _digest(salt: bytes, key: str) -> bytes:
    return hashlib.sha256(salt + key.encode("utf-8", "surrogatepass")).digest()


def _unusable() -> SiteFault:
    return SiteFault("Missing or invalid authentication arguments", _REFUSED)
