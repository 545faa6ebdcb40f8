"""What is known of a site's types and fields, and the names that a studio gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .errors import UnknownNameError, did_you_mean
from .syntax.paths import is_deep, split_first_hop

__all__ = ["Schema"]

# Types on which `name` is a field of its own that is not the display name (wire.md 6.2, 6.3: a
# PublishedFile is shown by its code). Where no schema was given, these are assumed.
_NAME_IS_ANOTHER_FIELD = frozenset({"PublishedFile"})


class Schema:
    """The types and fields of a site, as far as they were given; nothing here asks the site.

    Args:
        fields: what the client's `schema_read()` returns: type → field → properties. Without it nothing
            is checked, since nothing is known.
        type_aliases: own names for types: with `{"Publish": "PublishedFile"}`, `$Publish` may be written.
        field_aliases: own names for fields, by type: with `{"Shot": {"status": "sg_status_list"}}`,
            `$status` may be written in filters, fields, orders and data of Shots.
    """

    def __init__(
        self,
        fields: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        type_aliases: Mapping[str, str] | None = None,
        field_aliases: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._fields = fields or {}
        self._type_aliases = dict(type_aliases or {})
        self._field_aliases = {key: dict(names) for key, names in (field_aliases or {}).items()}

    def __repr__(self) -> str:
        return f"<Schema of {len(self._fields)} types>"

    @property
    def types(self) -> list[str]:
        """The names of all known types, sorted; empty when no schema was given."""
        return sorted(self._fields)

    @property
    def has_aliases(self) -> bool:
        """True when names may be written as aliases."""
        return bool(self._type_aliases or self._field_aliases)

    def fields(self, entity_type: str) -> list[str]:
        """The names of all known fields of a type, sorted; empty for a type that is not known."""
        return sorted(self._fields.get(entity_type, ()))

    def data_type(self, entity_type: str, field: str) -> str | None:
        """The data type of a field (`text`, `entity`, …), or None where it is not known."""
        value = self._property(entity_type, field, "data_type")
        return value if isinstance(value, str) else None

    def link_types(self, entity_type: str, field: str) -> tuple[str, ...]:
        """The types that a link field may hold, as its schema lists them; empty where it is not known."""
        properties = self._fields.get(entity_type, {}).get(field, {}).get("properties", {})
        return tuple(properties.get("valid_types", {}).get("value") or ())

    def display_name_field(self, entity_type: str) -> str:
        """Where the name that comes with a link is kept: `name`, unless that is another field of the type.

        What comes with a link is the target's `cached_display_name` (wire.md 3.3).
        """
        fields = self._fields.get(entity_type)
        if fields is None:
            differs = entity_type in _NAME_IS_ANOTHER_FIELD
        else:
            # The mandatory field is the one that gives the display name (wire.md 6.3).
            differs = "name" in fields and not self._property(entity_type, "name", "mandatory")
        return "cached_display_name" if differs else "name"

    def type_name(self, written: str) -> str:
        """The site's name of a type that may be written as an alias, `$Publish`.

        Raises:
            UnknownNameError: no such alias, or a type that the given schema does not have.
        """
        if not isinstance(written, str):
            raise UnknownNameError(f"A type of entities is named by a text, not by {written!r}.")
        name = written
        if written.startswith("$"):
            if written[1:] not in self._type_aliases:
                known = [f"${alias}" for alias in self._type_aliases]
                raise UnknownNameError(f"No type has the alias {written!r}.{did_you_mean(written, known)}")
            name = self._type_aliases[written[1:]]
        if self._fields and name not in self._fields:
            raise UnknownNameError(f"The site has no type {name!r}.{did_you_mean(name, self._fields)}")
        return name

    def path(self, entity_type: str, written: str) -> str:
        """The site's field path for one whose fields may be written as aliases.

        Raises:
            UnknownNameError: no such alias.
            SyntaxProblem: not a field path.
        """
        if "$" not in written:
            return written
        if is_deep(written):
            link, linked_type, rest = split_first_hop(written)
            linked_type = self.type_name(linked_type)
            return f"{self._field_name(entity_type, link)}.{linked_type}.{self.path(linked_type, rest)}"
        return self._field_name(entity_type, written)

    def check_path(self, entity_type: str, path: str, deep: bool = False) -> None:
        """Refuse a path that the given schema says the site does not have.

        As the last step of a deep path, `name` is the display name, and on every type.

        Raises:
            UnknownNameError: naming the nearest fields.
        """
        if path.startswith("$FROM$"):
            return  # a reverse walk, wire.md 3.2; the site judges it
        field, linked_type, rest = split_first_hop(path) if is_deep(path) else (path, "", "")
        fields = self._fields.get(entity_type)
        always = ("id", "type", "name") if deep else ("id", "type")
        if fields is not None and field not in fields and field not in always:
            raise UnknownNameError(f"{entity_type} has no field {field!r}.{did_you_mean(field, fields)}")
        if rest:
            self.check_path(self.type_name(linked_type), rest, deep=True)

    def check_paths(self, entity_type: str, paths: Iterable[str]) -> None:
        """`check_path` for several paths of one type."""
        if self._fields:
            for path in paths:
                self.check_path(entity_type, path)

    def _field_name(self, entity_type: str, written: str) -> str:
        if not written.startswith("$") or written.startswith("$FROM$"):
            return written
        aliases = self._field_aliases.get(entity_type, {})
        if written[1:] not in aliases:
            known = [f"${alias}" for alias in aliases]
            raise UnknownNameError(
                f"No field of {entity_type} has the alias {written!r}.{did_you_mean(written, known)}"
            )
        return aliases[written[1:]]

    def _property(self, entity_type: str, field: str, name: str) -> Any:
        return self._fields.get(entity_type, {}).get(field, {}).get(name, {}).get("value")
