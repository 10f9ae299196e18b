"""
The pixel response function (PRF): the image of one point source at any position of the stamp.

A PRF is an object with `evaluate(rows, columns)`, `kind` and `description`; further kinds (from calibration files) fit in
without a change elsewhere. Images have unit total flux where the whole source lies on the stamp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

SPLINE_DEGREE = 5
TAPER_INNER_PX, TAPER_OUTER_PX = 3.5, 5.5
PADDING_PX = 6
FEW_POSITIONS = 8
"""So few that looking for repeated rows and columns takes longer than it saves."""


class Prf(Protocol):
    """The image of a point source of unit flux."""

    @property
    def kind(self) -> str:
        """A stable word: `own_image`, `gaussian` ..."""
        ...

    @property
    def description(self) -> str:
        """A phrase for readers."""
        ...

    def evaluate(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Images of sources at m positions (0-based, pixel centres at integers), shape (m, n_row, n_column)."""
        ...


@dataclass(frozen=True)
class GaussianPrf:
    """An axis-aligned Gaussian integrated over pixels; widths in pixels."""

    shape: tuple[int, int]
    sigma_row: float
    sigma_column: float
    kind: str = "gaussian"

    @property
    def description(self) -> str:
        """Widths in words."""
        return (
            f"a Gaussian fitted to the control image (sigma {self.sigma_row:.2f} px in row, "
            f"{self.sigma_column:.2f} px in column)"
        )

    def evaluate(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Images of unit sources; see `Prf`."""
        return _outer(
            _gaussian_integral(self.shape[0], rows, self.sigma_row),
            _gaussian_integral(self.shape[1], columns, self.sigma_column),
        )


def _gaussian_integral(n: int, centre: FloatArray, sigma: float) -> FloatArray:
    """Integral of a unit Gaussian over each of n pixels, for each centre: shape (m, n)."""
    from scipy.special import ndtr

    edges = ndtr((np.arange(n + 1) - 0.5 - np.asarray(centre)[:, None]) / sigma)
    return np.asarray(np.diff(edges, axis=1), dtype=np.float64)


def _outer(by_row: FloatArray, by_column: FloatArray) -> FloatArray:
    return np.asarray(by_row[:, :, None] * by_column[:, None, :], dtype=np.float64)


@dataclass(frozen=True)
class OwnImagePrf:
    """
    The star's own control image, shifted by a quintic spline.

    Attributes
    ----------
    coefficients : spline coefficients of the cleaned, tapered, normalised image, padded by six pixels on each side
    shape : of the stamp
    row, column : position of the star whose image this is
    """

    coefficients: FloatArray
    shape: tuple[int, int]
    row: float
    column: float
    kind: str = "own_image"
    description: str = "the star's own control image, shifted by a quintic spline"

    def evaluate(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Images of unit sources; see `Prf`."""
        return tensor_images(rows, columns, self.coefficients, self._weights)

    def _weights(self, axis: int, shift: FloatArray) -> FloatArray:
        origin = (self.row, self.column)[axis]
        sample = np.arange(self.shape[axis]) + PADDING_PX - (shift[:, None] - origin)
        return spline_weights(sample, self.coefficients.shape[axis])


def tensor_images(
    rows: FloatArray, columns: FloatArray, coefficients: FloatArray, weights: Callable[[int, FloatArray], FloatArray]
) -> FloatArray:
    """
    Images of m sources from spline coefficients: each image is row weights x coefficients x column weights.

    `weights(axis, positions)` gives the weights of the positions along an axis, shape (m, n_pixel, n_coefficient). Grids
    repeat their rows and columns: the weights of each are made once.
    """
    if len(rows) <= FEW_POSITIONS:
        return np.asarray(weights(0, rows) @ coefficients @ weights(1, columns).transpose(0, 2, 1), dtype=np.float64)
    some_rows, row_place = np.unique(rows, return_inverse=True)
    some_columns, column_place = np.unique(columns, return_inverse=True)
    by_row = weights(0, some_rows) @ coefficients
    by_column = weights(1, some_columns)
    if len(some_rows) * len(some_columns) <= 2 * len(row_place):
        table = np.tensordot(by_row, by_column, axes=(2, 2))
        return np.asarray(table[row_place, :, column_place], dtype=np.float64)
    images = np.matmul(by_row[row_place], by_column[column_place].transpose(0, 2, 1))
    return np.asarray(images, dtype=np.float64)


def own_image_prf(image: FloatArray, row: float, column: float, description: str = "") -> OwnImagePrf:
    """
    Make a PRF of a star's image from which background and neighbours have been subtracted.

    Parameters
    ----------
    image : shape (n_row, n_column), non-finite pixels count as empty
    row, column : position of the star; the image fades to zero between 3.5 and 5.5 px from it
    description : what readers should know of it; by default only what it is
    """
    from scipy.ndimage import spline_filter

    rows, columns = np.indices(image.shape)
    distance = np.hypot(rows - row, columns - column)
    fade = np.clip((TAPER_OUTER_PX - distance) / (TAPER_OUTER_PX - TAPER_INNER_PX), 0.0, 1.0)
    clean = np.where(np.isfinite(image), image, 0.0) * (3 * fade**2 - 2 * fade**3)
    padded = np.pad(clean / clean.sum(), PADDING_PX)
    prf = OwnImagePrf(spline_filter(padded, order=SPLINE_DEGREE), (image.shape[0], image.shape[1]), row, column)
    return replace(prf, description=description) if description else prf


def spline_weights(sample: FloatArray, n: int) -> FloatArray:
    """Quintic B-spline weights of n coefficients at samples of any shape: that shape and a last axis of length n."""
    first = np.floor(np.clip(sample, -4, n + 4)).astype(np.int64) - SPLINE_DEGREE // 2
    taps = first[..., None] + np.arange(SPLINE_DEGREE + 1)
    distance = np.abs(sample[..., None] - taps)
    values = _fifth_power(3 - distance) - 6 * _fifth_power(2 - distance) + 15 * _fifth_power(1 - distance)
    # Taps beyond either end fall on a last place, which is cut off: beyond its coefficients an image is empty.
    weights = np.zeros((*sample.shape, n + 1))
    np.put_along_axis(weights, np.where((taps >= 0) & (taps < n), taps, n), values / 120.0, axis=-1)
    return weights[..., :n]


def _fifth_power(values: FloatArray) -> FloatArray:
    """max(x, 0)^5, by products: several times faster than a power."""
    base = np.maximum(values, 0.0)
    square = base * base
    return np.asarray(square * square * base, dtype=np.float64)


def derivatives(prf: Prf, row: float, column: float, step: float = 0.05) -> FloatArray:
    """Central differences of the PRF image along row and column at a position, per pixel: shape (2, n_row, n_column)."""
    rows = np.array([row + step, row - step, row, row])
    columns = np.array([column, column, column + step, column - step])
    plus_row, minus_row, plus_column, minus_column = prf.evaluate(rows, columns)
    return np.stack([plus_row - minus_row, plus_column - minus_column]) / (2 * step)
