"""Rows held against themselves: time scales, units, depths, sectors."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exofop.candidates.rows import TIC_ID, renamed, toi_table

from btv_report.exofop.candidates.checks import compare_sectors, ppm_of_mmag
from btv_report.exofop.candidates.choosing import candidates_of

PERIOD_DAYS = 20.8774413
SCALES = {
    "Epoch (BJD)": 0.0,
    "Epoch (BJD_TDB)": 0.0,
    "Epoch (BTJD)": 2457000.0,
    "Epoch (BJD - 2457000)": 2457000.0,
    "Epoch (MJD)": 2400000.5,
    "Epoch (RJD)": 2400000.0,
    "Epoch (JD)": 0.0,
    "Epoch (HJD_UTC)": 0.0,
    "Epoch": 0.0,
}
"""Columns and the BJD at which they are 0, as far as a reader of the numbers could tell."""


def epoch_of(column: str, text: str) -> tuple[float | None, str]:
    table = renamed(toi_table({"Epoch (BJD)": text}), "Epoch (BJD)", column)
    found = candidates_of(tic_id=TIC_ID, toi=table, planet=None)
    ephemeris = found.ephemerides[0].epoch_btjd if found.ephemerides else None
    assert found.values[0].get("epoch_btjd") == ephemeris
    return ephemeris, found.values[0]["reason"]


columns = st.sampled_from(sorted(SCALES))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(microdays=st.integers(2458324_000000, 2461400_000000), said=columns, meant=columns)
def test_f107_one_instant_in_any_scale_gives_one_phase_or_a_refusal(microdays: int, said: str, meant: str) -> None:
    instant = microdays / 1e6
    epoch, reason = epoch_of(said, f"{instant - SCALES[meant]:.6f}")
    if epoch is None:
        assert reason
        return
    phase = math.remainder(epoch - (instant - 2457000), PERIOD_DAYS)
    assert abs(phase) < 1e-8
    assert SCALES[said] == SCALES[meant]
    assert said not in {"Epoch (MJD)", "Epoch (RJD)", "Epoch (JD)", "Epoch (HJD_UTC)", "Epoch"}


@pytest.mark.parametrize("column", ["Epoch (BJD)", "Epoch (BJD_TDB)", "Epoch (BTJD)", "Epoch (BJD - 2457000)"])
def test_f107_a_scale_that_is_stated_and_known_is_used(column: str) -> None:
    epoch, _ = epoch_of(column, f"{2460322.358008 - SCALES[column]:.6f}")
    assert epoch == pytest.approx(3322.358008, abs=1e-8)


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("Epoch (BJD)", "3322.358008", "is no BJD. It looks like a BTJD"),
        ("Epoch (BJD)", "60321.858", "It looks like a modified or reduced Julian date"),
        ("Epoch (BJD)", "24603223.58", "The epoch, 24603223.58, is no BJD."),
        ("Epoch (BTJD)", "2460322.358", "is no BTJD."),
        ("Epoch (BKJD)", "5489.358", "states BKJD, not BJD"),
        ("Epoch (HJD)", "2460322.358", "states HJD, not BJD"),
        ("Epoch (BJD_UTC)", "2460322.358", "states BJD_UTC, not BJD"),
        ("Epoch", "2460322.358", "does not state its time scale"),
    ],
)
def test_f107_what_is_in_another_scale_is_refused_and_not_guessed(column: str, text: str, words: str) -> None:
    epoch, reason = epoch_of(column, text)
    assert epoch is None
    assert words in reason


def depths(mmag: str, ppm: str) -> tuple[float | None, tuple[str, ...]]:
    found = candidates_of(tic_id=TIC_ID, toi=toi_table({"Depth (mmag)": mmag, "Depth (ppm)": ppm}), planet=None)
    return found.values[0].get("depth_ppm"), found.disagreements


def test_f108_two_depths_of_a_row_that_contradict_each_other_are_told() -> None:
    depth, sentences = depths(".837425", "837")
    assert depth == 837.0
    assert sentences == (
        "TOI 1262.01 (TOI table, row 1): its depth of 837 ppm and its depth of 0.837425 mmag, which is 771 ppm, "
        "are not the same.",
    )


@pytest.mark.parametrize(
    ("mmag", "ppm"), [("20.994854999999998", "19151.2162143199"), (".01", "9"), ("0.04343", "40.0")]
)
def test_f108_rounding_and_the_tails_of_floats_are_no_contradiction(mmag: str, ppm: str) -> None:
    assert depths(mmag, ppm)[1] == ()


def test_f108_the_linear_rule_of_thumb_is_told_apart_for_a_deep_transit() -> None:
    linear = 21.0 * 921.034
    assert depths("21.000", f"{linear:.1f}")[1] != ()
    assert depths("21.000", f"{ppm_of_mmag(21.0):.1f}")[1] == ()


@pytest.mark.parametrize("mmag", ["", "0", "None"])
def test_a_depth_in_one_unit_only_is_taken_or_converted(mmag: str) -> None:
    assert depths(mmag, "771")[0] == 771.0
    assert depths(".837425", mmag)[0] == pytest.approx(770.99956, abs=1e-4)
    assert depths(mmag, mmag)[0] is None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    depth=st.floats(10.0, 200_000.0),
    n_ppm=st.integers(0, 10),
    n_mmag=st.integers(3, 8),
    off=st.sampled_from([0.0, 4.0]),
)
def test_f108_a_difference_is_told_exactly_when_it_is_beyond_the_digits(
    depth: float, n_ppm: int, n_mmag: int, off: float
) -> None:
    mmag = round(-2500 * math.log10(1 - depth * 1e-6), n_mmag)
    rounding = 0.5 * 10.0**-n_ppm + abs(ppm_of_mmag(mmag + 0.5 * 10.0**-n_mmag) - ppm_of_mmag(mmag))
    ppm = depth + off * max(rounding, 1e-6 * depth)
    _, sentences = depths(f"{mmag:.{n_mmag}f}", f"{ppm:.{n_ppm}f}")
    assert bool(sentences) is (off > 0)


def duration_reason(hours: str, **row: str) -> str:
    changes = {"Duration (hours)": hours, "Period (days)": "3.60677", **row}
    return candidates_of(tic_id=TIC_ID, toi=toi_table(changes), planet=None).values[0]["reason"]


def test_f108_a_duration_in_days_under_hours_is_refused_and_not_converted() -> None:
    reason = duration_reason("0.089")
    assert "its unit is in doubt" in reason
    assert "--duration" in reason
    assert duration_reason("2.136") == ""


@pytest.mark.parametrize(
    ("hours", "radius", "mass"),
    [
        ("0.5", "0.9", "0.94"),  # grazing
        ("0.12", "0.0131", "0.52"),  # a white dwarf
        ("0.01", "0.9", "0.94"),  # too short for days, too
        ("0.1", "36.5", ""),  # a giant of unknown mass
    ],
)
def test_f108_a_short_transit_that_days_would_not_explain_is_used(hours: str, radius: str, mass: str) -> None:
    assert duration_reason(hours, **{"Stellar Radius (R_Sun)": radius, "Stellar Mass (M_Sun)": mass}) == ""


def mid_times(epoch_bjd: str, err: str = "0.001") -> tuple[str, ...]:
    older = {"Epoch (BJD)": epoch_bjd, "Epoch (BJD) err": err, "Date TOI Updated (UTC)": "2020-01-01"}
    return candidates_of(tic_id=TIC_ID, toi=toi_table({}, older), planet=None).disagreements


def test_epochs_of_two_rows_are_compared_modulo_the_period() -> None:
    transits_before = 2460322.358008 - 80 * PERIOD_DAYS
    assert mid_times(f"{transits_before:.6f}") == ()
    (sentence,) = mid_times(f"{transits_before - 0.5:.6f}")
    assert "mid-times 0.5 d apart" in sentence
    assert mid_times(f"{transits_before - 0.01:.6f}") == ()  # 80 transits times the error of the period


def test_equal_sector_lists_say_nothing_in_any_order() -> None:
    assert compare_sectors([14, 20, 14], [20, 14]) == ""
    assert compare_sectors([], []) == ""


def test_sectors_that_only_one_side_lists_are_told() -> None:
    assert compare_sectors([1, 27, 67], [1, 2, 27, 28, 67]) == (
        "MAST has products of sectors 2 and 28, which are not in ExoFOP's list, which may be shortened."
    )
    assert compare_sectors([14, 74], [14]) == "ExoFOP lists sector 74, for which MAST has no product."
    assert compare_sectors([1, 2, 3], [3, 4]) == (
        "ExoFOP lists sectors 1 and 2, for which MAST has no product; "
        "MAST has products of sector 4, which is not in ExoFOP's list, which may be shortened."
    )
    assert "which lists none" in compare_sectors([], [4])


@pytest.mark.parametrize("depth_mmag", [-1e9, 1e9, 0.0])
def test_no_magnitude_is_too_large_for_the_conversion(depth_mmag: float) -> None:
    assert ppm_of_mmag(depth_mmag) <= 1e6
