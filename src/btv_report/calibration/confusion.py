"""The confusion matrix: what was injected against what each check says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of

import numpy as np

from btv_report.calibration.aperture_ghost import error_of_sum, ghost_patch, log_uniform
from btv_report.calibration.cubes import take_away
from btv_report.calibration.fields import (
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
from btv_report.checks.inputs import PixelStack
from btv_report.checks.registry import CHECKS
from btv_report.checks.result import Verdict
from btv_report.checks.run import run_pixel_checks

ON_TARGET, GHOST, NOTHING = "planet on the target", "ghost or scattered light", "nothing"
BESIDE = {f"binary {distance} px away": float(distance) for distance in (1, 2, 3, 4)}
TRUTHS = (ON_TARGET, *BESIDE, GHOST, NOTHING)
DENSITY = 5.0
SNR_RANGE = (8.0, 100.0)
JITTERS_PX = (0.0, 0.001)


@dataclass(frozen=True)
class ConfusionTrial:
    """One truth, numbered."""

    truth: str
    jitter_px: float
    number: int


def confusion_table(effort: Effort, data: RealData | None) -> Table:
    """Verdicts of all checks on every kind of truth."""
    del data
    todo = [
        ConfusionTrial(truth, JITTERS_PX[number % 2], number)
        for truth in TRUTHS
        for number in range(effort.trials(150))
    ]
    answers = list(zip(todo, run_trials(judge_all, todo, effort, chunk=16), strict=True))
    rows = []
    for truth in TRUTHS:
        verdicts = [seen for trial, seen in answers if trial.truth == truth]
        rows += [_row(truth, check_id, [seen[check_id] for seen in verdicts]) for check_id in CHECKS]
        rows.append(_row(truth, "worst of the four", [_worst(tuple(seen.values())) for seen in verdicts]))
    return Table(
        key="confusion",
        title="What is injected, and what the checks say",
        asked="",
        method="A star of Tmag 10 in a field with five others brighter than Tmag 16 within 4.5 px, all of them catalogued with "
        "magnitudes off by 0.1 mag; eight transits of 2.6 h in 30-min data, SNR 8 to 100; half of the trials have pointing "
        "jitter of 0.001 px. Binaries give 2.5 to 63 % of the target's light and are catalogued.",
        columns=(
            Column("truth", "Injected"),
            Column("check", "Check"),
            Column("passed", "Pass"),
            Column("warned", "Warn"),
            Column("failed", "Fail"),
            Column("not_run", "Not run"),
        ),
        rows=tuple(rows),
        notes=(
            "A pass of V08 or V10 says that nothing speaks against the target, which is also so where there is no signal.",
            "V20 needs light outside the aperture: a binary 1 px away lies inside it.",
        ),
    )


def judge_all(trial: ConfusionTrial) -> dict[str, Verdict]:
    """Simulate a trial and run all checks."""
    rng = generator("confusion", *(getattr(trial, item.name) for item in fields_of(trial)))
    target, host, stack = observe_field(BESIDE.get(trial.truth), trial.jitter_px, rng)
    goal = log_uniform(rng, *SNR_RANGE)
    if trial.truth == GHOST:
        light = ghost_patch(target, bool(trial.number % 4 > 1), rng)
        stack = take_away(stack, light * goal * error_of_sum(stack, light), SIGNAL)
    elif trial.truth != NOTHING:
        stack = dim(stack, host, goal)
    return verdicts_on(stack)


def observe_field(
    beside_px: float | None, jitter_px: float, rng: np.random.Generator
) -> tuple[FieldStar, FieldStar, PixelStack]:
    """Target, host and quiet pixels of a crowded field; the host is the target, or one more star so far from it."""
    target = target_near_middle(rng)
    stars = crowded_field(target, DENSITY, rng)
    if beside_px is not None:
        stars = (*stars, beside(target, beside_px, 10 ** rng.uniform(-1.6, -0.2), rng))
    stack = observe(stars, Sky(jitter_px=jitter_px, magnitude_error=0.1, turn_deg=360.0 * rng.uniform()), rng)
    return target, target if beside_px is None else stars[-1], stack


def dim(stack: PixelStack, host: FieldStar, snr: float) -> PixelStack:
    """The stack with the host's light missing in transit, so much of it that it has this SNR; nine tenths at most."""
    error = error_of_light(stack, host) or 0.0
    return take_away(stack, image_of(host) * min(snr * error / host.flux_e_per_s, 0.9), SIGNAL)


def verdicts_on(stack: PixelStack) -> dict[str, Verdict]:
    """What each check says of the signal in a stack."""
    results = run_pixel_checks(stack, SIGNAL, store_plot_data=False).results
    return {result.check_id: result.verdict for result in results}


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    order = (Verdict.NOT_RUN, Verdict.PASS, Verdict.WARN, Verdict.FAIL)
    return max(verdicts, key=order.index)


def _row(truth: str, check: str, verdicts: Sequence[Verdict]) -> Row:
    counts = {verdict: Rate(sum(one is verdict for one in verdicts), len(verdicts)) for verdict in Verdict}
    return Row(
        {
            "truth": truth,
            "check": check,
            "passed": counts[Verdict.PASS],
            "warned": counts[Verdict.WARN],
            "failed": counts[Verdict.FAIL],
            "not_run": counts[Verdict.NOT_RUN],
        }
    )
