"""
FITS sums over raw bytes.

SPOC files carry CHECKSUM in every standard HDU but no DATASUM, and astropy's own verification calls them corrupt. The
definition is simple enough to be held directly: the 32-bit ones'-complement sum of a whole HDU with a right CHECKSUM is all
ones, and that of its data is DATASUM.

References
----------
FITS Standard 4.0, section 4.4.2.7 and appendix J.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

import numpy as np

from btv_report.fits.blocks import FitsStructureError, Hdu, walk_stream
from btv_report.fits.model import FitsSum

_ALL_ONES = 0xFFFFFFFF
_PIECE_BYTES = 1 << 20  # a multiple of four
_CUTOUT_CREATOR = "astrocut"
_SPOC_ORIGIN = "NASA/Ames"
_SPOC_CREATOR = re.compile(r"[0-9]+ (TargetPixelExporter|LightCurveExporter)")
_SPOC_TABLES = {"TargetPixelExporter": ("PIXELS", "TARGETTABLES"), "LightCurveExporter": ("LIGHTCURVE",)}


@dataclass(frozen=True)
class FitsCheck:
    """
    What the sums of a file say.

    Attributes
    ----------
    state : FitsSum
    reason : a phrase when `state` is `bad`, else empty
    hdus : the HDUs up to the first structural fault
    whole : False when the structure itself is broken, so that nothing may be read from the file
    tolerated : whether wrong sums are no reason to refuse the file: TESScut has been seen to edit headers after summing them
    """

    state: FitsSum
    reason: str
    hdus: tuple[Hdu, ...]
    whole: bool
    tolerated: bool = False

    @property
    def is_damaged(self) -> bool:
        """Whether the file must not be used."""
        return self.state is FitsSum.BAD and not self.tolerated


def ones_complement_sum(data: bytes | memoryview) -> int:
    """32-bit ones'-complement sum of big-endian words; the length must be a multiple of four, as FITS blocks are."""
    return _folded(int(np.frombuffer(data, dtype=">u4").sum(dtype=np.uint64)))


def _sum_between(stream: BinaryIO, start: int, end: int) -> int:
    """The sum of a part of a file; both places are multiples of a block."""
    stream.seek(start)
    return _folded(
        sum(ones_complement_sum(stream.read(min(_PIECE_BYTES, end - at))) for at in range(start, end, _PIECE_BYTES))
    )


def _folded(total: int) -> int:
    """Carries added back, as ones' complement wants it."""
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def check_fits(content: bytes) -> FitsCheck:
    """Check the decompressed bytes of a file, as `check_fits_stream` does."""
    return check_fits_stream(BytesIO(content), len(content))


def check_fits_stream(stream: BinaryIO, n_bytes: int) -> FitsCheck:
    """
    Walk a FITS file and verify every CHECKSUM and DATASUM it carries.

    A file as SPOC writes it (ORIGIN `NASA/Ames`, CREATOR `<number> ...Exporter...`) must be complete: primary header, its
    table and APERTURE, each with a right CHECKSUM. Any other file may carry no sums (`not_checkable`), but those it
    carries must be right; wrong ones of TESScut are told and tolerated. A single changed bit changes the sum, wherever it is.

    Parameters
    ----------
    stream : the decompressed file, at its beginning; it is read in pieces, so that its size costs no memory
    n_bytes : its size

    Returns
    -------
    FitsCheck
    """
    hdus: list[Hdu] = []
    try:
        for hdu in walk_stream(stream, n_bytes):
            hdus.append(hdu)  # noqa: PERF402 - the HDUs before a fault are kept
    except FitsStructureError as damage:
        return FitsCheck(FitsSum.BAD, str(damage), tuple(hdus), whole=False)
    for hdu in hdus:
        fault = _sum_fault(hdu, stream)
        if fault:
            return FitsCheck(FitsSum.BAD, fault, tuple(hdus), whole=True, tolerated=_is_cutout(hdus))
    fault = _extensions_fault(hdus) or _spoc_fault(hdus)
    if fault:
        return FitsCheck(FitsSum.BAD, fault, tuple(hdus), whole=True)
    state = FitsSum.OK if _is_covered(hdus) else FitsSum.NOT_CHECKABLE
    return FitsCheck(state, "", tuple(hdus), whole=True)


def spoc_exporter(hdus: list[Hdu] | tuple[Hdu, ...]) -> str | None:
    """`TargetPixelExporter` or `LightCurveExporter` when the primary header is as SPOC itself writes it, else None."""
    cards = hdus[0].header.cards
    match = _SPOC_CREATOR.match(cards.get("CREATOR", ""))
    return match.group(1) if match and cards.get("ORIGIN") == _SPOC_ORIGIN else None


def _is_cutout(hdus: list[Hdu]) -> bool:
    """Whether astrocut wrote the file, and no HDU has been lost."""
    return hdus[0].header.cards.get("CREATOR") == _CUTOUT_CREATOR and not _extensions_fault(hdus)


def _sum_fault(hdu: Hdu, stream: BinaryIO) -> str:
    cards = hdu.header.cards
    if "CHECKSUM" in cards and _sum_between(stream, hdu.start, hdu.end) != _ALL_ONES:
        return f"{hdu} does not match its own CHECKSUM: its bytes have changed since it was written"
    stated = cards.get("DATASUM", "")
    if stated.isdigit() and _sum_between(stream, hdu.data_start, hdu.end) != int(stated):
        return f"the data of {hdu} do not match its DATASUM: they have changed since they were written"
    return ""


def _extensions_fault(hdus: list[Hdu]) -> str:
    """A file cut exactly between two HDUs is sound up to there; only NEXTEND tells (some writers count too few)."""
    stated = hdus[0].header.cards.get("NEXTEND", "")
    if stated.isdigit() and int(stated) > len(hdus) - 1:
        return f"truncated: its primary header announces {stated} extensions (NEXTEND), but it holds {len(hdus) - 1}"
    return ""


def _spoc_fault(hdus: list[Hdu]) -> str:
    exporter = spoc_exporter(hdus)
    if exporter is None:
        return ""
    tables = _SPOC_TABLES[exporter]
    names = [hdu.header.name for hdu in hdus]
    if len(hdus) < 3 or names[1] not in tables or names[2] != "APERTURE":
        wanted = f"PRIMARY, {tables[0]} and APERTURE"
        return f"it says it was written by SPOC, but holds {', '.join(names)} instead of {wanted}"
    for hdu in hdus[:3]:
        if "CHECKSUM" not in hdu.header.cards:
            return f"it says it was written by SPOC, but {hdu} has lost its CHECKSUM"
    return ""


def _is_covered(hdus: list[Hdu]) -> bool:
    if spoc_exporter(hdus) is not None:
        return True
    return all("CHECKSUM" in hdu.header.cards for hdu in hdus)
