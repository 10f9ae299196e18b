"""What the short names of the record mean, in words: verdicts, checks, metrics, flags, states and kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from btv_report.checks.registry import CHECKS, FLAG_MEANINGS
from btv_report.dossier.tables import Badge

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
    "on_target_shift_px": "Centroid shift expected of a signal on the target",
    "on_target_p_value": "Probability of the shift for a signal on the target",
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
    "offset_sigma": "Significance of the offset, by the region of the source",
    "control_offset_arcsec": "Offset from the control centroid",
    "quality": "Correlation of pixels and PRF",
    "snr": "Signal-to-noise (smaller of matched-window and formal)",
    "snr_formal": "Signal-to-noise, formal",
    "target_delta_chi2": "Δχ² of the target's position",
    "target_probability": "Probability that the target is the host",
    "depth_ppm_pipeline": "Depth in the pipeline aperture, local background removed",
    "chi2_p_value": "Probability of the growth curve",
    "slope_ppm_per_px": "Slope against radius, measured minus predicted",
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
_UNITS = {
    "": "",
    "1": "",
    "electron/s": "e⁻/s",
    "e-/s": "e⁻/s",
    "electron/s/px": "e⁻/s/px",
    "sigma": "σ",
    "px": "px",
    "pixel": "px",
}


def badge(verdict: str, *, href: str | None = None, hint: str = "") -> Badge:
    """A verdict with its word and symbol; an unknown word is shown as it is, in the colour of `not run`."""
    word, symbol = VERDICT_WORDS.get(verdict, (verdict, "?"))
    key = verdict.replace("_", "-") if verdict in VERDICT_WORDS else "not-run"
    return Badge(key, word, symbol, href, hint)


def check_title(check_id: str) -> str:
    """Title of a check; one that is not in the registry (of a record by a newer version) is shown by its id."""
    info = CHECKS.get(check_id)
    return info.title if info else check_id


def check_meaning(check_id: str) -> str:
    """What a check does, in a sentence; empty when it is not in the registry."""
    info = CHECKS.get(check_id)
    return info.meaning if info else ""


def metric_label(name: str) -> str:
    """What a metric measures, in words."""
    if name in _METRICS:
        return _METRICS[name]
    radius = _APERTURE_DEPTH.match(name)
    if radius:
        return f"Depth within {radius.group(1)} px"
    return name.replace("_", " ")


def metric_rank(name: str) -> tuple[int, float, str]:
    """Sort key that puts metrics in the order of the contract; depths in apertures come first, by radius."""
    radius = _APERTURE_DEPTH.match(name)
    if radius:
        return 0, float(radius.group(1)), name
    order = list(_METRICS)
    return (1, order.index(name), name) if name in _METRICS else (2, 0, name)


def unit_label(unit: str) -> str:
    """A unit as printed; a unit that is built on another, such as `e-/s per px`, too."""
    return _UNITS.get(unit, unit.replace("electron/s", "e⁻/s").replace("e-/s", "e⁻/s"))


def flag_meaning(flag: str) -> str:
    """A flag in words."""
    return FLAG_MEANINGS.get(flag, "This version of btv-report has no words for this flag.")


def state_words(state: str) -> str:
    """A state of an answer in words."""
    return STATES.get(state, state.lower().replace("_", " "))


def candidate_title(name: str) -> str:
    """A candidate as a heading."""
    return "Ephemeris given by the user" if name == "user" else f"Candidate {name}"


def alias_names(aliases: Mapping[str, str]) -> tuple[str, ...]:
    """Other names of a star, by catalogue; a bare number gets the catalogue's name before it."""
    return tuple(f"{catalogue} {name}" if name.isdigit() else name for catalogue, name in sorted(aliases.items()))
