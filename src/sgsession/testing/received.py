"""What reached a FaultSite: one record for each request, and the tokens by which executions are counted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["Received", "Tokens", "form_fields", "method_of", "written_tokens"]

Tokens = Callable[[str, Any], Iterable[str]]
"""What a request is counted under, given its method and its arguments as they came over the wire."""

# The fields that a row is known by, in the order in which they are asked.
_NAMES = ("code", "name", "content", "subject", "title", "login")

_METHOD_NAME = re.compile(rb'"method_name"\s*:\s*"(\w+)"')
_FIELD = re.compile(rb'name="([^"]*)"(?:; filename="([^"]*)")?[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]*)')


@dataclass(slots=True)
class Received:
    """One request as it reached the site. It holds no credentials.

    `method` is the remote method, the last part of an upload's path ("upload_file"), or else the HTTP verb
    ("PUT"). `connection` counts from 1. `at` is a moment of `time.monotonic()`. `faults` are what the site did
    to it, as pairs of point and action.
    """

    number: int
    connection: int
    verb: str
    path: str
    method: str
    at: float
    executed: bool = False
    tokens: tuple[str, ...] = ()
    faults: list[tuple[str, Any]] = field(default_factory=list)


def method_of(verb: str, path: str, begin: bytes) -> str | None:
    """The method of a request, given the begin of its body; None where that does not say it yet."""
    if verb != "POST":
        return verb
    if not path.endswith("/api3/json"):
        return path.rpartition("/")[2] or verb
    found = _METHOD_NAME.search(begin)
    return None if found is None else found[1].decode("ascii")


def written_tokens(method: str, arguments: Any) -> Iterator[str]:
    """What a write is counted under: the name that it gives to a row, or else the row, as in "Shot:12".

    The name is the `code`, `name`, `content`, `subject`, `title` or `login` that is written, or the name of an
    uploaded file. A batch has the tokens of all its requests; reads have none.
    """
    if method == "batch" and isinstance(arguments, list):
        for request in arguments:
            if isinstance(request, Mapping):
                yield from written_tokens(str(request.get("request_type")), request)
    elif isinstance(arguments, Mapping) and method in ("create", "update", "delete", "revive"):
        fields = arguments.get("fields")
        yield (
            _name(fields if isinstance(fields, list) else []) or f"{arguments['type']}:{arguments.get('id')}"
        )
    elif isinstance(arguments, Mapping) and "entity_type" in arguments:
        name = arguments.get("filename")
        yield name or f"{arguments['entity_type']}:{arguments.get('entity_id')}"


def form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form, but for credentials, and the name of its file as `filename`."""
    if content_type.startswith("multipart/form-data"):
        fields: dict[str, str] = {}
        for name, filename, value in _FIELD.findall(body):
            fields[_text(name)] = _text(value) if not filename else ""
            if filename:
                fields["filename"] = _text(filename)
    else:
        fields = dict(parse_qsl(_text(body), keep_blank_values=True))
    return {name: value for name, value in fields.items() if name not in _CREDENTIALS}


_CREDENTIALS = frozenset(
    {"script_name", "script_key", "user_login", "user_password", "session_token", "auth_token"}
)


def _name(fields: list[Any]) -> str | None:
    values = {
        each["field_name"]: each.get("value")
        for each in fields
        if isinstance(each, Mapping) and isinstance(each.get("field_name"), str)
    }
    return next((values[name] for name in _NAMES if isinstance(values.get(name), str)), None)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
