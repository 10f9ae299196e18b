"""The calibrated PRF between places and samples: where it puts a star, to a hundredth of a pixel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.checks.prf_grid import PrfGrid, SampledPrf
from btv_report.products.prf_files import read_prf_folder

Image = Callable[..., Any]
SHAPE = (11, 13)


@pytest.fixture
def grid(write_set: Callable[..., Any], folder: Path) -> PrfGrid:
    write_set()
    return read_prf_folder(folder).grids[0]


def one(prf: SampledPrf, row: float, column: float) -> Any:
    return prf.evaluate(np.array([row]), np.array([column]))[0]


@pytest.mark.parametrize("place", [(5.0, 6.0), (5.5, 6.0), (5.0, 5.5), (4.63, 6.21), (5.04, 7.9), (0.4, 12.3)])
def test_star_lies_where_it_is_asked_for(grid: PrfGrid, truth: Image, place: tuple[float, float]) -> None:
    image = one(grid.at(1025.0, 500.0, SHAPE), *place)
    np.testing.assert_allclose(image, truth(SHAPE, *place), atol=2e-4)


def test_half_a_pixel_a_turn_and_a_mirror_would_be_noticed(truth: Image) -> None:
    square = (11, 11)
    image = truth(square, 5.2, 5.4)
    for other in (truth(square, 5.7, 5.4), truth(square, 5.2, 4.9), image.T, image[::-1], image[:, ::-1]):
        assert np.abs(other - image).max() > 0.02


def test_whole_star_has_unit_flux(grid: PrfGrid) -> None:
    assert one(grid.at(1025.0, 500.0, (25, 25)), 12.0, 12.0).sum() == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(("row", "as_at"), [(1.0, 1.0), (2048.0, 2048.0), (-40.0, 1.0), (9999.0, 2048.0)])
def test_beyond_the_outermost_places_the_nearest_holds(grid: PrfGrid, truth: Image, row: float, as_at: float) -> None:
    image = one(grid.at(row, 45.0, SHAPE), 5.2, 6.1)
    np.testing.assert_allclose(image, truth(SHAPE, 5.2, 6.1, as_at), atol=2e-4)


def test_between_places_images_mix_linearly(grid: PrfGrid) -> None:
    low, high, between = (one(grid.at(row, 900.0, SHAPE), 5.2, 6.1) for row in (1.0, 1025.0, 257.0))
    np.testing.assert_allclose(between, 0.75 * low + 0.25 * high, atol=1e-5)


def test_row_and_column_of_the_detector_are_not_mixed_up(grid: PrfGrid) -> None:
    # Only the row changes the star of this set.
    same = one(grid.at(1025.0, 45.0, SHAPE), 5.0, 6.0)
    np.testing.assert_allclose(one(grid.at(1025.0, 2092.0, SHAPE), 5.0, 6.0), same, atol=1e-9)
    assert np.abs(one(grid.at(45.0, 1025.0, SHAPE), 5.0, 6.0) - same).max() > 1e-3


def test_many_positions_give_the_same_as_each_alone(grid: PrfGrid) -> None:
    prf = grid.at(700.0, 700.0, SHAPE)
    rows, columns = (axis.ravel() for axis in np.meshgrid(np.linspace(3, 7, 7), np.linspace(4, 8, 6), indexing="ij"))
    scattered = np.random.default_rng(3).uniform(2.0, 9.0, (2, 30))
    for places in ((rows, columns), (scattered[0], scattered[1])):
        alone = np.stack([one(prf, row, column) for row, column in zip(*places, strict=True)])
        np.testing.assert_allclose(prf.evaluate(*places), alone, atol=1e-12)


def test_scatter_of_the_samples_is_smoothed(grid: PrfGrid, truth: Image) -> None:
    rng = np.random.default_rng(5)
    scatter = rng.normal(0.0, 0.01 * grid.samples.max(), grid.samples.shape)
    noisy = PrfGrid(grid.name, 1, 3, grid.rows, grid.columns, grid.samples + scatter, 9, "")
    wrong = one(noisy.at(1025.0, 45.0, SHAPE), 5.2, 6.1) - truth(SHAPE, 5.2, 6.1)
    assert float(np.std(wrong)) < 0.5 * float(np.std(scatter))


def test_a_mirror_turns_columns_and_places_along_them(grid: PrfGrid) -> None:
    mirrored = grid.mirrored()
    assert mirrored.columns.tolist() == [45, 2092]
    straight = one(grid.at(300.0, 245.0, (11, 11)), 5.2, 5.3)
    np.testing.assert_allclose(one(mirrored.at(300.0, 1892.0, (11, 11)), 5.2, 4.7), straight[:, ::-1], atol=1e-12)
    np.testing.assert_array_equal(mirrored.mirrored().samples, grid.samples)


def test_a_single_place_serves_the_whole_detector(write_set: Callable[..., Any], folder: Path, truth: Image) -> None:
    write_set(rows=(1025,), columns=(45,))
    (grid,) = read_prf_folder(folder).grids
    np.testing.assert_allclose(one(grid.at(7.0, 2000.0, SHAPE), 5.2, 6.1), truth(SHAPE, 5.2, 6.1), atol=2e-4)


def test_it_says_what_it_is(grid: PrfGrid) -> None:
    prf = grid.at(1025.0, 500.0, SHAPE)
    assert prf.kind == "tess_prf"
    assert prf.description == "the TESS PRF files of 01-May-2019 (camera 1, CCD 3)"
