"""`export_page`: a page as comma-separated values."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import shotgun_api3

from sgsession.site import LocalSite


@pytest.fixture
def page(shotgun: shotgun_api3.Shotgun) -> dict[str, Any]:
    """A shared page of the shots of a project."""
    project = shotgun.create("Project", {"name": "Demo"})
    page = shotgun.create("Page", {"name": "Shots", "entity_type": "Shot", "project": project})
    shotgun.update("Page", page["id"], {"shared": True})
    return {"id": page["id"], "project": project}


def _rows(exported: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(exported.decode())))


def test_a_page_is_a_row_for_each_of_its_rows(shotgun: shotgun_api3.Shotgun, page: dict[str, Any]) -> None:
    """Id and name first, then the other fields by their display names; links read as names."""
    sequence = shotgun.create("Sequence", {"code": "AA", "project": page["project"]})
    values = {"code": 'sh "1", é', "project": page["project"], "sg_sequence": sequence, "sg_cut_order": 7}
    assets = [shotgun.create("Asset", {"code": code, "project": page["project"]}) for code in "ab"]
    shot = shotgun.create("Shot", {**values, "assets": assets})
    exported = shotgun.export_page(page["id"], "csv")
    assert isinstance(exported, bytes)
    assert exported.decode().startswith("Id,Shot Code,")
    (row,) = _rows(exported)
    assert (row["Id"], row["Shot Code"]) == (str(shot["id"]), 'sh "1", é')
    assert (row["Sequence"], row["Assets"], row["Cut Order"]) == ("AA", "a, b", "7")
    assert row["Description"] == ""


def test_a_page_keeps_to_its_project(shotgun: shotgun_api3.Shotgun, page: dict[str, Any]) -> None:
    """Rows of others are not on it, nor is what was deleted; a page without a project has all."""
    other = shotgun.create("Project", {"name": "Other"})
    shotgun.create("Shot", {"code": "elsewhere", "project": other})
    gone = shotgun.create("Shot", {"code": "gone", "project": page["project"]})
    shotgun.create("Shot", {"code": "here", "project": page["project"]})
    shotgun.delete("Shot", gone["id"])
    assert [row["Shot Code"] for row in _rows(shotgun.export_page(page["id"], "csv", "default"))] == ["here"]
    everywhere = shotgun.create("Page", {"name": "All", "entity_type": "Shot"})
    shotgun.update("Page", everywhere["id"], {"shared": True})
    found = [row["Shot Code"] for row in _rows(shotgun.export_page(everywhere["id"], "csv"))]
    assert found == ["elsewhere", "here"]


def test_many_rows_come_in_order(shotgun: shotgun_api3.Shotgun, page: dict[str, Any]) -> None:
    """More rows than are fetched at once are all there, once."""
    shots = [
        {
            "request_type": "create",
            "entity_type": "Shot",
            "data": {"code": f"{n}", "project": page["project"]},
        }
        for n in range(501)
    ]
    shotgun.batch(shots)
    found = [row["Shot Code"] for row in _rows(shotgun.export_page(page["id"], "csv"))]
    assert found == [str(n) for n in range(501)]


@pytest.mark.parametrize("layout", [None, "My Layout"])
def test_a_new_page_is_not_exportable(shotgun: shotgun_api3.Shotgun, layout: str | None) -> None:
    """Until somebody opens it to others; the live suite asks for these words."""
    page = shotgun.create("Page", {"entity_type": "Shot"})
    with pytest.raises(shotgun_api3.Fault, match=f"^Export for Page id={page['id']} not available$"):
        shotgun.export_page(page["id"], "csv", layout)


def test_what_cannot_be_exported(shotgun: shotgun_api3.Shotgun, page: dict[str, Any]) -> None:
    """An unknown page or layout, a page without a type, and a retired page, in the recorded words."""
    bare = shotgun.create("Page", {"name": "Bare"})
    shotgun.update("Page", bare["id"], {"shared": True})
    for page_id, layout in ((99, None), (bare["id"], None), (page["id"], "My Layout")):
        with pytest.raises(shotgun_api3.Fault, match=f"^Export for Page id={page_id} not available$"):
            shotgun.export_page(page_id, "csv", layout)
    shotgun.delete("Page", page["id"])
    words = f"Trying to perform export for retired Page id={page['id']}"
    with pytest.raises(shotgun_api3.Fault, match=words):
        shotgun.export_page(page["id"], "csv")


@pytest.mark.parametrize(
    ("page_id", "form", "words"),
    [
        (1, None, "'format' missing"),
        (None, "csv", "'page_id' missing"),
        (1, "pdf", "invalid 'format'"),
        ("1", "csv", "invalid/missing integer 'page_id'"),
    ],
)
def test_what_is_no_export_is_refused(
    shotgun: shotgun_api3.Shotgun, page_id: Any, form: str | None, words: str
) -> None:
    """The refusal names the parameter."""
    with pytest.raises(shotgun_api3.Fault, match=words):
        shotgun.export_page(page_id, form)


def test_an_export_needs_a_caller(site: LocalSite, page: dict[str, Any]) -> None:
    """A wrong key gets the ordinary refusal, not the page."""
    stranger = site.connect(script_name=site.script_name, api_key="wrong")
    with pytest.raises(shotgun_api3.AuthenticationFault):
        stranger.export_page(page["id"], "csv")
    stranger.close()
