"""Times and quality flags of a product, and which cadences its pipeline and the quality mask leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from btv_report.ephemeris import LARGEST_EPOCH_BTJD
from btv_report.errors import ProductRefusedError
from btv_report.fits.model import ProductHeader, ProductKind
from btv_report.fits.table import BinaryTable
from btv_report.quality import count_bits

_SECONDS_PER_DAY = 86400.0

EARLIEST_TIME_BTJD = 1000.0
"""TESS was launched at BTJD 1226."""

_OTHER_ZERO_POINTS = {2457000.0: "full Julian dates", 56999.5: "modified Julian dates"}
"""What is to be subtracted from times that people write in place of BTJD."""

LONGEST_REACH_DAYS = 60.0
"""A sector lasts 27 d, so a time that is further than this from the middle of a sector's times is not of that sector."""

_FEWEST_OF_A_SECTOR = 20
"""Times that stand together, far from all others, and are no stray ones: half a day of the longest cadence."""

QLP_LOW_PRECISION_BIT_TO_SECTOR_55 = 13
QLP_LOW_PRECISION_BIT_FROM_SECTOR_56 = 31
"""QLP's own "low precision" flag; bit 13 means scattered light elsewhere. Source: QLP data product description, MAST."""


@dataclass(frozen=True)
class Cadences:
    """
    The cadences of one product.

    Attributes
    ----------
    time_btjd : float64, shape (n,), days, in the order of the file; NaN where it has none, or one that cannot be
    quality : int32, shape (n,): the bits of the file; zeros without a quality column
    quality_column : whether there is one
    quality_mask : mask applied, with the pipeline's own flag added where it has one
    kept : bool, shape (n,): time finite, no masked flag, and not the time of an earlier kept cadence
    removed_by_bit, flagged_by_bit : cadences by bit number, for the masked bits and for all
    removed_by_column : cadences removed by another flag column, by its name
    cadence_measured_s : median positive step of the finite times in ascending order, seconds; None with fewer than two times
    n_repeated_times : cadences left out because an earlier one has the same time
    n_impossible_times : cadences left out because their time is not of the sector
    times_in_order : whether no finite time is earlier than the one before it
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
    n_impossible_times: int
    times_in_order: bool
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
        If there is no usable TIME column or no cadence at all, or the times are no BTJD, whatever the header says.
    """
    time_btjd = np.array(table.read("TIME"), dtype=np.float64)
    if time_btjd.ndim != 1 or time_btjd.size == 0:
        raise ProductRefusedError(f"{table.file_name} holds no cadences.")
    _refuse_other_times(time_btjd, table.file_name)
    impossible = _impossible(time_btjd, header.kind)
    time_btjd[impossible] = np.nan
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
        n_impossible_times=int(np.count_nonzero(impossible)),
        times_in_order=not bool((np.diff(time_btjd[np.isfinite(time_btjd)]) < 0).any()),
        n_absent=_count_absent(table),
    )


def _refuse_other_times(time_btjd: NDArray[np.float64], file_name: str) -> None:
    """
    Refuse times that count from another day than the header says.

    Their median decides: single wrong stamps are no reason to refuse a file.
    """
    finite = time_btjd[np.isfinite(time_btjd)]
    middle = float(np.median(finite)) if finite.size else EARLIEST_TIME_BTJD
    if _can_be_btjd(middle):
        return
    known = (name for zero, name in _OTHER_ZERO_POINTS.items() if _can_be_btjd(middle - zero))
    what = f" but {name}" if (name := next(known, "")) else ": TESS observes at BTJD 1300 and later"
    raise ProductRefusedError(
        f"{file_name} is refused: its times (about {middle:.10g}) are no BTJD{what}; its header says that they count from BJD "
        "2457000, so TIME was changed after the pipeline wrote it. Take the archive's own file."
    )


def _can_be_btjd(time_btjd: float) -> bool:
    return EARLIEST_TIME_BTJD <= time_btjd <= LARGEST_EPOCH_BTJD


def _impossible(time_btjd: NDArray[np.float64], kind: ProductKind | None) -> NDArray[np.bool_]:
    """
    Finite times that cannot be of the sector, as a wrong stamp of a single row is.

    A pixel file is of one sector: what is more than 60 d from the median is not of it. Light curves of several sectors exist,
    years apart: there a stretch of time is impossible when it is more than 60 d from any other and holds next to no times.
    """
    finite = np.isfinite(time_btjd)
    impossible = np.zeros(time_btjd.shape, dtype=np.bool_)
    if not finite.any():
        return impossible
    far = np.abs(time_btjd - np.median(time_btjd[finite])) > LONGEST_REACH_DAYS
    if kind is not ProductKind.LIGHT_CURVE or not far.any():
        return np.asarray(far & finite, dtype=np.bool_)
    times = np.unique(time_btjd[finite])
    for stretch in np.split(times, np.flatnonzero(np.diff(times) > LONGEST_REACH_DAYS) + 1):
        if stretch.size < _FEWEST_OF_A_SECTOR:
            impossible |= (time_btjd >= stretch[0]) & (time_btjd <= stretch[-1]) & far
    return impossible


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

    SPOC files keep a row for every cadence, so absent ones were dropped by whoever re-packed the file. None when numbers
    repeat (TESScut writes zeros).
    """
    if "CADENCENO" not in table.columns:
        return None
    numbers = np.sort(table.read("CADENCENO").astype(np.int64), axis=0)
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
    """Median positive step between the finite times in ascending order, seconds; None when there is none."""
    steps = np.diff(np.sort(time_btjd[np.isfinite(time_btjd)]))
    steps = steps[steps > 0]
    return float(np.median(steps)) * _SECONDS_PER_DAY if steps.size else None


def _bits(values: NDArray[np.generic]) -> NDArray[np.int32]:
    """Flags as int32; a 16-bit column whose top bit is set is not sign-extended, a null counts as no flag."""
    if values.dtype.kind == "f":
        values = np.nan_to_num(values, nan=0.0)
    if values.dtype.itemsize == 2:
        return np.asarray(values.astype(np.int16).view(np.uint16), dtype=np.int32)
    return np.asarray(values.astype(np.int64) & 0x7FFFFFFF, dtype=np.int32)
