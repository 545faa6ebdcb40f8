"""Lists of links: update modes, and relations that are seen from both ends."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault


@pytest.fixture
def assets(direct):
    return [direct.make("Asset", code=code) for code in ("a", "b", "c")]


def test_set_add_and_remove(direct, assets):
    """The three modes, which answer with the whole resulting list."""
    a, b, c = assets
    shot = direct.make("Shot", assets=[a, b, a])
    assert direct.names(shot, "assets") == ["a", "b"]
    answer = direct.update(shot, {"assets": "add"}, assets=[b, c])
    assert sorted(each["name"] for each in answer["assets"]) == ["a", "b", "c"]
    direct.update(shot, {"assets": "remove"}, assets=[a, c])
    assert direct.names(shot, "assets") == ["b"]
    direct.update(shot, assets=c)  # a single link serves as a list of one
    assert direct.names(shot, "assets") == ["c"]
    direct.update(shot, {"assets": "set"}, assets=[])
    assert direct.names(shot, "assets") == []


def test_removing_what_is_not_linked_does_nothing(direct, assets):
    """Absent elements, even rows that do not exist, are no-ops of `remove`."""
    shot = direct.make("Shot", assets=[assets[0]])
    gone = {"type": "Asset", "id": 99}
    direct.later()
    assert direct.events_of(lambda: direct.update(shot, {"assets": "remove"}, assets=[assets[1], gone])) == []
    assert direct.value(shot, "updated_at") == "2024-05-01T10:00:00Z"


def test_an_unknown_mode_is_refused(direct, assets):
    """Modes are set, add and remove."""
    shot = direct.make("Shot")
    with pytest.raises(SiteFault, match="invalid 'multi_entity_update_mode' \"append\""):
        direct.update(shot, {"assets": "append"}, assets=assets)


@pytest.mark.parametrize(
    ("one", "field", "many", "other"),
    [
        ("Shot", "assets", "Asset", "shots"),
        ("Asset", "assets", "Asset", "parents"),
        ("Shot", "shots", "Shot", "parent_shots"),
        ("Task", "upstream_tasks", "Task", "downstream_tasks"),
        ("Playlist", "versions", "Version", "playlists"),
        ("PublishedFile", "upstream_published_files", "PublishedFile", "downstream_published_files"),
        ("Note", "note_links", "Shot", "notes"),
        ("Note", "tasks", "Task", "notes"),
        ("Ticket", "tickets", "Ticket", "tickets"),
        ("Sequence", "shots", "Shot", "sg_sequence"),
        ("Cut", "cut_items", "CutItem", "cut"),
        ("Asset", "tasks", "Task", "entity"),
        ("Shot", "sg_versions", "Version", "entity"),
        ("Note", "attachments", "Attachment", "attachment_links"),
    ],
)
def test_both_ends_show_one_link(direct, one, field, many, other):
    """Writing either end of a relation changes the other, and so does unlinking."""
    owner, element = direct.make(one), direct.make(many)
    is_list = direct.store.schema.types[many].fields[other].is_list

    def far():
        value = direct.value(element, other)
        return [direct.link(each) for each in (value if is_list else [value] if value else [])]

    def near():
        return [direct.link(each) for each in direct.value(owner, field)]

    direct.update(owner, **{field: [element]})
    assert (near(), far()) == ([element], [owner])
    direct.update(owner, {field: "remove"}, **{field: [element]})
    assert (near(), far()) == ([], [])
    direct.update(element, **{other: [owner] if is_list else owner})
    assert (near(), far()) == ([element], [owner])
    direct.update(element, **{other: [] if is_list else None})
    assert (near(), far()) == ([], [])


def test_a_shot_has_one_sequence(direct):
    """Adding a shot to another sequence takes it from its old one, and marks the shot as updated."""
    shot = direct.make("Shot", code="s")
    old, new = direct.make("Sequence", shots=[shot]), direct.make("Sequence")
    moment = direct.later()
    direct.update(new, {"shots": "add"}, shots=[shot])
    assert direct.names(old, "shots") == []
    assert direct.value(shot, "sg_sequence")["id"] == new["id"]
    assert direct.value(shot, "updated_at") == moment


def test_open_notes_are_those_still_open(direct):
    """A closed note leaves `open_notes` and stays in `notes`."""
    shot = direct.make("Shot")
    note = direct.make("Note", subject="n", note_links=[shot])
    assert direct.names(shot, "open_notes") == ["n"]
    direct.update(note, sg_status_list="clsd")
    assert direct.names(shot, "open_notes") == []
    assert direct.names(shot, "notes") == ["n"]


def test_a_list_with_elements_of_several_types(direct):
    """A Note links rows of any type; equal ids of different types stay apart."""
    shot, asset = direct.make("Shot", code="s"), direct.make("Asset", code="a")
    assert shot["id"] == asset["id"]
    note = direct.make("Note", note_links=[shot, asset])
    assert direct.names(note, "note_links") == ["a", "s"]
    direct.update(note, {"note_links": "remove"}, note_links=[asset])
    assert direct.names(note, "note_links") == ["s"]
    assert direct.value(asset, "notes") == []


def test_links_to_retired_rows_are_hidden_and_come_back(direct, assets):
    """A retired element drops out of the list, survives `add`, and reappears on revive."""
    a, b, c = assets
    shot = direct.make("Shot", assets=[a, b])
    direct.delete(a)
    assert direct.names(shot, "assets") == ["b"]
    direct.update(shot, {"assets": "add"}, assets=[c])
    direct.revive(a)
    assert direct.names(shot, "assets") == ["a", "b", "c"]
    direct.delete(a)
    direct.update(shot, assets=[b])
    direct.revive(a)
    assert direct.names(shot, "assets") == ["b"]


def test_links_are_rows_of_the_connection_type(direct):
    """A many-to-many link is a row that can be found, extended and deleted like others."""
    version = direct.make("Version", code="v1")
    playlist = direct.make("Playlist", versions=[version])
    (row,) = direct.find("PlaylistVersionConnection", "playlist", "version.Version.code", "sg_sort_order")
    assert row["playlist"]["id"] == playlist["id"]
    assert (row["version.Version.code"], row["sg_sort_order"]) == ("v1", None)
    direct.update(row, sg_sort_order=3)
    direct.update(playlist, {"versions": "add"}, versions=[version])
    assert direct.find("PlaylistVersionConnection", "sg_sort_order")[0]["sg_sort_order"] == 3
    direct.delete(row)
    assert direct.names(playlist, "versions") == []
    direct.update(playlist, versions=[version])
    with pytest.raises(SiteFault, match="There is already a connection between the entities"):
        direct.revive(row)


def test_a_connection_row_made_directly_is_a_link(direct):
    """Creating the connection links both ends; a second one of the same pair is refused."""
    upstream, downstream = direct.make("Task", content="up"), direct.make("Task", content="down")
    direct.create("TaskDependency", task=downstream, dependent_task=upstream, offset_days=2)
    assert direct.names(downstream, "upstream_tasks") == ["up"]
    assert direct.names(upstream, "downstream_tasks") == ["down"]
    with pytest.raises(SiteFault, match="There is already a connection between the entities"):
        direct.create("TaskDependency", task=downstream, dependent_task=upstream)
    with pytest.raises(SiteFault, match="missing 'dependent_task' attribute"):
        direct.create("TaskDependency", task=downstream)
    with pytest.raises(SiteFault, match="Task expected, got Project"):
        direct.create("TaskDependency", task=downstream, dependent_task=direct.project)


def test_ids_of_removed_connections_do_not_come_back(direct, assets):
    """Unlinking removes the connection row; linking again makes one with a new id."""
    shot = direct.make("Shot", assets=[assets[0]])
    (before,) = direct.find("AssetShotConnection")
    direct.update(shot, assets=[])
    assert (
        direct.find("AssetShotConnection") == direct.find("AssetShotConnection", return_only="retired") == []
    )
    direct.update(shot, assets=[assets[0]])
    assert direct.find("AssetShotConnection")[0]["id"] == before["id"] + 1


def test_extra_keys_of_elements_reach_the_connection(direct):
    """A dependency may carry its type along with the link."""
    upstream = direct.make("Task")
    direct.make("Task", upstream_tasks=[{**upstream, "dependency_type": "start-to-start", "name": "x"}])
    assert direct.find("TaskDependency", "dependency_type")[0]["dependency_type"] == "start-to-start"


def test_replies_taken_off_a_note_are_retired(direct):
    """A reply that is set aside is destroyed, as a real site does; its note is kept for a revival."""
    note = direct.make("Note", subject="n")
    reply = direct.link(direct.create("Reply", content="ok", entity=note))
    assert direct.names(note, "replies") == ["ok"]
    assert direct.update(note, replies=[]) == {**note, "replies": []}
    assert direct.find("Reply") == []
    direct.revive(reply)
    assert direct.names(note, "replies") == ["ok"]


def test_tags_by_name(direct):
    """`tag_list` names tags, makes the missing ones, and shows the same links as `tags`."""
    task = direct.make("Task", tag_list=["fx", "Hero"])
    assert sorted(direct.value(task, "tag_list")) == direct.names(task, "tags") == ["Hero", "fx"]
    other = direct.make("Shot", tag_list=["FX"])
    assert len(direct.find("Tag")) == 2
    assert direct.value(other, "tag_list") == ["fx"]
    direct.update(task, {"tag_list": "remove"}, tag_list=["fx", "never"])
    assert direct.names(task, "tags") == ["Hero"]
    assert len(direct.find("Tag")) == 2


def test_many_links_at_once(direct):
    """A list longer than one statement may bind is stored whole."""
    requests = [
        {"request_type": "create", "type": "Tag", "fields": [{"field_name": "name", "value": f"t{number}"}]}
        for number in range(300)
    ]
    tags = [direct.link(each) for each in direct.batch(*requests)]
    shot = direct.make("Shot", tags=tags)
    assert len(direct.value(shot, "tags")) == 300
    direct.update(shot, tags=tags[:1])
    assert len(direct.value(shot, "tags")) == 1
