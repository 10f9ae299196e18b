"""
V10: does the depth grow or shrink with the aperture as a signal on the target would?

Depths in circles about the catalogue position (exact pixel overlap) with the covariance of matched windows, held against the
growth curve that the control image predicts for a signal on the target, dilution by neighbours included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray, circle_overlap
from btv_report.checks.difference_image import PPM, SEARCH_RADIUS_PX, PixelMeasurement
from btv_report.checks.elimination import NEIGHBOUR_MARGIN_PX
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
RADII_PX = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5)
MAX_NEIGHBOURS = 20
ROUNDING = 1e-9
"""Overlaps of a circle with pixels that it covers whole differ from 1 by less."""
FULL_CURVE_ERROR_LIGHT, LEAST_CURVE_ERROR = 0.25, 0.05
CONSTANT, DILUTED = "constant: no neighbour is known", "diluted by the known neighbours"
CONSTANT_NOTE = " No neighbour is known, so a constant depth is expected."


@dataclass(frozen=True)
class DepthCurve:
    """
    Depth against aperture radius, all in ppm.

    Attributes
    ----------
    radii_px : shape (k,): radii whose aperture holds positive flux
    depth, covariance : shapes (k,), (k, k): mean over transits, and its covariance
    windows : shape (N, k): depths of the matched windows
    on_target : shape (k,): predicted for a signal on the target, scaled to the data
    prediction_modes : shape (m, k): one-sigma errors of that prediction, each a change of the whole curve
    neighbours : star_id -> predicted for a signal on that neighbour, scaled to the data
    pipeline, pipeline_err : depth in the pipeline's aperture, None without one
    """

    radii_px: FloatArray
    depth: FloatArray
    covariance: FloatArray
    windows: FloatArray
    on_target: FloatArray
    prediction_modes: FloatArray
    neighbours: tuple[tuple[str, FloatArray], ...]
    pipeline: float | None
    pipeline_err: float | None

    @property
    def snr(self) -> float:
        """The depth that stands out most, over its error."""
        return float(np.max(self.depth / np.sqrt(np.diag(self.covariance))))


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
            "growth_curve_tilt",
            "growth_curve_rest",
        ),
        "parameters": parameters_of(
            measurement,
            centre="catalogue position" if scene.from_catalogue else "control centroid",
            slope_is="measured minus predicted for a signal on the target, per px of radius",
            slope_err_ppm_per_px=slope_err,
            prediction_error="of each neighbour's light, a tilt and a bend of the whole curve, and a small rest at each radius",
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


def measure_depths(measurement: PixelMeasurement, scene: Scene) -> DepthCurve | None:
    """Depths, covariance and predictions; None where fewer than three radii can be used."""
    shape = measurement.stack.shape
    circles = np.stack([measurement.over(circle_overlap(shape, scene.row, scene.column, r)) for r in RADII_PX])
    control = measurement.control - scene.background_level
    level = circles @ control
    # A circle that covers no more of the stamp than the one before it is the same aperture again.
    wider = np.append(True, (np.diff(circles, axis=0) > ROUNDING).any(axis=1))
    good = wider & (level > 0) & (circles.sum(axis=1) > 0)
    if good.sum() < 3 or len(measurement.slot) < 2:
        return None
    circles, level, radii = circles[good], level[good], np.array(RADII_PX)[good]
    weights = PPM * _without_background(measurement, circles) / level[:, None]
    depth = weights @ measurement.difference
    windows = measurement.free.difference @ weights.T
    covariance = windows.T @ windows / len(windows) / measurement.n_transits
    if measurement.formal_variance is not None:
        formal = (weights**2) @ measurement.formal_variance
        covariance *= _enlargement(float(np.max(formal / np.maximum(np.diag(covariance), 1e-300))), measurement.nu)
    if not np.isfinite(covariance).all() or (np.diag(covariance) <= 0).any():
        return None
    neighbours = _neighbour_shares(measurement, scene, circles, level)
    others_share = circles @ measurement.over(scene.neighbour_light) / level
    target_share = 1.0 - others_share
    amplitude = _amplitude(target_share, depth, covariance)
    shares = np.array([share for _, share in neighbours]).reshape(-1, len(level))
    light = np.vstack([shares, others_share - shares.sum(axis=0)]) * thresholds.value("neighbour_light_error")
    pipeline, pipeline_err = _pipeline_depth(measurement, scene)
    return DepthCurve(
        radii_px=radii,
        depth=depth,
        covariance=covariance,
        windows=windows,
        on_target=amplitude * target_share,
        prediction_modes=amplitude
        * np.vstack([light, _curve_errors(radii, _other_light(measurement, scene)) * target_share]),
        neighbours=tuple((star_id, share * _amplitude(share, depth, covariance)) for star_id, share in neighbours),
        pipeline=pipeline,
        pipeline_err=pipeline_err,
    )


def _enlargement(formal_over_measured: float, nu: float) -> float:
    """
    Factor by which flux_err enlarges the measured covariance; 1 where it says no more than the windows do.

    A variance measured in nu windows scatters by sqrt(2 / nu). Taking the larger of two equal variances would enlarge it by
    that scatter every time, and p would not be uniform: KS p = 0.04 for 360 simulated signals on the target, else 0.98.
    """
    return formal_over_measured if formal_over_measured > 1 + 2 * np.sqrt(2 / max(nu, 1.0)) else 1.0


def _neighbour_shares(
    measurement: PixelMeasurement, scene: Scene, circles: FloatArray, level: FloatArray
) -> list[tuple[str, FloatArray]]:
    """Share of each circle's light that is each neighbour's, for the nearest ones that reach into the circles."""
    found = []
    least = 1e-3 * float(np.max(circles.sum(axis=1) / level))
    for star, flux in zip(measurement.stack.neighbours[:MAX_NEIGHBOURS], scene.star_flux, strict=False):
        image = scene.prf.evaluate(np.array([star.row]), np.array([star.column]))[0]
        share = circles @ measurement.over(image) / level
        if flux is not None and share[-1] > least:
            found.append((star.star_id, np.asarray(flux * share, dtype=np.float64)))
    return found


def _other_light(measurement: PixelMeasurement, scene: Scene) -> float:
    """Light of the neighbours within reach over the target's, 0 ... 1; 1 where no catalogue was asked."""
    if not measurement.stack.neighbours_known:
        return 1.0
    reach = SEARCH_RADIUS_PX + NEIGHBOUR_MARGIN_PX
    near = [
        flux or 0.0
        for star, flux in zip(measurement.stack.neighbours, scene.star_flux, strict=True)
        if np.hypot(star.row - scene.row, star.column - scene.column) <= reach
    ]
    return min(1.0, sum(near) / scene.target_flux)


def _curve_errors(radii_px: FloatArray, other_light: float) -> FloatArray:
    """
    One-sigma relative errors of the curve: a tilt over the range of radii, a bend, and a small rest at each radius.

    They are those of a field whose neighbours give a quarter of the target's light or more, and shrink with it: a star alone
    loses the same share of its light in every circle, whatever its PRF. Stars too faint for a catalogue keep a twentieth.
    """
    share = min(1.0, max(LEAST_CURVE_ERROR, other_light / FULL_CURVE_ERROR_LIGHT))
    place = 2 * (radii_px - radii_px[0]) / (radii_px[-1] - radii_px[0]) - 1
    smooth = 0.5 * thresholds.value("growth_curve_tilt") * np.stack([place, 1.5 * place**2 - 0.5])
    return share * np.vstack([smooth, thresholds.value("growth_curve_rest") * np.eye(len(radii_px))])


def _without_background(measurement: PixelMeasurement, circles: FloatArray) -> FloatArray:
    """Weights that subtract the mean of the background pixels from every pixel of the circles."""
    background = measurement.over(measurement.background)
    if not background.any():
        return circles
    return np.asarray(circles - np.multiply.outer(circles.sum(axis=1), background / background.sum()), dtype=np.float64)


def _amplitude(shape: FloatArray, depth: FloatArray, covariance: FloatArray) -> float:
    """The best amplitude of a curve by weighted least squares, ppm."""
    weight = 1.0 / np.diag(covariance)
    norm = float((shape**2 * weight).sum())
    return float((shape * depth * weight).sum()) / norm if norm > 0 else 0.0


def _pipeline_depth(measurement: PixelMeasurement, scene: Scene) -> tuple[float | None, float | None]:
    if measurement.aperture_source != "pipeline":
        return None, None
    aperture = measurement.over(measurement.aperture)
    level = float(aperture @ (measurement.control - scene.background_level))
    if level <= 0:
        return None, None
    weights = PPM * _without_background(measurement, aperture[None, :])[0] / level
    error = np.sqrt(np.mean((measurement.free.difference @ weights) ** 2) / measurement.n_transits)
    return float(weights @ measurement.difference), float(error)


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
