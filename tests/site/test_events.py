"""The event log: which events each call writes, and what they say."""

from __future__ import annotations

from typing import Any


def summary(events: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(each["event_type"], each["attribute_name"]) for each in events]


def test_a_create_writes_new_and_then_each_populated_field(direct):
    """One New with the lowest id, one Change for each field that has a value, defaults included."""
    events = direct.events_of(lambda: direct.make("Shot", code="sh1", description=None))
    assert events[0]["event_type"] == "Shotgun_Shot_New"
    assert events[0]["meta"] == {"type": "new_entity", "entity_type": "Shot", "entity_id": 1}
    assert sorted(each["attribute_name"] for each in events[1:]) == ["code", "project", "sg_status_list"]
    assert {each["event_type"] for each in events[1:]} == {"Shotgun_Shot_Change"}
    code = next(each for each in events if each["attribute_name"] == "code")
    assert code["meta"] == {
        "type": "attribute_change", "attribute_name": "code", "entity_type": "Shot", "entity_id": 1,
        "field_data_type": "text", "old_value": None, "new_value": "sh1", "in_create": True,
    }  # fmt: skip
    assert events[0]["description"] == "robot 1.0 created new Shot sh1"


def test_an_update_writes_one_change_for_each_changed_field(direct):
    """Unchanged fields and the times of the update leave no event."""
    shot = direct.make("Shot", code="a", head_in=1)
    direct.later()
    events = direct.events_of(lambda: direct.update(shot, code="b", head_in=1, sg_status_list="ip"))
    assert summary(events) == [("Shotgun_Shot_Change", "code"), ("Shotgun_Shot_Change", "sg_status_list")]
    assert events[1]["meta"]["old_value"] == "wtg"
    assert events[1]["meta"]["new_value"] == "ip"
    assert "in_create" not in events[1]["meta"]
    assert events[1]["description"] == 'robot 1.0 changed "Status" from "wtg" to "ip" on Shot b'


def test_events_name_their_row_project_and_user(direct):
    """Entity, project and user are links; a project's own events belong to it."""
    (event, *_) = direct.events_of(lambda: direct.make("Shot", code="sh1"))
    assert event["entity"] == {"type": "Shot", "id": 1, "name": "sh1"}
    assert event["project"] == {**direct.project, "name": "demo"}
    assert event["user"] == {"type": "ApiUser", "id": 1, "name": "robot 1.0"}
    (first, *_) = direct.events("project", "entity")
    assert first["entity"] == first["project"] == {**direct.project, "name": "demo"}
    (tag, *_) = direct.events_of(lambda: direct.create("Tag", name="fx"))
    assert tag["project"] is None


def test_links_in_meta_carry_name_and_status(direct):
    """A link value in meta is spelled out as a real site does."""
    sequence = direct.make("Sequence", code="s")
    events = direct.events_of(lambda: direct.make("Shot", sg_sequence=sequence))
    change = next(each for each in events if each["attribute_name"] == "sg_sequence")
    expected = {**sequence, "name": "s", "valid": "valid", "status": "ip"}
    assert (change["meta"]["old_value"], change["meta"]["new_value"]) == (None, expected)


def test_lists_report_what_was_added_and_removed(direct):
    """A changed list has `added` and `removed` instead of old and new."""
    a, b = direct.make("Asset", code="a"), direct.make("Asset", code="b")
    shot = direct.make("Shot", assets=[a])
    (event, *_) = direct.events_of(lambda: direct.update(shot, assets=[b]))
    assert event["attribute_name"] == "assets"
    assert [each["name"] for each in event["meta"]["added"]] == ["b"]
    assert [each["name"] for each in event["meta"]["removed"]] == ["a"]
    assert "old_value" not in event["meta"]


def test_the_far_end_of_a_link_has_an_event_too(direct):
    """The other row reports its own field, while meta tells of the row that was written."""
    shot = direct.make("Shot", code="s")
    events = direct.events_of(lambda: direct.make("Task", entity=shot))
    trigger = next(each for each in events if each["attribute_name"] == "entity")
    echo = next(each for each in events if each["event_type"] == "Shotgun_Shot_Change")
    assert echo["attribute_name"] == "tasks"
    assert echo["entity"] == {**shot, "name": "s"}
    assert echo["meta"]["entity_type"] == "Task"
    assert echo["meta"]["entity_id"] == 1
    assert echo["meta"]["field_data_type"] == "entity"
    assert echo["meta"]["actual_attribute_changed"] == "Task.entity"
    assert echo["meta"]["original_event_log_entry_id"] == trigger["id"]


def test_moving_a_shot_tells_both_sequences(direct):
    """The row that loses a link by a write elsewhere has an event of its own."""
    shot = direct.make("Shot")
    old, new = direct.make("Sequence", shots=[shot]), direct.make("Sequence")
    events = direct.events_of(lambda: direct.update(new, shots=[shot]))
    told = {(each["entity"]["type"], each["entity"]["id"], each["attribute_name"]) for each in events}
    assert told == {
        ("Sequence", new["id"], "shots"), ("Sequence", old["id"], "shots"), ("Shot", 1, "sg_sequence")
    }  # fmt: skip


def test_retirement_and_revival(direct):
    """Each is a change of `retirement_date` and an event of its own, for every row that goes along."""
    shot = direct.make("Shot", code="s")
    direct.make("Version", entity=shot)
    events = direct.events_of(lambda: direct.delete(shot))
    assert summary(events) == [
        ("Shotgun_Shot_Change", "retirement_date"), ("Shotgun_Shot_Retirement", None),
        ("Shotgun_Version_Change", "retirement_date"), ("Shotgun_Version_Retirement", None),
    ]  # fmt: skip
    assert events[0]["meta"]["new_value"] == "2024-05-01 10:00:00 UTC"
    assert "field_data_type" not in events[0]["meta"]
    assert events[1]["meta"] == {
        "type": "entity_retirement", "entity_type": "Shot", "entity_id": 1, "id": 1, "class_name": "Shot",
        "display_name": "s", "retirement_date": "2024-05-01 10:00:00 UTC",
    }  # fmt: skip
    direct.later()
    events = direct.events_of(lambda: direct.revive(shot))
    assert summary(events)[1] == ("Shotgun_Shot_Revival", None)
    assert events[0]["meta"]["old_value"] == "2024-05-01 10:00:00 UTC"
    assert events[0]["meta"]["new_value"] is None
    assert direct.events_of(lambda: direct.revive(shot)) == []


def test_all_events_of_a_retired_row_lose_their_entity(direct):
    """The subject is read as of now: null for the old events as well."""
    shot = direct.make("Shot")
    direct.delete(shot)
    about = [each for each in direct.events() if "_Shot_" in each["event_type"]]
    assert len(about) > 3
    assert {each["entity"] is None for each in about} == {True}


def test_a_silent_script_writes_no_events(direct):
    """A script whose row says so leaves no events, in create, update, delete and revive."""
    direct.become(writes_events=False)
    shot = direct.make("Shot")

    def work():
        direct.update(shot, code="b")
        direct.delete(shot)
        direct.revive(shot)

    assert direct.events_of(work) == []


def test_sudo_and_session_are_told(direct):
    """Acting as a person, the event is the person's and meta names the script; a session keeps its uuid."""
    ann = direct.create("HumanUser", login="ann", name="Ann A")
    uuid = "0b0c1d2e-0000-4000-8000-000000000001"
    direct.become(
        type="HumanUser", id=ann["id"], name="Ann A", actual=("ApiUser", 1, "robot 1.0"), session_uuid=uuid
    )
    direct.make("Shot")
    event = direct.events("user", "meta", "session_uuid", "description")[-1]
    assert event["user"]["name"] == "Ann A"
    assert event["meta"]["sudo_actual_user"]["name"] == "robot 1.0"
    assert event["session_uuid"] == uuid
    assert event["description"].startswith("Ann A changed")


def test_ids_have_no_gaps(direct):
    """Events are numbered without holes, whatever was refused in between."""
    for code in "abc":
        direct.make("Shot", code=code)
    ids = [each["id"] for each in direct.events()]
    assert ids == list(range(1, len(ids) + 1))


def test_creating_an_event_is_no_event(direct):
    """The log does not talk about itself."""
    assert len(direct.events_of(lambda: direct.create("EventLogEntry", description="x"))) == 1
