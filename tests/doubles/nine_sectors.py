"""
TIC 365938305 as an archive might hold it: nine sectors of a simulated star, two-minute files, cut-outs and three pipelines.

Sectors 14 to 47 have SPOC's pixel files and light curves, sector 48 only QLP's light curve, sector 60 that of TESS-SPOC and
sector 74 none; the last three have full-frame images. Sector 14 has a QLP light curve, too, 2 s off.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from tests.doubles.mast_double import MastDouble, Product, TicRow

from btv_report.ephemeris import Ephemeris
from btv_report.simulation.fits_files import WrittenScene, write_scene
from btv_report.simulation.scene_file import load_scene

TIC_ID = 365938305
SIMULATED_ID = 9000000365
EPHEMERIS = Ephemeris(period_days=20.8774413, epoch_btjd=3322.358008, duration_hours=3.562, name="user")
OPTIONS = ("--period", "20.8774413", "--epoch", "3322.358008", "--duration", "3.562")
TWO_MINUTE_SECTORS = (14, 20, 21, 40, 41, 47)
IMAGE_SECTORS = (48, 60, 74)
SECTORS = TWO_MINUTE_SECTORS + IMAGE_SECTORS
RA_DEG, DEC_DEG = 180.7265, 74.060997
QLP_OFFSET_S = 2.0
_HEAD = f"""
name = "nine-sectors"
title = "A planet of 20.9 days in nine sectors"
seed = 12
date = "2026-01-01"

[target]
tic_id = {SIMULATED_ID}
ra_deg = {RA_DEG}
dec_deg = {DEC_DEG}
tmag = 9.5966
teff_k = 5396.0

[[ephemerides]]
period_days = {EPHEMERIS.period_days}
epoch_btjd = {EPHEMERIS.epoch_btjd}
duration_hours = {EPHEMERIS.duration_hours}

[[signals]]
source = "target"
period_days = {EPHEMERIS.period_days}
epoch_btjd = {EPHEMERIS.epoch_btjd}
duration_hours = {EPHEMERIS.duration_hours}
depth = 0.003

[noise]
jitter_px = 0.0005
jitter_hours = 3.3

[[stars]]
id = "SIM 365-1"
east_arcsec = 35.0
north_arcsec = -20.0
tmag = 14.1
"""
_SECTOR = """
[[sectors]]
number = {number}
camera = 4
ccd = 2
start_btjd = {start}
length_days = 9.0
corner_row = 900
corner_column = 700
target_row = 5.1
target_column = 4.8
east_angle_deg = {angle}
"""


def write_star(folder: Path, sectors: Sequence[int] = SECTORS) -> WrittenScene:
    """Simulate all nine sectors, or some of them, as two-minute files; each holds one transit."""
    parts = [_HEAD]
    for number in sectors:
        middle = 1338.5 + 27.3 * (number - 1)
        transit = EPHEMERIS.mid_btjd(round((middle - EPHEMERIS.epoch_btjd) / EPHEMERIS.period_days))
        parts.append(_SECTOR.format(number=number, start=round(transit - 4.4, 3), angle=20 * number % 360))
    scene = folder / "nine-sectors.toml"
    scene.write_text("".join(parts), encoding="utf-8")
    return write_scene(load_scene(scene), folder / "files")


@dataclass(frozen=True)
class Holdings:
    """What an archive holds of the star: made once, put into as many archives as there are tests."""

    products: tuple[Product, ...]
    cutouts: Mapping[int, bytes]


def all_holdings(star: WrittenScene) -> Holdings:
    """All nine sectors, as the top of this file tells."""
    curves, pixels = _by_sector(star.light_curves), _by_sector(star.target_pixel_files)
    products = [
        file for sector in TWO_MINUTE_SECTORS for file in two_minute_files(sector, curves[sector], pixels[sector])
    ]
    for sector in (14, 48):
        name = f"hlsp_qlp_tess_ffi_s{sector:04d}-{TIC_ID:016d}_tess_v01_llc.fits"
        products.append(Product(TIC_ID, sector, "QLP", 1800, name, qlp_light_curve(curves[sector])))
    name = f"hlsp_tess-spoc_tess_phot_{TIC_ID:016d}-s0060_tess_v1_lc.fits"
    products.append(Product(TIC_ID, 60, "TESS-SPOC", 200, name, full_frame_light_curve(curves[60])))
    return Holdings(tuple(products), {sector: cutout(pixels[sector]) for sector in IMAGE_SECTORS})


def two_minute_holdings(star: WrittenScene) -> Holdings:
    """The two-minute files that were written, and nothing else."""
    curves, pixels = _by_sector(star.light_curves), _by_sector(star.target_pixel_files)
    files = (two_minute_files(sector, curve, pixels[sector]) for sector, curve in curves.items())
    return Holdings(tuple(itertools.chain.from_iterable(files)), {})


def fill(mast: MastDouble, holdings: Holdings) -> None:
    """Put the star into an archive: its row of the catalogue, that of a neighbour, a name, and what is held of it."""
    mast.add_star(
        TicRow(
            TIC_ID, RA_DEG, DEC_DEG, 9.5966, gaia="1690000000000000001", more={"Teff": 5396.0, "rad": 0.9, "mass": 0.94}
        ),
        TicRow(TIC_ID + 1, RA_DEG + 35 / 3600 / 0.2746, DEC_DEG - 20 / 3600, 14.1),
    )
    mast.names["pi men"] = (RA_DEG, DEC_DEG)
    mast.add_product(*holdings.products)
    for sector, content in holdings.cutouts.items():
        mast.add_cutout(sector, 4, 2, content)


def two_minute_files(sector: int, curve: bytes, pixels: bytes) -> tuple[Product, Product]:
    """SPOC's light curve and pixel file of a sector."""
    stem = f"tess{sector:013d}-s{sector:04d}-{TIC_ID:016d}-0100-s"
    return (
        Product(TIC_ID, sector, "SPOC", 120, f"{stem}_lc.fits", curve),
        Product(TIC_ID, sector, "SPOC", 120, f"{stem}_tp.fits", pixels),
    )


def _by_sector(paths: tuple[Path, ...]) -> dict[int, bytes]:
    return {int(path.name.split("-s0")[1][:3]): _renumbered(path) for path in paths}


def _renumbered(path: Path) -> bytes:
    """A simulated file as the archive would have one of the star: with its number, and no word of a simulation."""
    with fits.open(path) as hdus:
        for hdu in hdus:
            for key in ("SIMDATA", "SIMULATED", "SCENE", "HISTORY", "COMMENT"):
                hdu.header.remove(key, ignore_missing=True, remove_all=True)
            if "ORIGIN" in hdu.header:
                hdu.header["ORIGIN"] = "NASA/Ames"
            if "TICID" in hdu.header:
                hdu.header["TICID"] = TIC_ID
        stream = io.BytesIO()
        hdus.writeto(stream, checksum=True)
        return stream.getvalue()


def qlp_light_curve(content: bytes) -> bytes:
    """A light curve of QLP's form from a two-minute one: every fifteenth cadence, 2 s late."""
    with fits.open(io.BytesIO(content)) as hdus:
        old, table, header = hdus[0].header, hdus[1].data, hdus[1].header
        kept = table[7::15]
        primary = fits.PrimaryHDU()
        primary.header.update(
            {key: old[key] for key in ("TICID", "SECTOR", "CAMERA", "CCD", "RA_OBJ", "DEC_OBJ", "TESSMAG", "TELESCOP")}
        )
        primary.header.update({"ORIGIN": "MIT/QLP", "OBJECT": f"TIC {TIC_ID}"})
        flux = kept["PDCSAP_FLUX"] / np.nanmedian(kept["PDCSAP_FLUX"])
        columns = [
            fits.Column("TIME", "D", unit="BJD - 2457000, days", array=kept["TIME"] + QLP_OFFSET_S / 86400),
            fits.Column("CADENCENO", "J", array=np.arange(len(kept), dtype=np.int32)),
            fits.Column("SAP_FLUX", "E", array=flux),
            fits.Column("KSPSAP_FLUX", "E", array=flux),
            fits.Column("QUALITY", "J", array=np.zeros(len(kept), dtype=np.int32)),
        ]
        new = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
        new.header.update({key: header[key] for key in ("BJDREFI", "BJDREFF", "TIMESYS", "TIMEUNIT") if key in header})
        new.header["TIMEDEL"] = 1800.0 / 86400
        return _bytes([primary, new])


def full_frame_light_curve(content: bytes) -> bytes:
    """A light curve of TESS-SPOC's form from a two-minute one: cadences of 200 s, and the sums of its bytes."""
    with fits.open(io.BytesIO(content)) as hdus:
        table = hdus[1].data
        nearest = np.arange(len(table) * 120 // 200) * 200 // 120
        kept = table[nearest]
        kept["TIME"] = table["TIME"][0] + np.arange(len(nearest)) * 200.0 / 86400
        kept["CADENCENO"] = np.arange(len(nearest))
        hdus[1].data = kept
        hdus[1].header["TIMEDEL"] = 200.0 / 86400
        hdus[1].header["NUM_FRM"] = 100
        stream = io.BytesIO()
        hdus.writeto(stream, checksum=True)
        return stream.getvalue()


def cutout(content: bytes) -> bytes:
    """A cut-out of TESScut's form from a target pixel file: no TIC number, no pipeline's aperture."""
    with fits.open(io.BytesIO(content)) as hdus:
        old = hdus[0].header
        primary = fits.PrimaryHDU()
        primary.header.update({key: old[key] for key in ("SECTOR", "CAMERA", "CCD", "RA_OBJ", "DEC_OBJ", "TELESCOP")})
        primary.header.update({"ORIGIN": "STScI/MAST", "CREATOR": "astrocut", "OBJECT": ""})
        table = fits.BinTableHDU(hdus[1].data, hdus[1].header, name="PIXELS")
        for key in ("CHECKSUM", "DATASUM"):
            table.header.remove(key, ignore_missing=True)
        aperture = fits.ImageHDU(np.ones_like(hdus[2].data), name="APERTURE")
        return _bytes([primary, table, aperture])


def _bytes(hdus: list[Any]) -> bytes:
    stream = io.BytesIO()
    fits.HDUList(hdus).writeto(stream)
    return stream.getvalue()
