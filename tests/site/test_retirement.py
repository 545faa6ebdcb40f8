"""Delete and revive: what vanishes, what goes along, and what comes back."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault


def test_delete_and_revive_say_whether_anything_changed(direct):
    """True the first time, false the second; the row keeps its id and data."""
    shot = direct.make("Shot", code="a")
    assert (direct.delete(shot), direct.delete(shot)) == (True, False)
    assert direct.find("Shot") == []
    assert direct.find("Shot", "code", return_only="retired") == [{**shot, "code": "a"}]
    assert (direct.revive(shot), direct.revive(shot)) == (True, False)
    assert direct.find("Shot", "code") == [{**shot, "code": "a"}]


@pytest.mark.parametrize("method", ["delete", "revive"])
def test_a_row_that_never_existed(direct, method):
    """Deleting or reviving it is a fault, not false."""
    with pytest.raises(SiteFault) as caught:
        direct.call(method, {"type": "Shot", "id": 1000000})
    assert caught.value.message == (
        f"API {method}() CRUD ERROR #3: Entity of type [Shot] with id=1000000 does not exist."
    )


def test_links_to_a_retired_row_read_null(direct):
    """An entity link reads null while its target is retired, and comes back with it."""
    sequence = direct.make("Sequence", code="s")
    shot = direct.make("Shot", sg_sequence=sequence)
    direct.delete(sequence)
    assert direct.value(shot, "sg_sequence") is None
    direct.revive(sequence)
    assert direct.value(shot, "sg_sequence") == {**sequence, "name": "s"}


def test_versions_go_and_come_with_their_shot(direct):
    """Deleting a Shot retires its Versions; its revival brings exactly those back."""
    shot = direct.make("Shot")
    kept, gone = direct.make("Version", entity=shot), direct.make("Version", entity=shot)
    direct.delete(gone)
    direct.delete(shot)
    assert direct.find("Version") == []
    direct.revive(shot)
    assert direct.find("Version") == [kept]
    assert direct.value(shot, "sg_versions")[0]["id"] == kept["id"]


def test_a_version_revived_by_itself_stays_when_its_shot_goes_again(direct):
    """A row brought back alone belongs to its parent's fate again, once."""
    shot = direct.make("Shot")
    version = direct.make("Version", entity=shot)
    direct.delete(shot)
    assert direct.revive(version) is True
    assert direct.find("Version") == [version]
    assert direct.revive(shot) is True
    direct.delete(shot)
    assert direct.find("Version") == []


def test_dependencies_go_and_come_with_their_task(direct):
    """Deleting a Task retires its dependencies with the same ids on revive; neighbours are not joined."""
    first, second, third = (direct.make("Task", content=name) for name in "abc")
    direct.update(second, upstream_tasks=[first], downstream_tasks=[third])
    version = direct.make("Version", sg_task=second)
    rows = direct.find("TaskDependency")
    assert len(rows) == 2
    direct.delete(second)
    assert direct.find("TaskDependency") == []
    assert direct.value(version, "sg_task") is None
    assert direct.value(first, "downstream_tasks") == []
    direct.revive(second)
    assert direct.find("TaskDependency") == rows
    assert direct.names(second, "upstream_tasks") == ["a"]
    assert direct.names(third, "upstream_tasks") == ["b"]


def test_a_template_takes_its_own_tasks_along(direct):
    """Deleting a TaskTemplate retires the tasks it consists of, and no others."""
    template = direct.link(direct.create("TaskTemplate"))
    own = direct.link(direct.create("Task", task_template=template))
    other = direct.make("Task")
    direct.delete(template)
    assert direct.find("Task") == [other]
    direct.revive(template)
    assert [each["id"] for each in direct.find("Task")] == [own["id"], other["id"]]


def test_cascades_reach_further_down(direct):
    """What goes along takes its own dependents: an Asset's Version takes Versions of that Version."""
    asset = direct.make("Asset")
    version = direct.make("Version", entity=asset)
    direct.make("Version", entity=version)
    direct.delete(asset)
    assert direct.find("Version") == []
    direct.revive(asset)
    assert len(direct.find("Version")) == 2


def test_a_revival_that_would_clash_changes_nothing(direct):
    """When the name is taken, the row stays retired, and so does all that would come with it."""
    person = direct.link(direct.create("HumanUser", login="ann"))
    direct.delete(person)
    direct.create("HumanUser", login="ANN")
    with pytest.raises(SiteFault, match="required to be unique"):
        direct.revive(person)
    assert [each["id"] for each in direct.find("HumanUser", return_only="retired")] == [person["id"]]
