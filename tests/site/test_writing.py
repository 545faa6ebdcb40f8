"""Create and update: what is stored, what comes back, what is refused and in which words."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault

CALLER = {"type": "ApiUser", "id": 1, "name": "robot 1.0"}


def refusal(action, *args, **kwargs):
    with pytest.raises(SiteFault) as caught:
        action(*args, **kwargs)
    return caught.value


def test_create_answers_with_what_was_written(direct):
    """A created row shows type, id, the written fields as stored, and the known return fields."""
    row = direct.create("Shot", ["sg_status_list", "nonsense"], project=direct.project, code=" sh1 ")
    assert row == {
        "type": "Shot", "id": 1, "code": "sh1", "sg_status_list": "wtg",
        "project": {"type": "Project", "id": 1, "name": "demo"},
    }  # fmt: skip


def test_create_fills_in_who_and_when(direct):
    """Creation and update times and people are those of the call."""
    shot = direct.make("Shot", code="sh1")
    assert direct.value(shot, "created_by") == CALLER
    assert direct.value(shot, "updated_by") == CALLER
    assert direct.value(shot, "created_at") == direct.value(shot, "updated_at") == "2024-05-01T10:00:00Z"


def test_created_at_and_created_by_can_be_given(direct):
    """A create may say who made the row and when; an update may not."""
    ann = direct.link(direct.create("HumanUser", login="ann", name="Ann A"))
    shot = direct.make("Shot", code="a", created_at="2020-01-01T00:00:00Z", created_by=ann)
    assert direct.value(shot, "created_at") == "2020-01-01T00:00:00Z"
    assert direct.value(shot, "created_by")["name"] == "Ann A"
    fault = refusal(direct.update, shot, created_at="2020-01-01T00:00:00Z")
    assert fault.message.startswith("API update() Shot.created_at is editable on create only:\n{")


@pytest.mark.parametrize(
    ("entity_type", "field", "name"),
    [("Shot", "code", "New Shot 1"), ("Asset", "code", "New Asset 1"), ("Task", "content", "New Task 1"),
     ("PublishedFile", "code", "New Published File 1"), ("TimeLog", "description", "New Time Log")],
)  # fmt: skip
def test_a_row_without_a_name_gets_one(direct, entity_type, field, name):
    """The name left out is made of the type and the id."""
    assert direct.value(direct.make(entity_type), field) == name


def test_defaults_apply_only_to_absent_keys(direct):
    """An explicit null stays null; booleans are false, a Task looks like its step."""
    shot = direct.make("Shot", sg_status_list=None)
    assert direct.value(shot, "sg_status_list") is None
    task = direct.make("Task")
    assert direct.value(task, "color") == "pipeline_step"
    assert direct.value(task, "pinned") is False
    assert direct.value(task, "sg_status_list") == "wtg"


def test_ids_count_up_by_type(direct):
    """Each type counts its own ids; a refused create burns none."""
    assert [direct.make("Shot")["id"] for _ in range(3)] == [1, 2, 3]
    refusal(direct.make, "Shot", sg_sequence={"type": "Sequence", "id": 99})
    assert direct.make("Shot")["id"] == 4
    assert direct.make("Asset")["id"] == 1


@pytest.mark.parametrize(
    ("entity_type", "values", "message"),
    [
        ("Shot", {"xyz": 1}, 'API create() Shot.xyz doesn\'t exist:\n{"value"=>1, "field_name"=>"xyz"}'),
        ("Shot", {"id": 5}, "API create() Shot.id is read only:\n"),
        ("Shot", {"type": "Shot"}, "API create() Shot.type is read only:\n"),
        ("Task", {"dependency_violation": False}, "API create() Task.dependency_violation is read only:\n"),
        ("Shot", {"code": None}, "API create() CRUD ERROR #6: Create failed for [Shot]: "
                                 "Cannot set identifier field to empty. (Shot)"),
        ("Shot", {"code": 5}, "API create() Shot.code expected [String, NilClass] data type(s) but got Integer: 5"),
        ("Shot", {"sg_status_list": "x"}, "API create() CRUD ERROR #6: Create failed for [Shot]: Invalid field value, "
                                          "update failed [5 - Update failed for [Shot.sg_status_list]: 'x' is not a "
                                          "valid status."),
        ("Shot", {"sg_sequence": {"type": "Sequence", "id": 9}},
         "API create() CRUD ERROR #6: Create failed for [Shot]: Value is not legal."),
        ("Sequence", {"episode": {"type": "Project", "id": 1}},
         "API create() CRUD ERROR #6: Create failed for [Sequence]: Episode expected, got Project"),
        ("Shot", {"head_in": 2**40}, "API create() CRUD ERROR #6: Create failed for [Shot]: PG::Numeric"),
        ("Task", {"color": None}, "API create() Value cannot be nil for Task.color."),
        ("Shot", {"assets": None}, "API create() Shot.assets expected [Array, Hash] data type(s) but got NilClass"),
        ("Shot", {"assets": [{"type": "Asset", "id": 9}]},
         "API create() CRUD ERROR #6: Create failed for [Shot]: Value is not legal."),
        ("Task", {"task_template": {"type": "TaskTemplate", "id": 1}},
         "API create() Invalid Task: a task template may not have a project:\n"),
        ("Shot", {"image": "/a/b.png"}, "API create() Shot.image expected [Hash, "),
    ],
)  # fmt: skip
def test_create_refuses(direct, entity_type, values, message):
    """What a real site refuses is refused in its words, and nothing is written."""
    fault = refusal(direct.make, entity_type, **values)
    assert fault.message.startswith(message)
    assert fault.error_code == (104 if "CRUD" in message else 103)
    assert direct.find(entity_type) == []
    assert not [each for each in direct.events() if each["event_type"].startswith(f"Shotgun_{entity_type}_")]


def test_create_without_a_project_is_refused(direct):
    """A row of a project type needs one; null is none."""
    for values in ({"code": "a"}, {"code": "a", "project": None}):
        fault = refusal(direct.create, "Shot", **values)
        assert fault.message.startswith("API create() missing 'project' attribute:\n{")
    assert refusal(direct.create, "Project").message.endswith(
        "Cannot set identifier field to empty. (Project)"
    )


def test_requests_without_sense_are_refused(direct):
    """Unknown types, missing ids and malformed fields are refused, never a crash."""
    for params in ({}, {"type": "Shoot", "fields": []}, {"type": ["Shot"], "fields": []}):
        fault = refusal(direct.call, "create", params)
        assert fault.message.startswith("API create() invalid/missing string entity 'type':\n{")
    for fields in (None, {}, ["x"], [{}], [{"field_name": "code"}], [{"field_name": 3, "value": 1}]):
        fault = refusal(direct.call, "create", {"type": "Shot", "fields": fields})
        assert fault.message.startswith("API create() invalid/missing ")
    for row_id in (None, "1", True, 1.5):
        fault = refusal(direct.call, "update", {"type": "Shot", "id": row_id, "fields": []})
        assert fault.message.startswith("API update() invalid/missing integer 'id':\n")


def test_update_answers_with_exactly_the_written_fields(direct):
    """An update shows type, id and the written fields with their resulting values."""
    shot = direct.make("Shot", code="a")
    assert direct.update(shot, code=" b ", sg_sequence=None) == {**shot, "code": "b", "sg_sequence": None}
    assert direct.update(shot) == shot


def test_update_moves_updated_at_only_when_something_changed(direct):
    """An update that changes nothing leaves no trace: no new time, no event."""
    shot = direct.make("Shot", code="a", description="x")
    direct.later()
    assert direct.events_of(lambda: direct.update(shot, code="a", description="x ")) == []
    assert direct.value(shot, "updated_at") == "2024-05-01T10:00:00Z"
    direct.update(shot, code="b")
    assert direct.value(shot, "updated_at") == "2024-05-01T10:01:00Z"


@pytest.mark.parametrize("row_id", [9, -1, 0, 2**31, 2**70])
def test_update_of_a_row_that_does_not_exist(direct, row_id):
    """A row that never existed, however large its id, is refused with CRUD ERROR #3."""
    fault = refusal(direct.update, {"type": "Shot", "id": row_id}, code="x")
    assert (
        fault.message == f"API update() CRUD ERROR #3: Entity of type [Shot] with id={row_id} does not exist."
    )
    assert fault.error_code == 104


def test_update_of_a_retired_row_is_refused(direct):
    """A retired row reads as missing to an update."""
    shot = direct.make("Shot", code="a")
    direct.delete(shot)
    assert "CRUD ERROR #3" in refusal(direct.update, shot, code="b").message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"code": ""}, "CRUD ERROR #5: Update failed for [Shot.code]: Cannot set identifier field to empty. (Shot)"),
        ({"sg_status_list": "z"}, "CRUD ERROR #5: Update failed for [Shot.sg_status_list]: 'z' is not a valid status"),
        ({"head_in": 2**31}, "CRUD ERROR #5: Update failed for [Shot.head_in]: Invalid statement."),
        ({"sg_sequence": {"type": "Sequence", "id": 7}},
         "CRUD ERROR #5: Update failed for [Shot.sg_sequence]: Value is not legal."),
        ({"project": {"type": "Shot", "id": 1}},
         "CRUD ERROR #5: Update failed for [Shot.project]: Project expected, got Shot"),
        ({"assets": [{"type": "Shot", "id": 1}]},
         "CRUD ERROR #5: Update failed for [Shot.assets]: Asset expected, got Shot"),
        ({"open_notes": []}, "Shot.open_notes is read only"),
        ({"code": "new", "frame": 2}, "Shot.frame doesn't exist"),
    ],
)  # fmt: skip
def test_update_refuses_all_or_nothing(direct, values, message):
    """One bad field refuses the whole call; the others are not written either."""
    shot = direct.make("Shot", code="a", head_in=5)
    assert refusal(direct.update, shot, **values).message.startswith(f"API update() {message}")
    assert direct.value(shot, "code") == "a"


def test_most_links_take_any_type(direct):
    """Valid types bind only a few fields: a Task may link a Project."""
    task = direct.make("Task", entity=direct.project)
    assert direct.value(task, "entity") == {**direct.project, "name": "demo"}


def test_a_link_to_a_retired_row_cannot_be_written(direct):
    """Retired rows are no targets."""
    sequence = direct.make("Sequence", code="s")
    direct.delete(sequence)
    assert refusal(direct.make, "Shot", sg_sequence=sequence).message.endswith("Value is not legal.")


@pytest.mark.parametrize(
    ("entity_type", "values", "label"),
    [("Project", {"name": "DEMO"}, "Project Name"), ("HumanUser", {"login": "Ann"}, "Login"),
     ("PublishedFileType", {"code": "Maya"}, "Published File Type Name"),
     ("LocalStorage", {"code": "primary"}, "Local File Storage Name")],
)  # fmt: skip
def test_unique_fields(direct, entity_type, values, label):
    """Two living rows cannot share these; the name of a retired row is free again."""
    ((field, name),) = values.items()
    if entity_type == "Project":
        first = direct.project
    else:
        first = direct.link(direct.create(entity_type, **{field: name.lower()}))
    fault = refusal(direct.create, entity_type, **values)
    assert fault.message == (
        f"API create() CRUD ERROR #61: Create failed for [{entity_type}]. "
        f"The value for the {label} field is required to be unique. <br>"
    )
    other = direct.link(direct.create(entity_type, **{field: "other"}))
    assert refusal(direct.update, other, **values).message == (
        f"API update() CRUD ERROR #51: Update failed for [{entity_type}.{field}]. "
        f"The value for the {label} field is required to be unique. <br> "
    )
    direct.update(first, **{field: name})  # its own name is no clash
    direct.delete(first)
    direct.update(other, **values)
    assert "required to be unique" in refusal(direct.revive, first).message


def test_two_shots_may_share_a_code(direct):
    """Nothing else is unique."""
    assert direct.make("Shot", code="a") != direct.make("Shot", code="a")


def test_renaming_is_seen_in_every_link(direct):
    """The name in links follows the row."""
    shot = direct.make("Shot", code="a")
    task = direct.make("Task", entity=shot)
    direct.update(shot, code="b")
    assert direct.value(task, "entity")["name"] == "b"
    assert direct.value(shot, "cached_display_name") == "b"


def test_names_composed_of_several_fields(direct):
    """People, notes, scripts and deliveries are called by several fields together."""
    ann = direct.link(direct.create("HumanUser", login="ann", firstname="Ann", lastname="A"))
    assert direct.value(ann, "name") == "Ann A"
    direct.update(ann, lastname="Bee")
    assert direct.value(ann, "cached_display_name") == "Ann Bee"
    direct.update(ann, name="Bo C D")
    assert (direct.value(ann, "firstname"), direct.value(ann, "lastname")) == ("Bo", "C D")
    note = direct.make("Note", subject="eyes", content="fix")
    assert direct.value(note, "cached_display_name") == "eyes - fix"
    delivery = direct.make("Delivery", title="tape")
    assert direct.value(delivery, "cached_display_name") == f"#{delivery['id']}: tape"
    task = direct.make("Task", content=None)
    assert direct.value(task, "cached_display_name") == "-"


def test_writes_that_are_accepted_and_ignored(direct):
    """The display name and each person's own view can be written without effect."""
    shot = direct.make("Shot", code="a", cached_display_name="zzz")
    assert direct.update(shot, cached_display_name="b") == {**shot, "cached_display_name": "a"}
    version = direct.make("Version", viewed_by_current_user="read")
    assert direct.events_of(lambda: direct.update(version, viewed_by_current_user="read")) == []


def test_legacy_colour_names_expand(direct):
    """A colour written by its old name reads as numbers."""
    task = direct.make("Task", color="Black")
    assert direct.value(task, "color") == "45,45,45"


def test_the_author_of_a_note_is_its_creator(direct):
    """A Note and a Reply without a user are the caller's."""
    assert direct.value(direct.make("Note", content="x"), "user") == CALLER


def test_passwords_are_never_shown(direct):
    """A password goes in and comes out as stars, in rows and in events."""
    row = direct.create("HumanUser", login="ann", password_proxy="s3cret")
    assert row["password_proxy"] == "*******"
    assert "s3cret" not in str(direct.events("meta", "description"))


def test_a_written_page_link_mints_an_attachment(direct):
    """Each write of a web link makes an Attachment of its own."""
    version = direct.make("Version", sg_uploaded_movie={"url": "https://a/b.mov", "name": "b"})
    value = direct.value(version, "sg_uploaded_movie")
    assert value == {"url": "https://a/b.mov", "name": "b", "content_type": None, "link_type": "web",
                     "type": "Attachment", "id": 1}  # fmt: skip
    assert (
        direct.update(version, sg_uploaded_movie={"url": "https://a/c.mov"})["sg_uploaded_movie"]["id"] == 2
    )
    assert direct.update(version, sg_uploaded_movie=None)["sg_uploaded_movie"] is None
    assert [each["display_name"] for each in direct.find("Attachment", "display_name")] == [
        "b",
        "https://a/c.mov",
    ]
    assert (
        "invalid/missing url hash string 'url': {}"
        in refusal(direct.update, version, sg_uploaded_movie={}).message
    )


def test_a_local_file_is_found_in_its_storage(direct):
    """The deepest root wins; all three platforms' paths are filled in."""
    direct.create("LocalStorage", code="root", linux_path="/mnt", windows_path="X:")
    direct.create("LocalStorage", code="show", linux_path="/mnt/show/", mac_path="/Volumes/show")
    published = direct.make("PublishedFile", path={"local_path": "/mnt/show/a/b.ma"})
    path = direct.value(published, "path")
    assert path["local_storage"]["name"] == "show"
    assert (path["name"], path["relative_path"], path["link_type"]) == ("b.ma", "a/b.ma", "local")
    assert path["local_path_mac"] == "/Volumes/show/a/b.ma"
    assert path["local_path_linux"] == "/mnt/show/a/b.ma"
    assert path["local_path_windows"] is None
    assert "url" not in path
    assert direct.value(published, "path_cache") == "a/b.ma"
    assert direct.value(published, "path_cache_storage")["name"] == "show"
    shallow = direct.update(published, path={"local_path": "/mnt/shows/b.ma"})["path"]
    assert shallow["local_path_windows"] == "X:/shows/b.ma"
    fault = refusal(direct.update, published, path={"local_path": "/srv/b.ma"})
    assert fault.message.endswith("Path /srv/b.ma doesn't match any defined Local Storage.")


def test_a_template_task_has_no_project(direct):
    """A Task of a template stands outside every project."""
    template = direct.link(direct.create("TaskTemplate"))
    row = direct.create("Task", ["project"], task_template=template)
    assert row["project"] is None


def test_clearing_the_thumbnail_clears_the_filmstrip(direct):
    """Null is the one value an image takes."""
    shot = direct.make("Shot")
    assert direct.update(shot, image=None) == {**shot, "image": None}


def test_the_event_log_cannot_be_updated(direct):
    """Events are created, never changed or deleted."""
    event = direct.link(direct.create("EventLogEntry", event_type="My_Tool_Done", meta={"a": 1}))
    assert direct.value(event, "meta") == {"a": 1}
    assert direct.value(event, "user") == CALLER
    for action in (lambda: direct.update(event, description="x"), lambda: direct.delete(event)):
        assert "can not be" in refusal(action).message


def test_every_type_lives(direct):
    """A row of each type can be created, read whole, updated, deleted and revived."""
    for entity_type in direct.store.schema.types.values():
        values = {"project": direct.project} if entity_type.project_required else {}
        for end in entity_type.ends:
            (target,) = entity_type.fields[end].valid_types
            values[end] = direct.project if target == "Project" else direct.link(direct.make_any(target))
        if entity_type.name == "Project":
            values["name"] = "another"
        if entity_type.name == "Reply":
            values["entity"] = direct.make("Note")  # a reply to nothing cannot be deleted
        row = direct.link(direct.create(entity_type.name, **values))
        (found,) = [each for each in direct.find(row["type"], *entity_type.fields) if each["id"] == row["id"]]
        assert entity_type.fields.keys() - found.keys() <= {"step_0"}
        if entity_type.name == "EventLogEntry":
            continue
        plain = [
            name for name, each in entity_type.fields.items() if each.editable and each.data_type == "text"
        ]
        direct.update(row, **dict.fromkeys(plain, "new"))
        assert (direct.delete(row), direct.revive(row)) == (True, True)


def test_no_value_crashes_a_write(direct):
    """Whatever JSON is written to a field, it is stored or refused, never an error of the program."""
    odd = [
        None, "", "x", "\x00", "\ud800", 0, -1, 2**70, 1.5, 1e300, float("nan"), True, [], [None], [[]], {},
        {"type": "Shot", "id": 1}, {"type": "Shot", "id": 2**70}, {"type": ["Shot"], "id": 1}, {"a": 1},
        {"type": "Shoot", "id": 1}, {"url": 5}, {"local_path": "C:\\x"}, [{"type": "Shot", "id": "1"}],
        {"relative_path": "a", "local_storage": 3}, {"url": "http://a", "name": 3},
    ]  # fmt: skip
    kinds = {}
    for name, field in direct.store.schema.types["Version"].fields.items():
        if field.editable:
            kinds.setdefault(field.data_type, name)
    version, refused = direct.make("Version"), []
    for name in kinds.values():
        for value in odd:
            try:
                direct.update(version, **{name: value})
            except SiteFault as fault:
                refused.append(fault)
    assert len(refused) > len(odd)
    assert {each.error_code for each in refused} == {103, 104}
    assert all(each.message.startswith("API update() ") for each in refused)
    assert len(direct.find("Version")) == 1
