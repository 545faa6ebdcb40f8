"""The page docs/site-coverage.md says of the embedded site what probes of it find."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import shotgun_api3

from . import coverage_table
from .coverage.methods import CLIENT_CALLS, METHODS
from .coverage.operators import GROUPS, RECORDED
from .coverage.traps import TRAPS
from .coverage.types import RECORDED as RECORDED_TYPES

# The client leaves the files open that it uploads.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.usefixtures("loose_ends")]

PAGE = Path(__file__).parents[2] / "docs" / "site-coverage.md"
REGENERATE = "python -m tests.site.coverage_table > docs/site-coverage.md"


def rows_of(title: str) -> dict[str, list[str]]:
    """The rows of one table of the page, by their first cell."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [re.split(r" (?<!\\)\| ", line.strip("| ")) for line in lines]
    return {first: rest for first, *rest in cells}


def test_the_page_is_what_the_probes_find() -> None:
    """Regenerated now, the page is the same, letter by letter."""
    assert PAGE.read_text(encoding="utf-8") == coverage_table.page(), f"write it anew: {REGENERATE}"


def test_every_method_that_the_client_sends_has_a_row() -> None:
    """The client's own source names no remote method that the table lacks."""
    sent = set(re.findall(r'_call_rpc\(\s*"(\w+)"', inspect.getsource(shotgun_api3.shotgun)))
    assert len(sent) > 30
    assert sent <= {each.wire for each in METHODS} | {"export_page"}


@pytest.mark.parametrize(
    "name", [*(each.python for each in METHODS), "`export_page`", *CLIENT_CALLS, "any other"]
)
def test_each_method_does_as_the_page_says(name: str) -> None:
    """The probe of a method has the outcome that its row shows."""
    assert rows_of("Methods")[name] == list(coverage_table.methods()[name])


@pytest.mark.parametrize("data_type", RECORDED)
def test_each_operator_does_as_recorded(data_type: str) -> None:
    """Rows where wire.md 4.1 has a Y, the recorded refusal where it has none; the page says the same."""
    found = coverage_table.operators()[data_type]
    assert found == {group: "Y" if group in RECORDED[data_type] else "-" for group in GROUPS}
    assert rows_of("Filter operators by data type")[f"`{data_type}`"] == list(found.values())


@pytest.mark.parametrize("name", RECORDED_TYPES)
def test_each_type_exists_and_lives(name: str) -> None:
    """A row of each recorded type can be made and found, and changes, goes and comes back as the page says."""
    found = coverage_table.types()[name]
    assert (found["create"], found["find"]) == ("Y", "Y")
    assert set(found.values()) == {"Y"} or name == "EventLogEntry"
    assert rows_of("Entity types")[f"`{name}`"] == list(found.values())


@pytest.mark.parametrize("number", range(1, 48))
def test_each_trap_is_as_the_page_says(number: int) -> None:
    """The test of a trap has the outcome that its row shows, and a new failure does not pass for "not yet"."""
    found = coverage_table.trap(number)
    assert found in ("as recorded", "client side")
    assert rows_of("Traps")[str(number)] == [TRAPS[number].title, found]
