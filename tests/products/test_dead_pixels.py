"""What a pixel file holds in place of measurements."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.products.dead_pixels import STUCK_CADENCES, blank_dead_pixels, blank_empty_cadences
from btv_report.products.inspect import Inspection
from btv_report.products.pixel_stack import build_pixel_stack
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.stages.values import pixel_file_provenance

Cube = NDArray[np.float32]


def noisy(n: int = 400, shape: tuple[int, int] = (8, 6), seed: int = 1) -> Cube:
    return np.random.default_rng(seed).normal(100.0, 2.0, (n, *shape)).astype(np.float32)


def blanked(flux: Cube, kept: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Where values are taken away."""
    measured = flux.copy()
    blank_dead_pixels(measured, np.ones(len(flux), np.bool_) if kept is None else kept)
    gone = np.isnan(measured) & ~np.isnan(flux)
    np.testing.assert_array_equal(measured[~gone], flux[~gone])
    return gone


@pytest.mark.parametrize("where", [slice(0, 400), slice(200, 400), slice(0, 20), slice(101, 121), slice(380, 400)])
def test_f105_a_value_that_stands_still_is_no_measurement(where: slice) -> None:
    flux = noisy()
    flux[where, 3:6, 2:5] = flux[where, 3:6, 2:5][:1]
    expected = np.zeros(flux.shape, np.bool_)
    expected[where, 3:6, 2:5] = True
    np.testing.assert_array_equal(blanked(flux), expected)


@pytest.mark.parametrize("start", range(100, 106))
def test_nineteen_equal_values_are_kept_and_twenty_are_not_wherever_they_begin(start: int) -> None:
    for length in (STUCK_CADENCES - 1, STUCK_CADENCES):
        flux = noisy()
        flux[start : start + length, 2, 2] = 7.0
        assert blanked(flux).sum() == (length if length == STUCK_CADENCES else 0)


def test_cadences_that_are_not_kept_break_no_run_and_are_not_changed() -> None:
    flux, kept = noisy(), np.ones(400, np.bool_)
    kept[110] = False
    flux[100:121, 2, 2] = 7.0
    flux[110, 2, 2] = 9.0
    gone = blanked(flux, kept)
    assert gone.sum() == 20
    assert not gone[110].any()


@pytest.mark.parametrize("n_still", [24, 25, 48])
def test_where_most_pixels_stand_still_none_is_taken_for_dead(n_still: int) -> None:
    flux = noisy()
    flux.reshape(400, -1)[:, :n_still] = 5.0
    assert blanked(flux).any(axis=0).sum() == (n_still if n_still <= 24 else 0)


def test_a_cube_without_noise_stays_readable_with_and_without_a_transit() -> None:
    flux = np.broadcast_to(np.linspace(1.0, 900.0, 48, dtype=np.float32).reshape(8, 6), (400, 8, 6)).copy()
    assert not blanked(flux).any()
    flux[100:150] *= np.float32(0.99)
    assert not blanked(flux).any()


def test_zeros_throughout_are_dead_even_where_most_of_the_stamp_is() -> None:
    flux = noisy()
    flux[:, :, :5] = 0.0
    gone = blanked(flux)
    assert gone[:, :, :5].all()
    assert not gone[:, :, 5].any()


@pytest.mark.parametrize("drift", [0.0, 3.0])
@pytest.mark.parametrize("sigma", [0.16, 0.2, 0.5, 1.0, 3.0])
def test_faint_fluxes_in_whole_numbers_are_not_hit_by_chance(sigma: float, drift: float) -> None:
    flux = np.random.default_rng(8).normal(100.0, 30.0, (20_000, 6, 5)).astype(np.float32)
    level = np.linspace(2.0, 2.0 + drift, 20_000)[:, None, None]
    flux[:, :3, :] = np.round(np.random.default_rng(9).normal(level, sigma, (20_000, 3, 5)))
    assert not blanked(flux).any()


def test_a_stuck_pixel_is_found_among_fluxes_in_whole_numbers() -> None:
    flux = np.round(noisy(n := 4000) * np.float32(5.0))
    flux[n // 2 :, 2, 2] = 500.0
    gone = blanked(flux)
    assert gone.any(axis=0).sum() == 1
    assert gone[n // 2 :, 2, 2].all()


def test_empty_cadences_are_counted_and_hold_no_values() -> None:
    flux, kept = noisy(), np.ones(400, np.bool_)
    flux[:, 0, 0] = np.nan
    flux[[5, 200, 201, 399]] = 0.0
    flux[200, 0, 1] = np.nan
    flux[300] = np.nan
    flux[301] = 0.0
    flux[301, 4, 4] = 1e-3
    kept[399] = False
    measured = flux.copy()
    assert blank_empty_cadences(measured, kept) == 3
    whole = np.isnan(measured).all(axis=(1, 2))
    assert np.flatnonzero(whole).tolist() == [5, 200, 201, 300, 399]
    np.testing.assert_array_equal(measured[~whole], flux[~whole])


def test_f100_a_cadence_of_zeros_is_not_used_and_is_a_gap(read_tpf: Any) -> None:
    flux = noisy(40)
    flux[10:14] = 0.0
    tpf = read_tpf(flux=flux)
    assert np.flatnonzero(~tpf.used).tolist() == [10, 11, 12, 13]
    assert np.isnan(tpf.flux[10:14]).all()
    assert (tpf.n_empty_cadences, pixel_file_provenance(tpf)["n_empty_cadences"]) == (4, 4)


def test_many_empty_cadences_hide_no_stuck_pixel(read_tpf: Any) -> None:
    flux = noisy(80)
    flux[5:30] = 0.0
    flux[:, 2, 2] = np.where(np.arange(80) % 80 < 30, flux[:, 2, 2], 300.0)
    tpf = read_tpf(flux=flux, time=1500.0 + np.arange(80) / 720)
    assert tpf.n_empty_cadences == 25
    assert np.isnan(tpf.flux[30:, 2, 2]).all()
    assert np.isfinite(tpf.flux[30:, 3, 3]).all()


def test_sky_of_a_cutout_that_is_mostly_beyond_the_exposed_columns_is_measured_where_there_are_pixels(
    read_tpf: Any,
) -> None:
    flux = noisy(40)
    flux[:, :, :3] = 0.0
    tpf = read_tpf(flux=flux, creator="astrocut")
    stack = build_pixel_stack(tpf, position=None)
    assert stack.background is not None
    np.testing.assert_allclose(stack.background, 100.0, atol=4.0)


@pytest.mark.data
def test_real_pixels_lose_nothing_and_the_search_is_fast(real_tpf: Inspection) -> None:
    tpf = read_target_pixel_file(real_tpf.product, real_tpf.content)
    assert np.isfinite(tpf.flux).all()
    flux = tpf.flux.copy()
    started = time.process_time()
    blank_empty_cadences(flux, tpf.used)
    blank_dead_pixels(flux, tpf.used)
    assert time.process_time() - started < 0.05  # 0.001 s on a quiet machine
    np.testing.assert_array_equal(flux, tpf.flux)
