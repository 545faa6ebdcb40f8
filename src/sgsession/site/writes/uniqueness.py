"""The few values that no two living rows may share (wire.md 7.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import and_, or_, select

from ..call import Call
from ..faults import SiteFault
from ..schema.schema_map import ConnectionLinks, EntityType


def check_unique(
    call: Call, entity_type: EntityType, row_id: int, columns: Mapping[str, Any], names: Iterable[str]
) -> None:
    """Refuse a value of a unique field that another living row has; upper and lower case do not differ."""
    table = call.tables.of(entity_type.name)
    for name in names:
        field = entity_type.fields[name]
        text = columns[f"{name}__folded"] if field.unique else None
        if text is None:
            continue
        same = table.c[f"{name}__folded"] == text
        query = select(table.c.id).where(same, table.c.id != row_id, table.c.retired.is_(False)).limit(1)
        if call.connection.execute(query).scalar() is not None:
            raise _taken(call, f"{entity_type.name}.{name}", field.display_name)


def check_pair(call: Call, entity_type: EntityType, columns: Mapping[str, Any]) -> None:
    """Refuse a second connection between the same two rows."""
    if not entity_type.connection:
        return
    table = call.tables.of(entity_type.name)
    ids = [columns[f"{end}__id"] for end in entity_type.ends]
    orders = [ids]
    if any(
        isinstance(each, ConnectionLinks)
        and each.connection == entity_type.name
        and call.schema.is_mirror(each)
        for each in call.schema.relations.values()
    ):
        orders.append(ids[::-1])
    same = or_(
        *(
            and_(
                *(
                    table.c[f"{end}__id"] == row_id
                    for end, row_id in zip(entity_type.ends, order, strict=True)
                )
            )
            for order in orders
        )
    )
    if call.connection.execute(select(table.c.id).where(same, table.c.retired.is_(False)).limit(1)).scalar():
        raise SiteFault(
            # Also the words for a revival: what fails is making the connection (wire.md 6.5).
            f"API {call.method}() CRUD ERROR #6: Create failed for [{entity_type.name}]: "
            "There is already a connection between the entities.",
            104,
        )


def _taken(call: Call, label: str, display_name: str) -> SiteFault:
    rule = f"The value for the {display_name} field is required to be unique. <br>"
    if call.method == "create":
        failed = f"CRUD ERROR #61: Create failed for [{label.partition('.')[0]}]. {rule}"
    else:
        failed = f"CRUD ERROR #51: Update failed for [{label}]. {rule} "
    return SiteFault(f"API {call.method}() {failed}", 104)
