"""
Flips: one convention of the product code turned round at a time, in the source of the function that holds it.

`flip(where, old, new)` replaces a piece of the source of `module:function` (which must occur exactly once) and puts the
compiled result into the function itself, so that every caller sees it; for `module:CONSTANT` it replaces the value. All is
undone after the test. A flip whose piece is no longer found is an error of the table, not a flip that was caught.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from functools import cache, reduce
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Flip = Callable[[str, str, str], None]
SKY = 21.0 * np.array([[-0.8, 0.6], [0.6, 0.8]])  # a turned sky view: d/dcolumn, d/drow of east, then of north
TARGET, HOST = (5.2, 4.8), (7.2, 3.9)  # row, column
TARGET_FLUX, HOST_FLUX = 20000.0, 3000.0  # electron/s
PERIOD_DAYS, EPOCH_BTJD, DURATION_HOURS = 4.1, 2002.03, 2.6
DEPTH, HOST_DEPTH = 0.003, 0.08
SHAPE = (11, 13)


@pytest.fixture
def flip(monkeypatch: pytest.MonkeyPatch) -> Flip:
    """Turn one convention round for the rest of the test."""

    def turn(where: str, old: str, new: str) -> None:
        module_name, _, path = where.partition(":")
        module = import_module(module_name)
        *owners, name = path.split(".")
        owner = reduce(getattr, owners, module)
        found = inspect.getattr_static(owner, name)
        if isinstance(found, int | float):
            assert found == float(old), f"{where} is {found}, not {old}: renew this flip"
            monkeypatch.setattr(owner, name, float(new))
            return
        held: Any = found.fget if isinstance(found, property) else found
        function: Any = inspect.unwrap(held)
        monkeypatch.setattr(function, "__code__", turned_code(function, where, old, new))

    return turn


def turned_code(function: FunctionType, where: str, old: str, new: str) -> CodeType:
    """The code of a function with one piece of its source replaced."""
    source = textwrap.dedent(inspect.getsource(function))
    if source.count(old) != 1:
        pytest.fail(f"{where} holds {old!r} {source.count(old)} times, not once: renew this flip")
    source = "\n".join(line for line in source.replace(old, new).split("\n") if not line.startswith("@"))
    module = compile(source, function.__code__.co_filename, "exec", flags=annotations.compiler_flag, dont_inherit=True)
    (code,) = [
        part for part in module.co_consts if isinstance(part, CodeType) and part.co_name == function.__code__.co_name
    ]
    assert code.co_freevars == function.__code__.co_freevars
    return code


def star_image(row: float, column: float) -> NDArray[np.float64]:
    """A unit Gaussian of sigma 0.85 px, sampled finely within each pixel."""
    fine = (np.arange(9) - 4) / 9

    def profile(n: int, centre: float) -> NDArray[np.float64]:
        places = np.arange(n)[:, None] + fine - centre
        return np.asarray(np.exp(-(places**2) / (2 * 0.85**2)).mean(axis=1), dtype=np.float64)

    return np.outer(profile(SHAPE[0], row), profile(SHAPE[1], column)) / (2 * np.pi * 0.85**2)


@cache
def simulated_pixels(host: str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """
    Times (BTJD) and flux (electron/s) of 25 days: the transit is on the target or on its neighbour.

    With `moving` the target's pixels carry a jitter along columns besides.
    """
    rng = np.random.default_rng(8)
    time = 2000.0 + np.arange(25 * 144) / 144
    phase = (time - EPOCH_BTJD + PERIOD_DAYS / 2) % PERIOD_DAYS - PERIOD_DAYS / 2
    inside = np.abs(phase) <= DURATION_HOURS / 48
    on_target = np.where(inside & (host != "neighbour"), 1 - DEPTH, 1.0) * TARGET_FLUX
    on_neighbour = np.where(inside & (host == "neighbour"), 1 - HOST_DEPTH, 1.0) * HOST_FLUX
    flux = rng.normal(0, 3.0, (time.size, *SHAPE)) + on_target[:, None, None] * star_image(*TARGET)
    if host == "neighbour":
        flux += on_neighbour[:, None, None] * star_image(*HOST)
    if host == "moving":
        slope = np.gradient(TARGET_FLUX * star_image(*TARGET), axis=1)
        flux += slope * rng.normal(0, 0.02, time.size)[:, None, None]
    return time, flux.astype(np.float32)


class Workshop:
    """What the truths are tried on; made from numbers of our own, never through the code that is flipped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stack(self, host: str = "neighbour") -> Any:
        """A PixelStack; see `simulated_pixels`."""
        from btv_report.checks.inputs import PixelStack, StackStar

        time, flux = simulated_pixels(host)
        rows, columns = np.indices(SHAPE)
        star = StackStar("star 1", *HOST, 12.06, 46.0)
        return PixelStack(
            sector=7,
            time_btjd=time,
            flux=flux,
            flux_err=np.full(flux.shape, 3.0, np.float32),
            used=np.ones(time.size, bool),
            quality=np.zeros(time.size, np.int32),
            cadence_s=600.0,
            aperture_mask=np.hypot(rows - TARGET[0], columns - TARGET[1]) <= 2.0,
            target_row=TARGET[0],
            target_column=TARGET[1],
            sky_per_pixel_arcsec=SKY,
            neighbours=(star,) if host == "neighbour" else (),
            neighbours_known=True,
            tmag=10.0,
        )

    def checked(self, host: str = "neighbour") -> tuple[dict[str, Any], tuple[Any, ...]]:
        """Check results by id, and the transit rows."""
        from btv_report.checks.run import run_pixel_checks
        from btv_report.ephemeris import Ephemeris

        found = run_pixel_checks(self.stack(host), Ephemeris(PERIOD_DAYS, EPOCH_BTJD, DURATION_HOURS, name="1.01"))
        return {result.check_id: result for result in found.results}, found.transits

    def pixel_file(self, **keywords: Any) -> Any:
        """
        Read a pixel file as SPOC writes them: 8 rows x 6 columns, a star of 10,000 e-/s (T = 10.44) at row 4, column 2.

        The WCS puts RA 120, Dec -60 there, on a stamp that is turned by 30 degrees. `keywords` go into the table's header.
        """
        from btv_report.products.inspect import inspect_file
        from btv_report.products.target_pixel_file import read_target_pixel_file

        inspection = inspect_file(write_pixel_file(self.folder / "tp.fits", keywords))
        return read_target_pixel_file(inspection.product, inspection.content)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """Things to try the truths on."""
    return Workshop(tmp_path)


def write_pixel_file(path: Path, keywords: dict[str, Any]) -> Path:
    """A small pixel file."""
    from astropy.io import fits

    n, shape = 40, (8, 6)
    rows, columns = np.indices(shape)
    star = 1e4 * np.exp(-((rows - 4) ** 2 + (columns - 2) ** 2) / 1.28) / (1.28 * np.pi)
    cells = {"format": "48E", "dim": "(6,8)", "unit": "e-/s"}
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("TIME", "D", array=1500.0 + np.arange(n) / 720),
            fits.Column("FLUX", array=np.repeat(star[None], n, axis=0), **cells),
            fits.Column("QUALITY", "J", array=np.zeros(n, np.int32)),
        ],
        name="PIXELS",
    )
    cos, sin = np.cos(np.radians(30)), np.sin(np.radians(30))
    table.header.update(
        {
            "BJDREFI": 2457000, "BJDREFF": 0.0, "TIMESYS": "TDB", "TIMEUNIT": "d", "TIMEDEL": 1 / 720,
            "1CTYP2": "RA---TAN", "2CTYP2": "DEC--TAN", "1CRPX2": 3.0, "2CRPX2": 5.0, "1CRVL2": 120.0, "2CRVL2": -60.0,
            "1CDLT2": -21 / 3600, "2CDLT2": 21 / 3600, "11PC2": cos, "12PC2": -sin, "21PC2": sin, "22PC2": cos,
            "1CRV2P": 300, "2CRV2P": 900, "1CRP2P": 1, "2CRP2P": 1,
        }
        | keywords
    )  # fmt: skip
    aperture = np.ones(shape, np.int32)
    aperture[3:6, 1:3] = 3
    primary = fits.PrimaryHDU()
    primary.header.update(
        {"ORIGIN": "test", "CREATOR": "test TargetPixelExporter", "TELESCOP": "TESS", "TICID": 42, "SECTOR": 7}
    )
    fits.HDUList([primary, table, fits.ImageHDU(aperture, name="APERTURE")]).writeto(path, overwrite=True)
    return path
