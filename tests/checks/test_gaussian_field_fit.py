"""The fit of a field with Gaussians: where scipy puts the star, over random fields; and no problem makes it raise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import least_squares

from btv_report.checks.inputs import StackStar
from btv_report.checks.least_squares import minimise
from btv_report.checks.prf import GaussianPrf
from btv_report.checks.scene import FIT_RADIUS_PX, fit_gaussian

FloatArray = NDArray[np.float64]
SHAPE = (11, 11)
GUESS = (5.0, 5.0)
SEEDS = st.integers(0, 2**32 - 1)


def unit_stars(width: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    return GaussianPrf(SHAPE, float(width[0]), float(width[1])).evaluate(rows, columns)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_a_star_among_neighbours_is_found_where_scipy_finds_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = np.array(GUESS) + rng.uniform(-0.7, 0.7, 2)
    n_neighbours = int(rng.integers(0, 4))
    offsets = rng.uniform(-5, 5, (n_neighbours, 2))
    # Nearer and brighter ones can make two places equally good.
    offsets = offsets[np.hypot(*offsets.T) > 2.0]
    magnitudes = rng.uniform(11.0, 15.0, len(offsets))
    ratios = np.array([1.0, *10 ** (-0.4 * (magnitudes - 10.0))])
    rows, columns = (np.array([0.0, *offsets[:, axis]]) for axis in (0, 1))
    widths = rng.uniform(0.6, 1.1, 2)
    stars = unit_stars(widths, target[0] + rows, target[1] + columns)
    control = 5e4 * np.tensordot(ratios, stars, axes=1) + rng.normal(0.0, rng.uniform(1.0, 100.0), SHAPE)

    catalogue = tuple(
        StackStar(f"star {i}", GUESS[0] + row, GUESS[1] + column, float(magnitude), 40.0)
        for i, ((row, column), magnitude) in enumerate(zip(offsets, magnitudes, strict=True))
    )
    found = fit_gaussian(control, GUESS, 10.0, catalogue)
    assert found is not None

    near = np.hypot(*(np.indices(SHAPE) - 5)) <= FIT_RADIUS_PX
    data = control[near] / np.abs(control[near]).max()

    def residual(values: FloatArray) -> FloatArray:
        field = np.tensordot(ratios, unit_stars(values[2:], values[0] + rows, values[1] + columns), axes=1)[near]
        return np.asarray(data - field * (field @ data) / (field @ field), dtype=np.float64)

    theirs = least_squares(residual, [*GUESS, 0.8, 0.8], xtol=1e-12, ftol=1e-12, gtol=1e-12).x
    assert (found.row, found.column) == pytest.approx(theirs[:2], abs=1e-4)
    assert (found.prf.sigma_row, found.prf.sigma_column) == pytest.approx(theirs[2:], abs=1e-3)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=SEEDS,
    n=st.integers(1, 12),
    k=st.integers(1, 4),
    rank=st.integers(0, 4),
    scale=st.sampled_from([0.0, 1e-200, 1e-12, 1.0, 1e12, 1e150]),
    holes=st.booleans(),
)
@example(seed=0, n=1, k=4, rank=0, scale=1.0, holes=True)
def test_no_problem_makes_it_raise_or_leave_finite_numbers(
    seed: int, n: int, k: int, rank: int, scale: float, holes: bool
) -> None:
    """Singular, underdetermined, tiny and huge problems, and residuals that are NaN in half of the places."""
    rng = np.random.default_rng(seed)
    matrix = scale * rng.normal(size=(n, min(rank, k))) @ rng.normal(size=(min(rank, k), k))
    data, start = scale * rng.normal(size=n), rng.normal(size=k)

    def residual(values: FloatArray) -> FloatArray:
        assert np.isfinite(values).all()
        hole = holes and float(np.sin(1e4 * values.sum())) > 0
        return (
            np.full(n, np.nan) if hole else np.asarray(matrix @ values - data + np.sin(values).sum(), dtype=np.float64)
        )

    with np.errstate(over="ignore"):
        found = minimise(residual, start)
        assert np.isfinite(found).all()
        before, after = residual(start), residual(found)
        if np.isfinite(before).all() and np.isfinite(before @ before):
            assert after @ after <= before @ before * (1 + 1e-12)
        else:
            np.testing.assert_array_equal(found, start)


def test_what_already_fits_is_left_alone() -> None:
    assert minimise(lambda values: values * 0.0, np.array([3.0, -1.0])).tolist() == [3.0, -1.0]
