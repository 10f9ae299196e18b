"""
Several sectors into one result per check.

V09 averages the offsets on the sky (`combine_offsets`); V08, V10 and V20 combine probabilities (`combine_significance`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from btv_report.checks.combine_offsets import combine_v09
from btv_report.checks.combine_significance import combine_v08, combine_v10, combine_v20
from btv_report.checks.combined_result import combined_result, one_sector, reason_in_none
from btv_report.checks.registry import CHECKS
from btv_report.checks.result import CheckResult, Verdict

_COMBINE = {"V08": combine_v08, "V09": combine_v09, "V10": combine_v10, "V20": combine_v20}


def combine_sectors(results_by_sector: Mapping[int, Iterable[CheckResult]]) -> tuple[CheckResult, ...]:
    """
    Combine the results of one candidate over sectors.

    Parameters
    ----------
    results_by_sector : sector -> results of that sector

    Returns
    -------
    tuple of CheckResult
        One per check that any sector has, with sector None. Sectors that were not run do not count; when none was run, the
        combined result is `not_run` as well.
    """
    table: dict[str, list[CheckResult]] = {check_id: [] for check_id in CHECKS}
    for _, results in sorted(results_by_sector.items()):
        for result in results:
            table.setdefault(result.check_id, []).append(result)
    return tuple(_combine(check_id, results) for check_id, results in table.items() if results)


def _combine(check_id: str, results: Sequence[CheckResult]) -> CheckResult:
    ran = [result for result in results if result.verdict is not Verdict.NOT_RUN]
    if check_id == "V09":
        ran = [result for result in ran if "covariance_arcsec2" in result.details] or ran
    if not ran:
        reason = reason_in_none(results)
        return combined_result(check_id, results, Verdict.NOT_RUN, f"Not run: {reason}", reason=reason)
    if len(ran) == 1:
        return one_sector(check_id, ran[0], results)
    return _COMBINE[check_id](ran, results)
