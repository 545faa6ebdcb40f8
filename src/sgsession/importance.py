"""Which fields always come along, which links are followed, and what stands above what."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .errors import SyntaxProblem

__all__ = ["FIELDS", "FIELDS_FOR_ALL", "LINKS", "PARENTS", "Importance"]

# The defaults: stock fields that every site has. A studio's own belong on a subclass of Session or on
# one session, never here.
FIELDS_FOR_ALL = ["updated_at"]
FIELDS = {
    "Asset": ["code", "sg_asset_type"],
    "Episode": ["code"],
    "HumanUser": ["firstname", "lastname", "email", "login"],
    "Project": ["name"],
    "PublishEvent": ["code", "sg_type", "sg_version"],
    "PublishedFile": ["code", "published_file_type", "version_number"],
    "Sequence": ["code"],
    "Shot": ["code"],
    "Step": ["code", "short_name", "entity_type"],
    "Task": ["step", "content"],
    "Version": ["code", "sg_task"],
}
LINKS = {
    "Asset": {"project": ["Project"]},
    "PublishEvent": {"project": ["Project"], "sg_link": ["Task"]},
    "PublishedFile": {"project": ["Project"], "entity": ["Asset", "Shot"], "task": ["Task"]},
    "Sequence": {"project": ["Project"]},
    "Shot": {"project": ["Project"], "sg_sequence": ["Sequence"]},
    "Task": {"project": ["Project"], "entity": ["Asset", "Shot"], "step": ["Step"]},
    "Version": {"project": ["Project"], "entity": ["Asset", "Shot"]},
}
PARENTS = {
    "Asset": "project",
    "Episode": "project",
    "Project": None,
    "PublishEvent": "sg_link",
    "PublishedFile": "entity",
    "Sequence": "project",
    "Shot": "sg_sequence",
    "Task": "entity",
    "Version": "entity",
}


def _names(value: Sequence[str], where: str) -> Sequence[str]:
    # A text is a sequence, too: that of its letters.
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SyntaxProblem(f"{where} is a list of names; it is {value!r}.")
    return value


# So many types, each at its place in a chain, one read asks for at most: every one is a join for the site.
MOST_STEPS = 30


class _Step(NamedTuple):
    """One step up a chain: a type, the path that leads to its fields, the types below it and itself."""

    kind: str
    prefix: str
    below: tuple[str, ...]
    is_said: bool


class Importance(NamedTuple):
    """One session's importance, as its class attributes say it at this moment."""

    fields_for_all: Sequence[str]
    fields: Mapping[str, Sequence[str]]
    links: Mapping[str, Mapping[str, Sequence[str]]]
    parents: Mapping[str, str | None]

    def own_fields(self, entity_type: str) -> list[str]:
        """The important fields of a type itself, links included, without deep ones.

        Raises:
            SyntaxProblem: the session's class attributes are not what they should be.
        """
        own = [
            *_names(self.fields_for_all, "important_fields_for_all"),
            *_names(self.fields.get(entity_type, ()), f"important_fields[{entity_type!r}]"),
            *self._links_of(entity_type),
        ]
        return list(dict.fromkeys(own))

    def _links_of(self, entity_type: str) -> Mapping[str, Sequence[str]]:
        links = self.links.get(entity_type, {})
        if not isinstance(links, Mapping):
            raise SyntaxProblem(
                f"important_links[{entity_type!r}] says for each link which types it leads to, "
                f"{{'project': ['Project']}}; it is {links!r}."
            )
        for link, linked_types in links.items():
            _names(linked_types, f"important_links[{entity_type!r}][{link!r}]")
        return links

    def core_fields(self, entity_type: str) -> list[str]:
        """The important fields of a type, and those of the entities that its important links hold."""
        core = self.own_fields(entity_type)
        for link, linked_types in self._links_of(entity_type).items():
            for linked_type in linked_types:
                core.extend(f"{link}.{linked_type}.{field}" for field in self.own_fields(linked_type))
        return core

    def parent_field(self, entity_type: str) -> str | None:
        """The link that leads up from a type; `project` for one that nobody has placed; None at the top."""
        parent = self.parents.get(entity_type, "project")
        if parent is not None and (not isinstance(parent, str) or not parent):
            raise SyntaxProblem(
                f"parent_fields[{entity_type!r}] is the name of one link, or None; it is {parent!r}."
            )
        return parent

    def hierarchy_fields(self, entity_type: str) -> list[str]:
        """The core fields of a type and of what stands above it, as deep paths, so that one read has all.

        First whole chains of the types that are said to stand there, the nearest first, then those that may: all of
        their fields come with every row, mostly null, so there is an end to it. What lies beyond takes another read.
        """
        fields: dict[str, None] = {}
        said = deque([_Step(entity_type, "", (entity_type,), True)])
        guessed: deque[_Step] = deque()
        for _ in range(MOST_STEPS):
            if not (said or guessed):
                break
            step = (said or guessed).popleft()
            parent = self.parent_field(step.kind)
            fields.update((step.prefix + field, None) for field in self.core_fields(step.kind))
            if parent is None:
                continue
            fields[step.prefix + parent] = None
            if parent != "project":
                # An empty parent link falls back to the project, which then must be known as well.
                fields[step.prefix + "project"] = None
                fields.update(
                    (f"{step.prefix}project.Project.{field}", None) for field in self.own_fields("Project")
                )
            for kinds, waiting in zip(self.parent_types(step.kind), (said, guessed), strict=True):
                if waiting is guessed and not step.is_said:
                    continue  # a guess upon a guess would be hundreds of fields
                is_said = step.is_said and waiting is said
                for kind in kinds:
                    # A type may be its own ancestor (an Asset in an Asset); each is climbed once, the rest on arrival.
                    if kind not in step.below:
                        prefix = f"{step.prefix}{parent}.{kind}."
                        (said if is_said else guessed).append(
                            _Step(kind, prefix, (*step.below, kind), is_said)
                        )
        return list(fields)

    def parent_types(self, entity_type: str) -> tuple[list[str], list[str]]:
        """The types that are said to stand above a type, and those that may as well.

        Said are the types that `links` names, and the one that the link is called after (`sg_sequence`). Where neither
        says just one (a Task hangs on an Asset or a Shot), it may be every other type that has a place in the
        hierarchy, but for what stands beside the type or below it.
        """
        parent = self.parent_field(entity_type)
        if parent is None:
            return [], []
        named = list(self._links_of(entity_type).get(parent, ()))
        if parent == "project":
            return named or ["Project"], []
        called = parent.removeprefix("sg_").replace("_", "").lower()
        said = list(dict.fromkeys([*named, *(kind for kind in self.parents if kind.lower() == called)]))
        if len(named) == 1 or len(said) > len(named):
            return (named if len(named) == 1 else said), []
        others = [kind for kind in self.parents if kind not in said and not self._hangs_on(kind, entity_type)]
        return said, others

    def _hangs_on(self, candidate: str, entity_type: str) -> bool:
        """True for a type that is `entity_type`, or hangs on it, or on others by the same link as it."""
        waiting, seen = [candidate], set()
        while waiting:
            kind = waiting.pop()
            parent = self.parent_field(kind)
            if kind == entity_type or parent == self.parent_field(entity_type):
                return True
            if kind not in seen:
                seen.add(kind)
                waiting.extend(self._links_of(kind).get(parent or "", ()))
        return False
