"""What several commands take on their command line, and the session that they open with it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from ..errors import SyntaxProblem
from ..session import Session
from ..syntax.braces import expand_braces
from ..syntax.paths import links_on_the_way
from ..syntax.references import PageReference, Reference, parse_reference
from ..transport.connect import connect

__all__ = [
    "byte_count",
    "count",
    "entity_reference",
    "field_paths",
    "lifetime",
    "open_session",
    "seconds",
    "type_name",
]

_TYPE = re.compile(r"[A-Za-z]\w*\Z")

# Powers of 1024, as of dd and of the site's own limit.
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,3})?) ?([kmgt]?)(?:i?b)?\Z", re.IGNORECASE)

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LIFETIME = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([smhd]?)\Z")


def open_session(args: argparse.Namespace) -> Session:
    """A session on the site that the command line or the environment names; sends nothing yet."""
    return Session(connect(args.site))


def field_paths(texts: Sequence[str]) -> list[str]:
    """The field paths of texts that separate them by commas and may hold braces, each once.

    Raises:
        SyntaxProblem: braces that do not match, or a path with a step missing.
    """
    paths: list[str] = []
    for text in texts:
        for written in _split(text):
            paths.extend(path.strip() for path in expand_braces(written) if path.strip())
    for path in paths:
        list(links_on_the_way(path))  # refuses a path with a step missing
    return list(dict.fromkeys(paths))


def _split(text: str) -> list[str]:
    """Cut at the commas outside of braces."""
    parts = [""]
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def entity_reference(words: Sequence[str]) -> tuple[Reference, list[str]]:
    """The entity that the first words name, and the words behind it.

    Takes `Shot 7`, `Shot:7` and the other forms of one word, a pasted address included.

    Raises:
        SyntaxProblem: they name none.
    """
    count = 2 if len(words) > 1 and words[1].isdigit() and _TYPE.match(words[0]) else 1
    text = ":".join(words[:count])
    if count == 1 and _TYPE.match(text) and not re.search(r"[_\-]\d+\Z", text):
        raise SyntaxProblem(f"{text!r} lacks an id: write {type_name(text)} 7, or {type_name(text)}:7.")
    reference = parse_reference(text)
    if isinstance(reference, PageReference):
        raise SyntaxProblem(f"{text!r} is a page on which no entity is open; open one and copy it again.")
    return reference, list(words[count:])


def type_name(text: str) -> str:
    """The name of a type; types begin with a capital, people do not always."""
    return text[:1].upper() + text[1:]


def count(text: str) -> int:
    """A number from 1, for argparse."""
    if not text.isdecimal() or not 1 <= int(text[:10]) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def seconds(text: str) -> float:
    """A duration, for argparse."""
    try:
        duration = float(text)
        if 0 <= duration < 3600:
            return duration
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")


def byte_count(text: str) -> int:
    """A size such as 2G or 500M, for argparse."""
    found = _SIZE.match(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].lower()]) if found else 0
    if not 1 <= size < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write bytes, or 500M, or 2G")
    return size


def lifetime(text: str) -> float:
    """A duration such as 90, 30m, 8h or 7d, for argparse."""
    found = _LIFETIME.match(text.strip())
    duration = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < duration <= 100 * 365 * 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration; write seconds, or 30m, 8h, 7d")
    return duration
