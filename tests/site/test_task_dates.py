"""A Task's start, due date and duration, its milestone flag and its segments."""

from __future__ import annotations

from datetime import date

import pytest

from sgsession.site.call import Call
from sgsession.site.faults import SiteFault
from sgsession.site.tasks.working_days import WorkCalendar

# 2024-05-01 is a Wednesday.
DAY = 480


def dates(direct, task):
    """The triple of a task."""
    row = direct.call("read", {
        "type": "Task", "return_fields": ["start_date", "due_date", "duration"], "return_only": "active",
        "filters": {"logical_operator": "and", "conditions": [
            {"path": "id", "relation": "is", "values": [task["id"]]}]},
        "paging": {"entities_per_page": 1, "current_page": 1},
    })["entities"][0]  # fmt: skip
    return row["start_date"], row["due_date"], row["duration"]


@pytest.mark.parametrize(
    ("before", "write", "after"),
    [
        # Nothing or one of the three is there.
        ({}, {"start_date": "2024-05-01"}, ("2024-05-01", None, None)),
        ({"start_date": "2024-05-01"}, {"start_date": "2024-05-02"}, ("2024-05-02", None, None)),
        ({"start_date": "2024-05-01"}, {"due_date": "2024-05-02"}, ("2024-05-01", "2024-05-02", 2 * DAY)),
        ({"start_date": "2024-05-01"}, {"duration": 4 * DAY}, ("2024-05-01", "2024-05-06", 4 * DAY)),
        ({"due_date": "2024-05-06"}, {"start_date": "2024-05-03"}, ("2024-05-03", "2024-05-06", 2 * DAY)),
        ({"due_date": "2024-05-06"}, {"duration": 3 * DAY}, ("2024-05-02", "2024-05-06", 3 * DAY)),
        ({"duration": 2 * DAY}, {"start_date": "2024-05-03"}, ("2024-05-03", "2024-05-06", 2 * DAY)),
        ({"duration": 2 * DAY}, {"due_date": "2024-05-06"}, ("2024-05-03", "2024-05-06", 2 * DAY)),
        ({"duration": 2 * DAY}, {"duration": DAY}, (None, None, DAY)),
        # All three are there.
        ({"start_date": "2024-05-01", "duration": 3 * DAY}, {"start_date": "2024-05-02"},
         ("2024-05-02", "2024-05-06", 3 * DAY)),
        ({"start_date": "2024-05-01", "duration": 3 * DAY}, {"due_date": "2024-05-07"},
         ("2024-05-01", "2024-05-07", 5 * DAY)),
        ({"start_date": "2024-05-01", "duration": 3 * DAY}, {"duration": 100},
         ("2024-05-01", "2024-05-01", 100)),
        # Several in one call, in the order of the site and not of the request.
        ({"start_date": "2024-05-01", "duration": DAY},
         {"due_date": "2024-05-10", "duration": 9, "start_date": "2024-05-09"},
         ("2024-05-09", "2024-05-10", 2 * DAY)),
        ({"start_date": "2024-05-01", "duration": DAY}, {"due_date": "2024-05-02", "duration": 9 * DAY},
         ("2024-05-01", "2024-05-02", 2 * DAY)),
        # What is no working day counts for nothing.
        ({}, {"start_date": "2024-05-04", "duration": DAY}, ("2024-05-04", "2024-05-06", DAY)),
        ({}, {"start_date": "2024-05-04", "due_date": "2024-05-05"}, ("2024-05-04", "2024-05-05", 0)),
        ({}, {"start_date": "2024-05-02", "due_date": "2024-05-01"}, ("2024-05-02", "2024-05-01", 0)),
        ({"start_date": "2024-05-01", "duration": DAY}, {"due_date": None}, ("2024-05-01", None, DAY)),
        # The ends of the calendar.
        ({}, {"start_date": "9999-12-30", "duration": 9 * DAY}, ("9999-12-30", "9999-12-31", 9 * DAY)),
        ({}, {"due_date": "0001-01-02", "duration": 2**31 - 1}, ("0001-01-01", "0001-01-02", 2**31 - 1)),
        ({}, {"start_date": "0001-01-01", "due_date": "9999-12-31"},
         ("0001-01-01", "9999-12-31", 2_608_615 * DAY)),
    ],
)  # fmt: skip
def test_what_is_written_moves_the_others(direct, before, write, after):
    """Start, due and duration follow each other over working days, whichever is written."""
    task = direct.make("Task", **before)
    direct.update(task, **write)
    assert dates(direct, task) == after
    whole = direct.make("Task", **{**before, **write})
    if not before:
        assert dates(direct, whole) == after


def test_the_client_sees_the_dates_that_followed(shotgun):
    """Over HTTP, by the official client: what was not written is read as it became."""
    project = shotgun.create("Project", {"name": "demo"})
    values = {"project": project, "start_date": "2024-05-03", "duration": 2 * DAY}
    task = shotgun.create("Task", values, ["due_date"])
    assert task["due_date"] == "2024-05-06"
    assert shotgun.update("Task", task["id"], {"due_date": date(2024, 5, 7)}) == {
        "type": "Task", "id": task["id"], "due_date": "2024-05-07"}  # fmt: skip
    assert shotgun.find_one("Task", [["duration", "is", 3 * DAY]]) == {"type": "Task", "id": task["id"]}


def test_each_date_that_followed_has_its_event(direct):
    """A moved start reports the due date that moved along, and nothing else."""
    task = direct.make("Task", start_date="2024-05-01", duration=DAY)
    events = direct.events_of(lambda: direct.update(task, start_date="2024-05-02"))
    assert sorted(each["attribute_name"] for each in events) == ["due_date", "start_date"]


def test_the_answer_holds_the_written_fields_as_they_became(direct):
    """A duration that the other dates overrule is answered as it ended up."""
    task = direct.make("Task")
    answer = direct.update(task, start_date="2024-05-01", due_date="2024-05-02", duration=5)
    assert answer["duration"] == 2 * DAY


def test_a_milestone_is_one_day(direct):
    """It starts when it is due, has no duration and takes none."""
    task = direct.make("Task", start_date="2024-05-01", due_date="2024-05-03")
    direct.update(task, milestone=True)
    assert dates(direct, task) == ("2024-05-03", "2024-05-03", 0)
    direct.update(task, duration=3 * DAY)
    assert dates(direct, task) == ("2024-05-03", "2024-05-03", 0)
    direct.update(task, start_date="2024-05-07")
    assert dates(direct, task) == ("2024-05-07", "2024-05-07", 0)
    direct.update(task, milestone=False, duration=2 * DAY)
    assert dates(direct, task) == ("2024-05-07", "2024-05-08", 2 * DAY)


def test_a_milestone_refuses_two_days(direct):
    """Conflicting dates of a milestone are refused whole, on create and on update."""
    conflict = {"start_date": "2024-05-01", "due_date": "2024-05-02"}
    task = direct.make("Task", milestone=True)
    for act in (
        lambda: direct.update(task, **conflict),
        lambda: direct.make("Task", milestone=True, **conflict),
    ):
        with pytest.raises(
            SiteFault, match=r"for \[Task.*: \(task.rb\) The start date and the due date"
        ) as caught:
            act()
        assert caught.value.error_code == 104
    assert dates(direct, task) == (None, None, 0)


def test_splits_say_when_a_task_is_worked_on(direct):
    """Start, due and duration come from the segments, whatever dates are given beside them."""
    splits = [{"start": "2024-05-01", "end": "2024-05-02"}, {"start": "2024-05-06", "end": "2024-05-08"}]
    task = direct.make("Task", splits=splits, start_date="2023-01-01", duration=1)
    assert dates(direct, task) == ("2024-05-01", "2024-05-08", 5 * DAY)
    assert direct.value(task, "splits") == splits
    assert direct.value(task, "split_durations") == [2 * DAY, 3 * DAY]


def test_moving_a_split_task_shifts_its_segments(direct):
    """A new start or due date moves every segment; a new duration changes the last ones."""
    splits = [{"start": "2024-05-01", "end": "2024-05-02"}, {"start": "2024-05-06", "end": "2024-05-08"}]
    task = direct.make("Task", splits=splits)
    direct.update(task, start_date="2024-05-08")
    assert direct.value(task, "splits") == [
        {"start": "2024-05-08", "end": "2024-05-09"}, {"start": "2024-05-13", "end": "2024-05-15"}]  # fmt: skip
    direct.update(task, due_date="2024-05-08")
    assert direct.value(task, "splits") == splits
    direct.update(task, duration=6 * DAY)
    assert direct.value(task, "splits")[1] == {"start": "2024-05-06", "end": "2024-05-09"}
    direct.update(task, duration=2 * DAY)
    assert direct.value(task, "splits") == splits[:1]


@pytest.mark.parametrize("nothing", [None, []])
def test_splits_are_removed(direct, nothing):
    """Null or an empty list leaves the task in one piece, with its dates."""
    task = direct.make("Task", splits=[{"start": "2024-05-01", "end": "2024-05-02"}])
    direct.update(task, splits=nothing)
    assert direct.value(task, "splits") is None
    assert dates(direct, task) == ("2024-05-01", "2024-05-02", 2 * DAY)


def test_segments_without_a_gap_are_refused_in_the_recorded_words(direct):
    """Two segments need calendar days between them."""
    task = direct.make("Task")
    splits = [{"start": "2024-05-01", "end": "2024-05-02"}, {"start": "2024-05-03", "end": "2024-05-08"}]
    with pytest.raises(SiteFault) as caught:
        direct.update(task, splits=splits)
    assert caught.value.message == (
        "API update() CRUD ERROR #5: Update failed for [Task.splits]: (task.rb) The start date in split segment 2 "
        "is only one calendar day away from  the end date of the previous segment. There must be calendar days "
        "between split segments."
    )


@pytest.mark.parametrize(
    "splits",
    [[1], {"start": "2024-05-01", "end": "2024-05-02"}, [{"start": "2024-05-01"}],
     [{"start": "2024-05-02", "end": "2024-05-01"}], [{"start": "20240501", "end": "20240502"}],
     [{"start": "2024-05-01", "end": "2024-05-09"}, {"start": "2024-05-05", "end": "2024-05-12"}],
     [{"start": "x", "end": None}]],
)  # fmt: skip
def test_other_segments_are_refused(direct, splits):
    """What is no list of segments from old to new is refused with its number, never a crash."""
    task = direct.make("Task")
    with pytest.raises(SiteFault, match=r"Update failed for \[Task\.splits\]: \(task\.rb\) "):
        direct.update(task, splits=splits)


def test_days_are_worked_from_monday_to_friday(direct):
    """The calendar of a site that nobody changed."""
    with direct.store.reading() as connection:
        call = Call("read", direct.store.schema, direct.store.tables, connection, direct.caller, direct.now)
        calendar = WorkCalendar(call)
        week = [calendar.works(date(2024, 5, day)) for day in range(6, 13)]
        assert week == [True] * 5 + [False] * 2
        assert calendar.shifted(date(2024, 5, 3), -3) == date(2024, 4, 30)
        assert calendar.nearest(date(2024, 5, 4), -1) == date(2024, 5, 3)
