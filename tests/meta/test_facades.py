"""Session, AsyncSession, the pool and the client: the same names, the same parameters."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import shotgun_api3

from sgsession import AsyncEntity, AsyncSession, Entity, Session, ShotgunPool

CLIENT_METHODS = ["find", "find_one", "create", "update", "delete", "revive", "batch", "summarize"]
# Where a session takes entities in the place of a type and id, the later parameters have defaults.
HAS_MORE_DEFAULTS = {"create", "update", "delete", "revive"}


def _public(owner: type[Any]) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    parameters = inspect.signature(function).parameters.values()
    return [
        (parameter.name, parameter.kind, parameter.default)
        for parameter in parameters
        if parameter.name != "self"
    ]


def test_both_sessions_have_the_same_public_names() -> None:
    """Whatever one offers, the other does."""
    assert _public(Session) == _public(AsyncSession)
    assert _public(Entity) == _public(AsyncEntity)


@pytest.mark.parametrize(
    "name", sorted(name for name in _public(Session) if callable(getattr(Session, name)))
)
def test_both_sessions_have_the_same_signatures(name: str) -> None:
    """Names, order, kinds, defaults and annotations; results differ in being awaited alone."""
    one, other = getattr(Session, name), getattr(AsyncSession, name)
    if inspect.isclass(one):
        assert issubclass(other, one)
        return
    assert _parameters(one) == _parameters(other)
    for parameter, twin in zip(
        inspect.signature(one).parameters.values(), inspect.signature(other).parameters.values(), strict=True
    ):
        assert parameter.annotation == twin.annotation, parameter
    returned = [str(inspect.signature(method).return_annotation) for method in (one, other)]
    assert returned[0] == returned[1].replace("AsyncIterator", "Iterator").replace("Async", "")


@pytest.mark.parametrize(
    "name", sorted(name for name in _public(Entity) if inspect.isfunction(getattr(Entity, name)))
)
def test_both_entities_have_the_same_signatures(name: str) -> None:
    """Also the shortcuts of entities."""
    assert inspect.signature(getattr(Entity, name)) == inspect.signature(getattr(AsyncEntity, name))


def test_what_may_cause_a_request_is_awaited_and_nothing_else() -> None:
    """Each method that is written twice is a coroutine function or an asynchronous generator."""
    for name in _public(AsyncSession):
        method = getattr(AsyncSession, name)
        if inspect.isfunction(method):
            awaited = inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
            assert awaited == (method is not getattr(Session, name)), name


@pytest.mark.parametrize("name", CLIENT_METHODS)
@pytest.mark.parametrize("owner", [Session, AsyncSession, ShotgunPool])
def test_the_client_s_parameters_are_taken_in_its_order(owner: type[Any], name: str) -> None:
    """Each by its name and at its place, with its default."""
    theirs = _parameters(getattr(shotgun_api3.Shotgun, name))
    ours = _parameters(getattr(owner, name))
    assert [parameter[:2] for parameter in ours[: len(theirs)]] == [parameter[:2] for parameter in theirs]
    for (_, _, default), (_, _, their_default) in zip(ours, theirs, strict=False):
        if their_default is inspect.Parameter.empty:
            assert default is inspect.Parameter.empty or (
                owner is not ShotgunPool and name in HAS_MORE_DEFAULTS
            )
        else:
            # The client's `fields=None` and `order=None` stay; its empty lists may be None here.
            assert default == their_default or (not default and not their_default)
    more = ours[len(theirs) :]
    assert all(kind in (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD) for _, kind, _ in more)


def test_every_method_of_the_client_can_be_called_through_session_and_pool() -> None:
    """What is not written out is passed on; nothing of the client is lost."""
    client = shotgun_api3.Shotgun("http://studio.example", script_name="a", api_key="b", connect=False)
    pool = ShotgunPool(client)
    session = Session(pool)
    for name in dir(shotgun_api3.Shotgun):
        if not name.startswith("_") and callable(getattr(shotgun_api3.Shotgun, name)):
            assert callable(getattr(pool, name)), name
            # The client's `schema()` only raises that it is gone; a session's is what it was given.
            assert callable(getattr(session, name)) or name == "schema", name
    for name in ("base_url", "config", "client_caps"):
        assert getattr(pool, name) == getattr(session, name) == getattr(client, name)
