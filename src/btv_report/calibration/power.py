"""Table 2: how often V08 finds a signal beside the star on real pixels, and how often it flags one on the star."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from btv_report.calibration.cubes import RealSector, real_sector
from btv_report.calibration.false_alarms import judge_stack, real_ephemerides
from btv_report.calibration.record import FILES_SAMPLE
from btv_report.calibration.table import Column, Rate, Row, Table, Value
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.thresholds import value
from btv_report.ephemeris import Ephemeris

KEY = "power"
ASKED_FOUND, ASKED_FLAGGED = 0.90, 0.02
N_TRANSITS, DURATION_HOURS = 9, 2.6
ANCHOR = (300.0, 1.0)
"""Depth (ppm of the star's light) and distance (px) of the signal that must be found."""
ON_TARGET_PPM = (300.0, 1000.0, 3000.0)
CURVE_PPM = (100.0, 200.0, 300.0, 500.0, 1000.0, 3000.0)
CURVE_PX = (0.5, 1.0, 2.0, 3.0, 4.0)
TRIALS, CURVE_TRIALS = 240, 60


@dataclass(frozen=True)
class Trial:
    """A signal of `depth_ppm` at a distance from the star (0: on it), in a direction, at an ephemeris."""

    depth_ppm: float
    distance_px: float
    angle_rad: float
    ephemeris: Ephemeris


def power_table(effort: Effort, data: RealData | None) -> Table:
    """Inject signals into the real sector and count what V08 makes of them."""
    sector = real_sector(data)
    found: list[tuple[Trial, float | None]] = []
    if data is not None and sector is not None:
        todo = _trials(effort, sector)
        found = list(zip(todo, run_trials(partial(judge, data), todo, effort, chunk=8), strict=True))
    rows = [_row(found, depth, 0.0) for depth in ON_TARGET_PPM]
    rows += [_row(found, depth, distance) for distance in CURVE_PX for depth in CURVE_PPM]
    return Table(
        key=KEY,
        title="Power of the centroid shift (V08) on real pixels",
        asked=f"Nine transits of {DURATION_HOURS:g} h: a signal of 300 ppm 1 px from the star is found, beyond 3 sigma, in at "
        "least 90 %; signals on the star are found to be off it, beyond 3 sigma, in at most 2 %.",
        method="Signals are put into the real sector at fake ephemerides with exactly nine usable transits. On the star its "
        "own light is dimmed as it stands; beside it, the depth times the star's own image, shifted by a quintic spline, "
        "is taken away, in directions drawn at random. Depths are in parts of the star's light.",
        columns=(
            Column("source", "Source"),
            Column("depth", "Depth", "ppm"),
            Column("found", "Beyond 3 sigma"),
            Column("noteworthy", "p below 0.05 (warn or fail)"),
            Column("abstained", "Abstained"),
        ),
        rows=tuple(rows) if found else (),
        missing=""
        if found
        else "These numbers need real pixels: the data folder holds no sector of a star whose transits are known.",
        notes=_notes(sector),
        samples={"curve": _curve(found), FILES_SAMPLE: [sector.file_entry]} if found and sector else {},
    )


def judge(data: RealData, trial: Trial) -> float | None:
    """V08's p of one injected signal, None where it abstains."""
    sector = real_sector(data)
    if sector is None:
        raise RuntimeError("the real sector has gone while it was in use")
    depth = trial.depth_ppm / 1e6
    if trial.distance_px == 0:
        stack = sector.on_target(depth, trial.ephemeris)
    else:
        d_row, d_column = (trial.distance_px * part(trial.angle_rad) for part in (math.sin, math.cos))
        stack = sector.beside(depth, d_row, d_column, trial.ephemeris)
    return judge_stack(stack, trial.ephemeris, sector.signals).p_value


def _trials(effort: Effort, sector: RealSector) -> list[Trial]:
    """All trials; ephemerides are taken in turn, directions at random."""
    ephemerides = real_ephemerides(sector, N_TRANSITS, DURATION_HOURS, effort.trials(TRIALS))
    if not ephemerides:
        return []
    # On the star a trial is its ephemeris alone; another trial at the same one would be the same trial.
    cells = [(depth, 0.0, len(ephemerides)) for depth in ON_TARGET_PPM]
    cells += [
        (depth, px, effort.trials(TRIALS if (depth, px) == ANCHOR else CURVE_TRIALS))
        for px in CURVE_PX
        for depth in CURVE_PPM
    ]
    todo = []
    for depth, distance, count in cells:
        angles = generator(KEY, depth, distance).uniform(0, 2 * math.pi, count)
        for number, angle in enumerate(angles):
            todo.append(Trial(depth, distance, float(angle), ephemerides[number % len(ephemerides)]))
    return todo


def _cell(found: Sequence[tuple[Trial, float | None]], depth: float, distance: float) -> list[float | None]:
    return [p for trial, p in found if (trial.depth_ppm, trial.distance_px) == (depth, distance)]


def _row(found: Sequence[tuple[Trial, float | None]], depth: float, distance: float) -> Row:
    seen = _cell(found, depth, distance)
    p_values = [p for p in seen if p is not None]
    beyond = Rate(sum(p < value("p_fail") for p in p_values), len(p_values))
    values: dict[str, Value] = {
        "source": f"{distance:g} px from the star" if distance else "on the star",
        "depth": depth,
        "found": beyond,
        "noteworthy": Rate(sum(p < value("p_warn") for p in p_values), len(p_values)),
        "abstained": len(seen) - len(p_values),
    }
    met = None
    if distance == 0:
        met = beyond.at_most(ASKED_FLAGGED)
    elif (depth, distance) == ANCHOR:
        met = beyond.at_least(ASKED_FOUND)
    return Row(values, met)


def _curve(found: Sequence[tuple[Trial, float | None]]) -> list[dict[str, float | list[float | None]]]:
    """Fraction beyond 3 sigma against depth, one curve a distance."""
    return [
        {"distance_px": px, "depth_ppm": list(CURVE_PPM), "found": [_fraction(_cell(found, d, px)) for d in CURVE_PPM]}
        for px in CURVE_PX
    ]


def _fraction(seen: Sequence[float | None]) -> float | None:
    return Rate(sum(p is not None and p < value("p_fail") for p in seen), len(seen)).value


def _notes(sector: RealSector | None) -> tuple[str, ...]:
    if sector is None:
        return ()
    return (
        f"Real pixels: {sector.file_name} (SHA-256 {sector.sha256[:12]}...), TIC {sector.tic_id}, sector "
        f"{sector.stack.sector}, its own transits left out. Trials share the sector's windows.",
        "Signals on the star have p below 0.05 in one of twenty by chance alone: that is what the threshold of a warning means.",
        "From 3 px on a growing part of the light lies outside the aperture, which V08 does not see.",
    )
