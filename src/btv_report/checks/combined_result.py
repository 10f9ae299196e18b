"""Pieces that combined results are built from: which sectors count, their numbers, and what one sector alone says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from btv_report.checks import thresholds
from btv_report.checks.apertures import FloatArray
from btv_report.checks.result import CheckResult, Verdict

# What the combination of a single sector repeats of its details; the rest stands with the sector.
_KEPT_ALONE = ("neighbours", "nearest", "resolution_radius_arcsec")


def reason_in_none(results: Sequence[CheckResult]) -> str:
    """The sectors' own reasons; sectors whose reasons differ by the sector's number only share one."""
    by_reason: dict[str, list[CheckResult]] = {}
    for result in results:
        reason = _reason(result).replace(f"sector {result.sector}", "the sector")
        by_reason.setdefault(reason, []).append(result)
    if len(results) == 1:
        return f"The check was not run in the one sector at hand. {_reason(results[0])}"
    told = []
    for reason, group in by_reason.items():
        sectors = ", ".join(str(result.sector) for result in group)
        told.append(_reason(group[0]) if len(group) == 1 else f"In sectors {sectors}: {reason}")
    every = ", ".join(str(result.sector) for result in results)
    return f"The check was run in none of the sectors ({every}). {' '.join(told)}"


def _reason(result: CheckResult) -> str:
    return f"{(result.reason or 'No reason was given').rstrip('.')}."


def combined_result(
    check_id: str, results: Sequence[CheckResult], verdict: Verdict, summary: str, **parts: Any
) -> CheckResult:
    return CheckResult(
        check_id=check_id,
        candidate=results[0].candidate,
        sector=None,
        verdict=verdict,
        summary=summary,
        method_version=thresholds.METHOD_VERSION,
        **parts,
    )


def one_sector(check_id: str, only: CheckResult, results: Sequence[CheckResult]) -> CheckResult:
    """The one sector that was run, said to be the only one."""
    details = {name: only.details[name] for name in _KEPT_ALONE if name in only.details}
    return combined_result(
        check_id,
        results,
        only.verdict,
        f"One sector only. {only.summary}",
        metrics=only.metrics,
        flags=(*only.flags, "ONE_SECTOR"),
        thresholds=only.thresholds,
        parameters={
            "sectors": [only.sector],
            "sectors_not_run": sectors_not_run(results),
            "combination": "one sector only",
        },
        details=details,
    )


def sectors_not_run(results: Sequence[CheckResult]) -> list[int | None]:
    return [result.sector for result in results if result.verdict is Verdict.NOT_RUN]


def combined_parameters(ran: Sequence[CheckResult], results: Sequence[CheckResult], how: str) -> dict[str, Any]:
    return {"sectors": [r.sector for r in ran], "sectors_not_run": sectors_not_run(results), "combination": how}


def sector_words(ran: Sequence[CheckResult]) -> str:
    return f"{len(ran)} sectors ({', '.join(str(result.sector) for result in ran)})"


def metric_of(result: CheckResult, name: str) -> float | None:
    metric = result.metrics.get(name)
    return None if metric is None else float(metric.value)


def values_of(ran: Sequence[CheckResult], name: str) -> FloatArray:
    """The metric of the sectors that have it."""
    found = [metric_of(result, name) for result in ran]
    return np.array([value for value in found if value is not None])


def n_transits(ran: Sequence[CheckResult]) -> int:
    """Usable transits over all sectors."""
    return sum(n_transits_of(result) for result in ran)


def n_transits_of(result: CheckResult) -> int:
    """Number of transits a sector's result rests on."""
    return int(result.parameters.get("n_transits_used", 0))


def combined_flags(ran: Sequence[CheckResult], keep: Sequence[str]) -> tuple[str, ...]:
    flags = ["LOW_TRANSITS"] if n_transits(ran) < thresholds.value("min_transits") else []
    flags += [
        flag for flag in (*keep, "MASK_SENSITIVE", "PIXELS_MISSING") if any(flag in result.flags for result in ran)
    ]
    return tuple(flags)
