"""How a site makes the names of custom fields out of display names and type names (wire.md 6.5, 9.4)."""

from __future__ import annotations

import re

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SIBILANTS = ("s", "x", "z", "ch", "sh")


def field_name(display_name: str) -> str:
    """`sg_` and the display name, with an underscore for each character that is no letter or digit."""
    return "sg_" + re.sub(r"[^a-z0-9]", "_", display_name.lower())


def is_column_like(name: str) -> bool:
    """Whether a field of this name could be mistaken for a second column of another: `sg_x__folded`."""
    return name.rpartition("__")[2] in ("folded", "id", "type", "name") and "__" in name


def snake_case(entity_type: str) -> str:
    """`PublishedFile` as it appears in field names: `published_file`."""
    return _WORDS.sub("_", entity_type).lower()


def spaced(entity_type: str) -> str:
    """`PublishedFile` as people read it: `Published File`."""
    return _WORDS.sub(" ", entity_type).replace("_", " ")


def plural(word: str) -> str:
    """The English plural of a name, by rule."""
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(_SIBILANTS) else f"{word}s"
