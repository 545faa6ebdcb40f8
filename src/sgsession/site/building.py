"""Rows for tests, in words that read like the production they make.

::

    comp = site.project("Demo").sequence("AA").shot("AA_010").task("Comp")
    version = comp.version("AA_010_comp_v001", sg_status_list="rev")
    version.note("Too dark", content="Lift the shadows.")

What has that name already, within the same parent, is given back instead of made a second time; fields that
are named then are written to it. A project is the parent of all that is anywhere in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timezone
from typing import Any

from .faults import SiteFault

# A remote call of the site's own script, without HTTP: method and arguments in, results out.
Ask = Callable[[str, dict[str, Any]], Any]
Link = dict[str, Any]


class Built:
    """A row of the site, made or found."""

    def __init__(self, ask: Ask, entity_type: str, row_id: int, name: str, above: Built | None) -> None:
        self._ask = ask
        self._above = above
        self.type = entity_type
        self.id = row_id
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.type} {self.id} {self.name!r}>"

    @property
    def link(self) -> Link:
        """The row as values name it: `{"type", "id"}`."""
        return {"type": self.type, "id": self.id}

    def sequence(self, code: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """A Sequence of this project."""
        return self._below("Sequence", "code", code, {}, {**(fields or {}), **more})

    def shot(self, code: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """A Shot of this sequence or project."""
        held = {"sg_sequence": self.link} if self.type == "Sequence" else {}
        return self._below("Shot", "code", code, held, {**(fields or {}), **more})

    def asset(self, code: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """An Asset of this project; asked of a shot or a sequence, it is also used there."""
        asset = self._project()._below("Asset", "code", code, {}, {**(fields or {}), **more})
        if self.type in ("Shot", "Sequence"):
            change = {"field_name": "assets", "value": [asset.link], "multi_entity_update_mode": "add"}
            self._ask("update", {"type": self.type, "id": self.id, "fields": [change]})
        return asset

    def task(
        self, content: str, fields: Mapping[str, Any] | None = None, *, step: str | None = None, **more: Any
    ) -> Built:
        """A Task of this row, in the pipeline step of that name (else of its own), made if it is missing."""
        given = {**(fields or {}), **more}
        if self.type == "Project":
            return self._below("Task", "content", content, {}, given)
        if step is not None:
            given["step"] = self._step(step)
        first = {} if "step" in given else {"step": self._step(content)}
        return self._below("Task", "content", content, {"entity": self.link}, given, first)

    def version(self, code: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """A Version of this row; of a task, it belongs to what the task is for."""
        return self._below("Version", "code", code, self._work("sg_task"), {**(fields or {}), **more})

    def published_file(self, code: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """A PublishedFile of this row; of a task or a version, it belongs to what that is for."""
        return self._below("PublishedFile", "code", code, self._work("task"), {**(fields or {}), **more})

    def note(self, subject: str, fields: Mapping[str, Any] | None = None, **more: Any) -> Built:
        """A Note about this row; `content=` is its text."""
        held = {"note_links": [self.link]} if self.type not in ("Task", "Project") else {}
        if self.type == "Task":
            held = {"tasks": [self.link]}
        return self._below("Note", "subject", subject, held, {**(fields or {}), **more})

    def _below(
        self,
        entity_type: str,
        key: str,
        name: str,
        held: Mapping[str, Any],
        fields: Mapping[str, Any],
        first: Mapping[str, Any] | None = None,
    ) -> Built:
        where = {"project": self._project().link, **held}
        return _found_or_made(self._ask, entity_type, {key: name}, where, fields, first, self)

    def _project(self) -> Built:
        row = self
        while row._above is not None:
            row = row._above
        return row

    def _work(self, task_field: str) -> dict[str, Any]:
        """The links of a Version or PublishedFile to this row, and to what it is for."""
        row: Built | None = self
        held: dict[str, Any] = {}
        while row is not None:
            if row.type == "Version":
                held["version"] = row.link
            elif row.type == "Task":
                held[task_field] = row.link
            elif row.type != "Project":
                held["entity"] = row.link
                break
            row = row._above
        return held

    def _step(self, name: str) -> Link:
        where = {"entity_type": self.type}
        first = {"short_name": name[:3].upper()}
        return _found_or_made(self._ask, "Step", {"code": name}, where, {}, first).link


def project(ask: Ask, name: str, fields: Mapping[str, Any]) -> Built:
    """The Project of that name."""
    return _found_or_made(ask, "Project", {"name": name}, {}, fields)


def person(ask: Ask, name: str, fields: Mapping[str, Any]) -> Built:
    """The HumanUser of that name; the login is the name in lower case unless given."""
    login = ".".join(name.lower().split())
    return _found_or_made(ask, "HumanUser", {"name": name}, {}, fields, {"login": login})


def _found_or_made(
    ask: Ask,
    entity_type: str,
    key: Mapping[str, str],
    where: Mapping[str, Any],
    fields: Mapping[str, Any],
    first: Mapping[str, Any] | None = None,
    above: Built | None = None,
) -> Built:
    """The oldest living row of that name and place, or a new one.

    `fields` hold for it from now on; those of `first` are only what a new one begins with.
    """
    ((name_field, name),) = key.items()
    conditions = [
        {"path": path, "relation": "is", "values": [value[0] if isinstance(value, list) else value]}
        for path, value in {**key, **where}.items()
    ]
    filters = {"logical_operator": "and", "conditions": conditions}
    paging = {"entities_per_page": 50, "current_page": 1}
    wanted = {"type": entity_type, "filters": filters, "return_fields": [name_field], "paging": paging}
    # Filters do not tell upper case from lower; names of fixtures do.
    rows = [row for row in ask("read", wanted)["entities"] if row[name_field] == name]
    if not rows:
        written = _written({**key, **where, **(first or {}), **fields})
        row_id = ask("create", {"type": entity_type, "fields": written})["id"]
    else:
        row_id = rows[0]["id"]
        if fields:
            ask("update", {"type": entity_type, "id": row_id, "fields": _written(fields)})
    return Built(ask, entity_type, row_id, name, above)


def _written(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"field_name": name, "value": _plain(value)} for name, value in fields.items()]


def _plain(value: Any) -> Any:
    """A field value as it travels: built rows as links, moments as text."""
    if isinstance(value, Built):
        return value.link
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        moment = value.astimezone(timezone.utc) if value.tzinfo else value
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def asking(answer: Callable[[Any], dict[str, Any]], credentials: Mapping[str, Any]) -> Ask:
    """Remote calls to an engine, without HTTP; what it refuses is raised."""

    def ask(method: str, arguments: dict[str, Any]) -> Any:
        envelope = answer({"method_name": method, "params": [dict(credentials), arguments]})
        if envelope.get("exception"):
            raise SiteFault(envelope["message"], envelope["error_code"])
        return envelope["results"]

    return ask
