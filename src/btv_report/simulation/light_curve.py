"""
Pixels to a light curve: simple aperture photometry, and a stated stand-in for SPOC's PDC.

PDCSAP_FLUX here is SAP_FLUX after (1) a least-squares fit of time and the two pointing shifts to the unflagged cadences was taken
off, its level kept; (2) the other stars' light, (1 - CROWDSAP) of the median, was subtracted;
(3) the rest was divided by FLFRCSAP. Cadences with a bit of the default quality mask have no PDCSAP_FLUX, as in SPOC's
files. Cotrending against other stars, which real PDC does, has no counterpart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.quality import DEFAULT_QUALITY_MASK
from btv_report.simulation.pixels import SimulatedSector

FloatVector = NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedLightCurve:
    """
    Light curve of one simulated sector; vectors of shape (n,), electron/s unless said otherwise.

    Attributes
    ----------
    sap_flux, sap_flux_err : sum over the aperture and its error
    sap_background, sap_background_err : what was subtracted in the aperture
    pdcsap_flux, pdcsap_flux_err : see the module
    row_centroid, column_centroid : flux-weighted centroid over the aperture, 0-based stamp pixels
    row_centroid_err, column_centroid_err : their photon-noise errors, pixels
    """

    sap_flux: FloatVector
    sap_flux_err: FloatVector
    sap_background: FloatVector
    sap_background_err: FloatVector
    pdcsap_flux: FloatVector
    pdcsap_flux_err: FloatVector
    row_centroid: FloatVector
    column_centroid: FloatVector
    row_centroid_err: FloatVector
    column_centroid_err: FloatVector


def extract_light_curve(sector: SimulatedSector) -> SimulatedLightCurve:
    """Sum the aperture of a simulated sector and correct the sum as the module says."""
    rows, columns = np.nonzero(sector.aperture)
    n = sector.time_btjd.size
    sap, variance, background, background_err = (np.zeros(n) for _ in range(4))
    row_moment, column_moment, row_variance, column_variance = (np.zeros(n) for _ in range(4))
    row_0, column_0 = sector.stars[0].row, sector.stars[0].column
    # Pixel by pixel, in stamp order: the same rounding everywhere.
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        flux = sector.flux[:, row, column].astype(np.float64)
        error2 = sector.flux_err[:, row, column].astype(np.float64) ** 2
        sap += flux
        variance += error2
        background += sector.background[:, row, column]
        background_err += sector.background_err[:, row, column]
        row_moment += flux * (row - row_0)
        column_moment += flux * (column - column_0)
        row_variance += error2 * (row - row_0) ** 2
        column_variance += error2 * (column - column_0) ** 2
    sap_err = np.sqrt(variance)
    pdcsap = _correct(sap, sector)
    return SimulatedLightCurve(
        sap_flux=sap,
        sap_flux_err=sap_err,
        sap_background=background,
        sap_background_err=background_err,
        pdcsap_flux=pdcsap,
        pdcsap_flux_err=np.where(np.isnan(pdcsap), np.nan, sap_err / sector.flfrcsap),
        row_centroid=row_0 + row_moment / sap,
        column_centroid=column_0 + column_moment / sap,
        row_centroid_err=np.sqrt(row_variance) / sap,
        column_centroid_err=np.sqrt(column_variance) / sap,
    )


def _correct(sap: FloatVector, sector: SimulatedSector) -> FloatVector:
    """Take off pointing and slow trend, then crowding; NaN where the default mask flags."""
    good = np.isfinite(sap) & ((sector.quality & DEFAULT_QUALITY_MASK) == 0)
    if not good.any():
        return np.full_like(sap, np.nan)
    trends = _trends(sector, good)
    level = float(np.median(sap[good]))
    normal = np.array([[float(np.sum(a[good] * b[good])) for b in trends] for a in trends])
    moment = np.array([float(np.sum(a[good] * (sap[good] - level))) for a in trends])
    # A pseudo-inverse: without jitter or drift a column is zero, and its coefficient must be too.
    coefficients = np.linalg.pinv(normal, hermitian=True) @ moment
    trend = np.zeros_like(sap)
    for coefficient, column in zip(coefficients.tolist(), trends, strict=True):
        trend += coefficient * column
    others = (1.0 - sector.crowdsap) * level
    return np.where(good, (sap - trend - others) / sector.flfrcsap, np.nan)


def _trends(sector: SimulatedSector, good: NDArray[np.bool_]) -> list[FloatVector]:
    """Time and both pointing shifts, with the mean of the good cadences taken off: they leave the level alone."""
    time = np.where(np.isfinite(sector.time_btjd), sector.time_btjd, 0.0) - sector.sector.mid_btjd
    trends = []
    for column in (time, sector.row_shift_px, sector.column_shift_px):
        centred = column - float(np.mean(column[good]))
        spread = float(np.sqrt(np.mean(centred[good] ** 2)))
        trends.append(centred / spread if spread > 0.0 else np.zeros_like(centred))
    return trends
