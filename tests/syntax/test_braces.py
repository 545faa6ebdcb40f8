"""Brace expansion, against a naive reference."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given

from sgsession.errors import SyntaxProblem
from sgsession.syntax.braces import expand_braces

from ..strategies import flat_braces, nested_braces


def _flat_reference(text: str) -> list[str]:
    parts = re.split(r"(\{[^{}]*\})", text)
    choices = [part[1:-1].split(",") if part.startswith("{") else [part] for part in parts]
    return list(dict.fromkeys("".join(chosen) for chosen in product(*choices)))


def _shell_reference(text: str) -> list[str]:
    """What a shell does: outside in, the first group first."""
    start = text.find("{")
    if start < 0:
        return [text]
    depth, choices, begin = 0, [], start + 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if (text[place] == "," and depth == 1) or depth == 0:
            choices.append(text[begin:place])
            begin = place + 1
        if depth == 0:
            heads = [expanded for choice in choices for expanded in _shell_reference(choice)]
            tails = _shell_reference(text[place + 1 :])
            return [text[:start] + head + tail for head in heads for tail in tails]
    raise AssertionError(text)


@given(flat_braces)
def test_groups_side_by_side_multiply(text: str) -> None:
    """Groups that are not nested stand for their product, the last one turning fastest."""
    assert expand_braces(text) == _flat_reference(text)


@given(nested_braces)
def test_nested_groups_expand_as_in_a_shell(text: str) -> None:
    """Nested groups stand for the same texts, in the same order, as in a shell; each counts once."""
    assert expand_braces(text) == list(dict.fromkeys(_shell_reference(text)))


def test_the_example_of_the_documentation() -> None:
    """`entity.{Asset,Shot}.{name,code}` stands for four paths."""
    assert expand_braces("entity.{Asset,Shot}.{name,code}") == [
        "entity.Asset.name",
        "entity.Asset.code",
        "entity.Shot.name",
        "entity.Shot.code",
    ]


def test_choices_of_choices_keep_their_order() -> None:
    """What an inner group stands for takes its place among the outer choices."""
    assert expand_braces("entity.{Shot.{code,name},Asset.{code,name}}") == [
        "entity.Shot.code",
        "entity.Shot.name",
        "entity.Asset.code",
        "entity.Asset.name",
    ]


def test_what_stands_for_few_texts_is_not_refused_as_many() -> None:
    """Fifteen choices of two each are thirty texts, and far from the limit."""
    kinds = [f"CustomEntity{number:02}" for number in range(15)]
    text = "entity.{" + ",".join(f"{kind}.{{code,id}}" for kind in kinds) + "}"
    assert expand_braces(text) == [f"entity.{kind}.{field}" for kind in kinds for field in ("code", "id")]


@pytest.mark.parametrize("text", ["{", "}", "a{b", "a}b", "{a,{b}", "}{", "{a}}"])
def test_braces_that_do_not_match_are_refused(text: str) -> None:
    """An open or a stray brace is a SyntaxProblem that quotes the text."""
    with pytest.raises(SyntaxProblem, match="do not match") as caught:
        expand_braces(text)
    assert repr(text) in str(caught.value)


def test_an_explosion_is_refused_before_it_fills_the_memory() -> None:
    """Two to the power of sixty texts are refused at once."""
    with pytest.raises(SyntaxProblem, match="10,000"):
        expand_braces("{a,b}" * 60)
