# ruff: noqa: E501 - a flip is a row
"""The real PRF files put real stars where SPOC's own fits put them; each convention is turned round once and must be noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btv_report.checks.dv_comparison import stamp_of
from btv_report.checks.dv_images import fit_dv_image
from btv_report.checks.prf_choice import candidates_at
from btv_report.checks.prf_grid import _smoother
from btv_report.products.dv_report import read_dv_report
from btv_report.products.prf_files import read_prf_folder

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
OF_ITS_DETECTOR = (8, 9)
"""Sectors in which TIC 307210830 stood on camera 4, CCD 1, whose files are at hand: 900 rows and 750 columns apart."""
TOLERANCE_PX = 0.03
"""The distances are 0.002 and 0.017 px; SPOC states errors of about 0.001 px a coordinate and adds none of the PRF's own."""

pytestmark = pytest.mark.data


@pytest.fixture
def real_data() -> Iterator[Path]:
    """The real data beside the checkout; what was computed with a turned convention is forgotten afterwards."""
    if not (DATA / "prf").is_dir():
        pytest.skip("the real PRF files are not beside this checkout (../shared/data/prf)")
    yield DATA
    _smoother.cache_clear()


def spocs_own_positions_are_found(data: Path) -> None:
    """The control images of SPOC's DV reports, fitted with the PRF of their camera and CCD, against controlImageCentroid."""
    _smoother.cache_clear()
    grids = read_prf_folder(data / "prf").grids
    for sector in OF_ITS_DETECTOR:
        (path,) = (data / "dv").glob(f"*-s{sector:04d}-s{sector:04d}-*307210830-*_dvr.xml")
        image = read_dv_report(path).planets[0].difference_images[0]
        stamp, spoc = stamp_of(image, None), image.control_centroid
        assert stamp is not None
        assert spoc is not None
        place = (image.corner_row + stamp.target_row, image.corner_column + stamp.target_column)
        (prf,) = candidates_at(grids, (image.camera, image.ccd), place, stamp.shape)
        fit = fit_dv_image(replace(stamp, difference=image.control, difference_err=image.control_err), prf)
        assert fit is not None
        ours = (fit.row + image.corner_row, fit.column + image.corner_column)
        assert ours == pytest.approx((spoc.row.value, spoc.column.value), abs=TOLERANCE_PX)


Truth = Callable[[Path], None]
FILES, GRID, DV = "btv_report.products.prf_files", "btv_report.checks.prf_grid", "btv_report.checks.dv_comparison"
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row-column of real samples", f"{FILES}:_node", "values.reshape(shape)", "values.reshape(shape).T", spocs_own_positions_are_found),
    ("row 0 at the top of real samples", f"{FILES}:_node", "values.reshape(shape)", "values.reshape(shape)[::-1]", spocs_own_positions_are_found),
    ("column 0 at the right of real samples", f"{FILES}:_node", "values.reshape(shape)", "values.reshape(shape)[:, ::-1]", spocs_own_positions_are_found),
    ("row-column of real places", f"{FILES}:_node", 'row=float(cards["CCD_RREF"]),\n        column=float(cards["CCD_CREF"])', 'row=float(cards["CCD_CREF"]),\n        column=float(cards["CCD_RREF"])', spocs_own_positions_are_found),
    ("half-pixel of real samples", f"{GRID}:SampledPrf._weights", "np.arange(self.shape[axis])", "0.5 + np.arange(self.shape[axis])", spocs_own_positions_are_found),
    ("0-1-based middle of real samples", f"{GRID}:_smoother", "np.arange(-reach, reach + 1, dtype=np.float64)", "(1 + np.arange(-reach, reach + 1, dtype=np.float64))", spocs_own_positions_are_found),
    ("0-1-based pixels of real stars", f"{GRID}:SampledPrf._weights", "np.arange(self.shape[axis])", "1 + np.arange(self.shape[axis])", spocs_own_positions_are_found),
    ("row-column of real stars", f"{GRID}:SampledPrf.evaluate", "tensor_images(rows, columns,", "tensor_images(columns, rows,", spocs_own_positions_are_found),
    ("0-1-based corner of real stamps", "btv_report.products.dv_report:_image", "corner_row=corner_row", "corner_row=corner_row + 1", spocs_own_positions_are_found),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(real_data: Path, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(real_data)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(real_data)
