# ruff: noqa: E501 - a flip is a row
"""From PRF sets to the star of a stamp: corner, detector, neighbours; each convention is turned round once and must be noticed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.dv_comparison import compare_image
from btv_report.checks.prf_choice import StarModel
from btv_report.checks.prf_grid import PrfGrid, _smoother
from btv_report.checks.scene import describe_scene
from btv_report.ephemeris import Ephemeris
from btv_report.products.prf_files import read_prf_folder

Truth = Callable[[Any], None]
FloatArray = NDArray[np.float64]
# So near to each other that a pixel of the detector counts.
ROWS, COLUMNS = (896.0, 912.0), (296.0, 316.0)
CORNER = (901, 303)
SHAPE = (11, 13)
TARGET = (5.2, 4.8)  # row, column


@pytest.fixture(autouse=True)
def nothing_turned_is_remembered() -> Iterator[None]:
    """What is computed once for all sets is computed anew in each truth."""
    yield
    _smoother.cache_clear()


def line(centres: FloatArray, sigma: float) -> FloatArray:
    """Light of a Gaussian line in pixels with the given centres."""
    edges = [(math.erf((c + 0.5) / sigma / 2**0.5), math.erf((c - 0.5) / sigma / 2**0.5)) for c in centres]
    return np.array([(above - below) / 2 for above, below in edges])


def star(by_row: FloatArray, by_column: FloatArray, last_row: bool, last_column: bool) -> FloatArray:
    """A lopsided star: wider in rows at the last row of the grid, in columns at the last column; a wing at (+0.9, -0.5)."""
    core = np.outer(line(by_row, 0.60 + 0.3 * last_row), line(by_column, 0.65 + 0.4 * last_column))
    wing = np.outer(line(by_row - 0.9, 0.9), line(by_column + 0.5, 0.8))
    return np.asarray(0.75 * core + 0.25 * wing, dtype=np.float64)


def image_at(ccd_row: float, ccd_column: float, place: tuple[float, float] = TARGET) -> FloatArray:
    """The unit star at a place of the stamp, by its formula: linear between the four images of the detector."""
    u, v = (ccd_row - ROWS[0]) / (ROWS[1] - ROWS[0]), (ccd_column - COLUMNS[0]) / (COLUMNS[1] - COLUMNS[0])
    rows, columns = (np.arange(n, dtype=np.float64) - centre for n, centre in zip(SHAPE, place, strict=True))
    image = np.zeros(SHAPE)
    for i, j in ((False, False), (False, True), (True, False), (True, True)):
        image += (u if i else 1 - u) * (v if j else 1 - v) * star(rows, columns, i, j)
    return image


def sets(workshop: Any) -> Sequence[PrfGrid]:
    """The set of camera 4, CCD 1, and the same star turned by a right angle as camera 1, CCD 4; read from files."""
    from astropy.io import fits

    _smoother.cache_clear()
    fine = (np.arange(117) - 58) / 9
    for i, row in enumerate(ROWS):
        for j, column in enumerate(COLUMNS):
            samples = star(fine, fine, bool(i), bool(j))
            for camera, ccd, data in ((4, 1, samples), (1, 4, samples.T[::-1])):
                hdu = fits.PrimaryHDU(data)
                hdu.header.update(
                    {"DATATYPE": "PRF", "CAM": float(camera), "CCD": float(ccd), "CCD_RREF": row, "CCD_CREF": column}
                    | {"NSAMP": 9.0, "DATE": "30-Jan-2019"}
                )
                hdu.writeto(workshop.folder / f"{camera}{ccd}{i}{j}.fits", overwrite=True)
    return read_prf_folder(workshop.folder).grids


def own_set(workshop: Any) -> PrfGrid:
    return next(grid for grid in sets(workshop) if grid.camera == 4)


def a_star_is_drawn_as_its_formula_says(workshop: Any) -> None:
    for ccd_row, ccd_column in ((899.0, 312.0), (908.0, 300.0)):
        drawn = own_set(workshop).at(ccd_row, ccd_column, SHAPE).evaluate(np.array([TARGET[0]]), np.array([TARGET[1]]))
        np.testing.assert_allclose(drawn[0], image_at(ccd_row, ccd_column), atol=1e-3)


def a_mirror_turns_columns_only(workshop: Any) -> None:
    mirrored = own_set(workshop).mirrored().at(899.0, 45 + 2092 - 312.0, SHAPE)
    drawn = mirrored.evaluate(np.array([TARGET[0]]), np.array([SHAPE[1] - 1 - TARGET[1]]))
    np.testing.assert_allclose(drawn[0][:, ::-1], image_at(899.0, 312.0), atol=1e-3)


def the_set_of_its_own_detector_describes_the_star(workshop: Any) -> None:
    stack = workshop.stack("target")
    place = (CORNER[0] + TARGET[0], CORNER[1] + TARGET[1])
    light = 20000.0 * (stack.flux.sum(axis=(1, 2)) / stack.flux.sum(axis=(1, 2)).mean())
    noise = np.random.default_rng(4).normal(0, 3.0, stack.flux.shape)
    flux = (light[:, None, None] * image_at(*place) + noise).astype(np.float32)
    # The catalogue is a third of a pixel off, so that the star's place must come from the fit.
    stack = replace(
        stack, flux=flux, target_row=TARGET[0] + 0.3, corner_row=CORNER[0], corner_column=CORNER[1], camera=4, ccd=1,
        prfs=tuple(sets(workshop)),
    )  # fmt: skip
    scene = describe_scene(measure_pixels(stack, Ephemeris(4.1, 2002.03, 2.6)))
    assert scene is not None
    assert (scene.prf.kind, scene.prf_note) == ("tess_prf", "")
    assert (scene.source_row, scene.source_column) == pytest.approx(TARGET, abs=0.004)
    drawn = scene.prf.evaluate(np.array([TARGET[0]]), np.array([TARGET[1]]))[0]
    np.testing.assert_allclose(drawn, image_at(*place), atol=1.5e-3)


def the_set_of_its_own_detector_describes_spocs_image(workshop: Any) -> None:
    place = (CORNER[0] + TARGET[0], CORNER[1] + TARGET[1])
    control, error = 5000.0 * image_at(*place), np.full(SHAPE, 1.0)
    number = SimpleNamespace
    target = number(row=number(value=place[0]), column=number(value=place[1]), ra_deg=None, dec_deg=None)
    image: Any = SimpleNamespace(
        camera=4, ccd=1, corner_row=CORNER[0], corner_column=CORNER[1], control=control, control_err=error,
        difference=0.1 * control, difference_err=error, tic_reference=target, control_centroid=None,
        difference_centroid=None,
    )  # fmt: skip
    prf = compare_image(image, 10.0, sets(workshop)).prf
    assert prf is not None
    drawn = prf.evaluate(np.array([TARGET[0]]), np.array([TARGET[1]]))[0]
    np.testing.assert_allclose(drawn, image_at(*place), atol=1e-3)


def neighbours_stand_where_their_offsets_say(workshop: Any) -> None:
    prf = own_set(workshop).at(899.0, 312.0, SHAPE)
    field = StarModel(np.array([0.0, 2.0]), np.array([0.0, -1.5]), np.array([1.0, 0.4])).image(prf, *TARGET)
    both = image_at(899.0, 312.0) + 0.4 * image_at(899.0, 312.0, (TARGET[0] + 2.0, TARGET[1] - 1.5))
    np.testing.assert_allclose(field, both, atol=1e-3)


def the_corner_of_a_pixel_file_is_handed_on(workshop: Any) -> None:
    from btv_report.products.pixel_stack import build_pixel_stack

    stack = build_pixel_stack(workshop.pixel_file(CAMERA=4), position=None)
    assert (stack.corner_row, stack.corner_column) == (900, 300)


FILES, GRID = "btv_report.products.prf_files", "btv_report.checks.prf_grid"
CHOICE, SCENE = "btv_report.checks.prf_choice", "btv_report.checks.scene"
DV, STACK = "btv_report.checks.dv_comparison", "btv_report.products.pixel_stack"
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row-column of the samples of a PRF file", f"{FILES}:_node", "values.reshape(shape)", "values.reshape(shape).T", a_star_is_drawn_as_its_formula_says),
    ("row 0 at the top of a PRF file", f"{FILES}:_node", "values.reshape(shape)", "values.reshape(shape)[::-1]", a_star_is_drawn_as_its_formula_says),
    ("column 0 at the right of a PRF file", f"{FILES}:_node", "values.reshape(shape)", "values.reshape(shape)[:, ::-1]", a_star_is_drawn_as_its_formula_says),
    ("row-column in the order of a grid", f"{FILES}:_groups", "(node.row, node.column, node.sha256)", "(node.column, node.row, node.sha256)", a_star_is_drawn_as_its_formula_says),
    ("0-1-based sample of the middle", f"{GRID}:_smoother", "np.arange(-reach, reach + 1, dtype=np.float64)", "(1 + np.arange(-reach, reach + 1, dtype=np.float64))", a_star_is_drawn_as_its_formula_says),
    ("a mirror of images without places", f"{GRID}:PrfGrid.mirrored", "self.samples[:, ::-1, :, ::-1]", "self.samples[:, :, :, ::-1]", a_mirror_turns_columns_only),
    ("half-pixel of a star among neighbours", f"{CHOICE}:StarModel.image", "row + self.row_offsets", "row + 0.5 + self.row_offsets", neighbours_stand_where_their_offsets_say),
    ("row-column of neighbours", f"{CHOICE}:StarModel.image", "row + self.row_offsets, column + self.column_offsets", "row + self.column_offsets, column + self.row_offsets", neighbours_stand_where_their_offsets_say),
    ("row-column of a star's fit", f"{CHOICE}:_fit_one", "StarFit(float(found[0]), float(found[1])", "StarFit(float(found[1]), float(found[0])", the_set_of_its_own_detector_describes_the_star),
    ("0-1-based corner of the stamp on the detector", f"{SCENE}:_calibrated", "stack.corner_row + fit.row", "stack.corner_row + 1 + fit.row", the_set_of_its_own_detector_describes_the_star),
    ("row-column of the star on the detector", f"{SCENE}:_calibrated", "stack.corner_column + fit.column", "stack.corner_column + fit.row", the_set_of_its_own_detector_describes_the_star),
    ("0-1-based corner of SPOC's stamp on the detector", f"{DV}:compare_image", "stamp.target_row + image.corner_row", "stamp.target_row + image.corner_row + 1", the_set_of_its_own_detector_describes_spocs_image),
    ("row-column of SPOC's star on the detector", f"{DV}:compare_image", "stamp.target_row + image.corner_row", "stamp.target_column + image.corner_row", the_set_of_its_own_detector_describes_spocs_image),
    ("camera-CCD of SPOC's star", f"{DV}:compare_image", "(image.camera, image.ccd)", "(image.ccd, image.camera)", the_set_of_its_own_detector_describes_spocs_image),
    ("row-column of the corner of a pixel file", f"{STACK}:build_pixel_stack", "corner_row=tpf.corner_row", "corner_row=tpf.corner_column", the_corner_of_a_pixel_file_is_handed_on),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(workshop: Any, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(workshop)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(workshop)
