"""Tiny FITS files for the archive's tests, summed as SPOC sums them: CHECKSUM without DATASUM."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

WriteProduct = Callable[..., Path]


@pytest.fixture
def shared_data() -> Path:
    """The real data beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data are not beside this checkout (../shared/data)")
    return SHARED_DATA


def encode_checksum(total: int) -> str:
    """CHECKSUM text of a 32-bit sum's complement, after appendix J of the FITS standard."""
    punctuation = set(b":;<=>?@[\\]^_`")
    complement = ~total & 0xFFFFFFFF
    columns = []
    for shift in (24, 16, 8, 0):
        byte = complement >> shift & 0xFF
        letters = [byte // 4 + 48] * 4
        letters[0] += byte % 4
        while any(letter in punctuation for letter in letters):
            for pair in (0, 2):
                if letters[pair] in punctuation or letters[pair + 1] in punctuation:
                    letters[pair] += 1
                    letters[pair + 1] -= 1
        columns.append(letters)
    text = "".join(chr(columns[byte][row]) for row in range(4) for byte in range(4))
    return text[-1] + text[:-1]


def slow_sum(data: bytes) -> int:
    """The ones'-complement sum, word by word, as the standard words it."""
    total = 0
    for at in range(0, len(data), 4):
        total += int.from_bytes(data[at : at + 4], "big")
        if total > 0xFFFFFFFF:
            total = (total & 0xFFFFFFFF) + 1
    return total


def spoc_bytes(hdus: list[Any]) -> bytes:
    """Serialise HDUs, each with a right CHECKSUM and no DATASUM."""
    parts = []
    for hdu in hdus:
        hdu.header["CHECKSUM"] = "0" * 16
        stream = BytesIO()
        is_primary = isinstance(hdu, fits.PrimaryHDU)
        fits.HDUList([hdu] if is_primary else [fits.PrimaryHDU(), hdu]).writeto(stream)
        raw = stream.getvalue() if is_primary else stream.getvalue()[2880:]
        parts.append(raw.replace(b"0" * 16, encode_checksum(slow_sum(raw)).encode(), 1))
    return b"".join(parts)


@pytest.fixture
def write_product() -> WriteProduct:
    """
    Write a small product and return its path.

    `kind` is `lc`, `tp` or `cutout`; further keywords go into the primary header (None removes one). With `spoc=False` the
    file carries no sums.
    """

    def write(path: Path, *, tic_id: int | None = 42, kind: str = "lc", spoc: bool = True, **keywords: Any) -> Path:
        exporter = "LightCurveExporter" if kind == "lc" else "TargetPixelExporter"
        primary = fits.PrimaryHDU()
        primary.header.update(
            {
                "ORIGIN": "NASA/Ames" if kind != "cutout" else "STScI/MAST",
                "CREATOR": f"1 {exporter}PipelineModule" if kind != "cutout" else "astrocut",
                "TELESCOP": "TESS",
                "SECTOR": 7,
                "RA_OBJ": 120.0,
                "DEC_OBJ": -20.0,
            }
        )
        if tic_id is not None:
            primary.header["TICID"] = tic_id
        for key, value in keywords.items():
            if value is None:
                primary.header.remove(key, ignore_missing=True)
            else:
                primary.header[key] = value
        time = fits.Column("TIME", "D", array=np.arange(5) / 720 + 1500.0)
        if kind == "lc":
            flux = fits.Column("PDCSAP_FLUX", "E", array=np.full(5, 100.0))
            table = fits.BinTableHDU.from_columns([time, flux], name="LIGHTCURVE")
        else:
            flux = fits.Column("FLUX", "16E", dim="(4,4)", array=np.full((5, 4, 4), 100.0))
            table = fits.BinTableHDU.from_columns([time, flux], name="PIXELS")
        table.header.update(
            {"BJDREFI": 2457000, "TIMESYS": "TDB", "TIMEUNIT": "d", "TIMEDEL": 1 / 720, "TSTART": 1500.0}
        )
        aperture = fits.ImageHDU(np.full((4, 4), 3, dtype=np.int32), name="APERTURE")
        hdus = [primary, table, aperture]
        if spoc:
            raw = spoc_bytes(hdus)
        else:
            stream = BytesIO()
            fits.HDUList(hdus).writeto(stream)
            raw = stream.getvalue()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix.lower() == ".gz" else raw)
        return path

    return write
