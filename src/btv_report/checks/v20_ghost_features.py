"""
V20: is the signal the star's own, or spread like a ghost?

The optical-ghost diagnostic of SPOC Data Validation: the transit signal of the core (aperture pixels minus the level of the
ring about them) against that of the halo (the one-pixel ring), each in units of its matched-window error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import BoolArray, FloatArray, grow
from btv_report.checks.difference_image import PixelMeasurement
from btv_report.checks.reporting import (
    abstention,
    conclude,
    few_transits_note,
    metrics_of,
    number,
    parameters_of,
    plot_data,
    reason_to_abstain,
    transit_words,
)
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import Scene, pearson

CHECK_ID = "V20"
_THRESHOLDS = (
    "halo_excess_fail_sigma",
    "halo_excess_warn_sigma",
    "ratio_min_sigma",
    "snr_detect",
    "snr_strong",
    "min_independent_windows",
    "target_light_missing",
)


@dataclass(frozen=True)
class GhostMeasurement:
    """
    Core and halo signals, in the unit of the flux per pixel, and their matched-window errors.

    `core_correlation` and `halo_correlation` are signal over error; `excess_sigma` is halo minus core correlation over its
    own matched-window error; `snr` is that of the signal in core and halo together.
    """

    core: float
    core_err: float
    halo: float
    halo_err: float
    excess_sigma: float
    snr: float

    @property
    def core_correlation(self) -> float:
        """Core signal over its error."""
        return self.core / self.core_err

    @property
    def halo_correlation(self) -> float:
        """Halo signal over its error."""
        return self.halo / self.halo_err


def check_ghost_features(
    measurement: PixelMeasurement, scene: Scene | None, *, store_plot_data: bool = True
) -> CheckResult:
    """Run V20 on one candidate in one sector."""
    reason = reason_to_abstain(measurement, scene)
    if reason or scene is None:
        return abstention(measurement, CHECK_ID, reason, scene)
    sector = measurement.stack.sector
    if measurement.aperture_source != "pipeline":
        stated = measurement.stack.aperture_mask
        why = (
            "names no aperture pixels"
            if stated is None or not stated.any()
            else "holds no values in its aperture pixels"
        )
        reason = f"The pixel file of sector {sector} {why}, so core and halo are not defined."
        return abstention(measurement, CHECK_ID, reason, scene)
    core = measurement.aperture
    halo = grow(core) & ~core & measurement.valid
    ghost = measure_ghost(measurement, core, halo) if halo.any() else None
    if ghost is None:
        reason = f"In sector {sector} no pixel is left about the aperture, or its noise cannot be measured."
        return abstention(measurement, CHECK_ID, reason, scene)
    gradient = gradient_magnitude(measurement.image(measurement.difference))
    shared: dict[str, Any] = {
        "metrics": metrics_of(_metrics(measurement, scene, ghost, gradient)),
        "thresholds": thresholds.used(*_THRESHOLDS),
        "flags": ["LOW_SNR"] if ghost.snr < thresholds.value("snr_strong") else [],
        "parameters": parameters_of(
            measurement,
            halo="one-pixel ring about the aperture",
            n_core_pixels=int(core.sum()),
            n_halo_pixels=int(halo.sum()),
        ),
        "details": {
            "core_depth": ghost.core,
            "core_depth_err": ghost.core_err,
            "halo_depth": ghost.halo,
            "halo_depth_err": ghost.halo_err,
            **plot_data(
                measurement,
                store_plot_data,
                difference_image=measurement.image(measurement.difference),
                aperture_mask=core,
                core_mask=core,
                halo_mask=halo,
                gradient_magnitude=gradient,
            ),
        },
    }
    if ghost.snr < thresholds.value("snr_detect"):
        reason = (
            f"The signal in and about the aperture of sector {sector} is too weak for this check "
            f"(SNR {ghost.snr:.1f}; {thresholds.value('snr_detect'):g} is needed)."
        )
        return abstention(measurement, CHECK_ID, reason, scene, **shared)
    verdict = _verdict(ghost)
    return conclude(measurement, scene, CHECK_ID, verdict, _sentence(measurement, ghost, verdict), **shared)


def measure_ghost(measurement: PixelMeasurement, core: BoolArray, halo: BoolArray) -> GhostMeasurement | None:
    """
    Signals of core and halo; None where their noise cannot be measured.

    No background is subtracted: a ghost may cover the whole stamp, and subtracting it would hide it.
    """
    inner, ring = measurement.over(core), measurement.over(halo)
    inner, ring = inner / inner.sum(), ring / ring.sum()
    weights = np.stack([inner - ring, ring, inner * core.sum() + ring * halo.sum()], axis=1)
    n = measurement.n_transits
    free = measurement.free.difference @ weights
    if len(free) < 2:
        return None
    single = np.sqrt((free**2).mean(axis=0))
    if measurement.formal_variance is not None:
        formal = np.sqrt(n * (measurement.formal_variance @ weights**2))
        single = np.maximum(single, formal)
    if not np.isfinite(single).all() or (single <= 0).any():
        return None
    signal = measurement.difference @ weights
    error = single / np.sqrt(n)
    excess_free = free[:, 1] / single[1] - free[:, 0] / single[0]
    spread = float(np.sqrt((excess_free**2).mean()))
    if spread <= 0:
        return None
    excess = (signal[1] / error[1] - signal[0] / error[0]) / max(spread, 1.0)
    return GhostMeasurement(
        core=float(signal[0]),
        core_err=float(error[0]),
        halo=float(signal[1]),
        halo_err=float(error[1]),
        excess_sigma=float(excess),
        snr=float(signal[2] / error[2]),
    )


def gradient_magnitude(image: FloatArray) -> FloatArray:
    """Length of the gradient of a stamp per pixel, central differences; NaN where a neighbour has no value."""
    by_row = np.gradient(image, axis=0) if image.shape[0] > 1 else np.zeros_like(image)
    by_column = np.gradient(image, axis=1) if image.shape[1] > 1 else np.zeros_like(image)
    return np.hypot(by_row, by_column)


def _metrics(
    measurement: PixelMeasurement, scene: Scene, ghost: GhostMeasurement, gradient: FloatArray
) -> dict[str, tuple[float | int | None, str]]:
    difference = measurement.image(measurement.difference)
    core = measurement.aperture
    outside = measurement.valid & ~core
    # The edge of the aperture: its own pixels that touch a pixel outside it.
    edge = core & grow(~core) & np.isfinite(gradient)
    both = min(ghost.core_correlation, ghost.halo_correlation) >= thresholds.value("ratio_min_sigma")
    image = scene.prf.evaluate(np.array([scene.row]), np.array([scene.column]))[0]
    near = measurement.valid & grow(grow(core))
    return {
        "snr": (ghost.snr, ""),
        "core_correlation": (ghost.core_correlation, "sigma"),
        "halo_correlation": (ghost.halo_correlation, "sigma"),
        "halo_excess_sigma": (ghost.excess_sigma, "sigma"),
        "core_halo_ratio": (ghost.core / ghost.halo if both else None, ""),
        "in_aperture_difference": (float(difference[core].mean()), "electron/s"),
        "out_aperture_difference": (float(difference[outside].mean()) if outside.any() else None, "electron/s"),
        "edge_gradient": (float(gradient[edge].mean()) if edge.any() else None, "electron/s/px"),
        "background_trend": (_background_trend(measurement, difference, ~grow(core)), "electron/s/px"),
        "prf_likeness": (pearson(difference[near], image[near]), ""),
    }


def _background_trend(measurement: PixelMeasurement, difference: FloatArray, where: BoolArray) -> float | None:
    """Length of the gradient of a plane fitted to the difference image outside aperture and halo."""
    chosen = where & measurement.valid
    points = np.argwhere(chosen).astype(np.float64)
    if len(points) < 4 or np.linalg.matrix_rank(points - points.mean(axis=0)) < 2:
        return None
    design = np.column_stack([np.ones(len(points)), points])
    plane = np.linalg.lstsq(design, difference[chosen], rcond=None)[0]
    return number(float(np.hypot(plane[1], plane[2])))


def _verdict(ghost: GhostMeasurement) -> Verdict:
    strong = ghost.snr >= thresholds.value("snr_strong")
    if ghost.excess_sigma > thresholds.value("halo_excess_fail_sigma") and strong:
        return Verdict.FAIL
    if ghost.excess_sigma > thresholds.value("halo_excess_warn_sigma" if strong else "halo_excess_fail_sigma"):
        return Verdict.WARN
    return Verdict.PASS


def _sentence(measurement: PixelMeasurement, ghost: GhostMeasurement, verdict: Verdict) -> str:
    sector, n = measurement.stack.sector, measurement.n_transits
    numbers = f"core {ghost.core_correlation:.1f} sigma, halo {ghost.halo_correlation:.1f} sigma, {transit_words(n)}"
    if verdict is Verdict.PASS and ghost.excess_sigma > 0:
        text = (
            f"The signal is not significantly stronger about the aperture than in it in sector {sector} ({numbers}); it is not "
            "shown to be concentrated in it either."
        )
    elif verdict is Verdict.PASS:
        text = f"The signal is concentrated in the aperture in sector {sector}, as that of a star is ({numbers})."
    else:
        opening = "The signal is" if verdict is Verdict.FAIL else "The signal may be"
        text = (
            f"{opening} stronger about the aperture than in it in sector {sector} ({numbers}): a ghost, scattered light or "
            "a source outside the aperture."
        )
    if ghost.snr < thresholds.value("snr_strong"):
        text += f" The signal is weak (SNR {ghost.snr:.1f})."
    if n == 1:
        return text + " One transit shows the place of this one event only."
    return text + few_transits_note(n)
