"""Brace expansion, as in a shell: `entity.{Asset,Shot}.{name,code}` stands for four paths."""

from __future__ import annotations

import re

from ..errors import SyntaxProblem

__all__ = ["expand_braces"]

# Reading `{a,{b,c}}` from the inside out needs no stack: an innermost group holds no brace itself.
_INNERMOST = re.compile(r"\{([^{}]*)\}")
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
        group = _INNERMOST.search(current)
        if group is None:
            if "{" in current or "}" in current:
                raise SyntaxProblem(f"{text!r}: the braces do not match.")
            done.append(current)
        else:
            before, after = current[: group.start()], current[group.end() :]
            # Last first, since the stack gives them back in reverse.
            waiting.extend(before + choice + after for choice in reversed(group[1].split(",")))
        if len(done) + len(waiting) > _LIMIT:
            raise SyntaxProblem(f"{text!r} stands for more than {_LIMIT:,} paths.")
    # Innermost-first reading makes nested groups stand for some texts twice; the first one counts.
    return list(dict.fromkeys(done))
