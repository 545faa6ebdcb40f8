"""A chain of 10,000 entities: depth must never become recursion."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest

from sgsession import Session, minimize

LENGTH = 10_000


def _raw_chain() -> dict[str, Any]:
    row: dict[str, Any] = {"type": "Shot", "id": LENGTH, "code": "end"}
    for number in range(LENGTH - 1, 0, -1):
        row = {"type": "Shot", "id": number, "next": row}
    return row


def _walk(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    while row is not None:
        yield row
        row = dict.get(row, "next")  # type: ignore[assignment]


@pytest.fixture(scope="module")
def first() -> Any:
    """The first entity of the chain."""
    return Session(False).merge(_raw_chain())


def test_a_chain_is_merged_and_linked_both_ways(first: Any) -> None:
    """Each entity holds the next, and the next is linked from it."""
    entities = list(_walk(first))
    assert len(entities) == LENGTH
    assert entities[-1]["code"] == "end"
    assert all(
        after.backrefs[("Shot", "next")][0] is before for before, after in itertools.pairwise(entities)
    )


def test_as_dict_of_a_chain_is_merged_again(first: Any) -> None:
    """The plain copy is as long, equal to the entity, and makes an equal graph."""
    plain = first.as_dict()
    assert sum(1 for _ in _walk(plain)) == LENGTH
    assert first == plain
    again = Session(False).merge(plain)
    assert again != first
    assert [entity["id"] for entity in _walk(again)] == list(range(1, LENGTH + 1))


def test_a_chain_of_plain_dicts_inside_an_entity_is_compared() -> None:
    """What is nested below a field may be as deep."""

    def nested(leaf: int) -> dict[str, Any]:
        found: dict[str, Any] = {"leaf": leaf}
        for _ in range(LENGTH):
            found = {"in": [found]}
        return found

    session = Session(False)
    shot = session.merge({"type": "Shot", "id": 1, "blob": nested(1)})
    assert shot == {"type": "Shot", "id": 1, "blob": nested(1)}
    assert shot != {"type": "Shot", "id": 1, "blob": nested(2)}
    assert shot.as_dict()["blob"]["in"]
    assert pickle.loads(pickle.dumps(Session(False).merge({"type": "Shot", "id": 1})))


def test_an_entity_of_a_chain_is_compared_shown_and_sent_by_itself(first: Any) -> None:
    """Comparison with itself, with another, repr and minimizing look at one entity."""
    assert first == first
    assert first != first["next"]
    assert repr(first) == "<Entity Shot:1>"
    assert "Shot:1" in repr(first["next"].backrefs)
    assert minimize([first]) == [{"type": "Shot", "id": 1}]


class _Counter:
    """A stream that only counts."""

    lines = 0

    def write(self, text: str) -> int:
        self.lines += text.count("\n")
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)


def test_a_chain_is_printed_to_its_end(first: Any) -> None:
    """One line to open and one to close each link, and one for the last field."""
    stream = _Counter()
    with redirect_stdout(stream):  # type: ignore[type-var]
        first.pprint(depth=0)
    assert stream.lines == 2 * LENGTH + 1


def test_a_chain_is_pickled(first: Any) -> None:
    """Entities of any depth travel, with what they are linked to."""
    again = pickle.loads(pickle.dumps(first))
    assert [entity["id"] for entity in _walk(again)] == list(range(1, LENGTH + 1))


def test_a_chain_is_forgotten(first: Any) -> None:
    """Dropping all of it leaves nothing."""
    session = Session(False)
    session.merge(_raw_chain())
    session.forget(session.graph.identity)
    assert len(session.graph.identity) == 0
