"""Rows and columns, east and west, hours and days: each test fails when its convention is flipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from btv_report.checks.apertures import circle_overlap
from btv_report.ephemeris import Ephemeris

Scene = Callable[..., Any]
Results = Callable[..., dict[str, Any]]
NEIGHBOUR = (7.2, 3.9)  # up two rows, left almost one column of the target at (5.2, 4.8)


@pytest.fixture
def results(scene: Scene, results_of: Results) -> dict[str, Any]:
    spec = scene(neighbours=((*NEIGHBOUR, 3000.0),), host=1, depth=0.08, shape=(11, 13))
    return results_of(spec.make(), spec.ephemeris)


def test_difference_image_peaks_at_row_then_column(results: dict[str, Any]) -> None:
    assert results["V09"].metrics["peak_row"].value == 7
    assert results["V09"].metrics["peak_column"].value == 4
    image = results["V09"].details["plot_data"]["difference_image"]
    assert image.shape == (11, 13)
    assert tuple(int(i) for i in np.unravel_index(int(np.nanargmax(image)), image.shape)) == (7, 4)


def test_difference_image_is_control_minus_in_transit(results: dict[str, Any]) -> None:
    stamps = results["V09"].details["plot_data"]
    np.testing.assert_allclose(
        stamps["difference_image"], stamps["reference_image"] - stamps["in_transit_mean"], atol=1e-2
    )
    assert stamps["difference_image"][7, 4] > 0
    assert stamps["depth_map_ppm"][7, 4] > 10_000


def test_centroid_shift_points_towards_the_source(results: dict[str, Any]) -> None:
    details = results["V08"].details
    assert details["shift_row_px"] > 0 > details["shift_column_px"]
    assert details["control_centroid"]["row"] - details["in_transit_centroid"]["row"] == pytest.approx(
        details["shift_row_px"]
    )
    assert {"number", "mid_btjd", "shift_row_px", "shift_column_px"} == set(details["transit_points"][0])


def test_sky_offset_is_source_minus_catalogue_with_east_first(
    results: dict[str, Any], sky: NDArray[np.float64]
) -> None:
    metrics = results["V09"].metrics
    east, north = sky @ np.array([NEIGHBOUR[1] - 4.8, NEIGHBOUR[0] - 5.2])
    assert east > 30
    assert north > 15
    assert metrics["offset_ra_arcsec"].value == pytest.approx(east, abs=3)
    assert metrics["offset_dec_arcsec"].value == pytest.approx(north, abs=3)
    assert metrics["offset_arcsec"].value == pytest.approx(np.hypot(east, north), abs=3)


def test_mirrored_sky_mirrors_the_east_offset_only(scene: Scene, results_of: Results, sky: NDArray[np.float64]) -> None:
    spec = scene(neighbours=((*NEIGHBOUR, 3000.0),), host=1, depth=0.08)
    plain = results_of(spec.make(), spec.ephemeris)["V09"].metrics
    mirrored = results_of(spec.make(sky_per_pixel_arcsec=sky * [[-1.0], [1.0]]), spec.ephemeris)["V09"].metrics
    assert mirrored["offset_ra_arcsec"].value == pytest.approx(-plain["offset_ra_arcsec"].value)
    assert mirrored["offset_dec_arcsec"].value == pytest.approx(plain["offset_dec_arcsec"].value)


def test_errors_follow_rows_and_columns(scene: Scene, results_of: Results, sky: NDArray[np.float64]) -> None:
    spec = scene(depth=0.003)
    stack = spec.make()
    rng = np.random.default_rng(9)
    # The star moves along columns only: errors along columns grow, along rows they do not.
    moved = np.gradient(stack.flux.mean(axis=0), axis=1) * rng.normal(0, 0.05, len(stack.time_btjd))[:, None, None]
    result = results_of(spec.make(flux=(stack.flux + moved).astype(np.float32)), spec.ephemeris)
    covariance = np.array(result["V08"].details["covariance_px2"])
    assert covariance[1, 1] > 4 * covariance[0, 0]
    assert result["V09"].metrics["source_column_err"].value > 1.3 * result["V09"].metrics["source_row_err"].value
    east_north = np.array(result["V09"].details["covariance_arcsec2"])
    column_row = np.array(result["V09"].details["source"]["covariance_px2"])[::-1, ::-1]
    np.testing.assert_allclose(east_north, sky @ column_row @ sky.T)


def test_region_polygon_is_closed_row_first_and_surrounds_the_source(results: dict[str, Any]) -> None:
    polygon = np.array(results["V09"].details["region_3sigma"])
    source = results["V09"].details["source"]
    np.testing.assert_array_equal(polygon[0], polygon[-1])
    assert polygon[:, 0].min() < source["row"] < polygon[:, 0].max()
    assert polygon[:, 1].min() < source["column"] < polygon[:, 1].max()
    # Never smaller than three times the floor of 2.5 arcsec.
    assert np.hypot(polygon[:, 0] - source["row"], polygon[:, 1] - source["column"]).min() > 3 * 2.5 / 21


def test_duration_counts_in_hours(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    right = results_of(spec.make(), spec.ephemeris)["V10"].metrics["depth_ppm_pipeline"].value
    too_long = replace(spec.ephemeris, duration_hours=2.6 * 4)
    wrong = results_of(spec.make(), too_long)["V10"].metrics["depth_ppm_pipeline"].value
    assert right == pytest.approx(3000, rel=0.15)
    assert wrong < 0.5 * right


def test_epoch_off_by_half_a_day_finds_nothing(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    shifted = Ephemeris(spec.ephemeris.period_days, spec.ephemeris.epoch_btjd + 0.5, 2.6)
    assert abs(results_of(spec.make(), shifted)["V10"].metrics["depth_ppm_pipeline"].value) < 1000


def test_circle_overlap_is_exact_and_sees_row_before_column() -> None:
    area = circle_overlap((9, 7), 4.3, 2.8, 1.7)
    assert area.sum() == pytest.approx(np.pi * 1.7**2, rel=1e-12)
    rows, columns = np.indices(area.shape)
    assert (area * rows).sum() / area.sum() == pytest.approx(4.3, abs=0.02)
    assert (area * columns).sum() / area.sum() == pytest.approx(2.8, abs=0.02)
    fine = (np.arange(400) + 0.5) / 400 - 0.5
    inside = np.hypot(5 + fine[:, None] - 4.3, 3 + fine[None, :] - 2.8) <= 1.7
    assert area[5, 3] == pytest.approx(inside.mean(), abs=1e-3)
    corner = np.hypot(3 + fine[:, None] - 4.3, 2 + fine[None, :] - 2.8) <= 1.7
    assert 0.2 < area[3, 2] == pytest.approx(corner.mean(), abs=1e-3)


def test_circle_smaller_than_a_pixel() -> None:
    assert circle_overlap((3, 3), 1.0, 1.0, 0.25)[1, 1] == pytest.approx(np.pi / 16)


def test_circle_off_the_stamp_overlaps_nothing() -> None:
    assert circle_overlap((5, 5), -9.0, 2.0, 1.5).sum() == 0.0
