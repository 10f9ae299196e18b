"""The noise from matched windows: how independent they are, and how often nothing is taken for something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import f as f_distribution
from scipy.stats import kstest

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.matched_windows import (
    draw_means,
    effective_number,
    hotelling_p,
    mahalanobis_squared,
    rank_significance,
    sigma_of_log_p,
    sigma_of_p,
)
from btv_report.checks.v08_centroid_shift import measure_shift
from btv_report.ephemeris import Ephemeris


def test_independent_windows_all_count() -> None:
    values = np.random.default_rng(3).normal(size=(2000, 1))
    assert effective_number(values, np.arange(2000)) == pytest.approx(2000, rel=0.05)


def test_overlapping_windows_count_for_less() -> None:
    white = np.random.default_rng(3).normal(size=4003)
    smooth = np.convolve(white, np.ones(4), mode="valid")
    # Triangle of width 4: rho = 3/4, 1/2, 1/4.
    expected = 4000 / (1 + 2 * (0.75**2 + 0.5**2 + 0.25**2))
    assert effective_number(smooth, np.arange(4000)) == pytest.approx(expected, rel=0.1)


def test_holes_in_the_grid_are_not_taken_for_neighbours() -> None:
    white = np.random.default_rng(4).normal(size=4003)
    smooth = np.convolve(white, np.ones(4), mode="valid")
    apart = np.arange(0, 4000, 8)
    assert effective_number(smooth[apart], apart) == pytest.approx(500, rel=0.1)


def test_constant_statistic_measures_no_noise() -> None:
    assert effective_number(np.zeros(50), np.arange(50)) == 0.0


def test_draws_have_the_scatter_of_a_mean_and_repeat() -> None:
    values = np.random.default_rng(5).normal(size=(500, 2))
    draws = draw_means(values, 4, "test")
    assert draws.shape == (2000, 2)
    assert draws.std() == pytest.approx(0.5, rel=0.05)
    np.testing.assert_array_equal(draws, draw_means(values, 4, "test"))
    assert not np.array_equal(draws, draw_means(values, 4, "another"))


def test_p_is_the_rank_and_beyond_it_hotelling_and_never_zero() -> None:
    draws = np.arange(2000.0)
    by_rank = rank_significance(1000.0, draws, 2, 100.0)
    assert by_rank.p_value == pytest.approx(1001 / 2001)
    assert by_rank.kind == "rank"
    beyond = rank_significance(1e30, draws, 2, 100.0)
    assert beyond.kind == "hotelling"
    assert 0 < beyond.p_value < 1e-100


def test_few_independent_windows_raise_p_above_its_rank() -> None:
    draws = np.random.default_rng(2).chisquare(2, 2000)
    many, few = (rank_significance(11.0, draws, 2, nu) for nu in (1e6, 35.0))
    assert few.p_value > 1.5 * many.p_value
    assert few.kind == "hotelling"


def test_hotelling_uses_f_with_two_and_nu_minus_one() -> None:
    nu, t_squared = 80.0, 15.0
    expected = f_distribution.sf(t_squared * (nu - 1) / (2 * nu), 2, nu - 1)
    assert hotelling_p(t_squared, 2, nu) == pytest.approx(expected, rel=1e-9)


def test_three_sigma_is_0_0027() -> None:
    assert sigma_of_p(0.0026998) == pytest.approx(3.0, abs=1e-3)


def test_distance_ignores_directions_without_variance() -> None:
    covariance = np.diag([4.0, 0.0])
    assert mahalanobis_squared(np.array([[2.0, 5.0]]), covariance)[0] == pytest.approx(1.0)


@pytest.mark.parametrize(("jitter_px", "n_transits"), [(0.0, 2), (0.01, 2), (0.01, 6)])
def test_signal_free_cubes_are_rarely_called_shifted(
    jitter_px: float, n_transits: int, scene: Callable[..., Any]
) -> None:
    period = {2: 9.0, 6: 4.1}[n_transits]
    ephemeris = Ephemeris(period, 2002.03, 2.6)
    p_values = []
    for seed in range(40):
        spec = scene(
            shape=(7, 7), target=(3.1, 2.9), depth=0.0, jitter_px=jitter_px, ephemeris=ephemeris, cadence_s=1800.0,
            days=25.0 if n_transits == 6 else 18.0, seed=100 + seed,
        )  # fmt: skip
        measurement = measure_pixels(spec.make(), ephemeris)
        assert measurement.n_transits == n_transits
        shift = measure_shift(measurement, measurement.aperture)
        assert shift is not None
        p_values.append(shift.significance.p_value)
    # Of 40 trials 0.1 are expected beyond 3 sigma, and 1 or 2 below 0.05.
    assert sum(p < 0.0027 for p in p_values) <= 1
    assert sum(p < 0.05 for p in p_values) <= 6
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_sigma_of_a_tiny_probability_goes_on_beyond_float_range() -> None:
    from scipy.stats import norm

    for log_p in (-1.0, -50.0, -599.0):
        assert sigma_of_log_p(log_p) == pytest.approx(norm.isf(np.exp(log_p) / 2), rel=1e-9)
    # Two-sided 57 sigma: ln p = ln 2 + log of the upper tail.
    for sigma in (37.6, 42.1, 57.0, 300.0):
        assert sigma_of_log_p(float(np.log(2) + norm.logsf(sigma))) == pytest.approx(sigma, rel=1e-6)
