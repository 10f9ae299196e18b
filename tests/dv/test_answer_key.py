"""The truth table of SPOC's answer key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from btv_report.calibration.answer_key import answer_key_table
from btv_report.calibration.trials import Effort, RealData

DvXml = Callable[..., bytes]


def test_without_data_the_table_says_what_is_missing(tmp_path: Path) -> None:
    for data in (None, RealData(tmp_path)):
        table = answer_key_table(Effort(), data)
        assert (table.rows, table.met) == ((), None)
        assert table.missing.startswith("Not measured: ")


def test_the_same_transits_in_two_reports_count_once(tmp_path: Path, dv_xml: DvXml) -> None:
    (tmp_path / "one.xml").write_bytes(dv_xml(source=(5.5, 5.4)))
    (tmp_path / "again.xml").write_bytes(dv_xml(source=(5.6, 5.4), period_days=3.691))
    (tmp_path / "other.xml").write_bytes(dv_xml(source=(5.3, 5.4), period_days=7.45))
    (tmp_path / "noise.xml").write_bytes(b"<x/>")
    table = answer_key_table(Effort(), RealData(tmp_path))
    (summary,) = [row for row in table.rows if row.met is not None]
    assert (summary.values["prf"], summary.values["n_images"], summary.met) == ("a Gaussian", 2, True)
    assert len(table.rows) == 3


def test_a_position_far_from_spocs_does_not_meet_what_is_asked(tmp_path: Path, dv_xml: DvXml) -> None:
    moved = 'value="338.5" uncertainty="0.03"'
    content = dv_xml(source=(5.5, 5.4), edit=lambda text: text.replace(moved, moved.replace("338.5", "338.9")))
    (tmp_path / "one.xml").write_bytes(content)
    assert answer_key_table(Effort(), RealData(tmp_path)).met is False


@pytest.mark.data
def test_the_answer_key_is_met(shared_data: Path) -> None:
    table = answer_key_table(Effort(), RealData(shared_data))
    summaries = {row.values["prf"]: row for row in table.rows if str(row.values["what"]).startswith("SPOC's quality")}
    assert {name: row.values["n_images"] for name, row in summaries.items()} == {
        "the PRF sets at hand": 23,
        "of its own camera and CCD": 6,
        "a Gaussian": 23,
    }
    assert table.met is True
