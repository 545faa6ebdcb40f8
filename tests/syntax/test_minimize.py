"""What is sent of an entity: its type and id."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given

from sgsession import Entity, Session, minimize

from ..strategies import rows


def _kinds(value: object) -> list[type]:
    if isinstance(value, dict):
        return [type(value), *(kind for item in value.values() for kind in _kinds(item))]
    if isinstance(value, (list, tuple)):
        return [type(value), *(kind for item in value for kind in _kinds(item))]
    return [type(value)]


def test_entities_become_type_and_id_at_any_depth() -> None:
    """In lists, tuples and dicts; everything else stays as it is, and the original too."""
    shot = Session(False).merge({"type": "Shot", "id": 1, "code": "A"})
    given_value = {"x": [shot, (shot, 1)], "y": "text", "z": {"type": "Shot", "id": 2, "code": "raw"}}
    bare = {"type": "Shot", "id": 1}
    sent = minimize(given_value)
    assert sent == {"x": [bare, (bare, 1)], "y": "text", "z": {"type": "Shot", "id": 2, "code": "raw"}}
    assert given_value["x"][0] is shot
    assert Entity not in _kinds(sent)


def test_an_attachment_keeps_its_keys() -> None:
    """A site needs the name and the path of a file, and no entity behind them is sent whole."""
    file = Session(False).merge(
        {
            "type": "Attachment",
            "id": 5,
            "name": "plate.exr",
            "local_storage": {"type": "LocalStorage", "id": 1, "code": "primary"},
            "attachment_links": [{"type": "Shot", "id": 1, "code": "A"}],
        }
    )
    sent = minimize([file])[0]
    assert sent == {
        "type": "Attachment",
        "id": 5,
        "name": "plate.exr",
        "local_storage": {"type": "LocalStorage", "id": 1},
        "attachment_links": [{"type": "Shot", "id": 1}],
    }
    assert Entity not in _kinds(sent)


def test_what_holds_itself_is_refused() -> None:
    """A list in itself cannot be sent; a list that is mentioned twice can."""
    twice = [1]
    assert minimize([twice, twice]) == [[1], [1]]
    loop: list[object] = []
    loop.append({"again": loop})
    with pytest.raises(ValueError, match="holds itself"):
        minimize(loop)


@given(rows)
def test_nothing_of_the_graph_is_ever_sent(row: dict[str, object]) -> None:
    """Whatever an entity is linked to, two keys of it are sent, as plain values."""
    entity = Session(False).merge(row)
    assert minimize({"data": [entity]}) == {"data": [{"type": row["type"], "id": row["id"]}]}
    assert Entity not in _kinds(minimize({"data": [entity]}))


def test_what_cannot_be_sent_is_refused() -> None:
    """Lists that hold themselves or are nested without an end are a ValueError, not a RecursionError."""
    ring: list[object] = []
    ring.append({"ring": ring})
    deep: list[object] = []
    for _ in range(1_000):
        deep = [deep]
    for value, said in ((ring, "holds itself"), (deep, "deep cannot be sent")):
        with pytest.raises(ValueError, match=said):
            minimize(value)


def test_what_is_no_container_stays_what_it_is() -> None:
    """Dates and other values of the client's are not looked into; sets and generators become lists."""
    shot = Session(False).merge({"type": "Shot", "id": 1})
    day = date(2025, 9, 1)
    assert minimize({"day": day})["day"] is day
    assert minimize([{shot}, (each for each in [shot])]) == [[shot.minimal], [shot.minimal]]
