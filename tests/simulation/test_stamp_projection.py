"""Stars fall where the WCS of the written file says they do, in the handedness of TESS stamps."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS

from btv_report.simulation.fits_headers import sky_cards
from btv_report.simulation.geometry import StampProjection
from btv_report.simulation.pixels import simulate
from btv_report.simulation.scene import Scene
from btv_report.time_systems import julian_year

REAL_STAMP = "tess25155310-s01-first-cadences.fits.gz"


def wcs_of(scene: Scene) -> Any:
    sector = simulate(scene).sectors[0]
    wcs = WCS(naxis=2)
    for key, value, _ in sky_cards(scene, sector):
        if key.startswith("PC"):
            continue
        name = key[:-1].lower()
        vector = getattr(wcs.wcs, name)
        vector[int(key[-1]) - 1] = value
        setattr(wcs.wcs, name, vector)
    cards = {key: value for key, value, _ in sky_cards(scene, sector)}
    wcs.wcs.pc = np.array([[cards["PC1_1"], cards["PC1_2"]], [cards["PC2_1"], cards["PC2_2"]]])
    return wcs


def test_a_star_placed_in_pixels_is_there_by_astropys_wcs(small_scene: Scene) -> None:
    star = small_scene.stars[0]
    there = star.position.at_year(julian_year(small_scene.sectors[0].mid_btjd))
    column, row = wcs_of(small_scene).all_world2pix(there.ra_deg, there.dec_deg, 0)
    # Linear proper motion there and back leaves some millionths of a pixel.
    assert float(row) == pytest.approx(6.3 - 2.0, abs=1e-5)
    assert float(column) == pytest.approx(4.4 + 0.5, abs=1e-5)


def test_the_target_is_at_its_pixel_only_after_its_proper_motion(small_scene: Scene) -> None:
    wcs = wcs_of(small_scene)
    position = small_scene.target.position
    there = position.at_year(julian_year(small_scene.sectors[0].mid_btjd))
    column, row = wcs.all_world2pix(there.ra_deg, there.dec_deg, 0)
    assert (float(row), float(column)) == pytest.approx((6.3, 4.4), abs=1e-6)
    column, row = wcs.all_world2pix(position.ra_deg, position.dec_deg, 0)
    # 1.14 arcsec a year for 19.9 years.
    moved = math.hypot(float(row) - 6.3, float(column) - 4.4)
    assert moved == pytest.approx(math.hypot(900, 700) / 1000 * 19.95 / 20.9, rel=0.01)


@pytest.mark.parametrize("east_angle_deg", [0.0, 40.0, 155.0, -64.0])
@pytest.mark.parametrize("dec_deg", [-71.0, 0.0, 88.0])
def test_the_projection_is_astropys_to_a_millionth_of_a_pixel(east_angle_deg: float, dec_deg: float) -> None:
    projection = StampProjection(359.9999, dec_deg, 5.2, 4.7, east_angle_deg, 20.9)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [5.7, 6.2]
    wcs.wcs.crval = [359.9999, dec_deg]
    wcs.wcs.cdelt = [-20.9 / 3600, 20.9 / 3600]
    wcs.wcs.pc = np.array(projection.pc_matrix())
    for row, column in ((0.0, 0.0), (9.5, 1.25), (-3.0, 12.0)):
        ra_deg, dec = projection.plane_to_sky(*projection.pixel_to_plane(row, column))
        expected = wcs.all_pix2world(column, row, 0)
        assert ra_deg == pytest.approx(float(expected[0]) % 360.0, abs=1e-10)
        assert dec == pytest.approx(float(expected[1]), abs=1e-10)
        assert projection.sky_to_pixel(ra_deg, dec) == pytest.approx((row, column), abs=1e-6)


def test_east_and_north_point_as_stated() -> None:
    projection = StampProjection(10.0, 20.0, 5.0, 5.0, 0.0, 20.0)
    # East angle 0: a star to the east lies at a higher column, one to the north at a higher row.
    assert projection.plane_to_pixel(20.0, 0.0) == pytest.approx((5.0, 6.0))
    assert projection.plane_to_pixel(0.0, 20.0) == pytest.approx((6.0, 5.0))
    east_ra, _ = projection.plane_to_sky(20.0, 0.0)
    _, north_dec = projection.plane_to_sky(0.0, 20.0)
    assert east_ra > 10.0
    assert north_dec > 20.0
    turned = StampProjection(10.0, 20.0, 5.0, 5.0, 90.0, 20.0)
    assert turned.plane_to_pixel(20.0, 0.0) == pytest.approx((6.0, 5.0))
    assert turned.plane_to_pixel(0.0, 20.0) == pytest.approx((5.0, 4.0))


@pytest.mark.data
def test_the_handedness_is_that_of_a_spoc_stamp() -> None:
    path = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tpf" / REAL_STAMP
    if not path.exists():
        pytest.skip(f"the real stamp {REAL_STAMP} is not beside the checkout")
    from astropy.io import fits

    with fits.open(path) as hdus:
        header = hdus["APERTURE"].header
        real = np.array([[header[f"PC{i}_{j}"] for j in (1, 2)] for i in (1, 2)])
        real_signs = np.sign([header["CDELT1"], header["CDELT2"]])
    ours = np.array(StampProjection(0.0, 0.0, 0.0, 0.0, 70.5, 20.3).pc_matrix())
    # The CCD is not quite orthogonal after distortion: elements agree to two hundredths.
    np.testing.assert_allclose(ours, real, atol=0.02)
    np.testing.assert_array_equal(real_signs, [-1.0, 1.0])
