"""Pieces that the checks build their results from: metrics, flags, sentences, abstentions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import BoolArray, FloatArray
from btv_report.checks.difference_image import PixelMeasurement, centre_of_search
from btv_report.checks.matched_windows import N_DRAWS
from btv_report.checks.missing_pixels import MissingPixels, find_missing
from btv_report.checks.prf_grid import SampledPrf
from btv_report.checks.result import CheckResult, Metric, Verdict
from btv_report.checks.scene import NOMINAL_PIXEL_ARCSEC, Scene

LARGEST_FLOAT32 = 3e38
TINY_P = 1e-6


def metrics_of(table: Mapping[str, tuple[float | int | None, str]]) -> dict[str, Metric]:
    """Metrics from name -> (value, unit); what was not measured (None, not finite) is left out."""
    return {
        name: Metric(value, unit) for name, (value, unit) in table.items() if value is not None and math.isfinite(value)
    }


def number(value: float) -> float | None:
    """A plain finite float for `details`, else None."""
    return float(value) if math.isfinite(value) else None


def stamp(image: FloatArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A stamp for plot_data; NaN marks pixels without a value."""
    return np.clip(image, -LARGEST_FLOAT32, LARGEST_FLOAT32).astype(np.float32)


def transit_words(n_transits: int) -> str:
    """How many transits, in words."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    count = words[n_transits] if n_transits < len(words) else str(n_transits)
    return f"{count} transit{'' if n_transits == 1 else 's'}"


def p_words(p_value: float) -> str:
    """A probability of chance for a sentence; below one in a million the tail of the model means nothing more."""
    return f"p = {p_value:.2g}" if p_value >= TINY_P else f"p < {TINY_P:.6f}"


def chance_words(p_value: float, sigma: float) -> str:
    """A probability of noise and what the sigma beside it is, for sentences with a measured length and its error."""
    chance = f"of {p_value:.2g}" if p_value >= TINY_P else f"below {TINY_P:.6f}"
    return f"a chance {chance} from noise alone ({sigma:.1f} sigma)"


def few_transits_note(n_transits: int) -> str:
    """A sentence where there are few transits, else empty; begins with a space."""
    if n_transits < thresholds.value("min_transits"):
        verb = "has" if n_transits == 1 else "have"
        return (
            f" Only {transit_words(n_transits)} {verb} been used, too few to tell a chance event from a repeating one."
        )
    if n_transits < thresholds.value("few_transits"):
        return f" It rests on {transit_words(n_transits)} only."
    return ""


def missing_about_target(measurement: PixelMeasurement, scene: Scene | None) -> MissingPixels | None:
    """Pixels without values about the target; None where nothing was measured."""
    if measurement.reason:
        return None
    place = centre_of_search(measurement) if scene is None else (scene.row, scene.column)
    return find_missing(measurement, *place)


def common_flags(measurement: PixelMeasurement, scene: Scene | None) -> list[str]:
    """Flags that do not depend on the check."""
    flags = []
    missing = missing_about_target(measurement, scene)
    if missing is not None and missing.n_near_missing:
        flags.append("PIXELS_MISSING")
    if 0 < measurement.n_transits < thresholds.value("min_transits"):
        flags.append("LOW_TRANSITS")
    if scene is not None and scene.saturated:
        flags.append("SATURATED")
    if scene is not None and scene.near_edge:
        flags.append("EDGE")
    if measurement.stack.wcs_disagrees:
        flags.append("WCS_DISAGREES")
    return flags


def sky_offset_arcsec(measurement: PixelMeasurement, d_row: float, d_column: float) -> tuple[float, float] | None:
    """An offset in pixels as (RA times cos Dec, Dec) in arcsec; None without a usable WCS."""
    matrix = measurement.stack.sky_per_pixel_arcsec
    if matrix is None or measurement.stack.wcs_disagrees:
        return None
    east, north = matrix @ np.array([d_column, d_row])
    return float(east), float(north)


def pixel_scale_arcsec(measurement: PixelMeasurement) -> float:
    """Arcsec per pixel, from the WCS or nominal for TESS."""
    matrix = measurement.stack.sky_per_pixel_arcsec
    if matrix is not None:
        scale = math.sqrt(abs(float(np.linalg.det(matrix))))
        if math.isfinite(scale) and scale > 0:
            return scale
    return NOMINAL_PIXEL_ARCSEC


def reason_to_abstain(measurement: PixelMeasurement, scene: Scene | None) -> str:
    """Why none of the checks can be run on this measurement at all; empty when they can."""
    if measurement.reason:
        return measurement.reason
    if scene is None:
        return (
            f"No star stands out at the target's place in the control image of sector {measurement.stack.sector}, "
            "so there is nothing to compare the signal with."
        )
    return ""


def reason_for_no_verdict(measurement: PixelMeasurement, scene: Scene) -> str:
    """Why numbers may be shown but no verdict given; empty when there may be one."""
    if scene.saturated:
        return (
            f"The target is saturated in sector {measurement.stack.sector} (flat-topped or bleeding along its column): "
            "its pixels do not follow the PRF, so the numbers are shown without a verdict."
        )
    missing, most = missing_about_target(measurement, scene), thresholds.value("target_light_missing")
    if missing is not None and missing.light > most:
        return (
            f"Too many pixels about the target lack values in sector {measurement.stack.sector}: {missing.light_words} (at most "
            f"{100 * most:g} % may). The numbers are shown without a verdict."
        )
    least = thresholds.value("min_independent_windows")
    if measurement.nu < least:
        return (
            f"Only {measurement.nu:.0f} independent stretches without transit are left to measure the noise in sector "
            f"{measurement.stack.sector}; {least:g} are needed."
        )
    return ""


def prf_details(scene: Scene) -> dict[str, Any]:
    """Which PRF a position was fitted with, as JSON values: a calibrated one with the digest of its files, a note, all tried."""
    prf = scene.prf
    details: dict[str, Any] = {"kind": prf.kind, "description": prf.description}
    if isinstance(prf, SampledPrf):
        details |= {
            "set": prf.grid.name,
            "camera": prf.grid.camera,
            "ccd": prf.grid.ccd,
            "sha256": prf.grid.sha256,
        }
    if scene.prf_note:
        details["note"] = scene.prf_note
    if scene.prf_tried:
        details["tried"] = [{"set": name, "misfit": number(misfit)} for name, misfit in scene.prf_tried]
    return details


def parameters_of(measurement: PixelMeasurement, **more: Any) -> dict[str, Any]:
    """What the check was run with, as JSON values."""
    ephemeris = measurement.ephemeris
    shape = measurement.shape
    return {
        "period_days": ephemeris.period_days,
        "epoch_btjd": ephemeris.epoch_btjd,
        "duration_hours": ephemeris.duration_hours,
        "in_transit_half_width_days": shape.in_half_days,
        "control_from_mid_transit_days": [shape.inner_days, shape.outer_days],
        "cadence_s": measurement.cadences.cadence_days * 86400.0,
        "aperture": measurement.aperture_source,
        "cadences": dict(measurement.cadences.counts),
        "n_pixels_valid": int(measurement.valid.sum()),
        "n_background_pixels": int(measurement.background.sum()),
        "n_transits_used": measurement.n_transits,
        "n_matched_windows": len(measurement.slot),
        "n_draws": N_DRAWS,
        "notes": list(measurement.cadences.notes),
        **more,
    }


def abstention(
    measurement: PixelMeasurement, check_id: str, reason: str, scene: Scene | None = None, **parts: Any
) -> CheckResult:
    """A result that was not run, with the reason and whatever numbers there are."""
    return CheckResult(
        check_id=check_id,
        candidate=measurement.ephemeris.name,
        sector=measurement.stack.sector,
        verdict=Verdict.NOT_RUN,
        summary=f"Not run: {reason}{_missing_words(measurement, scene)}",
        reason=reason,
        flags=tuple(dict.fromkeys([*common_flags(measurement, scene), *parts.pop("flags", ())])),
        parameters=parts.pop("parameters", None) or parameters_of(measurement),
        method_version=thresholds.METHOD_VERSION,
        **parts,
    )


def conclude(
    measurement: PixelMeasurement,
    scene: Scene,
    check_id: str,
    verdict: Verdict,
    sentence: str,
    **parts: Any,
) -> CheckResult:
    """A result with a verdict; turned into an abstention with the same numbers where no verdict may be given."""
    reason = reason_for_no_verdict(measurement, scene)
    if reason:
        return abstention(measurement, check_id, reason, scene, **parts)
    return CheckResult(
        check_id=check_id,
        candidate=measurement.ephemeris.name,
        sector=measurement.stack.sector,
        verdict=verdict,
        summary=sentence + _missing_words(measurement, scene),
        flags=tuple(dict.fromkeys([*common_flags(measurement, scene), *parts.pop("flags", ())])),
        method_version=thresholds.METHOD_VERSION,
        **parts,
    )


def _missing_words(measurement: PixelMeasurement, scene: Scene | None) -> str:
    """A sentence on pixels without values about the target, else empty; begins with a space."""
    missing = missing_about_target(measurement, scene)
    return "" if missing is None else missing.sentence


def plot_data(measurement: PixelMeasurement, store: bool, **stamps: FloatArray | BoolArray) -> dict[str, Any]:
    """{"plot_data": {...}} with the reference image and further stamps, or nothing."""
    if not store:
        return {}
    table: dict[str, Any] = {"reference_image": stamp(measurement.image(measurement.control))}
    for name, image in stamps.items():
        table[name] = image.copy() if image.dtype == np.bool_ else stamp(image.astype(np.float64))
    return {"plot_data": table}
