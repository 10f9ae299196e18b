"""The line on the page that says which PRF a position was fitted with, and why no better one."""

from __future__ import annotations

from typing import Any

import pytest

from btv_report.dossier.page import build_page
from btv_report.dossier.publish import publishable
from btv_report.record import RunRecord

FILES = "the TESS PRF files of 30-Jan-2019 (camera 4, CCD 1)"


def method_in_sector_83(record: RunRecord, prf: dict[str, Any] | None) -> str:
    """The line of V09 in sector 83, for a result with these details of its PRF."""
    for check in record["checks"]:
        check["details"].pop("prf", None)
        if prf is not None and (check["check_id"], check["sector"]) == ("V09", 83):
            check["details"]["prf"] = prf
    page = build_page("20261121T014500Z-1a2b3c4d", "ab" * 32, publishable(record), {})
    section = next(section for section in page.checks[0].sections if section.check_id == "V09")
    return next(outcome.method for outcome in section.sectors if outcome.sector == 83)


@pytest.mark.parametrize(
    ("prf", "line"),
    [
        pytest.param({"description": FILES}, f"Point response: {FILES}", id="files"),
        pytest.param({"description": "a Gaussian"}, "Point response: a Gaussian.", id="gaussian"),
        pytest.param({"description": FILES, "note": "No other."}, f"Point response: {FILES}. No other.", id="note"),
        pytest.param({"description": ""}, "", id="nothing said"),
        pytest.param(None, "", id="no fit"),
    ],
)
def test_point_response_is_named_with_what_readers_should_know(
    record: RunRecord, prf: dict[str, Any] | None, line: str
) -> None:
    assert method_in_sector_83(record, prf) == line
