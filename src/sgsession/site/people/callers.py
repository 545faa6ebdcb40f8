"""The scripts and people of a site as callers: found by name, by login, or by the session that they hold."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    exists,
    false,
    not_,
    null,
    select,
)  # fmt: skip

from ..call import Caller
from ..data_types.texts import folded
from ..database.tables import Tables


def script_named(connection: Connection, tables: Tables, name: str) -> Row[Any] | None:
    """The living script of that name."""
    return connection.execute(_script_by_name(tables), {"given_name": name}).first()


def person_named(connection: Connection, tables: Tables, login: str) -> Row[Any] | None:
    """The living person of that login, whatever its case."""
    return connection.execute(_person_by_login(tables), {"given_login": folded(login)}).first()


def script_caller(
    connection: Connection, tables: Tables, row: Row[Any], session_uuid: str | None = None
) -> Caller:
    """The caller that a script is."""
    return Caller(
        "ApiUser",
        row.id,
        row.name,
        session_uuid,
        writes_events=bool(row.generate_event_log_entries),
        group="api_admin",
        projects=_projects(connection, tables, row.id) if row.is_limited else None,
    )


def person_caller(row: Row[Any], session_uuid: str | None = None) -> Caller:
    """The caller that a person is."""
    return Caller("HumanUser", row.id, row.name, session_uuid, group=row.permission_group)


def impersonated(person: Row[Any], actual: Caller) -> Caller:
    """The caller that a person is for whom another one acts; what limits that one still does."""
    return Caller(
        "HumanUser",
        person.id,
        person.name,
        actual.session_uuid,
        actual=actual.actual or (actual.type, actual.id, actual.name),
        writes_events=actual.writes_events,
        group=person.permission_group,
        projects=actual.projects,
    )


def may_sign_in(person: Row[Any], now: datetime) -> bool:
    """Whether a living person is neither disabled nor locked out at this moment."""
    locked = person.locked_until is not None and person.locked_until > f"{now:%Y-%m-%dT%H:%M:%S}Z"
    return person.sg_status_list != "dis" and not locked


def caller_of_session(
    connection: Connection, tables: Tables, session: Row[Any], now: datetime, session_uuid: str | None
) -> Caller | None:
    """Who holds the session, as they are now; None once they may not sign in any more."""
    actual = None
    if session.user_type == "ApiUser" or session.actual_type == "ApiUser":
        script_id = session.user_id if session.user_type == "ApiUser" else session.actual_id
        script = connection.execute(_script_by_id(tables), {"given_id": script_id}).first()
        if script is None:
            return None
        actual = script_caller(connection, tables, script, session_uuid)
        if session.user_type == "ApiUser":
            return actual
    elif session.actual_type is not None:
        admin = connection.execute(_person_by_id(tables), {"given_id": session.actual_id}).first()
        if admin is None or not may_sign_in(admin, now):
            return None
        actual = person_caller(admin, session_uuid)
    person = connection.execute(_person_by_id(tables), {"given_id": session.user_id}).first()
    if person is None or (actual is None and not may_sign_in(person, now)):
        return None
    return person_caller(person, session_uuid) if actual is None else impersonated(person, actual)


# Every request runs one of these statements; building it anew each time would cost more than running it.


@lru_cache(maxsize=4)
def _script_by_name(tables: Tables) -> Select[Any]:
    return _scripts(tables).where(tables.of("ApiUser").c.firstname == bindparam("given_name"))


@lru_cache(maxsize=4)
def _script_by_id(tables: Tables) -> Select[Any]:
    return _scripts(tables).where(tables.of("ApiUser").c.id == bindparam("given_id"))


@lru_cache(maxsize=4)
def _person_by_login(tables: Tables) -> Select[Any]:
    return _people(tables).where(tables.of("HumanUser").c.login__folded == bindparam("given_login"))


@lru_cache(maxsize=4)
def _person_by_id(tables: Tables) -> Select[Any]:
    return _people(tables).where(tables.of("HumanUser").c.id == bindparam("given_id"))


def _scripts(tables: Tables) -> Select[Any]:
    scripts, record, key = tables.of("ApiUser"), tables.record, tables.script_key
    is_limited: ColumnElement[bool] = false()
    if tables.schema.field("ApiUser", "projects") is not None:
        links = tables.links("ApiUser", "projects")
        is_limited = exists(select(links.owner_id).where(*_owned(links, scripts.c.id)).correlate(scripts))
    return (
        select(
            scripts.c.id,
            record.c.name,
            _column(scripts, "generate_event_log_entries"),
            is_limited.label("is_limited"),
            key.c.salt,
            key.c.digest,
        )
        .join(key, key.c.api_user_id == scripts.c.id)
        .join(record, and_(record.c.type == "ApiUser", record.c.id == scripts.c.id))
        .where(not_(scripts.c.retired))
    )


def _people(tables: Tables) -> Select[Any]:
    people, record, password = tables.of("HumanUser"), tables.record, tables.password
    # One of several statements may find the person, so each has an alias for the group of its own.
    group = tables.of("PermissionRuleSet").alias()
    kept = and_(password.c.person_type == "HumanUser", password.c.person_id == people.c.id)
    return (
        select(
            people.c.id,
            record.c.name,
            _column(people, "sg_status_list"),
            _column(people, "locked_until"),
            _column(people, "can_impersonate_this_user"),
            group.c.code.label("permission_group"),
            password.c.hashed,
            password.c.one_time_code,
        )
        .join(record, and_(record.c.type == "HumanUser", record.c.id == people.c.id))
        .outerjoin(password, kept)
        .outerjoin(group, group.c.id == people.c.permission_rule_set__id)
        .where(not_(people.c.retired))
    )


def _column(table: Table, name: str) -> ColumnElement[Any]:
    """A column that the schema of some sites lacks."""
    return table.c[name] if name in table.c else null().label(name)


def _owned(links: Any, owner_id: Any) -> list[ColumnElement[bool]]:
    mine = [links.owner_id == owner_id]
    if links.owner_type is not None:
        mine.append(links.owner_type == "ApiUser")
    return mine


def _projects(connection: Connection, tables: Tables, script_id: int) -> frozenset[int]:
    links = tables.links("ApiUser", "projects")
    query = select(links.element_id).where(*_owned(links, script_id))
    return frozenset(connection.execute(query).scalars())
