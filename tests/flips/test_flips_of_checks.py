# ruff: noqa: E501 - a flip is a row
"""From arrays to results: places, signs, windows and depths; each convention is turned round once and must be noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from btv_report.checks.apertures import circle_overlap
from btv_report.checks.prf import GaussianPrf, own_image_prf
from btv_report.checks.transits import _find_gaps
from btv_report.ephemeris import Ephemeris

Truth = Callable[[Any], None]
TARGET, HOST = (5.2, 4.8), (7.2, 3.9)  # row, column
# 21 arcsec a pixel; east is -0.8 along columns and 0.6 along rows, north 0.6 and 0.8.
EAST, NORTH = 21.0 * (-0.8 * -0.9 + 0.6 * 2.0), 21.0 * (0.6 * -0.9 + 0.8 * 2.0)


def metric(result: Any, name: str) -> float:
    """A metric, which must have been measured."""
    assert name in result.metrics, f"{result.check_id} {result.reason}"
    return float(result.metrics[name].value)


def stamps(result: Any) -> dict[str, Any]:
    """The stored stamps, which must be there."""
    assert "plot_data" in result.details, result.reason
    found: dict[str, Any] = result.details["plot_data"]
    return found


def source_is_at_the_host(workshop: Any) -> None:
    v09 = workshop.checked()[0]["V09"]
    assert (metric(v09, "peak_row"), metric(v09, "peak_column")) == (7, 4)
    assert metric(v09, "source_row") == pytest.approx(HOST[0], abs=0.1)
    assert metric(v09, "source_column") == pytest.approx(HOST[1], abs=0.1)
    assert (metric(v09, "target_row"), metric(v09, "target_column")) == TARGET
    assert int(np.nanargmax(stamps(v09)["difference_image"])) == 7 * 13 + 4


def transit_peaks_are_at_the_host(workshop: Any) -> None:
    used = [row for row in workshop.checked()[1] if row.used]
    assert used
    assert {(row.peak_row, row.peak_column) for row in used} == {(7, 4)}


def offset_is_source_minus_catalogue_east_first(workshop: Any) -> None:
    v09 = workshop.checked()[0]["V09"]
    assert metric(v09, "offset_ra_arcsec") == pytest.approx(EAST, abs=3)
    assert metric(v09, "offset_dec_arcsec") == pytest.approx(NORTH, abs=3)


def errors_follow_rows_and_columns(workshop: Any) -> None:
    results, _ = workshop.checked("moving")
    assert "covariance_px2" in results["V08"].details, results["V08"].reason
    shift = np.array(results["V08"].details["covariance_px2"])
    assert shift[1, 1] > 3 * shift[0, 0]
    source = np.array(results["V09"].details["source"]["covariance_px2"])
    assert source[1, 1] > 1.5 * source[0, 0]
    # Columns run along (east, north) = (-0.8, 0.6): so does the long axis of the error on the sky.
    sky = np.array(results["V09"].details["covariance_arcsec2"])
    assert sky[0, 1] < 0
    assert sky[0, 0] > sky[1, 1]


def difference_is_control_minus_in_transit(workshop: Any) -> None:
    images = stamps(workshop.checked()[0]["V09"])
    assert images["difference_image"][7, 4] > 0
    assert images["in_transit_mean"][7, 4] < images["reference_image"][7, 4]


def images_are_means_in_electrons_per_second(workshop: Any) -> None:
    results, _ = workshop.checked("target")
    assert float(stamps(results["V09"])["reference_image"].sum()) == pytest.approx(20000, rel=0.03)
    # 3,000 ppm of the light in the 13 pixels of the aperture, 92 % of 20,000 e-/s.
    assert metric(results["V20"], "in_aperture_difference") == pytest.approx(60 * 0.92 / 13, rel=0.1)


def shift_points_to_the_source_from_the_centre_of_light(workshop: Any) -> None:
    details = workshop.checked()[0]["V08"].details
    assert "shift_row_px" in details
    assert details["shift_row_px"] > 0 > details["shift_column_px"]
    control, inside = details["control_centroid"], details["in_transit_centroid"]
    assert control["row"] - inside["row"] == pytest.approx(details["shift_row_px"])
    # Between the target and its neighbour, which lies up and to the left.
    assert 5.15 < control["row"] < 5.65
    assert 4.5 < control["column"] < 4.85


def depths_are_ppm(workshop: Any) -> None:
    results, rows = workshop.checked("target")
    assert metric(results["V10"], "depth_ppm_r2.0") == pytest.approx(3000, rel=0.1)
    assert metric(results["V10"], "depth_ppm_pipeline") == pytest.approx(3000, rel=0.1)
    assert float(np.nanmedian(stamps(results["V09"])["depth_map_ppm"][4:7, 4:6])) == pytest.approx(3000, rel=0.2)
    assert [row.depth_ppm for row in rows if row.used] == pytest.approx([3000] * sum(row.used for row in rows), rel=0.2)


def windows_last_as_long_as_the_transit(workshop: Any) -> None:
    results, rows = workshop.checked("target")
    parameters = results["V08"].parameters
    assert parameters["in_transit_half_width_days"] == pytest.approx(0.45 * 2.6 / 24)
    assert parameters["control_from_mid_transit_days"] == pytest.approx([0.75 * 2.6 / 24, 1.75 * 2.6 / 24])
    assert parameters["cadence_s"] == pytest.approx(600)
    assert [row.mid_btjd for row in rows] == pytest.approx([2002.03 + 4.1 * n for n in range(6)])
    assert all(row.used for row in rows)


def gaps_are_told_in_minutes(workshop: Any) -> None:
    time = np.arange(0, 1, 120 / 86400)
    hole = (time > 0.5) & (time < 0.5 + 30 / 1440)  # half an hour
    assert len(_find_gaps(time[~hole], 120 / 86400)) == 1
    assert len(_find_gaps(time, 120 / 86400)) == 0


def other_candidates_are_left_out_for_hours(workshop: Any) -> None:
    from btv_report.checks.transits import select_cadences

    counts = select_cadences(workshop.stack("target"), [Ephemeris(5.0, 2001.0, 4.8)]).counts
    assert counts["other_candidates_in_transit"] == pytest.approx(5 * 4.8 * 6, abs=6)


def centre(image: Any) -> tuple[float, float]:
    """Flux-weighted centre (row, column)."""
    rows, columns = np.indices(image.shape)
    return float((image * rows).sum() / image.sum()), float((image * columns).sum() / image.sum())


def circles_are_where_they_are_asked_for(workshop: Any) -> None:
    area = circle_overlap((11, 9), 6.3, 2.8, 1.7)
    assert area.shape == (11, 9)
    assert area.sum() == pytest.approx(np.pi * 1.7**2)
    assert centre(area) == pytest.approx((6.3, 2.8), abs=0.02)


def gaussian_prf_is_where_it_is_asked_for(workshop: Any) -> None:
    image = GaussianPrf((11, 9), 0.9, 0.7).evaluate(np.array([6.3]), np.array([2.8]))[0]
    assert centre(image) == pytest.approx((6.3, 2.8), abs=0.02)
    assert image.sum() == pytest.approx(1.0, abs=0.01)


def own_image_moves_as_it_is_asked_to(workshop: Any) -> None:
    image = GaussianPrf((13, 11), 0.9, 0.9).evaluate(np.array([6.2]), np.array([4.9]))[0]
    moved = own_image_prf(image, 6.2, 4.9).evaluate(np.array([7.2]), np.array([4.4]))[0]
    assert centre(moved) == pytest.approx((7.2, 4.4), abs=0.05)


def region_surrounds_the_source(workshop: Any) -> None:
    polygon = np.array(workshop.checked()[0]["V09"].details["region_3sigma"])
    assert polygon.mean(axis=0) == pytest.approx(HOST, abs=0.3)


def stars_are_listed_where_they_are(workshop: Any) -> None:
    (star,) = [row for row in workshop.checked()[0]["V09"].details["neighbours"] if row["star_id"] == "star 1"]
    assert star["offset_arcsec"] < 4
    assert (star["ra_offset_arcsec"], star["dec_offset_arcsec"]) == pytest.approx((EAST, NORTH), abs=0.1)


C = "btv_report.checks"
V08, V09, CURVE, DIFF, REPORT = (
    f"{C}.v08_centroid_shift",
    f"{C}.v09_difference_image",
    f"{C}.depth_curve",
    f"{C}.difference_image",
    f"{C}.reporting",
)
FLIPS: list[tuple[str, str, str, str, Truth]] = [
    ("row-column of the peak pixel", f"{DIFF}:peak_pixel", "int(peak[0]), int(peak[1])", "int(peak[1]), int(peak[0])", source_is_at_the_host),
    ("row-column of the transits' peaks", f"{DIFF}:_transit_rows", "None if peak is None else peak[0]", "None if peak is None else peak[1]", transit_peaks_are_at_the_host),
    ("0-1-based of the peak pixel", f"{DIFF}:peak_pixel", "int(peak[0]), int(peak[1])", "int(peak[0]) + 1, int(peak[1]) + 1", source_is_at_the_host),
    ("row-column of the fitted source", f"{V09}:_metrics", '"source_row": (fit.row', '"source_row": (fit.column', source_is_at_the_host),
    ("half-pixel of the fitted source", f"{V09}:_metrics", '"source_row": (fit.row', '"source_row": (fit.row + 0.5', source_is_at_the_host),
    ("row-column in the sky offset", f"{REPORT}:sky_offset_arcsec", "[d_column, d_row]", "[d_row, d_column]", offset_is_source_minus_catalogue_east_first),
    ("RA-Dec in the sky offset", f"{REPORT}:sky_offset_arcsec", "float(east), float(north)", "float(north), float(east)", offset_is_source_minus_catalogue_east_first),
    ("east-west in the sky offset", f"{REPORT}:sky_offset_arcsec", "float(east), float(north)", "float(-east), float(north)", offset_is_source_minus_catalogue_east_first),
    ("catalogue minus source in the sky offset", f"{V09}:_metrics", "fit.row - scene.row, fit.column - scene.column", "scene.row - fit.row, scene.column - fit.column", offset_is_source_minus_catalogue_east_first),
    ("RA-Dec in the metrics of V09", f"{V09}:_metrics", '"offset_ra_arcsec": (offset[0]', '"offset_ra_arcsec": (offset[1]', offset_is_source_minus_catalogue_east_first),
    ("row-column in the sky errors", f"{V09}:_sky_covariance", "matrix[:, ::-1]", "matrix", errors_follow_rows_and_columns),
    ("RA-Dec in the sky errors", f"{V09}:_sky_covariance", "matrix[:, ::-1]", "matrix[::-1, ::-1]", errors_follow_rows_and_columns),
    ("east-west in the listed stars", f"{REPORT}:sky_offset_arcsec", "float(east), float(north)", "float(-east), float(north)", stars_are_listed_where_they_are),
    ("row-column in the region", f"{C}.region:outline", "[origin[0] + step * row, origin[1] + step * column]", "[origin[1] + step * column, origin[0] + step * row]", region_surrounds_the_source),
    ("half-pixel in the region", f"{C}.region:outline", "origin[0] + step * row,", "origin[0] + 0.5 + step * row,", region_surrounds_the_source),
    ("in transit minus control in the difference image", f"{DIFF}:_window_means", "control - inside, left", "inside - control, left", difference_is_control_minus_in_transit),
    ("per-second-per-cadence in the window means", f"{DIFF}:_window_means", ") / count, 1, 0)", "), 1, 0)", images_are_means_in_electrons_per_second),
    ("in transit minus control in the centroid shift", f"{V08}:measure_shift", "per_transit = control_kept[:, 1:] / control_kept[:, :1] - inside_kept[:, 1:] / inside_kept[:, :1]", "per_transit = inside_kept[:, 1:] / inside_kept[:, :1] - control_kept[:, 1:] / control_kept[:, :1]", shift_points_to_the_source_from_the_centre_of_light),
    ("row-column in the centroid", f"{V08}:_moment_weights", "inside * rows, inside * columns", "inside * columns, inside * rows", shift_points_to_the_source_from_the_centre_of_light),
    ("0-1-based in the centroid", f"{V08}:_moment_weights", "np.argwhere(measurement.valid)", "(np.argwhere(measurement.valid) + 1)", shift_points_to_the_source_from_the_centre_of_light),
    ("half-pixel in the centroid", f"{V08}:_moment_weights", "np.argwhere(measurement.valid)", "(np.argwhere(measurement.valid) + 0.5)", shift_points_to_the_source_from_the_centre_of_light),
    ("row-column in the errors of the centroid", f"{V08}:_details", '"covariance_px2": shift.covariance_px2.tolist()', '"covariance_px2": shift.covariance_px2[::-1, ::-1].tolist()', errors_follow_rows_and_columns),
    ("ppm-fraction in V10", f"{CURVE}:PPM", "1e6", "1", depths_are_ppm),
    ("ppm-percent in V10", f"{CURVE}:PPM", "1e6", "100", depths_are_ppm),
    ("ppm-fraction in the depth map", f"{V09}:PPM", "1e6", "1", depths_are_ppm),
    ("ppm-fraction of the single transits", f"{DIFF}:PPM", "1e6", "1", depths_are_ppm),
    ("hours-days in the duration", "btv_report.ephemeris:HOURS_PER_DAY", "24", "1", windows_last_as_long_as_the_transit),
    ("hours-days: half a duration for a whole one", f"{C}.transits:window_shape", "inner + duration)", "inner + duration / 2)", windows_last_as_long_as_the_transit),
    ("days-seconds in the cadence", f"{C}.transits:_cadence_days", "stack.cadence_s / SECONDS_PER_DAY", "stack.cadence_s", windows_last_as_long_as_the_transit),
    ("BTJD-BJD in the predicted transits", "btv_report.ephemeris:Ephemeris.mid_btjd", "self.epoch_btjd +", "self.epoch_btjd + 2457000 +", windows_last_as_long_as_the_transit),
    ("half a period in the predicted transits", "btv_report.ephemeris:Ephemeris.mid_btjd", "number * self.period_days", "(number + 0.5) * self.period_days", windows_last_as_long_as_the_transit),
    ("minutes-hours in the gaps", f"{C}.transits:MINUTES_PER_DAY", "1440", "24", gaps_are_told_in_minutes),
    ("hours-days in other candidates' transits", f"{C}.transits:_in_transit_of", "other.duration_days / 2", "other.duration_hours / 2", other_candidates_are_left_out_for_hours),
    ("row-column in the circles of V10", f"{C}.apertures:circle_overlap", "corner = _signed_quadrant_area(x[None, :], y[:, None], radius)", "row, column = column, row; y = np.arange(shape[0] + 1) - 0.5 - row; x = np.arange(shape[1] + 1) - 0.5 - column; corner = _signed_quadrant_area(x[None, :], y[:, None], radius)", circles_are_where_they_are_asked_for),
    ("half-pixel in the circles of V10", f"{C}.apertures:circle_overlap", "- 0.5 - row", "- row", circles_are_where_they_are_asked_for),
    ("row-column in the Gaussian PRF", f"{C}.prf:GaussianPrf.evaluate", "self.shape[0], rows,", "self.shape[0], columns,", gaussian_prf_is_where_it_is_asked_for),
    ("half-pixel in the Gaussian PRF", f"{C}.prf:_gaussian_integral", "- 0.5 - np.asarray(centre)", "- np.asarray(centre)", gaussian_prf_is_where_it_is_asked_for),
    ("row-column in the star's own image", f"{C}.prf:OwnImagePrf._weights", "(self.row, self.column)[axis]", "(self.column, self.row)[axis]", own_image_moves_as_it_is_asked_to),
    ("the star's own image moved backwards", f"{C}.prf:OwnImagePrf._weights", "PADDING_PX - (shift", "PADDING_PX + (shift", own_image_moves_as_it_is_asked_to),
]  # fmt: skip


@pytest.mark.parametrize(("where", "old", "new", "truth"), [pytest.param(*row[1:], id=row[0]) for row in FLIPS])
def test_flip_is_caught(workshop: Any, flip: Any, where: str, old: str, new: str, truth: Truth) -> None:
    truth(workshop)
    flip(where, old, new)
    with pytest.raises(AssertionError):
        truth(workshop)
