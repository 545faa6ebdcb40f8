"""Random paths: own fields, through links, through lists, and backwards."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..naive.model import LISTS, TYPES, Field

_HOPS = [0] * 14 + [1] * 5 + [2] * 2 + [3, 4]


@dataclass(frozen=True)
class Found:
    """A path with the field at its end."""

    path: str
    entity_type: str
    name: str

    @property
    def field(self) -> Field:
        return TYPES[self.entity_type][self.name]


def path_to(
    chance: random.Random, entity_type: str, kinds: set[str], *, through_lists: bool = False
) -> Found | None:
    """A path from rows of a type to a field of one of these data types."""
    before, here = "", entity_type
    for _ in range(chance.choice(_HOPS)):
        if through_lists and chance.random() < 0.08:
            step = _backwards(chance, here)
        else:
            step = _forwards(chance, here, through_lists)
        if step is None:
            break
        before, here = before + step[0], step[1]
    leaves = [name for name, field in TYPES[here].items() if field.data_type in kinds]
    if leaves and chance.random() < 0.5:
        # The kind first, or the rare ones would seldom be asked for.
        kind = chance.choice(sorted({TYPES[here][name].data_type for name in leaves}))
        leaves = [name for name in leaves if TYPES[here][name].data_type == kind]
    return Found(before + (name := chance.choice(leaves)), here, name) if leaves else None


def _forwards(chance: random.Random, here: str, through_lists: bool) -> tuple[str, str] | None:
    wanted = {"entity", *LISTS} if through_lists else {"entity"}
    links = [name for name, field in TYPES[here].items() if field.data_type in wanted]
    if not links:
        return None
    name = chance.choice(links)
    targets = TYPES[here][name].targets
    # Now and then a type that the field cannot link.
    target = (
        chance.choice(list(TYPES)) if through_lists and chance.random() < 0.03 else chance.choice(targets)
    )
    return f"{name}.{target}.", target


def _backwards(chance: random.Random, here: str) -> tuple[str, str] | None:
    ways = [
        (other, name)
        for other, fields in TYPES.items()
        for name, field in fields.items()
        if here in field.targets and field.data_type in {"entity", *LISTS}
    ]
    if not ways:
        return None
    other, name = chance.choice(ways)
    return f"$FROM${other}.{name}.", other
