"""
The calibrated PRF of one camera and CCD: super-sampled images at places of the detector, and the PRF between them.

The TESS PRF files (MIT, 2018 and 2019; archive.stsci.edu/missions/tess/models/prf_fitsfiles) hold 25 places a CCD, each an
image of 13 x 13 pixels sampled nine times a pixel. Sample [k, l] is the light that a pixel catches whose centre lies
(k - 58) / 9 rows and (l - 58) / 9 columns from the star's: the response of the pixel is part of it.

The samples are read through a least-squares spline of three knots a pixel. No image smeared by a pixel's response varies
faster, and the samples scatter about it by 1-2 % of the peak from one to the next; a spline through each of them was farther
from SPOC's positions (0.043 against 0.039 px in the median of 24 images) and nine times slower.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from btv_report.checks.apertures import FloatArray
from btv_report.checks.prf import spline_weights, tensor_images

KNOTS_PER_PIXEL = 3
PADDING_PX = 1
"""Beyond the samples, where the image is taken for empty."""
STEP_PX = 512
"""Between neighbouring places of the archive's sets, along rows and along columns."""
NEAR_PX = 64
"""How far from a place its image still holds alone; no star lies farther from the outermost places of a whole set."""
OUTERMOST_COLUMNS = (45, 2092)
"""Of a whole set, which are those of the light-sensitive pixels."""


@dataclass(frozen=True)
class PrfGrid:
    """
    One set of PRF files.

    Attributes
    ----------
    name : of the set, such as `of 01-May-2019 (camera 1, CCD 3)`
    camera, ccd : the detector it was measured on
    rows, columns : float64, ascending: detector places of its images, pixels
    samples : float64, shape (n_rows, n_columns, n_sample, n_sample), odd n_sample: light per pixel of a unit star
    n_per_pixel : samples a pixel, along each axis
    sha256 : of the sorted digests of its files, which are those of their decompressed bytes
    """

    name: str
    camera: int
    ccd: int
    rows: FloatArray
    columns: FloatArray
    samples: FloatArray
    n_per_pixel: int
    sha256: str

    def at(self, ccd_row: float, ccd_column: float, shape: tuple[int, int]) -> SampledPrf:
        """
        The PRF at a place of the detector, for a stamp of a given shape.

        Bilinear between the four images about the place; beyond the outermost images the nearest place inside is taken. Whether
        the images at hand are near enough for that, `surrounds` says.
        """
        by_row = _between(self.rows, ccd_row)
        by_column = _between(self.columns, ccd_column)
        near = np.ix_(by_row > 0, by_column > 0)
        table = np.einsum("i,j,ijkl->kl", by_row[by_row > 0], by_column[by_column > 0], self.samples[near])
        table *= self.n_per_pixel**2 / table.sum()
        smoother, knots_per_pixel = _smoother(len(table), self.n_per_pixel)
        return SampledPrf(smoother @ table @ smoother.T, shape, knots_per_pixel, self)

    def surrounds(self, ccd_row: float, ccd_column: float) -> bool:
        """
        Whether the set says what a star at this place of the detector looks like.

        It does where the four places about the star have an image, or an image is within 64 px of it along an axis. With only
        the next images of the real sets in their stead, one step away, positions move by 0.03 px in the median and 0.12 px at
        most, which is the whole systematic floor; with those of the far side by up to 0.18 px.
        """
        return _surrounded(self.rows, ccd_row) and _surrounded(self.columns, ccd_column)

    def distance_px(self, ccd_row: float, ccd_column: float) -> float:
        """Distance of a place of the detector from the nearest image, pixels."""
        return float(np.hypot(np.abs(self.rows - ccd_row).min(), np.abs(self.columns - ccd_column).min()))

    def mirrored(self) -> PrfGrid:
        """The same set seen in a mirror along the detector's columns, places and images alike."""
        return replace(
            self,
            name=f"{self.name}, mirrored in columns",
            columns=sum(OUTERMOST_COLUMNS) - self.columns[::-1],
            samples=self.samples[:, ::-1, :, ::-1],
        )


def _surrounded(nodes: FloatArray, place: float) -> bool:
    """Whether a place lies close to one of ascending nodes, or between two that are one step apart."""
    if np.abs(nodes - place).min() <= NEAR_PX:
        return True
    upper = int(np.searchsorted(nodes, place))
    return 0 < upper < len(nodes) and bool(nodes[upper] - nodes[upper - 1] <= STEP_PX)


def _between(nodes: FloatArray, place: float) -> FloatArray:
    """Linear weights of ascending nodes at a place; the outermost nodes hold beyond the grid."""
    weights = np.zeros(len(nodes))
    inside = min(max(place, float(nodes[0])), float(nodes[-1]))
    upper = min(max(int(np.searchsorted(nodes, inside)), 1), len(nodes) - 1)
    if len(nodes) == 1:
        weights[0] = 1.0
        return weights
    share = (inside - nodes[upper - 1]) / (nodes[upper] - nodes[upper - 1])
    weights[upper - 1], weights[upper] = 1 - share, share
    return weights


@lru_cache(maxsize=4)
def _smoother(n_sample: int, n_per_pixel: int) -> tuple[FloatArray, int]:
    """Matrix from samples along an axis to the spline's coefficients, shape (odd n, n_sample), and its knots a pixel."""
    knots_per_pixel = min(KNOTS_PER_PIXEL, n_per_pixel)
    half = (n_sample - 1) // 2
    reach = half + PADDING_PX * n_per_pixel
    n_half = reach * knots_per_pixel // n_per_pixel
    places: FloatArray = n_half + np.arange(-reach, reach + 1, dtype=np.float64) * knots_per_pixel / n_per_pixel
    weights = spline_weights(places, 2 * n_half + 1)
    inverse = np.asarray(np.linalg.solve(weights.T @ weights, weights.T), dtype=np.float64)
    return inverse[:, reach - half : reach + half + 1], knots_per_pixel


@dataclass(frozen=True)
class SampledPrf:
    """
    A calibrated PRF at one place of the detector, as a quintic spline; see `prf.Prf`.

    Attributes
    ----------
    coefficients : spline coefficients, shape (odd n, odd n); the star stands on the middle one
    shape : of the stamp
    knots_per_pixel : coefficients a pixel
    grid : where it comes from
    """

    coefficients: FloatArray
    shape: tuple[int, int]
    knots_per_pixel: int
    grid: PrfGrid
    kind: str = "tess_prf"

    @property
    def description(self) -> str:
        """Which files, in words."""
        return f"the TESS PRF files {self.grid.name}"

    def evaluate(self, rows: FloatArray, columns: FloatArray) -> FloatArray:
        """Images of unit sources; see `Prf`."""
        return tensor_images(rows, columns, self.coefficients, self._weights)

    def _weights(self, axis: int, shift: FloatArray) -> FloatArray:
        n = self.coefficients.shape[axis]
        away_px = np.arange(self.shape[axis]) - shift[:, None]
        return spline_weights((n - 1) / 2 + self.knots_per_pixel * away_px, n)
