"""BTJD: what is refused, and why."""

from __future__ import annotations

from typing import Any

import pytest

from btv_report.time_systems import julian_year, time_reference

GOOD = {"TIMESYS": "TDB", "BJDREFI": 2457000, "BJDREFF": 0.0, "TIMEUNIT": "d"}


def test_tess_header_is_btjd() -> None:
    assert time_reference(GOOD).reason_not_btjd() is None


def test_absent_bjdreff_counts_as_zero_and_is_recorded_as_absent() -> None:
    reference = time_reference({key: value for key, value in GOOD.items() if key != "BJDREFF"})
    assert reference.bjdreff is None
    assert reference.reason_not_btjd() is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"BJDREFI": 2454833}, "Kepler zero point"),
        ({"BJDREFF": 0.5}, "2457000.5"),
        ({"BJDREFI": None}, "does not state BJDREFI"),
        ({"TIMESYS": "UTC"}, "UTC, not TDB"),
        ({"TIMESYS": ""}, "not stated, not TDB"),
        ({"TIMEUNIT": "s"}, "s, not days"),
    ],
)
def test_other_time_systems_are_named(change: dict[str, Any], words: str) -> None:
    reason = time_reference({**GOOD, **change}).reason_not_btjd()
    assert reason is not None
    assert words in reason


def test_julian_year_of_the_mission() -> None:
    assert julian_year(-5455.0) == 2000.0
    assert julian_year(3560.0) == pytest.approx(2024.68, abs=0.01)
