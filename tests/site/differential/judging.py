"""One question to every site and to the evaluator, and what is wrong with the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from .comparing import difference, differing, expected
from .generation.questions import Question
from .naive.production import Production
from .sites import Asked


class Sites(Protocol):
    """What makes sites of one kind of database."""

    name: str

    def site(self, production: Production) -> Asked:
        """A new site that holds a production."""


class Judge:
    """A production in a site of each kind of database, with the evaluator beside them."""

    def __init__(self, production: Production, asked: dict[str, Asked]) -> None:
        self._production = production
        self._asked = asked

    def verdict(self, question: Question) -> str:
        """What is wrong with the answers; empty if they are all the evaluator's, and all the same."""
        wanted = expected(self._production, question.method, question.params)
        answers = {name: each.ask(question.method, question.params) for name, each in self._asked.items()}
        for name, answer in answers.items():
            if wrong := difference(wanted, answer):
                return f"{name}: {wrong}"
        # Beyond what the evaluator knows: the words of refusals, and what wire.md does not define.
        (first, answer), *others = answers.items()
        for name, other in others:
            if wrong := differing(answer, other, ""):
                return f"{first} and {name} differ at {wrong}"
        return ""


@contextmanager
def judging(kinds: Sequence[Sites], production: Production) -> Iterator[Judge]:
    """A judge with new sites, which go with it."""
    with ExitStack() as opened:
        asked: dict[str, Any] = {}
        for kind in kinds:
            asked[kind.name] = kind.site(production)
            opened.callback(asked[kind.name].close)
        yield Judge(production, asked)
