"""What an SPOC Data Validation (DV) report says: one report, its events, their difference images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A number and its 1-sigma error; the error is None where SPOC gives none."""

    value: float
    error: float | None


@dataclass(frozen=True)
class Significance:
    """A statistic and the probability that SPOC attaches to it (1: surely there), None where it gives none."""

    value: float
    significance: float | None


@dataclass(frozen=True)
class DvCentroid:
    """A position: CCD row and column as SPOC prints them, and the same on the sky (degrees)."""

    row: Measured
    column: Measured
    ra_deg: float | None
    dec_deg: float | None


@dataclass(frozen=True)
class DvOffset:
    """An offset in pixels and on the sky (arcsec; RA times cos Dec, east positive); None where SPOC gives none."""

    row_px: Measured | None
    column_px: Measured | None
    ra_arcsec: Measured | None
    dec_arcsec: Measured | None
    sky_arcsec: Measured | None


@dataclass(frozen=True)
class DvQuality:
    """Correlation of a difference image with the PRF that SPOC fitted; `value` is None where it was not computed."""

    value: float | None
    valid: bool
    attempted: bool


@dataclass(frozen=True)
class DvDifferenceImage:
    """
    One difference image: one planet in one sector.

    Attributes
    ----------
    sector, camera, ccd : None where the file does not say
    n_transits : transits averaged
    overlapped_transits : whether transits of other planets overlap those averaged; None where the file does not say
    corner_row, corner_column : CCD coordinates of the pixel [0, 0], in the numbering of the centroids
    control, in_transit, difference : mean flux out of transit, in transit, and the former minus the latter, shape
        (n_row, n_column), electrons per cadence; NaN where there is no pixel
    control_err, in_transit_err, difference_err : 1-sigma errors of these; NaN where there is none
    control_centroid, difference_centroid : SPOC's PRF fits, None where they were not attempted or failed
    tic_reference : position of the catalogue star
    tic_offset, control_offset : of the difference centroid, from the catalogue star and from the control centroid
    quality : DvQuality
    """

    sector: int | None
    camera: int | None
    ccd: int | None
    n_transits: int | None
    overlapped_transits: bool | None
    corner_row: int
    corner_column: int
    control: FloatImage
    control_err: FloatImage
    in_transit: FloatImage
    in_transit_err: FloatImage
    difference: FloatImage
    difference_err: FloatImage
    control_centroid: DvCentroid | None
    difference_centroid: DvCentroid | None
    tic_reference: DvCentroid | None
    tic_offset: DvOffset
    control_offset: DvOffset
    quality: DvQuality


@dataclass(frozen=True)
class DvPlanet:
    """
    One threshold-crossing event.

    Attributes
    ----------
    planet_number : SPOC's number within the report; not the same planet in every report
    toi : the TOI that SPOC matched it with, such as `175.01`, None for none
    period_days, epoch_btjd, duration_hours, depth_ppm : of the fit to all transits, where it converged, else of the
        trapezoid, else of the search; None where none has it
    fit : which of them: `transit model`, `trapezoid`, `search` or empty
    mes : multiple-event statistic of the search
    ghost_core, ghost_halo : correlation of core and halo aperture with the transits, over all sectors
    tic_offset, control_offset : mean over the sectors
    difference_images : one a sector
    """

    planet_number: int
    toi: str | None
    period_days: float | None
    epoch_btjd: float | None
    duration_hours: float | None
    depth_ppm: Measured | None
    fit: str
    mes: float | None
    ghost_core: Significance | None
    ghost_halo: Significance | None
    tic_offset: DvOffset
    control_offset: DvOffset
    difference_images: tuple[DvDifferenceImage, ...]


@dataclass(frozen=True)
class DvReport:
    """
    One DV report.

    Attributes
    ----------
    file, sha256 : name and hash of the file as it lies
    tic_id : the target
    toi : TOI system that SPOC knew, such as `175`, None for none
    sectors : sectors that were searched
    tmag : TESS magnitude, None where not given
    planets : threshold-crossing events, in the order of the file
    """

    file: str
    sha256: str
    tic_id: int
    toi: str | None
    sectors: tuple[int, ...]
    tmag: float | None
    planets: tuple[DvPlanet, ...]
