"""`note_thread_read`: a Note, its replies and its attachments as one conversation."""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3


@pytest.fixture
def note(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A note of a project of its own."""
    project = shotgun.create("Project", {"name": "Demo"})
    return shotgun.create("Note", {"project": project, "content": "fix eyes", "subject": "Eyes"})


def test_each_row_equals_what_find_returns(shotgun: shotgun_api3.Shotgun, note: dict[str, Any]) -> None:
    """The Note comes first; of the reply's `user` the picture is shown besides."""
    ann = shotgun.create("HumanUser", {"name": "Ann A", "login": "ann"})
    reply = shotgun.create("Reply", {"entity": note, "content": "done", "user": ann})
    first, second = shotgun.note_thread_read(note["id"])
    fields = ["content", "created_at", "created_by"]
    assert first == shotgun.find_one("Note", [["id", "is", note["id"]]], fields)
    assert second["user"].pop("image") is None
    assert second == shotgun.find_one("Reply", [["id", "is", reply["id"]]], ["content", "created_at", "user"])


def test_replies_and_attachments_stand_in_the_order_they_were_made(
    shotgun: shotgun_api3.Shotgun, note: dict[str, Any]
) -> None:
    """Within one second, too: what came first is told by the event log."""
    reply = ("Reply", {"entity": note, "content": "done"})
    attachment = ("Attachment", {"attachment_links": [note], "project": note["project"]})
    made = []
    for kind, values in (reply, attachment, reply, attachment):
        made.append((kind, shotgun.create(kind, values)["id"]))
    thread = shotgun.note_thread_read(note["id"])
    assert [(each["type"], each["id"]) for each in thread] == [("Note", note["id"]), *made]
    assert set(thread[2]) == {"type", "id", "created_at", "created_by"}


def test_further_fields_by_type(shotgun: shotgun_api3.Shotgun, note: dict[str, Any]) -> None:
    """`entity_fields` adds fields to the rows of a type; unknown ones are left out."""
    shotgun.create("Reply", {"entity": note, "content": "done"})
    fields = {"Note": ["subject", "nonsense", "created_by.ApiUser.firstname"], "Reply": ["entity"]}
    first, second = shotgun.note_thread_read(note["id"], fields)
    assert set(first) == {
        "type", "id", "content", "created_at", "created_by", "subject", "created_by.ApiUser.firstname",
    }  # fmt: skip
    assert first["subject"] == "Eyes"
    assert second["entity"]["id"] == note["id"]


def test_deleted_replies_are_not_part_of_the_thread(
    shotgun: shotgun_api3.Shotgun, note: dict[str, Any]
) -> None:
    """What is retired is left out."""
    reply = shotgun.create("Reply", {"entity": note, "content": "done"})
    shotgun.delete("Reply", reply["id"])
    assert [each["type"] for each in shotgun.note_thread_read(note["id"])] == ["Note"]


def test_a_note_that_is_not_there(shotgun: shotgun_api3.Shotgun, note: dict[str, Any]) -> None:
    """An unknown or deleted Note is a fault."""
    shotgun.delete("Note", note["id"])
    for note_id in (note["id"], 99):
        with pytest.raises(shotgun_api3.Fault) as caught:
            shotgun.note_thread_read(note_id)
        words = f"Entity of type [Note] with id={note_id} does not exist."
        assert str(caught.value) == f"API note_thread_contents() CRUD ERROR #3: {words}"


@pytest.mark.parametrize(
    "params",
    [{}, {"note_id": "1"}, {"note_id": True}, {"entity_fields": []}, {"entity_fields": {"Note": "subject"}}],
)
def test_what_is_no_request_for_a_thread_is_refused(
    shotgun: shotgun_api3.Shotgun, note: dict[str, Any], params: dict[str, Any]
) -> None:
    """The refusal names the parameter."""
    given = {"note_id": note["id"], **params} if "entity_fields" in params else params
    with pytest.raises(shotgun_api3.Fault, match=r"API note_thread_contents\(\) invalid/missing"):
        shotgun._call_rpc("note_thread_contents", given)
