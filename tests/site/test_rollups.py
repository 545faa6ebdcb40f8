"""Time logged on tasks and tickets, added up on them, by writes and after a load."""

from __future__ import annotations

import io
import json

from sgsession.site import LocalSite


def sums(direct, task):
    return tuple(direct.value(task, name) for name in ("time_logs_sum", "time_vs_est", "time_percent_of_est"))


def test_logged_time_is_added_up_against_the_bid(direct):
    """Every log that comes, changes, moves, goes or comes back is counted at once."""
    task, other = (direct.make("Task", est_in_mins=200) for _ in range(2))
    assert sums(direct, task) == (None, None, None)
    first = direct.make("TimeLog", entity=task, duration=60)
    second = direct.make("TimeLog", entity=task, duration=90)
    assert sums(direct, task) == (150, 50, 75)
    direct.update(first, duration=160)
    assert sums(direct, task) == (250, -50, 125)
    direct.update(second, entity=other)
    assert sums(direct, task) == (160, 40, 80)
    assert sums(direct, other) == (90, 110, 45)
    direct.delete(first)
    assert sums(direct, task) == (0, 200, 0)
    direct.revive(first)
    assert sums(direct, task) == (160, 40, 80)


def test_a_new_bid_is_compared_with_what_is_logged(direct):
    """Without a bid there is nothing to compare with; of none, nothing is a part."""
    task = direct.make("Task")
    direct.make("TimeLog", entity=task, duration=30)
    assert sums(direct, task) == (30, None, None)
    direct.update(task, est_in_mins=60)
    assert sums(direct, task) == (30, 30, 50)
    direct.update(task, est_in_mins=0)
    assert sums(direct, task) == (30, -30, None)


def test_tickets_add_up_too_and_other_rows_do_not(direct):
    """A Ticket shows its sum; a log on a row without one is accepted."""
    ticket = direct.make("Ticket", title="t")
    direct.make("TimeLog", entity=ticket, duration=15)
    assert direct.value(ticket, "time_logs_sum") == 15
    direct.make("TimeLog", entity=direct.make("Shot"), duration=15)


def test_a_new_sum_is_told_in_the_log(direct):
    """Whoever follows the log sees the sum of the task change."""
    task = direct.make("Task")
    events = direct.events_of(lambda: direct.make("TimeLog", entity=task, duration=5))
    (change,) = [each for each in events if each["event_type"] == "Shotgun_Task_Change"]
    assert (change["attribute_name"], change["meta"]["new_value"]) == ("time_logs_sum", 5)


def test_a_loaded_dump_has_the_sums_that_writes_made():
    """A dump without any sums, as people cut them, gets exactly those that the site had it was made from."""
    fields = ["time_logs_sum", "time_vs_est", "time_percent_of_est", "est_in_mins"]
    with LocalSite(serve=False) as site:
        client = site.connect(in_process=True)
        project = client.create("Project", {"name": "Film"})
        template = client.create("TaskTemplate", {"code": "Shots", "entity_type": "Shot"})
        for name in ("Layout", "Comp", "Gone"):
            task = client.create("Task", {"content": name, "task_template": template})
        client.delete("Task", task["id"])
        tickets = [client.create("Ticket", {"title": "t", "project": project}) for _ in range(2)]
        # Three logs on each task: one of them moves on to the next one, one is retired; the first gets none.
        tasks = [
            client.create("Task", {"content": "t", "project": project, "est_in_mins": bid})
            for bid in (200, 200, None, 0, 333, 40)
        ]
        for task, after in zip(tasks[1:], [*tasks[2:], tickets[0]], strict=True):
            logs = [
                client.create("TimeLog", {"project": project, "entity": task, "duration": minutes})
                for minutes in (60, 75, 30)
            ]
            client.update("TimeLog", logs[1]["id"], {"entity": after})
            client.delete("TimeLog", logs[2]["id"])
        written = {kind: client.find(kind, [], fields) for kind in ("Task", "Ticket")}
        written["TaskTemplate"] = client.find("TaskTemplate", [], ["task_count"])
        dump = io.StringIO()
        site.dump(dump)
    assert [row["time_logs_sum"] for row in written["Task"] if row["est_in_mins"] == 333] == [135]
    lines = [json.loads(line) for line in dump.getvalue().splitlines()]
    for line in lines:
        for name in (*fields[:3], "task_count"):
            line.get("values", {}).pop(name, None)
    with LocalSite(serve=False) as copy:
        copy.load(io.StringIO("\n".join(map(json.dumps, lines))))
        client = copy.connect(in_process=True)
        loaded = {kind: client.find(kind, [], fields) for kind in ("Task", "Ticket")}
        loaded["TaskTemplate"] = client.find("TaskTemplate", [], ["task_count"])
        again = io.StringIO()
        copy.dump(again)
    assert loaded == written
    assert again.getvalue() == dump.getvalue()
