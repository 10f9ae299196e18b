"""The calibrated PRF against the plain double sum over its spline, near the stamp and far from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from btv_report.checks.prf_grid import PrfGrid, SampledPrf
from btv_report.products.prf_files import read_prf_folder

SHAPE = (7, 9)
PLACES = st.floats(-9.0, 17.0)


@pytest.fixture
def prf(write_set: Callable[..., Any], folder: Path) -> SampledPrf:
    write_set()
    grid: PrfGrid = read_prf_folder(folder).grids[0]
    return grid.at(700.0, 300.0, SHAPE)


def double_sum(prf: SampledPrf, row: float, column: float) -> Any:
    """Sum over all coefficients of a quintic B-spline along each axis, straight from scipy's definition of it."""
    spline = BSpline.basis_element(np.arange(7) - 3.0, extrapolate=False)
    n = len(prf.coefficients)

    def weights(n_pixel: int, place: float) -> Any:
        sample = (n - 1) / 2 + prf.knots_per_pixel * (np.arange(n_pixel) - place)
        return np.nan_to_num(spline(sample[:, None] - np.arange(n)))

    return weights(SHAPE[0], row) @ prf.coefficients @ weights(SHAPE[1], column).T


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=12),
    repeated=st.booleans(),
)
def test_any_positions_give_the_double_sum(prf: SampledPrf, places: list[tuple[float, float]], repeated: bool) -> None:
    """One, few, many, scattered positions and those of a grid, on the stamp and beside it."""
    rows, columns = np.array(places).T
    if repeated:
        rows, columns = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
    images = prf.evaluate(rows, columns)
    assert images.shape == (len(rows), *SHAPE)
    truth = [double_sum(prf, row, column) for row, column in zip(rows, columns, strict=True)]
    np.testing.assert_allclose(images, truth, atol=1e-12)


@pytest.mark.parametrize("away_px", [9.0, 31.4, 1e6, 1e15])
@pytest.mark.parametrize("n", [1, 20])
def test_a_star_beyond_its_own_image_leaves_the_stamp_empty(prf: SampledPrf, away_px: float, n: int) -> None:
    for rows, columns in ((-away_px, 4.0), (SHAPE[0] + away_px, 4.0), (3.0, -away_px), (3.0, SHAPE[1] + away_px)):
        images = prf.evaluate(np.full(n, rows), np.full(n, columns) + np.arange(n) / 64)
        assert not images.any()


def test_a_star_beside_the_stamp_leaves_its_wing_there(prf: SampledPrf) -> None:
    image = prf.evaluate(np.array([-2.0]), np.array([4.0]))[0]
    assert image[0].sum() > 10 * image[2].sum() > 0


def test_no_position_gives_no_image(prf: SampledPrf) -> None:
    assert prf.evaluate(np.array([]), np.array([])).shape == (0, *SHAPE)
