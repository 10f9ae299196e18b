"""Results say only what was measured, in words that agree with their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from btv_report.checks.combine import combine_sectors
from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.run import run_pixel_checks
from btv_report.checks.thresholds import THRESHOLDS

Scene = Callable[..., Any]
Results = Callable[..., dict[str, Any]]


def value(result: Any, name: str) -> float:
    return float(result.metrics[name].value)


def combined(spec: Any, change: Callable[[Any, Any], Any] | None = None, **changes: Any) -> dict[str, CheckResult]:
    """Two sectors of a scene, combined."""
    single = {}
    for sector in (11, 12):
        stack = replace(spec, seed=sector).make(sector=sector, **changes)
        single[sector] = run_pixel_checks(change(stack, spec) if change else stack, spec.ephemeris).results
    return {result.check_id: result for result in combine_sectors(single)}


def add_ramp_in_transit(stack: Any, spec: Any) -> Any:
    """Light that goes missing along a ramp over the stamp, as that of a ghost: no star makes such an image."""
    period = spec.ephemeris.period_days
    phase = (stack.time_btjd - spec.ephemeris.epoch_btjd + period / 2) % period - period / 2
    inside = np.abs(phase) <= spec.ephemeris.duration_days / 2
    ramp = np.maximum(np.linspace(-4, 4, 11), 0)[None, :] * np.ones((11, 1))
    return replace(stack, flux=(stack.flux - inside[:, None, None] * ramp).astype(np.float32))


def test_ghost_names_no_host_and_needs_no_depth_of_any_star(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.0, neighbours=((6.8, 6.0, 1500.0),))
    source = results_of(add_ramp_in_transit(spec.make(), spec), spec.ephemeris)["V09"]
    assert value(source, "snr") > 8
    assert value(source, "quality") < 0.7
    assert source.verdict is Verdict.WARN
    assert "target_probability" not in source.metrics
    assert "likelier host" not in source.summary
    assert "so none is named" in source.summary
    assert [star["star_id"] for star in source.details["neighbours"]] == ["target", "star 1"]
    for star in source.details["neighbours"]:
        assert not {"probability", "required_depth"} & set(star)
        assert {"magnitude", "row", "column", "separation_arcsec", "offset_arcsec", "delta_chi2"} <= set(star)
    over_sectors = combined(spec, change=add_ramp_in_transit)["V09"]
    assert "target_probability" not in over_sectors.metrics
    assert not any({"probability", "required_depth"} & set(star) for star in over_sectors.details["neighbours"])
    assert over_sectors.verdict is Verdict.WARN


def test_without_a_catalogue_the_target_is_compared_with_nothing(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    nothing: dict[str, Any] = {"neighbours": (), "neighbours_known": False}
    for source in (results_of(spec.make(**nothing), spec.ephemeris)["V09"], combined(spec, **nothing)["V09"]):
        assert source.verdict is Verdict.PASS
        assert "target_probability" not in source.metrics
        (target,) = source.details["neighbours"]
        assert target["star_id"] == "target"
        assert "probability" not in target
        assert target["required_depth"] == pytest.approx(0.003, rel=0.2)
        assert source.details["nearest"]["star_id"] == "target"


def test_empty_catalogue_still_weighs_the_target_against_none_of_these(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    source = results_of(spec.make(neighbours=()), spec.ephemeris)["V09"]
    assert value(source, "target_probability") > 0.99
    assert [star["star_id"] for star in source.details["neighbours"]] == ["target", "none of these"]


def test_shift_is_said_with_its_chance_and_what_the_sigma_is(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    shift = results_of(spec.make(), spec.ephemeris)["V08"]
    said = re.search(r"a chance of (\S+) from noise alone \((\S+) sigma\)", shift.summary)
    assert said is not None
    assert float(said[1]) == pytest.approx(value(shift, "p_value"), rel=0.06)
    assert float(said[2]) == pytest.approx(value(shift, "significance_sigma"), abs=0.06)
    assert "from noise alone" in combined(spec)["V08"].summary


def test_source_of_a_shift_is_placed_only_where_the_shift_is_significant(scene: Scene, results_of: Results) -> None:
    quiet = results_of(scene(depth=0.003).make(), scene().ephemeris)["V08"]
    assert value(quiet, "p_value") >= 0.05
    assert "source_offset_arcsec" not in quiet.metrics
    assert "implies a source" not in quiet.summary
    spec = scene(neighbours=((6.8, 6.0, 1500.0),), host=1, depth=0.3)
    moved = results_of(spec.make(), spec.ephemeris)["V08"]
    assert value(moved, "p_value") < 0.05
    # The true distance is 2.0 px, 42 arcsec; part of the light leaves the aperture.
    assert 20 < value(moved, "source_offset_arcsec") <= 45
    assert (
        f"about {value(moved, 'source_offset_arcsec'):.0f} arcsec from the centre of light, or farther" in moved.summary
    )


def test_distance_of_the_source_is_put_inside_or_outside_its_region(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    source = results_of(spec.make(), spec.ephemeris)["V09"]
    assert f"inside its 3-sigma region ({value(source, 'offset_sigma'):.1f} sigma in two dimensions)" in source.summary
    off = scene(neighbours=((6.8, 6.0, 1500.0),), host=1, depth=0.3)
    assert "outside its 3-sigma region" in results_of(off.make(), off.ephemeris)["V09"].summary
    assert "inside its 3-sigma region" in combined(spec)["V09"].summary


def test_own_image_says_what_it_cannot_show_and_is_no_second_offset(scene: Scene, results_of: Results) -> None:
    own = results_of(scene(depth=0.003).make(), scene().ephemeris)["V09"]
    assert own.details["prf"]["kind"] == "own_image"
    assert "catalogue position" in own.details["prf"]["description"]
    assert "does not show" in own.details["prf"]["description"]
    assert "control_offset_arcsec" not in own.metrics
    crowded = scene(depth=0.01, neighbours=((6.9, 6.6, 6000.0),))
    gaussian = results_of(crowded.make(), crowded.ephemeris)["V09"]
    assert gaussian.details["prf"]["kind"] == "gaussian"
    assert "control_offset_arcsec" in gaussian.metrics


def test_ratio_of_core_and_halo_needs_both_of_them(scene: Scene, results_of: Results) -> None:
    faint = results_of(scene(depth=0.0012).make(), scene().ephemeris)["V20"]
    assert value(faint, "halo_correlation") < 2
    assert "core_halo_ratio" not in faint.metrics
    deep = results_of(scene(depth=0.05).make(), scene().ephemeris)["V20"]
    assert value(deep, "halo_correlation") > 2
    assert value(deep, "core_halo_ratio") > 5


def test_combination_of_nothing_repeats_the_reasons_of_its_sectors() -> None:
    def not_run(sector: int, reason: str) -> CheckResult:
        return CheckResult("V08", "1.01", sector, Verdict.NOT_RUN, f"Not run: {reason}", reason=reason)

    (alone,) = combine_sectors({83: (not_run(83, "No transit is predicted within the data of sector 83."),)})
    assert alone.reason == (
        "The check was not run in the one sector at hand. No transit is predicted within the data of sector 83."
    )
    three = {n: (not_run(n, f"No transit is predicted within the data of sector {n}."),) for n in (3, 4)}
    (shared,) = combine_sectors({**three, 5: (not_run(5, "Sector 5 holds no usable cadence."),)})
    assert shared.reason == (
        "The check was run in none of the sectors (3, 4, 5). In sectors 3, 4: No transit is predicted within the data of "
        "the sector. Sector 5 holds no usable cadence."
    )


def test_every_threshold_names_its_own_source() -> None:
    for name, threshold in THRESHOLDS.items():
        assert threshold.source, name
        assert "methods page" not in threshold.source


def test_a_target_that_brightens_has_no_growth_curve_and_no_dimming(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=-0.003)
    results = results_of(spec.make(), spec.ephemeris)
    growth = results["V10"]
    assert growth.verdict is Verdict.NOT_RUN
    assert "brighten in the predicted transits" in (growth.reason or "")
    assert growth.metrics["depth_ppm_pipeline"].value < -2500
    assert "The aperture brightens in the predicted transits" in results["V08"].summary


def test_missing_light_of_no_one_star_is_not_said_to_lie_away_from_the_target(
    scene: Scene, results_of: Results
) -> None:
    spec = scene(depth=0.0)
    stack = spec.make()
    phase = (stack.time_btjd - spec.ephemeris.epoch_btjd + 2.05) % 4.1 - 2.05
    flux = stack.flux.copy()
    # Light goes missing in a bar of pixels at the side of the search, as no star's image is.
    flux[np.abs(phase) <= spec.ephemeris.duration_days / 2, 2:9, 8] -= 5.0
    place = results_of(replace(stack, flux=flux), spec.ephemeris)["V09"]
    assert place.metrics["target_delta_chi2"].value > 11.829
    assert place.verdict is Verdict.WARN
    assert place.summary.startswith("The missing light cannot be placed on one star")
    assert "lies away" not in place.summary


def moved(stack: PixelStack, d_row: float, d_column: float) -> PixelStack:
    """The stack with coordinates that are wrong by so many pixels, for all its stars."""
    assert stack.target_row is not None
    assert stack.target_column is not None
    stars = tuple(replace(star, row=star.row + d_row, column=star.column + d_column) for star in stack.neighbours)
    row, column = stack.target_row + d_row, stack.target_column + d_column
    return replace(stack, target_row=row, target_column=column, neighbours=stars)


def test_coordinates_that_are_wrong_by_less_than_a_pixel_fail_no_planet(scene: Scene, results_of: Results) -> None:
    spec = scene(depth=0.003)
    place = results_of(moved(spec.make(), 0.3, 0.8), spec.ephemeris)["V09"]
    assert place.verdict is Verdict.WARN
    assert "WCS_DISAGREES" in place.flags
    assert "the file's coordinates may be wrong" in place.summary


def test_wrong_coordinates_excuse_no_binary_that_the_catalogue_knows(scene: Scene, results_of: Results) -> None:
    spec = scene(neighbours=((6.8, 6.0, 4000.0),), host=1, depth=0.08)
    place = results_of(moved(spec.make(), 0.3, 0.8), spec.ephemeris)["V09"]
    assert place.verdict is Verdict.FAIL
    assert "WCS_DISAGREES" not in place.flags


def test_circles_that_cover_the_whole_stamp_are_one(scene: Scene, results_of: Results) -> None:
    spec = scene(shape=(3, 3), target=(1.1, 0.9), depth=0.003)
    growth = results_of(spec.make(), spec.ephemeris)["V10"]
    assert growth.details["radii_px"] == [1.0, 1.5, 2.0, 2.5]
    depths = growth.details["depth_ppm"]
    assert len(set(depths)) == len(depths)


def test_combined_sectors_whose_coordinates_are_wrong_fail_no_planet(scene: Scene) -> None:
    found = combined(scene(depth=0.003), lambda stack, _: moved(stack, 0.7, 0.9))
    assert found["V09"].verdict is Verdict.WARN
    assert "WCS_DISAGREES" in found["V09"].flags
