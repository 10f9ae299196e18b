"""Pixels and stars together, as the checks take them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from btv_report.errors import ProductRefusedError
from btv_report.products.pixel_stack import MAX_STARS, build_pixel_stack, keep_brightest, measure_sky, sky_note
from btv_report.targets import Neighbour, SkyPosition

HERE = SkyPosition(120.0, -20.0)


def star(star_id: str, d_dec_arcsec: float, tmag: float | None = None) -> Neighbour:
    return Neighbour(star_id, SkyPosition(120.0, -20.0 + d_dec_arcsec / 3600), tmag)


def test_stack_holds_what_the_file_holds(read_tpf: Any) -> None:
    tpf = read_tpf()
    stack = build_pixel_stack(tpf, position=HERE, tmag=10.44)
    assert stack.sector == 7
    assert stack.flux is tpf.flux
    assert stack.cadence_s == pytest.approx(120.0)
    assert (stack.target_row, stack.target_column) == pytest.approx((4.0, 2.0))
    assert stack.aperture_mask is not None
    assert stack.background is not None
    assert not stack.neighbours_known
    assert stack.wcs_disagrees == ""


def test_neighbours_come_nearest_first_with_rows_columns_and_distances(read_tpf: Any) -> None:
    stars = [star("far", 63.0), star("near", -21.0, 12.0)]
    stack = build_pixel_stack(read_tpf(), position=HERE, neighbours=stars)
    assert [item.star_id for item in stack.neighbours] == ["near", "far"]
    near, far = stack.neighbours
    assert (near.row, near.column, near.magnitude) == pytest.approx((3.0, 2.0, 12.0), abs=1e-3)
    assert near.separation_arcsec == pytest.approx(21.0, abs=1e-6)
    assert far.row == pytest.approx(7.0, abs=1e-3)
    assert stack.neighbours_known


def test_empty_catalogue_is_known_to_be_empty(read_tpf: Any) -> None:
    stack = build_pixel_stack(read_tpf(), position=HERE, neighbours=[])
    assert stack.neighbours_known
    assert stack.neighbours == ()


def test_neighbours_move_from_their_own_epoch(read_tpf: Any) -> None:
    moving = Neighbour("a", SkyPosition(120.0, -20.0, 0.0, 2100.0, 2009.0, True))
    stack = build_pixel_stack(read_tpf(), position=HERE, neighbours=[moving])
    assert stack.neighbours[0].row == pytest.approx(5.0, abs=0.01)  # ten years of 2.1 arcsec


def test_sky_of_a_cutout_is_taken_off_each_cadence_and_said(read_tpf: Any) -> None:
    sky = np.linspace(100.0, 400.0, 40)
    rows, columns = np.indices((8, 6))
    image = 1e4 * np.exp(-((rows - 4) ** 2 + (columns - 2) ** 2) / 1.28) / (1.28 * np.pi)
    tpf = read_tpf(flux=image + sky[:, None, None], creator="astrocut")
    stack = build_pixel_stack(tpf, position=HERE)
    np.testing.assert_allclose(measure_sky(tpf), sky, rtol=1e-3)
    np.testing.assert_allclose(stack.flux[:, 4, 2], image[4, 2], rtol=1e-3)
    assert stack.background is not None
    np.testing.assert_allclose(stack.background, sky, rtol=1e-3)
    assert "comes with its sky" in sky_note(tpf)
    assert sky_note(read_tpf()) == ""


def test_file_without_sector_is_refused(read_tpf: Any) -> None:
    with pytest.raises(ProductRefusedError, match="does not state its sector"):
        build_pixel_stack(read_tpf(SECTOR=None), position=HERE)


def test_wcs_that_disagrees_is_handed_on(read_tpf: Any) -> None:
    stack = build_pixel_stack(read_tpf(wcs={}, aperture=None), position=HERE)
    assert (stack.target_row, stack.sky_per_pixel_arcsec, stack.neighbours) == (None, None, ())
    assert "is missing" in stack.wcs_disagrees


def test_stars_whose_light_does_not_reach_the_stamp_are_not_placed(read_tpf: Any) -> None:
    # The stamp has 8 rows and the target is on row 4: row 13.5 is 6.5 px above the last row.
    stars = [star("in reach", 9.4 * 21.0), star("beyond", 9.6 * 21.0), star("other hemisphere", 150.0 * 3600)]
    stack = build_pixel_stack(read_tpf(), position=HERE, neighbours=stars)
    assert [item.star_id for item in stack.neighbours] == ["in reach"]


def test_a_crowded_field_keeps_its_brightest_stars_and_says_what_the_others_could_do(read_tpf: Any) -> None:
    # The faintest lie nearest, so that a cut by distance would keep the wrong ones.
    stars = [star(f"{i}", 5.0 + 0.01 * i, 20.0 - 0.005 * i) for i in range(MAX_STARS + 50)]
    stack = build_pixel_stack(read_tpf(), position=HERE, tmag=10.0, neighbours=[*stars, star("dark", 4.0)])
    kept, note = keep_brightest(stack)
    assert len(kept.neighbours) == MAX_STARS
    assert [item.star_id for item in kept.neighbours] == [f"{i}" for i in range(50, MAX_STARS + 50)]
    assert f"of the 1,051 catalogued stars whose light reaches the stamp, the {MAX_STARS} brightest" in note
    assert "at most 1.3e+02 ppm" in note  # magnitude 19.75 beside 10.0
    assert keep_brightest(kept) == (kept, "")


def test_stars_that_cannot_be_placed_are_not_known(read_tpf: Any) -> None:
    stars = [star("7", 20.0, 12.0)]
    placed = build_pixel_stack(read_tpf(), position=HERE, neighbours=stars)
    assert (placed.neighbours_known, len(placed.neighbours)) == (True, 1)
    assert not build_pixel_stack(read_tpf(wcs={}), position=HERE, neighbours=stars).neighbours_known
    assert not build_pixel_stack(read_tpf(), position=None, neighbours=stars).neighbours_known
