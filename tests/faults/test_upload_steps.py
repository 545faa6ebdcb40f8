"""Uploads of several steps: which step broke decides what is told, and the rest can be done later, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sgsession.errors import PartialWrite
from sgsession.testing.fault_site import FaultSite

from .expected import FAULTS, Fault, How, Outcome
from .operations import Ground, found_outcome
from .test_matrix import options_for

# The address of the storage is only looked up, and bytes in one place may be put there again; the link is a write.
STEPS = ["api_get_upload_link_info", "PUT", "api_link_file"]
CHOSEN = ["FIN before executing", "FIN after executing", "reset after executing", "502", "500", "429", "403"]
RESUMED = ["FIN before executing", "FIN after executing", "403"]

# By row of the table and how often it strikes: what a step that may be repeated comes to, and the link.
OUTCOMES: dict[tuple[str, How], tuple[Outcome, Outcome]] = {
    ("unknown", "once"): ("value", "partial"),
    ("unknown", "always"): ("unavailable", "partial"),
    ("failed", "once"): ("value", "partial"),
    ("failed", "always"): ("unavailable", "partial"),
    ("throttled", "once"): ("value", "value"),
    ("throttled", "always"): ("unavailable", "partial"),
    ("refused", "once"): ("refused", "partial"),
    ("refused", "always"): ("refused", "partial"),
}


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A site that takes uploads by the direct route."""
    with FaultSite(direct_uploads=True) as site:
        yield Ground(site, tmp_path_factory.mktemp("uploads"))


@pytest.mark.parametrize("how", ["once", "always"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "fault", [each for each in FAULTS if each.name in CHOSEN], ids=lambda fault: fault.name
)
def test_a_broken_step_is_told_and_the_rest_can_be_done(
    ground: Ground, fault: Fault, step: str, how: How
) -> None:
    """Never two files, never a success without one; after `resume()` there is exactly one."""
    expected = OUTCOMES[fault.row, how][step == "api_link_file"]
    token = ground.token()
    shot = ground.shot(token)
    path = ground.folder / f"{token}.txt"
    path.write_text(token)
    with ground.pool(options_for(fault)) as pool:
        ground.site.inject(fault.point, fault.action, method=step, times=1 if how == "once" else None)
        outcome, answer = found_outcome("pool", pool, lambda client: client.upload("Shot", shot, str(path)))
        ground.site.calm()
        assert outcome == expected, answer
        done = step == "api_link_file" and fault.lets_it_happen
        assert len(_files(ground, shot)) == (expected == "value" or done)
        if expected == "value":
            assert [answer] == _files(ground, shot)
        elif isinstance(answer, PartialWrite):
            assert (answer.entity_type, answer.entity_id) == ("Shot", shot)
            # Where the link is in doubt this waits five seconds first.
            if how == "once" and fault.name in RESUMED:
                assert [answer.resume()] == _files(ground, shot)


def _files(ground: Ground, shot: int) -> list[int]:
    links = [["attachment_links", "is", {"type": "Shot", "id": shot}]]
    return [row["id"] for row in ground.truth.find("Attachment", links)]
