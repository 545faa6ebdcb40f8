"""The schema map of a fresh site."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from sgsession.site.database.tables import tables_of
from sgsession.site.schema.schema_map import ConnectionLinks, HeldLinks, ReverseLinks, SharedLinks
from sgsession.site.schema.standard import standard_schema

SCHEMA = standard_schema()


def test_every_link_names_types_that_exist():
    """Valid types are types of the map, `any` is spelled out."""
    for entity_type in SCHEMA.types.values():
        for field in entity_type.fields.values():
            assert set(field.valid_types) <= SCHEMA.types.keys(), field
            assert field.entity_type == entity_type.name


def test_relations_join_fields_that_exist():
    """Both ends of every relation are fields, and each end knows the other."""
    assert len(SCHEMA.relations) > 60
    for (owner, name), relation in SCHEMA.relations.items():
        assert SCHEMA.types[owner].fields[name].is_list
        if isinstance(relation, (HeldLinks, ReverseLinks)):
            assert SCHEMA.field(relation.source_type, relation.source_field) is not None
        elif isinstance(relation, SharedLinks):
            assert SCHEMA.types[owner].fields[relation.source_field].data_type == "entity"
        else:
            ends = {relation.owner_end, relation.element_end}
            assert ends == set(SCHEMA.types[relation.connection].ends)
            if relation.other_field:
                assert SCHEMA.other_end(relation.other_type, relation.other_field, owner) == name


@pytest.mark.parametrize(
    ("entity_type", "field", "target", "other"),
    [
        ("Shot", "sg_sequence", "Sequence", "shots"),
        ("Sequence", "shots", "Shot", "sg_sequence"),
        ("Shot", "assets", "Asset", "shots"),
        ("Task", "entity", "Asset", "tasks"),
        ("Version", "entity", "Shot", "sg_versions"),
        ("PublishedFile", "entity", "Sequence", "sg_published_files"),
        ("Note", "note_links", "Shot", "notes"),
        ("Note", "tasks", "Task", "notes"),
        ("Version", "sg_task", "Task", None),
    ],
)
def test_the_other_end_of_a_link(entity_type, field, target, other):
    """The far side of a link is known by name, whichever end is asked."""
    assert SCHEMA.other_end(entity_type, field, target) == other


def test_custom_types_are_absent_until_switched_on():
    """A custom type that is switched on is a type like others, and work can be linked to it."""
    assert SCHEMA.type("CustomEntity01") is None
    schema = standard_schema(("CustomEntity01", "CustomNonProjectEntity02", "CustomThreadedEntity03"))
    assert schema.types["CustomEntity01"].display_name == "Custom Entity 01"
    assert "project" not in schema.types["CustomNonProjectEntity02"].fields
    assert "CustomEntity01" in schema.types["Task"].fields["entity"].valid_types
    assert schema.other_end("Task", "entity", "CustomEntity01") == "tasks"
    with pytest.raises(ValueError, match="CustomEntity1"):
        standard_schema(("CustomEntity1",))


def test_fields_carry_what_the_notation_says():
    """Marks, choices, defaults and display names come out of the notation."""
    status = SCHEMA.types["Shot"].fields["sg_status_list"]
    assert (status.display_name, status.default) == ("Status", "wtg")
    assert status.valid_values == ("wtg", "rdy", "ip", "cbb", "fin", "hld", "omt")
    code = SCHEMA.types["Shot"].fields["code"]
    assert (code.mandatory, code.unique, code.editable, code.display_name) == (True, False, True, "Shot Code")
    created = SCHEMA.types["Shot"].fields["created_at"]
    assert (created.editable, created.create_only) == (False, True)
    assert SCHEMA.types["Project"].fields["name"].unique
    assert SCHEMA.types["HumanUser"].fields["percent_capacity"].default == 100
    assert SCHEMA.types["Shot"].fields["id"].editable is False


@pytest.mark.parametrize(
    ("entity_type", "required"),
    [("Shot", True), ("Task", True), ("Attachment", False), ("Page", False), ("HumanUser", False),
     ("EventLogEntry", False), ("PipelineConfiguration", False), ("Phase", True), ("ProjectUserConnection", False)],
)  # fmt: skip
def test_which_types_need_a_project(entity_type, required):
    """Rows of a project need one, except those that may serve the whole site."""
    assert SCHEMA.types[entity_type].project_required is required


def test_the_tables_fit_postgresql_too():
    """Every table and index has a name and columns that PostgreSQL accepts."""
    for table in tables_of(SCHEMA).metadata.tables.values():
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=postgresql.dialect()))


def test_every_list_is_found_somewhere():
    """Each list of links has a place where its elements are, as its own or as the far end of a relation."""
    tables = tables_of(SCHEMA)
    for entity_type in SCHEMA.types.values():
        for field in entity_type.fields.values():
            if field.is_list:
                links = tables.links(entity_type.name, field.name)
                query = select(links.element_type, links.element_id).where(links.owner_id == 1)
                assert "FROM" in str(query)
                if isinstance(SCHEMA.relation(entity_type.name, field.name), ConnectionLinks):
                    assert links.owner_type is None
    with pytest.raises(KeyError):
        tables.links("Shot", "code")
