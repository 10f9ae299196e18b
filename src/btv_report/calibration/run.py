"""Makes the truth tables, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from btv_report.calibration.registry import TABLES, table_maker
from btv_report.calibration.table import Table
from btv_report.calibration.trials import Effort, RealData
from btv_report.errors import UsageError

QUICK_SHARE = 0.05


def calibrate(
    effort: Effort, data: RealData | None, keys: Sequence[str] = (), tell: Callable[[str], None] = lambda step: None
) -> list[Table]:
    """
    Make the tables.

    Parameters
    ----------
    effort : how many trials, on how many processes
    data : folder of real files; None leaves out what needs them, and the tables say so
    keys : the tables wanted; all when empty. They come in the order of the registry
    tell : is told what is being done

    Raises
    ------
    UsageError
        If there is no such table.
    """
    unknown = sorted(set(keys) - set(TABLES))
    if unknown:
        raise UsageError(f"There is no truth table called {unknown[0]}.", hint=f"There are: {', '.join(TABLES)}.")
    made = []
    for key in TABLES:
        if not keys or key in keys:
            tell(f"table {key}")
            made.append(table_maker(key)(effort, data))
    return made
