"""A dressed demo, its pages over plain HTTP, and a browser."""

from __future__ import annotations

import gc
import http.client
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from sgsession.site import LocalSite

from .browser import BROWSER, DRIVER, chromium
from .show import dress


class Page(HTMLParser):
    """A page as a test sees it: its status and headers, its text, its links, and what it is made of."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        super().__init__()
        self.status, self.headers, self.html = status, headers, body.decode("utf-8")
        self.text, self.title = "", ""
        self.links: dict[str, str] = {}  # address → text
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(self.html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "a":
            self._open.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open:
            self.links[self._open[-1]] = self.links.get(self._open[-1], "") + data.strip()
        if self.tags and self.tags[-1][0] == "title":
            self.title += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [found for name, found in self.tags if name == tag and attributes.items() <= found.items()]


class Looking:
    """One connection to a site, as a browser without scripts would use it."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.connection = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=20)

    def at(self, path: str, query: Any = (), headers: Any = None) -> Page:
        """The page at an address; `query` is pairs that are quoted here."""
        asked = f"{path}?{urlencode(query)}" if query else quote(path, safe="/?&=%#:+-_.,~")
        self.connection.request("GET", asked, headers={"Accept": "text/html", **(headers or {})})
        response = self.connection.getresponse()
        return Page(response.status, response.headers, response.read())


@contextmanager
def without_loose_ends() -> Iterator[None]:
    """Let the official client leave the files that it uploads to the collector, unremarked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture(scope="package")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSite]:
    """The small demo with pictures, notes and a history; tests only look at it."""
    with LocalSite(demo="small") as site:
        with without_loose_ends():
            dress(site, tmp_path_factory.mktemp("show"))
        yield site


@pytest.fixture
def look(show: LocalSite) -> Iterator[Looking]:
    """The pages of the dressed demo."""
    looking = Looking(show)
    yield looking
    looking.connection.close()


@pytest.fixture(scope="package")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Headless Chromium; where there is none, its tests are skipped by name, and in CI they fail."""
    if BROWSER is None or DRIVER is None:
        missing = "chromium and chromedriver are not installed: the pages were not looked at in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    profile: Path = tmp_path_factory.mktemp("chromium")
    with chromium(profile) as driver:
        yield driver
