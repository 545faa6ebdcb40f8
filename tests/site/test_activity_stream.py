"""`activity_stream_read`: what happened to a row, and what a person did."""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite

from .conftest import Connect


@pytest.fixture
def project(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project, as a link."""
    return {"type": "Project", "id": shotgun.create("Project", {"name": "Demo"})["id"]}


@pytest.fixture
def shot(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> dict[str, Any]:
    """A shot that was just created, as a link."""
    return {"type": "Shot", "id": shotgun.create("Shot", {"code": "sh_0070", "project": project})["id"]}


def _told(stream: dict[str, Any]) -> list[tuple[str, str]]:
    """Of each update its type, and the type of the row it is about."""
    return [(each["update_type"], each["primary_entity"]["type"]) for each in stream["updates"]]


def _read(shotgun: shotgun_api3.Shotgun, row: dict[str, Any], **options: Any) -> dict[str, Any]:
    stream: dict[str, Any] = shotgun.activity_stream_read(row["type"], row["id"], **options)
    return stream


def test_a_shot_and_a_note_on_it_are_two_updates(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], shot: dict[str, Any]
) -> None:
    """Neither the first values of a row nor the far end of its links are updates of their own."""
    note = shotgun.create("Note", {"content": "Test!", "project": project, "note_links": [shot]})
    stream = _read(shotgun, shot)
    assert set(stream) == {"earliest_update_id", "entity_id", "entity_type", "latest_update_id", "updates"}
    assert (stream["entity_type"], stream["entity_id"]) == ("Shot", shot["id"])
    assert _told(stream) == [("create", "Note"), ("create", "Shot")]
    newest, oldest = stream["updates"]
    assert newest["meta"] == {"type": "new_entity", "entity_type": "Note", "entity_id": note["id"]}
    assert (stream["latest_update_id"], stream["earliest_update_id"]) == (newest["id"], oldest["id"])
    assert newest["read"] is False


def test_a_change_is_an_update_with_the_meta_of_its_event(
    shotgun: shotgun_api3.Shotgun, shot: dict[str, Any]
) -> None:
    """It tells old and new value; the row is shown as it is now."""
    shotgun.update("Shot", shot["id"], {"sg_status_list": "ip"})
    newest = _read(shotgun, shot)["updates"][0]
    assert newest["update_type"] == "update"
    assert newest["meta"] == {
        "type": "attribute_change",
        "attribute_name": "sg_status_list",
        "entity_type": "Shot",
        "entity_id": shot["id"],
        "field_data_type": "status_list",
        "old_value": "wtg",
        "new_value": "ip",
    }
    assert newest["primary_entity"] == {**shot, "name": "sh_0070", "status": "ip"}
    assert set(newest["created_by"]) == {"type", "id", "name", "status", "image"}
    assert newest["created_by"]["name"] == "sgsession 1.0"


def test_further_fields_of_the_rows(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], shot: dict[str, Any]
) -> None:
    """`entity_fields` adds fields by type; deep ones keep their dotted names, unknown ones are left out."""
    shotgun.create("Note", {"content": "Test!", "project": project, "note_links": [shot]})
    fields = {"Shot": ["created_by.HumanUser.image", "nonsense"], "Note": ["content"]}
    newest, oldest = _read(shotgun, shot, entity_fields=fields)["updates"]
    assert set(newest["primary_entity"]) == {"content", "id", "name", "status", "type"}
    assert newest["primary_entity"]["content"] == "Test!"
    assert set(oldest["primary_entity"]) == {"created_by.HumanUser.image", "id", "name", "status", "type"}


def test_a_reply_is_news_of_its_note_and_of_what_the_note_is_about(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], shot: dict[str, Any]
) -> None:
    """`create_reply` shows the Note that was replied to, in both streams."""
    note = shotgun.create("Note", {"content": "Test!", "project": project, "note_links": [shot]})
    reply = shotgun.create("Reply", {"entity": note, "content": "done"})
    for row in (note, shot):
        newest = _read(shotgun, row)["updates"][0]
        assert newest["update_type"] == "create_reply"
        assert newest["primary_entity"]["id"] == note["id"]
        assert newest["meta"] == {"type": "new_entity", "entity_type": "Reply", "entity_id": reply["id"]}


def test_new_versions_show_where_they_are_linked(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], shot: dict[str, Any]
) -> None:
    """A Version of a Shot is news of the Shot; later changes of the Version are its own."""
    version = shotgun.create("Version", {"code": "v1", "project": project, "entity": shot})
    shotgun.update("Version", version["id"], {"description": "better"})
    assert _told(_read(shotgun, shot)) == [("create", "Version"), ("create", "Shot")]
    assert _told(_read(shotgun, version)) == [("update", "Version"), ("create", "Version")]


def test_a_deleted_row_still_has_its_stream(shotgun: shotgun_api3.Shotgun, shot: dict[str, Any]) -> None:
    """Deleting is one update, `delete`, and names the row; reviving is none."""
    shotgun.delete("Shot", shot["id"])
    stream = _read(shotgun, shot)
    assert _told(stream) == [("delete", "Shot"), ("create", "Shot")]
    assert stream["updates"][0]["primary_entity"]["name"] == "sh_0070"
    shotgun.revive("Shot", shot["id"])
    assert len(_read(shotgun, shot)["updates"]) == 2


def test_a_project_shows_all_that_happens_in_it(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], shot: dict[str, Any]
) -> None:
    """And nothing of other projects."""
    other = shotgun.create("Project", {"name": "Other"})
    shotgun.create("Asset", {"code": "door", "project": other})
    assert _told(_read(shotgun, project)) == [("create", "Shot"), ("create", "Project")]


def test_a_person_shows_what_the_person_did(
    site: LocalSite,
    connect: Connect,
    shotgun: shotgun_api3.Shotgun,
    project: dict[str, Any],
    shot: dict[str, Any],
) -> None:
    """Not what was done to the person's own row."""
    ann = shotgun.create("HumanUser", {"name": "Ann A", "login": "ann"})
    shotgun.create("Note", {"content": "about her", "project": project, "note_links": [ann]})
    assert _read(shotgun, ann)["updates"] == []
    connect(site, sudo_as_login="ann").update("Shot", shot["id"], {"description": "hers"})
    stream = _read(shotgun, ann)
    assert _told(stream) == [("update", "Shot")]
    assert stream["updates"][0]["created_by"]["name"] == "Ann A"


def test_a_stream_is_read_in_pages(shotgun: shotgun_api3.Shotgun, shot: dict[str, Any]) -> None:
    """Newest first; `max_id` and `min_id` are exclusive; the earliest id is 0 where nothing is left."""
    for index in range(30):
        shotgun.update("Shot", shot["id"], {"description": f"take {index}"})
    page = _read(shotgun, shot)
    ids = [each["id"] for each in page["updates"]]
    assert len(ids) == 25
    assert ids == sorted(ids, reverse=True)
    rest = _read(shotgun, shot, max_id=page["earliest_update_id"])
    assert [each["id"] for each in rest["updates"]] == list(range(ids[-1] - 1, ids[-1] - 7, -1))
    assert _read(shotgun, shot, max_id=rest["earliest_update_id"])["earliest_update_id"] == 0
    newer = _read(shotgun, shot, min_id=ids[3])
    assert [each["id"] for each in newer["updates"]] == ids[:3]
    assert [each["id"] for each in _read(shotgun, shot, limit=1)["updates"]] == ids[:1]


def test_the_ids_are_not_those_of_events(shotgun: shotgun_api3.Shotgun, shot: dict[str, Any]) -> None:
    """A stream has ids of its own, without the gaps that in-create events would leave."""
    shotgun.update("Shot", shot["id"], {"description": "a"})
    newest, oldest = _read(shotgun, shot)["updates"]
    assert newest["id"] == oldest["id"] + 1
    events = shotgun.find("EventLogEntry", [["attribute_name", "is", "description"]])
    assert newest["id"] not in [each["id"] for each in events]


def test_a_script_without_events_leaves_no_updates(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """The stream is built from events, so it is empty where none are written (wire.md 10, 25)."""
    script = shotgun.find_one("ApiUser", [["firstname", "is", site.script_name]])
    shotgun.update("ApiUser", script["id"], {"generate_event_log_entries": False})
    shot = shotgun.create("Shot", {"code": "quiet", "project": project})
    assert _read(shotgun, shot)["updates"] == []


def test_a_rolled_back_batch_leaves_no_updates(shotgun: shotgun_api3.Shotgun, shot: dict[str, Any]) -> None:
    """Updates are written in the transaction of the write."""
    good = {
        "request_type": "update",
        "entity_type": "Shot",
        "entity_id": shot["id"],
        "data": {"description": "a"},
    }
    with pytest.raises(shotgun_api3.Fault):
        shotgun.batch([good, {**good, "entity_id": 99}])
    assert len(_read(shotgun, shot)["updates"]) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": 9999}, "CRUD ERROR #3: Entity of type [Shot] with id=9999 does not exist."),
        ({"id": "1"}, "'id'"),
        ({"type": "Nothing"}, "'type'"),
        ({"limit": 0}, "'limit' must be between 1 and 500"),
        ({"limit": 501}, "'limit' must be between 1 and 500"),
        ({"limit": "5"}, "invalid integer 'limit'"),
        ({"max_id": True}, "invalid integer 'max_id'"),
        ({"min_id": []}, "invalid integer 'min_id'"),
        ({"entity_fields": {"Shot": "code"}}, "'entity_fields'"),
    ],
)
def test_what_is_no_request_for_a_stream_is_refused(
    demo_shotgun: shotgun_api3.Shotgun, changed: dict[str, Any], words: str
) -> None:
    """The refusal names the parameter."""
    shot_id = demo_shotgun.find_one("Shot", [])["id"]
    with pytest.raises(shotgun_api3.Fault) as caught:
        demo_shotgun._call_rpc("activity_stream", {"type": "Shot", "id": shot_id, **changed})
    assert str(caught.value).startswith("API activity_stream() ")
    assert words in str(caught.value)
