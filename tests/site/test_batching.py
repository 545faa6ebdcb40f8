"""Batches: in order, all or nothing."""

from __future__ import annotations

import pytest

from sgsession.site.faults import SiteFault


def creation(direct, code, **more):
    fields = {"project": direct.project, "code": code, **more}
    return {
        "request_type": "create",
        "type": "Shot",
        "fields": [{"field_name": name, "value": value} for name, value in fields.items()],
        "return_fields": ["sg_status_list"],
    }


def renaming(row, code):
    return {"request_type": "update", **row, "fields": [{"field_name": "code", "value": code}]}


def test_one_result_for_each_request(direct):
    """Rows for creates and updates, true for deletes, in the order of the requests."""
    old, doomed = direct.make("Shot", code="old"), direct.make("Shot")
    created, updated, deleted = direct.batch(
        creation(direct, "a"), renaming(old, "b"), {"request_type": "delete", **doomed}
    )
    assert created == {"type": "Shot", "id": 3, "code": "a", "sg_status_list": "wtg",
                       "project": {**direct.project, "name": "demo"}}  # fmt: skip
    assert updated == {**old, "code": "b"}
    assert deleted is True
    assert direct.batch() == []


def test_requests_see_what_earlier_ones_did(direct):
    """Two updates of one row in a batch: the later one wins."""
    shot = direct.make("Shot", code="a")
    direct.batch(renaming(shot, "b"), renaming(shot, "c"))
    assert direct.value(shot, "code") == "c"


def test_a_failure_undoes_everything(direct):
    """The message names the request, and nothing of the batch remains, events included."""
    shot = direct.make("Shot", code="a")
    events = direct.events()
    with pytest.raises(SiteFault) as caught:
        direct.batch(creation(direct, "b"), renaming(shot, "z"), creation(direct, "c", xyz=1))
    assert caught.value.message.startswith(
        "API batch() request with index 2 failed.  All requests rolled back.\nAPI create() Shot.xyz doesn't exist:\n"
    )
    assert caught.value.error_code == 103
    assert direct.find("Shot", "code") == [{**shot, "code": "a"}]
    assert direct.events() == events
    assert direct.make("Shot")["id"] == 2


def test_deleting_what_is_not_there_fails_the_batch(direct):
    """In a batch, a retired row cannot be deleted again, nor an unknown one."""
    shot = direct.make("Shot")
    direct.delete(shot)
    for row_id in (shot["id"], 99):
        with pytest.raises(SiteFault) as caught:
            direct.batch({"request_type": "delete", "type": "Shot", "id": row_id})
        assert caught.value.message == (
            "API batch() request with index 0 failed.  All requests rolled back.\n"
            f"API delete() CRUD ERROR #3: Entity of type [Shot] with id={row_id} does not exist."
        )


@pytest.mark.parametrize("request_", [None, 7, {}, {"request_type": "revive"}, {"request_type": ["create"]}])
def test_requests_of_no_known_kind(direct, request_):
    """A request that is none is refused by its index."""
    with pytest.raises(
        SiteFault, match=r"index 1 failed\.  All requests rolled back\.\nAPI batch\(\) invalid/missing"
    ):
        direct.batch(creation(direct, "a"), request_)
    assert direct.find("Shot") == []
