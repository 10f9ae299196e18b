"""SPOC's numbers beside ours on a narrow screen: each sector a list, every value with its heading, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from btv_report.record import RunRecord
from btv_report.render.site import build_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

CELLS = 'section[aria-labelledby="spoc-dv"] .listed tbody :is(th, td)'


def spoc_event(sha256: str) -> Any:
    """An event over three sectors, each number as long as they get; `sha256` is that of a product of the run."""
    spoc = {"row": 300.0, "column": 400.0, "quality": 0.9, "tic_offset_arcsec": 123.45, "tic_offset_arcsec_err": 21.05}
    prf = {"kind": "tess_prf", "description": "the TESS PRF files of x (camera 1, CCD 3), mirrored in columns"}
    image = {"status": "ok", "spoc": spoc, "ours": spoc, "distance_px": 0.02, "prf": prf, "flags": []}
    return {
        "candidate": "1262.01", "match": "the same period, mid-transits 2 min apart", "file": "spoc_dvr.xml",
        "sha256": sha256, "planet_number": 1, "sectors": [83, 84, 85], "period_days": 3.5, "epoch_btjd": 3540.0,
        "fit": "transit model", "numbers": {"ghost_core": 14.5, "ghost_halo": -0.32, "mes": 20.1},
        "images": [{**image, "sector": sector} for sector in (83, 84, 85)],
    }  # fmt: skip


@pytest.fixture
def page(
    browser: Browser, make_record: Callable[..., RunRecord], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The dossier on a screen of the width that the test asks for."""
    record = make_record()
    record["spoc_dv"] = [spoc_event(str(record["products"][0]["sha256"]))]
    build_site([("20261121T014500Z-1a2b3c4d", "ab" * 32, record)], tmp_path / "site", ledger_head="12" * 32)
    context = browser.new_context(viewport={"width": request.param, "height": 844})
    opened = context.new_page()
    opened.goto((tmp_path / "site" / "tic" / "188646744" / "index.html").as_uri())
    yield opened
    context.close()


@pytest.mark.parametrize("page", [360, 390], indirect=True)
def test_every_value_is_in_view_with_its_heading(page: Page) -> None:
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for region in page.locator('section[aria-labelledby="spoc-dv"] .table-scroll').all():
        assert region.evaluate("(item) => item.scrollWidth - item.clientWidth") == 0
    cells = page.locator(CELLS)
    assert cells.count() == 3 * 11
    headings = cells.evaluate_all("(items) => items.map((item) => getComputedStyle(item, '::before').content)")
    assert headings[0] == '"Sector"'
    assert headings[8] == '"V09: quality"'
    assert all(len(heading) > 2 for heading in headings)
    boxes = [box for cell in cells.all() if (box := cell.bounding_box())]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)


@pytest.mark.parametrize("page", [1280], indirect=True)
def test_a_wide_screen_keeps_the_table(page: Page) -> None:
    assert page.locator(CELLS).first.evaluate("(item) => getComputedStyle(item).display") == "table-cell"
    assert page.locator(".listed thead th").first.is_visible()
