"""The schema of a real site, taken over: its own types and fields are here, and behave."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from sgsession.site import LocalSite
from sgsession.site.schema.adopting import adopted
from sgsession.site.schema.standard import standard_schema
from sgsession.site.transfer.whole_sites import SiteSchemaError


def described(data_type, name="A Field", *, custom=True, mandatory=False, **properties):
    """A field as schema_read shows it."""

    def envelope(value, editable=False):
        return {"value": value, "editable": editable}

    return {
        "name": envelope(name, True),
        "description": envelope("", True),
        "entity_type": envelope("x"),
        "data_type": envelope(data_type),
        "editable": envelope(True),
        "mandatory": envelope(mandatory),
        "unique": envelope(False),
        "visible": envelope(True, custom),
        "properties": {key: envelope(value) for key, value in properties.items()},
    }


@pytest.fixture(scope="module")
def real():
    """The schema of a site on which people made fields of many kinds and switched custom types on."""
    with LocalSite(serve=False) as site:
        client = site.connect(in_process=True)
        client.schema_field_create("Shot", "text", "Look")
        client.schema_field_create("Shot", "list", "Mood", {"valid_values": ["a", "b"], "default_value": "b"})
        client.schema_field_create("Version", "entity", "Client Shot", {"valid_types": ["Shot"]})
        client.schema_field_create("Version", "multi_entity", "Shot Link", {"valid_types": ["Shot"]})
        client.schema_field_update("Shot", "code", {"name": "Shot Name"})
        schema = client.schema_read()
    schema["CustomEntity03"] = {
        "code": described("text", mandatory=True, custom=False),
        "sg_size": described("number"),
    }
    schema["Rocket"] = {
        "sg_title": described("text", mandatory=True),
        "project": described("entity", custom=False, valid_types=["Project"]),
        "created_at": described("date_time", custom=False),
        "sg_shots": described("multi_entity", valid_types=["Shot"]),
        "sg_ready": described("checkbox", default_value=True),
    }
    status = schema["Shot"]["sg_status_list"]["properties"]
    status["valid_values"]["value"] = ["wtg", "fin"]
    status["display_values"]["value"] = {"wtg": "Waiting to Start", "fin": "Final"}
    return schema


@pytest.fixture
def copy(real):
    """A site with that schema, and a client of it."""
    with LocalSite(schema=real, serve=False) as site:
        yield site


def test_the_schema_is_read_back(copy, real):
    """What the real site tells of its types and fields, this one tells as well."""
    mine = copy.connect(in_process=True).schema_read()
    for entity_type in real.keys() - {"Rocket", "CustomEntity03"}:
        assert mine[entity_type] == real[entity_type]
    assert mine["Rocket"]["sg_title"]["mandatory"]["value"] is True
    assert mine["CustomEntity03"]["sg_size"]["visible"]["editable"] is True
    # A custom type has what such types always have, and is linked by the tasks on it.
    assert "tasks" in mine["CustomEntity03"]


def test_fields_and_links_work(copy):
    """Custom fields hold values, valid values bind, and both ends of custom links are kept in step."""
    client = copy.connect(in_process=True)
    shot = copy.project("Demo").shot("010", sg_look="grim")
    version = copy.project("Demo").version("v1", sg_client_shot=shot, sg_shot_link=[shot])
    row = client.find_one(
        "Shot", [], ["sg_look", "sg_mood", "sg_versions_1", "version_sg_shot_link_versions"]
    )
    assert (row["sg_look"], row["sg_mood"]) == ("grim", "b")
    assert [each["id"] for each in row["sg_versions_1"]] == [version.id]
    assert [each["id"] for each in row["version_sg_shot_link_versions"]] == [version.id]
    assert len(client.find("Version_sg_shot_link_Connection", [])) == 1
    with pytest.raises(Exception, match="Valid statuses: 'wtg', 'fin'"):
        client.update("Shot", shot.id, {"sg_status_list": "ip"})


def test_types_that_nobody_knows(copy):
    """An unknown type is called by its mandatory field, needs its project, and has defaults and lists."""
    client = copy.connect(in_process=True)
    demo = copy.project("Demo")
    shot = demo.shot("010")
    made = client.create("Rocket", {"sg_title": "Ariane", "project": demo.link, "sg_shots": [shot.link]})
    row = client.find_one(
        "Rocket", [["sg_shots", "is", shot.link]], ["sg_ready", "created_at", "cached_display_name"]
    )
    assert (row["id"], row["sg_ready"], row["cached_display_name"]) == (made["id"], True, "Ariane")
    assert row["created_at"] is not None
    with pytest.raises(Exception, match="missing 'project' attribute"):
        client.create("Rocket", {"sg_title": "V2"})
    sprint = client.create("CustomEntity03", {"code": "one", "project": demo.link, "sg_size": 3})
    task = client.create("Task", {"content": "t", "project": demo.link, "entity": sprint})
    found = client.find_one("CustomEntity03", [], ["tasks"])
    assert [each["id"] for each in found["tasks"]] == [task["id"]]


def test_what_cannot_be_had_is_named():
    """Unknown data types, other data types, and names that cannot be are left out, and the warning says so."""
    read = {
        "Shot": {
            "sg_hologram": described("hologram"),
            "sg_cut_in": described("text"),
            "sg; drop table": described("text"),
            "SG_CUT_OUT": described("number"),
            "sg_x__folded": described("text"),
            "sg_fine": described("text"),
            "sg_strange": None,
        },
        "bad type": {},
        "Oddity": 7,
        "Record": {"code": described("text")},
        "SHOT": {"code": described("text")},
    }
    with pytest.warns(UserWarning, match="10 things of the schema are left out or differ: ") as caught:
        site = LocalSite(schema=read, serve=False)
    assert caught[0].filename == __file__
    words = str(caught[0].message)
    for each in (
        "Shot.sg_hologram (unknown data type hologram)",
        "Shot.sg_cut_in (text there, number here)",
        "Shot.sg; drop table (no usable name)",
        "bad type (no usable entity type)",
    ):
        assert each in words
    fields = site.connect(in_process=True).schema_field_read("Shot")
    assert {"sg_fine", "sg_cut_in"} <= fields.keys()
    assert not {"sg_hologram", "SG_CUT_OUT", "sg_x__folded"} & fields.keys()
    site.close()


def test_known_types_keep_their_ways():
    """Taking over one's own schema changes nothing of relations, identities and required projects."""
    standard = standard_schema()
    with LocalSite(serve=False) as site:
        read = json.loads(json.dumps(site.connect(in_process=True).schema_read()))
    same, problems = adopted(standard, read)
    assert problems == []
    assert dict(same.relations) == dict(standard.relations)
    for name, entity_type in standard.types.items():
        taken = same.types[name]
        # What a total shows by default is spelled out there and implied here.
        fields = {each: replace(field, summary_default="") for each, field in taken.fields.items()}
        assert fields == entity_type.fields, name
        for each in ("identity", "naming", "new_name", "project_required", "connection", "display_name"):
            assert getattr(taken, each) == getattr(entity_type, each)


def test_a_file_and_a_restart(real, tmp_path):
    """The schema may come from a JSON file, and a database remembers it."""
    path, database = tmp_path / "schema.json", tmp_path / "site.db"
    path.write_text(json.dumps(real, default=str))
    with LocalSite(database, schema=path, serve=False) as site:
        first = site.connect(in_process=True).schema_read()
    with LocalSite(database, serve=False) as site:
        assert site.connect(in_process=True).schema_read() == first
    with LocalSite(database, schema=str(path), serve=False) as site:
        client = site.connect(in_process=True)
        assert client.schema_read() == first
        assert client.schema_field_create("Shot", "text", "Look") == "sg_look_1"
        file = io.StringIO()
        site.dump(file)
        assert file.getvalue().count('"edit":"adopt"') == 1
    with LocalSite(serve=False) as copy:
        copy.load(io.StringIO(file.getvalue()))
        assert "sg_look_1" in copy.connect(in_process=True).schema_field_read("Shot")


def test_starting_over_keeps_the_schema(copy):
    """A site that starts over has the schema it was given."""
    copy.project("Demo").shot("010", sg_look="grim")
    copy.start_over()
    client = copy.connect(in_process=True)
    assert client.find("Shot", []) == []
    copy.project("Demo").shot("010", sg_look="new")
    assert client.find_one("Shot", [], ["sg_look"])["sg_look"] == "new"


@pytest.mark.parametrize("text", ["nope", "[]", "7"])
def test_files_that_hold_no_schema(tmp_path, text):
    """A file that is no JSON object is refused with its name."""
    path = tmp_path / "schema.json"
    path.write_text(text)
    with pytest.raises(SiteSchemaError, match=r"schema\.json"):
        LocalSite(schema=path, serve=False)
