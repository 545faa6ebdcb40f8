"""Fixtures in words that read like the production they make."""

from __future__ import annotations

from datetime import date

import pytest

from sgsession.site import LocalSite, SiteFault


def test_a_production_in_one_line(site, shotgun):
    """A chain of names makes each row, linked to the ones before it, with its pipeline step."""
    comp = site.project("Demo").sequence("AA").shot("AA_010").task("Comp")
    fields = ["content", "entity", "project.Project.name", "step.Step.code", "step.Step.entity_type"]
    (row,) = shotgun.find("Task", [], [*fields, "entity.Shot.sg_sequence"])
    assert row["id"] == comp.id
    assert (row["content"], row["entity"]["name"], row["project.Project.name"]) == ("Comp", "AA_010", "Demo")
    assert (row["step.Step.code"], row["step.Step.entity_type"]) == ("Comp", "Shot")
    assert row["entity.Shot.sg_sequence"]["name"] == "AA"
    assert comp.link == {"type": "Task", "id": comp.id}


def test_asking_twice_gives_the_same(site, shotgun):
    """A name within its parent stands for one row; under another parent it is another row."""
    demo = site.project("Demo")
    first = demo.sequence("AA").shot("010")
    assert site.project("Demo").sequence("AA").shot("010").link == first.link
    assert demo.sequence("BB").shot("010").id != first.id
    assert site.project("Other").sequence("AA").shot("010").id != first.id
    assert demo.sequence("aa").id != demo.sequence("AA").id
    tasks = [first.task("Comp").id, first.task("Comp").id, first.task("Light", step="Lighting").id]
    assert tasks[0] == tasks[1]
    assert len(shotgun.find("Task", [])) == 2
    assert {row["code"] for row in shotgun.find("Step", [], ["code"])} == {"Comp", "Lighting"}
    other = demo.shot("020").note("Dark").id
    assert first.note("Dark").id == first.note("Dark").id != other
    assert demo.shot("010").link == first.link  # asked of the project: wherever in it


def test_fields_are_written(site, shotgun):
    """Fields come by keyword or as a dict, with rows, lists and dates as values; asked again they change."""
    ann = site.person("Ann Animator", email="ann@x.test")
    shot = site.project("Demo").shot("010", {"sg_cut_in": 1001}, sg_status_list="ip")
    task = shot.task("Anim", task_assignees=[ann], due_date=date(2024, 5, 1))
    row = shotgun.find_one("Task", [["id", "is", task.id]], ["task_assignees", "due_date"])
    assert [each["name"] for each in row["task_assignees"]] == ["Ann Animator"]
    assert row["due_date"] == "2024-05-01"
    site.project("Demo").shot("010", sg_cut_in=1009)
    row = shotgun.find_one("Shot", [["id", "is", shot.id]], ["sg_cut_in", "sg_status_list"])
    assert (row["sg_cut_in"], row["sg_status_list"]) == (1009, "ip")
    person = shotgun.find_one("HumanUser", [], ["login", "firstname", "email"])
    assert (person["login"], person["firstname"], person["email"]) == ("ann.animator", "Ann", "ann@x.test")
    assert site.person("Ann Animator").id == ann.id


def test_work_belongs_to_what_it_is_for(site, shotgun):
    """Versions, files and notes made of a task or a version know the shot, the task and the version."""
    shot = site.project("Demo").sequence("AA").shot("010")
    version = shot.task("Comp").version("v1")
    published = version.published_file("v1.exr")
    note = version.note("Too dark", content="Lift it.")
    on_task = shot.task("Comp").note("Start")
    row = shotgun.find_one("Version", [], ["entity", "sg_task"])
    assert (row["entity"]["id"], row["sg_task"]["name"]) == (shot.id, "Comp")
    row = shotgun.find_one("PublishedFile", [["id", "is", published.id]], ["entity", "task", "version"])
    assert (row["entity"]["id"], row["task"]["name"], row["version"]["id"]) == (shot.id, "Comp", version.id)
    row = shotgun.find_one("Note", [["id", "is", note.id]], ["note_links", "content"])
    assert (row["note_links"][0]["id"], row["content"]) == (version.id, "Lift it.")
    row = shotgun.find_one("Note", [["id", "is", on_task.id]], ["tasks"])
    assert row["tasks"][0]["name"] == "Comp"


def test_assets_of_a_shot(site, shotgun):
    """An asset belongs to its project; asked of a shot or sequence, it is used there as well."""
    demo = site.project("Demo")
    tree = demo.asset("Tree", sg_asset_type="Prop")
    shot = demo.sequence("AA").shot("010")
    assert shot.asset("Tree").id == tree.id
    shot.asset("Rock")
    row = shotgun.find_one("Shot", [], ["assets"])
    assert sorted(each["name"] for each in row["assets"]) == ["Rock", "Tree"]


def test_what_is_built_leaves_events_and_has_defaults(site, shotgun):
    """The rows are made as a client makes them: with defaults, an author and events."""
    shot = site.project("Demo").shot("010")
    row = shotgun.find_one("Shot", [], ["sg_status_list", "created_by"])
    assert (row["sg_status_list"], row["created_by"]["type"]) == ("wtg", "ApiUser")
    events = shotgun.find("EventLogEntry", [["entity", "is", shot.link]], ["event_type"])
    assert events[0]["event_type"] == "Shotgun_Shot_New"
    assert site.requests[-1].method == "read"  # of the client; building goes over no socket


def test_wrong_fields_are_refused():
    """A field that the site does not have is refused in the site's words."""
    with LocalSite(serve=False) as site, pytest.raises(SiteFault, match=r"Shot\.colour doesn't exist"):
        site.project("Demo").shot("010", colour="red")
