"""Brace expansion, as in a shell: `entity.{Asset,Shot}.{name,code}` stands for four paths."""

from __future__ import annotations

from ..errors import SyntaxProblem

__all__ = ["expand_braces"]

_LIMIT = 10_000


def expand_braces(text: str) -> list[str]:
    """All texts that `text` stands for, in the order in which a shell gives them.

    Groups may be nested; a text without braces stands for itself.

    Raises:
        SyntaxProblem: a brace is not closed or not opened, or it stands for more than 10,000 texts.
    """
    if "{" not in text and "}" not in text:
        return [text]
    done: list[str] = []
    waiting = [text]
    while waiting:
        current = waiting.pop()
        start = current.find("{")
        if start < 0:
            if "}" in current:
                raise SyntaxProblem(f"{text!r}: the braces do not match.")
            done.append(current)
        else:
            end, choices = _first_group(current, start, text)
            # Last first, since the stack gives them back in reverse; what a choice nests comes out next.
            waiting.extend(current[:start] + choice + current[end:] for choice in reversed(choices))
        if len(done) + len(waiting) > _LIMIT:
            raise SyntaxProblem(f"{text!r} stands for more than {_LIMIT:,} paths.")
    return list(dict.fromkeys(done))


def _first_group(current: str, start: int, text: str) -> tuple[int, list[str]]:
    """Where the group that opens at `start` ends, and its choices, with what they nest still unread."""
    choices = []
    depth = 0
    begin = start + 1
    for place in range(start, len(current)):
        sign = current[place]
        depth += (sign == "{") - (sign == "}")
        if (sign == "," and depth == 1) or depth == 0:
            choices.append(current[begin:place])
            begin = place + 1
        if depth == 0:
            return begin, choices
    raise SyntaxProblem(f"{text!r}: the braces do not match.")
