"""A refusal, with words that its message must hold."""

from __future__ import annotations


class Refused(Exception):
    """The call is answered by a fault."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
