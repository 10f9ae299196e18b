"""Geometry of what is drawn over a stamp, in stamp coordinates: rows and columns, 0-based, pixel centres at integers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from btv_report.dossier.figures.pixels import BoolImage

Run = tuple[float, float, float, float]  # (column, row) to (column, row)
MAX_REGION_POINTS = 40


def outline_runs(mask: BoolImage) -> list[Run]:
    """
    The edges between mask and other pixels (and the stamp's border), each once, joined into straight runs.

    Returns
    -------
    list of (column_1, row_1, column_2, row_2)
        Horizontal runs left to right, then vertical runs bottom to top; edges lie at half-integers.
    """
    n_row, n_column = mask.shape
    padded = np.zeros((n_row + 2, n_column + 2), np.int8)
    padded[1:-1, 1:-1] = mask
    horizontal = np.diff(padded, axis=0)[:, 1:-1] != 0  # [edge below row i, column]
    vertical = np.diff(padded, axis=1)[1:-1, :] != 0  # [row, edge left of column j]
    runs = [(start - 0.5, i - 0.5, end - 0.5, i - 0.5) for i, start, end in _stretches(horizontal)]
    runs += [(j - 0.5, start - 0.5, j - 0.5, end - 0.5) for j, start, end in _stretches(vertical.T)]
    return runs


def _stretches(edges: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(line, first, last + 1) of each unbroken stretch of edges along the lines of a table."""
    ends = np.zeros((edges.shape[0], edges.shape[1] + 2), np.int8)
    ends[:, 1:-1] = edges
    line, at = np.nonzero(np.diff(ends, axis=1))  # begin, end, begin, end ... line by line
    return [(int(n), int(a), int(b)) for n, a, b in zip(line[::2], at[::2], at[1::2], strict=True)]


def compass(
    sky_per_pixel_arcsec: Sequence[Sequence[float]] | None,
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """
    Directions to north and to east on the stamp.

    Parameters
    ----------
    sky_per_pixel_arcsec : 2 x 2, [[dE/dcolumn, dE/drow], [dN/dcolumn, dN/drow]], arcsec per pixel

    Returns
    -------
    (column, row) unit vectors towards north and east; None when the matrix is missing or singular. Both come from the inverse
    matrix, so that a mirrored stamp is drawn mirrored.
    """
    if sky_per_pixel_arcsec is None:
        return None
    matrix = np.array(sky_per_pixel_arcsec, float)
    if matrix.shape != (2, 2) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-6:
        return None
    to_east, to_north = np.linalg.inv(matrix).T
    north, east = to_north / np.hypot(*to_north), to_east / np.hypot(*to_east)
    return (float(north[0]), float(north[1])), (float(east[0]), float(east[1]))


def thin_polygon(points: Sequence[Sequence[float]], limit: int = MAX_REGION_POINTS) -> list[tuple[float, float]]:
    """
    A closed polygon of [row, column] with at most `limit` corners, as (column, row); [] when it has fewer than three.

    Corners that change the outline least (smallest triangle with their neighbours) go first.
    """
    corners = [(float(column), float(row)) for row, column in points]
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(corners) < 3 or not np.isfinite(corners).all():
        return []
    while len(corners) > 3:
        ring = np.array(corners)
        before, after = np.roll(ring, 1, axis=0) - ring, np.roll(ring, -1, axis=0) - ring
        area = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) / 2
        smallest = int(np.argmin(area))
        if len(corners) <= limit and area[smallest] > 0.002:
            break
        corners.pop(smallest)
    return corners


def ellipse_points(
    centre: tuple[float, float], covariance: Sequence[Sequence[float]], sigma: float, count: int = 48
) -> list[tuple[float, float]]:
    """
    The ellipse of constant probability density `sigma` from the centre (Mahalanobis distance).

    Parameters
    ----------
    centre : (column, row)
    covariance : [[var_row, cov], [cov, var_column]], px2

    Returns
    -------
    list of (column, row); [] when the covariance is not positive definite.
    """
    matrix = np.array(covariance, float)
    if matrix.shape != (2, 2) or not np.isfinite(matrix).all():
        return []
    variances, axes = np.linalg.eigh(matrix)
    if variances[0] <= 0:
        return []
    angle = np.linspace(0, 2 * math.pi, count, endpoint=False)
    offsets = (axes * np.sqrt(variances)) @ np.stack([np.cos(angle), np.sin(angle)]) * sigma
    return [(centre[0] + float(column), centre[1] + float(row)) for row, column in offsets.T]


def star_radius(magnitude: float | None) -> float:
    """Radius of a star's circle in screen units: 10 at magnitude 7 and brighter, 3 at 17 and fainter; 3 when unknown."""
    return 3.0 if magnitude is None else float(np.clip(10 - 0.7 * (magnitude - 7), 3, 10))
