"""What only the keeper of a site does to people's accounts: no remote call can."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Row, select, update

from ..database.rows import Reference
from ..database.store import Store
from .authentication import keep_script_key
from .callers import person_named
from .passwords import keep_password


def set_password(store: Store, login: str, password: str) -> None:
    """Let the person of that login sign in with this password."""
    with _account(store, login) as (connection, person):
        keep_password(connection, store.tables, Reference("HumanUser", person.id), password)
        people = store.tables.of("HumanUser")
        if "password_set" in people.c:
            changed = update(people).where(people.c.id == person.id).values(password_set=bool(password))
            connection.execute(changed)


def new_script_key(store: Store, name: str) -> str:
    """A key that the script of that name signs in with from now on, instead of any it had."""
    key, scripts = secrets.token_hex(20), store.tables.of("ApiUser")
    with store.writing() as connection:
        ours = (scripts.c.firstname == name, scripts.c.retired.is_(False))
        script_id = connection.execute(select(scripts.c.id).where(*ours)).scalar()
        if script_id is None:
            raise ValueError(f"no script on this site is called {name!r}")
        keep_script_key(connection, store.tables, script_id, key)
    return key


def require_one_time_code(store: Store, login: str, code: str | None) -> None:
    """Let the person sign in with this code beside the password only; with None, without one again."""
    with _account(store, login) as (connection, person):
        table = store.tables.password
        mine = (table.c.person_type == "HumanUser", table.c.person_id == person.id)
        if not connection.execute(update(table).where(*mine).values(one_time_code=code)).rowcount:
            raise ValueError(f"{login!r} has no password yet, and the code goes beside it")


def set_permission_group(store: Store, login: str, group: str) -> None:
    """Give the person the rights of that permission group: "admin", "manager", "artist" or "vendor"."""
    with _account(store, login) as (connection, person):
        people, groups = store.tables.of("HumanUser"), store.tables.of("PermissionRuleSet")
        ours = (groups.c.code == group, groups.c.entity_type == "HumanUser", groups.c.retired.is_(False))
        group_id = connection.execute(select(groups.c.id).where(*ours)).scalar()
        if group_id is None:
            raise ValueError(f"no permission group of people is called {group!r}")
        named = {"permission_rule_set__type": "PermissionRuleSet", "permission_rule_set__id": group_id}
        connection.execute(update(people).where(people.c.id == person.id).values(named))


@contextmanager
def _account(store: Store, login: str) -> Iterator[tuple[Connection, Row[tuple[object, ...]]]]:
    with store.writing() as connection:
        person = person_named(connection, store.tables, login)
        if person is None:
            raise ValueError(f"nobody on this site has the login {login!r}")
        yield connection, person
