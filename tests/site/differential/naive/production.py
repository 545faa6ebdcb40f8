"""The rows of a production and the links between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .model import IDENTITY, LISTS, TYPES, Field

Row = dict[str, Any]
Link = dict[str, Any]


@dataclass
class Production:
    """Rows by type, each a dict with `id`, `retired` and its stored values; and the moment it is asked at."""

    now: datetime
    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in TYPES})

    def row(self, link: Link | None) -> Row | None:
        """The living row of a link: links to retired rows read as none (wire.md 3.3)."""
        if link is None:
            return None
        for row in self.rows.get(link["type"], ()):
            if row["id"] == link["id"]:
                return None if row["retired"] else row
        return None

    def value(self, entity_type: str, row: Row, name: str) -> Any:
        """What a field of a row holds as of now: a scalar, a link or a list of links."""
        kind = TYPES[entity_type][name]
        if kind.data_type == "entity":
            link = row.get(name)
            return link if self.row(link) is not None else None
        if kind.data_type in LISTS:
            return self._linked(entity_type, row, name, kind)
        if kind.data_type == "checkbox":
            return bool(row.get(name))  # never null (trap 30)
        if kind.data_type == "password":
            return "*******"  # always (wire.md 5.1)
        if name == "open_notes_count":
            return len(self.value(entity_type, row, "open_notes"))
        return row.get(name)

    def _linked(self, entity_type: str, row: Row, name: str, kind: Field) -> list[Link]:
        if kind.other_end is None:
            return [link for link in row.get(name) or () if self.row(link) is not None]
        other_type, other_field = kind.other_end
        me = {"type": entity_type, "id": row["id"]}
        return [
            {"type": other_type, "id": other["id"]}
            for other in self.rows[other_type]
            if not other["retired"]
            and (not kind.statuses or other.get("sg_status_list") in kind.statuses)
            and self.refers(other_type, other, other_field, me)
        ]

    def refers(self, entity_type: str, row: Row, name: str, link: Link) -> bool:
        """Whether a field of a row links to another, which may be retired: its own values are readable still."""
        kind = TYPES[entity_type][name]
        if kind.other_end is not None:
            other_type, other_field = kind.other_end
            others = [each for each in self.rows[other_type] if each["id"] == link["id"]]
            me = {"type": entity_type, "id": row["id"]}
            return (
                link["type"] == other_type
                and (not kind.statuses or others[0].get("sg_status_list") in kind.statuses)
                and self.refers(other_type, others[0], other_field, me)
            )
        held = row.get(name) or []
        return any(_same(each, link) for each in ([held] if isinstance(held, dict) else held))

    def name(self, link: Link) -> str:
        """The display name of a row (wire.md 6.3)."""
        row = self.row(link)
        assert row is not None
        if link["type"] == "Note":
            # `<subject> - <content>`; that an empty half is left out is not recorded.
            return " - ".join(part for part in (row.get("subject"), row.get("content")) if part)
        name = row.get(IDENTITY[link["type"]])
        return "-" if name is None else str(name)


def _same(link: Link, other: Link) -> bool:
    return (link["type"], link["id"]) == (other["type"], other["id"])
