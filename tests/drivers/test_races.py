"""What this session wrote is not undone by an answer that is older than the write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sgsession import Session
from sgsession.site import LocalSite

SHOT = {"type": "Shot", "id": 234}
OTHER = {"type": "Shot", "id": 235}
FIND = [["id", "in", [234, 235]]]


@pytest.fixture
def site(own_site: LocalSite) -> LocalSite:
    """A site of the test's own."""
    return own_site


def during(site: LocalSite, read: Callable[[], Any], write: Callable[[], Any]) -> Any:
    """Do `write` while the answer of `read` is under way; return what `read` returned."""
    with ThreadPoolExecutor(1) as executor, site.hold("read") as hold:
        reading = executor.submit(read)
        hold.wait()
        try:
            write()
        finally:
            hold.release()
        return reading.result()


@pytest.mark.parametrize(
    "write",
    [
        lambda session, shot: session.update("Shot", 234, {"description": "new"}),
        lambda session, shot: session.update(shot, description="new"),
        lambda session, shot: session.update([shot, session.merge(OTHER)], {"description": "new"}),
        lambda session, shot: session.batch(
            [
                {
                    "request_type": "update",
                    "entity_type": "Shot",
                    "entity_id": 234,
                    "data": {"description": "new"},
                }
            ]
        ),
        lambda session, shot: shot.__setitem__("description", "new"),
        lambda session, shot: shot.update({"description": "new"}),
        lambda session, shot: shot.setdefault("description", "new"),
    ],
    ids=["by id", "by entity", "several", "batch", "set", "dict update", "setdefault"],
)
def test_a_find_does_not_revert_a_write(site: LocalSite, session: Session, write: Any) -> None:
    """A find that started before a write and ended after it brings everything but the old value."""
    shot = session.merge(SHOT)
    found = during(
        site, lambda: session.find("Shot", FIND, ["description", "sg_cut_in"]), lambda: write(session, shot)
    )
    assert found[0] is shot
    assert shot["description"] == "new"
    assert shot["sg_cut_in"] == 1001
    session.merge({**SHOT, "description": "newer"})
    assert shot["description"] == "newer"


@pytest.mark.parametrize(
    "read",
    [
        lambda session, shot: session.find("Shot", FIND, ["description"]),
        lambda session, shot: session.find_one("Shot", [["id", "is", 234]], ["description"]),
        lambda session, shot: list(session.find_iter("Shot", FIND, ["description"], limit=2, per_page=2)),
        lambda session, shot: session.fetch([shot], "description", force=True),
        lambda session, shot: shot.fetch("description", force=True),
        lambda session, shot: session.get("Shot", [234, 235], ["description"]),
        lambda session, shot: session.find("Task", [["id", "is", 456]], ["entity.Shot.description"]),
        lambda session, shot: session.fetch_backrefs(
            [session.merge({"type": "Sequence", "id": 201})], "Shot", "sg_sequence"
        ),
    ],
    ids=["find", "find_one", "find_iter", "fetch", "entity.fetch", "get", "deep", "backrefs"],
)
def test_no_kind_of_read_reverts_a_write(site: LocalSite, session: Session, read: Any) -> None:
    """Whatever reads: what was written while the answer was under way stays."""
    session.important_fields = {**session.important_fields, "Shot": ["code", "description"]}
    shot = session.merge(SHOT)
    during(site, lambda: read(session, shot), lambda: session.update(shot, description="new"))
    assert shot["description"] == "new"


def test_a_hierarchy_does_not_revert_a_write(site: LocalSite, session: Session) -> None:
    """Nor a deep value through several links."""
    task = session.merge({"type": "Task", "id": 456})
    sequence = session.merge({"type": "Sequence", "id": 201})
    during(site, lambda: session.fetch_hierarchy(task), lambda: session.update(sequence, code="NEW"))
    assert sequence["code"] == "NEW"
    assert task["entity"]["sg_sequence"] is sequence


def test_a_find_does_not_revert_a_link(site: LocalSite, session: Session) -> None:
    """The link and its back-references are those of the write; the old shot's deep values stay with it."""
    task = session.merge({"type": "Task", "id": 456})
    during(
        site,
        lambda: session.find("Task", [["id", "is", 456]], ["entity.Shot.sg_cut_order"]),
        lambda: session.update(task, entity=OTHER),
    )
    old, new = session.merge([SHOT, OTHER])
    assert task["entity"] is new
    assert list(new.backrefs[("Task", "entity")]) == [task]
    assert list(old.backrefs[("Task", "entity")]) == []
    assert old["code"] == "AA_001"
    assert new.get("code") in (None, "AA_002")


def test_a_find_does_not_revert_a_multi_entity_field(site: LocalSite, session: Session) -> None:
    """The list that was written stays, and so do its back-references."""
    shot = session.find_one("Shot", [["id", "is", 234]], ["assets"])
    before = list(shot["assets"])
    asset = session.merge({"type": "Asset", "id": 310})
    during(site, lambda: session.find("Shot", FIND, ["assets"]), lambda: session.update(shot, assets=[asset]))
    assert shot["assets"] == [asset]
    assert shot in asset.backrefs[("Shot", "assets")]
    assert not any(shot in gone.backrefs[("Shot", "assets")] for gone in before)


def test_what_was_added_to_a_multi_entity_field_stays(site: LocalSite, session: Session) -> None:
    """Also where the write said what to add, and the site answered the whole list."""
    shot = session.merge(SHOT)
    asset = session.merge({"type": "Asset", "id": 310})
    during(
        site,
        lambda: session.find("Shot", FIND, ["assets"]),
        lambda: session.update("Shot", 234, {"assets": [asset]}, multi_entity_update_modes={"assets": "add"}),
    )
    assert asset in shot["assets"]
    assert len(shot["assets"]) > 1
    assert shot in asset.backrefs[("Shot", "assets")]


def test_a_find_does_not_bring_back_what_was_deleted(site: LocalSite, session: Session) -> None:
    """The entity that the answer still has does not exist, for it was retired meanwhile."""
    shot = session.merge(SHOT)
    during(site, lambda: session.find("Shot", FIND), lambda: session.delete(shot))
    assert shot.exists(check=False) is False


@pytest.mark.parametrize(
    "delete",
    [
        lambda session: session.delete("Shot", 234),
        lambda session: session.batch([{"request_type": "delete", "entity_type": "Shot", "entity_id": 234}]),
    ],
    ids=["delete", "batch"],
)
def test_nor_one_that_the_session_did_not_know_when_it_was_deleted(
    site: LocalSite, session: Session, delete: Any
) -> None:
    """The answer makes the entity, but the deletion is the newer knowledge."""
    [shot, _] = during(site, lambda: session.find("Shot", FIND), lambda: delete(session))
    assert shot["id"] == 234
    assert shot.exists(check=False) is False


def test_a_check_does_not_bring_back_what_was_deleted(site: LocalSite, session: Session) -> None:
    """filter_exists that was answered before a delete does not say that the entity exists."""
    shot, other = session.merge([SHOT, OTHER])
    found = during(
        site, lambda: session.filter_exists([shot, other], force=True), lambda: session.delete(shot)
    )
    assert found == {other}
    assert shot.exists(check=False) is False


def test_a_check_does_not_retire_what_was_revived(site: LocalSite, session: Session) -> None:
    """And the other way round."""
    shot = session.merge(SHOT)
    session.delete(shot)
    found = during(site, lambda: session.filter_exists([shot], force=True), lambda: session.revive(shot))
    assert found == {shot}
    assert shot.exists(check=False) is True


def test_a_read_that_misses_does_not_retire_what_was_revived(site: LocalSite, session: Session) -> None:
    """A fetch that was answered before the revival raises, but says nothing about now."""
    shot = session.merge(SHOT)
    session.delete(shot)
    with pytest.raises(ValueError, match="Shot:234"):
        during(site, lambda: session.fetch([shot], "description", force=True), lambda: session.revive(shot))
    assert shot.exists(check=False) is True


def test_a_field_set_while_its_answer_is_under_way_keeps_its_value_though_it_was_unknown(
    site: LocalSite, session: Session
) -> None:
    """entity[k] = value on an entity of which nothing but the key was known."""
    shot = session.merge(SHOT)
    during(
        site,
        lambda: session.find("Shot", FIND, ["sg_sequence"]),
        lambda: shot.__setitem__("sg_sequence", None),
    )
    assert shot["sg_sequence"] is None
    sequence = session.find_one("Sequence", [["id", "is", 201]])
    assert shot not in sequence.backrefs[("Shot", "sg_sequence")]


def test_a_later_find_brings_the_site_s_values_again(site: LocalSite, session: Session) -> None:
    """The protection ends with the reads that were under way: the next find is newer than the write."""
    shot = session.merge(SHOT)
    during(
        site,
        lambda: session.find("Shot", FIND, ["description"]),
        lambda: shot.__setitem__("description", "mine"),
    )
    assert shot["description"] == "mine"
    session.find("Shot", FIND, ["description"])
    assert shot["description"] != "mine"
    assert not session.graph.writes
    assert not session.graph.under_way()


def test_a_read_that_started_after_the_write_wins_though_an_older_one_is_still_under_way(
    site: LocalSite, session: Session
) -> None:
    """Of two reads that overlap, the one behind the write brings the newest value, and the older does not undo it."""
    shot = session.merge(SHOT)

    def write_and_read() -> None:
        session.update(shot, description="mine")
        client = site.connect()
        client.update("Shot", 234, {"description": "a colleague's"})
        client.close()
        session.find("Shot", FIND, ["description"])
        assert shot["description"] == "a colleague's"

    during(site, lambda: session.find("Shot", FIND, ["description"]), write_and_read)
    assert shot["description"] == "a colleague's"


def test_a_write_under_way_is_newer_than_a_read_that_ended_meanwhile(
    site: LocalSite, session: Session
) -> None:
    """A read is answered while the update is on its way: the update has the last word."""
    shot = session.merge(SHOT)
    with site.hold("update") as hold:
        writing = threading.Thread(target=lambda: session.update(shot, description="new"))
        writing.start()
        hold.wait()
        session.find("Shot", FIND, ["description"])
        hold.release()
        writing.join()
    assert shot["description"] == "new"


def test_a_forgotten_entity_is_made_anew_by_the_answer(site: LocalSite, session: Session) -> None:
    """What was forgotten while its answer was under way comes back as another, sound object."""
    shot = session.find_one("Shot", [["id", "is", 234]])
    found = during(site, lambda: session.find("Shot", FIND), lambda: session.forget(shot))
    assert found[0] is not shot
    assert found[0] is session.merge(SHOT)
    sequence = found[0]["sg_sequence"]
    assert [member["id"] for member in sequence.backrefs[("Shot", "sg_sequence")]] == [234, 235]


def overtaken(site: LocalSite, method: str, first: Callable[[], Any], second: Callable[[], Any]) -> None:
    """Do `second` while the answer of the write `first`, executed already, is under way."""
    with ThreadPoolExecutor(1) as executor, site.hold(method) as hold:
        writing = executor.submit(first)
        hold.wait()
        try:
            second()
        finally:
            hold.release()
        writing.result()


def test_a_late_answer_of_an_update_does_not_undo_a_later_update(site: LocalSite, session: Session) -> None:
    """Two threads write one field: the one that the site has last is the one that the session has."""
    shot = session.merge(SHOT)
    overtaken(
        site,
        "update",
        lambda: session.update(shot, description="first", sg_cut_in=7),
        lambda: session.update("Shot", 234, {"description": "second"}),
    )
    assert shot["description"] == "second"
    assert shot["sg_cut_in"] == 7


def test_a_late_answer_of_a_batch_does_not_undo_a_later_update(site: LocalSite, session: Session) -> None:
    """The same for an update of several, which is a batch."""
    shots = session.merge([SHOT, OTHER])
    overtaken(
        site,
        "batch",
        lambda: session.update(shots, description="first"),
        lambda: session.update(shots[0], description="second"),
    )
    assert [shot["description"] for shot in shots] == ["second", "first"]


def test_a_late_answer_of_an_update_does_not_undo_what_was_set_meanwhile(
    site: LocalSite, session: Session
) -> None:
    """entity[k] = value after the request started keeps its value."""
    shot = session.merge(SHOT)
    overtaken(
        site,
        "update",
        lambda: session.update(shot, description="sent"),
        lambda: shot.update(description="set"),
    )
    assert shot["description"] == "set"


def test_a_late_answer_of_a_delete_does_not_undo_a_revival(site: LocalSite, session: Session) -> None:
    """Deleted by one thread, revived by another: the entity exists."""
    shot = session.merge(SHOT)
    overtaken(site, "delete", lambda: session.delete(shot), lambda: session.revive(shot))
    assert shot.exists(check=False) is True
    assert shot.exists(force=True) is True
