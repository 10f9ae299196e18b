"""What a dossier weighs: page and dossier.json of the showcase, held near where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from btv_report.dossier.publish import read_dossier

SITE = Path(__file__).resolve().parents[2] / "site"
WEIGHTS = {9000000001: 230_000, 9000000002: 146_000, 9000000003: 145_000, 9000000004: 138_000}
"""Bytes; budget: 50,000 and 15,000 for each sector."""


@pytest.mark.parametrize("tic_id", sorted(WEIGHTS))
def test_showcase_dossiers_do_not_grow_heavier(tic_id: int) -> None:
    folder = SITE / f"tic/{tic_id}"
    page, data = ((folder / name).read_bytes() for name in ("index.html", "dossier.json"))
    n_sectors = len(read_dossier(data)["pixel_views"])
    budget = 50_000 + 15_000 * n_sectors
    print(
        f"TIC {tic_id}, {n_sectors} sectors: page {len(page):,d}, dossier.json {len(data):,d}, budget {budget:,d} bytes"
    )
    assert len(page) + len(data) < WEIGHTS[tic_id]
