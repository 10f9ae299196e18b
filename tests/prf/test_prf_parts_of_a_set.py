"""Sets of which only some files are at hand: used where these surround the star, else laid aside with a reason."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.prf_choice import candidates_at, lacking_at, why_lacking
from btv_report.checks.prf_grid import PrfGrid
from btv_report.checks.scene import OTHER_DETECTOR, Scene, describe_scene
from btv_report.ephemeris import Ephemeris
from btv_report.products.prf_files import read_prf_folder

ROWS, COLUMNS = (1, 513, 1025, 1536, 2048), (45, 557, 1069, 1580, 2092)
SHAPE = (11, 11)
HERE = (705.2, 305.4)
"""Detector row and column of the star."""


@pytest.fixture
def whole(write_set: Callable[..., Any], folder: Path) -> PrfGrid:
    """A whole set of camera 1, CCD 3."""
    write_set(rows=ROWS, columns=COLUMNS)
    return read_prf_folder(folder).grids[0]


def part(grid: PrfGrid, rows: tuple[int, ...], columns: tuple[int, ...]) -> PrfGrid:
    """What a folder with only these files of a set holds."""
    kept = np.ix_([ROWS.index(row) for row in rows], [COLUMNS.index(column) for column in columns])
    return replace(grid, rows=np.array(rows, float), columns=np.array(columns, float), samples=grid.samples[kept])


@pytest.mark.parametrize(
    "place", [(1, 45), (2048, 2092), (-6, 44), (2070, 2100), (300, 300), (1536, 1800), (900, 2000)]
)
def test_a_whole_set_serves_every_star_of_the_detector(whole: PrfGrid, place: tuple[float, float]) -> None:
    assert whole.surrounds(*place)
    assert whole.mirrored().surrounds(*place)


@pytest.mark.parametrize(
    ("rows", "columns", "serves"),
    [
        pytest.param((513, 1025), (45, 557), True, id="the four about the star"),
        pytest.param((513, 1025, 2048), (45, 557, 2092), True, id="the four and far ones"),
        pytest.param((513, 1536), (45, 557), False, id="a row is missing"),
        pytest.param((513, 1025), (45, 1069), False, id="a column is missing"),
        pytest.param((1025, 1536), (45, 557), False, id="all above the star"),
        pytest.param((513, 1025), (557, 1069), False, id="all beside the star"),
        pytest.param((1,), (45, 557, 1069), False, id="three of one row"),
    ],
)
def test_the_four_files_about_a_star_are_needed(
    whole: PrfGrid, rows: tuple[int, ...], columns: tuple[int, ...], serves: bool
) -> None:
    some = part(whole, rows, columns)
    assert some.surrounds(*HERE) is serves
    assert len(candidates_at((some,), (1, 3), HERE, SHAPE)) == serves
    assert lacking_at((some,), (1, 3), HERE) == (() if serves else (some,))
    if serves:
        np.testing.assert_array_equal(some.at(*HERE, SHAPE).coefficients, whole.at(*HERE, SHAPE).coefficients)


@pytest.mark.parametrize(
    ("row", "column", "serves"), [(513, 557, True), (570, 500, True), (580, 557, False), (513, 490, False)]
)
def test_one_file_serves_stars_close_to_it(whole: PrfGrid, row: float, column: float, serves: bool) -> None:
    assert part(whole, (513,), (557,)).surrounds(row, column) is serves


def test_a_place_that_is_none_is_not_surrounded(whole: PrfGrid) -> None:
    assert not whole.surrounds(float("nan"), 300.0)


def test_the_mirror_of_a_part_stands_on_the_other_side_of_the_detector(whole: PrfGrid) -> None:
    left = part(whole, ROWS, (45, 557, 1069)).mirrored()
    assert left.columns.tolist() == [1068, 1580, 2092]
    whole_at, left_at = (grid.at(700.0, 1700.0, SHAPE).coefficients for grid in (whole.mirrored(), left))
    np.testing.assert_allclose(left_at, whole_at, atol=1e-12)


def test_sets_of_other_detectors_stand_in_where_a_file_of_the_own_is_missing(whole: PrfGrid) -> None:
    own = part(whole, ROWS, (557, 1069))
    other = replace(whole, name="of another (camera 4, CCD 1)", camera=4, ccd=1)
    elsewhere = replace(part(whole, (2048,), (1069,)), name="of a third (camera 2, CCD 2)", camera=2, ccd=2)
    tried = candidates_at((own, other, elsewhere), (1, 3), HERE, SHAPE)
    assert [prf.grid.name for prf in tried] == [other.name, f"{other.name}, mirrored in columns"]
    assert [grid.name for grid in lacking_at((own, other, elsewhere), (1, 3), HERE)] == [own.name, elsewhere.name]


def test_only_the_own_sets_are_asked_for_where_one_of_them_serves(whole: PrfGrid) -> None:
    old = replace(part(whole, ROWS, (557, 1069)), name="of 30-Jan-2019 (camera 1, CCD 3)")
    other = replace(old, camera=4, ccd=1)
    assert [prf.grid.name for prf in candidates_at((old, whole, other), (1, 3), HERE, SHAPE)] == [whole.name]
    assert [grid.name for grid in lacking_at((old, whole, other), (1, 3), HERE)] == [old.name]


def test_many_sets_take_one_phrase(whole: PrfGrid) -> None:
    assert why_lacking(()) == ""
    assert why_lacking((whole,)).startswith("the PRF set of 01-May-2019 (camera 1, CCD 3) is not used, because ")
    assert why_lacking((whole,) * 9).startswith(
        "9 PRF sets, such as that of 01-May-2019 (camera 1, CCD 3), are not used"
    )


def scene_of(truth: Callable[..., Any], *sets: PrfGrid) -> Scene:
    """The lopsided star of the sets at row 705.2, column 305.4 of camera 1, CCD 3, as its pixels are understood."""
    image = 20000.0 * truth(SHAPE, 5.2, 5.4, HERE[0])
    time = 2000.0 + np.arange(500) / 144
    flux = image + np.random.default_rng(4).normal(0.0, 2.0, (time.size, *SHAPE))
    stack = PixelStack(
        sector=7,
        time_btjd=time,
        flux=flux.astype(np.float32),
        flux_err=np.full(flux.shape, 2.0, np.float32),
        used=np.ones(time.size, bool),
        quality=np.zeros(time.size, np.int32),
        cadence_s=600.0,
        target_row=5.2,
        target_column=5.4,
        sky_per_pixel_arcsec=21.0 * np.eye(2),
        neighbours=(),
        neighbours_known=True,
        tmag=10.0,
        corner_row=700,
        corner_column=300,
        camera=1,
        ccd=3,
        prfs=sets,
    )
    scene = describe_scene(measure_pixels(stack, Ephemeris(1.3, 2000.4, 2.6)))
    assert scene is not None
    return scene


def test_without_the_files_about_it_a_star_is_its_own_prf_and_the_reason_is_said(
    whole: PrfGrid, truth: Callable[..., Any]
) -> None:
    scene = scene_of(truth, part(whole, (2048,), (45, 557, 1069)))
    assert scene.prf.kind == "own_image"
    assert scene.prf_note == (
        "The PRF set of 01-May-2019 (camera 1, CCD 3) is not used, because its files at hand do not surround the star (detector "
        "row 705, column 305; the nearest lies 1366 px from it)."
    )


def test_with_the_four_files_about_it_a_star_is_fitted_as_with_all(whole: PrfGrid, truth: Callable[..., Any]) -> None:
    four, all_of_them = scene_of(truth, part(whole, (513, 1025), (45, 557))), scene_of(truth, whole)
    assert (four.prf.kind, four.prf_note) == ("tess_prf", "")
    assert (four.source_row, four.source_column) == (all_of_them.source_row, all_of_them.source_column)


def test_another_detector_that_stands_in_is_said_with_the_reason(whole: PrfGrid, truth: Callable[..., Any]) -> None:
    other = replace(whole, name="of another (camera 4, CCD 1)", camera=4, ccd=1)
    scene = scene_of(truth, part(whole, (2048,), (45,)), other)
    assert scene.prf.kind == "tess_prf"
    assert scene.prf_note.startswith("The PRF set of 01-May-2019 (camera 1, CCD 3) is not used, because ")
    assert scene.prf_note.endswith(f"px from it). {OTHER_DETECTOR}")


def test_three_of_the_real_files_serve_no_star_between_the_others(real_prf_folder: Path, tmp_path: Path) -> None:
    for name in ("row0001-col0045", "row0001-col0557", "row0001-col1069"):
        (path,) = real_prf_folder.rglob(f"*-prf-1-3-{name}.fits")
        shutil.copy(path, tmp_path)
    (three,) = read_prf_folder(tmp_path).grids
    assert not three.surrounds(705.2, 305.4)
    assert candidates_at((three,), (1, 3), (705.2, 305.4), SHAPE) == ()
    assert three.surrounds(20.0, 305.4)
    for grid in read_prf_folder(real_prf_folder).grids:
        assert all(grid.surrounds(row, column) for row in (1, 700, 2048) for column in (45, 300, 2000))
