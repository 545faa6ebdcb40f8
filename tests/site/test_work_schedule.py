"""Working days: read, changed at three levels, and what that does to the dates of tasks."""

from __future__ import annotations

from typing import Any

import pytest
import shotgun_api3

MONDAY, TUESDAY, FRIDAY, SUNDAY = "2024-05-06", "2024-05-07", "2024-05-03", "2024-05-05"


@pytest.fixture
def project(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A project as it stands in answers."""
    made = shotgun.create("Project", {"name": "Demo"})
    return {"type": "Project", "id": made["id"], "name": "Demo"}


@pytest.fixture
def person(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A person as they stand in answers."""
    made = shotgun.create("HumanUser", {"name": "Ann A", "login": "ann"})
    return {"type": "HumanUser", "id": made["id"], "name": "Ann A"}


def test_the_work_week_is_monday_to_friday(shotgun: shotgun_api3.Shotgun) -> None:
    """One entry a day, both ends included."""
    schedule = shotgun.work_schedule_read(FRIDAY, MONDAY)
    assert list(schedule) == [FRIDAY, "2024-05-04", SUNDAY, MONDAY]
    assert [each["working"] for each in schedule.values()] == [True, False, False, True]
    assert schedule[MONDAY] == {"working": True, "description": None, "reason": "STUDIO_WORK_WEEK"}


def test_an_exception_of_the_studio_holds_for_all(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], person: dict[str, Any]
) -> None:
    """The answer repeats what was said; every calendar shows it."""
    answer = shotgun.work_schedule_update(MONDAY, False, "Studio Holiday")
    said = {"date": MONDAY, "description": "Studio Holiday", "project": None, "user": None, "working": False}
    assert answer == said
    rule = {"working": False, "description": "Studio Holiday", "reason": "STUDIO_EXCEPTION"}
    assert shotgun.work_schedule_read(MONDAY, MONDAY) == {MONDAY: rule}
    assert shotgun.work_schedule_read(MONDAY, MONDAY, project, person) == {MONDAY: rule}


def test_the_most_specific_word_counts(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], person: dict[str, Any]
) -> None:
    """A person's goes before a project's, and that before the studio's."""
    shotgun.work_schedule_update(MONDAY, False, "Studio Holiday")
    answer = shotgun.work_schedule_update(MONDAY, True, "Delivery", project=project)
    assert (answer["project"], answer["user"]) == (project, None)
    answer = shotgun.work_schedule_update(MONDAY, False, user=person)
    assert (answer["project"], answer["user"]) == (None, person)

    def reason(**owners: Any) -> tuple[bool, str]:
        rule = shotgun.work_schedule_read(MONDAY, MONDAY, **owners)[MONDAY]
        return rule["working"], rule["reason"]

    assert reason() == (False, "STUDIO_EXCEPTION")
    assert reason(project=project) == (True, "PROJECT_EXCEPTION")
    assert reason(user=person) == (False, "USER_EXCEPTION")
    assert reason(project=project, user=person) == (False, "USER_EXCEPTION")


def test_a_day_may_be_changed_again(shotgun: shotgun_api3.Shotgun) -> None:
    """The last word stands; other days stay as they are."""
    shotgun.work_schedule_update(SUNDAY, True, "Overtime")
    shotgun.work_schedule_update(SUNDAY, False, None)
    rule = {"working": False, "description": None, "reason": "STUDIO_EXCEPTION"}
    assert shotgun.work_schedule_read(SUNDAY, SUNDAY) == {SUNDAY: rule}
    assert shotgun.work_schedule_read(MONDAY, MONDAY)[MONDAY]["reason"] == "STUDIO_WORK_WEEK"


def test_unknown_owners_read_the_calendar_of_the_studio(shotgun: shotgun_api3.Shotgun) -> None:
    """Without a word; but nothing is written for them."""
    nobody = {"type": "HumanUser", "id": 99}
    assert shotgun.work_schedule_read(MONDAY, MONDAY, {"type": "Project", "id": 99}, nobody)
    with pytest.raises(shotgun_api3.Fault, match=r"Entity of type \[HumanUser\] with id=99 does not exist"):
        shotgun.work_schedule_update(MONDAY, False, user=nobody)
    assert shotgun.work_schedule_read(MONDAY, MONDAY)[MONDAY]["working"] is True


def test_dates_of_tasks_count_the_exceptions(shotgun: shotgun_api3.Shotgun, project: dict[str, Any]) -> None:
    """A holiday within a task is no day of work."""
    shotgun.work_schedule_update(MONDAY, False, "Holiday", project=project)
    values = {"project": project, "start_date": FRIDAY, "due_date": TUESDAY}
    task = shotgun.create("Task", {**values, "content": "Comp"}, ["duration"])
    assert task["duration"] == 2 * 8 * 60


@pytest.mark.parametrize(
    ("recalculated", "expected"),
    [
        ("duration", (TUESDAY, 2 * 8 * 60)),
        ("due_date", ("2024-05-08", 3 * 8 * 60)),
        (None, (TUESDAY, 3 * 8 * 60)),
    ],
)
def test_tasks_are_recalculated_as_asked(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any], recalculated: str, expected: tuple[str, int]
) -> None:
    """A new holiday shortens the tasks that are worked on that day, or moves their ends; null leaves them."""
    values = {"project": project, "start_date": FRIDAY, "due_date": TUESDAY}
    task = shotgun.create("Task", {**values, "content": "Comp"})
    shotgun.work_schedule_update(MONDAY, False, "Holiday", recalculate_field=recalculated)
    found = shotgun.find_one("Task", [["id", "is", task["id"]]], ["start_date", "due_date", "duration"])
    assert found["start_date"] == FRIDAY
    assert (found["due_date"], found["duration"]) == expected


def test_a_holiday_of_one_project_moves_no_task_of_another(
    shotgun: shotgun_api3.Shotgun, project: dict[str, Any]
) -> None:
    """Only what the calendar is for is recalculated."""
    other = shotgun.create("Project", {"name": "Other"})
    values = {"start_date": FRIDAY, "due_date": TUESDAY}
    task = shotgun.create("Task", {**values, "project": other, "content": "Comp"})
    shotgun.work_schedule_update(MONDAY, False, project=project, recalculate_field="duration")
    found = shotgun.find_one("Task", [["id", "is", task["id"]]], ["duration"])
    assert found["duration"] == 3 * 8 * 60


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"start_date": MONDAY}, "invalid/missing date 'end_date'"),
        ({"start_date": "2024-02-30", "end_date": MONDAY}, "invalid/missing date 'start_date'"),
        ({"start_date": "5/6/24", "end_date": MONDAY}, "invalid/missing date 'start_date'"),
        (
            {"start_date": MONDAY, "end_date": FRIDAY},
            "'end_date' must be greater than or equal to 'start_date'",
        ),
        ({"start_date": "0001-01-01", "end_date": "9999-12-31"}, "at most 36600 days"),
        ({"start_date": MONDAY, "end_date": MONDAY, "project": 4}, "entity hash 'project'"),
        ({"start_date": MONDAY, "end_date": MONDAY, "user": {"type": "Shot", "id": 1}}, "'user' 'type'"),
    ],
)
def test_what_is_no_span_is_refused(
    demo_shotgun: shotgun_api3.Shotgun, params: dict[str, Any], words: str
) -> None:
    """The refusal names the parameter."""
    with pytest.raises(shotgun_api3.Fault) as caught:
        demo_shotgun._call_rpc("work_schedule_read", params)
    assert str(caught.value).startswith("API work_schedule_read() ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"date": None}, "'date'"),
        ({"working": None}, "'working'"),
        ({"working": 1}, "'working'"),
        ({"description": 5}, "'description'"),
        ({"description": "a\x00b"}, "null byte"),
        ({"recalculate_field": "start_date"}, "'recalculate_field'"),
        ({"recalculate_field": []}, "'recalculate_field'"),
        (
            {"project": {"type": "Project", "id": 1}, "user": {"type": "HumanUser", "id": 1}},
            "'project' and 'user' exclude each other",
        ),
    ],
)
def test_what_says_nothing_of_a_day_is_refused(
    demo_shotgun: shotgun_api3.Shotgun, changed: dict[str, Any], words: str
) -> None:
    """The refusal names the parameter, and the schedule is as it was."""
    with pytest.raises(shotgun_api3.Fault) as caught:
        demo_shotgun._call_rpc("work_schedule_update", {"date": MONDAY, "working": False, **changed})
    assert str(caught.value).startswith("API work_schedule_update() ")
    assert words in str(caught.value)
    assert demo_shotgun.work_schedule_read(MONDAY, MONDAY)[MONDAY]["reason"] == "STUDIO_WORK_WEEK"
