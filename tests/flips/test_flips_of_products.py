# ruff: noqa: E501 - a flip is a row
"""From files and catalogues to arrays: places, times and units; each convention is turned round once and must be noticed."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from btv_report.ephemeris import Ephemeris
from btv_report.errors import BtvReportError
from btv_report.products.cadences import measure_cadence_s
from btv_report.products.neighbours import read_neighbours
from btv_report.products.pixel_stack import build_pixel_stack
from btv_report.products.sky import locate_target, mid_year, place, sky_per_pixel_arcsec
from btv_report.sky_distance import separation_arcsec
from btv_report.stages.reduce import bin_light_curve, fold_light_curves
from btv_report.targets import Neighbour, SkyPosition
from btv_report.time_systems import julian_year, time_reference

Truth = Callable[[Any], None]
ARCSEC = 1 / 3600
COS, SIN = math.cos(math.radians(30)), math.sin(math.radians(30))
BTJD_HEADER = {"TIMESYS": "TDB", "BJDREFI": 2457000, "BJDREFF": 0.0, "TIMEUNIT": "d"}


def stars_are_placed(workshop: Any) -> None:
    wcs = workshop.pixel_file().wcs
    here = place(wcs, SkyPosition(120.0, -60.0))
    assert here == pytest.approx((4.0, 2.0), abs=1e-6)
    # PC = [[cos, -sin], [sin, cos]], CDELT = (-, +): east is -x', north +y', so the inverse turns back by 30 degrees.
    north = place(wcs, SkyPosition(120.0, -60.0 + 42 * ARCSEC))
    assert north == pytest.approx((4.0 + 2 * COS, 2.0 + 2 * SIN), abs=2e-3)
    east = place(wcs, SkyPosition(120.0 + 2 * 42 * ARCSEC, -60.0))
    assert east == pytest.approx((4.0 + 2 * SIN, 2.0 - 2 * COS), abs=2e-3)


def sky_matrix_is_right(workshop: Any) -> None:
    wcs = workshop.pixel_file().wcs
    assert wcs is not None
    matrix = sky_per_pixel_arcsec(wcs, 4.0, 2.0)
    np.testing.assert_allclose(matrix, 21.0 * np.array([[-COS, SIN], [SIN, COS]]), atol=2e-3)


def pixels_are_rows_of_columns_in_electrons_per_second(workshop: Any) -> None:
    tpf = workshop.pixel_file()
    assert tpf.flux.shape == (40, 8, 6)
    assert int(tpf.flux[0].argmax()) == 4 * 6 + 2
    assert tpf.flux[0].sum() == pytest.approx(1e4, rel=0.02)
    assert tpf.flux_unit == "e-/s"
    assert np.argwhere(tpf.aperture_mask).tolist() == [[3, 1], [3, 2], [4, 1], [4, 2], [5, 1], [5, 2]]


def corner_is_the_detector_pixel_of_the_first_pixel(workshop: Any) -> None:
    tpf = workshop.pixel_file()
    assert (tpf.corner_row, tpf.corner_column) == (900, 300)
    later = workshop.pixel_file(**{"1CRP2P": 3, "2CRP2P": 1})
    assert (later.corner_row, later.corner_column) == (900, 298)


def light_is_counted_per_second(workshop: Any) -> None:
    # A star of T = 10.44 gives 10,000 e-/s; with any other zero point its light would be missing or too much.
    stack = build_pixel_stack(workshop.pixel_file(), position=SkyPosition(120.0, -60.0), tmag=10.44)
    assert stack.wcs_disagrees == ""
    assert stack.flux[0].sum() == pytest.approx(1e4, rel=0.02)


def stack_keeps_rows_and_columns_apart(workshop: Any) -> None:
    there = SkyPosition(120.0, -60.0 + 42 * ARCSEC)
    tpf = workshop.pixel_file()
    stack = build_pixel_stack(tpf, position=SkyPosition(120.0, -60.0), tmag=10.44, neighbours=[Neighbour("1", there)])
    assert (stack.target_row, stack.target_column) == pytest.approx((4.0, 2.0), abs=1e-6)
    (star,) = stack.neighbours
    assert (star.row, star.column) == pytest.approx((4.0 + 2 * COS, 2.0 + 2 * SIN), abs=2e-3)
    assert star.separation_arcsec == pytest.approx(42.0)
    assert stack.cadence_s == pytest.approx(120.0)


def stars_move(workshop: Any) -> None:
    star = SkyPosition(120.0, -60.0, 500.0, 1000.0, 2000.0, True)
    later = star.at_year(2020.0)
    assert (later.dec_deg + 60.0) * 3600 == pytest.approx(20.0)
    assert (later.ra_deg - 120.0) * 3600 * 0.5 == pytest.approx(10.0)  # pmRA holds cos(Dec), here 1/2


def target_moves_to_the_middle_of_the_sector(workshop: Any) -> None:
    tpf = workshop.pixel_file()
    years = 19.04  # BTJD 1500 is in January 2019
    spot = locate_target(tpf, SkyPosition(120.0, -60.0, 0.0, 1000.0, 2000.0, True))
    assert spot.row == pytest.approx(4.0 + COS * years / 21, abs=0.01)
    assert mid_year(tpf.time_btjd) == pytest.approx(2019.04, abs=0.01)


def angles_are_degrees(workshop: Any) -> None:
    here = SkyPosition(120.0, -60.0)
    assert separation_arcsec(here, SkyPosition(120.0, -60.0 + 10 * ARCSEC)) == pytest.approx(10.0)
    assert separation_arcsec(here, SkyPosition(120.0 + 20 * ARCSEC, -60.0)) == pytest.approx(10.0, rel=1e-4)


def catalogue_columns_are_what_they_are_called(workshop: Any) -> None:
    path = workshop.folder / "stars.csv"
    path.write_text("id,ra,dec,tmag,pmra,pmdec,ref_epoch\n7,120.5,-60.25,11.5,30,-40,2016.0\n", encoding="utf-8")
    (star,) = read_neighbours(path).stars
    assert (star.position.ra_deg, star.position.dec_deg) == (120.5, -60.25)
    assert (star.position.pmra_mas_per_yr, star.position.pmdec_mas_per_yr) == (30.0, -40.0)
    assert star.position.ref_epoch_year == 2016.0


def only_btjd_is_taken(workshop: Any) -> None:
    def fault(**changes: Any) -> str | None:
        return time_reference({**BTJD_HEADER, **changes}).reason_not_btjd()

    assert fault() is None
    assert fault(BJDREFI=0) is not None
    assert fault(BJDREFI=2454833) is not None
    assert fault(BJDREFF=0.5) is not None
    assert fault(TIMEUNIT="s") is not None
    assert fault(TIMESYS="UTC") is not None
    assert julian_year(1500.0) == pytest.approx(2019.0418, abs=1e-3)


def epochs_are_btjd(workshop: Any) -> None:
    accepted = True
    try:
        Ephemeris(3.0, 2458501.5, 2.0)
    except BtvReportError:
        accepted = False
    assert not accepted


def durations_are_hours(workshop: Any) -> None:
    assert Ephemeris(300.0, 1500.0, 6.0).duration_days == 0.25


def cadences_are_seconds(workshop: Any) -> None:
    assert measure_cadence_s(1500.0 + np.arange(9) / 720) == pytest.approx(120.0)


def light_curve(flux_of: Callable[[Any], Any]) -> Any:
    time = 1500.0 + np.arange(27 * 72) / 72
    product = SimpleNamespace(header=SimpleNamespace(sector=7))
    return SimpleNamespace(product=product, time_btjd=time, flux=flux_of(time), used=np.ones(time.size, bool))


def light_curves_are_drawn_in_ppm_and_hours(workshop: Any) -> None:
    binned = bin_light_curve(light_curve(lambda time: np.where(time < 1513.4, 1.001, 1.0)), bin_hours=1.0)
    assert binned is not None
    assert binned.bin_days == pytest.approx(1 / 24)
    assert np.ptp(binned.flux_ppm) == pytest.approx(1000, rel=0.01)
    assert binned.flux_ppm[0] > binned.flux_ppm[-1]


def folds_are_in_hours_and_ppm(workshop: Any) -> None:
    dips = light_curve(lambda time: np.where(np.abs((time - 1501.0 + 1.5) % 3 - 1.5) < 2 / 24, 0.999, 1.0))
    fold = fold_light_curves([dips], Ephemeris(3.0, 1501.0, 4.0))
    assert fold is not None
    assert fold.even_depths_ppm == pytest.approx(1000.0)
    assert (fold.start_hours, fold.bin_hours) == (-10.0, 0.4)
    low = np.flatnonzero(fold.even_ppm < -500)
    assert len(low) == pytest.approx(10, abs=1)  # ten bins a transit


SKY, TARGETS, TPF = "btv_report.products.sky", "btv_report.targets", "btv_report.products.target_pixel_file"
TIMES, REDUCE = "btv_report.time_systems", "btv_report.stages.reduce"
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row-column in sky placement", f"{SKY}:place", "return (row, column) if", "return (column, row) if", stars_are_placed),
    ("RA-Dec in sky placement", f"{SKY}:place", "wcs_world2pix(longitude, latitude", "wcs_world2pix(latitude, longitude", stars_are_placed),
    ("0-1-based in sky placement", f"{SKY}:place", "latitude, 0)", "latitude, 1)", stars_are_placed),
    ("half-pixel in sky placement", f"{SKY}:place", "return (row, column) if", "return (row + 0.5, column + 0.5) if", stars_are_placed),
    ("row-column in the WCS's turn", f"{SKY}:stamp_wcs", 'f"{i}{j}PC{n}"', 'f"{j}{i}PC{n}"', stars_are_placed),
    ("east-west in the WCS", f"{SKY}:_wcs_from", "wcs.wcs.cdelt = cdelt", "wcs.wcs.cdelt = [-cdelt[0], cdelt[1]]", stars_are_placed),
    ("0-1-based in the WCS's reference pixel", f"{SKY}:_wcs_from", '[found["1CRPIX"], found["2CRPIX"]]', '[found["1CRPIX"] - 1, found["2CRPIX"] - 1]', stars_are_placed),
    ("RA-Dec in the WCS's reference point", f"{SKY}:_wcs_from", '[found["1CRVAL"], found["2CRVAL"]]', '[found["2CRVAL"], -found["1CRVAL"] / 2]', stars_are_placed),
    ("row-column in the sky matrix", f"{SKY}:sky_per_pixel_arcsec", "columns, rows, 0)", "rows + column - row, columns + row - column, 0)", sky_matrix_is_right),
    ("RA-Dec in the sky matrix", f"{SKY}:sky_per_pixel_arcsec", "[d_ra * cos_dec, d_dec]", "[d_dec, d_ra * cos_dec]", sky_matrix_is_right),
    ("east-west in the sky matrix", f"{SKY}:sky_per_pixel_arcsec", "[d_ra * cos_dec, d_dec]", "[-d_ra * cos_dec, d_dec]", sky_matrix_is_right),
    ("cos Dec left out of the sky matrix", f"{SKY}:sky_per_pixel_arcsec", "[d_ra * cos_dec, d_dec]", "[d_ra, d_dec]", sky_matrix_is_right),
    ("degrees-arcsec in the sky matrix", f"{SKY}:_ARCSEC_PER_DEG", "3600", "1", sky_matrix_is_right),
    ("row-column in a FITS cell", "btv_report.fits.table:_cell_shape", "lengths[::-1]", "lengths", pixels_are_rows_of_columns_in_electrons_per_second),
    ("row-column in the aperture", f"{TPF}:_aperture", "pixels.reshape(shape)", "pixels.reshape(shape[::-1]).T", pixels_are_rows_of_columns_in_electrons_per_second),
    ("per-second-per-cadence in the pixels", f"{TPF}:_cube", "dtype=np.float32)", "dtype=np.float32) * 120", pixels_are_rows_of_columns_in_electrons_per_second),
    ("per-second-per-cadence in the magnitude's zero point", f"{SKY}:TESS_ZERO_POINT_MAG", "20.44", "25.64", light_is_counted_per_second),
    ("row-column in the detector's corner", f"{TPF}:_corner_pixel", "return row, first_column", "return first_column, row", corner_is_the_detector_pixel_of_the_first_pixel),
    ("0-1-based in the detector's corner", f"{TPF}:_corner", "reference + 1 - pixel", "reference - pixel", corner_is_the_detector_pixel_of_the_first_pixel),
    ("row-column of the neighbours", "btv_report.products.pixel_stack:place_neighbours", "spot[0], spot[1]", "spot[1], spot[0]", stack_keeps_rows_and_columns_apart),
    ("row-column of the target", "btv_report.products.pixel_stack:build_pixel_stack", "target_row=spot.row", "target_row=spot.column", stack_keeps_rows_and_columns_apart),
    ("RA-Dec in proper motion", f"{TARGETS}:SkyPosition.at_year", "years * self.pmdec_mas_per_yr", "years * self.pmra_mas_per_yr", stars_move),
    ("mas-arcsec in proper motion", f"{TARGETS}:SkyPosition.at_year", "self.pmdec_mas_per_yr / 3.6e6", "self.pmdec_mas_per_yr / 3.6e3", stars_move),
    ("cos Dec left out of proper motion", f"{TARGETS}:SkyPosition.at_year", " / math.cos(math.radians(self.dec_deg))", "", stars_move),
    ("cos Dec the wrong way in proper motion", f"{TARGETS}:SkyPosition.at_year", "/ math.cos(", "* math.cos(", stars_move),
    ("degrees-radians in proper motion", f"{TARGETS}:SkyPosition.at_year", "math.radians(self.dec_deg)", "self.dec_deg", stars_move),
    ("past-future in proper motion", f"{TARGETS}:SkyPosition.at_year", "year - self.ref_epoch_year", "self.ref_epoch_year - year", stars_move),
    ("BTJD-BJD in the year of the observation", f"{TIMES}:julian_year", "(time_btjd - J2000_BTJD)", "(time_btjd - J2000_BTJD - 2457000)", target_moves_to_the_middle_of_the_sector),
    ("days-years in the year of the observation", f"{TIMES}:JULIAN_YEAR_DAYS", "365.25", "1", target_moves_to_the_middle_of_the_sector),
    ("degrees-radians in separations", "btv_report.sky_distance:separation_arcsec", "math.radians(other.dec_deg - one.dec_deg)", "other.dec_deg - one.dec_deg", angles_are_degrees),
    ("cos Dec left out of separations", "btv_report.sky_distance:separation_arcsec", "cosines * math.sin", "1.0 * math.sin", angles_are_degrees),
    ("RA-Dec in a catalogue", "btv_report.products.neighbours:_neighbour", "ra_deg=ra_deg % 360.0", "ra_deg=dec_deg % 360.0", catalogue_columns_are_what_they_are_called),
    ("RA-Dec in a catalogue's motions", "btv_report.products.neighbours:_neighbour", "pmra_mas_per_yr=pmra or", "pmra_mas_per_yr=pmdec or", catalogue_columns_are_what_they_are_called),
    ("BTJD-BJD in a file's zero point", f"{TIMES}:BTJD_REFERENCE_DAYS", "2457000", "0", only_btjd_is_taken),
    ("BTJD-BKJD in a file's zero point", f"{TIMES}:BTJD_REFERENCE_DAYS", "2457000", "2454833", only_btjd_is_taken),
    ("days-seconds in a file's time unit", f"{TIMES}:TimeReference.reason_not_btjd", '"days"}', '"days", "s"}', only_btjd_is_taken),
    ("TDB-UTC in a file's time scale", f"{TIMES}:TimeReference.reason_not_btjd", 'self.timesys.upper() != "TDB"', 'self.timesys.upper() not in {"TDB", "UTC"}', only_btjd_is_taken),
    ("half a day in a file's zero point", f"{TIMES}:TimeReference.reason_not_btjd", "self.bjdrefi + (self.bjdreff or 0.0)", "self.bjdrefi", only_btjd_is_taken),
    ("BTJD-BJD in an epoch", "btv_report.ephemeris:LARGEST_EPOCH_BTJD", "36525", "1e9", epochs_are_btjd),
    ("hours-days in a duration", "btv_report.ephemeris:Ephemeris.duration_days", "self.duration_hours / HOURS_PER_DAY", "self.duration_hours", durations_are_hours),
    ("days-seconds in the cadence", "btv_report.products.cadences:measure_cadence_s", " * _SECONDS_PER_DAY", "", cadences_are_seconds),
    ("ppm-fraction in a drawn light curve", f"{REDUCE}:bin_light_curve", "* PPM", "* 1.0", light_curves_are_drawn_in_ppm_and_hours),
    ("ppm-fraction: a dip drawn upwards", f"{REDUCE}:bin_light_curve", "(flux / median - 1.0)", "(1.0 - flux / median)", light_curves_are_drawn_in_ppm_and_hours),
    ("hours-days in a drawn light curve", f"{REDUCE}:bin_light_curve", "bin_hours / HOURS_PER_DAY", "bin_hours", light_curves_are_drawn_in_ppm_and_hours),
    ("hours-days in a fold", f"{REDUCE}:_one_transit", "offset[inside] * HOURS_PER_DAY", "offset[inside]", folds_are_in_hours_and_ppm),
    ("ppm-fraction in a fold", f"{REDUCE}:_one_transit", "level - 1.0) * PPM", "level - 1.0)", folds_are_in_hours_and_ppm),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(workshop: Any, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(workshop)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(workshop)
