"""Run the pixel checks of one candidate in one sector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from btv_report.checks.registry import CHECKS
from btv_report.checks.result import CheckResult, TransitRow, Verdict
from btv_report.checks.thresholds import METHOD_VERSION
from btv_report.ephemeris import Ephemeris

if TYPE_CHECKING:
    from btv_report.checks.inputs import PixelStack


@dataclass(frozen=True)
class SectorChecks:
    """Results of all checks, in registry order, and every predicted transit of the sector."""

    results: tuple[CheckResult, ...]
    transits: tuple[TransitRow, ...]


def run_pixel_checks(
    stack: PixelStack,
    ephemeris: Ephemeris,
    *,
    others: Sequence[Ephemeris] = (),
    store_plot_data: bool = True,
) -> SectorChecks:
    """
    Run all pixel checks on one candidate in one sector.

    Parameters
    ----------
    stack : PixelStack
    ephemeris : the candidate
    others : the star's other candidates; cadences in their transits are left out
    store_plot_data : keep stamps in `details["plot_data"]`; without, metrics and small values only

    Returns
    -------
    SectorChecks
        An unexpected error in one check becomes a result that was not run, naming the error, and leaves the others alone.
    """
    import numpy as np

    from btv_report.checks.difference_image import measure_pixels
    from btv_report.checks.scene import describe_scene

    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        try:
            measurement = measure_pixels(stack, ephemeris, others)
            scene = None if measurement.reason else describe_scene(measurement)
        except Exception as error:  # a broken stamp must not take the dossier with it; the type is reported
            return SectorChecks(not_run_results(ephemeris.name, stack.sector, _unexpected(error)), ())
        results = []
        for check_id, info in CHECKS.items():
            try:
                results.append(info.load()(measurement, scene, store_plot_data=store_plot_data))
            except Exception as error:  # as above, one check must not take the others with it
                results.append(_not_run(check_id, ephemeris.name, stack.sector, _unexpected(error)))
    return SectorChecks(tuple(results), measurement.rows)


def not_run_results(candidate: str, sector: int | None, reason: str) -> tuple[CheckResult, ...]:
    """One `not_run` result per check, for a sector without pixels."""
    return tuple(_not_run(check_id, candidate, sector, reason) for check_id in CHECKS)


def _not_run(check_id: str, candidate: str, sector: int | None, reason: str) -> CheckResult:
    return CheckResult(
        check_id=check_id,
        candidate=candidate,
        sector=sector,
        verdict=Verdict.NOT_RUN,
        summary=f"Not run: {reason.rstrip('.')}.",
        reason=reason,
        method_version=METHOD_VERSION,
    )


def _unexpected(error: Exception) -> str:
    return (
        f"An unexpected {type(error).__name__} stopped the calculation ({error}). This is an error of btv-report, not of the "
        "data; please report it with the run record."
    )
