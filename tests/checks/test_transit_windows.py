"""Which transits are used, and the words for why the others are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.matched_windows import place_matched_windows
from btv_report.checks.run import run_pixel_checks
from btv_report.checks.transits import select_cadences, window_shape
from btv_report.ephemeris import Ephemeris

Scene = Callable[..., Any]
FIRST_MID = 2002.03


def reasons(stack: Any, ephemeris: Ephemeris, **options: Any) -> dict[int, str]:
    return {row.number: row.reason for row in run_pixel_checks(stack, ephemeris, **options).transits}


def test_window_shape_is_that_of_the_definitions() -> None:
    shape = window_shape(Ephemeris(10.0, 2000.0, 4.8), cadence_days=120 / 86400)
    assert shape.in_half_days == pytest.approx(0.45 * 0.2)
    assert shape.inner_days == pytest.approx(0.1 + 0.05)
    assert shape.outer_days == pytest.approx(0.1 + 0.05 + 0.2)


def test_buffer_is_three_cadences_where_they_are_longer() -> None:
    shape = window_shape(Ephemeris(10.0, 2000.0, 2.4), cadence_days=1800 / 86400)
    assert shape.inner_days == pytest.approx(0.05 + 3 * 1800 / 86400)


def test_every_predicted_transit_is_listed_once(scene: Scene) -> None:
    spec = scene()
    rows = run_pixel_checks(spec.make(), spec.ephemeris).transits
    assert [row.number for row in rows] == list(range(6))
    assert [row.mid_btjd for row in rows] == pytest.approx([FIRST_MID + 4.1 * i for i in range(6)])
    assert all(row.used and not row.reason for row in rows)
    assert all(row.depth_ppm == pytest.approx(2000, abs=900) and row.depth_ppm_err for row in rows)


def test_transit_at_the_end_of_the_data_lacks_its_right_control(scene: Scene) -> None:
    spec = scene(days=FIRST_MID + 4.1 - 2000 + 0.15)
    reason = reasons(spec.make(), spec.ephemeris)[1]
    assert "after the transit" in reason


def test_transit_after_a_gap_is_dropped_although_no_bit_is_set(scene: Scene) -> None:
    middle = FIRST_MID + 4.1
    spec = scene(gap_btjd=((middle - 0.6, middle - 0.4),))
    found = reasons(spec.make(), spec.ephemeris)
    assert "follows a gap of 5.0 h" in found[1]
    assert not found[0]
    assert not found[2]


def test_transit_with_a_gap_inside_is_dropped(scene: Scene) -> None:
    middle = FIRST_MID + 4.1
    spec = scene(gap_btjd=((middle - 0.02, middle + 0.02),))
    assert "a gap of" in reasons(spec.make(), spec.ephemeris)[1]


def test_gap_long_before_does_not_matter(scene: Scene) -> None:
    middle = FIRST_MID + 4.1
    spec = scene(gap_btjd=((middle - 1.0, middle - 0.7),))
    assert not reasons(spec.make(), spec.ephemeris)[1]


@pytest.mark.parametrize(
    ("cadence_s", "missing", "is_gap"), [(120, 4, False), (120, 6, True), (1800, 1, False), (1800, 3, True)]
)
def test_gap_is_judged_against_the_cadence(cadence_s: float, missing: int, is_gap: bool, scene: Scene) -> None:
    spec = scene(cadence_s=float(cadence_s), days=6.0)
    stack = spec.make()
    time = stack.time_btjd.copy()
    where = len(time) // 2
    time[where : where + missing] = np.nan
    cadences = select_cadences(replace(stack, time_btjd=time, used=np.isfinite(time)))
    assert len(cadences.gaps) == int(is_gap)


def test_momentum_dump_is_masked_and_the_transit_kept(scene: Scene) -> None:
    spec = scene(dump_days=0.7)
    stack = spec.make()
    outcome = run_pixel_checks(stack, spec.ephemeris)
    assert all(row.used for row in outcome.transits)
    counts = outcome.results[0].parameters["cadences"]
    assert counts["not_used"] == np.count_nonzero(stack.quality) > 0
    assert counts["used"] == len(stack.time_btjd) - counts["not_used"]


def test_dump_cadences_would_spoil_the_depth_if_they_were_used(scene: Scene) -> None:
    spec = scene(dump_days=0.1, depth=0.003)
    stack = spec.make()
    masked = run_pixel_checks(stack, spec.ephemeris).results[2].metrics["depth_ppm_pipeline"].value
    assert masked == pytest.approx(3000, abs=400)


def test_anomaly_bit_drops_the_transit_and_is_named(scene: Scene) -> None:
    spec = scene()
    stack = spec.make()
    quality = stack.quality.copy()
    quality[np.argmin(np.abs(stack.time_btjd - FIRST_MID - 4.1 - 0.15))] = 4
    found = reasons(spec.make(quality=quality, used=quality == 0), spec.ephemeris)
    assert found[1] == "cadences in its windows are flagged: spacecraft in coarse point"
    assert not found[0]


def test_incomplete_window_is_dropped_with_its_share(scene: Scene) -> None:
    spec = scene()
    stack = spec.make()
    inside = np.flatnonzero(np.abs(stack.time_btjd - FIRST_MID - 4.1) < 0.04)
    used = stack.used.copy()
    used[inside[::2]] = False
    reason = reasons(spec.make(used=used), spec.ephemeris)[1]
    assert "of the cadences in transit are usable (80 % are needed)" in reason


def test_jump_between_the_sides_drops_the_transit(scene: Scene) -> None:
    spec = scene()
    stack = spec.make()
    flux = stack.flux.copy()
    after = np.abs(stack.time_btjd - FIRST_MID - 4.1 - 0.2) < 0.15
    flux[after, 5, 5] += 400
    assert "side cut" in reasons(spec.make(flux=flux), spec.ephemeris)[1]


def test_cadences_in_transit_of_another_candidate_are_left_out_and_counted(scene: Scene) -> None:
    spec = scene()
    stack = spec.make()
    other = Ephemeris(50.0, FIRST_MID + 4.1 + 0.15, 3.0, name="1.02")
    cadences = select_cadences(stack, (other,))
    inside = np.abs(stack.time_btjd - other.epoch_btjd) <= 1.5 / 24
    assert cadences.counts["other_candidates_in_transit"] == inside.sum() > 0
    assert not np.isin(stack.time_btjd[inside], cadences.time_btjd).any()
    assert "usable" in reasons(stack, spec.ephemeris, others=(other,))[1]


def test_other_candidate_that_leaves_nothing_is_kept_with_a_note(scene: Scene) -> None:
    spec = scene(days=9.0)
    always = Ephemeris(100.0, 2004.5, 99.0 * 24, name="1.02")
    result = run_pixel_checks(spec.make(), spec.ephemeris, others=(always,)).results[0]
    assert "nothing else remains" in result.parameters["notes"][0]


def test_period_below_four_and_a_half_durations_abstains(scene: Scene) -> None:
    spec = scene(days=9.0)
    outcome = run_pixel_checks(spec.make(), Ephemeris(0.44, 2002.03, 2.4))
    assert all("shorter than 4.5 transit durations" in (result.reason or "") for result in outcome.results)
    assert outcome.transits
    assert not any(row.used for row in outcome.transits)


def test_hours_taken_for_days_would_abstain(scene: Scene) -> None:
    spec = scene(days=9.0)
    right = run_pixel_checks(spec.make(), Ephemeris(4.1, FIRST_MID, 2.6)).results[0]
    assert right.parameters["in_transit_half_width_days"] == pytest.approx(0.45 * 2.6 / 24)


def test_matched_windows_keep_clear_of_transits_and_gaps(scene: Scene) -> None:
    spec = scene(gap_btjd=((2008.0, 2008.5),))
    cadences = select_cadences(spec.make())
    shape = window_shape(spec.ephemeris, cadences.cadence_days)
    mids = place_matched_windows(spec.ephemeris, shape, cadences).windows.mid_btjd
    phase = (mids - FIRST_MID + 2.05) % 4.1 - 2.05
    assert len(mids) > 200
    assert np.abs(phase).min() >= shape.outer_days + spec.ephemeris.duration_days / 2 - 1e-9
    near_gap = (mids + shape.outer_days > 2008.0) & (mids - shape.outer_days < 2008.75)
    assert not near_gap.any()


def test_mean_images_match_plain_numpy(scene: Scene) -> None:
    spec = scene(days=9.0)
    stack = spec.make()
    measurement = measure_pixels(stack, spec.ephemeris)
    shape = measurement.shape
    expected = []
    for number in range(2):
        dt = stack.time_btjd - spec.ephemeris.mid_btjd(number)
        left, inside, right = (
            stack.flux[(dt >= low) & (dt <= high)].astype(np.float64).mean(axis=0) for low, high in shape.edges_days
        )
        expected.append(0.5 * (left + right) - inside)
    np.testing.assert_allclose(measurement.image(measurement.difference), np.mean(expected, axis=0), atol=1e-6)


def test_formal_error_is_the_root_sum_of_squares_over_n(scene: Scene) -> None:
    spec = scene(days=9.0)
    measurement = measure_pixels(spec.make(), spec.ephemeris)
    dt = spec.make().time_btjd[:, None] - np.array([spec.ephemeris.mid_btjd(i) for i in range(2)])
    variance = 0.0
    for transit in range(2):
        for (low, high), weight in zip(measurement.shape.edges_days, (0.25, 1.0, 0.25), strict=True):
            variance += weight * 9.0 / np.count_nonzero((dt[:, transit] >= low) & (dt[:, transit] <= high)) / 4
    assert measurement.formal_variance is not None
    np.testing.assert_allclose(measurement.formal_variance, variance, rtol=1e-6)


def test_linear_trend_leaves_no_difference(scene: Scene) -> None:
    on_the_grid = Ephemeris(4.0, 2002.0, 2.6)  # cadences symmetric about each transit
    spec = scene(days=9.0, depth=0.0, noise=0.0, jitter_px=0.0, ephemeris=on_the_grid)
    stack = spec.make()
    flux = stack.flux * (1 + 0.01 * (stack.time_btjd - 2000.0))[:, None, None]
    measurement = measure_pixels(spec.make(flux=flux.astype(np.float32)), spec.ephemeris)
    assert np.abs(measurement.difference).max() < 1e-5 * measurement.control.max()


def test_pixels_that_are_always_missing_are_left_out_of_the_stamp_only(scene: Scene) -> None:
    spec = scene(depth=0.003)
    flux = spec.make().flux.copy()
    flux[:, 0, :3] = np.nan
    flux[7] = np.nan
    stack = spec.make(flux=flux)
    measurement = measure_pixels(stack, spec.ephemeris)
    assert int((~measurement.valid).sum()) == 3
    assert measurement.cadences.counts["non_finite_flux"] == 1
    assert {result.verdict.value for result in run_pixel_checks(stack, spec.ephemeris).results} == {"pass"}
