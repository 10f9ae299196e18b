# ruff: noqa: E501 - a flip is a row
"""Calibrated PRFs: samples, places on the detector and their mirror; each convention is turned round once and must be noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from btv_report.checks.prf_choice import candidates_at
from btv_report.products.prf_files import read_prf_folder

Truth = Callable[[Path], None]
GRID, FILES, CHOICE = "btv_report.checks.prf_grid", "btv_report.products.prf_files", "btv_report.checks.prf_choice"
SQUARE = (11, 11)
ROWS, COLUMNS = (1, 2048), (45, 2092)


def share(centres: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Light of a Gaussian line source at 0 in pixels with the given centres."""
    edges = [math.erf((c + 0.5) / (sigma * 1.4142)) - math.erf((c - 0.5) / (sigma * 1.4142)) for c in centres]
    return np.array(edges) / 2


def lopsided(by_row: NDArray[np.float64], by_column: NDArray[np.float64], ccd_row: float) -> NDArray[np.float64]:
    """A star that is wide along rows, the more so the higher it lies on the detector, with a wing at (+0.8, -0.5)."""
    core = np.outer(share(by_row, 0.75 + ccd_row / 8192), share(by_column, 0.6))
    return np.asarray(0.75 * core + 0.25 * np.outer(share(by_row - 0.8, 0.9), share(by_column + 0.5, 0.9)))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A set of four files of camera 2, CCD 4."""
    offsets = (np.arange(117) - 58) / 9
    for row in ROWS:
        for column in COLUMNS:
            hdu = fits.PrimaryHDU(lopsided(offsets, offsets, row))
            cards = {
                "DATATYPE": "PRF",
                "CAM": 2.0,
                "CCD": 4.0,
                "CCD_RREF": float(row),
                "CCD_CREF": float(column),
                "NSAMP": 9.0,
            }
            hdu.header.update(cards)
            hdu.header["DATE"] = "01-May-2019"
            hdu.writeto(tmp_path / f"{row}-{column}.fits")
    return tmp_path


def star_at(row: float, column: float, ccd_row: float) -> NDArray[np.float64]:
    """The truth: a unit star on the stamp."""
    pixels = np.arange(SQUARE[0], dtype=np.float64)
    return lopsided(pixels - row, pixels - column, ccd_row)


def star_is_where_it_is_asked_for(folder: Path) -> None:
    prf = read_prf_folder(folder).grids[0].at(1, 45, SQUARE)
    image = prf.evaluate(np.array([4.7]), np.array([5.4]))[0]
    np.testing.assert_allclose(image, star_at(4.7, 5.4, 1), atol=1e-3)


def star_is_that_of_its_place(folder: Path) -> None:
    (grid,) = read_prf_folder(folder).grids
    for place, ccd_row in (((2048, 45), 2048), ((1, 2092), 1)):
        image = grid.at(*place, SQUARE).evaluate(np.array([5.0]), np.array([5.0]))[0]
        np.testing.assert_allclose(image, star_at(5.0, 5.0, ccd_row), atol=1e-3)
    quarter = grid.at(512.75, 45, SQUARE).evaluate(np.array([5.0]), np.array([5.0]))[0]
    np.testing.assert_allclose(quarter, 0.75 * star_at(5, 5, 1) + 0.25 * star_at(5, 5, 2048), atol=1e-3)


def detector_is_camera_then_ccd(folder: Path) -> None:
    grids = read_prf_folder(folder).grids
    assert [(grid.camera, grid.ccd) for grid in grids] == [(2, 4)]
    assert len(candidates_at(grids, (2, 4), (1, 45), SQUARE)) == 1
    assert len(candidates_at(grids, (4, 2), (1, 45), SQUARE)) == 2


def only_stars_among_its_places_are_described(folder: Path) -> None:
    (grid,) = read_prf_folder(folder).grids
    assert grid.surrounds(1, 105)
    assert not grid.surrounds(105, 1)


def mirror_turns_columns(folder: Path) -> None:
    grids = read_prf_folder(folder).grids
    mirrored = candidates_at(grids, (1, 1), (1, 45), SQUARE)[1]
    image = mirrored.evaluate(np.array([4.7]), np.array([5.4]))[0]
    np.testing.assert_allclose(image, star_at(4.7, 4.6, 1)[:, ::-1], atol=1e-3)


FLIPS = [
    ("half-pixel in the PRF files", f"{GRID}:SampledPrf._weights", "- shift[:, None]", "- shift[:, None] + 0.5", star_is_where_it_is_asked_for),
    ("0-1-based pixels of the PRF files", f"{GRID}:SampledPrf._weights", "- shift[:, None]", "- shift[:, None] + 1", star_is_where_it_is_asked_for),
    ("0-1-based samples: the middle one", f"{GRID}:SampledPrf._weights", "(n - 1) / 2", "(n + 1) / 2", star_is_where_it_is_asked_for),
    ("a star of the PRF files mirrored about its pixel", f"{GRID}:SampledPrf._weights", "self.knots_per_pixel * away_px", "self.knots_per_pixel * -away_px", star_is_where_it_is_asked_for),
    ("row-column in the samples", f"{GRID}:PrfGrid.at", "ijkl->kl", "ijlk->kl", star_is_where_it_is_asked_for),
    ("row-column in the images of the PRF files", f"{GRID}:SampledPrf.evaluate", "tensor_images(rows, columns,", "tensor_images(columns, rows,", star_is_where_it_is_asked_for),
    ("row-column in the header of the PRF files", f"{FILES}:_node", '"CCD_RREF"]),\n        column=float(cards["CCD_CREF"])', '"CCD_CREF"]),\n        column=float(cards["CCD_RREF"])', star_is_that_of_its_place),
    ("row-column of the places on the detector", f"{GRID}:PrfGrid.at", "_between(self.rows, ccd_row)", "_between(self.rows, ccd_column)", star_is_that_of_its_place),
    ("the far place for the near one", f"{GRID}:_between", "1 - share, share", "share, 1 - share", star_is_that_of_its_place),
    ("camera for CCD in the header", f"{FILES}:_node", '_whole(cards, "CAM")', '_whole(cards, "CCD")', detector_is_camera_then_ccd),
    ("CCD for camera in the choice", f"{CHOICE}:_by_detector", "(grid.camera, grid.ccd)", "(grid.ccd, grid.camera)", detector_is_camera_then_ccd),
    ("row-column of the star among the places", f"{GRID}:PrfGrid.surrounds", "_surrounded(self.rows, ccd_row) and _surrounded(self.columns, ccd_column)", "_surrounded(self.rows, ccd_column) and _surrounded(self.columns, ccd_row)", only_stars_among_its_places_are_described),
    ("row-column in the mirror", f"{GRID}:PrfGrid.mirrored", "[:, ::-1, :, ::-1]", "[::-1, :, ::-1, :]", mirror_turns_columns),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(files: Path, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(files)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(files)
