"""
One path to one `ProductFile`: read once, hashed, summed, described, and either usable or not, with the true reason.

The order of the questions matters. A file whose sums fail is damaged, and nothing it says of itself is believed - except
that a Kepler file, damaged or not, is no TESS file. A sound file is refused for the first reason that holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from btv_report.errors import BtvReportError, ProductCorruptError, ProductRefusedError
from btv_report.fits.blocks import Hdu
from btv_report.fits.headers import kepler_id, product_header
from btv_report.fits.local_file import read_file
from btv_report.fits.model import FitsSum, ProductHeader, ProductKind
from btv_report.fits.sums import FitsCheck, check_fits
from btv_report.fits.table import BinaryTable, read_table
from btv_report.products.cadences import read_cadences
from btv_report.products.light_curve import choose_flux, no_cadence_reason
from btv_report.products.listing import Listing, why_not_as_listed
from btv_report.products.model import ProductFile, ProductState
from btv_report.products.target_pixel_file import no_pixel_reason, stamp_shape
from btv_report.quality import DEFAULT_QUALITY_MASK

_OBS_ID = re.compile(r"(tess\d{13}-s\d{4}-\d{16}-\d{4}-[a-z])_(?:lc|tp|fast-lc|fast-tp)\.fits", re.IGNORECASE)
_REREAD_HINT = "Run again; if it happens again, something else is writing to the mirror."


@dataclass(frozen=True)
class Inspection:
    """
    A file that was looked into.

    Attributes
    ----------
    product : what it is and whether it can be used; `used` is False until products are selected
    content : its decompressed bytes, the very ones that were hashed and summed; empty when it is damaged
    """

    product: ProductFile
    content: bytes


def inspect_file(
    path: Path,
    *,
    tic_id: int | None = None,
    flux: str = "pdcsap",
    quality_mask: int = DEFAULT_QUALITY_MASK,
    uri: str | None = None,
    retrieved: str = "from mirror",
    host: str | None = None,
    listed: Listing | None = None,
) -> Inspection:
    """
    Look into one file.

    Parameters
    ----------
    path : the file, plain or gzip
    tic_id : the target asked for; a file of another target is refused. None accepts any target
    flux, quality_mask : what will be asked of it; a file without a single usable cadence is refused
    uri, retrieved, host : where the bytes came from, for the record
    listed : what the archive lists of it; a file whose header says otherwise is refused. None where no archive does

    Returns
    -------
    Inspection
        `product.state` is OK, CORRUPT (damaged; `reason` says where) or REJECTED (sound, but not to be used; `reason` says
        why). A damaged or refused file is an answer, not an error.

    Raises
    ------
    LocalEnvironmentError
        If the file cannot be opened or read.
    ProductRefusedError
        If it is larger than the limit for one product.
    """
    file = read_file(path)
    product = ProductFile(
        path=path,
        header=None,
        sha256=file.sha256,
        n_bytes=len(file.raw),
        fits_sum=FitsSum.BAD,
        state=ProductState.CORRUPT,
        used=False,
        reason="",
        uri=uri,
        retrieved=retrieved,
        host=host,
    )
    try:
        content = file.content()
    except ProductCorruptError as error:
        return Inspection(replace(product, reason=_phrase(error, path)), b"")
    check = check_fits(content)
    product = replace(product, fits_sum=check.state, header=_header(check, path))
    asked = _Asked(tic_id, listed, flux, quality_mask)
    state, reason = _judge(product, content, check, asked)
    kept = b"" if state is ProductState.CORRUPT else content
    return Inspection(replace(product, state=state, reason=reason), kept)


def content_of(product: ProductFile) -> bytes:
    """
    Read the bytes of an inspected product again, and make sure that they are the same.

    Raises
    ------
    ProductCorruptError
        If the file has changed since it was inspected.
    LocalEnvironmentError
        If it cannot be read any more.
    """
    file = read_file(product.path)
    if file.sha256 != product.sha256:
        raise ProductCorruptError(
            f"{product.path.name} has changed while it was in use (sha256 {product.sha256[:12]}... before, "
            f"{file.sha256[:12]}... now).",
            hint=_REREAD_HINT,
            path=product.path,
        )
    return file.content()


def _header(check: FitsCheck, path: Path) -> ProductHeader | None:
    if not check.hdus:
        return None
    header = product_header([hdu.header.raw for hdu in check.hdus[:2]])
    match = _OBS_ID.match(path.name)  # SPOC states its observation id nowhere but in the name
    return replace(header, obs_id=match.group(1)) if header.obs_id is None and match else header


@dataclass(frozen=True)
class _Asked:
    """What a file has to be, and what will be asked of it."""

    tic_id: int | None
    listed: Listing | None
    flux: str
    quality_mask: int


def _judge(product: ProductFile, content: bytes, check: FitsCheck, asked: _Asked) -> tuple[ProductState, str]:
    header = product.header
    if header is not None and check.whole and _is_kepler(header):
        damage = f"; it is damaged, too: {check.reason}" if check.reason else ""
        return ProductState.REJECTED, f"{_other_mission(header)}{damage}"
    if header is None or check.is_damaged:
        return ProductState.CORRUPT, check.reason
    refusal = _refusal(header, asked)
    if refusal:
        return ProductState.REJECTED, refusal
    try:
        _require_usable_cadences(header, content, check.hdus, product.path, asked)
    except ProductCorruptError as error:
        return ProductState.CORRUPT, _phrase(error, product.path)
    except ProductRefusedError as error:
        return ProductState.REJECTED, _phrase(error, product.path)
    edited = "files of TESScut have been seen to be edited after they were summed"
    return ProductState.OK, f"{check.reason}; {edited}" if check.tolerated else ""


def _is_kepler(header: ProductHeader) -> bool:
    return header.mission in {"Kepler", "K2"} and kepler_id(header) is not None


def _other_mission(header: ProductHeader) -> str:
    times = header.time_reference.reason_not_btjd()
    also = f", and {times}" if times else ""
    return f"it is a {header.mission} file, not a TESS one{also}"


def _refusal(header: ProductHeader, asked: _Asked) -> str:
    tic_id = asked.tic_id
    if header.mission not in {None, "TESS"}:
        return _other_mission(header)
    if header.kind is None:
        return "it is neither a light curve nor a pixel file"
    if tic_id is not None and header.tic_id not in {None, tic_id}:
        return f"its header says TIC {header.tic_id}, not TIC {tic_id}"
    if tic_id is not None and header.tic_id is None and header.kind is not ProductKind.CUTOUT:
        return f"its header names no TIC number, so it cannot be told to be of TIC {tic_id}"
    if header.sector is None or header.sector < 1:
        return "its header states no sector"
    contradiction = why_not_as_listed(header, asked.listed) if asked.listed is not None else ""
    return contradiction or header.time_reference.reason_not_btjd() or ""


def _require_usable_cadences(
    header: ProductHeader, content: bytes, hdus: tuple[Hdu, ...], path: Path, asked: _Asked
) -> None:
    """Refuse a file without a single cadence that has a time, no masked flag and a finite flux."""
    table = read_table(content, hdus[1], path.name)
    is_light_curve = header.kind is ProductKind.LIGHT_CURVE
    if not is_light_curve:
        stamp_shape(table)
    cadences = read_cadences(table, header, asked.quality_mask)
    if is_light_curve:
        column, values, _ = choose_flux(table, header, asked.flux, cadences.kept)
        if not np.isfinite(values[cadences.kept]).any():
            raise ProductRefusedError(f"{path.name}: {no_cadence_reason(cadences.kept, column)}.")
    elif not (cadences.kept.any() and _has_finite_pixel(table, np.flatnonzero(cadences.kept))):
        raise ProductRefusedError(f"{path.name}: {no_pixel_reason(cadences.kept)}.")


def _has_finite_pixel(table: BinaryTable, kept: np.ndarray[tuple[int], np.dtype[np.intp]]) -> bool:
    """Whether any kept cadence has a finite pixel; nearly always the first one decides, without reading the cube."""
    first = int(kept[0])
    if np.isfinite(table.rows(first, first + 1).read("FLUX")).any():
        return True
    return bool(np.isfinite(table.read("FLUX")[kept]).any())


def _phrase(error: BtvReportError, path: Path) -> str:
    """The message of an error as a phrase without the file name, which stands beside it anyway."""
    text = error.message.rstrip(".")
    for opening in (f"{path.name} is damaged: ", f"{path.name}: ", f"{path.name} is refused: "):
        text = text.removeprefix(opening)
    return text.replace(path.name, "the file")
