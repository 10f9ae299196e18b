"""F-107: an upload's times are what it says they are, and BTJD only where it says BJD in TDB and from which day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exofop.follow_up.conftest import Write

from btv_report.exofop.curves.external_light_curves import load_external_light_curve
from btv_report.exofop.curves.light_curve_columns import time_system

MOMENT_BJD = 2460322.358008

LABELS = {
    "BJD_TDB": ("BJD_TDB", 0.0),
    "BJD(TDB)": ("BJD_TDB", 0.0),
    "BJD / days (TDB_MID)": ("BJD_TDB", 0.0),
    "BJDTDB": ("BJD_TDB", 0.0),
    "BTJD": ("BJD_TDB", 2457000.0),
    "BJD_TDB-2457000": ("BJD_TDB", 2457000.0),
    "BJD_TDB - 2450000.0": ("BJD_TDB", 2450000.0),
    "bjd_utc": ("BJD_UTC", 0.0),
    "BJD": ("BJD", 0.0),
    "BJD-2457000": ("BJD", 2457000.0),
    "HJD_UTC": ("HJD_UTC", 0.0),
    "HJD": ("HJD", 0.0),
    "JD_UTC": ("JD_UTC", 0.0),
    "J.D.-2400000": ("JD", 2400000.0),
    "JD": ("JD", 0.0),
    "MJD": ("MJD", 2400000.5),
    "MJD_TDB": ("MJD_TDB", 2400000.5),
    "time": ("unlabelled", 0.0),
    "t": ("unlabelled", 0.0),
}


@pytest.mark.parametrize(("name", "expected"), LABELS.items())
def test_f107_only_bjd_in_tdb_from_a_stated_day_becomes_btjd(
    write: Write, name: str, expected: tuple[str, float]
) -> None:
    system, zero = expected
    times = [MOMENT_BJD + step / 1000 - zero for step in range(4)]
    curve = load_external_light_curve(write(f"{name},flux\n" + "".join(f"{time:.9f},1\n" for time in times)))
    assert curve.time_system == system
    np.testing.assert_allclose(curve.time_days, times, rtol=0, atol=1e-9)
    if system == "BJD_TDB":
        assert curve.time_btjd is not None
        np.testing.assert_allclose(curve.time_btjd, [3322.358008 + step / 1000 for step in range(4)], rtol=0, atol=2e-9)
    else:
        assert curve.time_btjd is None
        assert system in curve.why_not_btjd or "does not state its time system" in curve.why_not_btjd


@pytest.mark.parametrize("first", [3322.36, 10322.36, 60321.86])
def test_f107_shortened_bjd_tdb_without_its_day_is_no_btjd(write: Write, first: float) -> None:
    curve = load_external_light_curve(write("BJD_TDB,flux\n" + f"{first},1\n" * 3))
    assert (curve.time_system, curve.zero_days, curve.time_btjd) == ("BJD_TDB", None, None)
    assert curve.why_not_btjd == "Its times count from a day that it does not state."


def test_f107_a_name_that_contradicts_the_numbers_is_not_followed(write: Write) -> None:
    curve = load_external_light_curve(write("BJD_TDB-2457000,flux\n" + f"{MOMENT_BJD},1\n" * 3))
    assert curve.time_btjd is None


DAYS_AFTER_TDB = {
    "JD_UTC": -0.005,
    "HJD_UTC": -0.001,
    "BJD_TDB": 0.0,
    "J.D.-2400000": -2400000.005,
    "time": -2450000.0,
    "BJD_UTC": -0.0008,
}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(order=st.permutations(list(DAYS_AFTER_TDB)))
def test_f107_the_best_labelled_time_is_taken_wherever_it_stands(
    order: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "order.csv"
    row = ",".join(f"{MOMENT_BJD + DAYS_AFTER_TDB[name]:.6f}" for name in order)
    path.write_text(f"{','.join(order)},flux\n" + f"{row},1\n" * 3)
    curve = load_external_light_curve(path)
    assert curve.time_system == "BJD_TDB"
    assert curve.time_days[0] == MOMENT_BJD


@pytest.mark.parametrize("name", ["BJD_CORR", "exposure time", "X(IJ)_T1", "flux", "time_err", "DEC_J2000", "airmass"])
def test_what_is_no_time_is_none(name: str) -> None:
    assert time_system(name) is None
