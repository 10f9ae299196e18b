"""Where the target is on its stamp, and when the WCS contradicts the light."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from btv_report.products.inspect import Inspection, inspect_file
from btv_report.products.sky import locate_target, mid_year, place, sky_per_pixel_arcsec
from btv_report.products.target_pixel_file import read_target_pixel_file
from btv_report.targets import SkyPosition, Target
from btv_report.time_systems import julian_year

HERE = SkyPosition(120.0, -20.0)
TMAG = 10.44  # 10,000 e-/s, the star of the stamps


def cards(column: float, row: float, **changes: Any) -> dict[str, Any]:
    base = {
        "CTYP": ("RA---TAN", "DEC--TAN"),
        "CRPX": (column + 1, row + 1),
        "CRVL": (120.0, -20.0),
        "CDLT": (-21.0 / 3600, 21.0 / 3600),
    }
    return {**base, **changes}


def gaussians(*stars: tuple[float, float, float]) -> Any:
    rows, columns = np.indices((8, 6))
    image = np.zeros((8, 6))
    for row, column, flux in stars:
        image += flux * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 1.28) / (1.28 * np.pi)
    return np.broadcast_to(image, (40, 8, 6)).copy()


def test_target_is_placed_by_the_keywords_of_the_flux_column_wherever_it_stands(read_tpf: Any) -> None:
    for order in ("TIME FLUX QUALITY", "QUALITY TIME FLUX_ERR FLUX_BKG CADENCENO RAW_CNTS FLUX"):
        spot = locate_target(read_tpf(order=order), HERE, TMAG)
        assert (spot.row, spot.column) == pytest.approx((4.0, 2.0), abs=1e-9)
        assert spot.note == ""


def test_north_and_east_have_their_directions(read_tpf: Any) -> None:
    tpf = read_tpf()  # north up, east to the left
    arcsec = 1 / 3600
    north = place(tpf.wcs, SkyPosition(120.0, -20.0 + 42 * arcsec))
    east = place(tpf.wcs, SkyPosition(120.0 + 42 * arcsec / math.cos(math.radians(20.0)), -20.0))
    assert north == pytest.approx((6.0, 2.0), abs=1e-3)
    assert east == pytest.approx((4.0, 0.0), abs=1e-3)
    matrix = sky_per_pixel_arcsec(tpf.wcs, 4.0, 2.0)
    np.testing.assert_allclose(matrix, [[-21.0, 0.0], [0.0, 21.0]], atol=1e-3)


@pytest.mark.parametrize("ra_deg", [0.0, 359.9999, 120.0])
def test_local_scale_is_right_on_a_rotated_stamp_at_any_right_ascension(read_tpf: Any, ra_deg: float) -> None:
    angle = math.radians(37.0)
    rotated = cards(2.0, 4.0, CRVL=(ra_deg, -70.0))
    turned = {
        "11PC4": math.cos(angle), "12PC4": -math.sin(angle), "21PC4": math.sin(angle), "22PC4": math.cos(angle),
    }  # fmt: skip
    tpf = read_tpf(wcs=rotated, table_keywords=turned)
    scale = np.array([[-math.cos(angle), math.sin(angle)], [math.sin(angle), math.cos(angle)]]) * 21.0
    np.testing.assert_allclose(sky_per_pixel_arcsec(tpf.wcs, 4.0, 2.0), scale, atol=2e-3)


def test_proper_motion_moves_the_target_to_the_middle_of_the_sector(read_tpf: Any) -> None:
    tpf = read_tpf()
    year = julian_year(1500.0 + 19.5 / 720)
    assert mid_year(tpf.time_btjd) == pytest.approx(year)
    moving = SkyPosition(120.0, -20.0, 500.0, 1000.0, 2000.0, True)
    spot = locate_target(tpf, moving)
    years = year - 2000.0
    assert spot.row == pytest.approx(4.0 + years / 21.0, abs=1e-3)
    assert spot.column == pytest.approx(2.0 - 0.5 * years / 21.0, abs=1e-3)
    gaia = SkyPosition(120.0, -20.0, 500.0, 1000.0, 2016.0, True)
    assert locate_target(tpf, gaia).row == pytest.approx(4.0 + (year - 2016.0) / 21.0, abs=1e-3)


def test_f106_missing_wcs_is_said_and_the_aperture_extension_stands_in(read_tpf: Any) -> None:
    without = read_tpf(wcs={})
    spot = locate_target(without, HERE)
    assert (spot.row, spot.column, spot.sky_per_pixel_arcsec) == (None, None, None)
    assert spot.note.startswith("The WCS of the pixel table is missing, and that of the APERTURE extension is missing")
    image = {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 3.0, "CRPIX2": 5.0, "CRVAL1": 120.0, "CRVAL2": -20.0,
        "CDELT1": -21 / 3600, "CDELT2": 21 / 3600,
    }  # fmt: skip
    second = locate_target(read_tpf(wcs={}, aperture_wcs=image), HERE, TMAG)
    assert (second.row, second.column) == pytest.approx((4.0, 2.0))
    assert second.note == "The WCS of the pixel table is missing; that of the APERTURE extension is used."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CDLT": (0.0, 0.005)}, "is singular"),
        ({"CDLT": (-0.5, 0.5)}, "has pixels of 1.8e+03 arcsec"),
        ({"CTYP": ("", "")}, "is missing"),
        ({"CTYP": ("RA---XYZ", "DEC--XYZ")}, "cannot be used|not celestial"),
    ],
)
def test_f106_unusable_wcs_is_said(read_tpf: Any, changes: dict[str, Any], words: str) -> None:
    spot = locate_target(read_tpf(wcs=cards(2.0, 4.0, **changes), aperture=None), HERE)
    assert spot.row is None
    assert any(word in spot.note for word in words.split("|")), spot.note


def test_f106_other_hemisphere_is_said(read_tpf: Any) -> None:
    spot = locate_target(read_tpf(), SkyPosition(300.0, 20.0))
    assert "another part of the sky" in spot.note or "outside the 8 x 6 pixels" in spot.note


def test_f106_target_off_the_stamp_is_said(read_tpf: Any) -> None:
    spot = locate_target(read_tpf(wcs=cards(2.0, 11.0)), HERE)
    assert spot.row == pytest.approx(11.0)
    assert "row 11.0, column 2.0, outside the 8 x 6 pixels" in spot.note


@pytest.mark.parametrize("tmag", [TMAG, None])
@pytest.mark.parametrize(("column", "row"), [(3.3, 4.0), (2.0, 5.6), (0.9, 3.2)])
def test_f106_lone_star_more_than_a_pixel_away_is_said(
    read_tpf: Any, tmag: float | None, column: float, row: float
) -> None:
    note = locate_target(read_tpf(wcs=cards(column, row)), HERE, tmag).note
    assert f"by {math.hypot(column - 2.0, row - 4.0):.1f} px" in note


@pytest.mark.parametrize(("column", "row"), [(2.7, 4.0), (2.5, 4.5), (2.0, 3.2)])
def test_f106_less_than_a_pixel_is_no_disagreement(read_tpf: Any, column: float, row: float) -> None:
    assert locate_target(read_tpf(wcs=cards(column, row)), HERE, TMAG).note == ""


def test_f106_no_light_where_the_star_must_be_is_said(read_tpf: Any) -> None:
    stars = gaussians((6.5, 0.5, 1e4), (6.0, 4.5, 8e3))
    note = locate_target(read_tpf(flux=stars, wcs=cards(3.0, 1.0)), HERE, TMAG).note
    assert "of the light that a star of its TESS magnitude gives" in note


def test_f106_faint_target_beside_a_bright_star_is_no_disagreement(read_tpf: Any) -> None:
    bright_neighbour = gaussians((4.0, 2.0, 1e5), (2.2, 4.0, 1e3))
    assert locate_target(read_tpf(flux=bright_neighbour, wcs=cards(4.0, 2.2)), HERE, 12.94).note == ""


def test_f106_equal_neighbour_is_no_disagreement(read_tpf: Any) -> None:
    pair = gaussians((5.0, 1.0, 1.3e4), (2.0, 4.0, 1e4))
    for tmag in (TMAG, None):
        assert locate_target(read_tpf(flux=pair, wcs=cards(4.0, 2.0)), HERE, tmag).note == ""


def test_saturated_star_is_not_held_against_its_peak(read_tpf: Any) -> None:
    assert locate_target(read_tpf(wcs=cards(2.0, 6.0)), HERE, 5.1).note == ""


def test_unknown_position_is_said(read_tpf: Any) -> None:
    assert "position is not known" in locate_target(read_tpf(), None).note


@pytest.mark.data
def test_real_target_lies_where_its_catalogue_says(real_tpf: Inspection) -> None:
    tpf = read_target_pixel_file(real_tpf.product, real_tpf.content)
    header = real_tpf.product.header
    assert header is not None
    target = Target.from_header(header.keywords, tic_id=188646744, source="header")
    for tmag in (target.tmag, 8.4, 9.2):
        spot = locate_target(tpf, target.position, tmag)
        assert (spot.row, spot.column) == pytest.approx((5.667, 4.533), abs=5e-4)
        assert spot.note == ""
    matrix = spot.sky_per_pixel_arcsec
    assert matrix is not None
    assert math.sqrt(abs(np.linalg.det(matrix))) == pytest.approx(19.8, abs=0.1)


@pytest.mark.data
def test_real_cutout_agrees_with_its_wcs(shared_data: Path) -> None:
    inspection = inspect_file(next((shared_data / "tpf").glob("tess-s0019*")))
    tpf = read_target_pixel_file(inspection.product, inspection.content)
    spot = locate_target(tpf, SkyPosition(65.4892052292, 28.44320981017))
    assert (spot.row, spot.column) == pytest.approx((5.064, 4.592), abs=1e-3)
    assert spot.note == ""
    assert (tpf.corner_row, tpf.corner_column) == (158, 377)
