"""The section on quality masks."""

from __future__ import annotations

from typing import Any

import pytest

from btv_report.dossier.figures.collect import all_figures
from btv_report.dossier.masks import MaskSection, build_mask_section
from btv_report.dossier.page import build_page
from btv_report.record import RunRecord
from btv_report.render.pages import contents, dossier_files


def row(masks: list[int], verdict: str, offset: float | None) -> dict[str, Any]:
    metrics = {} if offset is None else {
        "offset_arcsec": {"value": offset, "unit": "arcsec"}, "offset_err_arcsec": {"value": 2.6, "unit": "arcsec"},
    }  # fmt: skip
    metrics["depth_ppm_r2.0"] = {"value": 412.6, "unit": "ppm"}
    metrics["depth_ppm_r2.0_err"] = {"value": 31.0, "unit": "ppm"}
    return {
        "masks": masks, "n_cadences": 17000, "n_transits": 2, "verdicts": {"V08": "not_run", "V09": verdict},
        "metrics": metrics,
    }  # fmt: skip


def comparison(sector: int, *rows: dict[str, Any], sentence: str) -> Any:
    return {"candidate": "1262.01", "sector": sector, "quality_mask": 17087, "sentence": sentence, "rows": list(rows)}


@pytest.fixture
def compared(record: RunRecord) -> RunRecord:
    """A record whose first sector depends on the mask, and whose second does not."""
    record["mask_sensitivity"] = [
        comparison(83, row([0], "fail", 41.2), row([175, 17087], "pass", None), sentence="V09 depends on the mask."),
        comparison(84, row([0, 175, 17087, 65535], "pass", 1.0), sentence="All masks leave the same cadences."),
    ]
    return record


def section_of(record: RunRecord) -> MaskSection:
    section = build_mask_section(record)
    assert section is not None
    return section


def test_masks_that_differ_are_a_table_and_masks_that_agree_a_line(compared: RunRecord) -> None:
    section = section_of(compared)
    assert section.lines == ("All masks leave the same cadences.",)
    (table,) = section.tables
    assert [column.title for column in table.columns][:5] == [
        "Quality mask", "V08", "V09", "Offset, V09 (arcsec)", "Depth, V10, within 2 px (ppm)",
    ]  # fmt: skip
    assert table.caption == "Candidate 1262.01. V09 depends on the mask."
    first, second = table.rows
    assert [cell.text for cell in first[:5]] == ["0", "not run", "fail", "41.2 ± 2.6", "413 ± 31"]
    assert [cell.text for cell in first[-2:]] == ["2", "17,000"]
    assert second[0].text == "175, 17087 (this run)"
    assert (second[3].text, second[3].reason) == ("—", "not measured with these cadences")
    assert [cell.badge.word for cell in first[1:3] if cell.badge] == ["not run", "fail"]
    assert table.note.startswith("0: nothing masked; 175: lightkurve's default up to 2.5;")


def test_the_page_holds_the_section_and_leads_to_it(compared: RunRecord) -> None:
    page = build_page("20261121T014500Z-1a2b3c4d", "0" * 64, compared, all_figures(compared))
    assert ("quality-masks", "Quality masks") in contents(page)
    html = dossier_files("20261121T014500Z-1a2b3c4d", "0" * 64, compared)["tic/188646744/index.html"].decode()
    assert "Does the quality mask matter?" in html
    assert 'id="quality-masks-1262-01-s83"' in html


def test_records_that_did_not_compare_masks_still_render(record: RunRecord) -> None:
    assert build_mask_section(record) is None
    html = dossier_files("20261121T014500Z-1a2b3c4d", "0" * 64, record)["tic/188646744/index.html"].decode()
    assert "quality-masks" not in html
