"""Field paths: what is one, and what it goes through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgsession.errors import SyntaxProblem
from sgsession.syntax.paths import is_deep, links_on_the_way, split_first_hop

names = st.text("abz_019", min_size=1, max_size=4)


def test_a_deep_path_is_cut_behind_its_first_link() -> None:
    """The first hop names link, type and what is left, however long the rest is."""
    assert split_first_hop("entity.Shot.code") == ("entity", "Shot", "code")
    assert split_first_hop("entity.Shot.sg_sequence.Sequence.code") == (
        "entity",
        "Shot",
        "sg_sequence.Sequence.code",
    )


@pytest.mark.parametrize(
    "path", ["", ".", "code", "entity.Shot", "entity.Shot.", ".Shot.code", "a..b", "a.B.c.D"]
)
def test_what_lacks_a_step_is_refused(path: str) -> None:
    """A path that is not `link.Type.field` is a SyntaxProblem, which is a ValueError, and is quoted."""
    with pytest.raises(SyntaxProblem) as caught:
        split_first_hop(path)
    assert repr(path) in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_plain_field_goes_through_no_link() -> None:
    """`code` is not deep, and no links are on its way."""
    assert not is_deep("code")
    assert list(links_on_the_way("code")) == []


@given(st.lists(st.tuples(names, names), min_size=1, max_size=5), names)
def test_links_on_the_way_are_every_prefix_that_ends_in_a_link(
    hops: list[tuple[str, str]], leaf: str
) -> None:
    """A path of n hops goes through n links; each is the path so far, nearest first."""
    path = ".".join([*(part for hop in hops for part in hop), leaf])
    links = list(links_on_the_way(path))
    assert len(links) == len(hops)
    assert all(path.startswith(f"{link}.") for link in links)
    assert [link.rpartition(".")[2] for link in links] == [link for link, _ in hops]
    link, linked_type, rest = split_first_hop(path)
    assert f"{link}.{linked_type}.{rest}" == path
