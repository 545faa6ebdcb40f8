"""Applying a TaskTemplate: the tasks of a row, made when it names a template."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault

DAY = 480


@pytest.fixture
def template(direct):
    """A template with a model task, and a rig task that waits for it and has all there is to copy."""
    ann = direct.link(direct.create("HumanUser", login="ann", name="Ann A"))
    step = direct.link(direct.create("Step", code="Rig", short_name="RIG", entity_type="Asset"))
    template = direct.link(direct.create("TaskTemplate", code="Character", entity_type="Asset"))
    model = direct.link(direct.create("Task", task_template=template, content="Model"))
    direct.create(
        "Task", task_template=template, content="Rig", step=step, sg_sort_order=20, sg_status_list="rdy",
        est_in_mins=600, sg_description="bones", task_assignees=[ann], start_date="2024-05-01",
        duration=2 * DAY, upstream_tasks=[{**model, "dependency_type": "start-to-start", "offset_days": 3}],
    )  # fmt: skip
    return template


def tasks_of(direct, entity, *fields):
    found = direct.find("Task", "entity", *fields)
    return [each for each in found if each["entity"] and direct.link(each["entity"]) == entity]


def test_a_created_row_gets_the_tasks_of_its_template(direct, template):
    """Each template task is copied with its values, its assignees and what it was made from."""
    asset = direct.make("Asset", code="lamp", task_template=template)
    fields = ("content", "project", "step", "sg_sort_order", "sg_status_list", "est_in_mins", "sg_description",
              "task_assignees", "start_date", "due_date", "duration", "template_task", "task_template")  # fmt: skip
    model, rig = tasks_of(direct, asset, *fields)
    assert (model["content"], model["template_task"]["id"], model["sg_status_list"]) == ("Model", 1, "wtg")
    assert {name: rig[name] for name in fields} == {
        "content": "Rig", "project": {**direct.project, "name": "demo"},
        "step": {"type": "Step", "id": 1, "name": "Rig"},
        "sg_sort_order": 20, "sg_status_list": "rdy", "est_in_mins": 600, "sg_description": "bones",
        "task_assignees": [{"type": "HumanUser", "id": 1, "name": "Ann A"}], "start_date": "2024-05-01",
        "due_date": "2024-05-02", "duration": 2 * DAY, "template_task": {"type": "Task", "id": 2, "name": "Rig"},
        "task_template": None,
    }  # fmt: skip


def test_the_dependencies_are_copied(direct, template):
    """The new tasks wait for each other as those of the template do."""
    asset = direct.make("Asset", task_template=template)
    model, rig = tasks_of(direct, asset)
    found = direct.find("TaskDependency", "task_id", "dependent_task_id", "dependency_type", "offset_days")
    assert [(each["task_id"], each["dependent_task_id"]) for each in found] == [
        (2, 1),
        (rig["id"], model["id"]),
    ]
    assert (found[1]["dependency_type"], found[1]["offset_days"]) == ("start-to-start", 3)


def test_the_answer_does_not_show_the_tasks_yet(direct, template):
    """The create answers `tasks: []` though the tasks are there."""
    row = direct.create("Asset", ["tasks"], project=direct.project, task_template=template)
    assert row["tasks"] == []
    assert len(direct.value(row, "tasks")) == 2


def test_a_change_of_template_adds_what_is_missing(direct, template):
    """Only another template is applied, and only with the tasks that were not made before."""
    asset = direct.make("Asset")
    direct.update(asset, task_template=template)
    assert len(tasks_of(direct, asset)) == 2
    direct.delete(tasks_of(direct, asset)[0])
    assert direct.update(asset, task_template=template)["task_template"]["id"] == 1
    assert len(tasks_of(direct, asset)) == 1
    direct.update(asset, task_template=None)
    direct.update(asset, task_template=template)
    assert sorted(each["content"] for each in tasks_of(direct, asset, "content")) == ["Model", "Rig"]


def test_applying_a_template_is_told_in_the_log(direct, template):
    """Each made task has its New event, and one for the template task it points to."""
    events = direct.events_of(lambda: direct.make("Asset", task_template=template))
    assert [each["event_type"] for each in events].count("Shotgun_Task_New") == 2
    assert [each["attribute_name"] for each in events if each["entity"]["type"] == "Task"].count(
        "template_task"
    ) == 2


def test_a_template_task_takes_no_project(direct, template):
    """Neither does a task of a project take a template: the recorded words refuse it on update, too."""
    own, other = {"type": "Task", "id": 1}, direct.make("Task")
    for act in (
        lambda: direct.update(own, project=direct.project),
        lambda: direct.update(other, task_template=template),
    ):
        with pytest.raises(
            SiteFault, match=r"^API update\(\) Invalid Task: a task template may not have a project:"
        ):
            act()


def test_task_count_reads_as_a_string(direct, template):
    """It counts the living tasks of the template, and those made from it do not matter."""
    direct.make("Asset", task_template=template)
    assert direct.value(template, "task_count") == "2"
    direct.delete({"type": "Task", "id": 1})
    assert direct.value(template, "task_count") == "1"
    direct.revive({"type": "Task", "id": 1})
    assert direct.value(template, "task_count") == "2"
