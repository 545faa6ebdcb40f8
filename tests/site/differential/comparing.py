"""Whether two answers are the same, and where they differ."""

from __future__ import annotations

import math
from typing import Any

from .naive.production import Production
from .naive.reading import read
from .naive.refusals import Refused
from .naive.summaries import UNRECORDED, summarize


def expected(production: Production, method: str, params: dict[str, Any]) -> Any:
    """What the evaluator answers: results, or a `Refused`."""
    try:
        return (read if method == "read" else summarize)(production, params)
    except Refused as refused:
        return refused


def difference(wanted: Any, answer: dict[str, Any]) -> str:
    """Where a site's answer differs from the evaluator's; empty where it does not."""
    if isinstance(wanted, Refused):
        if not answer.get("exception"):
            return f"should be refused: {wanted.words}"
        message = answer["message"]
        return "" if wanted.words in message else f"refused with {message!r} instead of {wanted.words!r}"
    if "results" not in answer:
        return f"refused: {answer['message']!r}"
    return differing(wanted, answer["results"], "")


def differing(wanted: Any, found: Any, where: str) -> str:
    """The first place where two values differ; a list of links has no order, but for `Playlist.versions`."""
    if wanted is UNRECORDED or found is UNRECORDED:
        return ""
    if isinstance(wanted, dict) and isinstance(found, dict) and wanted.keys() == found.keys():
        for key, value in wanted.items():
            if difference := differing(value, found[key], f"{where}.{key}"):
                return difference
        return ""
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        if _are_links(wanted) and _are_links(found):
            wanted, found = sorted(wanted, key=_identity), sorted(found, key=_identity)
        for number, (left, right) in enumerate(zip(wanted, found, strict=True)):
            if difference := differing(left, right, f"{where}[{number}]"):
                return difference
        return ""
    if isinstance(wanted, float) and isinstance(found, (int, float)) and not isinstance(found, bool):
        # Sums depend on the order in which floats are added.
        same = math.isclose(wanted, found, rel_tol=1e-9, abs_tol=1e-9)
    else:
        same = wanted == found and isinstance(wanted, bool) == isinstance(found, bool)
    return "" if same else f"{where or 'answer'}: expected {wanted!r}, found {found!r}"


def _are_links(values: list[Any]) -> bool:
    return all(isinstance(each, dict) and {"type", "id", "name"} <= each.keys() for each in values)


def _identity(link: dict[str, Any]) -> tuple[str, int]:
    return link["type"], link["id"]
