"""Whole sites in and out: dumps written and read, and the schema of a real site taken over."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, TextIO

from ...errors import SessionError
from ..database.store import Store
from ..schema.adopting import adopted
from ..schema.history import history, make_edits
from .dumping import AT_ONCE, write_dump
from .loading import load_lines


class SiteSchemaError(SessionError, ValueError):
    """What should be the `schema_read()` of a site is not."""


def dump_store(store: Store, file: str | Path | IO[str], *, events: bool = True) -> None:
    """Dump one snapshot of a site. A path gets the whole dump or stays as it is."""
    if not isinstance(file, (str, Path)):
        with store.reading() as connection:
            write_dump(connection, store.tables, file, events=events)
        return
    path = Path(file)
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as opened:
            dump_store(store, opened, events=events)
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


def load_store(
    store: Store, file: str | Path | IO[str], progress: Callable[[float], None] | None = None
) -> None:
    """Load a dump in one transaction; `progress` is told which share of the file at a path was read."""
    if isinstance(file, (str, Path)):
        with Path(file).open(encoding="utf-8") as opened:
            _load(store, opened if progress is None else _watched(opened, progress))
    else:
        _load(store, file)


def _load(store: Store, lines: Iterable[str]) -> None:
    with store.writing() as connection:
        store.swap_after_commit(load_lines(connection, store.tables, lines))


def _watched(opened: TextIO, progress: Callable[[float], None]) -> Iterator[str]:
    """The lines of a file, while `progress` is told which share of it was read."""
    size = os.fstat(opened.fileno()).st_size
    for taken, line in enumerate(opened):
        # A pipe has no size. The text itself cannot say where it is while it is read; the bytes below can.
        if size and taken % AT_ONCE == 0:
            progress(min(opened.buffer.tell() / size, 1.0))
        yield line
    progress(1.0)


def read_schema(source: Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    """The `schema_read()` that was given, or that a JSON file holds."""
    if isinstance(source, Mapping):
        # As JSON: the client makes moments of some strings.
        plain: dict[str, Any] = json.loads(json.dumps(source, default=str))
        return plain
    try:
        value = json.loads(Path(source).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as problem:
        raise SiteSchemaError(f"{source} is not JSON: {problem}") from None
    if not isinstance(value, dict):
        raise SiteSchemaError(f"{source} does not hold the schema_read() of a site")
    return value


def take_schema(store: Store, schema: Mapping[str, Any] | None) -> None:
    """Give the site the types and fields of a real one; a warning names what cannot be had."""
    if schema is None:
        return
    with store.writing() as connection:
        _, problems = adopted(store.schema, schema)
        edit = {"edit": "adopt", "schema": schema}
        if edit not in history(connection, store.tables):
            store.swap_after_commit(make_edits(connection, store.tables, [edit]))
    if problems:
        shown = "; ".join(problems[:20]) + ("; ..." if len(problems) > 20 else "")
        # Three up: through the constructor of the site to whoever wants one.
        warnings.warn(f"{len(problems)} things of the schema are left out or differ: {shown}", stacklevel=3)
