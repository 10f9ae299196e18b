"""
V09: where does the light go missing?

The transit source is located in the difference image by a PRF fit; the target, every catalogued neighbour and "none of
these" are held against the region the fit allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.difference_image import PPM, SEARCH_RADIUS_PX, PixelMeasurement, peak_pixel
from btv_report.checks.hosts import HostInput, host_probabilities, uncatalogued_evidence
from btv_report.checks.inputs import StackStar
from btv_report.checks.matched_windows import sigma_of_p
from btv_report.checks.region import Region, floored_delta_chi2, map_region, outline
from btv_report.checks.reporting import (
    abstention,
    conclude,
    few_transits_note,
    metrics_of,
    number,
    parameters_of,
    pixel_scale_arcsec,
    plot_data,
    reason_to_abstain,
    sky_offset_arcsec,
    transit_words,
)
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import Scene
from btv_report.checks.source_fit import SourceFit, fit_source

CHECK_ID = "V09"
MAX_NEIGHBOURS = 60
NEIGHBOUR_MARGIN_PX = 2.0
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
    "depth_map_min_snr",
)


@dataclass(frozen=True)
class Located:
    """
    The fit, its region, and every star held against them; the target is the first star.

    `required_depth` is None where the fit is not that of one star; `hosts` is None there, and where no catalogue of
    neighbours was asked, because then there is nothing to compare the target with.
    """

    fit: SourceFit
    region: Region
    stars: tuple[StackStar, ...]
    delta_chi2: FloatArray
    required_depth: tuple[float | None, ...] | None
    hosts: Hosts | None


@dataclass(frozen=True)
class Hosts:
    """Probabilities of being the host, one per star, and of none of them; they sum to 1."""

    probability: tuple[float, ...]
    none_probability: float

    @property
    def likeliest(self) -> int:
        """Number of the most probable star; the target is 0."""
        return int(np.argmax(self.probability))


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
    located = locate(measurement, scene, fit)
    shared["metrics"] = metrics_of({**base, **_metrics(measurement, scene, located)})
    shared["details"] = {**_details(measurement, scene, located), **_per_transit(measurement), **pictures}
    shared["parameters"] = _parameters(measurement, scene, fit)
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
    return conclude(measurement, scene, CHECK_ID, verdict, _sentence(measurement, scene, located, verdict), **shared)


def locate(measurement: PixelMeasurement, scene: Scene, fit: SourceFit) -> Located:
    """Map the region and weigh target, neighbours and none of them."""
    floor_px = thresholds.value("systematic_floor_arcsec") / pixel_scale_arcsec(measurement)
    region = map_region(fit, scene, floor_px)
    reach = SEARCH_RADIUS_PX + NEIGHBOUR_MARGIN_PX
    stack = measurement.stack
    indexed = [
        (i, star)
        for i, star in enumerate(stack.neighbours)
        if math.hypot(star.row - scene.row, star.column - scene.column) <= reach
    ][:MAX_NEIGHBOURS]
    stars = (StackStar("target", scene.row, scene.column, stack.tmag, 0.0), *(star for _, star in indexed))
    rows, columns = np.array([star.row for star in stars]), np.array([star.column for star in stars])
    delta = floored_delta_chi2(fit, region, rows, columns)
    if not is_one_star(fit):
        return Located(fit, region, stars, delta, None, None)
    fluxes = (scene.target_flux, *(scene.star_flux[i] for i, _ in indexed))
    _, amplitudes = fit.landscape.chi2_and_amplitude(rows, columns)
    # The missing light is that of the fitted source; what a star far from it would fit there is no estimate of its depth.
    depth = tuple(
        None if flux is None or flux <= 0 else max(float(amplitude), fit.amplitude * 1e-3) / flux
        for amplitude, flux in zip(amplitudes, fluxes, strict=True)
    )
    if not stack.neighbours_known:
        return Located(fit, region, stars, delta, depth, None)
    hosts = [HostInput(float(d), need, 1.0 / fit.snr) for d, need in zip(delta, depth, strict=True)]
    evidence = uncatalogued_evidence(region.floored, region.step_px, SEARCH_RADIUS_PX)
    probabilities, none = host_probabilities(hosts, evidence)
    return Located(fit, region, stars, delta, depth, Hosts(tuple(probabilities), none))


def is_badly_fitted(fit: SourceFit) -> bool:
    """Whether the difference image contradicts a single point source, more than an imperfect PRF explains."""
    clear = fit.quality >= thresholds.value("clear_fit_quality")
    return not clear and fit.reduced_chi2 > thresholds.value("bad_fit_reduced_chi2")


def is_one_star(fit: SourceFit) -> bool:
    """Whether the difference image is that of one star, so that its place and its light say which."""
    return fit.quality >= thresholds.value("quality_good") and not is_badly_fitted(fit)


def _verdict(measurement: PixelMeasurement, scene: Scene, located: Located) -> Verdict:
    fit = located.fit
    outside = located.delta_chi2[0] > thresholds.value("region_delta_chi2")
    strong = fit.snr >= thresholds.value("snr_strong")
    if outside:
        sound = strong and is_one_star(fit) and not fit.at_edge
        repeated = measurement.n_transits >= thresholds.value("min_transits")
        return Verdict.FAIL if sound and repeated and scene.from_catalogue else Verdict.WARN
    if not strong or is_badly_fitted(fit):
        return Verdict.WARN
    return Verdict.WARN if located.hosts and located.hosts.likeliest else Verdict.PASS


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
        "source_row_err": (math.sqrt(fit.covariance_px2[0, 0]), "px"),
        "source_column_err": (math.sqrt(fit.covariance_px2[1, 1]), "px"),
        "offset_sigma": (_sigma_of_delta(float(located.delta_chi2[0])), "sigma"),
        "quality": (fit.quality, ""),
        "snr": (fit.snr, ""),
        "snr_formal": (fit.snr_formal, ""),
        "target_delta_chi2": (float(located.delta_chi2[0]), ""),
        "target_probability": (located.hosts.probability[0] if located.hosts else None, ""),
    }
    offset = sky_offset_arcsec(measurement, fit.row - scene.row, fit.column - scene.column)
    covariance = _sky_covariance(measurement, fit.covariance_px2)
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


def _sigma_of_delta(delta_chi2: float) -> float:
    """Two-sided Gaussian equivalent of a delta-chi-squared of two parameters."""
    return sigma_of_p(math.exp(-0.5 * min(delta_chi2, 1380.0)))


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


def _per_transit(measurement: PixelMeasurement) -> dict[str, Any]:
    return {
        "per_transit_peaks": [
            {"number": row.number, "row": row.peak_row, "column": row.peak_column}
            for row in measurement.rows
            if row.used
        ]
    }


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
            "offset_arcsec": _distance_arcsec(measurement, fit.row - star.row, fit.column - star.column),
            "offset_sigma": _sigma_of_delta(float(located.delta_chi2[i])),
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
        "source": {"row": fit.row, "column": fit.column, "covariance_px2": fit.covariance_px2.tolist()},
        "region_3sigma": _clipped(outline(located.region), measurement.stack.shape),
        "target": {"row": scene.row, "column": scene.column} if scene.from_catalogue else None,
        "control_source": {"row": scene.source_row, "column": scene.source_column},
        "prf": {"kind": scene.prf.kind, "description": scene.prf.description},
        "neighbours": neighbours,
        "nearest": {"star_id": nearest["star_id"], "separation_arcsec": nearest["offset_arcsec"]},
        "resolution_radius_arcsec": math.sqrt(located.region.area_px2 / math.pi) * scale,
    }
    covariance = _sky_covariance(measurement, fit.covariance_px2)
    if covariance is not None:
        details["covariance_arcsec2"] = covariance.tolist()
    return details


def _clipped(polygon: list[list[float]], shape: tuple[int, int]) -> list[list[float]]:
    """The polygon with its points moved onto the stamp, to a thousandth of a pixel."""
    points = [[min(max(row, -0.5), shape[0] - 0.5), min(max(column, -0.5), shape[1] - 0.5)] for row, column in polygon]
    return [[round(row, 3), round(column, 3)] for row, column in points]


def _distance_arcsec(measurement: PixelMeasurement, d_row: float, d_column: float) -> float:
    """Length of an offset on the sky; with the nominal pixel scale where there is no WCS."""
    sky = sky_offset_arcsec(measurement, d_row, d_column)
    if sky is None:
        return math.hypot(d_row, d_column) * pixel_scale_arcsec(measurement)
    return math.hypot(*sky)


def region_words(outside: bool, sigma: float) -> str:
    """Whether a position is in the source's region; its sigma is that of the region, not of the distance's error."""
    return f"{'outside' if outside else 'inside'} its 3-sigma region ({sigma:.1f} sigma in two dimensions)"


def _star_name(star: StackStar) -> str:
    return "the target" if star.star_id == "target" else star.star_id


def _sentence(measurement: PixelMeasurement, scene: Scene, located: Located, verdict: Verdict) -> str:
    fit, n, sector = located.fit, measurement.n_transits, measurement.stack.sector
    distances = [_distance_arcsec(measurement, fit.row - s.row, fit.column - s.column) for s in located.stars]
    place = "catalogue position" if scene.from_catalogue else "control centroid (there is no usable WCS)"
    sigma = _sigma_of_delta(float(located.delta_chi2[0]))
    outside = located.delta_chi2[0] > thresholds.value("region_delta_chi2")
    where = f"{distances[0]:.1f} arcsec from the target's {place}, {region_words(outside, sigma)}"
    nearest = int(np.argmin(distances))
    # A difference image that no single star makes names none: the fitted place is that of no star.
    single = is_one_star(fit)
    if outside:
        text = f"The source of the signal lies away from the target: {where}, {transit_words(n)} in sector {sector}."
    else:
        radius = math.sqrt(located.region.area_px2 / math.pi) * pixel_scale_arcsec(measurement)
        text = (
            f"The source of the signal is consistent with the target: {where}, {transit_words(n)} in sector {sector}. Stars "
            f"within about {radius:.0f} arcsec of it cannot be told apart at this SNR."
        )
    if single and (nearest or measurement.stack.neighbours_known):
        text += f" The nearest star is {_star_name(located.stars[nearest])}, {distances[nearest]:.1f} arcsec from it."
    if fit.snr < thresholds.value("snr_strong"):
        text += f" The signal is weak (SNR {fit.snr:.1f}), so its place is uncertain."
    if located.hosts and located.hosts.likeliest:
        likeliest = _star_name(located.stars[located.hosts.likeliest])
        text += f" By position and needed depth, {likeliest} is a likelier host than the target."
    if not single:
        text += (
            f" The difference image is not clearly that of one star (correlation {fit.quality:.2f}), so none is named."
        )
    if fit.at_edge:
        text += " The best position lies on the border of the search, so the true source may lie beyond it."
    return text + few_transits_note(n)
