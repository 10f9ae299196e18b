"""Binning and folding of light curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.ephemeris import Ephemeris
from btv_report.fits.model import FitsSum, ProductHeader, ProductKind
from btv_report.products.model import LightCurve, LightCurveProvenance, ProductFile, ProductState
from btv_report.stages.reduce import bin_light_curve, bin_width_hours, fold_light_curves
from btv_report.time_systems import TimeReference

BTJD = TimeReference("TDB", 2457000, 0.0, "d")
CANDIDATE = Ephemeris(2.0, 1001.0, 3.0)


def light_curve(time: NDArray[np.float64], flux: NDArray[np.float64], sector: int = 5) -> LightCurve:
    header = ProductHeader(
        ProductKind.LIGHT_CURVE,
        "TESS",
        1,
        sector,
        1,
        1,
        "SPOC",
        120.0,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        False,
        BTJD,
    )
    product = ProductFile(Path("x_lc.fits"), header, "0" * 64, 1, FitsSum.OK, ProductState.OK, True, "")
    provenance = LightCurveProvenance(
        "pdcsap", "PDCSAP_FLUX", "relative", 17087, True, {}, {}, time.size, time.size, 0, 0, None, 120.0, 120.0, True, 1.0,
        "e-/s", "", "PDCSAP_FLUX_ERR", BTJD,
    )  # fmt: skip
    used = np.isfinite(time) & np.isfinite(flux)
    return LightCurve(product, time, flux, np.full(time.size, 1e-4), np.zeros(time.size, np.int32), used, provenance)


@pytest.fixture
def time() -> NDArray[np.float64]:
    return np.arange(1000.0, 1010.0, 120 / 86400)


def test_bins_hold_ppm_about_the_median_and_gaps_stay_gaps(time: NDArray[np.float64]) -> None:
    flux = np.where(time < 1005.0, 1.0, 1.001)
    flux[(time > 1002.0) & (time < 1003.0)] = np.nan
    binned = bin_light_curve(light_curve(time, flux), bin_hours=1.0)
    assert binned is not None
    median = float(np.nanmedian(flux))
    first = binned.start_btjd
    assert first <= time[0] < first + binned.bin_days
    middle = first + (np.arange(binned.flux_ppm.size) + 0.5) * binned.bin_days
    expected = (np.where(middle < 1005.0, 1.0, 1.001) / median - 1) * 1e6
    empty = (middle > 1002.05) & (middle < 1002.95)
    clear = (np.abs(middle - 1005.0) > 0.05) & np.isfinite(binned.flux_ppm)
    assert np.isnan(binned.flux_ppm[empty]).all()
    np.testing.assert_allclose(binned.flux_ppm[clear], expected[clear], atol=0.5)


def test_scatter_is_of_the_cadences_and_blind_to_slow_variation(time: NDArray[np.float64]) -> None:
    noise = np.random.default_rng(3).normal(0, 200e-6, time.size)
    slow = 2e-3 * np.sin(time)
    binned = bin_light_curve(light_curve(time, 1 + noise + slow), bin_hours=1.0)
    assert binned is not None
    assert binned.scatter_ppm == pytest.approx(200, rel=0.06)


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_f104_light_curve_without_positive_median_is_not_turned_into_ratios(
    time: NDArray[np.float64], level: float
) -> None:
    assert bin_light_curve(light_curve(time, np.full(time.size, level)), bin_hours=1.0) is None


def test_fold_separates_odd_and_even_and_recovers_their_depths(time: NDArray[np.float64]) -> None:
    flux = np.ones(time.size)
    for number, depth in ((0, 500e-6), (1, 900e-6), (2, 500e-6), (3, 900e-6), (4, 500e-6)):
        flux[np.abs(time - CANDIDATE.mid_btjd(number)) < CANDIDATE.duration_days / 2] -= depth
    fold = fold_light_curves([light_curve(time, flux)], CANDIDATE)
    assert fold is not None
    hours = fold.start_hours + (np.arange(fold.odd_ppm.size) + 0.5) * fold.bin_hours
    inside = np.abs(hours) < 1.3
    np.testing.assert_allclose(fold.even_ppm[inside], -500, atol=1)
    np.testing.assert_allclose(fold.odd_ppm[inside], -900, atol=1)
    np.testing.assert_allclose(fold.even_ppm[np.abs(hours) > 1.8], 0, atol=1)
    assert (fold.n_even_transits, fold.n_odd_transits, fold.sectors) == (3, 2, (5,))


def test_depths_carry_the_scatter_of_the_single_transits_from_three_on(time: NDArray[np.float64]) -> None:
    flux = np.ones(time.size)
    for number, depth in ((0, 400e-6), (1, 900e-6), (2, 500e-6), (3, 900e-6), (4, 600e-6)):
        flux[np.abs(time - CANDIDATE.mid_btjd(number)) < CANDIDATE.duration_days / 2] -= depth
    fold = fold_light_curves([light_curve(time, flux)], CANDIDATE)
    assert fold is not None
    depths = fold.depths()
    assert depths["even_depth_ppm"] == pytest.approx(500, abs=0.5)
    assert depths["even_depth_err_ppm"] == pytest.approx(100 / np.sqrt(3), abs=0.5)
    assert depths["odd_depth_ppm"] == pytest.approx(900, abs=0.5)
    assert depths["odd_depth_err_ppm"] is None


def test_transits_that_the_pixel_checks_dropped_are_not_folded(time: NDArray[np.float64]) -> None:
    flux = np.ones(time.size)
    flux[np.abs(time - CANDIDATE.mid_btjd(2)) < CANDIDATE.duration_days / 2] -= 0.5
    fold = fold_light_curves([light_curve(time, flux)], CANDIDATE, dropped={(5, 2), (6, 0)})
    assert fold is not None
    assert (fold.n_even_transits, fold.n_odd_transits) == (2, 2)
    assert float(np.nanmin(fold.even_ppm)) == pytest.approx(0, abs=1)


def test_hours_are_hours_and_not_days(time: NDArray[np.float64]) -> None:
    flux = np.ones(time.size)
    late = CANDIDATE.mid_btjd(1) + 2.0 / 24
    flux[np.abs(time - late) < 0.25 / 24] -= 1e-3
    fold = fold_light_curves([light_curve(time, flux)], CANDIDATE)
    assert fold is not None
    hours = fold.start_hours + (np.arange(fold.odd_ppm.size) + 0.5) * fold.bin_hours
    assert hours[np.nanargmin(fold.odd_ppm)] == pytest.approx(2.0, abs=0.31)


def test_offset_between_sectors_drops_out_of_the_fold(time: NDArray[np.float64]) -> None:
    curves = [light_curve(time, np.ones(time.size), 5), light_curve(time + 26.0, np.full(time.size, 1.01), 6)]
    fold = fold_light_curves(curves, CANDIDATE)
    assert fold is not None
    assert fold.sectors == (5, 6)
    assert float(np.nanmax(np.abs(fold.even_ppm))) < 1e-3


def test_no_transit_in_the_data_is_no_fold(time: NDArray[np.float64]) -> None:
    assert fold_light_curves([light_curve(time, np.ones(time.size))], Ephemeris(500.0, 1200.0, 3.0)) is None
    assert fold_light_curves([], CANDIDATE) is None


def test_bins_follow_the_shortest_transit_within_limits() -> None:
    assert bin_width_hours([]) == 1.0
    assert bin_width_hours([Ephemeris(9, 0, 3.0), Ephemeris(9, 0, 12.0)]) == 0.75
    assert bin_width_hours([Ephemeris(9, 0, 0.5)]) == 0.5


def test_order_of_the_rows_changes_neither_bins_nor_scatter(time: NDArray[np.float64]) -> None:
    flux = 1.0 + 0.01 * np.sin(time) + np.random.default_rng(2).normal(0.0, 1e-4, time.size)
    order = np.random.default_rng(3).permutation(time.size)
    one = bin_light_curve(light_curve(time, flux), bin_hours=1.0)
    other = bin_light_curve(light_curve(time[order], flux[order]), bin_hours=1.0)
    assert one is not None
    assert other is not None
    assert other.scatter_ppm == pytest.approx(one.scatter_ppm)
    np.testing.assert_allclose(other.flux_ppm, one.flux_ppm, rtol=1e-4, atol=1e-3)
