"""Small light curves and pixel files in the forms of the pipelines, written by astropy for the readers of this package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from btv_report.products.inspect import Inspection, inspect_file
from btv_report.products.light_curve import read_light_curve
from btv_report.products.model import LightCurve, TargetPixelFile
from btv_report.products.target_pixel_file import read_target_pixel_file

SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MIRROR_TPF = "mirror/mastDownload/TESS/tess2024249191853-s0083-0000000188646744-0000-s/*_tp.fits.gz"

WriteFits = Callable[..., Path]
TIME = np.arange(40) / 720 + 1500.0


@pytest.fixture
def shared_data() -> Path:
    """The real data beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data are not beside this checkout (../shared/data)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def real_tpf() -> Inspection:
    """The real pixel file of TIC 188646744, sector 83, inspected once."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data are not beside this checkout (../shared/data)")
    return inspect_file(next(SHARED_DATA.glob(MIRROR_TPF)), tic_id=188646744)


def primary_hdu(creator: str, keywords: dict[str, Any]) -> fits.PrimaryHDU:
    hdu = fits.PrimaryHDU()
    defaults = {
        "ORIGIN": "test",
        "CREATOR": creator,
        "TELESCOP": "TESS",
        "TICID": 42,
        "SECTOR": 7,
        "CAMERA": 1,
        "CCD": 2,
    }
    for key, value in {**defaults, **keywords}.items():
        if value is not None:
            hdu.header[key] = value
    return hdu


def set_times(header: fits.Header, changes: dict[str, Any]) -> None:
    defaults = {"BJDREFI": 2457000, "BJDREFF": 0.0, "TIMESYS": "TDB", "TIMEUNIT": "d", "TIMEDEL": 1 / 720}
    for key, value in {**defaults, **changes}.items():
        if value is not None:
            header[key] = value


@pytest.fixture
def write_lc(tmp_path: Path) -> WriteFits:
    """Write a light curve: `columns` replaces the flux columns by name; None for `quality` leaves the column out."""

    def write(
        name: str = "lc.fits",
        *,
        time: Any = TIME,
        columns: dict[str, Any] | None = None,
        quality: Any = 0,
        times: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> Path:
        n = len(time)
        if columns is None:
            columns = {"PDCSAP_FLUX": np.linspace(99.0, 101.0, n), "PDCSAP_FLUX_ERR": np.full(n, 0.5)}
        table_columns = [fits.Column("TIME", "D", array=time)]
        formats = {"i": "J", "u": "I", "f": "E"}
        for column, values in columns.items():
            array = np.asarray(values)
            code = "I" if array.dtype == np.int16 else formats[array.dtype.kind]
            table_columns.append(fits.Column(column, code, array=array))
        if quality is not None:
            table_columns.append(
                fits.Column("QUALITY", "J", array=np.broadcast_to(np.asarray(quality, dtype=np.int32), (n,)))
            )
        table = fits.BinTableHDU.from_columns(table_columns, name="LIGHTCURVE")
        set_times(table.header, times or {})
        path = tmp_path / name
        creator = "test LightCurveExporter"
        fits.HDUList([primary_hdu(creator, keywords), table]).writeto(path, overwrite=True)
        return path

    return write


@pytest.fixture
def read_lc(write_lc: WriteFits) -> Callable[..., LightCurve]:
    """Write, inspect and read a light curve; `how` is handed to the reader."""

    def read(how: dict[str, Any] | None = None, **what: Any) -> LightCurve:
        inspection = inspect_file(write_lc(**what))
        return read_light_curve(inspection.product, inspection.content, **(how or {}))

    return read


def wcs_cards(ra_deg: float, dec_deg: float, column: float, row: float) -> dict[str, Any]:
    """East to the left, north up, 21 arcsec; the position at a 0-based column and row."""
    return {
        "CTYP": ("RA---TAN", "DEC--TAN"),
        "CRPX": (column + 1, row + 1),
        "CRVL": (ra_deg, dec_deg),
        "CDLT": (-21.0 / 3600, 21.0 / 3600),
    }


def star_image(shape: tuple[int, int], stars: list[tuple[float, float, float]]) -> Any:
    """Gaussian stars (row, column, total flux) of sigma 0.8 px."""
    rows, columns = np.indices(shape)
    image = np.zeros(shape)
    for row, column, flux in stars:
        image += flux * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 0.64)) / (2 * np.pi * 0.64)
    return image


@pytest.fixture
def write_tpf(tmp_path: Path) -> WriteFits:
    """
    Write a pixel file of 40 cadences, 8 rows x 6 columns, with a star of 10,000 e-/s (T = 10.44) at row 4, column 2.

    `wcs` are the cards of `wcs_cards` (None leaves them out), `order` the order of the columns, `drop` columns left out.
    """

    def write(
        name: str = "tp.fits",
        *,
        flux: Any = None,
        quality: Any = 0,
        time: Any = TIME,
        order: str = "TIME CADENCENO RAW_CNTS FLUX FLUX_ERR FLUX_BKG QUALITY",
        drop: tuple[str, ...] = (),
        wcs: dict[str, Any] | None = None,
        aperture: Any = True,
        aperture_wcs: dict[str, Any] | None = None,
        times: dict[str, Any] | None = None,
        creator: str = "test TargetPixelExporter",
        table_keywords: dict[str, Any] | None = None,
        dtype: str = "E",
        **keywords: Any,
    ) -> Path:
        n = len(time)
        if flux is None:
            flux = np.broadcast_to(star_image((8, 6), [(4.0, 2.0, 1e4)]), (n, 8, 6)).copy()
        n_row, n_column = flux.shape[1:]
        size, dim = n_row * n_column, f"({n_column},{n_row})"
        data = {
            "TIME": fits.Column("TIME", "D", array=time),
            "CADENCENO": fits.Column("CADENCENO", "J", array=np.arange(n)),
            "RAW_CNTS": fits.Column(
                "RAW_CNTS", f"{size}J", dim=dim, null=-1, array=np.zeros(flux.shape, dtype=np.int32)
            ),
            "FLUX": fits.Column("FLUX", f"{size}{dtype}", dim=dim, unit="e-/s", array=flux),
            "FLUX_ERR": fits.Column("FLUX_ERR", f"{size}E", dim=dim, unit="e-/s", array=np.full(flux.shape, 2.0)),
            "FLUX_BKG": fits.Column("FLUX_BKG", f"{size}E", dim=dim, unit="e-/s", array=np.full(flux.shape, 80.0)),
            "QUALITY": fits.Column("QUALITY", "J", array=np.broadcast_to(np.asarray(quality, dtype=np.int32), (n,))),
        }
        names = [column for column in order.split() if column not in drop]
        table = fits.BinTableHDU.from_columns([data[column] for column in names], name="PIXELS")
        number = names.index("FLUX") + 1
        set_times(table.header, times or {})
        cards = wcs_cards(120.0, -20.0, 2.0, 4.0) if wcs is None else wcs
        for key, (first, second) in cards.items():
            table.header[f"1{key}{number}"], table.header[f"2{key}{number}"] = first, second
        table.header.update(table_keywords or {})
        hdus = [primary_hdu(creator, {"RA_OBJ": 120.0, "DEC_OBJ": -20.0, **keywords}), table]
        if aperture is not None:
            mask = np.ones((n_row, n_column), dtype=np.int32)
            mask[3:6, 1:4] = 3
            hdus.append(fits.ImageHDU(mask if aperture is True else aperture, name="APERTURE"))
            hdus[-1].header.update(aperture_wcs or {})
        path = tmp_path / name
        fits.HDUList(hdus).writeto(path, overwrite=True)
        return path

    return write


@pytest.fixture
def read_tpf(write_tpf: WriteFits) -> Callable[..., TargetPixelFile]:
    """Write, inspect and read a pixel file."""

    def read(**what: Any) -> TargetPixelFile:
        inspection = inspect_file(write_tpf(**what))
        return read_target_pixel_file(inspection.product, inspection.content)

    return read
