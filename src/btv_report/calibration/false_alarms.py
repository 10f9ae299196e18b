"""Table 1: how often V08 sees a shift where there is no signal, in every cell of noise, cadence, transits and duration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from btv_report.calibration.cubes import RealSector, real_sector, usable_ephemerides
from btv_report.calibration.fields import FIRST_BTJD, Sky, observe, target_near_middle
from btv_report.calibration.record import FILES_SAMPLE
from btv_report.calibration.table import Column, Rate, Row, Table, Value
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.result import Verdict
from btv_report.checks.scene import describe_scene
from btv_report.checks.thresholds import value
from btv_report.checks.v08_centroid_shift import check_centroid_shift
from btv_report.ephemeris import HOURS_PER_DAY, Ephemeris

KEY = "false-alarms"
ASKED_UPPER_BOUND = 0.015
ASKED_REAL = 0.02
ENOUGH_TRIALS = 600
TRIALS, REAL_TRIALS = 2000, 300
HISTOGRAM_BINS = 20
WINDOW_DURATIONS = 3.5
"""Length of a whole window in transit durations, where the cadence is short: transit, two buffers, two controls."""

JITTERS = (("white", 0.0), ("AR(1) pointing jitter", 0.001))
CADENCES_S = (120.0, 1800.0)
DURATIONS_HOURS = (2.6, 7.0)
TRANSITS = (2, 5, 9)
# Transits -> period and first mid-transit, days from the start: exactly so many windows of 7 h miss the gap at mid-sector.
SCHEDULES = {2: (13.3, 3.1), 5: (5.2, 2.0), 9: (2.95, 0.6)}
# Transits -> shortest and longest period, and its steps, for the real sector with its many gaps.
REAL_PERIODS_DAYS = {2: (8.0, 14.0, 0.5), 5: (2.5, 5.0, 0.02), 9: (1.5, 2.6, 0.01)}
UNIFORM_P = 0.05 / (len(JITTERS) * len(CADENCES_S) * len(DURATIONS_HOURS) * len(TRANSITS))
"""Smallest Kolmogorov-Smirnov p of a cell that is called uniform: 5 % over all cells together (Bonferroni)."""


class Outcome(NamedTuple):
    """What V08 said of a trial without a signal: p, None where it abstains; effective windows; the transits it used."""

    p_value: float | None
    nu: float
    mids_btjd: tuple[float, ...]


@dataclass(frozen=True)
class Cube:
    """One sector of synthetic noise, which serves all numbers of transits and durations."""

    noise: str
    jitter_px: float
    cadence_s: float
    number: int


def false_alarms_table(effort: Effort, data: RealData | None) -> Table:
    """Count V08's false alarms in synthetic noise and on the real sector."""
    cubes = [
        Cube(noise, jitter, cadence, number)
        for noise, jitter in JITTERS
        for cadence in CADENCES_S
        for number in range(effort.trials(TRIALS))
    ]
    seen = list(zip(cubes, run_trials(judge_cube, cubes, effort, chunk=8), strict=True))
    rows, histograms = [], {}
    for noise, _ in JITTERS:
        for cadence in CADENCES_S:
            mine = [outcomes for cube, outcomes in seen if cube.noise == noise and cube.cadence_s == cadence]
            for place, (n_transits, hours) in enumerate(_cells()):
                outcomes = [one[place] for one in mine]
                name = f"{noise}, {_cadence_words(cadence)}"
                rows.append(_row(name, n_transits, hours, outcomes, synthetic=True))
                histograms[f"{name}, {n_transits} transits of {hours:g} h"] = _histogram(outcomes)
    notes = [
        "One cube of noise serves the six cells of its noise and cadence: trials are independent within a cell, not "
        "between cells.",
        "Where V08 abstains, because the noise holds fewer than 30 independent windows, there is no verdict to be wrong; "
        "such trials are counted in a column of their own and belong to no rate.",
    ]
    files: list[dict[str, str]] = []
    sector = real_sector(data)
    if data is not None and sector is not None:
        rows += _real_rows(effort, data, sector)
        notes.append(_real_note(sector))
        files.append(sector.file_entry)
    else:
        notes.append("No real pixels: the data folder holds no sector of a star whose transits are known.")
    return Table(
        key=KEY,
        title="False alarms of the centroid shift (V08)",
        asked="Beyond 3 sigma (p < 0.0027) without a signal: one-sided 95 % upper bound at most 1.5 % in every cell of "
        "synthetic noise, p uniform (Kolmogorov-Smirnov, 5 % over all cells together); at most 2 % on real pixels.",
        method="A star of 15,000 electron/s on 11 x 11 pixels for 27 days with a gap of one day; photon noise alone, or with "
        "pointing jitter of 0.001 px that forgets itself in 3.3 h. No light is missing; V08 is run as on any star, on an "
        "ephemeris with exactly so many usable transits.",
        columns=(
            Column("noise", "Noise"),
            Column("transits", "Transits"),
            Column("duration", "Duration", "h"),
            Column("beyond_3_sigma", "Beyond 3 sigma"),
            Column("upper_bound", "Upper bound", "%"),
            Column("noteworthy", "p below 0.05"),
            Column("uniform", "Uniform p (KS)"),
            Column("nu_median", "Independent windows, median"),
            Column("nu_least", "least"),
            Column("abstained", "Abstained"),
            Column("windows", "Disjoint windows in all trials"),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
        samples={"p_histograms": histograms, FILES_SAMPLE: files},
    )


def judge_cube(cube: Cube) -> tuple[Outcome, ...]:
    """Make one sector of noise and run V08 on each of its ephemerides."""
    rng = generator(KEY, cube.noise, cube.cadence_s, cube.number)
    stack = observe((target_near_middle(rng),), Sky(cadence_s=cube.cadence_s, jitter_px=cube.jitter_px), rng)
    return tuple(judge_stack(stack, synthetic_ephemeris(n_transits, hours)) for n_transits, hours in _cells())


def synthetic_ephemeris(n_transits: int, duration_hours: float) -> Ephemeris:
    """An ephemeris with exactly `n_transits` usable transits in a synthetic sector."""
    period, first = SCHEDULES[n_transits]
    return Ephemeris(period, FIRST_BTJD + first, duration_hours, name="fake")


def judge_stack(stack: PixelStack, ephemeris: Ephemeris, others: tuple[Ephemeris, ...] = ()) -> Outcome:
    """V08 on a stack, by the entry point that a dossier uses."""
    measurement = measure_pixels(stack, ephemeris, others)
    scene = None if measurement.reason else describe_scene(measurement)
    result = check_centroid_shift(measurement, scene, store_plot_data=False)
    p_value = None if result.verdict is Verdict.NOT_RUN else float(result.metrics["p_value"].value)
    return Outcome(p_value, measurement.nu, tuple(row.mid_btjd for row in measurement.rows if row.used))


def _cells() -> list[tuple[int, float]]:
    return [(n_transits, hours) for n_transits in TRANSITS for hours in DURATIONS_HOURS]


def _real_rows(effort: Effort, data: RealData, sector: RealSector) -> list[Row]:
    rows = []
    for n_transits, hours in _cells():
        ephemerides = real_ephemerides(sector, n_transits, hours, effort.trials(REAL_TRIALS))
        outcomes = run_trials(partial(judge_real, data), ephemerides, effort, chunk=8)
        name = f"real pixels, sector {sector.stack.sector}"
        rows.append(_row(name, n_transits, hours, outcomes, synthetic=False))
    return rows


def real_ephemerides(sector: RealSector, n_transits: int, duration_hours: float, most: int) -> list[Ephemeris]:
    """At most `most` fake ephemerides with so many usable transits in the real sector, drawn from all that there are."""
    low, high, step = REAL_PERIODS_DAYS[n_transits]
    return usable_ephemerides(
        sector.stack,
        sector.signals,
        n_transits,
        duration_hours,
        periods_days=np.arange(low, high, step),
        step_windows=0.25,
        order=generator("real ephemerides", n_transits, duration_hours),
        most=most,
    )


def judge_real(data: RealData, ephemeris: Ephemeris) -> Outcome:
    """V08 on the real sector as it is."""
    sector = real_sector(data)
    if sector is None:
        raise RuntimeError("the real sector has gone while it was in use")
    return judge_stack(sector.stack, ephemeris, sector.signals)


def _row(noise: str, n_transits: int, hours: float, outcomes: Sequence[Outcome], *, synthetic: bool) -> Row:
    p_values = [one.p_value for one in outcomes if one.p_value is not None]
    beyond = Rate(sum(p < value("p_fail") for p in p_values), len(p_values))
    uniform = uniformity(p_values)
    nu = [one.nu for one in outcomes]
    met = _is_calibrated(beyond, uniform)
    windows = None
    if not synthetic:
        windows = disjoint_windows([one for one in outcomes if one.p_value is not None], hours)
        met = beyond.at_most(ASKED_REAL) if windows >= value("min_independent_windows") else None
    values: dict[str, Value] = {
        "noise": noise,
        "transits": n_transits,
        "duration": hours,
        "beyond_3_sigma": beyond,
        "upper_bound": 100 * beyond.upper_bound if p_values else None,
        "noteworthy": Rate(sum(p < value("p_warn") for p in p_values), len(p_values)),
        "uniform": uniform,
        "nu_median": float(np.median(nu)) if nu else None,
        "nu_least": min(nu) if nu else None,
        "abstained": len(outcomes) - len(p_values),
        "windows": windows,
    }
    return Row(values, met)


def disjoint_windows(outcomes: Sequence[Outcome], duration_hours: float) -> int:
    """Number of windows of a transit's length, controls and buffers included, that the trials' transits hold side by side."""
    width = WINDOW_DURATIONS * duration_hours / HOURS_PER_DAY
    count, last = 0, -math.inf
    for mid in sorted({mid for one in outcomes for mid in one.mids_btjd}):
        if mid - last >= width:
            count, last = count + 1, mid
    return count


def _is_calibrated(beyond: Rate, uniform: float | None) -> bool | None:
    """What a cell of synthetic noise shows; None where too few trials leave it open."""
    if beyond.total == 0 or uniform is None:
        return None
    if uniform < UNIFORM_P or beyond.lower_bound > ASKED_UPPER_BOUND:
        return False
    if beyond.upper_bound <= ASKED_UPPER_BOUND:
        return True
    return False if beyond.total >= ENOUGH_TRIALS else None


def uniformity(p_values: Sequence[float]) -> float | None:
    """Kolmogorov-Smirnov probability of p values under a uniform distribution; None without any."""
    from scipy.stats import kstest

    return float(kstest(p_values, "uniform").pvalue) if p_values else None


def _histogram(outcomes: Sequence[Outcome]) -> list[int]:
    counts, _ = np.histogram([one.p_value for one in outcomes if one.p_value is not None], HISTOGRAM_BINS, (0.0, 1.0))
    return [int(count) for count in counts]


def _cadence_words(cadence_s: float) -> str:
    return f"{cadence_s / 60:g} min"


def _real_note(sector: RealSector) -> str:
    return (
        f"Real pixels: {sector.file_name} (SHA-256 {sector.sha256[:12]}...), the star's own transits left out. Periods and "
        "epochs of the fake transits are chosen such that the asked number is usable. They are drawn from one sector, so "
        "trials share windows: the interval knows how many trials there were, not how few windows. A row with fewer than 30 "
        "disjoint windows is shown and not judged: there, one restless stretch of the star counts many times."
    )
