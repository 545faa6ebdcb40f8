"""The fields that each caller has for themselves: favorites, what was read, the projects last opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite

from .direct_calls import ROBOT, Direct

Connect = Callable[..., shotgun_api3.Shotgun]


@pytest.fixture
def people(direct: Direct) -> Callable[[str], None]:
    """Go on as a person of that name; "robot" is the script again."""
    ids = {name: direct.create("HumanUser", login=name)["id"] for name in ("ann", "ben")}

    def become(name: str) -> None:
        if name == "robot":
            direct.caller = ROBOT
        else:
            direct.become(type="HumanUser", id=ids[name], name=name)

    return become


def found(direct: Direct, entity_type: str, path: str, relation: str, *values: Any) -> list[int]:
    """The ids of the rows that one condition lets through."""
    condition = {"path": path, "relation": relation, "values": list(values)}
    params = {
        "type": entity_type,
        "return_fields": ["id"],
        "filters": {"logical_operator": "and", "conditions": [condition]},
        "paging": {"entities_per_page": 500, "current_page": 1},
    }
    return [row["id"] for row in direct.call("read", params)["entities"]]


@pytest.mark.parametrize("entity_type", ["Project", "Playlist", "Page"])
def test_everyone_has_their_own_favorites(
    direct: Direct, people: Callable[[str], None], entity_type: str
) -> None:
    """A favorite of one person is nobody else's, in rows, in filters and in the order of rows."""
    row = direct.project if entity_type == "Project" else direct.make(entity_type)
    people("ann")
    written = direct.update(row, current_user_favorite=True)
    assert written == {**row, "current_user_favorite": True}
    assert found(direct, entity_type, "current_user_favorite", "is", True) == [row["id"]]
    for other in ("ben", "robot"):
        people(other)
        assert direct.value(row, "current_user_favorite") is False
        assert found(direct, entity_type, "current_user_favorite", "is", True) == []
        assert found(direct, entity_type, "current_user_favorite", "is_not", True) == [row["id"]]
    people("ann")
    direct.update(row, current_user_favorite=False)
    assert direct.value(row, "current_user_favorite") is False


def test_favorites_sort_and_count(direct: Direct, people: Callable[[str], None]) -> None:
    """Sorting by a personal field goes by the caller's own values."""
    rows = [direct.make("Playlist", code=code) for code in "abc"]
    people("ann")
    direct.update(rows[1], current_user_favorite=True)
    params = {
        "type": "Playlist",
        "return_fields": ["code"],
        "sorts": [{"field_name": "current_user_favorite", "direction": "desc"}],
        "paging": {"entities_per_page": 500, "current_page": 1},
    }
    assert [row["code"] for row in direct.call("read", params)["entities"]] == ["b", "a", "c"]


def test_a_note_is_read_by_each_person(direct: Direct, people: Callable[[str], None]) -> None:
    """What one person has read is still unread for the next, and `is` finds each one's own."""
    note, other = direct.make("Note", content="fix eyes"), direct.make("Note", content="fix ears")
    people("ann")
    assert direct.value(note, "read_by_current_user") == "unread"
    direct.update(note, read_by_current_user="read")
    assert direct.value(note, "read_by_current_user") == "read"
    assert found(direct, "Note", "read_by_current_user", "is", "read") == [note["id"]]
    assert found(direct, "Note", "read_by_current_user", "is", "unread") == [other["id"]]
    # Whatever they name, these two look for what is unread (wire.md 4.2).
    for relation in ("in", "not_in"):
        assert found(direct, "Note", "read_by_current_user", relation, "read") == [other["id"]]
    people("ben")
    assert found(direct, "Note", "read_by_current_user", "is", "read") == []


def test_reading_a_note_is_an_event(direct: Direct, people: Callable[[str], None]) -> None:
    """Reading leaves a `Shotgun_Reading_Change`, once; favorites leave nothing, and no row counts as updated."""
    note = direct.make("Note", content="fix eyes")
    people("ann")
    (event,) = direct.events_of(lambda: direct.update(note, read_by_current_user="read"))
    assert event["event_type"] == "Shotgun_Reading_Change"
    assert event["attribute_name"] == "read_by_current_user"
    assert event["entity"]["id"] == note["id"]
    assert (event["meta"]["old_value"], event["meta"]["new_value"]) == ("unread", "read")
    assert direct.events_of(lambda: direct.update(note, read_by_current_user="read")) == []
    assert direct.events_of(lambda: direct.update(direct.project, current_user_favorite=True)) == []
    assert direct.value(note, "updated_by")["type"] == "ApiUser"


def test_a_script_reads_nothing(direct: Direct) -> None:
    """What a script says it has read is accepted and ignored, as recorded."""
    version, note = direct.make("Version"), direct.make("Note", content="x")
    assert direct.update(version, viewed_by_current_user="read")["viewed_by_current_user"] == "unread"
    assert direct.update(note, read_by_current_user="read")["read_by_current_user"] == "unread"


def test_the_moment_of_viewing(direct: Direct, people: Callable[[str], None]) -> None:
    """A version that a person has viewed says when; unread again, it does not."""
    version = direct.make("Version")
    people("ann")
    assert direct.value(version, "viewed_by_current_user_at") is None
    moment = direct.later()
    direct.update(version, viewed_by_current_user="read")
    assert direct.value(version, "viewed_by_current_user_at") == moment
    assert found(direct, "Version", "viewed_by_current_user_at", "is", moment) == [version["id"]]
    people("ben")
    assert direct.value(version, "viewed_by_current_user_at") is None
    people("ann")
    direct.update(version, viewed_by_current_user="unread")
    assert direct.value(version, "viewed_by_current_user_at") is None


def test_wrong_values_are_refused(direct: Direct) -> None:
    """Personal fields check what is written like any other, for scripts too."""
    with pytest.raises(Exception, match="'seen' is not a valid list value"):
        direct.update(direct.make("Version"), viewed_by_current_user="seen")
    with pytest.raises(Exception, match="viewed_by_current_user_at is read only"):
        direct.update(direct.make("Version"), viewed_by_current_user_at="2024-01-01T00:00:00Z")


def test_deep_paths_to_personal_fields(direct: Direct, people: Callable[[str], None]) -> None:
    """A path through a link reads and filters the caller's own value of the linked row."""
    shot = direct.make("Shot")
    people("ann")
    direct.update(direct.project, current_user_favorite=True)
    path = "project.Project.current_user_favorite"
    assert direct.value(shot, path) is True
    assert found(direct, "Shot", path, "is", True) == [shot["id"]]
    people("ben")
    assert direct.value(shot, path) is False


def test_the_schema_does_not_list_read_by_current_user(shotgun: shotgun_api3.Shotgun) -> None:
    """The field of notes can be read and is in no schema."""
    assert "read_by_current_user" not in shotgun.schema_field_read("Note")
    assert "read_by_current_user" not in shotgun.schema_read()["Note"]
    with pytest.raises(shotgun_api3.Fault, match="doesn't exist"):
        shotgun.schema_field_read("Note", "read_by_current_user")
    project = shotgun.create("Project", {"name": "One"})
    note = shotgun.create("Note", {"project": project, "content": "x"}, ["read_by_current_user"])
    assert note["read_by_current_user"] == "unread"


def test_the_last_access_of_a_project(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect
) -> None:
    """`update_project_last_accessed` notes the moment: of who is signed in, of sudo, or of the user given."""
    project = shotgun.create("Project", {"name": "One"})
    field = "last_accessed_by_current_user"
    users = [shotgun.create("HumanUser", {"login": login, "password_proxy": "x"}) for login in "abc"]

    def opened(client: shotgun_api3.Shotgun) -> Any:
        return client.find_one("Project", [["id", "is", project["id"]]], [field])[field]

    signed_in = connect(site, login="a", password="x")
    signed_in.update_project_last_accessed(project)
    assert isinstance(opened(signed_in), datetime)
    acting = connect(site, sudo_as_login="b")
    assert opened(acting) is None
    acting.update_project_last_accessed(project)
    assert isinstance(opened(acting), datetime)
    shotgun.update_project_last_accessed(project, users[2])
    assert isinstance(opened(connect(site, sudo_as_login="c")), datetime)
    assert opened(shotgun) is None
    with pytest.raises(shotgun_api3.Fault, match="can not be updated by this user"):
        signed_in.update_project_last_accessed(project, users[1])
    with pytest.raises(shotgun_api3.Fault, match="does not exist"):
        shotgun.update_project_last_accessed({"id": 999})


@pytest.mark.parametrize("params", [{}, {"project_id": "1"}, {"project_id": 1, "user_id": {}}])
def test_a_last_access_needs_ids(site: LocalSite, params: dict[str, Any]) -> None:
    """Anything but integers is refused by name."""
    site.engine.answer({"method_name": "info", "params": []})
    credentials = {"script_name": site.script_name, "script_key": site.api_key}
    method = "update_project_last_accessed_by_current_user"
    envelope = site.engine.answer({"method_name": method, "params": [credentials, params]})
    assert envelope["error_code"] == 103
    assert "invalid/missing integer" in envelope["message"]
