"""
Table 4, first half: does V09's region hold the true source? And the trials that the second half (`hosts`) is judged by.

Counted in simulated fields (`fields`) in which the truth is known, at the SNR that V09 itself states.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of
from typing import NamedTuple

import numpy as np

from btv_report.calibration.cubes import take_away
from btv_report.calibration.fields import (
    SIGNAL,
    FieldStar,
    Sky,
    beside,
    error_of_light,
    image_of,
    observe,
    seen_turned,
    star_id,
    target_near_middle,
)
from btv_report.calibration.table import Column, Rate, Row, Table
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.combine import combine_sectors
from btv_report.checks.difference_image import measure_pixels
from btv_report.checks.inputs import PixelStack
from btv_report.checks.region import delta_chi2
from btv_report.checks.result import CheckResult, Verdict
from btv_report.checks.scene import describe_scene
from btv_report.checks.source_fit import SourceFit, fit_source
from btv_report.checks.thresholds import value
from btv_report.checks.v09_difference_image import check_difference_image

ASKED = 0.98
SNR_BINS = ((8.0, 15.0), (15.0, 50.0), (50.0, math.inf))
GOALS = ((8.5, 15.0), (15.0, 50.0), (50.0, 150.0))
"""Bounds of the SNR aimed at, in turn; the measured SNR of a trial scatters about it by one."""
DEEPEST = 0.9
OFFSETS_PX = (0.0, 1.0, 2.0, 3.0)
JITTERS = (("white", 0.0), ("jitter", 0.001))
CADENCES = (("30 min", 1800.0), ("2 min", 120.0))
SECTOR_NUMBERS = (2, 3, 5)
MAGNITUDE_ERROR = 0.1
NONE = "none of these"


class Judged(NamedTuple):
    """
    One trial as V09 saw it; None where V09 gives no such number.

    `miss_px` is from the named star to the true source, `away_px` from the fitted position of one sector.
    """

    snr: float
    inside: bool
    inside_statistical: bool
    target_inside: bool
    right: bool | None
    probability: float | None
    named_none: bool
    catalogued: bool
    miss_px: float | None
    away_px: float | None


class DimmedField(NamedTuple):
    """Stars, target first; the number of the one that is dimmed; and how the first sector looks at them."""

    stars: tuple[FieldStar, ...]
    host: int
    sky: Sky


@dataclass(frozen=True)
class RegionTrial:
    """A source `offset_px` from the target (0: the target), seen in `sectors` sectors."""

    noise: str
    jitter_px: float
    cadence_s: float
    offset_px: float
    sectors: int
    number: int


def region_table(effort: Effort, data: RealData | None) -> Table:
    """How often the 3-sigma region holds the truth, and how often a source beside the target excludes it."""
    del data
    per_offset = effort.trials(100)
    cells = [(noise, jitter, cadence, 1) for noise, jitter in JITTERS for _, cadence in CADENCES]
    cells += [(*JITTERS[-1], CADENCES[0][1], sectors) for sectors in SECTOR_NUMBERS]
    todo = [
        RegionTrial(noise, jitter, cadence, offset, sectors, number)
        for noise, jitter, cadence, sectors in cells
        for offset in OFFSETS_PX
        for number in range(per_offset)
    ]
    judged = list(zip(todo, run_trials(judge_region, todo, effort, chunk=16), strict=True))
    rows = [row for cell in cells for row in _region_rows(judged, cell)]
    return Table(
        key="region",
        title="Does the region hold the source?",
        asked="The 3-sigma region holds the true position in at least 98 % at SNR >= 8, and a source 2 px or more from the "
        "target excludes the target.",
        method="A star that is not Gaussian and a second one 0 to 3 px away with 0.4 to 63 % of its light; one of them is "
        "dimmed in eight transits of 2.6 h. The SNR is V09's own, the region that of the verdict, floor included; the column "
        "without the floor is the bare delta-chi-squared. With several sectors, each turned by another angle, the "
        "combined result is judged.",
        columns=(
            Column("noise", "Noise"),
            Column("cadence", "Cadence"),
            Column("sectors", "Sectors"),
            Column("snr", "SNR"),
            Column("inside", "Truth inside the region"),
            Column("inside_statistical", "Inside without the floor"),
            Column("excluded_1px", "Target excluded, source at 1 px"),
            Column("excluded", "Target excluded, source at 2 and 3 px"),
            Column("not_located", "Trials without a location"),
        ),
        rows=tuple(rows),
        notes=(
            "Trials that V09 does not locate (no positive fit, or SNR below 3) are counted in the rows of their cell's "
            "lowest SNR and belong to no rate.",
            "A combined region is an ellipse from averaged offsets; it has no column without the floor.",
        ),
    )


def judge_region(trial: RegionTrial) -> Judged | None:
    """Simulate a trial and hold V09's region against the truth."""
    rng = generator("region", *(getattr(trial, item.name) for item in fields_of(trial)))
    target = target_near_middle(rng)
    host = target if trial.offset_px == 0 else beside(target, trial.offset_px, 10 ** rng.uniform(-2.4, -0.2), rng)
    stars = (target,) if host is target else (target, host)
    goal = aim(rng, trial.number) / math.sqrt(trial.sectors)
    sky = Sky(cadence_s=trial.cadence_s, jitter_px=trial.jitter_px, magnitude_error=MAGNITUDE_ERROR)
    return judge_sectors(DimmedField(stars, len(stars) - 1, sky), goal, trial.sectors, rng)


def judge_sectors(trial: DimmedField, goal: float, sectors: int, rng: np.random.Generator) -> Judged | None:
    """The host dimmed to the SNR `goal` of a sector; V09 of the sector, or the combination of several."""
    lost: float | None = None
    found: dict[int, tuple[CheckResult, ...]] = {}
    fit: SourceFit | None = None
    stars = trial.stars
    for sector in range(1, sectors + 1):
        sky = trial.sky
        if sector > 1:
            sky = replace(sky, sector=sector, turn_deg=360.0 * rng.uniform())
            stars = seen_turned(trial.stars, trial.sky, sky, rng)
        host = stars[trial.host]
        quiet = observe(stars, sky, rng)
        if lost is None:
            error = error_of_light(quiet, host)
            if error is None:
                return None
            lost = min(goal * error, DEEPEST * host.flux_e_per_s)
        result, fit = locate_source(take_away(quiet, image_of(host, sky.prf) * lost / host.flux_e_per_s, SIGNAL))
        found[sector] = (result,)
    final = result if sectors == 1 else combine_sectors(found)[0]
    return judge(final, trial.host, fit if sectors == 1 else None, host)


def locate_source(stack: PixelStack) -> tuple[CheckResult, SourceFit | None]:
    """V09 of a stack with the injected signal, and its fit."""
    measurement = measure_pixels(stack, SIGNAL)
    scene = None if measurement.reason else describe_scene(measurement)
    fit = None if scene is None else fit_source(measurement, scene)
    return check_difference_image(measurement, scene, store_plot_data=False), fit


def judge(result: CheckResult, host: int, fit: SourceFit | None, truth: FieldStar) -> Judged | None:
    """Hold a result against the truth: star number `host` of the field; None where V09 locates nothing."""
    if result.verdict is Verdict.NOT_RUN or "snr" not in result.metrics:
        return None
    stars = {star["star_id"]: star for star in result.details["neighbours"]}
    name = ("target" if host == 0 else star_id(host)) if truth.catalogued else NONE
    limit = value("region_delta_chi2")
    inside_statistical = True
    if fit is not None:
        statistical = delta_chi2(fit, np.array([truth.row]), np.array([truth.column]))
        inside_statistical = float(statistical[0]) <= limit
    weighed = {key: star["probability"] for key, star in stars.items() if "probability" in star}
    likeliest = max(weighed, key=lambda key: float(weighed[key]), default=None)
    named = stars.get(likeliest, {}) if likeliest is not None else {}
    return Judged(
        snr=float(result.metrics["snr"].value),
        inside=name in stars and stars[name].get("delta_chi2", math.inf) <= limit,
        inside_statistical=inside_statistical,
        target_inside=stars["target"]["delta_chi2"] <= limit,
        right=None if likeliest is None else likeliest == name,
        probability=None if likeliest is None else float(weighed[likeliest]),
        named_none=likeliest == NONE,
        catalogued=truth.catalogued,
        miss_px=math.hypot(named["row"] - truth.row, named["column"] - truth.column) if "row" in named else None,
        away_px=None if fit is None else math.hypot(fit.row - truth.row, fit.column - truth.column),
    )


_RegionCell = tuple[str, float, float, int]
_RegionPairs = Sequence[tuple[RegionTrial, Judged | None]]


def _region_rows(judged: _RegionPairs, cell: _RegionCell) -> list[Row]:
    noise, _, cadence_s, sectors = cell
    cadence = next(name for name, seconds in CADENCES if seconds == cadence_s)
    mine = [
        pair for pair in judged if (t := pair[0]) and (t.noise, t.cadence_s, t.sectors) == (noise, cadence_s, sectors)
    ]
    rows = []
    for low, high in SNR_BINS:
        here = [(trial, seen) for trial, seen in mine if seen is not None and low <= seen.snr < high]
        inside = rate_of([seen.inside for _, seen in here])
        away = rate_of([not seen.target_inside for trial, seen in here if trial.offset_px >= 2])
        near = rate_of([not seen.target_inside for trial, seen in here if trial.offset_px == 1])
        rows.append(
            Row(
                {
                    "noise": noise,
                    "cadence": cadence,
                    "sectors": sectors,
                    "snr": bin_words(low, high),
                    "inside": inside,
                    "inside_statistical": rate_of([seen.inside_statistical for _, seen in here])
                    if sectors == 1
                    else None,
                    "excluded_1px": near,
                    "excluded": away,
                    "not_located": sum(seen is None for _, seen in mine) if low == SNR_BINS[0][0] else None,
                },
                met=at_least(ASKED, inside, away),
            )
        )
    return rows


def at_least(asked: float, *rates: Rate) -> bool | None:
    """Whether every rate that was measured reaches what was asked; None where too few trials leave one open."""
    found = [rate.at_least(asked) for rate in rates if rate.total]
    return False if False in found else None if None in found or not found else True


def rate_of(answers: Sequence[bool]) -> Rate:
    """How many of the answers are yes."""
    return Rate(sum(answers), len(answers))


def bin_words(low: float, high: float) -> str:
    """A range of SNR."""
    return f"{low:g} to {high:g}" if math.isfinite(high) else f">= {low:g}"


def aim(rng: np.random.Generator, number: int, goals: tuple[tuple[float, float], ...] = GOALS) -> float:
    """The SNR aimed at: evenly in its logarithm within one of the bounds, which take turns."""
    low, high = goals[number % len(goals)]
    return math.exp(rng.uniform(math.log(low), math.log(high)))
