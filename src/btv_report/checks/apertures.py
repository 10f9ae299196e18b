"""Pixels and circles: exact overlaps, rings, and pixels that hold only background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

MIN_BACKGROUND_PIXELS = 5
BACKGROUND_SHARE = 0.3


def circle_overlap(shape: tuple[int, int], row: float, column: float, radius: float) -> FloatArray:
    """
    Area of each pixel inside a circle, exact, 0 ... 1.

    Parameters
    ----------
    shape : (n_row, n_column)
    row, column : centre of the circle, 0-based, pixel centres at integers; may lie outside
    radius : pixels, positive
    """
    y = np.arange(shape[0] + 1, dtype=np.float64) - 0.5 - row
    x = np.arange(shape[1] + 1, dtype=np.float64) - 0.5 - column
    corner = _signed_quadrant_area(x[None, :], y[:, None], radius)
    area = corner[1:, 1:] - corner[:-1, 1:] - corner[1:, :-1] + corner[:-1, :-1]
    return np.clip(area, 0.0, 1.0)


def _signed_quadrant_area(x: FloatArray, y: FloatArray, radius: float) -> FloatArray:
    """Area of the circle within the rectangle from the origin to (x, y), with the sign of x y."""
    width = np.minimum(np.abs(x), radius)
    height = np.minimum(np.abs(y), radius)
    flat = np.minimum(width, np.sqrt(np.maximum(radius**2 - height**2, 0.0)))
    return np.sign(x) * np.sign(y) * (height * flat + _under_arc(width, radius) - _under_arc(flat, radius))


def _under_arc(x: FloatArray, radius: float) -> FloatArray:
    """Integral of sqrt(radius^2 - t^2) for t from 0 to x."""
    root = np.sqrt(np.maximum(radius**2 - x**2, 0.0))
    return np.asarray(0.5 * (x * root + radius**2 * np.arcsin(np.minimum(x / radius, 1.0))), dtype=np.float64)


def grow(mask: BoolArray) -> BoolArray:
    """The mask and its eight-connected neighbours."""
    padded = np.pad(mask, 1)
    grown = np.zeros_like(mask)
    n_row, n_column = mask.shape
    for row in range(3):
        for column in range(3):
            grown |= padded[row : row + n_row, column : column + n_column]
    return grown


def distance_px(shape: tuple[int, int], row: float, column: float) -> FloatArray:
    """Distance of each pixel centre from a position, pixels."""
    rows, columns = np.indices(shape)
    return np.asarray(np.hypot(rows - row, columns - column), dtype=np.float64)


def background_pixels(image: FloatArray, aperture: BoolArray) -> BoolArray:
    """
    The faintest pixels at least two pixels away from the aperture; empty when there are fewer than five.

    Parameters
    ----------
    image : shape (n_row, n_column), mean image; NaN where a pixel is not valid
    """
    free = np.isfinite(image) & ~grow(grow(aperture))
    if np.count_nonzero(free) < MIN_BACKGROUND_PIXELS:
        return np.zeros(image.shape, bool)
    limit = np.quantile(image[free], BACKGROUND_SHARE)
    chosen = free & (image <= limit)
    return chosen if np.count_nonzero(chosen) >= MIN_BACKGROUND_PIXELS else np.zeros(image.shape, bool)
