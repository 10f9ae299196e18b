"""
V10: does the depth grow or shrink with the aperture as a signal on the target would?

The depths of `depth_curve` are held against the growth curve that a signal on the target would give.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.depth_curve import DepthCurve, measure_depths
from btv_report.checks.difference_image import PixelMeasurement
from btv_report.checks.matched_windows import Significance, draw_means, generator, hotelling_p, rank_significance
from btv_report.checks.reporting import (
    abstention,
    conclude,
    few_transits_note,
    metrics_of,
    p_words,
    parameters_of,
    plot_data,
    reason_to_abstain,
    transit_words,
)
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import Scene

CHECK_ID = "V10"
CONSTANT, DILUTED = "constant: no neighbour is known", "diluted by the known neighbours"
CONSTANT_NOTE = " No neighbour is known, so a constant depth is expected."


def check_aperture_dependence(
    measurement: PixelMeasurement, scene: Scene | None, *, store_plot_data: bool = True
) -> CheckResult:
    """Run V10 on one candidate in one sector."""
    reason = reason_to_abstain(measurement, scene)
    if reason or scene is None:
        return abstention(measurement, CHECK_ID, reason, scene)
    curve = measure_depths(measurement, scene)
    if curve is None:
        reason = (
            f"Fewer than three circles about the target hold positive flux and measurable noise in sector "
            f"{measurement.stack.sector}, so the depth cannot be followed with radius."
        )
        return abstention(measurement, CHECK_ID, reason, scene)
    significance = compare_with_target(curve, measurement)
    slope, slope_err = _excess_slope(curve)
    rising = slope > 0
    verdict = _verdict(significance.p_value, rising, measurement.n_transits)
    flags = [] if measurement.stack.neighbours_known else ["NEIGHBOURS_UNKNOWN"]
    if curve.snr < thresholds.value("snr_strong"):
        flags.append("LOW_SNR")
    local = "local: the mean of the stamp's background pixels is subtracted"
    as_in_file = "as in the file"
    shared: dict[str, Any] = {
        "flags": flags,
        "metrics": metrics_of(_metrics(curve, significance, slope)),
        "thresholds": thresholds.used(
            "p_fail",
            "p_warn",
            "snr_detect",
            "snr_strong",
            "min_independent_windows",
            "target_light_missing",
            "neighbour_light_error",
            "neighbour_width_error",
            "growth_curve_tilt",
            "growth_curve_rest",
        ),
        "parameters": parameters_of(
            measurement,
            centre="catalogue position" if scene.from_catalogue else "control centroid",
            slope_is="measured minus predicted for a signal on the target, per px of radius",
            slope_err_ppm_per_px=slope_err,
            prediction_error="each neighbour's light and width, a tilt and a bend of the whole curve, a rest at each radius",
            p_value_from=significance.kind,
            expected_curve=DILUTED if measurement.stack.neighbours else CONSTANT,
            depth_ppm_pipeline_background=local if measurement.background.any() else as_in_file,
            transit_depth_background=as_in_file,
        ),
        "details": {**_details(curve), **plot_data(measurement, store_plot_data)},
    }
    if curve.snr < -thresholds.value("snr_detect"):
        reason = (
            f"The circles about the target brighten in the predicted transits of sector {measurement.stack.sector} (by at least "
            f"{-curve.snr:.0f} sigma in each): there is no dimming to follow with radius."
        )
        return abstention(measurement, CHECK_ID, reason, scene, **shared)
    sentence = _sentence(measurement, curve, significance, rising, verdict)
    return conclude(measurement, scene, CHECK_ID, verdict, sentence, **shared)


def compare_with_target(curve: DepthCurve, measurement: PixelMeasurement) -> Significance:
    """
    Probability that a signal on the target gives a curve at least as odd.

    The statistic is the generalised chi-squared of the depths about the predicted curve at its best amplitude. Adding a
    signal on the target does not change it, so matched windows show its distribution; the errors of the prediction,
    nearly all of them smooth changes of the whole curve, are added to the covariance and to the draws.
    """
    shape = curve.on_target if np.abs(curve.on_target).max() > 0 else np.ones(len(curve.on_target))
    draws = draw_means(curve.windows, measurement.n_transits, f"{CHECK_ID} draws")
    strengths = generator(f"{CHECK_ID} prediction").standard_normal((len(draws), len(curve.prediction_modes)))
    draws += strengths @ curve.prediction_modes
    observed = float(_oddness(curve, shape, curve.depth[None, :])[0])
    return rank_significance(observed, _oddness(curve, shape, draws), len(curve.depth) - 1, measurement.nu)


def _oddness(curve: DepthCurve, shape: FloatArray, depths: FloatArray) -> FloatArray:
    """Generalised chi-squared of rows of depths about a curve of a given shape, each at its best amplitude."""
    covariance = curve.covariance + curve.prediction_modes.T @ curve.prediction_modes
    covariance += 1e-9 * float(np.trace(covariance)) * np.eye(len(covariance))
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    direction = whiten @ (shape / np.abs(shape).max())
    direction /= np.sqrt(float(direction @ direction))
    seen = depths @ whiten.T
    rest = seen - np.multiply.outer(seen @ direction, direction)
    return np.asarray((rest**2).sum(axis=-1), dtype=np.float64)


def best_neighbour(curve: DepthCurve, nu: float) -> str | None:
    """
    The neighbour whose own growth curve fits better than the target's, and best of all; None where none does.

    A star whose own curve is as improbable as the target's is none to name.
    """
    curves = [("", curve.on_target), *curve.neighbours]
    shapes = [(star_id, shape) for star_id, shape in curves if np.abs(shape).max() > 0]
    odd = [(float(_oddness(curve, shape, curve.depth[None, :])[0]), star_id) for star_id, shape in shapes]
    least, star_id = min(odd, default=(0.0, ""))
    fits = hotelling_p(least, len(curve.depth) - 1, nu) >= thresholds.value("p_warn")
    return star_id if star_id and fits else None


def _excess_slope(curve: DepthCurve) -> tuple[float, float]:
    """Slope with radius of measured minus predicted depth, and its matched-window error, ppm per px."""
    centred = curve.radii_px - curve.radii_px.mean()
    estimator = centred / float(centred @ centred)
    slope = float(estimator @ (curve.depth - curve.on_target))
    return slope, float(np.sqrt(estimator @ curve.covariance @ estimator))


def _verdict(p_value: float, rising: bool, n_transits: int) -> Verdict:
    if p_value < thresholds.value("p_fail") and rising:
        return Verdict.FAIL
    return Verdict.WARN if p_value < thresholds.value("p_warn") else Verdict.PASS


def _metrics(curve: DepthCurve, significance: Significance, slope: float) -> dict[str, tuple[float | int | None, str]]:
    table: dict[str, tuple[float | int | None, str]] = {}
    for radius, depth, variance in zip(curve.radii_px, curve.depth, np.diag(curve.covariance), strict=True):
        table[f"depth_ppm_r{radius:.1f}"] = (float(depth), "ppm")
        table[f"depth_ppm_r{radius:.1f}_err"] = (float(np.sqrt(variance)), "ppm")
    table["depth_ppm_pipeline"] = (curve.pipeline, "ppm")
    table["depth_ppm_pipeline_err"] = (curve.pipeline_err, "ppm")
    table["chi2_p_value"] = (significance.p_value, "")
    table["slope_ppm_per_px"] = (slope, "ppm/px")
    return table


def _details(curve: DepthCurve) -> dict[str, Any]:
    return {
        "radii_px": curve.radii_px.tolist(),
        "depth_snr": curve.snr,
        "depth_ppm": curve.depth.tolist(),
        "depth_ppm_err": np.sqrt(np.diag(curve.covariance)).tolist(),
        "covariance_ppm2": curve.covariance.tolist(),
        "predicted_on_target_ppm": curve.on_target.tolist(),
        "predicted_neighbours": [{"star_id": star_id, "ppm": ppm.tolist()} for star_id, ppm in curve.neighbours],
    }


def _sentence(
    measurement: PixelMeasurement, curve: DepthCurve, significance: Significance, rising: bool, verdict: Verdict
) -> str:
    sector, n = measurement.stack.sector, measurement.n_transits
    trend = "grows outwards more than" if rising else "falls outwards more than"
    odds = f"{p_words(significance.p_value)}, {transit_words(n)}"
    seen = curve.snr >= thresholds.value("snr_detect")
    if verdict is Verdict.PASS and not seen:
        text = (
            f"No depth stands out of the noise in the circles about the target in sector {sector} ({odds}): there is no "
            "signal to compare, so nothing was tested."
        )
    elif verdict is Verdict.PASS:
        text = (
            f"The depth follows the growth curve of a signal on the target in sector {sector} ({odds}), from "
            f"{curve.radii_px[0]:g} to {curve.radii_px[-1]:g} px."
        )
    else:
        text = f"The depth {trend} that of a signal on the target in sector {sector} ({odds})."
        best = best_neighbour(curve, measurement.nu) if rising else None
        text += (
            f" Of the known stars, the curve of {best} fits best."
            if best
            else " A source away from the target would do that."
            if rising
            else " Light of another source within the small circles, wings of a bright neighbour in the large ones, or a wrong "
            "background would do that."
        )
    if not measurement.stack.neighbours:
        text += CONSTANT_NOTE
        if verdict is not Verdict.PASS and not rising:
            text += " Neighbours that are not known would make it fall."
    if n == 1:
        return text + " One transit compares the radii with each other, not one event with the next."
    return text + few_transits_note(n)
