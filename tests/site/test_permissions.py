"""What limited scripts, ordinary people and administrators may see and change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import shotgun_api3

from sgsession.site import LocalSite

Connect = Callable[..., shotgun_api3.Shotgun]
Row = dict[str, Any]

FORBIDDEN = r"API {}\(\) CRUD ERROR #4.1: Entity {} {} can not be {} by this user. Rule: "


class Two(NamedTuple):
    """Two projects with a shot each, and a script that is limited to the first."""

    ours: Row
    theirs: Row
    our_shot: Row
    their_shot: Row
    limited: shotgun_api3.Shotgun


@pytest.fixture
def two(site: LocalSite, shotgun: shotgun_api3.Shotgun, connect: Connect) -> Two:
    ours, theirs = (shotgun.create("Project", {"name": name}) for name in ("Ours", "Theirs"))
    shots = [shotgun.create("Shot", {"project": each, "code": "s"}) for each in (ours, theirs)]
    shotgun.create("ApiUser", {"firstname": "robot", "projects": [ours]})
    limited = connect(site, script_name="robot", api_key=site.new_script_key("robot"))
    return Two(ours, theirs, *shots, limited)


def ids(rows: list[Row]) -> list[int]:
    """The ids of the rows."""
    return [row["id"] for row in rows]


def forbidden(call: str, row: Row, verb: str) -> str:
    """The words of a refused change."""
    return FORBIDDEN.format(call, row["type"], row["id"], verb)


def test_a_limited_script_sees_its_projects_only(two: Two) -> None:
    """Rows of other projects are not there; what belongs to no project is."""
    assert ids(two.limited.find("Project", [])) == [two.ours["id"]]
    assert ids(two.limited.find("Shot", [])) == [two.our_shot["id"]]
    assert two.limited.find("Shot", [["id", "is", two.their_shot["id"]]]) == []
    assert two.limited.summarize("Shot", [], [{"field": "id", "type": "count"}])["summaries"] == {"id": 1}
    assert two.limited.find("Status", [])
    projects = two.limited.find("EventLogEntry", [], ["project"])
    assert {each["project"]["id"] for each in projects if each["project"]} == {two.ours["id"]}


def test_a_limited_script_does_not_see_through_links(shotgun: shotgun_api3.Shotgun, two: Two) -> None:
    """Links to rows of other projects read null or drop out, and no filter or path finds what is there."""
    version = shotgun.create("Version", {"project": two.ours, "code": "v", "entity": two.their_shot})
    playlist = shotgun.create("Playlist", {"project": two.theirs, "code": "p", "versions": [version]})
    row = two.limited.find_one(
        "Version", [["id", "is", version["id"]]], ["entity", "entity.Shot.code", "playlists"]
    )
    assert (row["entity"], row["entity.Shot.code"], row["playlists"]) == (None, None, [])
    assert two.limited.find("Version", [["entity.Shot.code", "is", "s"]]) == []
    assert two.limited.find("Version", [["playlists.Playlist.code", "is", "p"]]) == []
    assert two.limited.find("Playlist", [["id", "is", playlist["id"]]]) == []
    whole = shotgun.find_one("Version", [["entity.Shot.code", "is", "s"]], ["entity"])
    assert whole["entity"]["id"] == two.their_shot["id"]


def test_a_limited_script_changes_nothing_elsewhere(shotgun: shotgun_api3.Shotgun, two: Two) -> None:
    """Creating, moving, updating, deleting and reviving in another project is refused as recorded."""
    limited, their_shot = two.limited, two.their_shot
    with pytest.raises(shotgun_api3.Fault, match=FORBIDDEN.format("create", "Shot", r"\d+", "created")):
        limited.create("Shot", {"project": two.theirs, "code": "x"})
    with pytest.raises(shotgun_api3.Fault):
        limited.create("Project", {"name": "Third"})
    with pytest.raises(shotgun_api3.Fault, match=forbidden("update", their_shot, "updated")):
        limited.update("Shot", their_shot["id"], {"code": "x"})
    with pytest.raises(shotgun_api3.Fault, match=forbidden("update", two.our_shot, "updated")):
        limited.update("Shot", two.our_shot["id"], {"project": two.theirs})
    with pytest.raises(shotgun_api3.Fault, match=forbidden("delete", their_shot, "deleted")):
        limited.delete("Shot", their_shot["id"])
    shotgun.delete("Shot", their_shot["id"])
    with pytest.raises(shotgun_api3.Fault, match=forbidden("revive", their_shot, "revived")):
        limited.revive("Shot", their_shot["id"])
    assert limited.update("Shot", two.our_shot["id"], {"code": "mine"})["code"] == "mine"
    assert len(shotgun.find("Shot", [["code", "in", "x", "mine"]])) == 1


def test_a_limited_script_links_nothing_elsewhere(two: Two) -> None:
    """A row of another project is no legal value, neither alone nor in a list."""
    for values in ({"entity": two.their_shot}, {"notes": [{"type": "Note", "id": 1}]}):
        with pytest.raises(shotgun_api3.Fault, match="Value is not legal"):
            two.limited.create("Version", {"project": two.ours, "code": "v", **values})
    with pytest.raises(shotgun_api3.Fault, match="Value is not legal"):
        two.limited.create("Sequence", {"project": two.ours, "code": "q", "shots": [two.their_shot]})


def test_the_limit_stays_on_who_acts(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, two: Two, connect: Connect
) -> None:
    """A limited script sees no more in the name of a person, in a session, or in other calls."""
    shotgun.create("HumanUser", {"login": "ann"})
    key = site.new_script_key("robot")
    acting = connect(site, script_name="robot", api_key=key, sudo_as_login="ann")
    session = connect(site, session_token=acting.get_session_token())
    for client in (acting, session):
        assert ids(client.find("Shot", [])) == [two.our_shot["id"]]
        assert ids(client.text_search("s", {"Shot": []})["matches"]) == [two.our_shot["id"]]
        with pytest.raises(shotgun_api3.Fault, match="does not exist"):
            client.activity_stream_read("Shot", two.their_shot["id"])
    stream = session.activity_stream_read("ApiUser", 1)
    assert all(each["primary_entity"] != two.their_shot for each in stream["updates"])


def test_a_script_is_limited_from_the_next_call_on(shotgun: shotgun_api3.Shotgun, two: Two) -> None:
    """Changing `projects` of the script's row takes effect at once; without any it sees all."""
    robot = shotgun.find_one("ApiUser", [["firstname", "is", "robot"]])
    shotgun.update("ApiUser", robot["id"], {"projects": [two.theirs]})
    assert ids(two.limited.find("Shot", [])) == [two.their_shot["id"]]
    shotgun.update("ApiUser", robot["id"], {"projects": []})
    assert len(two.limited.find("Shot", [])) == 2
    shotgun.delete("ApiUser", robot["id"])
    with pytest.raises(shotgun_api3.AuthenticationFault, match="Can't authenticate script 'robot'"):
        two.limited.find("Shot", [])


def test_archived_projects_can_be_left_out(shotgun: shotgun_api3.Shotgun, two: Two) -> None:
    """`include_archived_projects=False` hides archived projects and their rows; otherwise they are there."""
    shotgun.update("Project", two.theirs["id"], {"archived": True})
    for entity_type, kept in (("Project", two.ours), ("Shot", two.our_shot)):
        assert len(shotgun.find(entity_type, [])) == 2
        assert ids(shotgun.find(entity_type, [], include_archived_projects=False)) == [kept["id"]]
    counted = shotgun.summarize(
        "Shot", [], [{"field": "id", "type": "count"}], include_archived_projects=False
    )
    assert counted["summaries"] == {"id": 1}


@pytest.fixture
def ann(site: LocalSite, shotgun: shotgun_api3.Shotgun) -> Row:
    """A person who is no administrator."""
    return shotgun.create("HumanUser", {"login": "ann", "name": "Ann A", "password_proxy": "x"})


def test_people_do_the_work(site: LocalSite, two: Two, ann: Row, connect: Connect) -> None:
    """Anybody may create, change and delete the rows of a production."""
    client = connect(site, login="ann", password="x")
    shot = client.create("Shot", {"project": two.ours, "code": "a"})
    assert client.update("Shot", shot["id"], {"description": "b"})["description"] == "b"
    assert client.delete("Shot", shot["id"])
    assert client.update("HumanUser", ann["id"], {"email": "ann@example.com"})


def test_fields_of_administrators_are_read_only_for_others(
    site: LocalSite, two: Two, ann: Row, connect: Connect
) -> None:
    """Who may sign in, and which project is put away, is for administrators to say."""
    client = connect(site, login="ann", password="x")
    for entity_type, row, field, value in (
        ("HumanUser", ann, "login", "boss"),
        ("HumanUser", ann, "locked_until", None),
        ("HumanUser", ann, "projects", [two.ours]),
        ("Project", two.ours, "archived", True),
    ):
        with pytest.raises(shotgun_api3.Fault, match=f"{entity_type}.{field} is read only"):
            client.update(entity_type, row["id"], {field: value})
    site.set_permission_group("ann", "admin")
    assert client.update("Project", two.ours["id"], {"archived": True})["archived"] is True


def test_accounts_are_made_by_administrators(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: Row, connect: Connect
) -> None:
    """People and scripts are made, changed and deleted by administrators; a row of their own is not others'."""
    client = connect(site, login="ann", password="x")
    ben = shotgun.create("HumanUser", {"login": "ben"})
    with pytest.raises(shotgun_api3.Fault, match="can not be created by this user"):
        client.create("HumanUser", {"name": "eve"})
    with pytest.raises(shotgun_api3.Fault, match="can not be created by this user"):
        client.create("ApiUser", {"firstname": "eve"})
    with pytest.raises(shotgun_api3.Fault, match=forbidden("update", ben, "updated")):
        client.update("HumanUser", ben["id"], {"email": "eve@example.com"})
    for row in (ben, ann, {"type": "ApiUser", "id": 1}):
        with pytest.raises(shotgun_api3.Fault, match=forbidden("delete", row, "deleted")):
            client.delete(row["type"], row["id"])


def test_only_administrators_give_permissions(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: Row, connect: Connect
) -> None:
    """`permission_rule_set` is read-only for scripts and ordinary people, and open to administrators."""
    artist = shotgun.find_one("PermissionRuleSet", [["code", "is", "artist"]])
    client = connect(site, login="ann", password="x")
    for each in (shotgun, client):
        with pytest.raises(shotgun_api3.Fault, match=r"HumanUser\.permission_rule_set is read only"):
            each.update("HumanUser", ann["id"], {"permission_rule_set": artist})
    site.set_permission_group("ann", "admin")
    ben = shotgun.create("HumanUser", {"login": "ben"})
    written = client.update("HumanUser", ben["id"], {"permission_rule_set": artist})
    assert written["permission_rule_set"]["id"] == artist["id"]


def test_the_schema_is_edited_by_administrators(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: Row, connect: Connect
) -> None:
    """Scripts and administrators make, change, delete and revive fields; others do not, whoever acts as them."""
    name = shotgun.schema_field_create("Shot", "text", "Look")
    client = connect(site, login="ann", password="x")
    acting = connect(site, script_name=site.script_name, api_key=site.api_key, sudo_as_login="ann")
    before = shotgun.schema_field_read("Shot")
    for each in (client, acting):
        for method, verb, words in (
            ("schema_field_create", "created", ("Shot", "text", "Other")),
            ("schema_field_update", "updated", ("Shot", name, {"name": "Other"})),
            ("schema_field_update", "updated", ("Shot", name, {})),
            ("schema_field_delete", "deleted", ("Shot", name)),
            ("schema_field_create", "created", ("Shto", "text", "Other")),
        ):
            refused = FORBIDDEN.format(method, "DisplayColumn", 0, verb)
            with pytest.raises(shotgun_api3.Fault, match=refused):
                getattr(each, method)(*words)
    assert shotgun.schema_field_read("Shot") == before
    site.set_permission_group("ann", "manager")
    with pytest.raises(shotgun_api3.Fault, match="can not be deleted by this user"):
        client.schema_field_delete("Shot", name)
    site.set_permission_group("ann", "admin")
    assert client.schema_field_update("Shot", name, {"name": "Other"}) is True
    assert acting.schema_field_delete("Shot", name) is True


def test_editable_is_each_callers_own(
    site: LocalSite, shotgun: shotgun_api3.Shotgun, ann: Row, connect: Connect
) -> None:
    """`editable` is false for what the caller may not write anyhow: what it says is what a write gets."""
    client = connect(site, login="ann", password="x")

    def editable(asking: shotgun_api3.Shotgun, entity_type: str, field: str) -> bool:
        return asking.schema_field_read(entity_type, field)[field]["editable"]["value"]

    for entity_type, field, theirs in (
        ("Shot", "code", True),
        ("HumanUser", "email", True),  # of her own row
        ("HumanUser", "login", False),
        ("Project", "archived", False),
        ("Project", "name", True),
        ("LocalStorage", "code", False),
        ("ApiUser", "description", False),
    ):
        assert editable(shotgun, entity_type, field) is True
        assert editable(client, entity_type, field) is theirs
        assert client.schema_read()[entity_type][field]["editable"]["value"] is theirs
    assert editable(shotgun, "Shot", "id") is editable(client, "Shot", "id") is False


def test_the_keeper_is_told_of_unknown_names(site: LocalSite, ann: Row) -> None:
    """A group, a login or a script that the site does not have is an error that names it."""
    with pytest.raises(ValueError, match="no permission group of people is called 'king'"):
        site.set_permission_group("ann", "king")
    with pytest.raises(ValueError, match="no script on this site is called 'hal'"):
        site.new_script_key("hal")
    site.set_password("ann", "")
    with pytest.raises(ValueError, match="'ann' has no password yet"):
        site.require_one_time_code("ann", "1")
