"""Times and quality flags of a product, and which cadences its pipeline and the quality mask leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.errors import ProductRefusedError
from btv_report.fits.model import ProductHeader
from btv_report.fits.table import BinaryTable
from btv_report.quality import count_bits

_SECONDS_PER_DAY = 86400.0

QLP_LOW_PRECISION_BIT_TO_SECTOR_55 = 13
QLP_LOW_PRECISION_BIT_FROM_SECTOR_56 = 31
"""QLP's own "low precision" flag; bit 13 means scattered light elsewhere. Source: QLP data product description, MAST."""


@dataclass(frozen=True)
class Cadences:
    """
    The cadences of one product.

    Attributes
    ----------
    time_btjd : float64, shape (n,), days; may hold NaN
    quality : int32, shape (n,): the bits of the file; zeros without a quality column
    quality_column : whether there is one
    quality_mask : mask applied, with the pipeline's own flag added where it has one
    kept : bool, shape (n,): time finite, no masked flag, and not the time of an earlier kept cadence
    removed_by_bit, flagged_by_bit : cadences by bit number, for the masked bits and for all
    removed_by_column : cadences removed by another flag column, by its name
    cadence_measured_s : median positive step of the finite times, seconds; None with fewer than two times
    n_repeated_times : cadences left out because an earlier one has the same time
    n_absent : cadence numbers between the first and the last that the file does not hold; None when it does not number them
    """

    time_btjd: NDArray[np.float64]
    quality: NDArray[np.int32]
    quality_column: bool
    quality_mask: int
    kept: NDArray[np.bool_]
    removed_by_bit: Mapping[int, int]
    flagged_by_bit: Mapping[int, int]
    removed_by_column: Mapping[str, int]
    cadence_measured_s: float | None
    n_repeated_times: int
    n_absent: int | None


def read_cadences(table: BinaryTable, header: ProductHeader, quality_mask: int) -> Cadences:
    """
    Read TIME and the quality flags as the file's pipeline means them.

    QLP marks its low-precision cadences by a bit that means something else elsewhere, TGLC by a column of its own; with any
    mask but 0 these cadences are removed too, because both pipelines set them aside.

    Parameters
    ----------
    table : the light-curve or pixel table
    header : of the same file
    quality_mask : integer mask in TESS bits; 0 keeps everything

    Raises
    ------
    ProductRefusedError
        If there is no usable TIME column or no cadence at all.
    """
    time_btjd = np.asarray(table.read("TIME"), dtype=np.float64)
    if time_btjd.ndim != 1 or time_btjd.size == 0:
        raise ProductRefusedError(f"{table.file_name} holds no cadences.")
    name = "TESS_FLAGS" if "TESS_FLAGS" in table.columns else "QUALITY"
    quality_column = name in table.columns
    quality = _bits(table.read(name)) if quality_column else np.zeros(time_btjd.shape, dtype=np.int32)
    mask = pipeline_mask(header, quality_mask)
    kept = np.isfinite(time_btjd) & ((quality & np.int32(mask)) == 0)
    removed_by_column: dict[str, int] = {}
    if "TGLC_FLAGS" in table.columns and quality_mask != 0:
        flagged = table.read("TGLC_FLAGS") != 0
        removed_by_column["TGLC_flags"] = int(np.count_nonzero(flagged))
        kept &= ~flagged
    repeated = _repeats(time_btjd, kept)
    kept &= ~repeated
    flagged_by_bit = count_bits(quality)
    return Cadences(
        time_btjd=time_btjd,
        quality=quality,
        quality_column=quality_column,
        quality_mask=mask,
        kept=kept,
        removed_by_bit={bit: count for bit, count in flagged_by_bit.items() if mask & (1 << (bit - 1))},
        flagged_by_bit=flagged_by_bit,
        removed_by_column=removed_by_column,
        cadence_measured_s=measure_cadence_s(time_btjd),
        n_repeated_times=int(np.count_nonzero(repeated)),
        n_absent=_count_absent(table),
    )


def _repeats(time_btjd: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    Kept cadences whose time an earlier kept cadence has already.

    No two exposures of one camera begin at once: where times repeat, those of the later rows are wrong or the rows are copies.
    """
    repeated = np.zeros(time_btjd.shape, dtype=np.bool_)
    places = np.flatnonzero(kept)
    times = time_btjd[places]
    if not (np.diff(times) > 0).all():
        first = np.unique(times, return_index=True)[1]
        repeated[np.delete(places, first)] = True
    return repeated


def _count_absent(table: BinaryTable) -> int | None:
    """
    Cadence numbers that the file leaves out between its first and last.

    SPOC files keep a row for every cadence, so absent ones were dropped by whoever re-packed the file. None when the numbers
    do not rise (TESScut writes zeros).
    """
    if "CADENCENO" not in table.columns:
        return None
    numbers = table.read("CADENCENO").astype(np.int64)
    if numbers.ndim != 1 or numbers.size < 2 or np.any(np.diff(numbers) < 1):
        return None
    return int(numbers[-1] - numbers[0] + 1 - numbers.size)


def pipeline_mask(header: ProductHeader, quality_mask: int) -> int:
    """The mask that is applied to a file of this pipeline: QLP's low-precision bit is added to any mask but 0."""
    if header.pipeline != "QLP" or quality_mask == 0:
        return quality_mask
    early = header.sector is not None and header.sector <= 55
    own_bit = QLP_LOW_PRECISION_BIT_TO_SECTOR_55 if early else QLP_LOW_PRECISION_BIT_FROM_SECTOR_56
    return quality_mask | 1 << (own_bit - 1)


def measure_cadence_s(time_btjd: NDArray[np.float64]) -> float | None:
    """Median positive step between consecutive finite times, seconds; None when there is none."""
    steps = np.diff(time_btjd[np.isfinite(time_btjd)])
    steps = steps[steps > 0]
    return float(np.median(steps)) * _SECONDS_PER_DAY if steps.size else None


def _bits(values: NDArray[np.generic]) -> NDArray[np.int32]:
    """Flags as int32; a 16-bit column whose top bit is set is not sign-extended, a null counts as no flag."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0)
    if values.dtype.itemsize == 2:
        return np.asarray(values.astype(np.int16).view(np.uint16), dtype=np.int32)
    return np.asarray(values.astype(np.int64) & 0x7FFFFFFF, dtype=np.int32)
