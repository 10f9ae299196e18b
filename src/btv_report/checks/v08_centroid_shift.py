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
from btv_report.checks.difference_image import PPM, PixelMeasurement
from btv_report.checks.matched_windows import (
    N_DRAWS,
    Significance,
    draw_means,
    effective_number,
    hotelling_p,
    mahalanobis_squared,
    rank_significance,
)
from btv_report.checks.reporting import (
    abstention,
    chance_words,
    conclude,
    few_transits_note,
    metrics_of,
    p_words,
    parameters_of,
    pixel_scale_arcsec,
    plot_data,
    reason_to_abstain,
    sky_offset_arcsec,
    transit_words,
)
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import Scene
from btv_report.rounding import value_and_error

CHECK_ID = "V08"
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

    @property
    def snr(self) -> float:
        """Depth over its matched-window error; 0 where that error is not known."""
        return self.depth / self.depth_err if self.depth_err > 0 else 0.0


@dataclass(frozen=True)
class OnTargetShift:
    """
    The shift that a signal of the same depth on the target would make: light of neighbours dilutes the target's.

    Attributes
    ----------
    shift : shape (2,): row and column, px
    p_value : probability that noise takes the measured shift so far from it
    """

    shift: FloatArray
    p_value: float

    @property
    def explains(self) -> bool:
        """Whether the measured shift is what a signal on the target makes, as far as the noise can tell."""
        return self.p_value >= thresholds.value("p_warn")


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
    verdict = _verdict(shift.significance.p_value, measurement.n_transits)
    expected = expect_on_target(measurement, scene, shift)
    flags = ["LOW_SNR"] if shift.snr < thresholds.value("snr_strong") else []
    if wider is not None and (wider.significance.p_value < p_fail) != (shift.significance.p_value < p_fail):
        flags.append("APERTURE_SENSITIVE")
    if expected is not None and verdict is not Verdict.PASS and expected.explains:
        flags.append("SHIFT_AS_ON_TARGET")
    return conclude(
        measurement,
        scene,
        CHECK_ID,
        verdict,
        _sentence(shift, expected, verdict, measurement) + (APERTURE_NOTE if "APERTURE_SENSITIVE" in flags else ""),
        flags=flags,
        metrics=metrics_of(_metrics(measurement, shift, expected)),
        thresholds=thresholds.used(
            "p_fail",
            "p_warn",
            "min_transits",
            "min_independent_windows",
            "target_light_missing",
            "snr_detect",
            "snr_strong",
            "neighbour_light_error",
            "systematic_floor_arcsec",
        ),
        parameters=parameters_of(
            measurement,
            shift_is="control minus in transit: it points from the control centroid towards the source of the signal",
            p_value_from=shift.significance.kind,
        ),
        details={**_details(measurement, shift, expected), **plot_data(measurement, store_plot_data)},
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


def expect_on_target(measurement: PixelMeasurement, scene: Scene, shift: CentroidShift) -> OnTargetShift | None:
    """
    The shift of a signal on the target, depth / (1 - depth) x (target's own centroid - centroid of all light).

    Both centroids are of the same aperture pixels. None where no neighbour's light is known, no depth stands out, or the
    expected shift is smaller than its own floor: then it says nothing, and nearly any shift would agree with it. So it is where
    a bright star beyond the aperture sends in only its wings, which a Gaussian PRF does not have.
    """
    light = measurement.over(scene.neighbour_light)
    if not light.any() or shift.snr < thresholds.value("snr_detect") or shift.depth >= 1:
        return None
    weights = _moment_weights(measurement, measurement.aperture)
    flux, *moments = (measurement.control - light) @ weights
    if flux <= 0:
        return None
    target = np.array(moments) / flux
    lever = shift.depth / (1 - shift.depth)
    expected = lever * (target - np.array(shift.control))
    # Errors of the catalogue's magnitudes and of the depth lengthen or shorten the expected shift. Where the light of close
    # stars lies is known no better than the PRF: their centroids get the floor that positions of sources have elsewhere.
    relative = math.hypot(thresholds.value("neighbour_light_error"), 1 / shift.snr)
    floor_px = lever * thresholds.value("systematic_floor_arcsec") / pixel_scale_arcsec(measurement)
    if float(np.hypot(*expected)) < floor_px:
        return None
    covariance = shift.covariance_px2 + relative**2 * np.multiply.outer(expected, expected) + floor_px**2 * np.eye(2)
    distance = float(mahalanobis_squared((shift.mean - expected)[None, :], covariance)[0])
    return OnTargetShift(expected, hotelling_p(distance, 2, shift.nu))


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


def _metrics(
    measurement: PixelMeasurement, shift: CentroidShift, expected: OnTargetShift | None
) -> dict[str, tuple[float | int | None, str]]:
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
        "on_target_shift_px": (None if expected is None else float(np.hypot(*expected.shift)), "px"),
        "on_target_p_value": (None if expected is None else expected.p_value, ""),
    }


def implied_source_arcsec(measurement: PixelMeasurement, shift: CentroidShift) -> float | None:
    """
    How far from the control centroid a source has to lie to shift it so; None where shift or depth is not significant.

    A lower limit where part of the source's light falls outside the aperture, because that part does not count.
    """
    sky = sky_offset_arcsec(measurement, float(shift.mean[0]), float(shift.mean[1]))
    if sky is None or shift.significance.p_value >= thresholds.value("p_warn"):
        return None
    if shift.snr < thresholds.value("snr_detect") or shift.depth >= 1:
        return None
    return math.hypot(*sky) * (1 / shift.depth - 1)


def _details(measurement: PixelMeasurement, shift: CentroidShift, expected: OnTargetShift | None) -> dict[str, Any]:
    used = [row for row in measurement.rows if row.used]
    return {
        "control_centroid": {"row": shift.control[0], "column": shift.control[1]},
        "in_transit_centroid": {"row": shift.in_transit[0], "column": shift.in_transit[1]},
        "covariance_px2": shift.covariance_px2.tolist(),
        "depth_snr": shift.snr,
        "shift_row_px": float(shift.mean[0]),
        "shift_column_px": float(shift.mean[1]),
        "on_target_shift_px": None if expected is None else expected.shift.tolist(),
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


def _sentence(
    shift: CentroidShift, expected: OnTargetShift | None, verdict: Verdict, measurement: PixelMeasurement
) -> str:
    size = 1000 * float(np.hypot(*shift.mean))
    error = 1000 * math.sqrt(float(np.trace(shift.covariance_px2)) / 2)
    sector, n = measurement.stack.sector, measurement.n_transits
    chance = chance_words(shift.significance.p_value, shift.significance.sigma)
    measured = f"{value_and_error(size, error)} millipixel, {chance}, in {transit_words(n)}"
    source = implied_source_arcsec(measurement, shift)
    implied = (
        ""
        if source is None
        else f" It implies a source about {source:.0f} arcsec from the centre of light, or farther where part of the "
        "source's light falls outside the aperture."
    )
    if verdict is Verdict.FAIL:
        text = f"The centre of light moves in transit in sector {sector}: {measured}."
        if expected is None or not expected.explains:
            text += " Light of another source in the aperture, or a source other than the target, carries the signal."
    elif verdict is Verdict.WARN:
        text = f"The centre of light may move in transit in sector {sector}: {measured}."
    elif shift.snr < thresholds.value("snr_detect"):
        brighter = shift.snr < -thresholds.value("snr_detect")
        seen = (
            "The aperture brightens in the predicted transits of"
            if brighter
            else "No dimming of the aperture stands out in"
        )
        text = (
            f"{seen} sector {sector} (depth {PPM * shift.depth:.0f} ± {PPM * shift.depth_err:.0f} ppm): there is no signal whose "
            f"place the centre of light could tell, so nothing was tested. Its shift is {measured}."
        )
    else:
        text = (
            f"No shift of the centre of light in transit stands out of the noise in sector {sector}: {measured}. This does "
            "not place the signal on the target: close sources and sources beyond the aperture move it little."
        )
    return text + implied + _expected_words(expected, verdict) + few_transits_note(n)


def _expected_words(expected: OnTargetShift | None, verdict: Verdict) -> str:
    """What a signal on the target would do, where light of known neighbours makes it shift the centre of light."""
    if expected is None or verdict is Verdict.PASS:
        return ""
    size = f"{1000 * float(np.hypot(*expected.shift)):.2g} millipixel"
    if expected.explains:
        return (
            f" Because of its neighbours' light, a signal of this depth on the target itself would shift it by {size}; the "
            f"measured shift agrees with that ({p_words(expected.p_value)}) and does not speak against the target."
        )
    return (
        f" A signal of this depth on the target itself would shift it by {size}; the measured shift differs from that "
        f"({p_words(expected.p_value)})."
    )
