"""What dead pixels in the aperture do to the verdicts, up to the share of missing light above which none is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as fields_of

import numpy as np

from btv_report.calibration.aperture_ghost import log_uniform
from btv_report.calibration.confusion import JITTERS_PX, ON_TARGET, dim, observe_field, verdicts_on
from btv_report.calibration.fields import FieldStar
from btv_report.calibration.region_host import rate_of
from btv_report.calibration.table import Column, Row, Table, Value
from btv_report.calibration.trials import Effort, RealData, generator, run_trials
from btv_report.checks.apertures import BoolArray
from btv_report.checks.inputs import PixelStack
from btv_report.checks.missing_pixels import missing_light
from btv_report.checks.registry import CHECKS
from btv_report.checks.result import Verdict
from btv_report.checks.thresholds import value

BINARY, BINARY_PX = "binary 2 px away", 2.0
SNR_RANGE = (15.0, 100.0)
ASKED = 0.02
JUDGED = ("V09", "V10", "V20")
"""V08 fails planets in crowded fields whether pixels are dead or not; the confusion matrix says how often."""


@dataclass(frozen=True)
class DeadPixelTrial:
    """One truth with `least` to `most` of the target's light on dead pixels of the aperture, numbered."""

    truth: str
    least: float
    most: float
    jitter_px: float
    number: int


def dead_pixels_table(effort: Effort, data: RealData | None) -> Table:
    """Verdicts on planets and binaries with none, some and most of the target's light missing."""
    del data
    limit = value("target_light_missing")
    shares = ((0.0, 0.0), (0.0, limit / 2), (limit / 2, limit), (limit, 0.95))
    todo = [
        DeadPixelTrial(truth, least, most, JITTERS_PX[number % 2], number)
        for truth, trials in ((ON_TARGET, effort.trials(200)), (BINARY, effort.trials(100)))
        for least, most in shares
        for number in range(trials)
    ]
    answers = list(zip(todo, run_trials(judge_dead_pixels, todo, effort, chunk=16), strict=True))
    rows = [
        _row(truth, least, most, [seen for trial, seen in answers if _cell(trial) == (truth, least, most)])
        for truth in (ON_TARGET, BINARY)
        for least, most in shares
    ]
    return Table(
        key="dead-pixels",
        title="Dead pixels in the aperture",
        asked=f"With at most {100 * limit:g} % of the target's light missing, at most {100 * ASKED:g} % of planets on the target "
        "fail V09, V10 and V20 each; with more missing, no verdict is given.",
        method="The field of the confusion matrix, SNR 15 to 100 without dead pixels. Pixels of the aperture, drawn at random, "
        "hold no values in the whole sector; the share of light is that of a star 0.8 px wide at the target's place.",
        columns=(
            Column("truth", "Injected"),
            Column("missing", "Target's light on dead pixels"),
            *(Column(f"{check_id}_failed", f"{check_id} fails") for check_id in CHECKS),
            Column("not_run", "No check gives a verdict"),
        ),
        rows=tuple(rows),
        notes=("V08 fails some planets in crowded fields with and without dead pixels; nothing is asked of it here.",),
    )


def judge_dead_pixels(trial: DeadPixelTrial) -> dict[str, Verdict]:
    """Simulate a trial and run all checks."""
    rng = generator("dead-pixels", *(getattr(trial, item.name) for item in fields_of(trial)))
    target, host, stack = observe_field(BINARY_PX if trial.truth == BINARY else None, trial.jitter_px, rng)
    stack = dim(stack, host, log_uniform(rng, *SNR_RANGE))
    return verdicts_on(_with_dead(stack, target, trial, rng))


def _with_dead(stack: PixelStack, target: FieldStar, trial: DeadPixelTrial, rng: np.random.Generator) -> PixelStack:
    """The stack without the values of aperture pixels that hold `least` to `most` of the target's light."""
    if stack.aperture_mask is None or trial.most == 0:
        return stack
    aperture = np.argwhere(stack.aperture_mask)
    goal = rng.uniform(trial.least, trial.most)
    dead: BoolArray = np.zeros(stack.shape, bool)
    for row, column in rng.permutation(aperture):
        dead[row, column] = True
        light = missing_light(dead, target.row, target.column)
        dead[row, column] = light <= trial.most
        if goal <= light <= trial.most:
            break
    flux = stack.flux.copy()
    flux[:, dead] = np.nan
    return replace(stack, flux=flux)


def _cell(trial: DeadPixelTrial) -> tuple[str, float, float]:
    return trial.truth, trial.least, trial.most


def _row(truth: str, least: float, most: float, seen: Sequence[dict[str, Verdict]]) -> Row:
    failed = {check_id: rate_of([one[check_id] is Verdict.FAIL for one in seen]) for check_id in CHECKS}
    silent = rate_of([set(one.values()) == {Verdict.NOT_RUN} for one in seen])
    beyond = least >= value("target_light_missing")
    met: bool | None = None
    if beyond:
        met = silent.count == silent.total
    elif truth == ON_TARGET:
        answers = [failed[check_id].at_most(ASKED) for check_id in JUDGED]
        met = False if False in answers else None if None in answers else True
    cells: dict[str, Value] = {f"{check_id}_failed": rate for check_id, rate in failed.items()}
    missing = "none" if most == 0 else f"{100 * least:g} to {100 * most:g} %"
    return Row({"truth": truth, "missing": missing, **cells, "not_run": silent}, met=met)
