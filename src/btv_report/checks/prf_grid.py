"""
The calibrated PRF of one camera and CCD: super-sampled images at places of the detector, and the PRF between them.

The TESS PRF files (MIT, 2018 and 2019; archive.stsci.edu/missions/tess/models/prf_fitsfiles) hold 25 places a CCD, each an
image of 13 x 13 pixels sampled nine times a pixel. Sample [k, l] is the light that a pixel catches whose centre lies
(k - 58) / 9 rows and (l - 58) / 9 columns from the star's: the response of the pixel is part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from btv_report.checks.apertures import FloatArray
from btv_report.checks.prf import spline_weights, tensor_images

PADDING_SAMPLES = 6


@dataclass(frozen=True)
class PrfGrid:
    """
    One set of PRF files.

    Attributes
    ----------
    name : of the set, such as `tess2019107181901 (camera 1, CCD 3)`
    camera, ccd : the detector it was measured on
    rows, columns : float64, ascending: detector places of its images, pixels
    samples : float64, shape (n_rows, n_columns, n_sample, n_sample), odd n_sample: light per pixel of a unit star
    n_per_pixel : samples a pixel, along each axis
    sha256 : of the sorted digests of its files
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

        Bilinear between the four images about the place; beyond the outermost images the nearest place inside is taken.
        """
        from scipy.ndimage import spline_filter

        by_row = _between(self.rows, ccd_row)
        by_column = _between(self.columns, ccd_column)
        table = np.einsum("i,j,ijkl->kl", by_row, by_column, self.samples, optimize=True)
        table = table * (self.n_per_pixel**2 / table.sum())
        coefficients = spline_filter(np.pad(table, PADDING_SAMPLES), order=5)
        centre = (table.shape[0] - 1) / 2 + PADDING_SAMPLES
        return SampledPrf(np.asarray(coefficients, dtype=np.float64), shape, centre, self.n_per_pixel, self)

    def mirrored(self) -> PrfGrid:
        """The same set seen in a mirror along the columns, places and images alike."""
        return replace(
            self,
            name=f"{self.name}, mirrored in columns",
            columns=(self.columns[0] + self.columns[-1]) - self.columns[::-1],
            samples=self.samples[:, ::-1, :, ::-1],
        )


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


@dataclass(frozen=True)
class SampledPrf:
    """
    A calibrated PRF at one place of the detector, read between its samples by a quintic spline; see `prf.Prf`.

    Attributes
    ----------
    coefficients : spline coefficients of the padded samples
    shape : of the stamp
    centre : sample on which the star's centre lies, along both axes
    n_per_pixel : samples a pixel
    grid : where it comes from
    """

    coefficients: FloatArray
    shape: tuple[int, int]
    centre: float
    n_per_pixel: int
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
        pixel = np.arange(self.shape[axis])
        return spline_weights(self.centre + self.n_per_pixel * (pixel - shift[:, None]), self.coefficients.shape[axis])
