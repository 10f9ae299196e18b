"""Geometry over a stamp: each edge once, north and east the right way, mirrored or not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from btv_report.dossier.figures.overlay import (
    MAX_REGION_POINTS,
    compass,
    ellipse_points,
    outline_runs,
    star_radius,
    thin_polygon,
)


def _unit_edges(mask: NDArray[np.bool_]) -> set[tuple[float, float, float, float]]:
    """Edges between mask pixels and others, by looking at each pixel's four neighbours."""
    edges = set()
    n_row, n_column = mask.shape
    for row, column in np.argwhere(mask):
        for d_row, d_column in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            r, c = row + d_row, column + d_column
            if 0 <= r < n_row and 0 <= c < n_column and mask[r, c]:
                continue
            if d_row:
                edges.add((column - 0.5, row + d_row / 2, column + 0.5, row + d_row / 2))
            else:
                edges.add((column + d_column / 2, row - 0.5, column + d_column / 2, row + 0.5))
    return edges


@settings(max_examples=60, deadline=None)
@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_the_outline_draws_every_edge_exactly_once(mask: NDArray[np.bool_]) -> None:
    drawn = []
    for x1, y1, x2, y2 in outline_runs(mask):
        steps = round(abs(x2 - x1) + abs(y2 - y1))
        for k in range(steps):
            dx, dy = (x2 - x1) / steps, (y2 - y1) / steps
            drawn.append((x1 + k * dx, y1 + k * dy, x1 + (k + 1) * dx, y1 + (k + 1) * dy))
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == _unit_edges(mask)


# East is left when north is up, as on the sky: columns grow to the west.
ON_SKY = [[-21.0, 0.0], [0.0, 21.0]]
MIRRORED = [[21.0, 0.0], [0.0, 21.0]]


def test_east_is_counter_clockwise_from_north_on_a_sky_view() -> None:
    arrows = compass(ON_SKY)
    assert arrows is not None
    assert arrows[0] == pytest.approx((0, 1))
    assert arrows[1] == pytest.approx((-1, 0))


def test_east_is_clockwise_from_north_on_a_mirrored_view() -> None:
    arrows = compass(MIRRORED)
    assert arrows is not None
    assert arrows[0] == pytest.approx((0, 1))
    assert arrows[1] == pytest.approx((1, 0))


@pytest.mark.parametrize("angle_deg", [0, 33, 90, 200, 305])
@pytest.mark.parametrize("handedness", [1, -1])
def test_a_step_along_an_arrow_moves_the_sky_that_way(angle_deg: float, handedness: int) -> None:
    a = math.radians(angle_deg)
    turn = np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    matrix = turn @ np.diag([-20.0 * handedness, 22.0])  # unequal pixel scales: the inverse matters, not the transpose
    arrows = compass(matrix.tolist())
    assert arrows is not None
    east_of_north_step, north_step = matrix @ np.array(arrows[0])
    assert east_of_north_step == pytest.approx(0, abs=1e-9)
    assert north_step > 0
    east_step, north_of_east_step = matrix @ np.array(arrows[1])
    assert north_of_east_step == pytest.approx(0, abs=1e-9)
    assert east_step > 0


@pytest.mark.parametrize("matrix", [None, [[0, 0], [0, 0]], [[1, 1], [1, 1]], [[math.nan, 0], [0, 1]], [[1.0]]])
def test_f106_no_compass_without_a_usable_wcs(matrix: list[list[float]] | None) -> None:
    assert compass(matrix) is None


def test_a_region_keeps_its_shape_with_fewer_corners() -> None:
    angle = np.linspace(0, 2 * np.pi, 400)
    points = [[5 + 1.5 * math.sin(a), 6 + 3 * math.cos(a)] for a in angle]
    corners = np.array(thin_polygon(points))
    assert 8 <= len(corners) <= MAX_REGION_POINTS
    x, y = corners.T
    area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
    assert area == pytest.approx(math.pi * 1.5 * 3, rel=0.02)
    assert np.ptp(x) == pytest.approx(6, rel=0.02)  # columns are x
    assert np.ptp(y) == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("points", [[], [[1, 1]], [[1, 1], [2, 2]], [[1, 1], [math.nan, 2], [3, 4]]])
def test_a_region_that_is_no_polygon_is_not_drawn(points: list[list[float]]) -> None:
    assert thin_polygon(points) == []


def test_an_ellipse_has_rows_upwards_and_the_distance_it_says() -> None:
    covariance = [[4.0, 0.0], [0.0, 1.0]]  # wide in rows
    points = np.array(ellipse_points((10.0, 20.0), covariance, 3.0))
    assert np.ptp(points[:, 1]) == pytest.approx(12, rel=0.01)
    assert np.ptp(points[:, 0]) == pytest.approx(6, rel=0.01)
    tilted = [[2.0, 0.9], [0.9, 1.0]]
    offsets = np.array(ellipse_points((0.0, 0.0), tilted, 2.0))[:, ::-1]
    distance = np.einsum("ni,ij,nj->n", offsets, np.linalg.inv(tilted), offsets)
    np.testing.assert_allclose(distance, 4.0)


def test_a_covariance_that_is_not_positive_has_no_ellipse() -> None:
    assert ellipse_points((0, 0), [[1.0, 2.0], [2.0, 1.0]], 1.0) == []
    assert ellipse_points((0, 0), [[0.0, 0.0], [0.0, 0.0]], 1.0) == []


def test_brighter_stars_have_larger_circles() -> None:
    assert star_radius(8.0) > star_radius(12.0) > star_radius(16.5) >= star_radius(None)
