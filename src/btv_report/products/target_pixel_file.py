"""FITS bytes to a `TargetPixelFile`: native float32 stamps, only the columns that are needed, as fast as memory allows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from btv_report.errors import ProductRefusedError
from btv_report.fits.blocks import Hdu, walk_hdus
from btv_report.fits.headers import header_fraction, header_values, is_repacked
from btv_report.fits.model import ProductHeader, ProductKind
from btv_report.fits.table import BinaryTable, read_table
from btv_report.products.cadences import read_cadences
from btv_report.products.dead_pixels import blank_dead_pixels, blank_empty_cadences
from btv_report.products.model import ProductFile, TargetPixelFile
from btv_report.products.sky import stamp_wcs
from btv_report.quality import DEFAULT_QUALITY_MASK

MIN_STAMP_PX = 3
"""Smallest side of a stamp on which a star and its surroundings can be told apart."""

FIRST_SCIENCE_COLUMN = 45
"""Detector columns 1-44 are not exposed to the sky. Source: TESS Instrument Handbook, CCD layout."""

_PIXEL_KINDS = (ProductKind.TARGET_PIXEL_FILE, ProductKind.CUTOUT)


def read_target_pixel_file(
    product: ProductFile, content: bytes, *, quality_mask: int = DEFAULT_QUALITY_MASK
) -> TargetPixelFile:
    """
    Read a target pixel file or cut-out.

    Parameters
    ----------
    product : the file, inspected
    content : its decompressed bytes
    quality_mask : integer mask in TESS bits; flagged cadences stay in the arrays, but are not `used`

    Returns
    -------
    TargetPixelFile
        Every cadence of the file, in its order; NaN where a cadence holds zeros only, and where a pixel is zero in all of them
        or stands still (see `dead_pixels`). Flux is in the file's unit (electron/s), float32, shape (n, n_row, n_column).

    Raises
    ------
    ProductRefusedError
        If it is no pixel file, its times are not BTJD, its stamp is smaller than 3 x 3, or no cadence can be used.
    ProductCorruptError
        If its table does not add up.
    """
    header = pixel_header(product)
    hdus = list(walk_hdus(content))
    table = read_table(content, hdus[1], product.path.name)
    cadences = read_cadences(table, header, quality_mask)
    flux = _cube(table, "FLUX")  # our own copy
    n_empty = blank_empty_cadences(flux, cadences.kept)
    blank_dead_pixels(flux, cadences.kept & np.isfinite(flux).any(axis=(1, 2)))
    used = cadences.kept & np.isfinite(flux).reshape(flux.shape[0], -1).any(axis=1)
    if not used.any():
        raise ProductRefusedError(f"{product.path.name} has no usable cadence: {no_pixel_reason(cadences.kept)}.")
    shape = (flux.shape[1], flux.shape[2])
    aperture_hdu = _aperture_hdu(hdus)
    aperture_values = header_values(aperture_hdu.header.raw) if aperture_hdu is not None else None
    flux_number = table.columns["FLUX"].number
    wcs, wcs_note = stamp_wcs(table.values, flux_number, aperture_values, shape)
    subtracted = _is_sky_subtracted(header)
    corner = _corner_pixel(table.values, flux_number, shape)
    return TargetPixelFile(
        product=product,
        time_btjd=cadences.time_btjd,
        flux=flux,
        flux_err=_cube(table, "FLUX_ERR") if _has_stamps(table, "FLUX_ERR", shape) else None,
        background=_background(table, shape) if subtracted else None,
        quality=cadences.quality,
        quality_column=cadences.quality_column,
        quality_mask=cadences.quality_mask,
        used=used,
        removed_by_bit=cadences.removed_by_bit,
        flagged_by_bit=cadences.flagged_by_bit,
        cadence_measured_s=cadences.cadence_measured_s,
        aperture=_aperture(content, aperture_hdu, shape),
        corner_row=corner[0],
        corner_column=corner[1],
        wcs=wcs,
        crowdsap=header_fraction(header, "CROWDSAP"),
        flfrcsap=header_fraction(header, "FLFRCSAP"),
        time_reference=header.time_reference,
        wcs_note=wcs_note,
        background_subtracted=subtracted,
        n_absent_cadences=cadences.n_absent,
        n_repeated_times=cadences.n_repeated_times,
        n_impossible_times=cadences.n_impossible_times,
        times_in_order=cadences.times_in_order,
        n_empty_cadences=n_empty,
        repacked=is_repacked(header),
        flux_unit=table.columns["FLUX"].unit,
    )


def pixel_header(product: ProductFile) -> ProductHeader:
    """The header of a pixel file whose times are BTJD; refuses anything else."""
    name, header = product.path.name, product.header
    if header is None or header.kind not in _PIXEL_KINDS:
        raise ProductRefusedError(f"{name} is no target pixel file or cut-out.", path=product.path)
    reason = header.time_reference.reason_not_btjd()
    if reason is not None:
        raise ProductRefusedError(f"{name} is refused: {reason}.", path=product.path)
    return header


def stamp_shape(table: BinaryTable) -> tuple[int, int]:
    """
    (n_row, n_column) of the FLUX stamps.

    Raises
    ------
    ProductRefusedError
        If FLUX is absent, has no two dimensions, or its stamps are smaller than 3 x 3.
    """
    column = table.columns.get("FLUX")
    if column is None:
        raise ProductRefusedError(f"{table.file_name} has no column FLUX.")
    if len(column.shape) != 2:
        raise ProductRefusedError(f"The FLUX column of {table.file_name} states no rows and columns (TDIM).")
    n_row, n_column = column.shape
    if min(n_row, n_column) < MIN_STAMP_PX:
        raise ProductRefusedError(
            f"The stamps of {table.file_name} are {n_row} x {n_column} pixels (rows x columns): too small to see a star and "
            f"its surroundings ({MIN_STAMP_PX} x {MIN_STAMP_PX} at least)."
        )
    return n_row, n_column


def no_pixel_reason(kept: NDArray[np.bool_]) -> str:
    """Why no cadence of a pixel file is left: flags and times, or the pixels."""
    if not kept.any():
        return f"all {kept.size:,} cadences are flagged or without a time"
    return f"no pixel has a finite flux other than zero in the {int(np.count_nonzero(kept)):,} cadences that are not flagged"


def _cube(table: BinaryTable, name: str) -> NDArray[np.float32]:
    if name == "FLUX":
        stamp_shape(table)
    return np.asarray(table.read(name), dtype=np.float32)


def _is_sky_subtracted(header: ProductHeader) -> bool:
    stated = header.keywords.get("BACKAPP")
    return bool(stated) if stated is not None else header.kind is not ProductKind.CUTOUT


def _has_stamps(table: BinaryTable, name: str, shape: tuple[int, int]) -> bool:
    column = table.columns.get(name)
    return column is not None and column.shape == shape


def _background(table: BinaryTable, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    if not _has_stamps(table, "FLUX_BKG", shape):
        return None
    cube = _cube(table, "FLUX_BKG").reshape(table.n_row, -1)
    finite = np.isfinite(cube)
    count = finite.sum(axis=1)
    if not count.any():
        return None
    total = np.where(finite, cube, np.float32(0)).sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / np.where(count > 0, count, np.nan), dtype=np.float32)


def _aperture_hdu(hdus: Sequence[Hdu]) -> Hdu | None:
    return next((hdu for hdu in hdus[2:] if hdu.header.name == "APERTURE"), None)


def _aperture(content: bytes, hdu: Hdu | None, shape: tuple[int, int]) -> NDArray[np.int32] | None:
    """Raw bits of the APERTURE extension; None when absent, of another shape than the stamps, or not of integers."""
    if hdu is None:
        return None
    cards = hdu.header.cards
    dtype = {"8": "u1", "16": ">i2", "32": ">i4", "64": ">i8"}.get(cards.get("BITPIX", ""))
    if dtype is None or (cards.get("NAXIS2"), cards.get("NAXIS1")) != (str(shape[0]), str(shape[1])):
        return None
    pixels = np.frombuffer(content, dtype=dtype, count=shape[0] * shape[1], offset=hdu.data_start)
    return pixels.reshape(shape).astype(np.int32)


def _corner_pixel(values: Mapping[str, Any], column: int, shape: tuple[int, int]) -> tuple[int | None, int | None]:
    """
    Detector row and column of pixel [0, 0]; (None, None) when the file does not state them.

    Re-packed files put (1, 1) where they do not know: a stamp that ends before the first science column holds no star.
    """
    row, first_column = _corner(values, 2, column), _corner(values, 1, column)
    if first_column is not None and first_column + shape[1] <= FIRST_SCIENCE_COLUMN:
        return None, None
    return row, first_column


def _corner(values: Mapping[str, Any], axis: int, column: int) -> int | None:
    """Detector coordinate of pixel 0 along an axis (physical WCS of the column); None when the file does not state it."""
    reference = values.get(f"{axis}CRV{column}P")
    pixel = values.get(f"{axis}CRP{column}P", 1)
    if isinstance(reference, bool) or not isinstance(reference, int | float) or not isinstance(pixel, int | float):
        return None
    return round(reference + 1 - pixel) if math.isfinite(reference) and math.isfinite(pixel) else None
