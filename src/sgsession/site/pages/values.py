"""Values as people read them: dates, durations, statuses, links, files.

A page shows what a client would get, so each cell keeps the value as the wire has it in its `title`.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ..call import Call
from ..files.addresses import attachment_of, picture_path
from ..schema.schema_map import Field
from ..schema.standard import STATUSES
from . import addresses

__all__ = ["EMPTY", "Cell", "Cells", "Link", "hue"]

_MINUTES_A_DAY = 8 * 60
_HUES = 8
_COLOR = re.compile(r"([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3})\Z")
_TONES = {
    "done": ("fin", "apr", "cmpt", "clsd", "res", "dlvr", "recd", "cfrm", "act", "Active"),
    "going": ("ip", "opn"),
    "review": ("rev", "tst", "pcf", "vwd"),
    "ready": ("rdy", "Bidding"),
    "warning": ("hld", "cbb", "rsk", "Hold"),
    "bad": ("blk", "late"),
    "off": ("omt", "na", "dis", "Lost"),
}
_TONE_OF = {status: tone for tone, statuses in _TONES.items() for status in statuses}


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says and where it leads."""

    text: str
    href: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value to show: `kind` says which of the other parts matter (templates/parts.html)."""

    kind: str
    text: str = ""
    href: str = ""
    title: str = ""
    tone: str = ""
    links: tuple[Link, ...] = ()


EMPTY = Cell("empty")


class Cells:
    """Makes cells of the values of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        # `image` goes by the Attachment's id: to read its address would end its transient state, and somebody
        # who looks at a page must not change what a client is answered.
        call.image_ids = True
        # Addresses without a host lead to wherever the page came from.
        call.origin = ""

    def of(self, field: Field, value: Any) -> Cell:
        """The value of a field, as `read` answers it."""
        if value is None or value in ("", []):
            return EMPTY
        if isinstance(value, Mapping) and isinstance(value.get("id"), int) and field.data_type != "url":
            return Cell("links", links=(self.link(value),))
        show = _SHOWN.get(field.data_type)
        return _text(value) if show is None else show(self, field, value)

    def link(self, value: Mapping[str, Any]) -> Link:
        """A link to a row."""
        name = value.get("name")
        shown = str(name) if name not in (None, "") else f"#{value['id']}"
        return Link(shown, addresses.detail(value["type"], value["id"]), value["type"])

    def picture(self, value: Any) -> str:
        """Where the thumbnail lies that an `image` field names; empty for none, or one of another site."""
        attachment, files = attachment_of(value), self._call.files
        return "" if attachment is None or files is None else picture_path(files, attachment)

    def _image(self, field: Field, value: Any) -> Cell:
        path = self.picture(value)
        return Cell("image", href=path, text=field.display_name) if path else _text(value)

    def _links(self, field: Field, value: Any) -> Cell:
        if not isinstance(value, list):
            return _text(value)
        links = tuple(self.link(each) for each in value if isinstance(each, Mapping) and "id" in each)
        return Cell("links", links=links) if links else _text(value)

    def _document(self, field: Field, value: Any) -> Cell:
        if not isinstance(value, Mapping):
            return _text(value)
        name = str(value.get("name") or value.get("url") or "file")
        local = [value.get(f"local_path_{system}") for system in ("linux", "mac", "windows")]
        if value.get("link_type") == "local":
            return Cell("code", next((each for each in local if each), name), title=name)
        url = str(value.get("url") or "")
        # Anything else, `javascript:` above all, is told and not linked.
        if url.startswith(("http://", "https://")):
            return Cell("away", name, href=url, title=url)
        return Cell("file", name, href=url) if url.startswith("/files/") else Cell("code", url, title=name)


def hue(entity_type: str, row_id: int) -> int:
    """Which of the style's colours stands for a row without a picture; the same each time."""
    return zlib.crc32(f"{entity_type}:{row_id}".encode()) % _HUES


def _text(value: Any) -> Cell:
    if isinstance(value, (dict, list)):
        return Cell("json", json.dumps(value, indent=2, ensure_ascii=False))
    if isinstance(value, bool):
        return Cell("flag", "Yes" if value else "No", tone="done" if value else "off")
    return Cell("text", str(value))


def _status(cells: Cells, field: Field, value: Any) -> Cell:
    code = str(value)
    name = STATUSES[code][0] if code in STATUSES else code
    return Cell("status", name, title=code, tone=_TONE_OF.get(code, "plain"))


def _list(cells: Cells, field: Field, value: Any) -> Cell:
    # The states of a project are a list of words, and no less telling than the statuses of a shot.
    return _status(cells, field, value) if field.name == "sg_status" else _text(value)


def _date(cells: Cells, field: Field, value: Any) -> Cell:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return _text(value)
    return Cell("time", f"{day.day} {day:%b} {day.year}", title=str(value))


def _moment(cells: Cells, field: Field, value: Any) -> Cell:
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return _text(value)
    return Cell("time", f"{moment.day} {moment:%b} {moment.year}, {moment:%H:%M}", title=str(value))


def _duration(cells: Cells, field: Field, value: Any) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return _text(value)
    days, rest = divmod(value, _MINUTES_A_DAY)
    hours, minutes = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return Cell("number", " ".join(parts) or "0", title=f"{value} minutes")


def _number(cells: Cells, field: Field, value: Any) -> Cell:
    return Cell("number", str(value))


def _percent(cells: Cells, field: Field, value: Any) -> Cell:
    return Cell("number", f"{value} %", title=str(value))


def _color(cells: Cells, field: Field, value: Any) -> Cell:
    match = _COLOR.match(str(value))
    return Cell("color", str(value), tone=f"rgb({match[1]},{match[2]},{match[3]})") if match else _text(value)


def _tags(cells: Cells, field: Field, value: Any) -> Cell:
    return Cell("text", ", ".join(map(str, value))) if isinstance(value, list) else _text(value)


def _type_name(cells: Cells, field: Field, value: Any) -> Cell:
    return Cell("links", links=(Link(str(value), addresses.table(str(value))),))


_SHOWN: Mapping[str, Callable[[Cells, Field, Any], Cell]] = {
    "addressing": Cells._links,
    "color": _color,
    "date": _date,
    "date_time": _moment,
    "duration": _duration,
    "entity_type": _type_name,
    "float": _number,
    "image": Cells._image,
    "list": _list,
    "multi_entity": Cells._links,
    "number": _number,
    "percent": _percent,
    "status_list": _status,
    "summary": _number,
    "tag_list": _tags,
    "timecode": _number,
    "url": Cells._document,
}
