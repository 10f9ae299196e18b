"""
Table 4, with the sky's own point responses: what PRF files are worth where stars crowd.

The stars of these fields are images of the TESS PRF files themselves, at places all over their detectors. V09 sees the same
pixels twice: with the set of their camera and CCD at hand, and without, when it has only the star's own image or a Gaussian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of
from functools import partial

import numpy as np

from btv_report.calibration.fields import SHAPE, Sky, target_near_middle
from btv_report.calibration.hosts import COLUMNS, DENSITIES, FIELD_GOALS, at_least_asked, by_snr, host_row, judge_field
from btv_report.calibration.prf_sets import prf_sets
from btv_report.calibration.region_host import JITTERS, MAGNITUDE_ERROR, Judged, aim
from btv_report.calibration.table import Column, Row, Table
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.inputs import PixelStack
from btv_report.checks.prf_grid import PrfGrid

KEY = "host-prf"
TITLE = "Is the right star named with PRF files, and without?"
ASKED = "The true star is the most probable one in at least 98 % at SNR >= 8, with the PRF set of its camera and CCD at hand."
METHOD = (
    "Fields as in the table before, at its two upper densities, but the stars are images of the TESS PRF files among the real "
    "files, at places drawn evenly from those that a set surrounds. The same pixels are given to V09 with that set at hand and "
    "without any; SNR is what V09 states in each case."
)
WITH, WITHOUT = "with the PRF set", "without PRF files"
CROWDED = [(kind, density) for kind, density in DENSITIES if kind != "sparse"]
LAST_ROW, FIRST_COLUMN, LAST_COLUMN = 2048, 45, 2092
"""Of the pixels that see the sky, in detector rows and columns as the PRF files count them."""


@dataclass(frozen=True)
class PrfHostTrial:
    """A field of a density (`kind` its name), imaged by a TESS PRF set, number `number`."""

    kind: str
    density: float
    jitter_px: float
    number: int


_Pair = tuple[Judged | None, Judged | None]


def host_prf_table(effort: Effort, data: RealData | None) -> Table:
    """How often the true star is the most probable one, with the PRF set that made the pixels and without any."""
    columns = (*COLUMNS, Column("median_px", "Median distance of the position from the truth", "px"))
    grids = prf_sets(data)
    if not grids:
        why = "no folder of real data was given" if data is None else "the data folder holds no TESS PRF files"
        return Table(KEY, TITLE, ASKED, METHOD, columns, (), missing=f"Not measured: {why}.")
    todo = [
        PrfHostTrial(kind, density, JITTERS[number % 2][1], number)
        for kind, density in CROWDED
        for number in range(effort.trials(1000))
    ]
    judged = list(zip(todo, run_trials(partial(judge_twice, data), todo, effort, chunk=16), strict=True))
    rows: list[Row] = []
    for kind, _ in CROWDED:
        pairs = [pair for trial, pair in judged if trial.kind == kind]
        rows += _rows(f"{kind} field, {WITH}", [pair[0] for pair in pairs], asked=True)
        rows += _rows(f"{kind} field, {WITHOUT}", [pair[1] for pair in pairs], asked=False)
    notes = (
        f"PRF sets: {', '.join(grid.name for grid in grids)}.",
        "Nothing is asked of the rows without PRF files: the table before judges V09 where it has none.",
        "Where even the right PRF leaves two stars within the region, the stated probabilities are shared between them; their "
        "mean is the fraction that any honest answer can reach.",
    )
    return Table(KEY, TITLE, ASKED, METHOD, columns, tuple(rows), notes=notes)


def judge_twice(data: RealData | None, trial: PrfHostTrial) -> _Pair:
    """The same pixels, seen with the set that made them at hand and without any."""
    return _judge(data, trial, told=True), _judge(data, trial, told=False)


def _judge(data: RealData | None, trial: PrfHostTrial, *, told: bool) -> Judged | None:
    rng = generator(KEY, *(getattr(trial, item.name) for item in fields_of(trial)))
    grid, row, column = _place(prf_sets(data), trial.number // 2, rng)
    sky = Sky(
        jitter_px=trial.jitter_px,
        magnitude_error=MAGNITUDE_ERROR,
        turn_deg=360.0 * rng.uniform(),
        prf=grid.at(row, column, SHAPE),
    )
    # Jitter alternates with each trial, the set with every second one and the goals with every third: all of them meet.
    goal = aim(rng, trial.number, FIELD_GOALS)
    tell = partial(_tell, grid, row, column) if told else None
    return judge_field(target_near_middle(rng), trial.density, sky, goal, rng, tell=tell)


def _place(grids: Sequence[PrfGrid], number: int, rng: np.random.Generator) -> tuple[PrfGrid, float, float]:
    """A set, in turn, and a place of its detector that it surrounds."""
    grid = grids[number % len(grids)]
    while True:
        row, column = float(rng.uniform(1, LAST_ROW)), float(rng.uniform(FIRST_COLUMN, LAST_COLUMN))
        if grid.surrounds(row, column):
            return grid, row, column


def _tell(grid: PrfGrid, row: float, column: float, stack: PixelStack) -> PixelStack:
    """The stack of a file that states its detector and place, with the set at hand."""
    corner_row, corner_column = (round(place) - n // 2 for place, n in zip((row, column), SHAPE, strict=True))
    return replace(
        stack, prfs=(grid,), camera=grid.camera, ccd=grid.ccd, corner_row=corner_row, corner_column=corner_column
    )


def _rows(case: str, seen: Sequence[Judged | None], *, asked: bool) -> list[Row]:
    rows = []
    for words, some in by_snr([one for one in seen if one]):
        row = host_row(case, words, some, at_least_asked if asked else _nothing_asked)
        away = [one.away_px for one in some if one.away_px is not None]
        rows.append(Row({**row.values, "median_px": float(np.median(away)) if away else None}, met=row.met))
    return rows


def _nothing_asked(right: object) -> None:
    del right
