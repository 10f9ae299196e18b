"""
Table 4, second half: does V09 name the right star, and are its probabilities honest?

Counted in simulated fields (`fields`) in which the truth is known, at the SNR that V09 itself states.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of
from functools import partial

import numpy as np

from btv_report.calibration.cubes import take_away
from btv_report.calibration.fields import (
    PIXEL_ARCSEC,
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
from btv_report.calibration.region_host import (
    ASKED,
    DEEPEST,
    GOALS,
    JITTERS,
    MAGNITUDE_ERROR,
    SNR_BINS,
    DimmedField,
    Judged,
    aim,
    at_least,
    bin_words,
    judge,
    judge_sectors,
    locate_source,
    rate_of,
)
from btv_report.calibration.table import Column, Rate, Row, Table
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.difference_image import SEARCH_RADIUS_PX
from btv_report.checks.inputs import PixelStack

DENSITIES = (("sparse", 2.0), ("average", 10.0), ("crowded", 40.0))
UNCATALOGUED_SHARE = 0.05
BESIDE_PX = 5.0 / PIXEL_ARCSEC
"""Two stars this close are within twice the systematic floor of each other."""
FIELD_GOALS = ((3.0, 12.0), (8.0, 40.0), (40.0, 150.0))
"""Bounds of the SNR that the light would have on the target; elsewhere it stands out more."""

COLUMNS = (
    Column("case", "Case"),
    Column("snr", "SNR"),
    Column("right", "Right star most probable"),
    Column("right_or_beside", "Right star, or one within 5 arcsec of it"),
    Column("uncatalogued", "Uncatalogued source: 'none of these' most probable"),
    Column("stated", "Mean stated probability"),
    Column("unnamed", "Trials in which no star is named"),
)


@dataclass(frozen=True)
class HostTrial:
    """One neighbour at a distance and magnitude difference (`kind` pair), or a field of a density (`kind` its name)."""

    kind: str
    distance_px: float
    magnitudes: float
    density: float
    jitter_px: float
    number: int


def host_table(effort: Effort, data: RealData | None) -> Table:
    """How often the true star is the most probable one, and how honest the probabilities are."""
    del data
    pairs, fields = effort.trials(50), effort.trials(1000)
    todo = [
        HostTrial("pair", float(distance), float(magnitudes), 0.0, jitter, number)
        for distance in (1, 2, 3, 4)
        for magnitudes in range(6)
        for _, jitter in JITTERS
        for number in range(pairs // 2)
    ]
    todo += [
        HostTrial(kind, 0.0, 0.0, density, JITTERS[number % 2][1], number)
        for kind, density in DENSITIES
        for number in range(fields)
    ]
    judged = list(zip(todo, run_trials(judge_host, todo, effort, chunk=16), strict=True))
    rows = [_pair_row(judged, float(distance)) for distance in (1, 2, 3, 4)]
    rows += [row for kind, _ in DENSITIES for row in _field_rows(judged, kind)]
    rows += _reliability_rows(judged)
    return Table(
        key="host",
        title="Is the right star the most probable host?",
        asked="The true star is the most probable one in at least 98 % at SNR >= 8, and a stated probability is no higher than "
        "the fraction that is right.",
        method="Pairs: target and one neighbour 0 to 5 mag fainter, either of them dimmed. Fields: stars drawn by the counts "
        "about TOI-3505 at three densities; the host is drawn evenly from the target and the stars within 4.5 px that can lose "
        "the light by at most nine tenths, and in one of twenty trials it is a star that no catalogue holds. Magnitudes have "
        "errors of 0.1 mag. Half of the trials have pointing jitter.",
        columns=COLUMNS,
        rows=tuple(rows),
        notes=(
            "Anchor: 96.5 % of 655 hosts of known TESS signals (Hadjigeorghiou & Armstrong 2024, MNRAS 527, 4018), on real data.",
            "No star is named where the difference image is not clearly that of one star; such trials are counted, not rated.",
            "The fraction that is right counts catalogued hosts, in the rows of stated probabilities all; a source that no "
            "catalogue holds cannot be told from a catalogued star within the resolution.",
            "In crowded fields two stars may stand closer than the data resolve: then the probabilities say so (about 50 % "
            "each), and no method names the right one every time. The column beside counts an answer within 5 arcsec, twice the "
            "systematic floor, too; nothing is asked of it.",
        ),
    )


def judge_host(trial: HostTrial) -> Judged | None:
    """Simulate a trial and see which star V09 finds most probable."""
    rng = generator("host", *(getattr(trial, item.name) for item in fields_of(trial)))
    target = target_near_middle(rng)
    sky = Sky(jitter_px=trial.jitter_px, magnitude_error=MAGNITUDE_ERROR, turn_deg=360.0 * rng.uniform())
    goal = aim(rng, trial.number // 2, GOALS if trial.kind == "pair" else FIELD_GOALS)
    if trial.kind == "pair":
        stars: tuple[FieldStar, ...] = (target, beside(target, trial.distance_px, 10 ** (-0.4 * trial.magnitudes), rng))
        return judge_sectors(DimmedField(stars, trial.number % 2, sky), goal, 1, rng)
    return judge_field(target, trial.density, sky, goal, rng)


def judge_field(
    target: FieldStar,
    density: float,
    sky: Sky,
    goal: float,
    rng: np.random.Generator,
    *,
    tell: Callable[[PixelStack], PixelStack] | None = None,
) -> Judged | None:
    """
    Draw a field and its host, dim it, and see which star V09 finds most probable.

    Parameters
    ----------
    density : mean number of stars brighter than Tmag 16 within the search radius
    goal : SNR that the missing light would have on the target
    tell : gives V09 what more it is to know of the pixels, such as PRF sets; host and depth do not depend on it
    """
    stars = crowded_field(target, density, rng)
    quiet = observe(stars, sky, rng)
    error = error_of_light(quiet, target)
    if error is None:
        return None
    lost = goal * error
    if rng.uniform() < UNCATALOGUED_SHARE:
        away = SEARCH_RADIUS_PX * math.sqrt(rng.uniform())
        host = replace(beside(target, away, lost / target.flux_e_per_s, rng), catalogued=False)
        number = len(stars)
    else:
        able = [i for i, star in enumerate(stars) if lost <= DEEPEST * star.flux_e_per_s]
        number = int(rng.choice(able)) if able else 0
        host = stars[number]
    share = min(lost / host.flux_e_per_s, 1.0)
    stack = take_away(quiet, image_of(host, sky.prf) * share, SIGNAL)
    result, fit = locate_source(tell(stack) if tell else stack)
    return judge(result, number, fit, host)


_HostPairs = Sequence[tuple[HostTrial, Judged | None]]


def host_row(
    case: str, snr: str, seen: Sequence[Judged], judge_met: Callable[[Rate], bool | None], *, mixed: bool = False
) -> Row:
    """A row of `COLUMNS`: what was named in trials; uncatalogued sources count as wrong where `mixed`, else beside."""
    named = [one for one in seen if one.right is not None]
    rated = [one for one in named if one.catalogued or mixed]
    right = rate_of([bool(one.right) for one in rated])
    near = rate_of([bool(one.right) or (one.miss_px is not None and one.miss_px <= BESIDE_PX) for one in rated])
    uncatalogued = rate_of([one.named_none for one in named if not one.catalogued])
    stated = float(np.mean([one.probability for one in named if one.probability is not None])) if named else None
    return Row(
        {
            "case": case,
            "snr": snr,
            "right": right,
            "right_or_beside": near,
            "uncatalogued": uncatalogued if uncatalogued.total else None,
            "stated": stated,
            "unnamed": len(seen) - len(named),
        },
        met=judge_met(right),
    )


def _pair_row(judged: _HostPairs, distance: float) -> Row:
    seen = [
        one for t, one in judged if one and t.kind == "pair" and t.distance_px == distance and one.snr >= SNR_BINS[0][0]
    ]
    return host_row(f"one neighbour at {distance:g} px", ">= 8", seen, at_least_asked)


def _field_rows(judged: _HostPairs, kind: str) -> list[Row]:
    seen = [one for trial, one in judged if one and trial.kind == kind]
    return [host_row(f"{kind} field", words, some, at_least_asked) for words, some in by_snr(seen)]


def by_snr(seen: Sequence[Judged]) -> list[tuple[str, list[Judged]]]:
    """Trials of each bin of SNR, and of all bins together, which is what is asked; each with its words."""
    bins = [*SNR_BINS, (SNR_BINS[0][0], math.inf)]
    return [(bin_words(low, high), [one for one in seen if low <= one.snr < high]) for low, high in bins]


def at_least_asked(right: Rate) -> bool | None:
    """Whether the right star is named as often as asked."""
    return at_least(ASKED, right)


def _reliability_rows(judged: _HostPairs) -> list[Row]:
    """Of the answers stated with a probability within bounds, how many are right; pairs are no fair draw of hosts."""
    fair = [
        one
        for t, one in judged
        if one and t.kind != "pair" and one.probability is not None and one.snr >= SNR_BINS[0][0]
    ]
    rows = []
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 0.99), (0.99, 1.01)):
        seen = [one for one in fair if one.probability is not None and low <= one.probability < high]
        stated = float(np.mean([one.probability for one in seen if one.probability is not None])) if seen else 1.0
        words = f"stated probability {100 * low:g} to {min(100 * high, 100):g} %"
        rows.append(host_row(words, ">= 8", seen, partial(_no_higher, stated), mixed=True))
    return rows


def _no_higher(stated: float, right: Rate) -> bool | None:
    """Whether the data allow that at least the stated fraction is right."""
    return right.interval[1] >= stated if right.total else None
