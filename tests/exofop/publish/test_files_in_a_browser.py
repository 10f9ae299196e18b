"""The table of files in a real browser: thumbnails are drawn, nothing foreign is, and nothing scrolls sideways."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.exofop.publish.conftest import FILES, TIC_ID, Desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A dossier with copies and thumbnails."""
    made = Desk(tmp_path_factory.mktemp("files"))
    made.run(publish=True)
    return made


@pytest.mark.parametrize("width", [390, 1280])
def test_thumbnails_are_drawn_under_the_policy_of_the_page_and_nothing_complains(
    browser: Browser, desk: Desk, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda asked: complaints.append(asked.url))
    page.goto((desk.site / "tic" / str(TIC_ID) / "index.html").as_uri())
    images = page.locator("#exofop-files img")
    assert images.count() == 2
    for number in range(2):
        images.nth(number).scroll_into_view_if_needed()
        images.nth(number).evaluate("image => image.decode()")
        assert images.nth(number).evaluate("image => image.naturalWidth") == 200
        assert images.nth(number).bounding_box()["width"] == 100  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") == page.evaluate("innerWidth")
    assert page.evaluate("window.__pwned") is None
    assert complaints == []
    page.close()


class _Silent(SimpleHTTPRequestHandler):
    """A server of files that tells nobody what it was asked."""

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(desk: Desk) -> Iterator[str]:
    """The address of the site on a server that tells a browser what it makes of the names."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(desk.site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/tic/{TIC_ID}/"
        server.shutdown()


def test_f126_a_foreign_page_is_saved_when_asked_for_and_text_when_opened(
    browser: Browser, served: str, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto(served)
    with page.expect_download(timeout=10_000) as waiting:
        page.locator('#exofop-files a[href="files/14_overview_html.txt"]').click()
    waiting.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == FILES[14][1]
    assert page.url == served
    for name in ("14_overview_html.txt", "15_finder_svg.txt"):
        page.goto(f"{served}files/{name}")
        assert page.evaluate("document.contentType") == "text/plain"
        assert page.evaluate("window.__pwned") is None
    page.close()
