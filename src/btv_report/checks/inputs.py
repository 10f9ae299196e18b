"""What the checks take: arrays with units, and where the stars are on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from btv_report.checks.prf_grid import PrfGrid

FloatCube = NDArray[np.float32]
FloatImage = NDArray[np.float32]
BoolImage = NDArray[np.bool_]


@dataclass(frozen=True)
class StackStar:
    """
    A catalogued star placed on the stamp.

    Attributes
    ----------
    star_id : identifier as the catalogue gives it
    row, column : 0-based pixel position in the stamp (pixel centres at integers); may lie outside the stamp
    magnitude : TESS magnitude (or Gaia G), None when unknown
    separation_arcsec : distance from the target's catalogue position, arcsec
    """

    star_id: str
    row: float
    column: float
    magnitude: float | None
    separation_arcsec: float


@dataclass(frozen=True)
class PixelStack:
    """
    The pixels of one target in one sector, ready for the checks.

    Attributes
    ----------
    sector : int
    time_btjd : float64, shape (n,), days, BTJD (TDB); may hold NaN
    flux : float32, shape (n, n_row, n_column), native byte order, electron/s (or any linear unit); background subtracted
    flux_err : same shape and unit, or None when the file has none
    used : bool, shape (n,): quality mask applied, time finite, at least one finite pixel
    quality : int32, shape (n,): all bits as in the file (zeros when there is no QUALITY column)
    cadence_s : measured cadence, seconds (median positive step of time)
    aperture_mask : bool, shape (n_row, n_column): pixels the pipeline summed; None when unknown
    background : float32, shape (n,), mean background per pixel that the pipeline subtracted; None when unknown
    target_row, target_column : catalogue position at the sector's mid-time, 0-based; None without a usable WCS
    sky_per_pixel_arcsec : float64, shape (2, 2): [[dE/dcolumn, dE/drow], [dN/dcolumn, dN/drow]], arcsec per pixel, where
        E is RA times cos(Dec) towards east and N is Dec towards north; None without a usable WCS
    neighbours : catalogued stars other than the target, nearest first
    neighbours_known : whether a catalogue was asked at all (an empty list then means: none in it)
    tmag : TESS magnitude of the target, None when unknown
    corner_row, corner_column : detector row and column of pixel [0, 0]; None when the file does not state them
    camera, ccd : None when the file does not state them
    prfs : calibrated PRF sets at hand
    wcs_disagrees : a sentence when the WCS and the stamp contradict each other, else empty
    """

    sector: int
    time_btjd: NDArray[np.float64]
    flux: FloatCube
    flux_err: FloatCube | None
    used: NDArray[np.bool_]
    quality: NDArray[np.int32]
    cadence_s: float
    aperture_mask: BoolImage | None = None
    background: NDArray[np.float32] | None = None
    target_row: float | None = None
    target_column: float | None = None
    sky_per_pixel_arcsec: NDArray[np.float64] | None = None
    neighbours: tuple[StackStar, ...] = ()
    neighbours_known: bool = False
    tmag: float | None = None
    corner_row: int | None = None
    corner_column: int | None = None
    camera: int | None = None
    ccd: int | None = None
    prfs: tuple[PrfGrid, ...] = ()
    wcs_disagrees: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """(n_row, n_column) of a stamp."""
        return self.flux.shape[1], self.flux.shape[2]
