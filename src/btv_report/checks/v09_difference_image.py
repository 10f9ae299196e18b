"""
V09: where does the light go missing?

The transit source is located in the difference image by a PRF fit; the target, every catalogued neighbour and "none of
these" are held against the region the fit allows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.difference_image import PPM, SEARCH_RADIUS_PX, PixelMeasurement, peak_pixel
from btv_report.checks.elimination import Located, is_badly_fitted, is_one_star, is_with_displaced_star, locate
from btv_report.checks.region import outline, sigma_of_delta
from btv_report.checks.reporting import (
    abstention,
    conclude,
    metrics_of,
    number,
    parameters_of,
    pixel_scale_arcsec,
    plot_data,
    prf_details,
    reason_to_abstain,
    sky_offset_arcsec,
)
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import Scene
from btv_report.checks.source_fit import SourceFit, fit_source
from btv_report.checks.transit_agreement import TransitAgreement, compare_transits
from btv_report.checks.v09_sentences import distance_arcsec, sentence

CHECK_ID = "V09"
_THRESHOLDS = (
    "region_delta_chi2",
    "snr_detect",
    "snr_strong",
    "quality_good",
    "bad_fit_reduced_chi2",
    "clear_fit_quality",
    "min_transits",
    "systematic_floor_arcsec",
    "min_independent_windows",
    "target_light_missing",
    "depth_map_min_snr",
    "transit_depth_spread",
)


def check_difference_image(
    measurement: PixelMeasurement, scene: Scene | None, *, store_plot_data: bool = True
) -> CheckResult:
    """Run V09 on one candidate in one sector."""
    reason = reason_to_abstain(measurement, scene)
    if reason or scene is None:
        return abstention(measurement, CHECK_ID, reason, scene)
    pictures = plot_data(measurement, store_plot_data, **_stamps(measurement, scene)) if len(measurement.slot) else {}
    peak = peak_pixel(measurement, measurement.difference)
    fit = fit_source(measurement, scene)
    shared: dict[str, Any] = {"thresholds": thresholds.used(*_THRESHOLDS), "flags": _flags(measurement, scene)}
    base: dict[str, tuple[float | int | None, str]] = {
        "peak_row": (peak[0], "px"),
        "peak_column": (peak[1], "px"),
        "target_row": (scene.row if scene.from_catalogue else None, "px"),
        "target_column": (scene.column if scene.from_catalogue else None, "px"),
    }
    if fit is None:
        reason = (
            f"No source of missing light can be fitted to the difference image of sector {measurement.stack.sector}: the "
            "signal is not positive there, or the noise cannot be measured."
        )
        details = {**_per_transit(measurement), **pictures}
        return abstention(measurement, CHECK_ID, reason, scene, metrics=metrics_of(base), details=details, **shared)
    located, agreement = locate(measurement, scene, fit), compare_transits(measurement, fit)
    shared["metrics"] = metrics_of({**base, **_metrics(measurement, scene, located)})
    shared["details"] = {**_details(measurement, scene, located), **_per_transit(measurement, agreement), **pictures}
    shared["parameters"] = _parameters(measurement, scene, fit)
    if is_with_displaced_star(scene, located):
        shared["flags"].append("WCS_DISAGREES")
    if fit.at_edge:
        shared["flags"].append("EDGE")
    if fit.snr < thresholds.value("snr_strong"):
        shared["flags"].append("LOW_SNR")
    if fit.snr < thresholds.value("snr_detect"):
        reason = (
            f"The signal in the difference image of sector {measurement.stack.sector} is too weak to be located "
            f"(SNR {fit.snr:.1f}; {thresholds.value('snr_detect'):g} is needed)."
        )
        return abstention(measurement, CHECK_ID, reason, scene, **shared)
    verdict = _verdict(measurement, scene, located)
    return conclude(measurement, scene, CHECK_ID, verdict, sentence(measurement, scene, located, agreement), **shared)


def _verdict(measurement: PixelMeasurement, scene: Scene, located: Located) -> Verdict:
    fit = located.fit
    outside = located.delta_chi2[0] > thresholds.value("region_delta_chi2")
    strong = fit.snr >= thresholds.value("snr_strong")
    if outside:
        sound = strong and is_one_star(fit) and not fit.at_edge
        repeated = measurement.n_transits >= thresholds.value("min_transits")
        certain = repeated and scene.from_catalogue and not is_with_displaced_star(scene, located)
        return Verdict.FAIL if sound and certain else Verdict.WARN
    if not strong or is_badly_fitted(fit):
        return Verdict.WARN
    if located.hosts is None:
        # Where a catalogue was asked and no star can be named, nobody knows whether the target is the most probable one.
        return Verdict.WARN if measurement.stack.neighbours_known else Verdict.PASS
    return Verdict.PASS if located.hosts.likeliest == 0 else Verdict.WARN


def _flags(measurement: PixelMeasurement, scene: Scene) -> list[str]:
    flags = []
    if scene.prf.kind == "gaussian":
        flags.append("PRF_GAUSSIAN")
    if not measurement.stack.neighbours_known:
        flags.append("NEIGHBOURS_UNKNOWN")
    if not scene.from_catalogue:
        flags.append("NO_WCS")
    return flags


def _stamps(measurement: PixelMeasurement, scene: Scene) -> dict[str, FloatArray]:
    """Difference image, its SNR, in-transit mean and depth map; NaN where a pixel has no value."""
    control, difference, sigma = measurement.control, measurement.difference, measurement.sigma
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.where(sigma > 0, difference / sigma, np.nan)
        # A star's flux in a pixel counts above the background; its error is that of the control mean, below the difference's.
        level = control - scene.background_level
        depth = np.where(level > thresholds.value("depth_map_min_snr") * sigma, PPM * difference / level, np.nan)
    depth = np.where(level > 0, depth, np.nan)
    return {
        "in_transit_mean": measurement.image(control - difference),
        "difference_image": measurement.image(difference),
        "difference_snr": measurement.image(snr),
        "depth_map_ppm": measurement.image(depth),
    }


def _sky_covariance(measurement: PixelMeasurement, covariance_px2: FloatArray) -> FloatArray | None:
    """Covariance of (RA cos Dec, Dec) in arcsec^2 from one of (row, column) in px^2."""
    matrix = measurement.stack.sky_per_pixel_arcsec
    if matrix is None or measurement.stack.wcs_disagrees:
        return None
    by_row_column = matrix[:, ::-1]
    return np.asarray(by_row_column @ covariance_px2 @ by_row_column.T, dtype=np.float64)


def error_along(offset: FloatArray, covariance: FloatArray) -> float:
    """One-sigma error of the length of an offset; the mean of both axes where the offset is nil."""
    length = float(np.hypot(*offset))
    if length < 1e-9:
        return math.sqrt(float(np.trace(covariance)) / 2)
    unit = offset / length
    return math.sqrt(float(unit @ covariance @ unit))


def _metrics(
    measurement: PixelMeasurement, scene: Scene, located: Located
) -> dict[str, tuple[float | int | None, str]]:
    fit = located.fit
    table: dict[str, tuple[float | int | None, str]] = {
        "source_row": (fit.row, "px"),
        "source_column": (fit.column, "px"),
        "source_row_err": (math.sqrt(located.covariance_px2[0, 0]), "px"),
        "source_column_err": (math.sqrt(located.covariance_px2[1, 1]), "px"),
        "offset_sigma": (sigma_of_delta(float(located.delta_chi2[0])), "sigma"),
        "quality": (fit.quality, ""),
        "snr": (fit.snr, ""),
        "snr_formal": (fit.snr_formal, ""),
        "target_delta_chi2": (float(located.delta_chi2[0]), ""),
        "target_probability": (located.hosts.probability[0] if located.hosts else None, ""),
    }
    offset = sky_offset_arcsec(measurement, fit.row - scene.row, fit.column - scene.column)
    covariance = _sky_covariance(measurement, located.covariance_px2)
    control = sky_offset_arcsec(measurement, fit.row - scene.source_row, fit.column - scene.source_column)
    # With the star's own image as PRF the light of the star stands at its catalogue position by definition.
    if control is not None and scene.prf.kind != "own_image":
        table["control_offset_arcsec"] = (math.hypot(*control), "arcsec")
    if offset is not None and covariance is not None and scene.from_catalogue:
        vector = np.array(offset)
        floor = thresholds.value("systematic_floor_arcsec")
        table |= {
            "offset_arcsec": (math.hypot(*offset), "arcsec"),
            "offset_ra_arcsec": (offset[0], "arcsec"),
            "offset_dec_arcsec": (offset[1], "arcsec"),
            "offset_err_stat_arcsec": (error_along(vector, covariance), "arcsec"),
            "offset_err_arcsec": (error_along(vector, covariance + floor**2 * np.eye(2)), "arcsec"),
        }
    return table


def _parameters(measurement: PixelMeasurement, scene: Scene, fit: SourceFit) -> dict[str, Any]:
    return parameters_of(
        measurement,
        search_radius_px=SEARCH_RADIUS_PX,
        covariance="white noise and jitter modes" if fit.with_modes else "diagonal",
        reduced_chi2=number(fit.reduced_chi2),
        one_star=is_one_star(fit),
        badly_fitted=is_badly_fitted(fit),
        control_correlation=number(scene.control_correlation),
        offsets_relative_to="catalogue position" if scene.from_catalogue else "control centroid",
        systematic_floor="included in target_delta_chi2, offset_sigma and region_3sigma",
    )


def _per_transit(measurement: PixelMeasurement, agreement: TransitAgreement | None = None) -> dict[str, Any]:
    """Each usable transit's brightest pixel, and its missing light at the fitted position."""
    peaks: list[dict[str, Any]] = [
        {"number": row.number, "row": row.peak_row, "column": row.peak_column} for row in measurement.rows if row.used
    ]
    if agreement is None:
        return {"per_transit_peaks": peaks}
    for peak, light in zip(peaks, agreement.light, strict=True):
        peak["missing_light"], peak["missing_light_err"] = number(light), number(agreement.error)
    return {"per_transit_peaks": peaks, "transits_agree_p_value": agreement.p_value}


def _details(measurement: PixelMeasurement, scene: Scene, located: Located) -> dict[str, Any]:
    fit, scale = located.fit, pixel_scale_arcsec(measurement)
    neighbours: list[dict[str, Any]] = []
    for i, star in enumerate(located.stars):
        entry: dict[str, Any] = {
            "star_id": star.star_id,
            "magnitude": star.magnitude,
            "row": star.row,
            "column": star.column,
            "separation_arcsec": star.separation_arcsec,
            "offset_arcsec": distance_arcsec(measurement, fit.row - star.row, fit.column - star.column),
            "offset_sigma": sigma_of_delta(float(located.delta_chi2[i])),
            "delta_chi2": float(located.delta_chi2[i]),
        }
        if located.required_depth is not None:
            entry["required_depth"] = located.required_depth[i]
        if located.hosts is not None:
            entry["probability"] = located.hosts.probability[i]
        sky = sky_offset_arcsec(measurement, star.row - scene.row, star.column - scene.column)
        if sky is not None:
            entry["ra_offset_arcsec"], entry["dec_offset_arcsec"] = sky
        neighbours.append(entry)
    nearest = min(neighbours, key=lambda entry: float(entry["offset_arcsec"]))
    if located.hosts is not None:
        neighbours.append({"star_id": "none of these", "probability": located.hosts.none_probability})
    details: dict[str, Any] = {
        "source": {"row": fit.row, "column": fit.column, "covariance_px2": located.covariance_px2.tolist()},
        "region_3sigma": _clipped(outline(located.region), measurement.stack.shape),
        "target": {"row": scene.row, "column": scene.column} if scene.from_catalogue else None,
        "control_source": {"row": scene.source_row, "column": scene.source_column},
        "prf": prf_details(scene),
        "neighbours": neighbours,
        "nearest": {"star_id": nearest["star_id"], "separation_arcsec": nearest["offset_arcsec"]},
        "resolution_radius_arcsec": math.sqrt(located.region.area_px2 / math.pi) * scale,
    }
    covariance = _sky_covariance(measurement, located.covariance_px2)
    if covariance is not None:
        details["covariance_arcsec2"] = covariance.tolist()
    return details


def _clipped(polygon: list[list[float]], shape: tuple[int, int]) -> list[list[float]]:
    """The polygon with its points moved onto the stamp, to a thousandth of a pixel."""
    points = [[min(max(row, -0.5), shape[0] - 0.5), min(max(column, -0.5), shape[1] - 0.5)] for row, column in polygon]
    return [[round(row, 3), round(column, 3)] for row, column in points]
