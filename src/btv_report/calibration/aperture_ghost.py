"""
Tables 6: is V10's probability one for signals on the target, and does V20 tell ghosts from planets?

Simulated fields (`fields`) whose truth is known, and for V10 the real pixels as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of
from typing import NamedTuple

import numpy as np

from btv_report.calibration.cubes import RealSector, real_sector, take_away
from btv_report.calibration.false_alarms import real_ephemerides
from btv_report.calibration.fields import (
    SHAPE,
    SIGNAL,
    FieldStar,
    Sky,
    beside,
    crowded_field,
    error_of_light,
    image_of,
    observe,
    target_near_middle,
)
from btv_report.calibration.table import Column, Rate, Row, Table
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.apertures import FloatArray, distance_px, grow
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import describe_scene
from btv_report.checks.v10_aperture_dependence import check_aperture_dependence
from btv_report.checks.v20_ghost_features import check_ghost_features
from btv_report.ephemeris import Ephemeris

SNR_BINS = ((5.0, 15.0), (15.0, 60.0), (60.0, 300.0))
KS_LEVEL = 0.05
MAGNITUDE_ERROR = 0.1
JITTER_PX = 0.001
STRONG_SNR = 8.0
DENSITY = 10.0
OFF_TARGET_PX = (1.0, 1.5, 2.0, 3.0)
REAL_TRANSITS, REAL_DURATION_HOURS = 9, 2.6
ON_TARGET = (("isolated", 1800.0), ("isolated", 120.0), ("neighbours known", 1800.0), ("magnitudes off", 1800.0))
GHOSTS_FLAGGED, PLANETS_FLAGGED = 0.95, 0.01
_CADENCE_WORDS = {1800.0: "30 min", 120.0: "2 min"}


# --- aperture dependence --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ApertureTrial:
    """A signal on the target (`offset_px` 0) or beside it, at an SNR within `SNR_BINS[snr_bin]`."""

    case: str
    cadence_s: float
    offset_px: float
    snr_bin: int
    number: int


class DepthSeen(NamedTuple):
    """V10 of one trial."""

    snr: float
    p_value: float
    fails: bool


def aperture_table(effort: Effort, data: RealData | None) -> Table:
    """Uniformity of V10's p for signals on the target, and how many sources beside it fail."""
    each, beside_each = effort.trials(150, 4), effort.trials(100)
    todo = [
        ApertureTrial(case, cadence, 0.0, snr_bin, number)
        for case, cadence in ON_TARGET
        for snr_bin in range(len(SNR_BINS))
        for number in range(each)
    ]
    todo += [
        ApertureTrial("beside", 1800.0, offset, number % len(SNR_BINS), number)
        for offset in OFF_TARGET_PX
        for number in range(beside_each)
    ]
    answers = list(zip(todo, run_trials(judge_depths, todo, effort, chunk=16), strict=True))
    level = KS_LEVEL / (len(ON_TARGET) * len(SNR_BINS))  # as many cells are asked: three cases here and the real pixels
    rows, samples = [], {}
    for case, cadence in ON_TARGET:
        for snr_bin, (low, high) in enumerate(SNR_BINS):
            seen = [s for t, s in answers if s and (t.case, t.cadence_s, t.snr_bin) == (case, cadence, snr_bin)]
            name = f"on target, {case}, {_CADENCE_WORDS[cadence]}, SNR {low:g} to {high:g}"
            rows.append(_uniform_row(name, seen, None if case == "neighbours known" else level))
            samples[name] = sorted(one.p_value for one in seen)
    rows += _real_rows(effort, data, level)
    for offset in OFF_TARGET_PX:
        seen = [s for t, s in answers if s and t.offset_px == offset]
        rows.append(_off_target_row(offset, [one for one in seen if one.snr >= STRONG_SNR]))
    return Table(
        key="aperture",
        title="Does the depth follow the aperture as a signal on the target would?",
        asked=f"V10's p is uniform for signals on the target: no cell's Kolmogorov-Smirnov p is below {KS_LEVEL:g} over the "
        "number of cells.",
        method="Signals on a star that is not Gaussian, isolated or in a field of ten stars brighter than Tmag 16 within "
        "4.5 px, with the catalogue's magnitudes right or off by 0.1 mag; pointing jitter of 0.001 px in all. A signal beside "
        "the target is on a star with 0.4 to 63 % of its light.",
        columns=(
            Column("case", "Signal"),
            Column("trials", "Trials"),
            Column("ks_p", "KS p of uniformity"),
            Column("median_p", "Median p"),
            Column("below_p05", "p < 0.05"),
            Column("failed", "Fail"),
        ),
        rows=tuple(rows),
        notes=(
            "The prediction allows for magnitudes that are off by 0.1 mag. Where they are exactly right, at high SNR, p leans to "
            "1: nothing is asked of those rows.",
            "Trials on the real pixels share one sector's noise: they are fewer independent ones than their number.",
        ),
        samples=samples,
    )


def judge_depths(trial: ApertureTrial) -> DepthSeen | None:
    """Simulate a trial and run V10; None where V10 gives no p."""
    rng = generator("aperture", *(getattr(trial, item.name) for item in fields_of(trial)))
    target = target_near_middle(rng)
    stars: tuple[FieldStar, ...] = (target,)
    if trial.offset_px:
        stars = (target, beside(target, trial.offset_px, 10 ** rng.uniform(-2.4, -0.2), rng))
    elif trial.case != "isolated":
        stars = crowded_field(target, DENSITY, rng)
    host = stars[1] if trial.offset_px else target
    error_mag = 0.0 if trial.case == "neighbours known" else MAGNITUDE_ERROR
    quiet = observe(stars, Sky(trial.cadence_s, JITTER_PX, magnitude_error=error_mag), rng)
    error = error_of_light(quiet, host)
    if error is None:
        return None
    low, high = SNR_BINS[trial.snr_bin]
    share = min(log_uniform(rng, low, high) * error / host.flux_e_per_s, 0.9)
    return _depths_seen(take_away(quiet, share * image_of(host), SIGNAL), SIGNAL)


def _depths_seen(stack: PixelStack, ephemeris: Ephemeris, others: tuple[Ephemeris, ...] = ()) -> DepthSeen | None:
    measurement = measure_pixels(stack, ephemeris, others)
    scene = None if measurement.reason else describe_scene(measurement)
    result = check_aperture_dependence(measurement, scene, store_plot_data=False)
    metrics = result.metrics
    if result.verdict is Verdict.NOT_RUN or "depth_ppm_r2.5" not in metrics:
        return None
    snr = metrics["depth_ppm_r2.5"].value / metrics["depth_ppm_r2.5_err"].value
    return DepthSeen(float(snr), float(metrics["chi2_p_value"].value), result.verdict is Verdict.FAIL)


def _real_rows(effort: Effort, data: RealData | None, level: float) -> list[Row]:
    sector = real_sector(data)
    if sector is None:
        return []
    ephemerides = real_ephemerides(sector, REAL_TRANSITS, REAL_DURATION_HOURS, effort.trials(100, 4))
    rows = []
    for low, high in SNR_BINS:
        found = [_real_depths(sector, ephemeris, low, high, i) for i, ephemeris in enumerate(ephemerides)]
        seen = [one for one in found if one is not None]
        rows.append(_uniform_row(f"on target, real pixels, SNR {low:g} to {high:g}", seen, level))
    return rows


def _real_depths(sector: RealSector, ephemeris: Ephemeris, low: float, high: float, number: int) -> DepthSeen | None:
    """V10 of the real star dimmed in place."""
    rng = generator("aperture", "real", low, number)
    star = FieldStar(sector.row, sector.column, sector.flux_e_per_s)
    error = error_of_light(sector.stack, star, ephemeris)
    if error is None:
        return None
    depth = log_uniform(rng, low, high) * error / sector.flux_e_per_s
    # The star's whole image is dimmed, so that no light in it is a neighbour's.
    stack = replace(sector.on_target(depth, ephemeris), neighbours_known=True)
    return _depths_seen(stack, ephemeris, sector.signals)


def _uniform_row(case: str, seen: Sequence[DepthSeen], level: float | None) -> Row:
    """Uniformity of p in one cell; nothing is asked where `level` is None."""
    from scipy.stats import kstest

    p_values = [one.p_value for one in seen]
    ks_p = float(kstest(p_values, "uniform").pvalue) if len(p_values) > 3 else None
    return Row(
        {
            "case": case,
            "trials": len(seen),
            "ks_p": ks_p,
            "median_p": float(np.median(p_values)) if p_values else None,
            "below_p05": Rate(sum(p < 0.05 for p in p_values), len(p_values)),
            "failed": Rate(sum(one.fails for one in seen), len(seen)),
        },
        met=None if ks_p is None or level is None else ks_p >= level,
    )


def _off_target_row(offset: float, seen: Sequence[DepthSeen]) -> Row:
    return Row(
        {
            "case": f"beside the target by {offset:g} px, SNR >= {STRONG_SNR:g}",
            "trials": len(seen),
            "median_p": float(np.median([one.p_value for one in seen])) if seen else None,
            "below_p05": Rate(sum(one.p_value < 0.05 for one in seen), len(seen)),
            "failed": Rate(sum(one.fails for one in seen), len(seen)),
        }
    )


# --- ghosts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GhostTrial:
    """One of `GHOST_CASES`, at a strong (SNR 8 to 100) or weak signal (3 to 8)."""

    case: str
    strong: bool
    jitter_px: float
    number: int


GHOST_CASES = {
    "ghost": "flagged",
    "flat scattered light": "flagged",
    "planet on an isolated star": "left",
    "planet in a field of stars": "left",
    "binary 2.5 to 4 px away": "shown",
}
"""What is simulated, and what is asked of it at SNR >= 8."""


def ghost_table(effort: Effort, data: RealData | None) -> Table:
    """V20's verdicts on ghosts, scattered light, planets and sources outside the aperture."""
    del data
    todo = [
        GhostTrial(case, strong, (0.0, JITTER_PX)[number % 2], number)
        for case in GHOST_CASES
        for strong, full in ((True, 300), (False, 60))
        for number in range(effort.trials(full))
    ]
    answers = list(zip(todo, run_trials(judge_ghost, todo, effort, chunk=16), strict=True))
    rows = []
    for case, asked in GHOST_CASES.items():
        mine = [(float(r.metrics["snr"].value), r.verdict) for t, r in answers if t.case == case and "snr" in r.metrics]
        rows.append(_ghost_row(case, ">= 8", [verdict for snr, verdict in mine if snr >= STRONG_SNR], asked))
        rows.append(_ghost_row(case, "< 8", [verdict for snr, verdict in mine if snr < STRONG_SNR], "shown"))
    return Table(
        key="ghost",
        title="Are ghosts told from planets?",
        asked="At SNR >= 8, ghosts and scattered light are flagged (warn or fail) in at least 95 %, planets in at most 1 %.",
        method="Ghosts are round patches with a width (FWHM) of 6 to 30 px whose middle lies within 6 px of the target, or an "
        "even level over the stamp, that go missing in transit; planets dim a star that is not Gaussian, alone or among ten "
        "stars brighter than Tmag 16. Half of the trials have pointing jitter of 0.001 px. The SNR is V20's own.",
        columns=(
            Column("case", "Truth"),
            Column("snr", "SNR"),
            Column("trials", "Trials"),
            Column("flagged", "Flagged"),
            Column("passed", "Pass"),
            Column("warned", "Warn"),
            Column("failed", "Fail"),
            Column("not_run", "Not run"),
        ),
        rows=tuple(rows),
        notes=(
            "A source outside the aperture raises the halo too, and V20's sentence says so; nothing is asked of it here.",
        ),
    )


def judge_ghost(trial: GhostTrial) -> CheckResult:
    """Simulate a trial and run V20."""
    rng = generator("ghost", *(getattr(trial, item.name) for item in fields_of(trial)))
    target = target_near_middle(rng)
    stars: tuple[FieldStar, ...] = (target,)
    if "field" in trial.case:
        stars = crowded_field(target, DENSITY, rng)
    elif "binary" in trial.case:
        stars = (target, beside(target, rng.uniform(2.5, 4.0), 10 ** rng.uniform(-1.6, -0.4), rng))
    quiet = observe(stars, Sky(jitter_px=trial.jitter_px), rng)
    light = (
        ghost_patch(target, "flat" in trial.case, rng) if GHOST_CASES[trial.case] == "flagged" else image_of(stars[-1])
    )
    if "planet" in trial.case:
        light = image_of(target)
    goal = log_uniform(rng, *((STRONG_SNR, 100.0) if trial.strong else (3.0, STRONG_SNR)))
    return _ghost_verdict(take_away(quiet, light * goal * error_of_sum(quiet, light), SIGNAL))


def ghost_patch(target: FieldStar, flat: bool, rng: np.random.Generator) -> FloatArray:
    """Light of a ghost near the target, or of even scattered light; 1 electron/s at its peak."""
    width, away, angle = rng.uniform(6.0, 30.0) / 2.3548, rng.uniform(0, 6.0), rng.uniform(0, 2 * math.pi)
    if flat:
        return np.ones(SHAPE)
    place = target.row + away * math.sin(angle), target.column + away * math.cos(angle)
    return np.asarray(np.exp(-0.5 * (distance_px(SHAPE, *place) / width) ** 2), dtype=np.float64)


def error_of_sum(quiet: PixelStack, light: FloatArray) -> float:
    """Matched-window error of the light in aperture and halo, per unit of `light` there."""
    measurement = measure_pixels(quiet, SIGNAL)
    inside = measurement.over(grow(measurement.aperture))
    scatter = np.sqrt(np.mean((measurement.free.difference @ inside) ** 2) / measurement.n_transits)
    return float(scatter / (measurement.over(light) @ inside))


def _ghost_verdict(stack: PixelStack) -> CheckResult:
    measurement = measure_pixels(stack, SIGNAL)
    return check_ghost_features(measurement, describe_scene(measurement), store_plot_data=False)


def _ghost_row(case: str, snr: str, verdicts: Sequence[Verdict], asked: str) -> Row:
    n = len(verdicts)
    counts = {verdict: Rate(verdicts.count(verdict), n) for verdict in Verdict}
    flagged = Rate(sum(verdict in {Verdict.WARN, Verdict.FAIL} for verdict in verdicts), n)
    met: bool | None = None
    if asked != "shown":
        met = flagged.at_least(GHOSTS_FLAGGED) if asked == "flagged" else flagged.at_most(PLANETS_FLAGGED)
    return Row(
        {
            "case": case,
            "snr": snr,
            "trials": n,
            "flagged": flagged,
            "passed": counts[Verdict.PASS],
            "warned": counts[Verdict.WARN],
            "failed": counts[Verdict.FAIL],
            "not_run": counts[Verdict.NOT_RUN],
        },
        met=met,
    )


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number drawn evenly in its logarithm."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
