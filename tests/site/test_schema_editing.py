"""Fields that are made, changed, deleted and brought back while the site runs."""

from __future__ import annotations

import threading

import pytest
import shotgun_api3

from sgsession.site import LocalSite
from sgsession.site.database.store import Store
from sgsession.site.faults import SiteFault
from sgsession.site.methods.schema_editing import CREATABLE
from sgsession.site.schema.standard import standard_schema

from .direct_calls import Direct

EXAMPLES = {
    "checkbox": True,
    "currency": 12.5,
    "date": "2024-05-01",
    "date_time": "2024-05-01T10:00:00Z",
    "duration": 480,
    "float": 0.5,
    "footage": "3-07",
    "list": "red",
    "number": 7,
    "percent": 50,
    "status_list": "ip",
    "text": "words",
    "timecode": 1000,
}


def create(direct, entity_type, data_type, name, **properties):
    given = [{"property_name": "name", "value": name}]
    given += [{"property_name": each, "value": value} for each, value in properties.items()]
    return direct.call(
        "schema_field_create", {"type": entity_type, "data_type": data_type, "properties": given}
    )


def change(direct, field, project=None, **properties):
    entity_type, name = field.split(".")
    given = [{"property_name": each, "value": value} for each, value in properties.items()]
    params = {"type": entity_type, "field_name": name, "properties": given}
    return direct.call("schema_field_update", {**params, "project": project} if project else params)


def remove(direct, field):
    entity_type, name = field.split(".")
    return direct.call("schema_field_delete", {"type": entity_type, "field_name": name})


def revive(direct, field):
    entity_type, name = field.split(".")
    return direct.call("schema_field_revive", {"type": entity_type, "field_name": name})


def shown(direct, field, project=None):
    entity_type, name = field.split(".")
    params = {"type": entity_type, "field_name": name, "project": project}
    return direct.call("schema_field_read", params)[name]


def refusal(action, *args, **kwargs):
    with pytest.raises(SiteFault) as caught:
        action(*args, **kwargs)
    return caught.value.message


def found(direct, entity_type, *condition):
    path, relation, *values = condition
    filters = {
        "logical_operator": "and", "conditions": [{"path": path, "relation": relation, "values": values}]
    }  # fmt: skip
    params = {"type": entity_type, "filters": filters, "return_fields": ["id"], "return_only": "active"}
    params["paging"] = {"entities_per_page": 500, "current_page": 1}
    return [row["id"] for row in direct.call("read", params)["entities"]]


def test_a_field_works_at_once_for_the_official_client(site: LocalSite, shotgun: shotgun_api3.Shotgun):
    """A field that the client makes is written, read, filtered, sorted and summarised by the next calls."""
    project = shotgun.create("Project", {"name": "demo"})
    old = shotgun.create("Shot", {"code": "old", "project": project})
    name = shotgun.schema_field_create("Shot", "number", "Take Count", {"description": "takes"})
    assert name == "sg_take_count"
    new = shotgun.create("Shot", {"code": "new", "project": project, name: 5})
    assert new[name] == 5
    shotgun.update("Shot", old["id"], {name: 3})
    order = [{"field_name": name, "direction": "desc"}]
    rows = shotgun.find("Shot", [[name, "greater_than", 1]], [name], order=order)
    assert [(row["id"], row[name]) for row in rows] == [(new["id"], 5), (old["id"], 3)]
    summed = shotgun.summarize("Shot", [], [{"field": name, "type": "sum"}])
    assert summed["summaries"] == {name: 8}
    schema = shotgun.schema_field_read("Shot", name)[name]
    assert schema["description"]["value"] == "takes"
    assert schema["visible"] == {"value": True, "editable": True}
    assert shotgun.schema_field_update("Shot", name, {"name": "Takes"}) is True
    assert shotgun.schema_field_read("Shot", name)[name]["name"]["value"] == "Takes"
    assert shotgun.schema_field_delete("Shot", name) is True
    with pytest.raises(shotgun_api3.Fault, match=r"Shot\.sg_take_count doesn't exist"):
        shotgun.schema_field_delete("Shot", name)
    with pytest.raises(shotgun_api3.Fault, match=r"Shot\.sg_take_count doesn't exist"):
        shotgun.find("Shot", [[name, "is", 3]])
    assert shotgun._call_rpc("schema_field_revive", {"type": "Shot", "field_name": name}) is True
    assert shotgun.find_one("Shot", [[name, "is", 3]], [name])[name] == 3


@pytest.mark.parametrize("data_type", sorted(EXAMPLES))
def test_every_scalar_type_can_be_made(direct, data_type):
    """A new field of each type is null (a checkbox: its default) on old rows and keeps what is written."""
    direct.create("Status", code="ip", name="In Progress")
    old = direct.make("Shot")
    extra = {"checkbox": {"default_value": False}, "list": {"valid_values": ["red", "blue"]}}
    name = create(direct, "Shot", data_type, "My Field", **extra.get(data_type, {}))
    assert direct.value(old, name) is (False if data_type == "checkbox" else None)
    value = EXAMPLES[data_type]
    new = direct.make("Shot", **{name: value})
    assert direct.value(new, name) == value
    assert found(direct, "Shot", name, "is", value) == [new["id"]]


def test_a_document_can_be_made(direct):
    """A url field keeps a link to a page."""
    create(direct, "Shot", "url", "Page")
    shot = direct.make("Shot", sg_page={"url": "http://x.test", "name": "x"})
    assert direct.value(shot, "sg_page")["url"] == "http://x.test"


def test_the_examples_are_all_creatable_types():
    """No type that can be made is left out of these tests."""
    assert {*EXAMPLES, "url", "entity", "multi_entity"} == set(CREATABLE)


@pytest.mark.parametrize(
    ("display_name", "name"),
    [("My Field", "sg_my_field"), ("Größe (cm)", "sg_gr__e__cm_"), ("A1-b", "sg_a1_b"), ("  x ", "sg_x")],
)
def test_names(direct, display_name, name):
    """sg_ and the display name in lower case, an underscore for all that is no letter or digit."""
    assert create(direct, "Shot", "text", display_name) == name


def test_names_that_clash(direct):
    """A live field of the name, a stock one too, gives the new one a number; a deleted one refuses it."""
    assert create(direct, "Shot", "text", "Look") == "sg_look"
    assert create(direct, "Shot", "text", "Look") == "sg_look_1"
    assert create(direct, "Shot", "number", "LOOK") == "sg_look_2"
    assert create(direct, "Shot", "text", "Cut In") == "sg_cut_in_1"
    assert create(direct, "Asset", "text", "Look") == "sg_look"
    remove(direct, "Shot.sg_look")
    assert refusal(create, direct, "Shot", "text", "Look") == (
        "API schema_field_create() failed, there is a retired field with the same field_name: sg_look. "
        "Delete the retired field forever from the Trash Page in Shotgun and try again."
    )


def test_names_never_share_a_column(direct):
    """Fields whose names look like another field's second column get columns of their own."""
    first = create(direct, "Shot", "text", "x")
    second = create(direct, "Shot", "text", "x  folded")
    third = create(direct, "Shot", "text", "y  folded")
    fourth = create(direct, "Shot", "text", "y")
    values = {first: "A", second: "B", third: "C", fourth: "D"}
    shot = direct.make("Shot", **values)
    assert {name: direct.value(shot, name) for name in values} == values


@pytest.mark.parametrize(
    "data_type", ["color", "image", "calculated", "summary", "uuid", "password", None, 7, "x"]
)
def test_types_that_cannot_be_made(direct, data_type):
    """Types that only a site itself makes are refused."""
    message = refusal(create, direct, "Shot", data_type, "My Field")
    assert message.startswith(
        "API schema_field_create() invalid/missing string 'data_type'. Valid data types: ["
    )


@pytest.mark.parametrize(
    ("data_type", "properties", "words"),
    [
        ("entity", {}, "missing 'valid_types' property"),
        ("entity", {"valid_types": []}, "'valid_types' value expected Array with one element"),
        ("multi_entity", {"valid_types": ["Shot", "Asset"]}, "'valid_types' value expected Array with one element"),
        ("entity", {"valid_types": ["Shoot"]}, "'valid_types' value names no entity type: \"Shoot\""),
        ("checkbox", {}, "missing 'default_value' property"),
        ("checkbox", {"default_value": "yes"}, "'default_value' value expected true or false"),
        ("number", {"default_value": "x"}, "'default_value' value is not legal for data type number: \"x\""),
        ("list", {"valid_values": ["a"], "default_value": "b"}, "'default_value' value is not legal for data type"),
        ("list", {"valid_values": ["a", "a"]}, "'valid_values' value expected Array without repetitions"),
        ("list", {"valid_values": "a"}, "'valid_values' value expected Array of String"),
        ("text", {"valid_values": ["a"]}, "'valid_values' value is not known to data type text"),
        ("text", {"summary_default": "most"}, "'summary_default' value expected one of ["),
        ("text", {"description": 7}, "'description' value expected String"),
        ("text", {"visible": True}, "invalid property 'visible': {"),
    ],
)  # fmt: skip
def test_properties_that_are_refused(direct, data_type, properties, words):
    """Properties that make no sense are refused by name, and no field is made."""
    before = set(direct.store.schema.types["Shot"].fields)
    assert refusal(create, direct, "Shot", data_type, "My Field", **properties).startswith(
        f"API schema_field_create() {words}"
    )
    assert set(direct.store.schema.types["Shot"].fields) == before


@pytest.mark.parametrize("name", ["", "   ", None, 7, "x" * 256, "x" * 60, "a\x00b"])
def test_display_names_that_are_refused(direct, name):
    """A display name is a text of reasonable length."""
    assert refusal(create, direct, "Shot", "text", name).startswith("API schema_field_create() 'name' value ")


@pytest.mark.parametrize(
    "params", [{}, {"type": "Shot", "data_type": "text"}, {"type": "Shoot"}, {"type": 7}]
)
def test_requests_that_are_malformed(direct, params):
    """What lacks a type or properties is refused."""
    for method in (
        "schema_field_create",
        "schema_field_update",
        "schema_field_delete",
        "schema_field_revive",
    ):
        assert f"API {method}() " in refusal(direct.call, method, params)


def test_defaults_hold_for_new_rows(direct):
    """A default is given to rows made later; a checkbox gives it to all rows, for it is never empty."""
    old = direct.make("Shot")
    create(direct, "Shot", "checkbox", "Ready", default_value=True)
    create(direct, "Shot", "list", "Mood", valid_values=["dark", "light"], default_value="dark")
    new = direct.make("Shot")
    assert [direct.value(each, "sg_ready") for each in (old, new)] == [True, True]
    assert [direct.value(each, "sg_mood") for each in (old, new)] == [None, "dark"]
    change(direct, "Shot.sg_mood", valid_values=["light"])
    assert direct.value(direct.make("Shot"), "sg_mood") is None


def test_an_entity_field_gets_its_other_end(direct):
    """The type that is linked shows the rows that link it, in a field named by rule, and either end writes."""
    name = create(direct, "Version", "entity", "Client Shot", valid_types=["Shot"])
    reverse = shown(direct, "Shot.sg_versions_1")
    assert reverse["name"]["value"] == "Version <-> Client Shot"
    assert reverse["data_type"]["value"] == "multi_entity"
    assert reverse["properties"]["valid_types"]["value"] == ["Version"]
    shot, version = direct.make("Shot", code="AA"), direct.make("Version", code="v1")
    direct.update(version, **{name: shot})
    assert direct.names(shot, "sg_versions_1") == ["v1"]
    direct.update(shot, sg_versions_1=[])
    assert direct.value(version, name) is None
    events = direct.events_of(lambda: direct.update(version, **{name: shot}))
    assert [each["attribute_name"] for each in events] == [name, "sg_versions_1"]
    assert found(direct, "Shot", "sg_versions_1.Version.code", "is", "v1") == [shot["id"]]


def test_a_list_gets_its_other_end_and_a_connection_type(direct):
    """A custom list is rows of a connection type, seen from both ends and found like any rows."""
    name = create(direct, "Version", "multi_entity", "Shot Link", valid_types=["Shot"])
    reverse = "version_sg_shot_link_versions"
    assert shown(direct, f"Shot.{reverse}")["name"]["value"] == "Versions <-> Shot Link"
    connection = direct.call("schema_field_read", {"type": "Version_sg_shot_link_Connection"})
    assert set(connection) == {"id", "cached_display_name", "version", "shot"}
    shot, version = direct.make("Shot", code="AA"), direct.make("Version", code="v1")
    direct.update(version, **{name: [shot]})
    assert direct.names(shot, reverse) == ["v1"]
    (row,) = direct.find("Version_sg_shot_link_Connection", "version", "shot")
    assert (row["version"]["id"], row["shot"]["id"]) == (version["id"], shot["id"])
    direct.update(shot, **{reverse: []})
    assert direct.value(version, name) == []
    with pytest.raises(SiteFault, match="Shot expected, got Version"):
        direct.update(version, **{name: [version]})


def test_a_list_of_its_own_type(direct):
    """Rows of one type may be linked with each other; the two ends tell them apart."""
    name = create(direct, "Shot", "multi_entity", "Like", valid_types=["Shot"])
    first, second = direct.make("Shot", code="A"), direct.make("Shot", code="B")
    direct.update(first, **{name: [second]})
    assert direct.names(first, name) == ["B"]
    assert direct.value(second, name) == []
    assert direct.names(second, "shot_sg_like_shots") == ["A"]
    people = create(direct, "Shot", "multi_entity", "Artists", valid_types=["HumanUser"])
    assert "human_user" in direct.store.schema.types[f"Shot_{people}_Connection"].fields


@pytest.mark.parametrize("data_type", ["entity", "multi_entity"])
def test_a_deleted_link_field_takes_its_other_end_along(direct, data_type):
    """Both ends and the connection type go, their names stay taken, and all come back with their links."""
    name = create(direct, "Version", data_type, "Extra", valid_types=["Shot"])
    reverse = "sg_versions_1" if data_type == "entity" else "version_sg_extra_versions"
    shot, version = direct.make("Shot"), direct.make("Version", code="v1")
    direct.update(version, **{name: shot if data_type == "entity" else [shot]})
    remove(direct, f"Version.{name}")
    assert "doesn't exist" in refusal(shown, direct, f"Shot.{reverse}")
    assert f"Version_{name}_Connection" not in direct.call("schema_entity_read", {})
    assert direct.find("Shot", reverse, "code")[0].keys() == {"type", "id", "code"}
    direct.update(version, code="v2")
    assert revive(direct, f"Version.{name}") is True
    assert direct.names(shot, reverse) == ["v2"]


def test_a_deleted_other_end_goes_alone(direct):
    """Deleting the field that only shows links leaves the links where they are."""
    name = create(direct, "Version", "entity", "Extra", valid_types=["Shot"])
    shot, version = direct.make("Shot"), direct.make("Version")
    remove(direct, "Shot.sg_versions_1")
    assert direct.events_of(lambda: direct.update(version, **{name: shot}))[0]["attribute_name"] == name
    assert direct.value(version, name)["id"] == shot["id"]
    assert create(direct, "Version", "entity", "More", valid_types=["Shot"]) == "sg_more"
    assert "sg_versions_2" in direct.store.schema.types["Shot"].fields


def test_deleting_and_reviving(direct):
    """A deleted field is unknown at once; revived, it has its values, and rows made meanwhile have none."""
    create(direct, "Shot", "checkbox", "Ready", default_value=False)
    create(direct, "Shot", "text", "Look")
    old = direct.make("Shot", sg_ready=True, sg_look="grim")
    assert remove(direct, "Shot.sg_look") is True
    assert remove(direct, "Shot.sg_ready") is True
    assert "doesn't exist" in refusal(remove, direct, "Shot.sg_look")
    assert "doesn't exist" in refusal(found, direct, "Shot", "sg_look", "is", "grim")
    assert "sg_look" not in direct.find("Shot", "sg_look")[0]
    assert "doesn't exist" in refusal(direct.update, old, sg_look="new")
    between = direct.make("Shot")
    assert revive(direct, "Shot.sg_look") is True
    assert revive(direct, "Shot.sg_ready") is True
    assert revive(direct, "Shot.sg_look") is False
    assert "doesn't exist" in refusal(revive, direct, "Shot.sg_never")
    assert [direct.value(each, "sg_look") for each in (old, between)] == ["grim", None]
    assert [direct.value(each, "sg_ready") for each in (old, between)] == [True, False]


@pytest.mark.parametrize("field", ["Shot.code", "Shot.sg_sequence", "Shot.id"])
def test_stock_fields_stay(direct, field):
    """Only fields that users made can be deleted."""
    assert f"{field} can not be deleted" in refusal(remove, direct, field)


def test_updates(direct):
    """Each property that may change is read back; a stock field can be renamed too."""
    create(direct, "Shot", "list", "Mood", valid_values=["dark"])
    change(
        direct, "Shot.sg_mood", name="The Mood", description="d", summary_default="count",
        valid_values=["dark", "light"], default_value="light", custom_metadata="m",
    )  # fmt: skip
    field = shown(direct, "Shot.sg_mood")
    values = {name: field[name]["value"] for name in ("name", "description", "custom_metadata")}
    assert values == {"name": "The Mood", "description": "d", "custom_metadata": "m"}
    properties = {name: each["value"] for name, each in field["properties"].items()}
    assert properties == {
        "default_value": "light", "summary_default": "count", "valid_values": ["dark", "light"]
    }  # fmt: skip
    assert direct.value(direct.make("Shot"), "sg_mood") == "light"
    change(direct, "Shot.code", name="Shot Name")
    assert shown(direct, "Shot.code")["name"]["value"] == "Shot Name"


def test_updates_that_are_refused(direct):
    """An unknown property is refused with the names of the known ones; unknown fields are refused."""
    assert refusal(change, direct, "Shot.code", colour="x") == (
        "API schema_field_update() invalid property 'colour': "
        '{"property_name"=>"colour", "value"=>"x"} Valid property names: ["name", "visible", "description", '
        '"summary_default", "default_value", "valid_values", "custom_metadata"]'
    )
    assert "Shot.nope doesn't exist" in refusal(change, direct, "Shot.nope", name="x")


def test_visibility_by_project(direct):
    """A custom field may be hidden in one project, and only there; without a project that is refused."""
    create(direct, "Shot", "text", "Look")
    other = direct.link(direct.create("Project", name="other"))
    assert change(direct, "Shot.sg_look", project=direct.project, visible=False) is True
    assert shown(direct, "Shot.sg_look", direct.project)["visible"] == {"value": False, "editable": True}
    assert shown(direct, "Shot.sg_look", other)["visible"]["value"] is True
    assert shown(direct, "Shot.sg_look")["visible"]["value"] is True
    whole = direct.call("schema_read", {"project": {**direct.project, "name": "demo"}})
    assert whole["Shot"]["sg_look"]["visible"]["value"] is False
    change(direct, "Shot.sg_look", project=direct.project, visible=True)
    assert shown(direct, "Shot.sg_look", direct.project)["visible"]["value"] is True
    assert "'project'" in refusal(change, direct, "Shot.sg_look", visible=False)
    assert "not a custom field" in refusal(change, direct, "Shot.code", project=direct.project, visible=False)
    for project in ({"type": "Project", "id": 99}, {"type": "Project", "id": "4"}, {"type": "Project"}):
        assert "project" in refusal(change, direct, "Shot.sg_look", project=project, visible=False)
    assert "expected true" in refusal(change, direct, "Shot.sg_look", project=other, visible="no")


def test_events(direct):
    """Making, changing, deleting and reviving a field each leave events of its DisplayColumn."""
    made = direct.events_of(lambda: create(direct, "Shot", "text", "Look", description="d"))
    assert [each["event_type"] for each in made] == [
        "Shotgun_DisplayColumn_New", "Shotgun_DisplayColumn_Change", "Shotgun_DisplayColumn_Change"
    ]  # fmt: skip
    assert made[0]["entity"] == {"type": "DisplayColumn", "id": 1, "name": "Look"}
    assert made[0]["meta"] == {"type": "new_entity", "entity_type": "DisplayColumn", "entity_id": 1}
    (changed,) = direct.events_of(lambda: change(direct, "Shot.sg_look", name="New", description="d"))
    assert changed["attribute_name"] == "name"
    assert (changed["meta"]["old_value"], changed["meta"]["new_value"]) == ("Look", "New")
    assert changed["description"] == 'robot 1.0 changed "name" from "Look" to "New" on DisplayColumn New'
    gone = direct.events_of(lambda: remove(direct, "Shot.sg_look"))
    assert gone[-1]["event_type"] == "Shotgun_DisplayColumn_Retirement"
    back = direct.events_of(lambda: revive(direct, "Shot.sg_look"))
    assert back[-1]["event_type"] == "Shotgun_DisplayColumn_Revival"
    assert {each["entity"]["id"] for each in (changed, *back)} == {1}


def test_a_restart_has_the_edits(tmp_path):
    """A site opened on its file again knows every field, deleted one and hidden one, and goes on from there."""
    path = tmp_path / "site.db"
    direct = Direct(path)
    create(direct, "Shot", "text", "Look")
    create(direct, "Version", "multi_entity", "Shot Link", valid_types=["Shot"])
    create(direct, "Shot", "text", "Gone")
    remove(direct, "Shot.sg_gone")
    change(direct, "Shot.sg_look", project=direct.project, name="Looks", visible=False)
    shot = direct.make("Shot", sg_look="grim")
    version = direct.make("Version", sg_shot_link=[shot])
    before = direct.call("schema_read", {"project": direct.project})
    direct.store.close()
    direct.store = Store(path, standard_schema())
    assert direct.call("schema_read", {"project": direct.project}) == before
    assert direct.value(shot, "sg_look") == "grim"
    assert direct.value(version, "sg_shot_link")[0]["id"] == shot["id"]
    assert "retired field" in refusal(create, direct, "Shot", "text", "Gone")
    assert create(direct, "Shot", "text", "Look") == "sg_look_1"
    direct.store.close()


@pytest.mark.sqlite("PostgreSQL lets an edit wait for who reads (test_postgresql.py)")
def test_a_read_under_way_keeps_its_schema(direct):
    """The map that a reader holds is never changed, and its statements go on while fields come and go."""
    shot = direct.make("Shot", code="A")
    tables = direct.store.tables
    with direct.store.reading() as connection:
        table = tables.of("Shot")
        assert connection.execute(table.select()).mappings().one()["code"] == "A"
        create(direct, "Shot", "text", "Look")
        direct.update(shot, sg_look="grim", code="B")
        assert "sg_look" not in tables.schema.types["Shot"].fields
        assert connection.execute(table.select()).mappings().one()["code"] == "A"
    assert direct.store.tables is not tables
    assert direct.value(shot, "sg_look") == "grim"


def test_a_failed_edit_leaves_the_old_schema(direct):
    """An edit whose call fails later is undone, in the map and in the database."""
    tables = direct.store.tables

    def fail():
        with direct.store.writing():
            direct.store.swap_after_commit(tables.over(tables.schema))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert direct.store.tables is tables
    direct.make("Shot")
    assert direct.store.tables is tables


def test_edits_and_calls_at_the_same_time(site: LocalSite):
    """While one client makes fields others read and write without a fault, and every field comes to be."""
    setup = site.connect()
    project = setup.create("Project", {"name": "demo"})
    faults: list[Exception] = []
    done = threading.Event()

    def work():
        client = site.connect()
        try:
            while not done.is_set():
                shot = client.create("Shot", {"code": "x", "project": project})
                client.find("Shot", [["id", "is", shot["id"]]], ["code", "sg_a", "sg_a_3"])
        except Exception as problem:
            faults.append(problem)
        client.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    names = [setup.schema_field_create("Shot", "text", "a") for _ in range(6)]
    done.set()
    for each in workers:
        each.join()
    setup.close()
    assert faults == []
    assert names == ["sg_a", *(f"sg_a_{number}" for number in range(1, 6))]
