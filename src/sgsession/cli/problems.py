"""What went wrong, as one line that names the thing and what to do, and the exit status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import EntityNotFoundError, SessionError, SiteUnavailable, did_you_mean
from ..syntax.paths import is_deep, split_first_hop
from ..transport.client import Fault

__all__ = ["CommandError", "clear_refusals", "no_such_field", "problem_of"]

_INSTALL = 'pip install "sgsession[cli,site]"'
_EXTRAS = frozenset({"anyio", "greenlet", "rich", "sqlalchemy", "starlette", "typing_extensions", "uvicorn"})
_PREFIX = re.compile(r"API \w+\(\) (CRUD ERROR #[\d.]+: )?")
_UNKNOWN_PATH = re.compile(r"([A-Za-z]\w*)\.([\w.]+) doesn't exist")


class CommandError(Exception):
    """The command cannot be carried out; its text is for the person who typed it."""

    def __init__(self, message: str, status: int = 2) -> None:
        super().__init__(message)
        self.status = status


def problem_of(exception: Exception) -> tuple[str, int]:
    """The line that explains an exception, and the exit status that goes with it."""
    if isinstance(exception, CommandError):
        return _one_line(exception), exception.status
    if isinstance(exception, EntityNotFoundError):
        return _one_line(exception), 1
    if isinstance(exception, SiteUnavailable):
        return f"{_one_line(exception)} Check the address, and that the site is running.", 2
    if isinstance(exception, SessionError):
        return _one_line(exception), 2
    if isinstance(exception, ModuleNotFoundError) and str(exception.name).partition(".")[0] in _EXTRAS:
        return f"this needs {exception.name}, which is not installed: {_INSTALL}", 2
    if isinstance(exception, Fault):
        return f"the site refuses: {_sentence(exception)}", 2
    if isinstance(exception, OSError):
        return f"{_one_line(exception) or type(exception).__name__}.", 2
    return f"{type(exception).__name__}: {_one_line(exception)} (--traceback shows where)", 2


@contextmanager
def clear_refusals(session: Any, entity_type: str) -> Iterator[None]:
    """Make one clear line of a site's refusal to read rows of a type."""
    try:
        yield
    except SessionError:
        raise
    except Fault as fault:
        raise CommandError(_refusal(fault, session, entity_type)) from fault


def no_such_field(session: Any, entity_type: str, path: str) -> CommandError:
    """The refusal of a path that a site left out of its answer; reads the schema of the types on its way."""
    try:
        return CommandError(_where_path_ends(session, entity_type, path))
    except Fault:
        return CommandError(f"{entity_type} has no field {path!r}.")


def _refusal(fault: Any, session: Any, entity_type: str) -> str:
    # By name: the class is the client's, and other clients have one of the same name.
    if type(fault).__name__ == "AuthenticationFault":
        return (
            f"{_address(session)}: {_sentence(fault)} Check SGSESSION_SCRIPT_NAME and SGSESSION_API_KEY, "
            f"or script_name and api_key of the profile."
        )
    try:
        if "invalid/missing string entity 'type'" in str(fault):
            return _no_such_type(session, entity_type)
        unknown = _UNKNOWN_PATH.search(str(fault).partition("\n")[0])
        if unknown:
            return _where_path_ends(session, unknown[1], unknown[2])
    except Fault:
        pass  # the schema cannot be read; the refusal itself is clear enough
    return f"the site refuses: {_sentence(fault)}"


def _no_such_type(session: Any, entity_type: str) -> str:
    types = session.schema_entity_read()
    near = did_you_mean(entity_type, types)
    return f"the site has no type {entity_type!r}.{near or ' It has ' + ', '.join(sorted(types)) + '.'}"


def _where_path_ends(session: Any, entity_type: str, path: str) -> str:
    """Walk a path through the site's schema to the step that cannot be taken."""
    fields = session.schema_field_read(entity_type)
    field, linked_type, rest = split_first_hop(path) if is_deep(path) else (path, "", "")
    if field not in fields:
        near = (
            did_you_mean(field, fields) or f" sgsession get {entity_type} ID --all shows those that it has."
        )
        return f"{entity_type} has no field {field!r}.{near}"
    if not rest:
        return f"the site does not give {entity_type}.{field} here."
    data_type = fields[field]["data_type"]["value"]
    if data_type != "entity":
        return f"{entity_type}.{field} is of type {data_type}; deep fields go through single links only."
    targets = fields[field]["properties"].get("valid_types", {}).get("value") or []
    if linked_type not in targets:
        near = did_you_mean(linked_type, targets) or f" It links to {', '.join(targets)}."
        return f"{entity_type}.{field} does not link to {linked_type!r}.{near}"
    return _where_path_ends(session, linked_type, rest)


def _address(session: Any) -> str:
    return str(getattr(session.shotgun, "base_url", "the site"))


def _sentence(fault: Any) -> str:
    """The first line of a site's refusal, without the name of the call; what follows is a dump in Ruby."""
    first = str(fault).strip().partition("\n")[0]
    return _PREFIX.sub("", first).rstrip(" :.") + "."


def _one_line(exception: BaseException) -> str:
    return " ".join(str(exception).split())
