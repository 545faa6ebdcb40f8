"""What a session knows, as plain values that can be compared."""

from __future__ import annotations

from typing import Any

from sgsession import Entity, Session
from sgsession.syntax.instants import instant

Key = tuple[str, int]


def plain(value: Any) -> Any:
    """A value in which entities are keys."""
    if isinstance(value, Entity):
        return value.key
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def known(session: Session) -> dict[Key, dict[str, Any]]:
    """All fields of all entities; ages in one form."""
    found = {}
    for entity in session.graph.identity:
        fields = {name: plain(value) for name, value in dict(entity).items()}
        if "updated_at" in fields:
            fields["updated_at"] = instant(fields["updated_at"])
        found[entity.key] = fields
    return found


def links_turned_round(session: Session) -> dict[Key, dict[tuple[str, str], set[Key]]]:
    """What the forward links say that the back-references must be."""
    found: dict[Key, dict[tuple[str, str], set[Key]]] = {}
    for entity in session.graph.identity:
        for field, value in dict(entity).items():
            for target in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(target, Entity):
                    pairs = found.setdefault(target.key, {})
                    pairs.setdefault((entity["type"], field), set()).add(entity.key)
    return found


def back_references(session: Session) -> dict[Key, dict[tuple[str, str], set[Key]]]:
    """What the back-references are."""
    found = {}
    for entity in session.graph.identity:
        pairs = {pair: {source.key for source in entity.backrefs[pair]} for pair in entity.backrefs}
        if pairs:
            found[entity.key] = pairs
    return found


def assert_sound(session: Session) -> None:
    """One object for each key, and back-references that are exactly the links turned round."""
    for entity in session.graph.identity:
        for value in dict(entity).values():
            for target in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(target, Entity):
                    assert session.graph.identity.get(target.key) is target
                else:
                    assert not (isinstance(target, dict) and {"type", "id"} <= target.keys()), target
    assert back_references(session) == links_turned_round(session)
    for entity in session.graph.identity:
        for pair in entity.backrefs:
            members = list(entity.backrefs[pair])
            assert len(members) == len({id(member) for member in members}) == len(entity.backrefs[pair])
