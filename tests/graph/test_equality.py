"""When two entities are equal, and when an entity equals a plain dict."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from sgsession import Session

from ..strategies import rows

ROW: dict[str, Any] = {
    "type": "Shot",
    "id": 1,
    "code": "AA",
    "sg_sequence": {"type": "Sequence", "id": 5, "name": "SQ"},
    "assets": [{"type": "Asset", "id": 1}, {"type": "Asset", "id": 2}],
    "blob": {"a": [1, {"type": "Asset", "id": 1}]},
}


@pytest.fixture
def shot() -> Any:
    """A shot with links of every kind."""
    return Session(False).merge(ROW)


def test_entities_are_equal_within_one_session_only() -> None:
    """The same type and id of the same session; hash is by type and id alone."""
    session, other = Session(False), Session(False)
    shot, same, stranger = session.merge(ROW), session.merge({"type": "Shot", "id": 1}), other.merge(ROW)
    assert shot == same
    assert shot != stranger
    assert not (shot == stranger)
    assert shot != session.merge({"type": "Shot", "id": 2})
    assert hash(shot) == hash(stranger) == hash(shot.key)
    assert len({shot, same, stranger}) == 2


def test_links_of_a_plain_dict_count_by_type_and_id(shot: Any) -> None:
    """However much or little the dict says of what is linked."""
    assert shot == ROW
    assert ROW == shot
    assert not (shot != ROW)
    assert shot == {**ROW, "sg_sequence": {"type": "Sequence", "id": 5}}
    assert shot == {**ROW, "assets": [{"type": "Asset", "id": 1, "code": "x"}, {"type": "Asset", "id": 2}]}
    assert shot == shot.copy()


@pytest.mark.parametrize(
    "change",
    [
        {"code": "BB"},
        {"code": None},
        {"more": 1},
        {"sg_sequence": {"type": "Sequence", "id": 6}},
        {"sg_sequence": {"type": "Episode", "id": 5}},
        {"sg_sequence": None},
        {"sg_sequence": 5},
        {"assets": [{"type": "Asset", "id": 2}, {"type": "Asset", "id": 1}]},
        {"assets": [{"type": "Asset", "id": 1}]},
        {"assets": None},
        {"blob": {"a": [1, {"type": "Asset", "id": 2}]}},
        {"blob": {"b": [1, {"type": "Asset", "id": 1}]}},
        {"id": 2},
        {"type": "Asset"},
    ],
)
def test_any_other_value_makes_a_plain_dict_unequal(shot: Any, change: dict[str, Any]) -> None:
    """Keys, scalars, links, the order of a list and what is nested: all of it counts."""
    assert shot != {**ROW, **change}
    assert {**ROW, **change} != shot


def test_a_missing_key_makes_a_plain_dict_unequal(shot: Any) -> None:
    """An entity is not equal to its type and id alone."""
    assert shot != shot.minimal
    assert shot.is_same_entity(shot.minimal)


@pytest.mark.parametrize("other", [None, 1, "Shot:1", ("Shot", 1), []])
def test_nothing_but_a_dict_is_equal(shot: Any, other: Any) -> None:
    """Comparison with anything else is quietly false."""
    assert shot != other
    assert not (shot == other)


def test_cyclic_values_are_compared_to_the_end(shot: Any) -> None:
    """Two rings of plain dicts that look alike are equal, and the comparison ends."""

    def ring(leaf: int) -> dict[str, Any]:
        inner: dict[str, Any] = {"leaf": leaf, "links": [{"type": "Asset", "id": 1}]}
        inner["again"] = [inner]
        return inner

    shot["ring"] = ring(1)
    assert shot == {**ROW, "ring": ring(1)}
    assert shot != {**ROW, "ring": ring(2)}


@given(rows)
def test_an_entity_equals_its_copies(row: dict[str, Any]) -> None:
    """`copy()`, `dict()`, `**` and `as_dict()` of it are all equal to it, and show no deep keys."""
    entity = Session(False).merge(row)
    for copied in (entity.copy(), dict(entity), {**entity}, entity.as_dict()):
        assert type(copied) is dict
        assert entity == copied
        assert not any("." in key for key in copied)


def test_cyclic_lists_are_compared_to_the_end(shot: Any) -> None:
    """Two lists that hold themselves and look alike are equal, and the comparison ends."""

    def ring(leaf: int) -> list[Any]:
        inner: list[Any] = [leaf, {"type": "Asset", "id": 1}]
        inner.append(inner)
        return inner

    shot["ring"] = ring(1)
    assert shot == {**ROW, "ring": ring(1)}
    assert shot != {**ROW, "ring": ring(2)}
