"""The tables behind a schema map: one per entity type, one per field of links, and the narrow `record`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Executable,
    FromClause,
    Index,
    LargeBinary,
    MetaData,
    Table,
    false,
    literal_column,
    select,
    text,
    union_all,
)  # fmt: skip

from ..data_types import data_type
from ..schema.schema_map import (
    ConnectionLinks,
    EntityType,
    Field,
    HeldLinks,
    ReverseLinks,
    SchemaMap,
    SharedLinks,
)
from .portable import BYTEWISE_TEXT, WholeNumber

Statement = TypeVar("Statement", bound=Executable)

OPEN_NOTE_STATUSES = ("opn", "ip", "rdy")  # wire.md 6.5

# How many aliases of each table are kept; one statement seldom needs more.
_KEPT_ALIASES = 4

# Links that every row has and nobody searches by: an index would only slow the writes down.
_UNINDEXED_LINKS = frozenset({"created_by", "updated_by", "image_source_entity"})

# Whoever asks for ever new shapes of statements pushes out what was kept.
_MOST_PREPARED = 256

_MOST_PAGE_COLUMNS = 31  # and `retired`


@dataclass(frozen=True, slots=True)
class Links:
    """Where the elements of one multi-entity field are found.

    Each call of `Tables.links` gives a fresh alias, so one statement can use a relation several times.
    """

    table: FromClause
    owner_id: ColumnElement[int]
    owner_type: ColumnElement[str] | None  # None: the table belongs to one owner type
    element_type: ColumnElement[str]
    element_id: ColumnElement[int]


class Tables:
    """The SQLAlchemy tables of one schema map."""

    def __init__(self, schema: SchemaMap) -> None:
        self.schema = schema
        self.metadata = MetaData()
        self.record = Table(
            "record", self.metadata,
            Column("type", BYTEWISE_TEXT, primary_key=True),
            Column("id", WholeNumber, primary_key=True, autoincrement=False),
            Column("name", BYTEWISE_TEXT),
            Column("name__folded", BYTEWISE_TEXT),
            Column("retired", Boolean, nullable=False, default=False),
            Column("project_id", WholeNumber),
            # Names have no end, and PostgreSQL's ordered indexes take none of more than 2,700 bytes.
            Index("record_by_name", "type", "name__folded").ddl_if(dialect="sqlite"),
            Index("record_by_name_alone", "name__folded", postgresql_using="hash").ddl_if(dialect="postgresql"),
            # Every link read looks its targets up here by type and id: without a rowid that is one b-tree descent.
            sqlite_with_rowid=False,
        )  # fmt: skip
        # The last id given to each type. Ids of removed connection rows must not come back (wire.md 7.2).
        self.counter = Table(
            "counter", self.metadata,
            Column("type", BYTEWISE_TEXT, primary_key=True),
            Column("last_id", WholeNumber, nullable=False),
        )  # fmt: skip
        # When each retired row was retired, and the row whose deletion took it along (wire.md 7.4).
        self.retirement = Table(
            "retirement", self.metadata,
            Column("type", BYTEWISE_TEXT, primary_key=True),
            Column("id", WholeNumber, primary_key=True, autoincrement=False),
            Column("retired_at", DateTime, nullable=False),
            Column("cause_type", BYTEWISE_TEXT),
            Column("cause_id", WholeNumber),
            Index("retirement_by_cause", "cause_type", "cause_id"),
        )  # fmt: skip
        self._keep_callers()
        # What was done to the schema, as JSON, in order: a restarted site does it again (schema/history.py).
        self.schema_edit = Table(
            "schema_edit", self.metadata,
            Column("number", WholeNumber, primary_key=True, autoincrement=False),
            Column("edit", BYTEWISE_TEXT, nullable=False),
        )  # fmt: skip
        self._keep_what_is_beside_rows()
        self._aliases: dict[tuple[str, int], FromClause] = {}
        # Statements over these tables that are worth keeping, under any key; they go with the tables.
        self.prepared: dict[Hashable, Any] = {}
        self._of = {each.name: self._entity_table(each) for each in schema.types.values()}
        self._links = {name: self._link_table(name) for name in sorted(set(self._link_names()))}

    def _keep_callers(self) -> None:
        """The tables of who may ask. None is an entity type: no read over the wire can ever reach them."""
        self.script_key = Table(
            "script_key", self.metadata,
            Column("api_user_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("salt", LargeBinary, nullable=False),
            Column("digest", LargeBinary, nullable=False),
        )  # fmt: skip
        self.password = Table(
            "password", self.metadata,
            Column("person_type", BYTEWISE_TEXT, primary_key=True),
            Column("person_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("hashed", BYTEWISE_TEXT, nullable=False),
            Column("one_time_code", BYTEWISE_TEXT),
        )  # fmt: skip
        # `actual` is the script behind a person whom it impersonated when it asked for the session.
        self.session = Table(
            "session", self.metadata,
            Column("digest", LargeBinary, primary_key=True),
            Column("user_type", BYTEWISE_TEXT, nullable=False),
            Column("user_id", WholeNumber, nullable=False),
            Column("actual_type", BYTEWISE_TEXT),
            Column("actual_id", WholeNumber),
            Column("expires_at", DateTime, nullable=False),
        )  # fmt: skip
        # The fields whose value is each caller's own (wire.md 6.7): whose, of which row, which field.
        self.personal = Table(
            "personal", self.metadata,
            Column("user_type", BYTEWISE_TEXT, primary_key=True),
            Column("user_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("entity_type", BYTEWISE_TEXT, primary_key=True),
            Column("entity_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("field", BYTEWISE_TEXT, primary_key=True),
            Column("value", BYTEWISE_TEXT),
            sqlite_with_rowid=False,
        )  # fmt: skip

    def over(self, schema: SchemaMap) -> Tables:
        """These tables under another map of the same types, fields and relations."""
        same = copy(self)
        same.schema = schema
        return same

    def _keep_what_is_beside_rows(self) -> None:
        """What remote calls of their own read and write, and no field shows (wire.md 2.9-2.11)."""
        self.follow = Table(
            "person_follows", self.metadata,
            Column("user_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("type", BYTEWISE_TEXT, primary_key=True),
            Column("id", WholeNumber, primary_key=True, autoincrement=False),
            Index("person_follows_by_row", "type", "id"),
        )  # fmt: skip
        # The days that differ from the work week; `level` is Studio (its owner is 0), Project or HumanUser.
        self.work_day = Table(
            "work_day", self.metadata,
            Column("level", BYTEWISE_TEXT, primary_key=True),
            Column("owner_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("date", BYTEWISE_TEXT, primary_key=True),
            Column("working", Boolean, nullable=False),
            Column("description", BYTEWISE_TEXT),
        )  # fmt: skip
        self.user_subscription = Table(
            "user_subscription", self.metadata,
            Column("user_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("position", WholeNumber, primary_key=True, autoincrement=False),
            Column("name", BYTEWISE_TEXT, nullable=False),
        )  # fmt: skip
        # An update stands once in each stream that shows it; `entity` is the row that it is about.
        self.stream_update = Table(
            "stream_update", self.metadata,
            Column("owner_type", BYTEWISE_TEXT, primary_key=True),
            Column("owner_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("id", WholeNumber, primary_key=True, autoincrement=False),
            Column("event_id", WholeNumber, nullable=False),
            Column("update_type", BYTEWISE_TEXT, nullable=False),
            Column("entity_type", BYTEWISE_TEXT, nullable=False),
            Column("entity_id", WholeNumber, nullable=False),
            sqlite_with_rowid=False,
        )  # fmt: skip

    def prepare(self, key: Hashable, build: Callable[[], Statement]) -> Statement:
        """The statement kept under the key, built if there is none: to build one takes longer than to run it."""
        kept: Statement | None = self.prepared.get(key)
        if kept is None:
            kept = build()
            if len(self.prepared) >= _MOST_PREPARED:
                self.prepared.clear()
            self.prepared[key] = kept
        return kept

    def of(self, entity_type: str) -> Table:
        """The table of the rows of that type."""
        return self._of[entity_type]

    def alias(self, entity_type: str, number: int) -> FromClause:
        """The table under its `number`-th alias. Making one copies all columns, so the first few are kept."""
        kept = self._aliases.get((entity_type, number))
        if kept is not None:
            return kept
        made = self.of(entity_type).alias()
        # Filled before other threads see it.
        made.c.keys()
        return self._aliases.setdefault((entity_type, number), made) if number < _KEPT_ALIASES else made

    def link_table(self, field: Field) -> Table:
        """The table that stores the links of a list which has a store of its own."""
        return self._links[_link_name(field)]

    def links(self, entity_type: str, field: str) -> Links:
        """Where the elements of that list are found, whichever end of a relation it is."""
        relation = self.schema.relation(entity_type, field)
        if isinstance(relation, HeldLinks):
            return self._held(relation)
        if isinstance(relation, ReverseLinks):
            return self._reverse(relation)
        if isinstance(relation, ConnectionLinks):
            return self._connected(relation)
        if isinstance(relation, SharedLinks):
            return self._shared(entity_type, relation)
        found = self.schema.field(entity_type, field)
        if found is None or not found.is_list:
            raise KeyError(f"{entity_type}.{field} is not a list of links")
        own = self.link_table(found).alias()
        return Links(own, own.c.owner_id, own.c.owner_type, own.c.element_type, own.c.element_id)

    def _held(self, relation: HeldLinks) -> Links:
        source = self.of(relation.source_type).alias()
        name = relation.source_field
        element_type = _constant(relation.source_type)
        return Links(source, source.c[f"{name}__id"], source.c[f"{name}__type"], element_type, source.c.id)

    def _reverse(self, relation: ReverseLinks) -> Links:
        source = self.schema.types[relation.source_type].fields[relation.source_field]
        stored = self.link_table(source)
        found = select(stored).where(stored.c.owner_type == relation.source_type)
        if relation.open_only:
            note = self.of(relation.source_type)
            open_rows = note.c.sg_status_list.in_(OPEN_NOTE_STATUSES)
            found = found.join(note, note.c.id == stored.c.owner_id).where(open_rows)
        rows = found.subquery()
        return Links(rows, rows.c.element_id, rows.c.element_type, rows.c.owner_type, rows.c.owner_id)

    def _connected(self, relation: ConnectionLinks) -> Links:
        connection = self.of(relation.connection)
        near, far = connection.c[f"{relation.owner_end}__id"], connection.c[f"{relation.element_end}__id"]
        found = select(near.label("owner_id"), far.label("element_id")).where(connection.c.retired == false())
        rows = found.subquery()
        if self.schema.is_mirror(relation):
            # One row for each pair, seen from both: whichever end it was written at.
            back = select(far.label("owner_id"), near.label("element_id")).where(
                connection.c.retired == false(), near != far
            )
            rows = union_all(found, back).subquery()
        return Links(rows, rows.c.owner_id, None, _constant(relation.other_type), rows.c.element_id)

    def _shared(self, entity_type: str, relation: SharedLinks) -> Links:
        one, other = self.of(entity_type).alias(), self.of(entity_type).alias()
        same = [one.c[f"{relation.source_field}__{part}"] for part in ("type", "id")]
        rows = (
            # The sum keeps SQLite from starting at the elements: it would look at every row of the type for them.
            select(one.c.id.label("owner_id"), (other.c.id + 0).label("element_id"))
            .where(*(each == other.c[each.name] for each in same), one.c.id != other.c.id)
            .subquery()
        )
        return Links(rows, rows.c.owner_id, None, _constant(entity_type), rows.c.element_id)

    def _entity_table(self, entity_type: EntityType) -> Table:
        columns: list[Column[Any]] = [Column("id", WholeNumber, primary_key=True, autoincrement=False)]
        columns.append(Column("retired", Boolean, nullable=False, default=False))
        indexes: list[Index] = []
        for field in entity_type.fields.values():
            if not field.is_stored:
                continue
            own = data_type(field.data_type).columns(field.name)
            for column in own:
                # Which columns deserve an index is known here, where the whole type is in sight.
                column.index = False
            columns.extend(own)
            indexes.extend(_indexes(entity_type, field))
        indexes.append(_page_index(entity_type))
        return Table(entity_type.name, self.metadata, *columns, *indexes)

    def _link_names(self) -> Iterator[str]:
        for entity_type in self.schema.types.values():
            for field in entity_type.fields.values():
                if field.is_list and self.schema.relation(entity_type.name, field.name) is None:
                    yield _link_name(field)

    def _link_table(self, name: str) -> Table:
        # Fields of one name share a table (25 types have `tags`): a site of 60 types then needs 20, not 90.
        return Table(
            f"link_{name}", self.metadata,
            Column("owner_type", BYTEWISE_TEXT, primary_key=True),
            Column("owner_id", WholeNumber, primary_key=True, autoincrement=False),
            Column("element_type", BYTEWISE_TEXT, primary_key=True),
            Column("element_id", WholeNumber, primary_key=True, autoincrement=False),
            Index(_fitting(f"link_{name}_by_element"), "element_id", "element_type"),
            sqlite_with_rowid=False,
        )  # fmt: skip


@lru_cache(maxsize=16)
def tables_of(schema: SchemaMap) -> Tables:
    """The tables of a schema map, built once per process."""
    return Tables(schema)


def _indexes(entity_type: EntityType, field: Field) -> Iterator[Index]:
    name = _fitting(f"{entity_type.name}_by_{field.name}")
    if field.data_type == "entity" and field.name not in _UNINDEXED_LINKS:
        # The type second: it rarely tells rows apart, and equal keys then lie in id order, as pages want them.
        yield Index(name, f"{field.name}__id", f"{field.name}__type")
    elif field.data_type == "status_list" or (
        field.data_type == "text" and (field.unique or field.name in (entity_type.identity, "event_type"))
    ):
        # Names and statuses are what filters look for; other text is scanned: each index makes every write dearer.
        endless = field.data_type == "text"
        yield Index(name, f"{field.name}__folded", postgresql_using="hash" if endless else "btree")


def _page_index(entity_type: EntityType) -> Index:
    """The living rows in the order of pages, and what they link: a narrow copy of the table.

    To find where a late page begins takes a walk through all rows before it. That is three times as fast here
    as in the table, with a deep filter as well, which looks at nothing of these rows but their links.
    """
    linked: list[str] = []
    for field in entity_type.fields.values():
        if field.is_stored and field.data_type == "entity" and field.name not in _UNINDEXED_LINKS:
            linked.extend((f"{field.name}__type", f"{field.name}__id"))
    # PostgreSQL takes 32 columns. SQLite looks into the table for `retired`, all alike here, unless it is one.
    indexed = ["id", *linked[: _MOST_PAGE_COLUMNS - 1], "retired"]
    living = text("retired = false")
    return Index(
        f"{entity_type.name}_in_pages", *indexed, sqlite_where=text("retired = 0"), postgresql_where=living
    )


def _fitting(name: str) -> str:
    """The name of an index as PostgreSQL takes it: of at most 63 characters."""
    return name if len(name) <= 63 else f"{name[:50]}_{zlib.crc32(name.encode()):08x}"


def _link_name(field: Field) -> str:
    # `tag_list` is the older name of `tags`: the same links, read as names (wire.md 6.1).
    return "tags" if field.data_type == "tag_list" else field.name


def _constant(name: str) -> ColumnElement[str]:
    # Type names come from the schema map and are plain words, so the SQL may spell them out: a literal lets the
    # database fold comparisons with it away.
    return literal_column(f"'{name}'", BYTEWISE_TEXT)
