"""PRFs at sub-pixel positions, confidence regions, host probabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.hosts import HostInput, host_probabilities
from btv_report.checks.prf import GaussianPrf, derivatives, own_image_prf
from btv_report.checks.region import Region, map_region, outline
from btv_report.checks.scene import describe_scene
from btv_report.checks.source_fit import fit_source
from btv_report.ephemeris import Ephemeris

Scene = Callable[..., Any]


def test_gaussian_prf_has_unit_flux_and_sits_where_asked() -> None:
    image = GaussianPrf((15, 13), 0.8, 1.1).evaluate(np.array([7.3]), np.array([5.6]))[0]
    rows, columns = np.indices(image.shape)
    assert image.sum() == pytest.approx(1.0, abs=1e-6)
    assert (image * rows).sum() == pytest.approx(7.3, abs=1e-5)
    assert (image * columns).sum() == pytest.approx(5.6, abs=1e-5)
    assert (image * (columns - 5.6) ** 2).sum() > 1.3 * (image * (rows - 7.3) ** 2).sum()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.5), (0.31, 1.77), (-2.4, 0.6)])
def test_own_image_shifts_like_the_star_itself(shift: tuple[float, float]) -> None:
    star = GaussianPrf((15, 15), 0.85, 0.85)
    at = (np.array([7.1]), np.array([6.8]))
    prf = own_image_prf(star.evaluate(*at)[0], 7.1, 6.8)
    moved = (at[0] + shift[0], at[1] + shift[1])
    np.testing.assert_allclose(prf.evaluate(*moved)[0], star.evaluate(*moved)[0], atol=0.004)


def test_own_image_gives_the_same_on_grids_and_on_scattered_points() -> None:
    prf = own_image_prf(GaussianPrf((11, 9), 0.9, 0.9).evaluate(np.array([5.0]), np.array([4.0]))[0], 5.0, 4.0)
    rows, columns = (grid.ravel() for grid in np.meshgrid(np.linspace(3, 6, 5), np.linspace(2, 5, 4), indexing="ij"))
    together = prf.evaluate(rows, columns)
    alone = np.concatenate([prf.evaluate(rows[i : i + 1], columns[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(together, alone, atol=1e-14)
    scattered = prf.evaluate(rows + np.linspace(0, 0.1, 20), columns + np.linspace(0, 0.2, 20))
    np.testing.assert_allclose(scattered[0], alone[0], atol=1e-14)


def test_derivatives_are_along_row_first() -> None:
    prf = GaussianPrf((11, 11), 0.9, 0.9)
    by_row, by_column = derivatives(prf, 5.0, 5.0)
    assert by_row[6, 5] > 0 > by_row[4, 5]
    assert by_column[5, 6] > 0 > by_column[5, 4]
    assert abs(by_row[5, 5]) < 1e-12


def test_own_image_is_chosen_for_a_clean_star_and_a_gaussian_beside_a_neighbour(scene: Scene) -> None:
    clean, crowded = scene(days=9.0), scene(days=9.0, neighbours=((7.0, 6.0, 6000.0),))
    kinds = []
    for spec in (clean, crowded):
        described = describe_scene(measure_pixels(spec.make(), spec.ephemeris))
        assert described is not None
        kinds.append(described.prf.kind)
    assert kinds == ["own_image", "gaussian"]


def test_uncatalogued_second_star_keeps_the_image_from_serving_as_prf(scene: Scene) -> None:
    spec = scene(days=9.0, neighbours=((7.9, 6.6, 6000.0),))
    described = describe_scene(measure_pixels(spec.make(neighbours=()), spec.ephemeris))
    assert described is not None
    assert described.prf.kind == "gaussian"


@pytest.mark.parametrize("host", [0, 1])
def test_region_holds_the_true_host(host: int, scene: Scene) -> None:
    inside = 0
    for seed in range(12):
        spec = scene(
            neighbours=((7.0, 6.1, 4000.0),), host=host, depth=0.004 if host == 0 else 0.02, seed=40 + seed, days=13.0,
            cadence_s=1800.0, ephemeris=Ephemeris(2.9, 2001.53, 2.6), jitter_px=0.004,
        )  # fmt: skip
        measurement = measure_pixels(spec.make(), spec.ephemeris)
        described = describe_scene(measurement)
        assert described is not None
        fit = fit_source(measurement, described)
        assert fit is not None
        region = map_region(fit, described, 2.5 / 21)
        truth = (5.2, 4.8) if host == 0 else (7.0, 6.1)
        nearest = np.argmin(np.abs(region.rows - truth[0])), np.argmin(np.abs(region.columns - truth[1]))
        inside += int(region.floored[nearest] <= 11.83)
    assert inside >= 11


def test_outline_takes_the_largest_piece_and_closes_it() -> None:
    axis = np.linspace(-3, 3, 61)
    row, column = np.meshgrid(axis, axis, indexing="ij")
    large = 11.829 * ((row + 1) ** 2 + (column + 1) ** 2) / 1.2**2
    small = 11.829 * ((row - 2) ** 2 + (column - 2) ** 2) / 0.5**2
    values = np.minimum(large, small)
    polygon = np.array(outline(Region(axis, axis, values, values, 0.1)))
    np.testing.assert_array_equal(polygon[0], polygon[-1])
    np.testing.assert_allclose(np.hypot(polygon[:, 0] + 1, polygon[:, 1] + 1), 1.2, atol=0.01)


def test_region_beyond_its_grid_is_still_closed() -> None:
    axis = np.linspace(-1, 1, 21)
    row, _ = np.meshgrid(axis, axis, indexing="ij")
    values = 11.829 * row**2 / 0.5**2
    polygon = np.array(outline(Region(axis, axis, values, values, 0.1)))
    np.testing.assert_array_equal(polygon[0], polygon[-1])
    assert np.abs(polygon[:, 0]).max() == pytest.approx(0.5, abs=0.02)
    assert np.abs(polygon[:, 1]).max() > 1.0


def test_position_is_unbiased_by_the_half_pixel_grid(scene: Scene) -> None:
    for row, column in ((6.9, 6.2), (7.23, 5.77)):
        spec = scene(neighbours=((row, column, 4000.0),), host=1, depth=0.2, noise=0.5, jitter_px=0.0)
        measurement = measure_pixels(spec.make(), spec.ephemeris)
        described = describe_scene(measurement)
        assert described is not None
        fit = fit_source(measurement, replace(described, prf=GaussianPrf((11, 11), 0.85, 0.85)))
        assert fit is not None
        assert np.hypot(fit.row - row, fit.column - column) < 0.01


def test_impossible_depth_and_far_position_lower_a_host() -> None:
    stars = [HostInput(1.0, 0.001, 0.1), HostInput(1.0, 3.0, 0.1), HostInput(20.0, 0.01, 0.1)]
    (target, impossible, far), none = host_probabilities(stars, 1e-4)
    assert target > 0.99
    assert impossible < 1e-3
    assert far < 1e-3
    assert target + impossible + far + none == pytest.approx(1.0)


def test_two_equal_stars_share_the_probability() -> None:
    (first, second), _ = host_probabilities([HostInput(2.0, 0.01, 0.1)] * 2, 1e-6)
    assert first == pytest.approx(second)
    assert first == pytest.approx(0.5, abs=1e-3)
