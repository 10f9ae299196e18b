"""The small least-squares fit finds what scipy's finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import least_squares

from btv_report.checks.least_squares import minimise
from btv_report.checks.prf import GaussianPrf

FloatArray = NDArray[np.float64]


@pytest.mark.parametrize("seed", range(6))
def test_gaussian_star_is_found_where_scipy_finds_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row, column = rng.uniform(3.5, 6.5, 2)
    width = rng.uniform(0.5, 1.2, 2)

    def image(values: FloatArray) -> FloatArray:
        prf = GaussianPrf((11, 11), abs(float(values[2])) + 0.2, abs(float(values[3])) + 0.2)
        return np.asarray(values[4] * prf.evaluate(values[:1], values[1:2])[0].ravel())

    data = image(np.array([row, column, *width, 1.0])) + rng.normal(0, 0.002, 121)
    start = np.array([5.0, 5.0, 0.6, 0.6, 0.8])
    ours = minimise(lambda values: image(values) - data, start)
    theirs = least_squares(lambda values: image(values) - data, start, method="lm").x
    np.testing.assert_allclose(ours[:2], theirs[:2], atol=2e-5)
    np.testing.assert_allclose(np.abs(ours[2:]), np.abs(theirs[2:]), atol=1e-4)


def test_a_curved_valley_is_followed_to_its_end() -> None:
    found = minimise(lambda v: np.array([10 * (v[1] - v[0] ** 2), 1 - v[0]]), np.array([-1.2, 1.0]))
    np.testing.assert_allclose(found, [1.0, 1.0], atol=1e-4)


def test_parameters_without_effect_stay_where_they_are() -> None:
    found = minimise(lambda v: np.array([v[0] - 2.0, 1.0, 0.0]), np.array([0.0, 7.0]))
    np.testing.assert_allclose(found, [2.0, 7.0], atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_residuals_that_are_not_finite_leave_the_start(bad: float) -> None:
    start = np.array([1.0, 2.0])
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(minimise(lambda v: v * bad, start), start)


def test_steps_into_residuals_that_are_not_finite_are_not_taken() -> None:
    with np.errstate(invalid="ignore"):
        found = minimise(lambda v: np.array([np.sqrt(v[0]) - 0.1]), np.array([4.0]))
    assert found[0] == pytest.approx(0.01, abs=1e-6)


def test_the_start_is_not_changed() -> None:
    start = np.array([5.0])
    minimise(lambda v: v - 1.0, start)
    assert start.tolist() == [5.0]
