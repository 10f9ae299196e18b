"""V10: its probability is one for signals on the target, and small for those beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import kstest

from btv_report.checks.apertures import circle_overlap
from btv_report.checks.combine_significance import fisher_p
from btv_report.checks.depth_curve import MAX_NEIGHBOURS, RADII_PX, _width_errors, measure_depths
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.prf import GaussianPrf, own_image_prf
from btv_report.checks.result import Verdict
from btv_report.checks.scene import describe_scene
from btv_report.checks.v10_aperture_dependence import check_aperture_dependence
from btv_report.ephemeris import Ephemeris

Scene = Callable[..., Any]
EPHEMERIS = Ephemeris(4.1, 2002.03, 3.6, name="1.01")
NEIGHBOURS = ((6.9, 6.6, 1500.0), (3.0, 8.0, 3000.0), (7.4, 2.2, 900.0))


def check(spec: Any, *, magnitude_error: float = 0.0, seed: int = 0, **changes: Any) -> Any:
    """V10 of a scene whose catalogue has wrong magnitudes."""
    stack = spec.make(**changes)
    errors = magnitude_error * np.random.default_rng(seed).normal(size=len(stack.neighbours))
    stars = [
        replace(star, magnitude=star.magnitude + error)
        for star, error in zip(stack.neighbours, errors, strict=True)
    ]  # fmt: skip
    measurement = measure_pixels(replace(stack, neighbours=tuple(stars)), spec.ephemeris)
    return check_aperture_dependence(measurement, describe_scene(measurement), store_plot_data=False)


def test_p_of_signals_on_the_target_is_uniform_from_snr_5_to_60_and_so_is_its_combination(scene: Scene) -> None:
    p_values, snr = [], []
    for seed in range(64):
        depth = float(np.exp(np.random.default_rng(seed).uniform(np.log(0.0004), np.log(0.005))))
        spec = scene(
            depth=depth, neighbours=NEIGHBOURS, ephemeris=EPHEMERIS, cadence_s=1800.0, jitter_px=0.001, seed=900 + seed
        )
        result = check(spec)
        p_values.append(result.metrics["chi2_p_value"].value)
        snr.append(result.metrics["depth_ppm_r2.5"].value / result.metrics["depth_ppm_r2.5_err"].value)
    assert min(snr) < 8
    assert max(snr) > 40
    assert kstest(p_values, "uniform").pvalue > 0.02
    # Deep signals are judged like shallow ones.
    deep = np.array(p_values)[np.array(snr) > np.median(snr)]
    assert kstest(deep, "uniform").pvalue > 0.02
    assert sum(p < 0.05 for p in p_values) <= 8
    combined = [fisher_p(np.array(p_values[i : i + 2])) for i in range(0, 64, 2)]
    assert kstest(combined, "uniform").pvalue > 0.02


def test_deep_signals_on_the_target_do_not_fail_on_wrong_magnitudes(scene: Scene) -> None:
    crowded = tuple((row, column, 6 * flux) for row, column, flux in NEIGHBOURS)
    for seed in range(12):
        spec = scene(depth=0.05, neighbours=crowded, ephemeris=EPHEMERIS, cadence_s=1800.0, seed=seed)
        result = check(spec, magnitude_error=0.1, seed=seed)
        assert result.metrics["depth_ppm_r2.5"].value > 100 * result.metrics["depth_ppm_r2.5_err"].value
        assert result.verdict is not Verdict.FAIL


@pytest.mark.parametrize("distance_px", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("catalogued", [True, False])
def test_signals_beside_the_target_fail(distance_px: float, catalogued: bool, scene: Scene) -> None:
    for seed in range(4):
        angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
        host = (5.2 + distance_px * np.sin(angle), 4.8 + distance_px * np.cos(angle), 1000.0)
        spec = scene(depth=0.2, neighbours=(host,), host=1, ephemeris=EPHEMERIS, cadence_s=1800.0, seed=seed)
        changes: dict[str, Any] = {} if catalogued else {"neighbours": (), "neighbours_known": False}
        result = check(spec, **changes)
        assert result.verdict is Verdict.FAIL
        assert result.metrics["slope_ppm_per_px"].value > 0


def test_errors_of_the_prediction_change_the_whole_curve_smoothly(scene: Scene) -> None:
    spec = scene(depth=0.02, neighbours=NEIGHBOURS, ephemeris=EPHEMERIS, cadence_s=1800.0)
    measurement = measure_pixels(spec.make(), EPHEMERIS)
    described = describe_scene(measurement)
    assert described is not None
    curve = measure_depths(measurement, described)
    assert curve is not None
    total = curve.prediction_modes.T @ curve.prediction_modes
    assert np.sqrt(np.diag(total)).max() < 0.05 * curve.on_target.max()
    # What neighbouring radii do not share is small: no freedom for each radius by itself.
    steps = np.diff(np.eye(len(total)), axis=0)
    assert np.sqrt(np.diag(steps @ total @ steps.T)).max() < 0.01 * curve.on_target.max()


def test_without_known_neighbours_a_constant_depth_is_expected_and_said(scene: Scene) -> None:
    spec = scene(depth=0.01, neighbours=((5.4, 7.5, 12000.0),), ephemeris=EPHEMERIS, cadence_s=1800.0, jitter_px=0.001)
    known, unknown = check(spec), check(spec, neighbours=(), neighbours_known=False)
    assert "constant" not in known.summary
    assert "No neighbour is known, so a constant depth is expected." in unknown.summary
    assert unknown.verdict is Verdict.WARN
    assert "Neighbours that are not known would make it fall." in unknown.summary
    np.testing.assert_allclose(np.ptp(unknown.details["predicted_on_target_ppm"]), 0.0, atol=1e-9)


def test_depths_say_which_background_they_stand_on(scene: Scene) -> None:
    spec = scene(depth=0.01, ephemeris=EPHEMERIS, cadence_s=1800.0)
    parameters = check(spec).parameters
    assert parameters["depth_ppm_pipeline_background"].startswith("local")
    assert parameters["transit_depth_background"] == "as in the file"


def test_the_width_of_neighbours_images_counts_where_the_prf_is_a_gaussian(scene: Scene) -> None:
    """The rim of a circle that cuts a neighbour's image makes the share of its light uncertain; a star far away makes none."""
    sizes = {}
    for name, place in (("rim", (7.4, 6.4)), ("away", (10.8, 10.6))):
        spec = scene(depth=0.01, neighbours=((*place, 9000.0),), ephemeris=EPHEMERIS, cadence_s=1800.0)
        measurement = measure_pixels(spec.make(), spec.ephemeris)
        seen = describe_scene(measurement)
        assert seen is not None
        gaussian = replace(seen, prf=GaussianPrf(measurement.stack.shape, 0.85, 0.85))
        circles = np.stack([circle_overlap(measurement.stack.shape, 5.2, 4.8, radius).ravel() for radius in RADII_PX])
        level = circles @ measurement.control
        sizes[name] = float(np.abs(_width_errors(measurement, gaussian, circles, level)).max())
        own = replace(seen, prf=own_image_prf(seen.control, 5.2, 4.8))
        assert _width_errors(measurement, own, circles, level).size == 0
    assert sizes["rim"] > 0.005
    assert sizes["away"] < 0.1 * sizes["rim"]


def test_width_errors_of_many_neighbours_are_few_modes(scene: Scene) -> None:
    many = tuple((5.2 + 3 * np.sin(angle), 4.8 + 3 * np.cos(angle), 50.0) for angle in np.linspace(0, 6, 60))
    spec = scene(depth=0.01, neighbours=many, ephemeris=EPHEMERIS, cadence_s=1800.0)
    measurement = measure_pixels(spec.make(), spec.ephemeris)
    seen = describe_scene(measurement)
    assert seen is not None
    curve = measure_depths(measurement, replace(seen, prf=GaussianPrf(measurement.stack.shape, 0.85, 0.85)))
    assert curve is not None
    assert len(curve.prediction_modes) <= 2 * (MAX_NEIGHBOURS + 1) + 2 + len(RADII_PX)
