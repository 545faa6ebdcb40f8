"""The pages in headless Chromium: a walk through them, without a complaint of the browser."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from sgsession.site import LocalSite

from .browser import window

pytestmark = [
    pytest.mark.timeout(300),
    # The driver's own client leaves its sockets to the collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]

WALK = (
    "/",
    "/page/Task?project=123&f=sg_status_list&op=is&v=ip",
    "/page/Shot?c=image,code,description,assets,sg_sequence.Sequence.code&per_page=500",
    "/page/EventLogEntry",
    "/page/Shot?f=nonsense",
    "/detail/Shot/234",
    "/detail/Project/123",
    "/detail/HumanUser/11",
    "/detail/Note/901",
    "/search?q=aa",
    "/nowhere",
)


@pytest.fixture
def desk(browser: Any, show: LocalSite) -> Any:
    """The browser with a desktop's window, and an empty console."""
    window(browser, 1280, 900)
    browser.get(show.url + "/")
    browser.get_log("browser")
    return browser


def complaints(browser: Any) -> list[str]:
    """What the browser said of the pages since it was last asked; a status of 4xx is what such a page is for."""
    said = [entry["message"] for entry in browser.get_log("browser")]
    return [each for each in said if "the server responded with a status of 4" not in each]


def follow(browser: Any, text: str, within: str = "main") -> None:
    """Click on the link that says this."""
    from selenium.webdriver.common.by import By

    browser.find_element(By.CSS_SELECTOR, within).find_element(By.LINK_TEXT, text).click()


def test_a_walk_from_the_projects_to_a_back_link(desk: Any) -> None:
    """Projects → shots → a condition typed into the filter bar → a shot → a file that points at it, and back."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    follow(desk, "Demo Project")
    assert desk.title.startswith("Demo Project · Project")
    desk.find_element(By.CSS_SELECTOR, 'nav.menu a[href="/page/Shot?project=123"]').click()
    assert desk.find_element(By.CSS_SELECTOR, ".count").text == "12 rows"
    desk.find_element(By.NAME, "f").send_keys("code")
    desk.find_element(By.NAME, "op").send_keys("starts with")
    desk.find_element(By.NAME, "v").send_keys("AA_001", Keys.ENTER)
    assert desk.find_element(By.CSS_SELECTOR, ".count").text == "1 row"
    picture = desk.find_element(By.CSS_SELECTOR, "td.thumb img")
    assert desk.execute_script("return arguments[0].naturalWidth", picture) > 100
    follow(desk, "AA_001")
    assert desk.find_element(By.TAG_NAME, "h1").text == "AA_001"
    follow(desk, "AA_001_Matchmove_v001.ma", "dl.backlinks")
    assert desk.title.startswith("AA_001_Matchmove_v001.ma · Published File")
    follow(desk, "AA_001", "dl.fields")
    assert desk.current_url.endswith("/detail/Shot/234")
    assert complaints(desk) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_no_page_overflows_or_complains(desk: Any, show: LocalSite, width: int, dark: bool) -> None:
    """At a phone's width and a desktop's, light and dark: nothing sticks out sideways, every picture is there."""
    window(desk, width, 800, dark=dark)
    for path in WALK:
        desk.get(show.url + path)
        wide = desk.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, (path, wide)
        broken = desk.execute_script(
            "return [...document.images].filter(each => (each.loading = 'eager', each.complete && !each.naturalWidth))"
        )
        assert broken == [], path
        assert complaints(desk) == [], path


def test_the_style_is_in_force_and_follows_the_scheme(desk: Any, show: LocalSite) -> None:
    """The policy lets the site's own style through; a dark scheme gives dark pages with readable text."""
    lights = []
    for dark in (False, True):
        window(desk, 1280, 900, dark=dark)
        desk.get(show.url + "/detail/Shot/234")
        shot = desk.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        lights.append(Image.open(io.BytesIO(base64.b64decode(shot))).convert("L").getpixel((1270, 890)))
    assert lights[0] > 200
    assert lights[1] < 50


def test_the_keyboard_reaches_everything(desk: Any, show: LocalSite) -> None:
    """Tab leads first to a link past the head; every control has a name for who cannot see it."""
    from selenium.webdriver.common.keys import Keys

    desk.get(show.url + "/page/Shot?f=code&op=contains&v=AA")
    desk.switch_to.active_element.send_keys(Keys.TAB)
    assert desk.switch_to.active_element.text == "Skip to the content"
    nameless = desk.execute_script(
        "return [...document.querySelectorAll('input:not([type=hidden]), select, button, a')].filter(each =>"
        " !each.textContent.trim() && !each.getAttribute('aria-label') && !each.closest('label')"
        " && !each.hasAttribute('aria-hidden')).map(each => each.outerHTML)"
    )
    assert nameless == []


def test_the_address_of_a_real_site_marks_its_row(desk: Any, show: LocalSite) -> None:
    """`/page/1#Shot_234_AA_001` opens the table of the page with that shot's row marked."""
    desk.get(show.url + "/page/1#Shot_234_AA_001")
    assert desk.current_url.endswith("/page/Shot?project=123#Shot_234_AA_001")
    marked = desk.execute_script("return document.querySelector('tr:has(:target)').id")
    assert marked == "Shot_234"


def test_scripts_in_names_stay_names(desk: Any) -> None:
    """What a name holds is shown, and never runs: the browser finds nothing to forbid, even."""
    with LocalSite() as site:
        client = site.connect()
        project = client.create("Project", {"name": "<img src=x onerror=document.title='run'>"})
        client.create("Shot", {"project": project, "code": "<script>document.title='run'</script>"})
        client.close()
        for path in ("/", "/page/Shot", "/detail/Shot/1", "/search?q=script"):
            desk.get(site.url + path)
            assert desk.title != "run"
            assert "<" in desk.find_element("tag name", "main").text
            assert complaints(desk) == []
