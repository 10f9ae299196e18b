"""Combined V09: the offsets on the sky averaged robustly, the systematic floor added once, every star held against the mean."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.combined_result import (
    combined_flags,
    combined_parameters,
    combined_result,
    metric_of,
    n_transits,
    sector_words,
    values_of,
)
from btv_report.checks.difference_image import SEARCH_RADIUS_PX
from btv_report.checks.hosts import HostInput, host_probabilities
from btv_report.checks.region import sigma_of_delta
from btv_report.checks.reporting import few_transits_note, metrics_of, transit_words
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import NOMINAL_PIXEL_ARCSEC
from btv_report.checks.v09_difference_image import error_along
from btv_report.checks.v09_sentences import region_words

DISPLACED = "WCS_DISAGREES"
"""Of a sector with an offset on the sky: its target stands away from the catalogue's place, and the signal with it."""
HUBER_LIMIT = 2.0
N_ITERATIONS = 20


def robust_mean_offset(offsets: FloatArray, covariances: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Robust weighted mean of offsets on the sky.

    Parameters
    ----------
    offsets : shape (k, 2), arcsec
    covariances : shape (k, 2, 2), arcsec^2, without the systematic floor

    Returns
    -------
    mean, covariance
        Huber weights on the distance of each sector from the mean (limit 2 sigma); the covariance is scaled by the
        reduced chi-squared of the sectors about their mean where that exceeds 1.
    """
    precision = np.linalg.inv(covariances)
    weights = np.ones(len(offsets))
    mean = np.median(offsets, axis=0)
    for _ in range(N_ITERATIONS):
        rest = offsets - mean
        distance = np.sqrt(np.maximum(np.einsum("ki,kij,kj->k", rest, precision, rest), 1e-12))
        weights = np.minimum(1.0, HUBER_LIMIT / distance)
        total = np.einsum("k,kij->ij", weights, precision)
        mean = np.linalg.solve(total, np.einsum("k,kij,kj->i", weights, precision, offsets))
    rest = offsets - mean
    chi2 = float(np.einsum("k,ki,kij,kj->", weights, rest, precision, rest))
    scale = max(1.0, chi2 / max(2 * len(offsets) - 2, 1))
    return mean, np.linalg.inv(np.einsum("k,kij->ij", weights, precision)) * scale


def combine_v09(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    if any("covariance_arcsec2" not in result.details for result in ran):
        reason = "No sector has usable coordinates, so offsets of different sectors cannot be averaged."
        return combined_result("V09", results, Verdict.NOT_RUN, f"Not run: {reason}", reason=reason)
    offsets = np.array(
        [[metric_of(r, "offset_ra_arcsec"), metric_of(r, "offset_dec_arcsec")] for r in ran], dtype=float
    )
    covariances = np.array([result.details["covariance_arcsec2"] for result in ran], dtype=float)
    mean, stat = robust_mean_offset(offsets, covariances)
    covariance = stat + thresholds.value("systematic_floor_arcsec") ** 2 * np.eye(2)
    snr = float(np.sqrt((values_of(ran, "snr") ** 2).sum()))
    stars = _combined_stars(ran, mean, covariance)
    none = _weigh_hosts(ran, stars, covariance, snr)
    delta = float(stars[0]["delta_chi2"])
    quality = float(np.median(values_of(ran, "quality")))
    n = n_transits(ran)
    verdict = _v09_verdict(ran, delta, snr, n, _likeliest(stars, none))
    sigma = sigma_of_delta(delta)
    length = float(np.hypot(*mean))
    outside = delta > thresholds.value("region_delta_chi2")
    place = "lies away from" if outside else "is consistent with"
    opening = f"The source of the signal {place} the target: "
    if not _is_one_star(ran):
        opening = "The missing light cannot be placed on one star; the best place of a single source lies "
    text = (
        f"{opening}{length:.1f} ± {error_along(mean, covariance):.1f} arcsec from the target's catalogue position, "
        f"{region_words(outside, sigma)}, {transit_words(n)} in {sector_words(ran)}."
    )
    if snr < thresholds.value("snr_strong"):
        text += f" The signal is weak (SNR {snr:.1f})."
    likeliest = _likeliest(stars, none)
    if likeliest not in (None, stars[0]["star_id"]):
        text += f" By position and needed depth, {likeliest} is a likelier host than the target."
    if not _is_one_star(ran):
        text += (
            f" The difference images are not clearly those of one star (correlation {quality:.2f}), so none is named."
        )
    metrics: dict[str, tuple[float | int | None, str]] = {
        "offset_arcsec": (length, "arcsec"),
        "offset_ra_arcsec": (float(mean[0]), "arcsec"),
        "offset_dec_arcsec": (float(mean[1]), "arcsec"),
        "offset_err_stat_arcsec": (error_along(mean, stat), "arcsec"),
        "offset_err_arcsec": (error_along(mean, covariance), "arcsec"),
        "offset_sigma": (sigma, "sigma"),
        "quality": (quality, ""),
        "snr": (snr, ""),
        "target_delta_chi2": (delta, ""),
        "target_probability": (stars[0].get("probability"), ""),
    }
    how = (
        "robust (Huber) weighted mean of RA and Dec offsets; 2.5 arcsec floor per component added once, after averaging"
    )
    nearest = min(stars, key=lambda star: float(star["offset_arcsec"]))
    return combined_result(
        "V09",
        results,
        verdict,
        text + few_transits_note(n),
        metrics=metrics_of(metrics),
        flags=(
            *combined_flags(ran, ("NEIGHBOURS_UNKNOWN", "PRF_GAUSSIAN", DISPLACED)),
            *(("LOW_SNR",) if snr < thresholds.value("snr_strong") else ()),
        ),
        thresholds=thresholds.used(
            "region_delta_chi2", "snr_strong", "quality_good", "min_transits", "systematic_floor_arcsec"
        ),
        parameters=combined_parameters(ran, results, how),
        details={
            "covariance_arcsec2": covariance.tolist(),
            "neighbours": [*stars, *([] if none is None else [{"star_id": "none of these", "probability": none}])],
            "nearest": {"star_id": nearest["star_id"], "separation_arcsec": nearest["offset_arcsec"]},
            "resolution_radius_arcsec": math.sqrt(
                thresholds.value("region_delta_chi2") * math.sqrt(float(np.linalg.det(covariance)))
            ),
        },
    )


def _v09_verdict(ran: Sequence[CheckResult], delta: float, snr: float, n: int, likeliest: str | None) -> Verdict:
    strong = snr >= thresholds.value("snr_strong")
    if delta > thresholds.value("region_delta_chi2"):
        displaced = 2 * sum(DISPLACED in result.flags for result in ran) >= len(ran)
        sound = strong and _is_one_star(ran) and n >= thresholds.value("min_transits") and not displaced
        return Verdict.FAIL if sound else Verdict.WARN
    bad = 2 * sum(bool(result.parameters.get("badly_fitted")) for result in ran) > len(ran)
    # Where a catalogue was asked and no star can be named, nobody knows whether the target is the most probable one.
    on_target = likeliest == "target" or (likeliest is None and not _catalogue_asked(ran))
    return Verdict.PASS if strong and not bad and on_target else Verdict.WARN


def _catalogue_asked(ran: Sequence[CheckResult]) -> bool:
    """Whether any sector had a catalogue of neighbours."""
    return not all("NEIGHBOURS_UNKNOWN" in result.flags for result in ran)


def _is_one_star(ran: Sequence[CheckResult]) -> bool:
    """Whether at least half of the sectors' difference images are those of one star."""
    return 2 * sum(bool(result.parameters.get("one_star")) for result in ran) >= len(ran)


def _likeliest(stars: Sequence[Mapping[str, Any]], none: float | None) -> str | None:
    """What is most probably the host, a star or none of them, in words; None where no probabilities can be given."""
    if none is None:
        return None
    best = max(stars, key=lambda star: float(star["probability"]))
    return str(best["star_id"]) if float(best["probability"]) >= none else "a source in no catalogue"


def _combined_stars(ran: Sequence[CheckResult], mean: FloatArray, covariance: FloatArray) -> list[dict[str, Any]]:
    """Every star of any sector against the mean offset; the target first."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for result in ran:
        for star in result.details["neighbours"]:
            if "ra_offset_arcsec" in star:
                found.setdefault(star["star_id"], []).append(star)
    precision = np.linalg.inv(covariance)
    stars: list[dict[str, Any]] = []
    for star_id, entries in found.items():
        place = np.mean([[e["ra_offset_arcsec"], e["dec_offset_arcsec"]] for e in entries], axis=0)
        rest = mean - place
        depths = [float(e["required_depth"]) for e in entries if e.get("required_depth") is not None]
        delta = float(rest @ precision @ rest)
        stars.append(
            {
                "star_id": star_id,
                "magnitude": entries[0]["magnitude"],
                "separation_arcsec": entries[0]["separation_arcsec"],
                "offset_arcsec": float(np.hypot(*rest)),
                "offset_sigma": sigma_of_delta(delta),
                "delta_chi2": delta,
            }
        )
        if _is_one_star(ran):
            stars[-1]["required_depth"] = float(np.median(depths)) if depths else None
    return stars


def _weigh_hosts(
    ran: Sequence[CheckResult], stars: Sequence[dict[str, Any]], covariance: FloatArray, snr: float
) -> float | None:
    """
    Give each star its probability, and return that of none of them.

    None, and no probabilities, where the images are not those of one star or no sector had a catalogue of neighbours.
    """
    if not _is_one_star(ran) or not _catalogue_asked(ran):
        return None
    inputs = [HostInput(star["delta_chi2"], star["required_depth"], 1.0 / max(snr, 1e-3)) for star in stars]
    # The integral of exp(-delta chi2 / 2) over the sky is 2 pi sqrt(det C).
    circle = math.pi * (SEARCH_RADIUS_PX * NOMINAL_PIXEL_ARCSEC) ** 2
    evidence = 2 * math.pi * math.sqrt(float(np.linalg.det(covariance))) / circle
    probabilities, none = host_probabilities(inputs, evidence)
    for star, probability in zip(stars, probabilities, strict=True):
        star["probability"] = probability
    return none
