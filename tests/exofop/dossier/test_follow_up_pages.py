"""The section in a real browser: no sideways scroll, no complaint, figures that become interactive, folded parts that open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from btv_report.record import RunRecord
from btv_report.render.site import build_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SECTION = "section[aria-labelledby=exofop]"


@pytest.fixture(scope="module")
def address(whole: RunRecord, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A built dossier."""
    folder: Path = tmp_path_factory.mktemp("follow_up") / "site"
    build_site([("20261121T014500Z-1a2b3c4d", "ab" * 32, whole)], folder, ledger_head="12" * 32)
    return (folder / "tic" / "188646744" / "index.html").as_uri()


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[tuple[Page, list[str]]]:
    """The page on a screen of the width that the test asks for, and what the browser complains of."""
    context = browser.new_context(viewport={"width": request.param, "height": 844})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda asked: complaints.append(asked.url))
    page.goto(address)
    yield page, complaints
    context.close()


@pytest.mark.parametrize("opened", [390, 1280], indirect=True)
def test_nothing_scrolls_sideways_even_with_every_part_unfolded(opened: tuple[Page, list[str]]) -> None:
    page, complaints = opened
    page.evaluate(f"document.querySelectorAll('{SECTION} details').forEach((item) => (item.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("innerWidth")
    assert complaints == []


@pytest.mark.parametrize("opened", [1280], indirect=True)
def test_notes_are_folded_and_open_with_the_keyboard(opened: tuple[Page, list[str]]) -> None:
    page, _ = opened
    note = page.locator(f"{SECTION} details.product", has_text="First line")
    assert not note.locator("p").first.is_visible()
    note.locator("summary").focus()
    page.keyboard.press("Enter")
    assert note.locator("p").first.inner_text() == "First line\nsecond <b>line</b>"


@pytest.mark.parametrize("opened", [1280], indirect=True)
def test_figures_become_interactive_in_place(opened: tuple[Page, list[str]]) -> None:
    page, complaints = opened
    for figure in ("exofop-contrast", "exofop-lc-8001-1"):
        page.locator(f"#{figure} .plot-switch").click()
        page.wait_for_selector(f"#{figure} .is-interactive .plot .main-svg")
        assert page.locator(f"#{figure} .plot .scatterlayer .trace").count() >= 2
    assert complaints == []
