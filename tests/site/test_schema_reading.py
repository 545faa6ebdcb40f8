"""The schema as clients read it."""

from __future__ import annotations

import json

import pytest

from sgsession.site.faults import SiteFault


def test_the_entity_list(direct):
    """Every type is listed with its display name, connection types too, custom ones only when enabled."""
    types = direct.call("schema_entity_read", {})
    assert types["HumanUser"] == {
        "name": {"value": "Person", "editable": False}, "visible": {"value": True, "editable": False}
    }  # fmt: skip
    assert "PlaylistVersionConnection" in types
    assert "CustomEntity01" not in types


def test_a_status_field(direct):
    """A status field shows its codes, their names and its default."""
    (field,) = direct.call("schema_field_read", {"type": "Shot", "field_name": "sg_status_list"}).values()
    assert field["name"] == {"value": "Status", "editable": True}
    assert field["data_type"] == {"value": "status_list", "editable": False}
    assert field["visible"] == {"value": True, "editable": False}
    properties = field["properties"]
    assert properties["default_value"] == {"value": "wtg", "editable": True}
    assert properties["valid_values"]["value"] == ["wtg", "rdy", "ip", "cbb", "fin", "hld", "omt"]
    assert properties["display_values"]["value"]["wtg"] == "Waiting to Start"
    assert properties["hidden_values"] == {"value": [], "editable": False}


def test_links_show_their_valid_types(direct):
    """Entity and multi-entity fields name the types they link to."""
    fields = direct.call("schema_field_read", {"type": "Shot"})
    assert fields["sg_sequence"]["properties"]["valid_types"]["value"] == ["Sequence"]
    assert fields["assets"]["properties"]["valid_types"]["value"] == ["Asset"]
    assert fields["id"]["editable"]["value"] is False
    assert fields["code"]["mandatory"]["value"] is True


def test_an_open_notes_count_shows_its_query(direct):
    """A summary field tells what it counts."""
    fields = direct.call("schema_field_read", {"type": "Task"})
    query = fields["open_notes_count"]["properties"]["query"]["value"]
    assert query["entity_type"] == "Note"
    assert query["filters"]["conditions"][0]["path"] == "tasks"


def test_the_whole_schema_is_the_sum_of_its_types(direct):
    """schema_read gives for each type what schema_field_read gives, as plain JSON."""
    whole = direct.call("schema_read", {"project": {"type": "Project", "id": 0, "name": "any"}})
    assert whole.keys() == direct.call("schema_entity_read", {}).keys()
    assert whole["Version"] == direct.call("schema_field_read", {"type": "Version"})
    assert json.loads(json.dumps(whole)) == whole


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "API schema_field_read() invalid/missing string entity 'type':\n{}"),
        ({"type": "Shoot"}, "API schema_field_read() invalid/missing string entity 'type':\n"),
        ({"type": "Shot", "field_name": "xyz"}, "API schema_field_read() Shot.xyz doesn't exist:\n"),
        ({"type": "Shot", "field_name": 7}, "API schema_field_read() Shot.7 doesn't exist:\n"),
        ({"type": "Shot", "project": 7}, "API schema_field_read() invalid 'project':\n"),
    ],
)
def test_what_does_not_exist(direct, params, message):
    """Unknown types and fields are refused."""
    with pytest.raises(SiteFault) as caught:
        direct.call("schema_field_read", params)
    assert caught.value.message.startswith(message)
