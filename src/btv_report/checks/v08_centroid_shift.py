"""
V08: does the centre of light move in transit?

The flux-weighted centroid of the background-subtracted aperture pixels, control minus in transit, per transit, averaged.
The shift points from the control centroid towards the source of the signal. Its significance comes from matched windows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import BoolArray, FloatArray, grow
from btv_report.checks.difference_image import PixelMeasurement
from btv_report.checks.matched_windows import (
    N_DRAWS,
    Significance,
    draw_means,
    effective_number,
    mahalanobis_squared,
    rank_significance,
)
from btv_report.checks.reporting import (
    abstention,
    chance_words,
    conclude,
    few_transits_note,
    metrics_of,
    parameters_of,
    plot_data,
    reason_to_abstain,
    sky_offset_arcsec,
    transit_words,
)
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import Scene

CHECK_ID = "V08"
MIN_DEPTH_SNR = 3.0
APERTURE_NOTE = " The finding changes when the aperture is grown by one pixel."


@dataclass(frozen=True)
class CentroidShift:
    """
    The measured shift.

    Attributes
    ----------
    per_transit : shape (n, 2): row and column shift of each transit, px
    mean : shape (2,)
    covariance_px2 : of the mean; from matched windows, enlarged where flux_err says more
    control, in_transit : centroids, (row, column)
    significance : Significance
    nu : effective number of independent windows
    depth, depth_err : depth in the same pixels, as a fraction
    """

    per_transit: FloatArray
    mean: FloatArray
    covariance_px2: FloatArray
    control: tuple[float, float]
    in_transit: tuple[float, float]
    significance: Significance
    nu: float
    depth: float
    depth_err: float


def check_centroid_shift(
    measurement: PixelMeasurement, scene: Scene | None, *, store_plot_data: bool = True
) -> CheckResult:
    """Run V08 on one candidate in one sector."""
    reason = reason_to_abstain(measurement, scene)
    if reason or scene is None:
        return abstention(measurement, CHECK_ID, reason, scene)
    shift = measure_shift(measurement, measurement.aperture)
    if shift is None:
        reason = (
            f"The aperture pixels of sector {measurement.stack.sector} hold no positive flux or no measurable noise, so "
            "they have no centroid."
        )
        return abstention(measurement, CHECK_ID, reason, scene)
    wider = measure_shift(measurement, grow(measurement.aperture) & measurement.valid)
    p_fail = thresholds.value("p_fail")
    flags = []
    if wider is not None and (wider.significance.p_value < p_fail) != (shift.significance.p_value < p_fail):
        flags.append("APERTURE_SENSITIVE")
    verdict = _verdict(shift.significance.p_value, measurement.n_transits)
    return conclude(
        measurement,
        scene,
        CHECK_ID,
        verdict,
        _sentence(shift, verdict, measurement) + (APERTURE_NOTE if flags else ""),
        flags=flags,
        metrics=metrics_of(_metrics(measurement, shift)),
        thresholds=thresholds.used("p_fail", "p_warn", "min_transits", "min_independent_windows"),
        parameters=parameters_of(
            measurement,
            shift_is="control minus in transit: it points from the control centroid towards the source of the signal",
            p_value_from=shift.significance.kind,
        ),
        details={**_details(measurement, shift), **plot_data(measurement, store_plot_data)},
    )


def measure_shift(measurement: PixelMeasurement, aperture: BoolArray) -> CentroidShift | None:
    """The centroid shift in an aperture; None where flux or noise leaves it undefined."""
    weights = _moment_weights(measurement, aperture)
    control_kept = measurement.kept.control @ weights
    inside_kept = (measurement.kept.control - measurement.kept.difference) @ weights
    control_free = measurement.free.control @ weights
    inside_free = (measurement.free.control - measurement.free.difference) @ weights
    parts = (control_kept, inside_kept, control_free, inside_free)
    if any((part[:, 0] <= 0).any() for part in parts) or len(control_free) < 2:
        return None
    per_transit = control_kept[:, 1:] / control_kept[:, :1] - inside_kept[:, 1:] / inside_kept[:, :1]
    free = control_free[:, 1:] / control_free[:, :1] - inside_free[:, 1:] / inside_free[:, :1]
    n = len(per_transit)
    single = free.T @ free / len(free)
    if not np.isfinite(single).all() or np.linalg.eigvalsh(single)[0] <= 0:
        return None
    mean = per_transit.mean(axis=0)
    covariance = single / n
    enlarged = _enlargement(measurement, weights, covariance)
    nu = effective_number(free, measurement.slot)
    draws = mahalanobis_squared(draw_means(free, n, f"{CHECK_ID} draws"), covariance)
    observed = float(mahalanobis_squared(mean[None, :], covariance)[0]) / enlarged
    depth = float(1.0 - inside_kept[:, 0].mean() / control_kept[:, 0].mean())
    depth_free = 1.0 - inside_free[:, 0] / control_free[:, 0]
    control = control_kept[:, 1:].sum(axis=0) / control_kept[:, 0].sum()
    inside = control - mean
    return CentroidShift(
        per_transit=per_transit,
        mean=mean,
        covariance_px2=covariance * enlarged,
        control=(float(control[0]), float(control[1])),
        in_transit=(float(inside[0]), float(inside[1])),
        significance=rank_significance(observed, draws, 2, nu),
        nu=nu,
        depth=depth,
        depth_err=float(np.sqrt(np.mean(depth_free**2) / n)),
    )


def _moment_weights(measurement: PixelMeasurement, aperture: BoolArray) -> FloatArray:
    """Weights that turn an image into flux, row moment and column moment, background subtracted: (n_pixel, 3)."""
    inside = measurement.over(aperture)
    rows, columns = np.argwhere(measurement.valid).T.astype(np.float64)
    moments = np.stack([inside, inside * rows, inside * columns], axis=1)
    background = measurement.over(measurement.background)
    if background.any():
        moments -= np.multiply.outer(background / background.sum(), moments.sum(axis=0))
    return np.asarray(moments, dtype=np.float64)


def _enlargement(measurement: PixelMeasurement, weights: FloatArray, covariance: FloatArray) -> float:
    """By how much the formal variance of the shift (from flux_err) exceeds the matched-window one; at least 1."""
    if measurement.formal_variance is None:
        return 1.0
    flux, row, column = measurement.control @ weights
    slope = (weights[:, 1:] - weights[:, :1] * np.array([row, column]) / flux) / flux
    formal = float((measurement.formal_variance[:, None] * slope**2).sum())
    return max(1.0, formal / float(np.trace(covariance)))


def _verdict(p_value: float, n_transits: int) -> Verdict:
    if p_value < thresholds.value("p_fail") and n_transits >= thresholds.value("min_transits"):
        return Verdict.FAIL
    return Verdict.WARN if p_value < thresholds.value("p_warn") else Verdict.PASS


def _metrics(measurement: PixelMeasurement, shift: CentroidShift) -> dict[str, tuple[float | int | None, str]]:
    sky = sky_offset_arcsec(measurement, float(shift.mean[0]), float(shift.mean[1]))
    shift_arcsec = None if sky is None else math.hypot(*sky)
    return {
        "centroid_shift_px": (float(np.hypot(*shift.mean)), "px"),
        "centroid_shift_arcsec": (shift_arcsec, "arcsec"),
        "significance_sigma": (shift.significance.sigma, "sigma"),
        "p_value": (shift.significance.p_value, ""),
        "n_transits_used": (measurement.n_transits, "transits"),
        "n_independent_windows": (shift.nu, "windows"),
        "n_draws": (N_DRAWS, "draws"),
        "source_offset_arcsec": (implied_source_arcsec(measurement, shift), "arcsec"),
    }


def implied_source_arcsec(measurement: PixelMeasurement, shift: CentroidShift) -> float | None:
    """
    How far from the control centroid a source has to lie to shift it so; None where shift or depth is not significant.

    A lower limit where part of the source's light falls outside the aperture, because that part does not count.
    """
    sky = sky_offset_arcsec(measurement, float(shift.mean[0]), float(shift.mean[1]))
    if sky is None or shift.significance.p_value >= thresholds.value("p_warn"):
        return None
    if shift.depth_err <= 0 or shift.depth / shift.depth_err < MIN_DEPTH_SNR or shift.depth >= 1:
        return None
    return math.hypot(*sky) * (1 / shift.depth - 1)


def _details(measurement: PixelMeasurement, shift: CentroidShift) -> dict[str, Any]:
    used = [row for row in measurement.rows if row.used]
    return {
        "control_centroid": {"row": shift.control[0], "column": shift.control[1]},
        "in_transit_centroid": {"row": shift.in_transit[0], "column": shift.in_transit[1]},
        "covariance_px2": shift.covariance_px2.tolist(),
        "shift_row_px": float(shift.mean[0]),
        "shift_column_px": float(shift.mean[1]),
        "transit_points": [
            {
                "number": row.number,
                "mid_btjd": row.mid_btjd,
                "shift_row_px": float(point[0]),
                "shift_column_px": float(point[1]),
            }
            for row, point in zip(used, shift.per_transit, strict=True)
        ],
    }


def _sentence(shift: CentroidShift, verdict: Verdict, measurement: PixelMeasurement) -> str:
    size = 1000 * float(np.hypot(*shift.mean))
    error = 1000 * math.sqrt(float(np.trace(shift.covariance_px2)) / 2)
    sector, n = measurement.stack.sector, measurement.n_transits
    chance = chance_words(shift.significance.p_value, shift.significance.sigma)
    measured = f"{size:.2g} ± {error:.2g} millipixel, {chance}, in {transit_words(n)}"
    source = implied_source_arcsec(measurement, shift)
    implied = (
        ""
        if source is None
        else f" It implies a source about {source:.0f} arcsec from the centre of light, or farther where part of the "
        "source's light falls outside the aperture."
    )
    if verdict is Verdict.FAIL:
        text = (
            f"The centre of light moves in transit in sector {sector}: {measured}. Light of another source in the aperture, "
            "or a source other than the target, carries the signal."
        )
    elif verdict is Verdict.WARN:
        text = f"The centre of light may move in transit in sector {sector}: {measured}."
    else:
        text = (
            f"No shift of the centre of light in transit stands out of the noise in sector {sector}: {measured}. This does "
            "not place the signal on the target: close sources and sources beyond the aperture move it little."
        )
    return text + implied + few_transits_note(n)
