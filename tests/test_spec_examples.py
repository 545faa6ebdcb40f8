"""docs/specification.md: every example of the 2015 documentation, run in order against the local site."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from sgsession.site import LocalSite

PAGE = Path(__file__).parents[1] / "docs" / "specification.md"
FENCED = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(text: str) -> str:
    """The page with every line blanked that is not code, so that failures name the lines of the page."""
    lines = [""] * (text.count("\n") + 1)
    for block in FENCED.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines()):
            lines[first + number] = line
    return "\n".join(lines)


@pytest.mark.smoke
def test_the_examples_of_the_specification() -> None:
    """Each example gives what the page shows; addresses of objects may be any."""
    with LocalSite(demo="small") as site:
        names = {
            "shotgun_args": (site.url, site.script_name, site.api_key),
            "some_filters": [["project.Project.name", "is", "Demo Project"]],
            "count_requests": lambda: len(site.requests),
        }
        page = doctest.DocTestParser().get_doctest(
            examples(PAGE.read_text(encoding="utf-8")), names, PAGE.name, str(PAGE), 0
        )
        assert len(page.examples) > 30
        problems: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
        runner.run(page, out=problems.append)
    assert not runner.failures, "".join(problems)
