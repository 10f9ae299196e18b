"""The product data classes: one file as found, and what was read from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.fits.model import FitsSum, ProductHeader
from btv_report.time_systems import TimeReference


class ProductState(StrEnum):
    """State of a product as an answer: usable, damaged, or sound but refused."""

    OK = "OK"
    CORRUPT = "CORRUPT"
    REJECTED = "REJECTED"


@dataclass(frozen=True)
class ProductFile:
    """
    One file that was considered, whether it is used or not.

    Attributes
    ----------
    path : where the bytes lie (private: only `path.name` is recorded)
    header : ProductHeader or None when no header could be read
    sha256 : of the bytes as they lie (compressed when compressed)
    n_bytes : size of those bytes
    fits_sum : FitsSum
    state : ProductState
    used : whether this product feeds the dossier
    reason : why it is not used, or what is noteworthy; a phrase
    uri : archive URI where known
    retrieved : `from mirror`, or an ISO time
    host : the archive's host that gave the bytes; None where none did, or it is not known any more
    """

    path: Path
    header: ProductHeader | None
    sha256: str
    n_bytes: int
    fits_sum: FitsSum
    state: ProductState
    used: bool
    reason: str
    uri: str | None = None
    retrieved: str = "from mirror"
    host: str | None = None


@dataclass(frozen=True)
class LightCurve:
    """
    One light curve, every cadence of the file kept.

    Attributes
    ----------
    product : ProductFile
    time_btjd : float64, shape (n,), days
    flux : float64, shape (n,): divided by `divisor` when normalised, else in `flux_unit`
    flux_err : float64, shape (n,), scaled like flux
    quality : int32, shape (n,)
    used : bool, shape (n,): finite time and flux, and no bit of `quality_mask`
    provenance : how it came to be (see LightCurveProvenance)
    """

    product: ProductFile
    time_btjd: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    quality: NDArray[np.int32]
    used: NDArray[np.bool_]
    provenance: LightCurveProvenance


@dataclass(frozen=True)
class LightCurveProvenance:
    """
    How a light curve was made from its file.

    Attributes
    ----------
    flux_column : column used, such as `PDCSAP_FLUX`; `flux_asked` what was asked (`pdcsap`, `sap`)
    flux_unit : unit of `flux` as stored in the LightCurve (`relative` after normalisation)
    quality_mask : integer mask applied; `quality_column` False when the file has none
    removed_by_bit : cadences removed by each masked bit, by bit number (a cadence may count under several)
    flagged_by_bit : cadences carrying each bit at all
    n_cadences, n_used, n_nonfinite_time, n_nonfinite_flux : counts
    exptime_asked_s : `--exptime`, None when not asked
    exptime_header_s, cadence_measured_s : stated, and median positive step of TIME
    normalised, divisor : divisor is the median of the used cadences in `divisor_unit`; None when not normalised
    normalisation_note : why not normalised (median not positive, ...), else empty
    flux_err_source : column name, or `estimated from scatter` with the method
    time_reference : what the file says
    n_absent_cadences : cadence numbers between the first and the last that the file leaves out; None when it numbers none
    n_repeated_times : cadences left out because an earlier one has the same time
    n_impossible_times : cadences left out because their time cannot be of the sector; not among `n_nonfinite_time`
    times_in_order : whether the times of the file never fall
    repacked : whether the header says that the file was re-packed from the pipeline's own
    crowdsap : CROWDSAP where the header states it
    flux_note : why another column than the one asked for was used, else empty
    removed_by_column : cadences removed by another flag column of the pipeline (such as TGLC_flags), by column name
    """

    flux_asked: str
    flux_column: str
    flux_unit: str
    quality_mask: int
    quality_column: bool
    removed_by_bit: Mapping[int, int]
    flagged_by_bit: Mapping[int, int]
    n_cadences: int
    n_used: int
    n_nonfinite_time: int
    n_nonfinite_flux: int
    exptime_asked_s: float | None
    exptime_header_s: float | None
    cadence_measured_s: float | None
    normalised: bool
    divisor: float | None
    divisor_unit: str
    normalisation_note: str
    flux_err_source: str
    time_reference: TimeReference
    flux_note: str = ""
    n_absent_cadences: int | None = None
    n_repeated_times: int = 0
    n_impossible_times: int = 0
    times_in_order: bool = True
    repacked: bool = False
    crowdsap: float | None = None
    removed_by_column: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TargetPixelFile:
    """
    One target pixel file or cut-out, every cadence of the file kept.

    Attributes
    ----------
    product : ProductFile
    time_btjd : float64, shape (n,), days
    flux, flux_err : float32, shape (n, n_row, n_column), electron/s, native byte order; flux_err None when absent
    background : float32, shape (n,), electron/s per pixel: nan-mean of FLUX_BKG; None when absent or all NaN
    quality : int32, shape (n,); `quality_column` False when the file has none (zeros then)
    aperture : int32, shape (n_row, n_column): raw bits of the APERTURE extension; None when absent
    corner_row, corner_column : detector row and column of pixel [0, 0]; None when the file does not state them
    wcs : astropy.wcs.WCS of the stamp, or None
    crowdsap, flfrcsap : CROWDSAP and FLFRCSAP where known
    removed_by_bit, flagged_by_bit, quality_mask, used : as for a light curve
    wcs_note : why there is no WCS, or that another source than the pixel table was used; empty otherwise
    n_absent_cadences, n_repeated_times, n_impossible_times, times_in_order, repacked : as for a light curve
    n_empty_cadences : cadences not used because every pixel of theirs is exactly 0; NaN in `flux`
    flux_unit : unit of FLUX as the file states it, empty when it does not
    background_subtracted : whether the pipeline subtracted the sky (BACKAPP); TESScut does not
    """

    product: ProductFile
    time_btjd: NDArray[np.float64]
    flux: NDArray[np.float32]
    flux_err: NDArray[np.float32] | None
    background: NDArray[np.float32] | None
    quality: NDArray[np.int32]
    quality_column: bool
    quality_mask: int
    used: NDArray[np.bool_]
    removed_by_bit: Mapping[int, int]
    flagged_by_bit: Mapping[int, int]
    cadence_measured_s: float | None
    aperture: NDArray[np.int32] | None
    corner_row: int | None
    corner_column: int | None
    wcs: Any | None
    crowdsap: float | None
    flfrcsap: float | None
    time_reference: TimeReference
    wcs_note: str = ""
    background_subtracted: bool = True
    n_absent_cadences: int | None = None
    n_repeated_times: int = 0
    n_impossible_times: int = 0
    times_in_order: bool = True
    n_empty_cadences: int = 0
    repacked: bool = False
    flux_unit: str = ""

    @property
    def aperture_mask(self) -> NDArray[np.bool_] | None:
        """Pixels of the optimal aperture (bit 2 of APERTURE); None when there are none or no extension."""
        if self.aperture is None:
            return None
        mask = (self.aperture & 2) > 0
        return mask if mask.any() else None
