"""
Several sectors into one result per check.

V09 averages the offsets on the sky, robustly, and adds the systematic floor once, after averaging. V08 and V10 combine
independent probabilities (Fisher), V20 combines its excess in sigma (Stouffer, weighted by the number of transits): their
quantities depend on how the stamp lies on the sky, so they are not averaged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.hosts import HostInput, host_probabilities
from btv_report.checks.matched_windows import SMALLEST_P, sigma_of_p
from btv_report.checks.registry import CHECKS
from btv_report.checks.reporting import chance_words, few_transits_note, metrics_of, p_words, transit_words
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.v09_difference_image import error_along, region_words
from btv_report.checks.v10_aperture_dependence import CONSTANT, CONSTANT_NOTE

HUBER_LIMIT = 2.0
# What the combination of a single sector repeats of its details; the rest stands with the sector.
_KEPT_ALONE = ("neighbours", "nearest", "resolution_radius_arcsec")
N_ITERATIONS = 20


def combine_sectors(results_by_sector: Mapping[int, Iterable[CheckResult]]) -> tuple[CheckResult, ...]:
    """
    Combine the results of one candidate over sectors.

    Parameters
    ----------
    results_by_sector : sector -> results of that sector

    Returns
    -------
    tuple of CheckResult
        One per check that any sector has, with sector None. Sectors that were not run do not count; when none was run, the
        combined result is `not_run` as well.
    """
    table: dict[str, list[CheckResult]] = {check_id: [] for check_id in CHECKS}
    for _, results in sorted(results_by_sector.items()):
        for result in results:
            table.setdefault(result.check_id, []).append(result)
    return tuple(_combine(check_id, results) for check_id, results in table.items() if results)


def _combine(check_id: str, results: Sequence[CheckResult]) -> CheckResult:
    ran = [result for result in results if result.verdict is not Verdict.NOT_RUN]
    if check_id == "V09":
        ran = [result for result in ran if "covariance_arcsec2" in result.details] or ran
    if not ran:
        reason = _reason_in_none(results)
        return _result(check_id, results, Verdict.NOT_RUN, f"Not run: {reason}", reason=reason)
    if len(ran) == 1:
        return _one_sector(check_id, ran[0], results)
    how = {"V08": _combine_v08, "V09": _combine_v09, "V10": _combine_v10, "V20": _combine_v20}[check_id]
    return how(ran, results)


def _reason_in_none(results: Sequence[CheckResult]) -> str:
    """The sectors' own reasons; sectors whose reasons differ by the sector's number only share one."""
    by_reason: dict[str, list[CheckResult]] = {}
    for result in results:
        reason = _reason(result).replace(f"sector {result.sector}", "the sector")
        by_reason.setdefault(reason, []).append(result)
    if len(results) == 1:
        return f"The check was not run in the one sector at hand. {_reason(results[0])}"
    told = []
    for reason, group in by_reason.items():
        sectors = ", ".join(str(result.sector) for result in group)
        told.append(_reason(group[0]) if len(group) == 1 else f"In sectors {sectors}: {reason}")
    every = ", ".join(str(result.sector) for result in results)
    return f"The check was run in none of the sectors ({every}). {' '.join(told)}"


def _reason(result: CheckResult) -> str:
    return f"{(result.reason or 'No reason was given').rstrip('.')}."


def _result(check_id: str, results: Sequence[CheckResult], verdict: Verdict, summary: str, **parts: Any) -> CheckResult:
    return CheckResult(
        check_id=check_id,
        candidate=results[0].candidate,
        sector=None,
        verdict=verdict,
        summary=summary,
        method_version=thresholds.METHOD_VERSION,
        **parts,
    )


def _one_sector(check_id: str, only: CheckResult, results: Sequence[CheckResult]) -> CheckResult:
    """The one sector that was run, said to be the only one."""
    details = {name: only.details[name] for name in _KEPT_ALONE if name in only.details}
    return _result(
        check_id,
        results,
        only.verdict,
        f"One sector only. {only.summary}",
        metrics=only.metrics,
        flags=(*only.flags, "ONE_SECTOR"),
        thresholds=only.thresholds,
        parameters={"sectors": [only.sector], "sectors_not_run": _missing(results), "combination": "one sector only"},
        details=details,
    )


def _missing(results: Sequence[CheckResult]) -> list[int | None]:
    return [result.sector for result in results if result.verdict is Verdict.NOT_RUN]


def _parameters(ran: Sequence[CheckResult], results: Sequence[CheckResult], how: str) -> dict[str, Any]:
    return {"sectors": [r.sector for r in ran], "sectors_not_run": _missing(results), "combination": how}


def _sectors(ran: Sequence[CheckResult]) -> str:
    return f"{len(ran)} sectors ({', '.join(str(result.sector) for result in ran)})"


def _metric(result: CheckResult, name: str) -> float | None:
    metric = result.metrics.get(name)
    return None if metric is None else float(metric.value)


def _values(ran: Sequence[CheckResult], name: str) -> FloatArray:
    """The metric of the sectors that have it."""
    found = [_metric(result, name) for result in ran]
    return np.array([value for value in found if value is not None])


def _n_transits(ran: Sequence[CheckResult]) -> int:
    """Usable transits over all sectors."""
    return sum(n_transits_of(result) for result in ran)


def n_transits_of(result: CheckResult) -> int:
    """Number of transits a sector's result rests on."""
    return int(result.parameters.get("n_transits_used", 0))


def _flags(ran: Sequence[CheckResult], keep: Sequence[str]) -> tuple[str, ...]:
    flags = ["LOW_TRANSITS"] if _n_transits(ran) < thresholds.value("min_transits") else []
    flags += [flag for flag in (*keep, "MASK_SENSITIVE") if any(flag in result.flags for result in ran)]
    return tuple(flags)


def fisher_p(p_values: FloatArray) -> float:
    """Fisher's combination of independent probabilities; never 0."""
    from scipy.special import chdtrc

    statistic = -2 * float(np.log(np.maximum(p_values, SMALLEST_P)).sum())
    return min(1.0, max(float(chdtrc(2 * len(p_values), statistic)), SMALLEST_P))


def _p_verdict(p_value: float, may_fail: bool) -> Verdict:
    if p_value < thresholds.value("p_fail") and may_fail:
        return Verdict.FAIL
    return Verdict.WARN if p_value < thresholds.value("p_warn") else Verdict.PASS


def _combine_v08(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    p_value = fisher_p(_values(ran, "p_value"))
    n = _n_transits(ran)
    verdict = _p_verdict(p_value, n >= thresholds.value("min_transits"))
    finding = {
        Verdict.FAIL: "The centre of light moves in transit",
        Verdict.WARN: "The centre of light may move in transit",
    }.get(verdict, "No shift of the centre of light in transit stands out of the noise")
    text = f"{finding}: {chance_words(p_value, sigma_of_p(p_value))} over {_sectors(ran)}, {transit_words(n)}."
    if verdict is Verdict.PASS:
        text += " This does not place the signal on the target."
    windows = _values(ran, "n_independent_windows")
    return _result(
        "V08",
        results,
        verdict,
        text + few_transits_note(n),
        metrics=metrics_of(
            {
                "p_value": (p_value, ""),
                "significance_sigma": (sigma_of_p(p_value), "sigma"),
                "n_transits_used": (n, "transits"),
                "n_independent_windows": (float(windows.sum()), "windows"),
            }
        ),
        flags=_flags(ran, ("APERTURE_SENSITIVE", "EDGE", "WCS_DISAGREES")),
        thresholds=thresholds.used("p_fail", "p_warn", "min_transits"),
        parameters=_parameters(ran, results, "Fisher's method on the sectors' p values"),
    )


def _combine_v10(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    p_value = fisher_p(_values(ran, "chi2_p_value"))
    slopes = _values(ran, "slope_ppm_per_px")
    errors = np.array([float(result.parameters["slope_err_ppm_per_px"]) for result in ran])
    weights = 1 / np.maximum(errors, 1e-12) ** 2
    slope = float((slopes * weights).sum() / weights.sum())
    n = _n_transits(ran)
    verdict = _p_verdict(p_value, slope > 0)
    trend = "grows outwards more than" if slope > 0 else "falls outwards more than"
    if verdict is Verdict.PASS:
        finding = "The depth follows the growth curve of a signal on the target"
    else:
        finding = f"The depth {trend} that of a signal on the target"
    text = f"{finding} ({p_words(p_value)} over {_sectors(ran)}, {transit_words(n)})."
    if all(result.parameters.get("expected_curve") == CONSTANT for result in ran):
        text += CONSTANT_NOTE
    return _result(
        "V10",
        results,
        verdict,
        text + few_transits_note(n),
        metrics=metrics_of({"chi2_p_value": (p_value, ""), "slope_ppm_per_px": (slope, "ppm/px")}),
        flags=_flags(ran, ("NEIGHBOURS_UNKNOWN", "EDGE", "WCS_DISAGREES")),
        thresholds=thresholds.used("p_fail", "p_warn"),
        parameters=_parameters(ran, results, "Fisher's method on the sectors' p values; weighted mean of the slopes"),
    )


def _combine_v20(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    weights = np.sqrt([max(n_transits_of(result), 1) for result in ran])
    norm = float(np.sqrt((weights**2).sum()))
    core, halo, excess, snr = (
        float(_values(ran, name) @ weights) / norm
        for name in ("core_correlation", "halo_correlation", "halo_excess_sigma", "snr")
    )
    n = _n_transits(ran)
    strong = snr >= thresholds.value("snr_strong")
    verdict = Verdict.PASS
    if excess > thresholds.value("halo_excess_warn_sigma" if strong else "halo_excess_fail_sigma"):
        verdict = Verdict.WARN
    if excess > thresholds.value("halo_excess_fail_sigma") and strong:
        verdict = Verdict.FAIL
    numbers = f"core {core:.1f} sigma, halo {halo:.1f} sigma over {_sectors(ran)}, {transit_words(n)}"
    if verdict is Verdict.PASS:
        text = f"The signal is concentrated in the aperture, as that of a star is ({numbers})."
    else:
        text = (
            f"The signal is stronger about the aperture than in it ({numbers}): a ghost, scattered light or a source outside "
            "the aperture."
        )
    return _result(
        "V20",
        results,
        verdict,
        text + few_transits_note(n),
        metrics=metrics_of(
            {
                "snr": (snr, ""),
                "core_correlation": (core, "sigma"),
                "halo_correlation": (halo, "sigma"),
                "halo_excess_sigma": (excess, "sigma"),
            }
        ),
        flags=_flags(ran, ("EDGE", "WCS_DISAGREES")),
        thresholds=thresholds.used("halo_excess_fail_sigma", "halo_excess_warn_sigma", "snr_strong"),
        parameters=_parameters(ran, results, "Stouffer's method, weighted by the root of the number of transits"),
    )


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


def _combine_v09(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    if any("covariance_arcsec2" not in result.details for result in ran):
        reason = "No sector has usable coordinates, so offsets of different sectors cannot be averaged."
        return _result("V09", results, Verdict.NOT_RUN, f"Not run: {reason}", reason=reason)
    offsets = np.array([[_metric(r, "offset_ra_arcsec"), _metric(r, "offset_dec_arcsec")] for r in ran], dtype=float)
    covariances = np.array([result.details["covariance_arcsec2"] for result in ran], dtype=float)
    mean, stat = robust_mean_offset(offsets, covariances)
    covariance = stat + thresholds.value("systematic_floor_arcsec") ** 2 * np.eye(2)
    snr = float(np.sqrt((_values(ran, "snr") ** 2).sum()))
    stars = _combined_stars(ran, mean, covariance)
    none = _weigh_hosts(ran, stars, covariance, snr)
    delta = float(stars[0]["delta_chi2"])
    quality = float(np.median(_values(ran, "quality")))
    n = _n_transits(ran)
    verdict = _v09_verdict(ran, delta, snr, n, stars)
    sigma = sigma_of_p(math.exp(-0.5 * min(delta, 1380.0)))
    length = float(np.hypot(*mean))
    outside = delta > thresholds.value("region_delta_chi2")
    place = "lies away from" if outside else "is consistent with"
    text = (
        f"The source of the signal {place} the target: {length:.1f} ± {error_along(mean, covariance):.1f} arcsec from its "
        f"catalogue position, {region_words(outside, sigma)}, {transit_words(n)} in {_sectors(ran)}."
    )
    if snr < thresholds.value("snr_strong"):
        text += f" The signal is weak (SNR {snr:.1f})."
    likeliest = _likeliest(stars)
    if likeliest is not None and likeliest is not stars[0]:
        text += f" By position and needed depth, {likeliest['star_id']} is a likelier host than the target."
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
    return _result(
        "V09",
        results,
        verdict,
        text + few_transits_note(n),
        metrics=metrics_of(metrics),
        flags=(*_flags(ran, ("NEIGHBOURS_UNKNOWN", "PRF_GAUSSIAN")), *(("LOW_SNR",) if snr < 8 else ())),
        thresholds=thresholds.used(
            "region_delta_chi2", "snr_strong", "quality_good", "min_transits", "systematic_floor_arcsec"
        ),
        parameters=_parameters(ran, results, how),
        details={
            "covariance_arcsec2": covariance.tolist(),
            "neighbours": [*stars, *([] if none is None else [{"star_id": "none of these", "probability": none}])],
            "nearest": {"star_id": nearest["star_id"], "separation_arcsec": nearest["offset_arcsec"]},
            "resolution_radius_arcsec": math.sqrt(
                thresholds.value("region_delta_chi2") * math.sqrt(float(np.linalg.det(covariance)))
            ),
        },
    )


def _v09_verdict(
    ran: Sequence[CheckResult], delta: float, snr: float, n: int, stars: Sequence[Mapping[str, Any]]
) -> Verdict:
    strong = snr >= thresholds.value("snr_strong")
    if delta > thresholds.value("region_delta_chi2"):
        sound = strong and _is_one_star(ran) and n >= thresholds.value("min_transits")
        return Verdict.FAIL if sound else Verdict.WARN
    bad = 2 * sum(bool(result.parameters.get("badly_fitted")) for result in ran) > len(ran)
    return Verdict.PASS if strong and not bad and _likeliest(stars) in (None, stars[0]) else Verdict.WARN


def _is_one_star(ran: Sequence[CheckResult]) -> bool:
    """Whether at least half of the sectors' difference images are those of one star."""
    return 2 * sum(bool(result.parameters.get("one_star")) for result in ran) >= len(ran)


def _likeliest(stars: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The star most probable to be the host; None where no probabilities can be given."""
    weighed = [star for star in stars if "probability" in star]
    return max(weighed, key=lambda star: float(star["probability"]), default=None)


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
                "offset_sigma": sigma_of_p(math.exp(-0.5 * min(delta, 1380.0))),
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
    if not _is_one_star(ran) or all("NEIGHBOURS_UNKNOWN" in result.flags for result in ran):
        return None
    inputs = [HostInput(star["delta_chi2"], star["required_depth"], 1.0 / max(snr, 1e-3)) for star in stars]
    # The integral of exp(-delta chi2 / 2) over the sky is 2 pi sqrt(det C); the search circle is about 95 arcsec wide.
    evidence = 2 * math.pi * math.sqrt(float(np.linalg.det(covariance))) / (math.pi * 94.5**2)
    probabilities, none = host_probabilities(inputs, evidence)
    for star, probability in zip(stars, probabilities, strict=True):
        star["probability"] = probability
    return none
