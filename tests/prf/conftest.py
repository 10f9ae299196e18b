"""PRF files with a known truth: a lopsided star whose core widens along the detector's rows, sampled nine times a pixel."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
SHARED_DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ROWS, COLUMNS = (1, 1025, 2048), (45, 2092)
RELEASE = "01-May-2019"


def share(centres: FloatArray, sigma: float) -> FloatArray:
    """Light of a Gaussian line source at 0 in pixels with the given centres."""
    steps = [
        math.erf((c + 0.5) / (sigma * math.sqrt(2))) - math.erf((c - 0.5) / (sigma * math.sqrt(2))) for c in centres
    ]
    return np.array(steps) / 2


def lopsided(by_row: FloatArray, by_column: FloatArray, ccd_row: float = 1025.0) -> FloatArray:
    """
    Light in pixels whose centres lie `by_row` and `by_column` from the star; no two directions look alike.

    The core is wider along rows than along columns and widens with the row of the detector; a wing lies at (+0.7, -0.4).
    """
    core = np.outer(share(by_row, 0.70 + ccd_row / 20480), share(by_column, 0.6))
    wing = np.outer(share(by_row - 0.7, 1.0), share(by_column + 0.4, 0.9))
    return np.asarray(0.8 * core + 0.2 * wing, dtype=np.float64)


def samples(ccd_row: float, **changes: Any) -> FloatArray:
    """The 117 x 117 samples of a PRF file, or of a `star` other than the lopsided one."""
    offsets = (np.arange(117) - 58) / 9
    return np.asarray(changes.get("star", lopsided)(offsets, offsets, ccd_row))


def write_prf_file(path: Path, data: FloatArray, row: float, column: float, **keywords: Any) -> Path:
    """One file as those of the archive; a keyword of None is left out."""
    hdu = fits.PrimaryHDU(np.asarray(data, dtype=">f8"))
    cards = {
        "DATATYPE": "PRF",
        "TELESCOP": "TESS",
        "CAM": 1.0,
        "CCD": 3.0,
        "CCD_RREF": row,
        "CCD_CREF": column,
        "NSAMP": 9.0,
        "DATE": RELEASE,
    }
    for key, value in (cards | keywords).items():
        if value is not None:
            hdu.header[key] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    hdu.writeto(path, overwrite=True)
    return path


WriteSet = Callable[..., list[Path]]


@pytest.fixture
def write_set(tmp_path: Path) -> WriteSet:
    """Write a set of PRF files to the folder `prf` of the test, or below it; returns their paths."""

    def write(
        folder: str = ".",
        *,
        release: str = RELEASE,
        camera: int = 1,
        ccd: int = 3,
        rows: tuple[int, ...] = ROWS,
        columns: tuple[int, ...] = COLUMNS,
        **changes: Any,
    ) -> list[Path]:
        return [
            write_prf_file(
                tmp_path / "prf" / folder / f"tess2019107181901-prf-{camera}-{ccd}-row{row:04d}-col{column:04d}.fits",
                samples(row, **changes),
                float(row),
                float(column),
                CAM=float(camera),
                CCD=float(ccd),
                DATE=release,
            )
            for row in rows
            for column in columns
        ]

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where `write_set` writes."""
    path = tmp_path / "prf"
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def write_file() -> Callable[..., Path]:
    """Write one PRF file; see `write_prf_file`."""
    return write_prf_file


@pytest.fixture
def truth() -> Callable[..., FloatArray]:
    """The image of a unit star at a position of a stamp, straight from its formula."""

    def image(shape: tuple[int, int], row: float, column: float, ccd_row: float = 1025.0) -> FloatArray:
        return lopsided(
            np.arange(shape[0], dtype=np.float64) - row, np.arange(shape[1], dtype=np.float64) - column, ccd_row
        )

    return image


@pytest.fixture
def prf_samples() -> Callable[..., FloatArray]:
    """The samples of a file; see `samples`."""
    return samples


@pytest.fixture
def real_prf_folder() -> Path:
    """The real PRF files beside the checkout."""
    found = SHARED_DATA / "prf"
    if not found.is_dir():
        pytest.skip("the real PRF files are not beside this checkout (../shared/data/prf)")
    return found
