"""
Combined significances: independent probabilities by Fisher's method (V08, V10), an excess in sigma by Stouffer's (V20).

Their quantities depend on how the stamp lies on the sky, so they are not averaged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.combined_result import (
    combined_flags,
    combined_parameters,
    combined_result,
    n_transits,
    n_transits_of,
    sector_words,
    values_of,
)
from btv_report.checks.matched_windows import SMALLEST_P, sigma_of_p
from btv_report.checks.reporting import chance_words, few_transits_note, metrics_of, p_words, transit_words
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.v10_aperture_dependence import CONSTANT, CONSTANT_NOTE

AS_ON_TARGET = "SHIFT_AS_ON_TARGET"


def fisher_p(p_values: FloatArray) -> float:
    """Fisher's combination of independent probabilities; never 0."""
    from scipy.special import chdtrc

    statistic = -2 * float(np.log(np.maximum(p_values, SMALLEST_P)).sum())
    return min(1.0, max(float(chdtrc(2 * len(p_values), statistic)), SMALLEST_P))


def _p_verdict(p_value: float, may_fail: bool) -> Verdict:
    if p_value < thresholds.value("p_fail") and may_fail:
        return Verdict.FAIL
    return Verdict.WARN if p_value < thresholds.value("p_warn") else Verdict.PASS


def combine_v08(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    p_value = fisher_p(values_of(ran, "p_value"))
    n = n_transits(ran)
    verdict = _p_verdict(p_value, n >= thresholds.value("min_transits"))
    finding = {
        Verdict.FAIL: "The centre of light moves in transit",
        Verdict.WARN: "The centre of light may move in transit",
    }.get(verdict, "No shift of the centre of light in transit stands out of the noise")
    text = f"{finding}: {chance_words(p_value, sigma_of_p(p_value))} over {sector_words(ran)}, {transit_words(n)}."
    # A sector of a record made before its depth was kept counts as one in which the signal is seen.
    snr = math.hypot(*(max(float(result.details.get("depth_snr", math.inf)), 0.0) for result in ran))
    explained = verdict is not Verdict.PASS and _all_as_on_target(ran)
    if verdict is Verdict.PASS and snr < thresholds.value("snr_detect"):
        text += " No dimming of the aperture stands out of the noise either, so nothing was tested."
    elif verdict is Verdict.PASS:
        text += " This does not place the signal on the target."
    elif explained:
        text += (
            " In each sector where it stands out, a signal on the target itself would move it so among its neighbours: it does "
            "not speak against the target."
        )
    windows = values_of(ran, "n_independent_windows")
    return combined_result(
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
        flags=(
            *combined_flags(ran, ("APERTURE_SENSITIVE", "EDGE", "WCS_DISAGREES")),
            *(["LOW_SNR"] if snr < thresholds.value("snr_strong") else []),
            *([AS_ON_TARGET] if explained else []),
        ),
        thresholds=thresholds.used("p_fail", "p_warn", "min_transits", "snr_detect", "snr_strong"),
        parameters=combined_parameters(ran, results, "Fisher's method on the sectors' p values"),
    )


def _all_as_on_target(ran: Sequence[CheckResult]) -> bool:
    """Whether every sector that shows a shift shows the one that a signal on the target would make."""
    shown = [result for result in ran if result.verdict is not Verdict.PASS]
    return bool(shown) and all(AS_ON_TARGET in result.flags for result in shown)


def combine_v10(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    p_value = fisher_p(values_of(ran, "chi2_p_value"))
    slopes = values_of(ran, "slope_ppm_per_px")
    errors = np.array([float(result.parameters["slope_err_ppm_per_px"]) for result in ran])
    weights = 1 / np.maximum(errors, 1e-12) ** 2
    slope = float((slopes * weights).sum() / weights.sum())
    n = n_transits(ran)
    verdict = _p_verdict(p_value, slope > 0)
    trend = "grows outwards more than" if slope > 0 else "falls outwards more than"
    # A sector of a record made before its signal-to-noise was kept counts as one in which the signal is seen.
    snr = math.hypot(*(max(float(result.details.get("depth_snr", math.inf)), 0.0) for result in ran))
    if verdict is Verdict.PASS and snr < thresholds.value("snr_detect"):
        finding = "No depth stands out of the noise in the circles about the target, so nothing was tested"
    elif verdict is Verdict.PASS:
        finding = "The depth follows the growth curve of a signal on the target"
    else:
        finding = f"The depth {trend} that of a signal on the target"
    text = f"{finding} ({p_words(p_value)} over {sector_words(ran)}, {transit_words(n)})."
    if all(result.parameters.get("expected_curve") == CONSTANT for result in ran):
        text += CONSTANT_NOTE
    return combined_result(
        "V10",
        results,
        verdict,
        text + few_transits_note(n),
        metrics=metrics_of({"chi2_p_value": (p_value, ""), "slope_ppm_per_px": (slope, "ppm/px")}),
        flags=(
            *combined_flags(ran, ("NEIGHBOURS_UNKNOWN", "EDGE", "WCS_DISAGREES")),
            *(["LOW_SNR"] if snr < thresholds.value("snr_strong") else []),
        ),
        thresholds=thresholds.used("p_fail", "p_warn", "snr_detect", "snr_strong"),
        parameters=combined_parameters(
            ran, results, "Fisher's method on the sectors' p values; weighted mean of the slopes"
        ),
    )


def combine_v20(ran: Sequence[CheckResult], results: Sequence[CheckResult]) -> CheckResult:
    weights = np.sqrt([max(n_transits_of(result), 1) for result in ran])
    norm = float(np.sqrt((weights**2).sum()))
    core, halo, excess, snr = (
        float(values_of(ran, name) @ weights) / norm
        for name in ("core_correlation", "halo_correlation", "halo_excess_sigma", "snr")
    )
    n = n_transits(ran)
    strong = snr >= thresholds.value("snr_strong")
    verdict = Verdict.PASS
    if excess > thresholds.value("halo_excess_warn_sigma" if strong else "halo_excess_fail_sigma"):
        verdict = Verdict.WARN
    if excess > thresholds.value("halo_excess_fail_sigma") and strong:
        verdict = Verdict.FAIL
    numbers = f"core {core:.1f} sigma, halo {halo:.1f} sigma over {sector_words(ran)}, {transit_words(n)}"
    if verdict is Verdict.PASS and excess > 0:
        text = (
            f"The signal is not significantly stronger about the aperture than in it ({numbers}); it is not shown to be "
            "concentrated in it either."
        )
    elif verdict is Verdict.PASS:
        text = f"The signal is concentrated in the aperture, as that of a star is ({numbers})."
    else:
        opening = "The signal is" if verdict is Verdict.FAIL else "The signal may be"
        text = (
            f"{opening} stronger about the aperture than in it ({numbers}): a ghost, scattered light or a source outside "
            "the aperture."
        )
    return combined_result(
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
        flags=combined_flags(ran, ("EDGE", "WCS_DISAGREES")),
        thresholds=thresholds.used("halo_excess_fail_sigma", "halo_excess_warn_sigma", "snr_strong"),
        parameters=combined_parameters(
            ran, results, "Stouffer's method, weighted by the root of the number of transits"
        ),
    )
