"""The pages in a real browser, from a folder, as a referee who unpacked them would read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from btv_report.dossier.shared_values import restore_values

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

DOSSIER = "tic/188646744/index.html"
PAGES = (
    "index.html",
    DOSSIER,
    "tic/301/index.html",
    "tic/9000000001/index.html",
    "methods/index.html",
    "audit/index.html",
)


class Watched:
    """A page whose console messages and requests are kept."""

    def __init__(self, page: Page, site: Path) -> None:
        self.page = page
        self.site = site
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.problems.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto((self.site / path).as_uri())
        return self.page


@pytest.fixture
def watched(browser: Browser, site: Path) -> Iterator[Watched]:
    """A fresh desktop page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield Watched(context.new_page(), site)
    context.close()


def interactive_figure(site: Path, figure_id: str) -> dict[str, Any]:
    """The interactive figure as the page holds it, with what it shares put back."""
    text = (site / DOSSIER).read_text()
    shared = re.search(r'id="figure-values">(.*?)</script>', text)
    own = re.search(rf'<figure id="{figure_id}".*?<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert shared
    assert own
    return restore_values(json.loads(shared.group(1)), json.loads(own.group(1)))  # type: ignore[no-any-return]


def test_what_is_drawn_are_the_values_of_the_data_file_as_far_as_they_are_shown(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    page.locator("#v09-1262-01-s83-difference [data-picture]").focus()
    page.wait_for_selector("#v09-1262-01-s83-difference .is-interactive")
    drawn = page.evaluate(
        "Array.from(document.querySelector('#v09-1262-01-s83-difference .plot').data[0].z, (row) => Array.from(row))"
    )
    template = str(page.evaluate("document.querySelector('#v09-1262-01-s83-difference .plot').data[0].hovertemplate"))
    shown = re.search(r"%\{z:,\.(\d)f\}", template)
    assert shown
    file = watched.site / "tic/188646744/files/v09-1262-01-s83-difference.csv"
    rows = [line.split(",") for line in file.read_text().splitlines()[1:]]
    for row, column, value in rows:
        assert drawn[int(row)][int(column)] == pytest.approx(float(value), abs=0.501 * 10.0 ** -int(shown.group(1)))


def colour(page: Page) -> str:
    """Background of the page."""
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_without_complaint_and_nothing_from_elsewhere(watched: Watched, path: str) -> None:
    watched.open(path)
    watched.page.mouse.wheel(0, 4000)
    watched.page.wait_for_timeout(100)
    assert watched.problems == []
    assert all(url.startswith((watched.site.as_uri(), "data:image/png;base64,")) for url in watched.requests)


def test_plotly_is_not_loaded_before_a_reader_shows_interest(watched: Watched) -> None:
    watched.open(DOSSIER)
    watched.page.wait_for_timeout(200)
    assert not any("plotly" in url for url in watched.requests)


@pytest.mark.parametrize("gesture", ["hover", "focus", "click"])
def test_figure_becomes_interactive_in_place(watched: Watched, gesture: str) -> None:
    page = watched.open(DOSSIER)
    picture = page.locator("#v09-1262-01-s83-difference [data-picture]")
    picture.scroll_into_view_if_needed()
    before = page.locator("#v09-1262-01-s83-difference").bounding_box()
    getattr(picture, gesture)()
    page.wait_for_selector("#v09-1262-01-s83-difference .is-interactive .plot .main-svg")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.locator("#v09-1262-01-s83-difference").bounding_box() == before
    assert page.locator("#v09-1262-01-s83-difference .heatmaplayer image").count() == 1
    assert watched.problems == []
    assert sum("plotly" in url for url in watched.requests) == 1
    assert all(url.startswith((watched.site.as_uri(), "data:")) for url in watched.requests)


def test_escape_brings_the_picture_back(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    picture = page.locator("#light-curve-s83 [data-picture]")
    picture.focus()
    page.wait_for_selector("#light-curve-s83 .is-interactive")
    picture.press("Escape")
    assert page.locator("#light-curve-s83 .plot").count() == 0
    assert page.locator("#light-curve-s83 svg").first.is_visible()


def test_picture_stays_when_plotly_cannot_be_loaded(watched: Watched) -> None:
    page = watched.page
    page.route("**/plotly*", lambda route: route.abort())
    watched.open(DOSSIER)
    page.locator("#light-curve-s83 [data-picture]").focus()
    page.wait_for_timeout(300)
    assert page.locator("#light-curve-s83 .plot").count() == 0
    assert page.locator("#light-curve-s83 svg").first.is_visible()
    assert [problem for problem in watched.problems if "ERR_FAILED" not in problem] == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 768])
def test_page_does_not_scroll_sideways(watched: Watched, path: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    page = watched.open(path)
    page.evaluate("document.querySelectorAll('details').forEach((item) => { item.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_explicit_theme_beats_the_system_and_is_remembered(
    browser: Browser, site: Path, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto((site / DOSSIER).as_uri())
    by_system = colour(page)
    page.get_by_role("button", name="Switch to the").click()
    chosen = colour(page)
    assert chosen != by_system
    page.reload()
    assert colour(page) == chosen
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    assert colour(page) == chosen
    context.close()


@pytest.mark.parametrize("path", [DOSSIER, "methods/calibration/index.html", "audit/index.html"])
def test_cells_and_headings_of_tables_stand_in_their_columns(watched: Watched, path: str) -> None:
    page = watched.open(path)
    astray = page.evaluate(
        "Array.from(document.querySelectorAll('th, td')).filter((cell) => cell.offsetParent"
        " && getComputedStyle(cell).display !== 'table-cell').map((cell) => cell.textContent)"
    )
    assert astray == []
    assert page.locator("th, td").count() > 5


def test_page_reads_fully_without_javascript(browser: Browser, site: Path) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto((site / DOSSIER).as_uri())
    assert page.locator("figure svg").first.is_visible()
    assert page.get_by_role("heading", name="V09 Difference image").is_visible()
    assert page.locator("[data-theme-toggle]").is_hidden()
    page.goto((site / "index.html").as_uri())
    assert page.locator("form.filter").is_hidden()
    assert page.get_by_role("link", name="TIC 188646744").is_visible()
    context.close()


def test_keyboard_reaches_the_content_first(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_list_of_targets_filters_sorts_and_keeps_its_state_in_the_address(watched: Watched) -> None:
    page = watched.open("index.html")
    rows = page.locator("#targets tbody tr")
    page.get_by_role("searchbox").fill("301")
    assert rows.filter(visible=True).count() == 1
    page.get_by_role("searchbox").fill("no such star")
    assert page.get_by_text("No target fits this filter.").is_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Verdict", exact=True).select_option("warn")
    assert rows.filter(visible=True).count() == 2
    heading = page.get_by_role("columnheader", name="Target")
    heading.get_by_role("button").click()
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert page.locator("#targets tbody tr th a").all_inner_texts() == ["TIC 9000000001", "TIC 188646744", "TIC 301"]
    page.reload()
    assert rows.filter(visible=True).count() == 2
    assert page.get_by_role("columnheader", name="Target").get_attribute("aria-sort") == "descending"
    assert watched.problems == []


def test_sorting_puts_unknown_values_last(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    depth = page.locator("#transits-1262-01 thead th").nth(5)
    for _ in range(2):
        depth.get_by_role("button").click()
        cells = page.locator("#transits-1262-01 tbody tr td:nth-child(6)").all_inner_texts()
        assert [cell.startswith("—") for cell in cells] == [False] * 8 + [True] * 2


def test_link_to_a_product_opens_it(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    page.locator("#products tbody a").first.click()
    assert page.locator("details.product[open]").count() == 1


def test_print_keeps_folded_parts_folded_and_hides_navigation(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    page.emulate_media(media="print")
    assert page.locator("nav.contents").is_hidden()
    assert page.locator(".site-header").is_hidden()
    assert page.locator("details.product summary").first.is_visible()
    assert page.locator("details.product dl").first.is_hidden()
    assert page.locator("figure details").first.is_hidden()
    assert page.locator("#parameters").is_hidden()


def test_paper_has_no_link_into_the_site(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    relative = "a[href]:not([href^='#']):not([href^='https:'])"
    before = page.locator(relative).count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(relative).count() == 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(relative).count() == before > 0


def test_a_button_leads_into_the_interactive_figure_and_back(watched: Watched) -> None:
    page = watched.open(DOSSIER)
    button = page.locator("#v09-1262-01-s83-difference .plot-switch")
    assert button.inner_text() == "Explore"
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#v09-1262-01-s83-difference .is-interactive")
    assert button.inner_text() == "Esc: picture"
    page.keyboard.press("Enter")
    assert page.locator("#v09-1262-01-s83-difference .plot").count() == 0
    assert watched.problems == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("figure", ["light-curve-s83", "v09-1262-01-s83-difference", "v10-1262-01-s83"])
def test_the_interactive_plot_area_is_that_of_the_picture(watched: Watched, figure: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 900})
    page = watched.open(DOSSIER)
    picture = page.locator(f"#{figure} [data-picture]")
    margin = interactive_figure(watched.site, figure)["layout"]["margin"]
    drawn = picture.evaluate(
        """(picture, margin) => {
            const svg = picture.querySelector('svg');
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            const size = svg.viewBox.baseVal;
            return [size.width - margin.l - margin.r, size.height - margin.t - margin.b].map((n) => n * scale);
        }""",
        margin,
    )
    picture.focus()
    page.wait_for_selector(f"#{figure} .is-interactive")
    area = page.locator(f"#{figure} .plot .nsewdrag").first.bounding_box()
    assert area is not None
    assert (area["width"], area["height"]) == pytest.approx(tuple(drawn), abs=2)
    assert page.locator(f"#{figure} .modebar-btn").count() == 0
