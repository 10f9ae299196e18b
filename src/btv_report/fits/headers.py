"""
FITS headers to `ProductHeader`: what a file is, told by its structure and keywords, never by its name or folder.

- SPOC and TESS-SPOC: CREATOR names SPOC's exporters (re-packed and simulated files say so too). Cadences of 200 s and
  longer come from full-frame images and are TESS-SPOC; the headers of the two differ in nothing else that is stable.
- QLP and TGLC: ORIGIN.
- TESScut: CREATOR `astrocut` and the structure of a pixel file (eleanor copies TESScut's header but holds a light curve).
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from btv_report.fits.model import ProductHeader, ProductKind
from btv_report.time_systems import time_reference

PIPELINES = ("SPOC", "TESS-SPOC", "QLP", "TGLC", "TESScut", "unknown")
"""Names of pipelines, in the default order of preference."""

STANDARD_EXPTIMES_S = (20.0, 120.0, 200.0, 600.0, 1800.0)
_SECONDS_PER_DAY = 86400.0
_LONGEST_SPOC_CADENCE_S = 130.0
_EXPORTERS = ("TargetPixelExporter", "LightCurveExporter")
_PIXEL_TABLES = ("PIXELS", "TARGETTABLES")
# The primary header states position and motion as in the catalogue (epoch 2000); SPOC moves RA_OBJ and DEC_OBJ of the
# extensions to the sector's time, some versions only one of them. Mixing the two would move a star twice.
_PRIMARY_ONLY = ("RA_OBJ", "DEC_OBJ", "PMRA", "PMDEC")
_STRUCTURE = re.compile(
    r"(SIMPLE|XTENSION|EXTEND|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|CHECKSUM|DATASUM|INHERIT|COMMENT|HISTORY|)"
)


@lru_cache(maxsize=16)  # a file's headers are needed to describe it, to lay out its table and to place it on the sky
def header_values(raw: bytes) -> Mapping[str, Any]:
    """
    Values of one header by keyword; the first card wins, as in the sums; undefined values are None.

    Parameters
    ----------
    raw : whole blocks of 2,880 bytes, END card included
    """
    from astropy.io import fits

    values: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy repairs or skips odd cards and warns; what it cannot read is absent
        for card in fits.Header.fromstring(raw).cards:
            try:
                value = card.value
            except (fits.VerifyError, ValueError):
                continue
            values.setdefault(card.keyword, None if isinstance(value, fits.card.Undefined) else value)
    return MappingProxyType(values)


def product_header(raw_headers: Sequence[bytes]) -> ProductHeader:
    """
    Describe a file from its primary header and, when it has one, its first extension's.

    Parameters
    ----------
    raw_headers : header bytes of HDU 0 and HDU 1, in order

    Returns
    -------
    ProductHeader
        `kind` is None for a file that is neither a light curve nor a pixel file.
    """
    primary = header_values(raw_headers[0])
    table = header_values(raw_headers[1]) if len(raw_headers) > 1 else {}
    keywords = _merge(primary, table)
    kind = _kind(primary, table)
    mission = _text(keywords, "MISSION") or _text(keywords, "TELESCOP")
    exptime_s = _exptime_s(keywords)
    simulated = _is_simulated(keywords)
    return ProductHeader(
        kind=kind,
        mission=mission,
        tic_id=_tic_id(keywords) if mission in {None, "TESS"} else None,
        sector=_integer(keywords, "SECTOR"),
        camera=_integer(keywords, "CAMERA"),
        ccd=_integer(keywords, "CCD"),
        pipeline=_pipeline(keywords, kind, mission, exptime_s, simulated=simulated),
        exptime_s=exptime_s,
        origin=_text(keywords, "ORIGIN"),
        creator=_text(keywords, "CREATOR"),
        procver=_text(keywords, "PROCVER") or _text(keywords, "TGLCVER"),
        date=_text(keywords, "DATE"),
        object_name=_text(keywords, "OBJECT"),
        obs_id=_text(keywords, "OBS_ID"),
        ra_deg=_finite(keywords, "RA_OBJ"),
        dec_deg=_finite(keywords, "DEC_OBJ"),
        simulated=simulated,
        # eleanor and others leave the time keywords in the primary header: the merged view holds them either way.
        time_reference=time_reference(keywords),
        keywords=keywords,
    )


def kepler_id(header: ProductHeader) -> int | None:
    """KEPLERID of a Kepler or K2 file, else None."""
    return _integer(header.keywords, "KEPLERID")


def table_columns(values: Mapping[str, Any]) -> dict[str, int]:
    """Column names of a table header, upper case, to their numbers from 1."""
    count = _integer(values, "TFIELDS") or 0
    names = ((str(values.get(f"TTYPE{number}") or "").strip().upper(), number) for number in range(1, count + 1))
    columns: dict[str, int] = {}
    for name, number in names:
        if name:
            columns.setdefault(name, number)
    return columns


def _merge(primary: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Both headers in one: the primary's values first, the table's where the primary has none; structure left out."""
    merged = {key: value for key, value in primary.items() if not _STRUCTURE.fullmatch(key) and key != "EXTNAME"}
    for key, value in table.items():
        if not _STRUCTURE.fullmatch(key) and key not in _PRIMARY_ONLY and merged.get(key) is None:
            merged[key] = value
    return merged


def _kind(primary: Mapping[str, Any], table: Mapping[str, Any]) -> ProductKind | None:
    columns = table_columns(table)
    if "TIME" not in columns:
        return None
    flux = columns.get("FLUX")
    if flux is not None and (_text(table, "EXTNAME") in _PIXEL_TABLES or table.get(f"TDIM{flux}")):
        cutout = "astrocut" in (_text(primary, "CREATOR") or "").lower()
        return ProductKind.CUTOUT if cutout else ProductKind.TARGET_PIXEL_FILE
    if any(name.endswith("FLUX") for name in columns):
        return ProductKind.LIGHT_CURVE
    return None


def _pipeline(
    keywords: Mapping[str, Any],
    kind: ProductKind | None,
    mission: str | None,
    exptime_s: float | None,
    *,
    simulated: bool,
) -> str:
    if mission not in {None, "TESS"}:
        return "unknown"
    origin, creator = _text(keywords, "ORIGIN") or "", _text(keywords, "CREATOR") or ""
    if "QLP" in origin.upper():
        return "QLP"
    if "TGLC" in origin.upper():
        return "TGLC"
    if any(exporter in creator for exporter in _EXPORTERS):
        from_full_frames = exptime_s is not None and exptime_s > _LONGEST_SPOC_CADENCE_S and not simulated
        return "TESS-SPOC" if from_full_frames else "SPOC"
    return "TESScut" if kind is ProductKind.CUTOUT else "unknown"


def _is_simulated(keywords: Mapping[str, Any]) -> bool:
    """SIMDATA is SPOC's keyword for simulated data, SIMULATED and the origin are this package's."""
    stated = keywords.get("SIMDATA") is True or keywords.get("SIMULATED") is True
    return stated or "simulation" in (_text(keywords, "ORIGIN") or "").lower()


def _tic_id(keywords: Mapping[str, Any]) -> int | None:
    for key in ("TICID", "TIC_ID"):  # TIC_ID: eleanor; TICID is text in TGLC files and empty in TESScut's
        value = keywords.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        if isinstance(value, str) and value.strip().isdigit() and int(value) > 0:
            return int(value)
    match = re.fullmatch(r"TIC\s*0*([1-9]\d*)", _text(keywords, "OBJECT") or "")
    return int(match.group(1)) if match else None


def _exptime_s(keywords: Mapping[str, Any]) -> float | None:
    """
    Exposure time of a cadence, s.

    TGLC's TIMEDEL is the mean spacing with gaps (1,932 s in sector 7): its exposure time stands in EXPTIME, which one
    version spells XPTIME.
    """
    for key in ("EXPTIME", "XPTIME"):
        stated = _standard(_finite(keywords, key))
        if stated is not None:
            return stated
    spacing_days = _finite(keywords, "TIMEDEL")
    if spacing_days is not None and spacing_days > 0:
        seconds = spacing_days * _SECONDS_PER_DAY
        return _standard(seconds) or round(seconds, 3)
    frames, frame_s = _finite(keywords, "NUM_FRM"), _finite(keywords, "FRAMETIM")
    return frames * frame_s if frames and frame_s and frames * frame_s > 0 else None


def _standard(seconds: float | None) -> float | None:
    """The standard TESS exposure time within 1 % of `seconds`."""
    if seconds is None:
        return None
    return next((standard for standard in STANDARD_EXPTIMES_S if abs(seconds - standard) <= 0.01 * standard), None)


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _integer(values: Mapping[str, Any], key: str) -> int | None:
    value = values.get(key)
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _finite(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def header_fraction(header: ProductHeader, key: str) -> float | None:
    """A fraction such as CROWDSAP from the merged headers; None when it is absent or not in (0, 1]."""
    value = header.keywords.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 < value <= 1 else None


def is_repacked(header: ProductHeader) -> bool:
    """Whether the file says that it is a re-packed copy of a pipeline's product (REPACKED = T)."""
    return header.keywords.get("REPACKED") is True
