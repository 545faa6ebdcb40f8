"""The command, run in this process against one site with the small demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sgsession.cli import main
from sgsession.site import LocalSite


class Run(NamedTuple):
    """What a run of the command left behind."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of plain output."""
        return [line.split("\t") for line in self.out.splitlines()]


Command = Callable[..., Run]


@pytest.fixture(scope="module")
def demo_site() -> Iterator[LocalSite]:
    """The small demo; the command only reads it."""
    with LocalSite(demo="small") as site:
        yield site


@pytest.fixture
def environment(demo_site: LocalSite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment names the site, and nothing else of this machine is read."""
    variables = {
        "SGSESSION_URL": demo_site.url,
        "SGSESSION_SCRIPT_NAME": demo_site.script_name,
        "SGSESSION_API_KEY": demo_site.api_key,
        "SGSESSION_CONFIG": str(tmp_path / "profiles.ini"),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def sgsession(
    environment: dict[str, str], demo_site: LocalSite, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run the command with these words; the site's list of requests begins with it."""

    def run(*words: str) -> Run:
        capsys.readouterr()
        demo_site.reset_requests()
        try:
            status = main(words)
        except SystemExit as exit:
            status = int(exit.code or 0)
        return Run(status, *capsys.readouterr())

    return run
