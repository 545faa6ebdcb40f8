"""Takes the pictures of docs/site.md anew, from a running site: `python -m tests.site.pages.pictures [FOLDER]`."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any

from sgsession.site import LocalSite

from .browser import chromium, window
from .show import dress

_FILTER = "project=123&f=sg_status_list&op=in&v=ip%2C+rdy&f=entity&op=type_is&v=Shot"
# name: (address, width, height, dark)
PICTURES = {
    "projects": ("/", 1240, 780, False),
    "table": (f"/page/Task?{_FILTER}&sort=due_date", 1240, 700, False),
    "shot": ("/detail/Shot/234", 1240, 1720, False),
    "shot-dark": ("/detail/Shot/234", 1240, 860, True),
    "phone": ("/detail/Shot/234", 390, 844, False),
}  # fmt: skip


def take(site: LocalSite, folder: Path, profile: Path) -> None:
    """Write one PNG for each picture."""
    with chromium(profile) as browser:
        for name, (address, width, height, dark) in PICTURES.items():
            window(browser, width, height, dark=dark, scale=2 if width < 600 else 1)
            browser.get(site.url + address)
            _wait_for_images(browser)
            (folder / f"{name}.png").write_bytes(_screenshot(browser))


def _wait_for_images(browser: Any) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    loaded = "return [...document.images].every(each => (each.loading = 'eager', each.complete))"
    WebDriverWait(browser, 10).until(lambda browser: browser.execute_script(loaded))


def _screenshot(browser: Any) -> bytes:
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return base64.b64decode(shot["data"])


def main() -> None:
    """Take all pictures into the folder that is named, or into docs/pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[3] / "docs" / "pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, LocalSite(demo="small") as site:
        dress(site, Path(scratch))
        take(site, folder, Path(scratch) / "profile")


if __name__ == "__main__":
    main()
