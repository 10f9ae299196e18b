"""The TESS PRF sets among the real files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from btv_report.calibration.trials import RealData
from btv_report.errors import BtvReportError

if TYPE_CHECKING:
    from btv_report.checks.prf_grid import PrfGrid


@lru_cache(maxsize=1)
def prf_sets(data: RealData | None) -> tuple[PrfGrid, ...]:
    """The sets in the folder tree of real files; none where it holds none."""
    from btv_report.products.prf_files import read_prf_folder

    try:
        return tuple(read_prf_folder(data.folder).grids) if data else ()
    except BtvReportError:  # no PRF file in the tree
        return ()
