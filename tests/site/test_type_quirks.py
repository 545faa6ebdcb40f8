"""What single entity types do that others do not (wire.md 6.5, 6.7)."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault


def test_sibling_tasks_are_the_other_tasks_of_the_row(direct):
    """They follow from the links of the tasks, leave out retired ones, and nobody writes them."""
    shot, asset = direct.make("Shot"), direct.make("Asset")
    first, second, third = (direct.make("Task", content=name, entity=shot) for name in "abc")
    for other in ({"entity": asset}, {"entity": None}, {"entity": None}):
        direct.make("Task", content="x", **other)
    assert direct.names(first, "sibling_tasks") == ["b", "c"]
    direct.delete(third)
    assert direct.names(first, "sibling_tasks") == ["b"]
    direct.update(second, entity=None)
    assert direct.names(first, "sibling_tasks") == []
    with pytest.raises(SiteFault, match=r"Task\.sibling_tasks is read only"):
        direct.update(first, sibling_tasks=[second])


def test_a_reply_to_nothing_cannot_be_deleted(direct):
    """The recorded words come back, and the reply stays; one with a note goes."""
    orphan = direct.link(direct.create("Reply", content="x"))
    with pytest.raises(
        SiteFault, match=r"undefined method 'reflect_on_association' for class NilClass$"
    ) as caught:
        direct.delete(orphan)
    assert caught.value.error_code == 104
    reply = direct.link(direct.create("Reply", content="y", entity=direct.make("Note")))
    assert direct.delete(reply) is True
    assert [direct.link(each) for each in direct.find("Reply")] == [orphan]


@pytest.mark.parametrize("name", ["shot", "Nonsense", "CustomEntity07"])
def test_entity_types_are_written_to_the_letter(direct, name):
    """Only the name of a type that the site has is taken; empty text is none."""
    step = direct.link(direct.create("Step", code="A", short_name="A", entity_type="Shot"))
    with pytest.raises(SiteFault, match=f"'{name}' is not a valid entity type"):
        direct.update(step, entity_type=name)
    direct.update(step, entity_type="")
    assert direct.value(step, "entity_type") is None


def test_linking_tells_of_the_connection_row(direct):
    """A multi-entity end makes a connection row, with a New event that names it; no extras are set."""
    playlist, version = direct.make("Playlist"), direct.make("Version")
    events = direct.events_of(lambda: direct.update(playlist, versions=[version]))
    (made,) = [each for each in events if each["event_type"] == "Shotgun_PlaylistVersionConnection_New"]
    assert made["meta"] == {"type": "new_entity", "entity_type": "PlaylistVersionConnection", "entity_id": 1}
    assert direct.find("PlaylistVersionConnection", "sg_sort_order")[0]["sg_sort_order"] is None
    assert not direct.events_of(lambda: direct.update(playlist, {"versions": "add"}, versions=[version]))


def test_linked_tickets_see_each_other(direct):
    """One row connects two tickets, whichever end or row it was written at, and goes from either."""
    first, second, third = (direct.make("Ticket", title=name) for name in "abc")
    direct.update(first, tickets=[second])
    row = direct.link(direct.create("TicketTicketConnection", source_ticket=third, dest_ticket=first))
    assert direct.names(first, "tickets") == ["b", "c"]
    assert direct.names(second, "tickets") == direct.names(third, "tickets") == ["a"]
    assert len(direct.find("TicketTicketConnection")) == 2
    for ends in ((first, second), (second, first)):
        with pytest.raises(SiteFault, match="There is already a connection between the entities"):
            direct.create("TicketTicketConnection", source_ticket=ends[0], dest_ticket=ends[1])
    direct.update(second, tickets=[])
    direct.delete(row)
    assert direct.names(first, "tickets") == []


@pytest.mark.parametrize(
    ("entity_type", "field"), [("HumanUser", "login"), ("LocalStorage", "code"), ("Project", "name")]
)
def test_a_unique_name_is_free_once_its_row_is_retired(direct, entity_type, field):
    """A retired row gives its name away, and cannot come back while another has it."""
    old = direct.link(direct.create(entity_type, **{field: "same"}))
    with pytest.raises(SiteFault, match="required to be unique"):
        direct.create(entity_type, **{field: "SAME"})
    direct.delete(old)
    direct.create(entity_type, **{field: "same"})
    with pytest.raises(SiteFault, match="required to be unique"):
        direct.revive(old)


def test_each_persons_own_view_takes_writes_and_keeps_none(direct):
    """Viewed and read marks are accepted and ignored, with no event."""
    version = direct.make("Version")
    before = direct.value(version, "viewed_by_current_user")
    assert not direct.events_of(lambda: direct.update(version, viewed_by_current_user="read"))
    assert direct.value(version, "viewed_by_current_user") == before


def test_an_active_person_can_be_created(direct):
    """The fault of sites with Autodesk identities (code 110) is not this site's: it has people of its own."""
    assert direct.create("HumanUser", ["sg_status_list"], login="ann")["sg_status_list"] == "act"


def test_holidays_push_a_task_on(direct):
    """What the work schedule says of a day counts for the dates of tasks."""
    from sgsession.site.methods import work_schedule

    with direct.store.writing() as connection:
        from sgsession.site.call import Call

        call = Call(
            "work_schedule_update",
            direct.store.schema,
            direct.store.tables,
            connection,
            direct.caller,
            direct.now,
        )
        work_schedule.work_schedule_update(
            call, {"date": "2024-05-02", "working": False, "description": "holiday"}
        )
    task = direct.make("Task", start_date="2024-05-01", duration=960)
    assert direct.value(task, "due_date") == "2024-05-03"
