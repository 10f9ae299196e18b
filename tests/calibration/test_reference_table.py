"""Table 7, known answers: right with the real sector, open about its absence, and able to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from btv_report.calibration import reference
from btv_report.calibration.reference import reference_table
from btv_report.calibration.trials import Effort, RealData

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_cube_known_by_hand_peaks_on_the_dimmed_star() -> None:
    table = reference_table(Effort(), None)
    assert [row.values["measured"] for row in table.rows] == ["5, 5", "7, 7"]
    assert table.met
    assert "left out" in table.notes[0]


@pytest.mark.data
def test_real_sector_gives_the_numbers_measured_before() -> None:
    if not DATA.is_dir():
        pytest.skip("the real data (../shared/data) are not beside this checkout")
    table = reference_table(Effort(), RealData(DATA))
    assert table.met, [row for row in table.rows if not row.met]
    assert len(table.rows) > 12
    assert table.samples["files"][0]["sha256"]


def test_another_answer_is_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = reference.hand_cube
    monkeypatch.setattr(reference, "hand_cube", lambda target, neighbour: cube(neighbour, target))
    assert reference_table(Effort(), None).met is False
