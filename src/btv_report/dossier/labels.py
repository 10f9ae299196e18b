"""What the short names of the record mean, in words: verdicts, checks, metrics, flags, states and kinds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from btv_report.dossier.tables import Badge


@dataclass(frozen=True)
class CheckLabel:
    """Title of a check and the question it puts to the pixels."""

    title: str
    question: str


CHECKS = {
    "V08": CheckLabel("Centroid shift", "Does the light of the star move on the pixels during transit?"),
    "V09": CheckLabel("Difference image", "Where on the sky does the light that is lost in transit come from?"),
    "V10": CheckLabel("Aperture dependence", "Does the depth change with the aperture as it would for this star?"),
    "V20": CheckLabel("Ghost features", "Is the signal in the star's own pixels, or in diffuse light around them?"),
}

VERDICT_WORDS = {"pass": ("pass", "✓"), "warn": ("warn", "!"), "fail": ("fail", "✕"), "not_run": ("not run", "○")}
VERDICT_MEANINGS = {
    "pass": "nothing in this measurement speaks against a transit on the target, within the limits the check states",
    "warn": "the measurement is weak, or leans against the target without deciding; look at it",
    "fail": "the measurement contradicts a transit on the target at the stated threshold; look at why",
    "not_run": "the check could not be made, or its numbers must not be judged; the reason stands beside it",
}
VERDICT_ORDER = ("fail", "warn", "not_run", "pass")

_METRICS = {
    "centroid_shift_px": "Centroid shift",
    "centroid_shift_arcsec": "Centroid shift on the sky",
    "significance_sigma": "Significance",
    "p_value": "Probability of chance",
    "n_transits_used": "Transits used",
    "n_independent_windows": "Independent windows",
    "n_draws": "Draws of the null",
    "source_offset_arcsec": "Source offset implied by the shift",
    "peak_row": "Peak pixel, row",
    "peak_column": "Peak pixel, column",
    "source_row": "Transit source, row",
    "source_column": "Transit source, column",
    "target_row": "Catalogue position, row",
    "target_column": "Catalogue position, column",
    "offset_arcsec": "Offset of the source from the target",
    "offset_ra_arcsec": "Offset in RA × cos Dec",
    "offset_dec_arcsec": "Offset in Dec",
    "offset_err_stat_arcsec": "Statistical error of the offset",
    "offset_sigma": "Offset in units of its error",
    "control_offset_arcsec": "Offset from the control centroid",
    "quality": "Correlation of pixels and PRF",
    "snr": "Signal-to-noise, matched windows",
    "snr_formal": "Signal-to-noise, formal",
    "target_delta_chi2": "Δχ² of the target's position",
    "target_probability": "Probability that the target is the host",
    "depth_ppm_pipeline": "Depth in the pipeline aperture",
    "chi2_p_value": "Probability of the growth curve",
    "slope_ppm_per_px": "Slope against radius",
    "core_correlation": "Core: correlation with the transit",
    "halo_correlation": "Halo: correlation with the transit",
    "halo_excess_sigma": "Excess of the halo over the core",
    "core_halo_ratio": "Ratio of core to halo",
    "in_aperture_difference": "Mean difference inside the aperture",
    "out_aperture_difference": "Mean difference outside the aperture",
    "edge_gradient": "Gradient at the aperture's edge",
    "background_trend": "Trend of the background",
    "prf_likeness": "Likeness to the PRF",
}
_APERTURE_DEPTH = re.compile(r"depth_ppm_r(\d+(?:\.\d+)?)\Z")

ERROR_OF = {"offset_arcsec": "offset_err_arcsec"}
"""Metrics whose error does not carry the name `<metric>_err`."""
ROUNDED_LIKE = {"offset_ra_arcsec": "offset_err_arcsec", "offset_dec_arcsec": "offset_err_arcsec"}
"""Components of a measurement whose error is that of the whole: shown with its decimals."""

FLAGS = {
    "LOW_TRANSITS": "fewer than three usable transits: an instrumental jump can look like this",
    "SATURATED": "the star saturates the detector (flat-topped or bleeding columns): positions are shown, not judged",
    "LOW_SNR": "the signal is weak against the scatter of matched windows",
    "EDGE": "the source lies at or beyond the edge of the stamp, so its position is poorly bounded",
    "PRF_GAUSSIAN": "positions were fitted with a Gaussian, because no better point response was at hand",
    "WCS_DISAGREES": "the file's sky coordinates and its pixels contradict each other; positions on the sky are doubtful",
    "MASK_SENSITIVE": "the result changes with the choice of pixels",
    "NEIGHBOURS_UNKNOWN": "no catalogue of neighbours was asked, so no other star could be named or excluded",
}

STATES = {
    "OK": "answered",
    "EMPTY": "answered: nothing there",
    "NOT_FOUND": "answered: not known there",
    "AUTH_REQUIRED": "refused without a login",
    "THROTTLED": "throttled: asked too much, not answered",
    "UNREACHABLE": "not reachable",
    "CORRUPT": "damaged",
    "REJECTED": "refused by us: not safe or not usable",
    "STALE": "an older copy is shown, because the new answer failed",
    "SKIPPED": "not asked, as requested",
}
GAP_STATES = frozenset({"AUTH_REQUIRED", "THROTTLED", "UNREACHABLE", "CORRUPT", "REJECTED", "STALE"})

KINDS = {
    "light_curve": "light curve",
    "target_pixel_file": "target pixel file",
    "cutout": "full-frame cut-out",
    "dv_report": "data-validation report",
}
FITS_SUMS = {"ok": "verified", "bad": "do not hold", "not_checkable": "file carries none"}
SOURCES = {
    "user": "given by the user",
    "exofop_toi": "ExoFOP, TOI table",
    "exofop_ctoi": "ExoFOP, community TOI table",
    "exofop_planet": "ExoFOP, planet parameters",
}
_UNITS = {"": "", "1": "", "electron/s": "e⁻/s", "e-/s": "e⁻/s", "sigma": "σ", "px": "px", "pixel": "px"}


def badge(verdict: str, *, href: str | None = None, hint: str = "") -> Badge:
    """A verdict with its word and symbol; an unknown word is shown as it is, in the colour of `not run`."""
    word, symbol = VERDICT_WORDS.get(verdict, (verdict, "?"))
    key = verdict.replace("_", "-") if verdict in VERDICT_WORDS else "not-run"
    return Badge(key, word, symbol, href, hint)


def check_label(check_id: str) -> CheckLabel:
    """Title and question of a check; a check that is new to the pages is shown by its id."""
    return CHECKS.get(check_id, CheckLabel(check_id, ""))


def metric_label(name: str) -> str:
    """What a metric measures, in words."""
    if name in _METRICS:
        return _METRICS[name]
    radius = _APERTURE_DEPTH.match(name)
    if radius:
        return f"Depth within {radius.group(1)} px"
    return name.replace("_", " ")


def unit_label(unit: str) -> str:
    """A unit as printed."""
    return _UNITS.get(unit, unit)


def flag_meaning(flag: str) -> str:
    """A flag in words."""
    return FLAGS.get(flag, "see the section on this check among the methods")


def state_words(state: str) -> str:
    """A state of an answer in words."""
    return STATES.get(state, state.lower().replace("_", " "))


def candidate_title(name: str) -> str:
    """A candidate as a heading."""
    return "Ephemeris given by the user" if name == "user" else f"Candidate {name}"
