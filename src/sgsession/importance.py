"""Which fields always come along, which links are followed, and what stands above what."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple

from .errors import SyntaxProblem, UnknownNameError
from .syntax.braces import expand_braces

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
    # A text is a sequence, too: that of its letters. And an iterator would be used up by the first find.
    if isinstance(value, (str, Iterator)) or not isinstance(value, Iterable):
        raise SyntaxProblem(f"{where} is a list of names; it is {value!r}.")
    for name in value:
        if not isinstance(name, str) or not name:
            raise SyntaxProblem(f"{where} is a list of names; it holds {name!r}.")
    return value


def _by_type(value: Mapping[str, Any], says: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SyntaxProblem(f"{says}; it is {value!r}.")
    return value


# So many types, each at its place in a chain, one read asks for at most. Projects are not counted: they add two fields.
MOST_STEPS = 30


class _Step(NamedTuple):
    """One step up a chain: a type, what its fields' paths begin with, the types on the way to it and itself."""

    kind: str
    prefix: str
    climbed: tuple[str, ...]
    is_guess: bool


def _as_written(entity_type: str, path: str) -> str:
    return path


class Importance(NamedTuple):
    """One session's importance, as its class attributes say it at this moment.

    Attributes:
        path: the site's field path of a type for one in which aliases may stand.
    """

    fields_for_all: Sequence[str]
    fields: Mapping[str, Sequence[str]]
    links: Mapping[str, Mapping[str, Sequence[str]]]
    parents: Mapping[str, str | None]
    path: Callable[[str, str], str] = _as_written

    def own_fields(self, entity_type: str) -> list[str]:
        """The important fields of a type itself, links included, without deep ones.

        Raises:
            SyntaxProblem: the session's class attributes are not what they should be.
        """
        says = "important_fields says for each type which fields come along, {'Shot': ['code']}"
        fields = _by_type(self.fields, says).get(entity_type, ())
        own = _names(fields, f"important_fields[{entity_type!r}]")
        return list(
            dict.fromkeys(
                [
                    *self.own_fields_for_all(entity_type),
                    *self._paths(entity_type, own),
                    *self._links_of(entity_type),
                ]
            )
        )

    def own_fields_for_all(self, entity_type: str) -> list[str]:
        """Of a type, what is important for all. It may lack an alias, as it may lack a field: then that is left out."""
        found = []
        for name in _names(self.fields_for_all, "important_fields_for_all"):
            for path in expand_braces(name):
                with suppress(UnknownNameError):
                    found.append(self.path(entity_type, path))
        return found

    def _paths(self, entity_type: str, written: Iterable[str]) -> Iterator[str]:
        return (self.path(entity_type, path) for name in written for path in expand_braces(name))

    def _links_of(self, entity_type: str) -> Mapping[str, Sequence[str]]:
        says = "important_links says for each type where its links lead, {'Shot': {'project': ['Project']}}"
        links = _by_type(self.links, says).get(entity_type, {})
        if not isinstance(links, Mapping):
            raise SyntaxProblem(
                f"important_links[{entity_type!r}] says for each link which types it leads to, "
                f"{{'project': ['Project']}}; it is {links!r}."
            )
        _names(list(links), f"important_links[{entity_type!r}]")
        return {
            path: _names(linked_types, f"important_links[{entity_type!r}][{link!r}]")
            for link, linked_types in links.items()
            for path in self._paths(entity_type, [link])
        }

    def core_fields(self, entity_type: str) -> list[str]:
        """The important fields of a type, and those of the entities that its important links hold."""
        core = self.own_fields(entity_type)
        for link, linked_types in self._links_of(entity_type).items():
            for linked_type in linked_types:
                core.extend(f"{link}.{linked_type}.{field}" for field in self.own_fields(linked_type))
        return core

    def parent_field(self, entity_type: str) -> str | None:
        """The link that leads up from a type; `project` for one that nobody has placed; None at the top."""
        says = "parent_fields says for each type which link leads up, {'Shot': 'sg_sequence'}"
        parent = _by_type(self.parents, says).get(
            entity_type, None if entity_type == "Project" else "project"
        )
        if parent is not None and (not isinstance(parent, str) or not parent):
            raise SyntaxProblem(
                f"parent_fields[{entity_type!r}] is the name of one link, or None; it is {parent!r}."
            )
        return None if parent is None else self.path(entity_type, parent)

    def hierarchy_fields(self, entity_type: str) -> list[str]:
        """The core fields of a type and of what stands above it, as deep paths, so that one read has all.

        Chains grow along the types that are said to stand there, and, where nobody says just which, along those that
        may; above such a guess, only along those that are said. The nearest come first, and there is an end to it: all
        these fields come with every row, mostly null. What lies beyond takes another read.
        """
        odd = [kind for kind in self.parents if not isinstance(kind, str)]
        if odd:
            raise SyntaxProblem(
                f"parent_fields says for each type which link leads up; {odd[0]!r} is no type."
            )
        fields: dict[str, None] = {}
        order = count()
        # How far off each step is, and in which order they turned up.
        waiting = [(0, next(order), _Step(entity_type, "", (entity_type,), is_guess=False))]
        left = MOST_STEPS
        while waiting and left:
            distance, _, step = waiting.pop(0)
            left -= step.kind != "Project"
            fields.update((step.prefix + field, None) for field in self.core_fields(step.kind))
            parent = self.parent_field(step.kind)
            if parent is None:
                continue
            # An empty parent link falls back to the project, which then must be known as well.
            fields.update((step.prefix + link, None) for link in (parent, "project"))
            fields.update(
                (f"{step.prefix}project.Project.{field}", None) for field in self.own_fields("Project")
            )
            said, others = self.parent_types(step.kind)
            for kind in (*said, *(() if step.is_guess else others)):
                # A type may be its own ancestor (an Asset in an Asset); each is climbed once, the rest on arrival.
                if kind not in step.climbed:
                    is_guess = step.is_guess or kind not in said
                    next_step = _Step(kind, f"{step.prefix}{parent}.{kind}.", (*step.climbed, kind), is_guess)
                    # A guess at the first link is as good as what is said of the third.
                    is_first_guess = is_guess and not step.is_guess
                    insort(waiting, (distance + (3 if is_first_guess else 1), next(order), next_step))
        return list(fields)

    def parent_types(self, entity_type: str) -> tuple[list[str], list[str]]:
        """The types that are said to stand above a type, and those that may as well.

        Said are those that `links` names. Unless it names just one, the type that the link is called after counts, too
        (`sg_sequence`). Without such a one (a Task hangs on an Asset or a Shot), it may be every other type that has a
        place in the hierarchy, but for what stands beside the type or below it.
        """
        said, is_all = self._said_parents(entity_type)
        if is_all:
            return said, []
        return said, [
            kind for kind in self.parents if kind not in said and not self._hangs_on(kind, entity_type)
        ]

    def _said_parents(self, entity_type: str) -> tuple[list[str], bool]:
        """The types that are said to stand above a type, and whether these are all."""
        parent = self.parent_field(entity_type)
        if parent is None:
            return [], True
        named = list(self._links_of(entity_type).get(parent, ()))
        if parent == "project":
            return named or ["Project"], True
        if len(named) == 1:
            return named, True
        word = parent.removeprefix("sg_").replace("_", "").lower()
        called = [kind for kind in self.parents if kind.lower() == word]
        return list(dict.fromkeys([*named, *called])), bool(called)

    def _hangs_on(self, candidate: str, entity_type: str) -> bool:
        """True for a type that is `entity_type`, or hangs on it, or on others by the same link as it."""
        waiting, seen = [candidate], set()
        while waiting:
            kind = waiting.pop()
            if kind == entity_type or self.parent_field(kind) == self.parent_field(entity_type):
                return True
            if kind not in seen:
                seen.add(kind)
                waiting.extend(self._said_parents(kind)[0])
        return False
