"""Who is asking: the first element of a request's params, checked on every call (wire.md 1.2)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Select, Table, bindparam

from .call import Caller
from .data_types.texts import folded
from .faults import SiteFault
from .tables import Tables

__all__ = ["authenticate", "keep_script_key", "prepare_script_keys"]

_REFUSED = 102

# Keys live beside the entity tables, so no read over the wire can ever reach them.
_script_key = Table(
    "script_key",
    MetaData(),
    Column("api_user_id", Integer, primary_key=True, autoincrement=False),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
)


def prepare_script_keys(connection: Connection) -> None:
    """Make the place where script keys are kept, if it is not there."""
    _script_key.create(connection, checkfirst=True)


def keep_script_key(connection: Connection, api_user_id: int, key: str) -> None:
    """Let the script sign in with this key from now on, and with no other."""
    salt = secrets.token_bytes(16)
    connection.execute(_script_key.delete().where(_script_key.c.api_user_id == api_user_id))
    connection.execute(
        _script_key.insert(), {"api_user_id": api_user_id, "salt": salt, "digest": _digest(salt, key)}
    )


def authenticate(connection: Connection, tables: Tables, credentials: Any) -> Caller:
    """The caller these credentials prove, or a SiteFault 102 in the words of a real site."""
    if not isinstance(credentials, Mapping):
        raise _unusable()
    script = _signed_in(connection, tables, credentials)
    login = credentials.get("sudo_as_login")
    if login is None:
        return script
    return _impersonated(connection, tables, script, login)


def _signed_in(connection: Connection, tables: Tables, credentials: Mapping[str, Any]) -> Caller:
    # The client's own order: a person goes before a script, a script before a session token.
    if "user_login" in credentials or "user_password" in credentials:
        login, password = credentials.get("user_login"), credentials.get("user_password")
        if not isinstance(login, str) or not isinstance(password, str):
            raise _unusable()
        raise SiteFault(f"Can't authenticate user '{login}'.", _REFUSED)
    if "script_name" in credentials or "script_key" in credentials:
        name, key = credentials.get("script_name"), credentials.get("script_key")
        if not isinstance(name, str) or not isinstance(key, str):
            raise _unusable()
        return _script(connection, tables, name, key, _session_uuid(credentials))
    token = credentials.get("session_token")
    if isinstance(token, str) and token:
        raise SiteFault(f"Can't authenticate session token ending with '{token[-4:]}'", _REFUSED)
    raise _unusable()


def _script(connection: Connection, tables: Tables, name: str, key: str, session_uuid: str | None) -> Caller:
    row = connection.execute(_find_script(tables), {"given_name": name}).first()
    # A key is 128 random bits or more, so one salted SHA-256 is as safe as a slow hash and costs
    # microseconds: nothing about a proven key needs to be remembered between requests.
    if row is None or not hmac.compare_digest(row.digest, _digest(row.salt, key)):
        raise SiteFault(f"Can't authenticate script '{name}'", _REFUSED)
    return Caller(
        "ApiUser", row.id, row.name, session_uuid, writes_events=bool(row.generate_event_log_entries)
    )


@lru_cache(maxsize=16)
def _find_script(tables: Tables) -> Select[Any]:
    # Every request runs this statement; building it anew each time would cost more than running it.
    scripts, record = tables.of("ApiUser"), tables.record
    return (
        sqlalchemy.select(
            scripts.c.id,
            record.c.name,
            scripts.c.generate_event_log_entries,
            _script_key.c.salt,
            _script_key.c.digest,
        )
        .join(_script_key, _script_key.c.api_user_id == scripts.c.id)
        .join(record, sqlalchemy.and_(record.c.type == "ApiUser", record.c.id == scripts.c.id))
        .where(scripts.c.firstname == bindparam("given_name"), sqlalchemy.not_(scripts.c.retired))
    )


def _impersonated(connection: Connection, tables: Tables, script: Caller, login: Any) -> Caller:
    refusal = SiteFault(f"Cannot 'sudo' - unknown or retired user: '{login}'", _REFUSED)
    if not isinstance(login, str):
        raise refusal
    people, record = tables.of("HumanUser"), tables.record
    row = connection.execute(
        sqlalchemy.select(people.c.id, record.c.name)
        .join(record, sqlalchemy.and_(record.c.type == "HumanUser", record.c.id == people.c.id))
        .where(people.c.login__folded == folded(login), sqlalchemy.not_(people.c.retired))
    ).first()
    if row is None:
        raise refusal
    return Caller(
        "HumanUser",
        row.id,
        row.name,
        script.session_uuid,
        actual=(script.type, script.id, script.name),
        writes_events=script.writes_events,
    )


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
