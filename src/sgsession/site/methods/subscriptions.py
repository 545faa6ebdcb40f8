"""What each person is subscribed to: `user_subscriptions_read` and `_create` (wire.md 2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select

from ..call import Call
from ..data_types import Given
from ..data_types.refusals import storable
from ..database.rows import Reference, known
from ..faults import SiteFault, ruby
from ..requests import missing_row


def user_subscriptions_read(call: Call, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The subscriptions of every person, those without any included."""
    people, table = call.tables.of("HumanUser"), call.tables.user_subscription
    alive = select(people.c.id).where(people.c.retired.is_(False)).order_by(people.c.id)
    names: dict[int, list[str]] = {each: [] for each in call.connection.execute(alive).scalars()}
    given = select(table.c.user_id, table.c.name).order_by(table.c.user_id, table.c.position)
    for user_id, name in call.connection.execute(given):
        if user_id in names:
            names[user_id].append(name)
    return [{"humanUserId": each, "subscription": subscribed} for each, subscribed in names.items()]


def user_subscriptions_create(call: Call, params: Mapping[str, Any]) -> dict[str, str]:
    """Give people these subscriptions in place of those they have; null takes them all away."""
    users = params.get("users")
    if not isinstance(users, list):
        raise SiteFault(f"API {call.method}() invalid/missing array 'users':\n{ruby(params)}")
    given = dict(_requested(call, each) for each in users)
    found = known(call.connection, call.tables, given)
    for person in given:
        if person not in found or found[person].retired:
            raise missing_row(call, *person)
    table = call.tables.user_subscription
    for person, names in given.items():
        call.connection.execute(delete(table).where(table.c.user_id == person.id))
        if names:
            rows = [
                {"user_id": person.id, "position": position, "name": name}
                for position, name in enumerate(names)
            ]
            call.connection.execute(table.insert(), rows)
    return {"status": "success"}


def _requested(call: Call, user: Any) -> tuple[Reference, list[str]]:
    row_id = user.get("humanUserId") if isinstance(user, Mapping) else None
    if isinstance(row_id, bool) or not isinstance(row_id, int):
        raise SiteFault(f"API {call.method}() invalid/missing integer 'humanUserId':\n{ruby(user)}")
    names = user.get("subscription")
    if names is None or isinstance(names, str):
        names = [names] if names else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SiteFault(f"API {call.method}() invalid/missing 'subscription':\n{ruby(user)}")
    given = Given(call.method, "HumanUser.subscription", user)
    return Reference("HumanUser", row_id), [storable(name, given) for name in names]
